//! Host and Origin: a page in the analyst's browser can reach this address, under any name it
//! likes. Every combination is refused on every route, before the key and before the body is read.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use axum::Router;
use calseta_tests::backend::background;
use calseta_tests::goals;
use calseta_tests::raw::{self, Answer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::routes::{NOBODY, ROUTES};
use crate::world::World;

/// Requests at once.
const AT_ONCE: usize = 32;
/// A body that is declared and never sent: whoever waits for it does not answer in time.
const NEVER_SENT: usize = 4_000_000;
/// Paths and methods that no router names.
const UNROUTED: &[(&str, &str)] = &[
    ("GET", "/"),
    ("GET", "/index.html"),
    ("GET", "/nope"),
    ("GET", "/v1/nope"),
    ("POST", "/v1/nope"),
    ("POST", "/mcp"),
    ("GET", "/ui/nope"),
    ("POST", "/ui/session/x"),
    ("DELETE", "/v1/alerts"),
    ("HEAD", "/v1/alerts"),
    ("OPTIONS", "/v1/alerts"),
    ("OPTIONS", "/v1/ingest/generic"),
    ("TRACE", "/v1/alerts"),
];

/// One way of asking, and what must be answered.
#[derive(Debug, Clone)]
struct Form {
    hosts: Vec<String>,
    origins: Vec<String>,
    /// Put before the path: an absolute request target.
    target: String,
    expected: u16,
}

fn host(hosts: &[&str], expected: u16) -> Form {
    Form {
        hosts: hosts.iter().map(|&h| h.to_owned()).collect(),
        origins: Vec::new(),
        target: String::new(),
        expected,
    }
}

fn foreign_hosts(port: u16) -> Vec<Form> {
    let names = [
        "evil.test",
        "0.0.0.0",
        "localhost.",
        "LOCALHOST",
        "LocalHost",
        "127.0.0.1.evil.test",
        "localhost.evil.test",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:0:0:1]",
        "127.0.0.2",
        "a@127.0.0.1",
        "ip6-localhost",
        "localhost.localdomain",
        "10.0.0.1",
    ];
    let named = names.map(|name| host(&[&format!("{name}:{port}")], 403));
    let other = port ^ 1;
    let bare = [
        "evil.test".to_owned(),
        "127.0.0.1".to_owned(),
        "localhost".to_owned(),
        "[::1]".to_owned(),
        "127.0.0.1:80".to_owned(),
        format!("127.0.0.1:{other}"),
        format!("localhost:{other}"),
        format!("127.0.0.1:0{port}"),
    ];
    let bare = bare.map(|name| host(&[&name], 403));
    named.into_iter().chain(bare).collect()
}

fn malformed_hosts(port: u16) -> Vec<Form> {
    let own = format!("127.0.0.1:{port}");
    let broken = [
        "bad host".to_owned(),
        String::new(),
        format!("{own}, evil.test"),
        format!("{own}/"),
        format!("http://{own}"),
        "[::1".to_owned(),
        format!("{own}#a"),
    ];
    let mut all: Vec<Form> = broken.iter().map(|name| host(&[name], 400)).collect();
    all.push(host(&[], 400));
    all.push(host(&[&own, &own], 400));
    all.push(host(&[&own, "evil.test"], 400));
    all.push(host(&["evil.test", &own], 400));
    all
}

fn foreign_origins(port: u16) -> Vec<Form> {
    let own = format!("127.0.0.1:{port}");
    let one = [
        "null".to_owned(),
        String::new(),
        "http://evil.test".to_owned(),
        "file://".to_owned(),
        "chrome-extension://abcdef".to_owned(),
        // Without a served UI even the own origin is nobody's.
        format!("http://{own}"),
        format!("https://{own}"),
        format!("http://localhost:{port}"),
        format!("http://{own}.evil.test"),
        format!("HTTP://{own}"),
    ];
    let origins = one.iter().map(|origin| vec![origin.clone()]);
    let twice = vec![format!("http://{own}"), "http://evil.test".to_owned()];
    let form = |origins| Form {
        origins,
        ..host(&[&own], 403)
    };
    origins.chain([twice]).map(form).collect()
}

fn absolute_targets(port: u16) -> Vec<Form> {
    let own = format!("127.0.0.1:{port}");
    let form = |host_name: &str, target: &str| Form {
        target: target.to_owned(),
        ..host(&[host_name], 403)
    };
    vec![
        form(&own, "http://evil.test"),
        form(&own, &format!("http://evil.test:{port}")),
        form(&own, &format!("http://a@{own}")),
        form("evil.test", &format!("http://{own}")),
        form("evil.test", "http://evil.test"),
    ]
}

fn forms(port: u16) -> Vec<Form> {
    let all = [
        foreign_hosts(port),
        malformed_hosts(port),
        foreign_origins(port),
        absolute_targets(port),
    ];
    all.concat()
}

fn targets() -> Vec<(String, String)> {
    let routed = ROUTES.iter().map(|r| (r.method.to_owned(), r.at(NOBODY)));
    let other = UNROUTED
        .iter()
        .map(|(m, p)| ((*m).to_owned(), (*p).to_owned()));
    routed.chain(other).collect()
}

/// What is wrong with an answer to a request that must be refused.
fn wrong(answer: &Answer, expected: u16, method: &str) -> Option<String> {
    if let Some(found) = loose_header(answer) {
        return Some(found);
    }
    if answer.status != expected {
        return Some(format!("answered {} {}", answer.status, answer.code()));
    }
    let code = answer.code();
    let allowed: &[&str] = match expected {
        400 => &["INVALID_HOST"],
        _ => &["FORBIDDEN", "ORIGIN_REFUSED"],
    };
    (method != "HEAD" && !allowed.contains(&code.as_str())).then(|| format!("its code is {code:?}"))
}

/// A header that lets a browser's page read answers, or that a browser would send back.
fn loose_header(answer: &Answer) -> Option<String> {
    let loose = |name: &str| name.starts_with("access-control-") || name == "set-cookie";
    let found = answer.headers.iter().find(|(name, _)| loose(name));
    found.map(|(name, value)| format!("it says {name}: {value}"))
}

async fn ask(
    to: SocketAddr,
    form: Form,
    method: String,
    path: String,
    key: Option<String>,
) -> Option<String> {
    let mut headers: Vec<String> = form.hosts.iter().map(|h| format!("Host: {h}")).collect();
    headers.extend(
        form.origins
            .iter()
            .map(|origin| format!("Origin: {origin}")),
    );
    headers.extend(key.map(|key| format!("Authorization: Bearer {key}")));
    if method == "OPTIONS" {
        headers.push("Access-Control-Request-Method: POST".to_owned());
    }
    if matches!(method.as_str(), "POST" | "PATCH" | "PUT") {
        headers.push("Content-Type: application/json".to_owned());
        headers.push(format!("Content-Length: {NEVER_SENT}"));
    }
    let target = format!("{}{path}", form.target);
    let bytes = raw::request(&method, &target, &headers, &[]);
    let found = match raw::send(to, &bytes).await {
        Ok(answer) => wrong(&answer, form.expected, &method),
        Err(error) => Some(error.to_string()),
    };
    found.map(|what| {
        format!(
            "{method} {target} {:?} {:?}: {what}",
            form.hosts, form.origins
        )
    })
}

/// Every form on every target, half of them with a good key; what was wrong.
async fn violations(to: SocketAddr, key: &str, every: usize) -> Vec<String> {
    let (mut running, mut found) = (JoinSet::new(), Vec::new());
    let all = forms(to.port());
    for (n, (method, path)) in targets().into_iter().enumerate().step_by(every) {
        for (m, form) in all.iter().enumerate() {
            let key = ((n + m) % 2 == 0).then(|| key.to_owned());
            if running.len() >= AT_ONCE {
                found.extend(running.join_next().await.and_then(Result::ok).flatten());
            }
            running.spawn(ask(to, form.clone(), method.clone(), path.clone(), key));
        }
    }
    while let Some(done) = running.join_next().await {
        found.extend(done.expect("a request does not panic"));
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_host_or_origin_is_refused_on_every_route() -> Result<()> {
    let world = World::start().await?;
    let newest = "/v1/events?after=0&wait_seconds=0";
    let before = world.backend.get(newest).await?["next_after"].clone();
    let to = world.backend.address();
    let count = forms(to.port()).len();
    assert!(count >= 40, "only {count} combinations");
    let found = violations(to, world.backend.admin(), 1).await;
    goals::shown(
        "S1",
        format!(
            "{count} Host and Origin forms on {} targets",
            targets().len()
        ),
        format!("{} let through", found.len()),
        "0",
    );
    assert!(
        found.is_empty(),
        "{} wrong:\n{}",
        found.len(),
        found[..found.len().min(20)].join("\n")
    );
    let after = world.backend.get(newest).await?["next_after"].clone();
    assert_eq!(before, after, "a refused request changed something");
    world.is_unharmed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_guard_every_combination_would_be_reported() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let to = listener.local_addr()?;
    let open = Router::new().fallback(|| async { "{}" });
    background(async move { drop(axum::serve(listener, open).await) });
    let every = 12;
    let asked = forms(to.port()).len() * targets().len().div_ceil(every);
    let found = violations(to, "cai_none", every).await;
    assert_eq!(found.len(), asked, "an open server must fail every check");
    goals::control(
        "S1",
        format!("an open server let {asked} of {asked} through"),
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_names_are_served_and_no_answer_opens_them_to_pages() -> Result<()> {
    let world = World::start().await?;
    let to = world.backend.address();
    for name in ["127.0.0.1", "localhost", "[::1]"] {
        let headers = [format!("Host: {name}:{}", to.port())];
        let answer = raw::send(to, &raw::request("GET", "/health", &headers, &[])).await?;
        ensure!(answer.status == 200, "{name}: {}", answer.status);
        let absolute = format!("http://{name}:{}/health", to.port());
        let answer = raw::send(to, &raw::request("GET", &absolute, &headers, &[])).await?;
        ensure!(answer.status == 200, "{absolute}: {}", answer.status);
    }
    let key = world.backend.admin();
    for (method, path) in targets() {
        for method in [method.as_str(), "OPTIONS"] {
            let headers = raw::usual(to, key);
            let answer = raw::send(to, &raw::request(method, &path, &headers, &[])).await?;
            if let Some(found) = loose_header(&answer) {
                anyhow::bail!("{method} {path}: {found}");
            }
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("cache-control", "no-store"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                ensure!(
                    answer.header(name) == Some(value),
                    "{method} {path}: no {name}"
                );
            }
        }
    }
    goals::shown(
        "S2",
        format!("{} targets, and a preflight for each", targets().len()),
        "no cookie, no Access-Control header",
        "0",
    );
    Ok(())
}
