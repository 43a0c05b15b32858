//! The other server, read only. Everything it says is bounded and checked: it is an outside party.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use calseta_egress::{
    AddressClass, Audience, Client, ClientConfig, Grant, Outbound, Overflow, SendError, Target,
    judge,
};
use http::{HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::Value;

use crate::failure::{FAILED, Failure, REFUSED};
use crate::output;

/// Things a page: the most that v1.1.0 gives.
pub(super) const PAGE_SIZE: usize = 500;
/// Largest answer that is read. An alert of 5 MB with all its documents stays far below.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// For one answer. v1.1.0 checks a key in 0.2 s and loads every document for an alert.
const ANSWER_DEADLINE: Duration = Duration::from_mins(1);
/// How often a request is repeated that the server asked to repeat later.
const MAX_WAITS: u32 = 10;
/// The longest wait that a server may ask for; v1.1.0's own is 60 s.
const MAX_WAIT_SECS: u64 = 120;
/// The wait when it does not say how long.
const DEFAULT_WAIT_SECS: u64 = 60;
/// Characters of a foreign text that are repeated in ours.
const MAX_QUOTED_CHARS: usize = 300;

/// How much of a list is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Pages.
    pub(super) pages: usize,
    /// Bytes of all pages together.
    pub(super) bytes: usize,
}

impl Bounds {
    /// Rules, documents and the like, which are held in memory: 25,000 of them, 256 MB.
    pub(super) const KEPT: Self = Self {
        pages: 50,
        bytes: 256 * 1024 * 1024,
    };
    /// Alerts, of which only the ids are held: 2,000,000 of them, 16 GB.
    pub(super) const PASSING: Self = Self {
        pages: 4_000,
        bytes: 16 * 1024 * 1024 * 1024,
    };
}

/// What was read of a list.
pub(super) struct Listing<T> {
    /// The things, each once.
    pub(super) things: Vec<T>,
    /// Why these are not all, if they may not be.
    pub(super) incomplete: Option<String>,
}

/// A page as v1.1.0 writes it.
#[derive(Deserialize)]
struct Page {
    data: Vec<Value>,
    #[serde(default)]
    meta: PageMeta,
}

#[derive(Deserialize, Default)]
struct PageMeta {
    total: Option<u64>,
    total_pages: Option<u64>,
}

/// A client of one server that a person named.
pub(super) struct There {
    client: Client,
    target: Target,
    base: String,
    grants: Vec<Grant>,
    bearer: HeaderValue,
}

impl There {
    /// The server at `url`, which may have a path of its own. Typing it allows its address for this run, in whatever
    /// network it lies; `own` is our own base URL and stays refused.
    pub(super) fn new(url: &str, key: &str, own: &str) -> Result<Self, Failure> {
        let target = judge(url, Audience::Workflow)
            .map_err(|refusal| Failure::usage(format!("--from: {refusal}")))?;
        if target.url().query().is_some() {
            return Err(Failure::usage(
                "--from: give the server's base URL, without a query",
            ));
        }
        let base = target.url().as_str().trim_end_matches('/');
        let base = base.strip_suffix("/v1").unwrap_or(base).to_owned();
        let mut bearer = HeaderValue::from_str(&format!("Bearer {key}"))
            .ok()
            .filter(|_| !key.is_empty())
            .ok_or_else(|| Failure::usage("--key: this is no API key; copy it again"))?;
        bearer.set_sensitive(true);
        let own_port = judge(own, Audience::Agent).map(|own| own.port());
        let client = Client::new(ClientConfig {
            user_agent: concat!("calseta/", env!("CARGO_PKG_VERSION")).to_owned(),
            own_ports: own_port.into_iter().collect(),
        })
        .map_err(|error| Failure::failed(error.to_string()))?;
        let classes = [
            AddressClass::Public,
            AddressClass::Loopback,
            AddressClass::Private,
        ];
        let grants = classes.map(|class| target.grant_as(Audience::Workflow, class));
        Ok(Self {
            client,
            base,
            grants: grants.to_vec(),
            bearer,
            target,
        })
    }

    /// What the person should know about the way there.
    pub(super) fn warning(&self) -> Option<String> {
        self.target.is_plain_public_http().then(|| {
            format!(
                "{}: http is not encrypted; if this is not your own network, the key and the alerts can be read on the way",
                self.base
            )
        })
    }

    /// The server's base URL.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Whether anybody answers and takes the key; the version in brackets, when it is told.
    pub(super) async fn greet(&self) -> Result<String, Failure> {
        // Any list does: what counts is the answer to the key.
        let probed = self.get("/v1/detection-rules?page=1&page_size=1").await;
        if let Err(failure) = probed
            && !failure.is_forbidden()
        {
            return Err(failure);
        }
        let health = self.get("/health").await.unwrap_or_default();
        let health: Value = serde_json::from_slice(&health).unwrap_or_default();
        Ok(health["version"]
            .as_str()
            .map_or_else(String::new, |v| format!(" (version {})", quoted(v))))
    }

    /// The `data` of one object, as `T`.
    pub(super) async fn object<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
    ) -> Result<T, Failure> {
        #[derive(Deserialize)]
        struct One<T> {
            data: T,
        }
        let body = self.get(path).await?;
        let one: One<T> = serde_json::from_slice(&body).map_err(|e| misshapen(path, &e))?;
        Ok(one.data)
    }

    /// How many things a list has, if the server says so.
    pub(super) async fn count(&self, path: &str) -> Result<Option<u64>, Failure> {
        let path = format!("{path}?page=1&page_size=1");
        let body = self.get(&path).await?;
        let page: Page = serde_json::from_slice(&body).map_err(|e| misshapen(&path, &e))?;
        Ok(page.meta.total)
    }

    /// A whole list, page by page, each thing once: paging by offset repeats what moves meanwhile. `keep` says what
    /// is held of a thing.
    pub(super) async fn list<T>(
        &self,
        path: &str,
        order: &str,
        bounds: Bounds,
        keep: impl Fn(Value) -> T,
    ) -> Result<Listing<T>, Failure> {
        let (mut things, mut seen, mut bytes) = (Vec::new(), HashSet::new(), 0);
        let incomplete = |text: String| Some(format!("{path}: {text}"));
        for page in 1..=bounds.pages {
            let url = format!("{path}?page={page}&page_size={PAGE_SIZE}{order}");
            let body = self.get(&url).await?;
            bytes += body.len();
            let read: Page = serde_json::from_slice(&body).map_err(|e| misshapen(&url, &e))?;
            let count = read.data.len();
            let fresh: Vec<Value> = read
                .data
                .into_iter()
                .filter(|thing| {
                    let id = thing["uuid"].as_str();
                    id.is_none_or(|id| seen.insert(id.to_owned()))
                })
                .collect();
            let repeats = count > 0 && fresh.is_empty();
            things.extend(fresh.into_iter().map(&keep));
            let more = match read.meta.total_pages {
                Some(pages) => count > 0 && (page as u64) < pages,
                None => count >= PAGE_SIZE,
            };
            if !more {
                let total = usize::try_from(read.meta.total.unwrap_or(0)).unwrap_or(usize::MAX);
                let short = total > things.len();
                let text = format!("the server counts {total} and listed {}", things.len());
                let incomplete = short.then(|| incomplete(text)).flatten();
                return Ok(Listing { things, incomplete });
            }
            if repeats {
                let incomplete = incomplete(format!("page {page} repeats earlier pages"));
                return Ok(Listing { things, incomplete });
            }
            if bytes > bounds.bytes {
                let incomplete =
                    incomplete(format!("the list is larger than {} MB", bounds.bytes >> 20));
                return Ok(Listing { things, incomplete });
            }
        }
        let most = bounds.pages * PAGE_SIZE;
        Ok(Listing {
            things,
            incomplete: incomplete(format!("the list has more than {most} entries")),
        })
    }

    /// One GET, repeated when the server says so.
    async fn get(&self, path: &str) -> Result<Bytes, Failure> {
        let mut waits = 0;
        loop {
            let mut request = Outbound::new(
                Audience::Workflow,
                Method::GET,
                format!("{}{path}", self.base),
            );
            let headers = &mut request.headers;
            headers.insert(header::AUTHORIZATION, self.bearer.clone());
            headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
            request.grants.clone_from(&self.grants);
            request.deadline = ANSWER_DEADLINE;
            request.max_response_bytes = MAX_ANSWER_BYTES;
            request.overflow = Overflow::Fail;
            let answer = self.client.send(request).await;
            let answer = answer.map_err(|error| unanswered(path, &error))?;
            let wait = answer
                .headers
                .get(header::RETRY_AFTER)
                .map(|value| value.to_str().ok().and_then(|text| text.parse().ok()));
            match (answer.status, wait) {
                (200..300, _) => return Ok(answer.body),
                (429, _) | (503, Some(_)) if waits < MAX_WAITS => {
                    waits += 1;
                    let secs = wait.flatten().unwrap_or(DEFAULT_WAIT_SECS);
                    let secs = secs.min(MAX_WAIT_SECS);
                    if secs > 0 {
                        output::say(&format!("the server asks to wait; going on in {secs} s"));
                    }
                    tokio::time::sleep(Duration::from_secs(secs)).await;
                }
                (300..400, _) => {
                    let to = answer.headers.get(header::LOCATION);
                    let to = to.and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
                    return Err(redirected(path, to));
                }
                (status, _) => return Err(refused(path, status, &answer.body)),
            }
        }
    }
}

fn redirected(path: &str, to: &str) -> Failure {
    Failure::failed(format!(
        "GET {path}: the server redirects to {}; redirects are not followed, so give the final address with --from",
        quoted(to)
    ))
}

fn unanswered(path: &str, error: &SendError) -> Failure {
    Failure::failed(match error {
        SendError::TooLarge => format!(
            "GET {path}: the answer is larger than {} MB and was not read",
            MAX_ANSWER_BYTES >> 20
        ),
        SendError::Timeout => format!(
            "GET {path}: no complete answer within {} s",
            ANSWER_DEADLINE.as_secs()
        ),
        other => format!("GET {path}: {other}"),
    })
}

/// A status that is no success, with what the server says about it.
fn refused(path: &str, status: u16, body: &[u8]) -> Failure {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = said["error"]["message"].as_str().map(quoted);
    let said = said.map_or_else(String::new, |text| format!(": {text}"));
    match status {
        401 => Failure::new(
            REFUSED,
            "UNAUTHORIZED",
            format!("the server does not take the key{said}; make one there with the scope admin"),
        ),
        403 => Failure::new(
            FAILED,
            "FORBIDDEN",
            format!("GET {path}: the key may not read this{said}; use one with the scope admin"),
        ),
        404 => Failure::failed(format!(
            "GET {path}: not there{said}; is --from the base URL of a Calseta server?"
        )),
        _ => Failure::failed(format!("GET {path}: the server answered {status}{said}")),
    }
}

fn misshapen(path: &str, error: &serde_json::Error) -> Failure {
    let what = if error.is_data() {
        format!(
            "not the answer of a Calseta server ({})",
            quoted(&error.to_string())
        )
    } else {
        "the answer is no JSON".to_owned()
    };
    Failure::failed(format!("GET {path}: {what}"))
}

/// A foreign text, fit for a terminal: short, and without what moves the cursor or turns the line.
pub(super) fn quoted(text: &str) -> String {
    let shown = text.chars().take(MAX_QUOTED_CHARS).map(|c| match c {
        '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    });
    let mut shown: String = shown.collect();
    if text.chars().nth(MAX_QUOTED_CHARS).is_some() {
        shown.push('…');
    }
    shown
}
