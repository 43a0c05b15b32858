//! The command line's way to the running application: one base URL on this machine, and nothing else.
//!
//! It is apart from [`crate::Client`] because it goes exactly where that one never may: to our own port.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method};

use crate::class::AddressClass;
use crate::client::{Answer, Overflow};
use crate::error::{BuildError, SendError};
use crate::exchange;
use crate::policy::Origin;
use crate::pool;
use crate::refusal::Refusal;
use crate::resolve::{JudgedNames, SystemNames};
use crate::rules::Shared;
use crate::target::{Audience, Target, judge, origin_text};
use crate::tls;

/// Most bytes of an answer of our own application: an export page is far below it.
const MAX_LOCAL_RESPONSE_BYTES: usize = 64 * 1024 * 1024;

const USER_AGENT: &str = concat!("calseta/", env!("CARGO_PKG_VERSION"));

/// A client of the running application. Clones share connections.
#[derive(Clone)]
pub struct LocalClient {
    base: Target,
    bearer: Option<HeaderValue>,
    client: reqwest::Client,
}

impl fmt::Debug for LocalClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalClient")
            .field("base", &self.base())
            .finish_non_exhaustive()
    }
}

impl LocalClient {
    /// A client for the application at `base_url` (from `runtime.json`), which must be plain http on a loopback
    /// address; its path is ignored. `bearer` is sent as `Authorization: Bearer …` unless a request brings its own.
    ///
    /// # Errors
    /// [`BuildError::NotLocal`] for any other URL, [`BuildError::Bearer`] for a key with characters that no key has.
    pub fn new<'a>(base_url: &str, bearer: impl Into<Option<&'a str>>) -> Result<Self, BuildError> {
        let base = judge(base_url, Audience::Agent)
            .ok()
            .filter(|base| base.scheme() == "http" && base.class() == Some(AddressClass::Loopback))
            .ok_or_else(|| BuildError::NotLocal(base_url.to_owned()))?;
        let bearer = bearer.into().map(bearer_value).transpose()?;
        let granted = base.grant(Audience::Agent);
        let resolver = JudgedNames {
            origin: Origin::of(&base, &[granted]),
            place: base.place(),
            standing: Shared::default(),
            names: Arc::new(SystemNames::new()),
        };
        let client = pool::build(
            &HeaderValue::from_static(USER_AGENT),
            tls::trusting_nobody()?,
            resolver,
            None,
        )?;
        Ok(Self {
            base,
            bearer,
            client,
        })
    }

    /// The application's `http://host:port`.
    pub fn base(&self) -> String {
        origin_text(self.base.scheme(), self.base.host(), self.base.port())
    }

    /// Sends one request to a path (with its query) of the application, all within `deadline`.
    ///
    /// # Errors
    /// [`SendError::Blocked`] if `path` leads anywhere else; otherwise as [`crate::Client::send`].
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
        deadline: Duration,
    ) -> Result<Answer, SendError> {
        let target = self.inside(path)?;
        exchange::check_headers(&headers)?;
        let exchange = self.exchange(&target, method, headers, body);
        match tokio::time::timeout(deadline, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(SendError::Timeout),
        }
    }

    async fn exchange(
        &self,
        target: &Target,
        method: Method,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, SendError> {
        let started = Instant::now();
        if let (Some(bearer), false) = (&self.bearer, headers.contains_key(AUTHORIZATION)) {
            headers.insert(AUTHORIZATION, bearer.clone());
        }
        let response = exchange::start(&self.client, target, method, headers, body).await?;
        let remote = response.remote_addr();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let limit = MAX_LOCAL_RESPONSE_BYTES;
        let (body, truncated) = exchange::read(response, target, limit, Overflow::Fail).await?;
        Ok(Answer {
            status,
            headers,
            body,
            remote,
            truncated,
            elapsed: started.elapsed(),
        })
    }

    /// The path as a URL of the application. `judge` refuses what parsers read differently, and the comparison the
    /// rest: the path may be a user's.
    fn inside(&self, path: &str) -> Result<Target, Refusal> {
        let base = self.base();
        if !path.starts_with('/') {
            return Err(Refusal::ElsewhereThanBase {
                url: path.to_owned(),
                base,
            });
        }
        let target = judge(&format!("{base}{path}"), Audience::Agent)?;
        let same = target.scheme() == self.base.scheme()
            && target.host() == self.base.host()
            && target.port() == self.base.port();
        if same {
            Ok(target)
        } else {
            Err(Refusal::ElsewhereThanBase {
                url: path.to_owned(),
                base,
            })
        }
    }
}

fn bearer_value(bearer: &str) -> Result<HeaderValue, BuildError> {
    let mut value =
        HeaderValue::from_str(&format!("Bearer {bearer}")).map_err(|_| BuildError::Bearer)?;
    value.set_sensitive(true);
    Ok(value)
}
