//! Forbidden addresses, in a network of its own where every one of them exists and listens: the
//! product must not connect to any, however it is asked, while another client does.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::{Backend, BackendOptions, background, wait_for};
use calseta_tests::{goals, namespace};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::names::{self, Names};

/// Where the canaries listen, on every address of the network.
const PORT: u16 = 9091;
/// An address of the open internet, which may be reached over https.
const PUBLIC: &str = "93.184.216.34";
/// An address that only a grant opens.
const PRIVATE: &str = "10.9.8.7";
/// Every class that is never reached, or not without a grant; all are given to the loopback
/// interface of the test's own network.
const FORBIDDEN: &[&str] = &[
    "169.254.169.254",
    "169.254.10.1",
    "100.100.100.200",
    "100.64.0.1",
    PRIVATE,
    "172.16.5.5",
    "192.168.77.1",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "240.0.0.1",
    "fd00:ec2::254",
    "fc00::1",
    "fe80::77",
    "64:ff9b::a09:807",
    "2002:a09:807::1",
    "2001::1",
    "2001:db8::1",
    "100::1",
    "5f00::1",
];
/// Other ways to write some of them, and names that lead there.
const SPELLINGS: &[&str] = &[
    "0.0.0.0",
    "[::]",
    "[::ffff:169.254.169.254]",
    "[::ffff:10.9.8.7]",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "10.591879",
    "metadata.google.internal",
    "forbidden.test",
    "private.test",
    "mixed.test",
];

/// Counts connections by the address they came to.
type Canaries = Arc<Mutex<BTreeMap<IpAddr, usize>>>;

async fn listen() -> Result<Canaries> {
    let canaries = Canaries::default();
    // Of both versions: the fourth's come as mapped addresses.
    let socket = TcpListener::bind(("::", PORT)).await?;
    let counts = Arc::clone(&canaries);
    background(async move {
        while let Ok((stream, _)) = socket.accept().await {
            if let Ok(here) = stream.local_addr() {
                let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
                *counts.entry(here.ip().to_canonical()).or_default() += 1;
            }
        }
    });
    Ok(canaries)
}

/// What came, and starts counting anew.
fn came(canaries: &Canaries) -> BTreeMap<IpAddr, usize> {
    std::mem::take(&mut *canaries.lock().unwrap_or_else(PoisonError::into_inner))
}

fn prepare() -> String {
    let give = |address: &&str| {
        // Without the wait in which nobody may use an address that another could have.
        let length = if address.contains(':') {
            "128 nodad"
        } else {
            "32"
        };
        let (length, how) = length.split_once(' ').unwrap_or((length, ""));
        format!("ip addr add {address}/{length} dev lo {how}\n")
    };
    let addresses: String = FORBIDDEN.iter().chain(&[PUBLIC]).map(give).collect();
    addresses + &names::prepare()
}

fn urls() -> Vec<String> {
    let literal = |address: &&str| {
        if address.contains(':') {
            format!("[{address}]")
        } else {
            (*address).to_owned()
        }
    };
    let hosts = FORBIDDEN
        .iter()
        .map(literal)
        .chain(SPELLINGS.iter().map(|s| (*s).to_owned()));
    let both =
        |host: String| ["http", "https"].map(|scheme| format!("{scheme}://{host}:{PORT}/hook"));
    hosts.flat_map(both).collect()
}

/// Registers an agent at a URL, in each way that a person has; probes it and sends it a test. How
/// often it was refused.
async fn ask(backend: &Backend, url: &str) -> Result<usize> {
    let (mut refused, admin) = (0, backend.admin());
    for allow_private in [false, true] {
        let request = json!({
            "name": url, "webhook_url": url, "trigger_filter": {}, "timeout_seconds": 3,
            "allow_private": allow_private && !url.contains(PRIVATE) && !is_grantable(url),
        });
        let (status, body) = backend
            .call(admin, Method::POST, "/v1/agents", Some(&request))
            .await?;
        if status != 201 {
            ensure!((400..500).contains(&status), "{url}: {status} {body}");
            refused += 1;
            continue;
        }
        let uuid = body["data"]["uuid"].as_str().context("a uuid")?;
        for verb in ["probe", "test", "enable"] {
            let path = format!("/v1/agents/{uuid}/{verb}");
            let (status, _) = backend
                .call(admin, Method::POST, &path, Some(&json!({})))
                .await?;
            ensure!(status < 500, "{path} of {url}: {status}");
        }
    }
    Ok(refused)
}

/// Whether a human's `allow_private` would open it: those may then be reached, and are asked
/// without.
fn is_grantable(url: &str) -> bool {
    [
        "172.16.",
        "192.168.",
        "100.64.",
        "[fc00",
        "private.test",
        "mixed.test",
        "10.591879",
        "ffff:10.",
    ]
    .iter()
    .any(|private| url.contains(private))
}

/// A link-local address is one of an interface; the test's own network has only the first.
fn on_loopback(address: IpAddr) -> SocketAddr {
    match address {
        IpAddr::V6(six) if six.is_unicast_link_local() => SocketAddrV6::new(six, PORT, 0, 1).into(),
        other => SocketAddr::new(other, PORT),
    }
}

/// However it is written: an agent at our own port is not registered, or never reached.
async fn own_port_is_refused(backend: &Backend) -> Result<()> {
    let port = backend.address().port();
    for host in ["localhost", "127.0.0.1", "127.1", "[::1]", "0x7f000001"] {
        let url = format!("http://{host}:{port}/health");
        let request = json!({"name": host, "webhook_url": url, "trigger_filter": {}});
        let admin = backend.admin();
        let (status, body) = backend
            .call(admin, Method::POST, "/v1/agents", Some(&request))
            .await?;
        if status != 201 {
            continue;
        }
        let uuid = body["data"]["uuid"].as_str().context("a uuid")?;
        let path = format!("/v1/agents/{uuid}/probe");
        let probed = backend.post(&path, &json!({})).await?;
        ensure!(probed["reachable"] == false, "{url} was reached: {probed}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_address_gets_no_connection() -> Result<()> {
    if !namespace::is_inside() {
        let own = "addresses::a_forbidden_address_gets_no_connection";
        return namespace::again(own, &prepare());
    }
    let names = Names::start().await?;
    names.tell("forbidden.test", &["169.254.169.254"]);
    names.tell("metadata.google.internal", &["169.254.169.254"]);
    names.tell("private.test", &[PRIVATE]);
    names.tell("mixed.test", &[PRIVATE, "169.254.169.254"]);
    let canaries = listen().await?;
    // Before anything else: a client that judges nothing reaches every one of them.
    for address in FORBIDDEN {
        drop(TcpStream::connect(on_loopback(address.parse()?)).await);
    }
    wait_for("the control's connections", || async {
        let seen = canaries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len();
        Ok((seen == FORBIDDEN.len()).then_some(()))
    })
    .await?;
    let control = came(&canaries).len();
    goals::control(
        "S10",
        format!("an ordinary client reached all {control} addresses"),
    );
    let files = tempfile::tempdir()?;
    let proxy = format!("http://127.0.0.1:{PORT}");
    let mut options = BackendOptions::new(files.path());
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
    ] {
        options.environment.push((name.to_owned(), proxy.clone()));
    }
    let backend = Backend::start(&options).await?;
    let urls = urls();
    let mut refused = 0;
    for url in &urls {
        refused += ask(&backend, url).await?;
    }
    backend
        .post(
            "/v1/ingest/generic",
            &json!({"title": "for all", "severity": "High"}),
        )
        .await?;
    own_port_is_refused(&backend).await?;
    let reached = came(&canaries);
    goals::shown(
        "S10",
        format!("{} URLs × 2 agents, a proxy in the environment", urls.len()),
        format!("{refused} refused at once, {} connections", reached.len()),
        "0 connections",
    );
    ensure!(
        reached.is_empty(),
        "forbidden addresses were connected to: {reached:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_changes_its_address_gets_no_connection() -> Result<()> {
    if !namespace::is_inside() {
        let own = "addresses::a_name_that_changes_its_address_gets_no_connection";
        return namespace::again(own, &prepare());
    }
    let names = Names::start().await?;
    names.alternate("rebind.test", [PUBLIC, PRIVATE]);
    let canaries = listen().await?;
    let files = tempfile::tempdir()?;
    let backend = Backend::fresh(files.path()).await?;
    let request = json!({
        "name": "rebind", "webhook_url": format!("https://rebind.test:{PORT}/hook"),
        "trigger_filter": {}, "timeout_seconds": 2,
    });
    let agent = backend.post("/v1/agents", &request).await?;
    let path = format!(
        "/v1/agents/{}/probe",
        agent["uuid"].as_str().context("a uuid")?
    );
    let tries = goals::many(60, 1000);
    for _ in 0..tries {
        let answer: Value = backend.post(&path, &json!({})).await?;
        ensure!(
            answer["reachable"] == false,
            "nothing there speaks TLS: {answer}"
        );
    }
    let mut reached = came(&canaries);
    let public = reached.remove(&PUBLIC.parse()?).unwrap_or(0);
    goals::shown(
        "S10",
        format!(
            "{tries} probes of a name that alternates, {} questions",
            names.asked()
        ),
        format!(
            "{public} connections to the public address, {} to others",
            reached.len()
        ),
        "0 to others",
    );
    ensure!(
        public > 0,
        "the public address was never tried: the test shows nothing"
    );
    ensure!(
        reached.is_empty(),
        "a rebound name was connected to: {reached:?}"
    );
    Ok(())
}
