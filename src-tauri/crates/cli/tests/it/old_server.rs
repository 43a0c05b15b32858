//! A Calseta v1.1.0 server, as its API shows itself: a real HTTP server over made-up things, which remembers what it
//! was asked. Answers can be replaced, so that it can also be a broken or hostile one.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

/// The admin key of the server.
pub(crate) const KEY: &str = "cai_an-old-key-of-the-old-server-00000000000000";

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, &body.to_string())
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let error = json!({"error": {"code": code, "message": message, "details": {}}});
        Self::json(status, &error)
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// Something instead of the usual answer: the path with its query, and how often it was asked before.
type Instead = dyn Fn(&str, usize) -> Option<Answer> + Send + Sync;

/// The server. Ends with the test's runtime.
pub(crate) struct OldServer {
    pub(crate) base_url: String,
    asked: Arc<Mutex<Vec<String>>>,
    tasks: TaskTracker,
}

impl Drop for OldServer {
    fn drop(&mut self) {
        self.tasks.close();
    }
}

impl OldServer {
    /// A server as it should be.
    pub(crate) async fn start(world: World) -> Self {
        Self::start_with(world, |_, _| None).await
    }

    /// One that answers some things otherwise.
    pub(crate) async fn start_with(
        world: World,
        instead: impl Fn(&str, usize) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (world, instead): (_, Arc<Instead>) = (Arc::new(world), Arc::new(instead));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let tasks = TaskTracker::new();
        let (connections, remembered) = (tasks.clone(), Arc::clone(&asked));
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (world, instead) = (Arc::clone(&world), Arc::clone(&instead));
                let asked = Arc::clone(&remembered);
                let service = service_fn(move |request: Request<Incoming>| {
                    let answer = answer(&request, &world, &*instead, &asked);
                    async move { Ok::<_, Infallible>(answer) }
                });
                connections.spawn(async move {
                    let connection = hyper::server::conn::http1::Builder::new();
                    drop(
                        connection
                            .serve_connection(TokioIo::new(stream), service)
                            .await,
                    );
                });
            }
        });
        Self {
            base_url: format!("http://127.0.0.1:{port}"),
            asked,
            tasks,
        }
    }

    /// What was asked: `METHOD path?query`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic holds it").clone()
    }
}

fn answer(
    request: &Request<Incoming>,
    world: &World,
    instead: &Instead,
    asked: &Mutex<Vec<String>>,
) -> Response<Full<Bytes>> {
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
    let line = format!("{} {path}", request.method());
    let before = {
        let mut asked = asked.lock().expect("no panic holds it");
        let before = asked.iter().filter(|earlier| **earlier == line).count();
        asked.push(line);
        before
    };
    let bearer = request.headers().get(header::AUTHORIZATION);
    let known = bearer.is_some_and(|value| value == &format!("Bearer {KEY}"));
    let answer = if path == "/health" {
        Answer::json(
            200,
            &json!({"status": "ok", "version": "1.1.0", "database": "ok"}),
        )
    } else if !known {
        Answer::error(401, "UNAUTHORIZED", "Invalid API key.")
    } else if request.method() != http::Method::GET {
        Answer::error(500, "INTERNAL_ERROR", "An import only reads.")
    } else {
        instead(path, before).unwrap_or_else(|| world.answer(path))
    };
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).expect("a status");
    for (name, value) in answer.headers {
        let value = HeaderValue::from_str(&value).expect("a header");
        response.headers_mut().insert(name, value);
    }
    response
}

/// What the server holds, by list.
#[derive(Debug, Clone)]
pub(crate) struct World {
    lists: Vec<(&'static str, Vec<Value>)>,
}

impl World {
    /// Lists by path.
    pub(crate) fn of<const N: usize>(lists: [(&'static str, Vec<Value>); N]) -> Self {
        Self {
            lists: lists.into(),
        }
    }

    /// A list of it, to be changed.
    pub(crate) fn list(&mut self, path: &'static str) -> &mut Vec<Value> {
        let known = self.lists.iter().position(|(name, _)| *name == path);
        let at = known.unwrap_or_else(|| {
            self.lists.push((path, Vec::new()));
            self.lists.len() - 1
        });
        &mut self.lists[at].1
    }

    /// The usual answer to a GET.
    fn answer(&self, path: &str) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        if let Some((_, things)) = self.lists.iter().find(|(name, _)| *name == path) {
            return Answer::json(200, &page(path, things, query));
        }
        let (list, uuid) = path.rsplit_once('/').unwrap_or_default();
        let things = self.lists.iter().find(|(name, _)| *name == list);
        let thing = things.and_then(|(_, things)| things.iter().find(|t| t["uuid"] == uuid));
        match thing {
            Some(thing) => Answer::json(200, &json!({"data": thing, "meta": {}})),
            None if list.is_empty() || !path.starts_with("/v1/") => {
                Answer::error(404, "NOT_FOUND", "Not found.")
            }
            // A list that nobody filled.
            None if list == "/v1" => Answer::json(200, &page(path, &[], query)),
            None => Answer::error(404, "NOT_FOUND", "Not found."),
        }
    }
}

/// A page as v1.1.0 cuts it: summaries of alerts and documents lack their long fields.
fn page(path: &str, things: &[Value], query: &str) -> Value {
    let number = |name: &str, default: usize| {
        let found = query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        found.map_or(default, |text| text.parse().expect("a number"))
    };
    let (page, size) = (number("page", 1), number("page_size", 50));
    assert!((1..=500).contains(&size), "v1.1.0 refuses other page sizes");
    let long: &[&str] = match path {
        "/v1/context-documents" => &["content", "targeting_rules"],
        "/v1/alerts" => &["raw_payload", "agent_findings", "malice_override"],
        _ => &[],
    };
    let cut = things
        .iter()
        .skip((page - 1) * size)
        .take(size)
        .map(|thing| {
            let mut thing = thing.clone();
            for name in long {
                thing.as_object_mut().expect("an object").remove(*name);
            }
            thing
        });
    json!({
        "data": cut.collect::<Vec<_>>(),
        "meta": {
            "total": things.len(),
            "page": page,
            "page_size": size,
            "total_pages": things.len().div_ceil(size),
        },
    })
}
