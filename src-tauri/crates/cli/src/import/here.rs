//! Our side: the running app, spoken to with its control token.

use bytes::Bytes;
use calseta_egress::LocalClient;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;

use super::there::{PAGE_SIZE, quoted};
use crate::failure::Failure;
use crate::running::CALL_DEADLINE;

/// Pages of our own lists: far above what anybody keeps.
const MAX_PAGES: usize = 1_000;

/// Our API.
pub(super) struct Here {
    client: LocalClient,
}

/// What it answered.
pub(super) struct Reply {
    status: u16,
    body: Bytes,
    /// Whether this is the first answer to the same request, given again.
    pub(super) is_replay: bool,
}

/// Why something was refused.
pub(super) struct Refused {
    /// The API's code.
    pub(super) code: String,
    /// In words, with the fields it is about.
    pub(super) why: String,
}

impl Reply {
    /// The answer's `data`, or the refusal.
    pub(super) fn data(&self) -> Result<Value, Refused> {
        let mut body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        if (200..300).contains(&self.status) {
            return Ok(body["data"].take());
        }
        let error = &body["error"];
        let fields = error["details"]["errors"].as_array();
        let fields = fields.into_iter().flatten().map(|field| {
            let text = |name: &str| field[name].as_str().unwrap_or_default();
            format!("{} {}", text("path"), text("message"))
        });
        let fields: Vec<String> = fields.collect();
        let message = error["message"].as_str().unwrap_or("no reason given");
        let why = if fields.is_empty() {
            message.to_owned()
        } else {
            fields.join("; ")
        };
        Err(Refused {
            code: error["code"].as_str().unwrap_or_default().to_owned(),
            why: format!("refused here ({}): {}", self.status, quoted(&why)),
        })
    }
}

impl Here {
    pub(super) fn new(client: LocalClient) -> Self {
        Self { client }
    }

    /// One call. With `once`, a repetition gets the first answer again.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        once: Option<&str>,
    ) -> Result<Reply, Failure> {
        let mut headers = HeaderMap::new();
        if body.is_some() {
            let json = HeaderValue::from_static("application/json");
            headers.insert(header::CONTENT_TYPE, json);
        }
        if let Some(value) = once.and_then(|once| HeaderValue::from_str(once).ok()) {
            headers.insert("idempotency-key", value);
        }
        let body = Bytes::from(body.unwrap_or_default());
        let answer = self
            .client
            .request(method, path, headers, body, CALL_DEADLINE);
        let answer = answer
            .await
            .map_err(|error| Failure::failed(format!("the console: {error}")))?;
        let is_replay = answer.headers.contains_key("idempotent-replayed");
        Ok(Reply {
            status: answer.status,
            body: answer.body,
            is_replay,
        })
    }

    /// POST of a thing.
    pub(super) async fn create(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<Result<Value, Refused>, Failure> {
        let body = Some(body.to_string());
        Ok(self.call(Method::POST, path, body, None).await?.data())
    }

    /// A whole list of ours.
    pub(super) async fn list(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let mut all = Vec::new();
        for page in 1..=MAX_PAGES {
            let url = format!("{path}?page={page}&page_size={PAGE_SIZE}");
            let data = self.call(Method::GET, &url, None, None).await?.data();
            let data = data.map_err(|no| Failure::failed(format!("GET {path} {}", no.why)))?;
            let Value::Array(data) = data else {
                return Err(Failure::failed(format!("GET {path}: no list here")));
            };
            let count = data.len();
            all.extend(data);
            if count < PAGE_SIZE {
                break;
            }
        }
        Ok(all)
    }
}
