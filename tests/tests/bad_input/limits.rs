//! Bodies that are too deep, too large, or of another kind than JSON.

use anyhow::{Result, ensure};
use calseta_tests::goals;
use calseta_tests::raw::{self, Answer};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::routes::{NOBODY, ROUTES};
use crate::world::World;

/// Levels of the deepest body.
const MILLION: usize = 1_000_000;
/// The deepest nesting that is accepted, from the API's description.
const MAX_DEPTH: usize = 64;
const MIB: usize = 1024 * 1024;

fn nested(levels: usize) -> String {
    "[".repeat(levels) + &"]".repeat(levels)
}

async fn post(world: &World, method: &str, path: &str, body: &[u8]) -> Result<Answer> {
    let to = world.backend.address();
    let headers = raw::usual(to, world.backend.admin());
    raw::send(to, &raw::request(method, path, &headers, body)).await
}

fn expect(answer: &Answer, status: u16, code: &str, what: &str) -> Result<()> {
    ensure!(
        answer.status == status && answer.code() == code,
        "{what}: {} {}",
        answer.status,
        String::from_utf8_lossy(&answer.body[..answer.body.len().min(300)])
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_levels_are_refused_on_every_route() -> Result<()> {
    let world = World::start().await?;
    let whole = nested(MILLION);
    let unclosed = "[".repeat(MILLION);
    let objects = r#"{"a":"#.repeat(MILLION / 2);
    for route in ROUTES.iter().filter(|route| !route.body.is_empty()) {
        let path = route.at(NOBODY);
        for body in [&whole, &unclosed, &objects] {
            let answer = post(&world, route.method, &path, body.as_bytes()).await?;
            expect(&answer, 422, "PAYLOAD_TOO_DEEP", &path)?;
        }
    }
    let deep = nested(MILLION);
    let inside = [
        (
            "/v1/alerts",
            format!(r#"{{"source_name":"generic","payload":{{"title":"t","a":{deep}}}}}"#),
        ),
        (
            "/v1/alerts",
            format!(r#"{{"payload":{deep},"source_name":"generic"}}"#),
        ),
        (
            "/v1/ingest/generic",
            format!(r#"{{"title":"t","a":{deep}}}"#),
        ),
    ];
    for (path, body) in inside {
        let answer = post(&world, "POST", path, body.as_bytes()).await?;
        expect(&answer, 422, "PAYLOAD_TOO_DEEP", path)?;
    }
    let routes = ROUTES.iter().filter(|route| !route.body.is_empty()).count();
    goals::shown(
        "S6",
        format!("a million levels on {routes} routes, inside payloads too"),
        "all 422",
        "all",
    );
    world.is_unharmed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_depth_limit_is_where_it_is_said_to_be() -> Result<()> {
    let world = World::start().await?;
    for (path, around) in [("/v1/ingest/generic", 1), ("/v1/alerts", 2)] {
        for (levels, status) in [(MAX_DEPTH - around, 202), (MAX_DEPTH - around + 1, 422)] {
            let payload = format!(r#"{{"title":"depth {levels}","a":{}}}"#, nested(levels));
            let body = match around {
                1 => payload,
                _ => format!(r#"{{"source_name":"generic","payload":{payload}}}"#),
            };
            let answer = post(&world, "POST", path, body.as_bytes()).await?;
            ensure!(
                answer.status == status,
                "{path} {levels}: {}",
                answer.status
            );
        }
    }
    world.is_unharmed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_over_the_limit_is_413_whether_declared_or_not() -> Result<()> {
    let world = World::start().await?;
    let to = world.backend.address();
    for route in ROUTES.iter().filter(|route| !route.body.is_empty()) {
        let path = route.at(NOBODY);
        let ingest = path.starts_with("/v1/ingest") || (path == "/v1/alerts");
        let limit = if ingest { 5 * MIB } else { 10 * MIB };
        // Declared and never sent: the answer comes without waiting for it.
        let mut headers = raw::usual(to, world.backend.admin());
        headers.push(format!("Content-Length: {}", limit + 1));
        let answer = raw::send(to, &raw::request(route.method, &path, &headers, &[])).await?;
        expect(&answer, 413, "PAYLOAD_TOO_LARGE", &path)?;
        ensure!(
            answer.json()["error"]["details"]["max_bytes"] == limit,
            "{path}"
        );
    }
    for (path, limit) in [("/v1/ingest/generic", 5 * MIB), ("/v1/agents", 10 * MIB)] {
        let answer = chunked(&world, path, limit + 1).await?;
        expect(&answer, 413, "PAYLOAD_TOO_LARGE", path)?;
    }
    let text = "x".repeat(MIB);
    let body = format!(r#"{{"source_name":"generic","payload":{{"title":"{text}"}}}}"#);
    let answer = post(&world, "POST", "/v1/alerts", body.as_bytes()).await?;
    expect(&answer, 413, "PAYLOAD_TOO_LARGE", "a payload over 1 MB")?;
    goals::shown(
        "S6",
        "bodies over the limit, declared or in chunks, on every route",
        "all 413 while they arrive",
        "all",
    );
    world.is_unharmed().await
}

/// Sends a body of this size in chunks, without saying how long it is.
async fn chunked(world: &World, path: &str, size: usize) -> Result<Answer> {
    let to = world.backend.address();
    let mut head = raw::usual(to, world.backend.admin());
    head.push("Transfer-Encoding: chunked".to_owned());
    let head = raw::request("POST", path, &head, &[]);
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(&head).await?;
    let (mut answer_half, mut body_half) = stream.into_split();
    let sending = async move {
        let chunk = vec![b' '; 64 * 1024];
        for _ in 0..=size / chunk.len() {
            let framed = [b"10000\r\n", chunk.as_slice(), b"\r\n"].concat();
            if body_half.write_all(&framed).await.is_err() {
                break;
            }
        }
        body_half
    };
    let (answer, _kept_open) = tokio::join!(raw::read(&mut answer_half), sending);
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_plain_json_is_taken() -> Result<()> {
    let world = World::start().await?;
    let to = world.backend.address();
    let key = format!("Authorization: Bearer {}", world.backend.admin());
    for route in ROUTES.iter().filter(|route| !route.body.is_empty()) {
        let path = route.at(NOBODY);
        let base = [format!("Host: {to}"), key.clone()];
        let other = [
            None,
            Some("Content-Type: text/plain"),
            Some("Content-Type: application/x-www-form-urlencoded"),
            Some("Content-Type: multipart/form-data; boundary=x"),
            Some("Content-Type: text/json"),
            Some("Content-Type: application/jsonp"),
            Some("Content-Type: "),
        ];
        for line in other {
            // The one route that takes a file.
            let is_form = line.is_some_and(|line| line.contains("multipart/form-data"));
            if is_form && (route.method, route.path) == ("POST", "/v1/context-documents") {
                continue;
            }
            let headers: Vec<_> = base
                .iter()
                .cloned()
                .chain(line.map(str::to_owned))
                .collect();
            let request = raw::request(route.method, &path, &headers, route.body.as_bytes());
            let answer = raw::send(to, &request).await?;
            expect(
                &answer,
                415,
                "UNSUPPORTED_MEDIA_TYPE",
                &format!("{path} {line:?}"),
            )?;
        }
        for encoding in ["gzip", "br", "deflate", "zstd", "identity"] {
            let mut headers = raw::usual(to, world.backend.admin());
            headers.push(format!("Content-Encoding: {encoding}"));
            let request = raw::request(route.method, &path, &headers, route.body.as_bytes());
            let answer = raw::send(to, &request).await?;
            expect(
                &answer,
                415,
                "UNSUPPORTED_MEDIA_TYPE",
                &format!("{path} {encoding}"),
            )?;
        }
    }
    for kind in [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
    ] {
        let headers = [
            format!("Host: {to}"),
            key.clone(),
            format!("Content-Type: {kind}"),
        ];
        let body = format!(r#"{{"title":"sent as {kind}"}}"#);
        let request = raw::request("POST", "/v1/ingest/generic", &headers, body.as_bytes());
        ensure!(
            raw::send(to, &request).await?.status == 202,
            "{kind} is JSON"
        );
    }
    let what = "forms, text, no type and 5 content encodings on every route";
    goals::shown("S2", what, "all 415", "all");
    world.is_unharmed().await
}
