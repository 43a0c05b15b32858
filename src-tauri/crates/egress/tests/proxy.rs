//! A proxy named by the environment is ignored. The environment of a process is read when its first client is made
//! and cannot be changed safely in a threaded one, so this test runs itself again with the variables set.

use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use calseta_egress::{Audience, Client, ClientConfig, LocalClient, Outbound, SendError, judge};
use http::{HeaderMap, Method};

const ROLE: &str = "CALSETA_EGRESS_TEST_ROLE";
const SELF: &str = "a_proxy_of_the_environment_is_ignored";
const PATIENCE: Duration = Duration::from_secs(30);

/// Connections to the listener before our own marker.
fn connects(listener: &TcpListener) -> usize {
    let addr = listener.local_addr().expect("a bound listener");
    let marker = TcpStream::connect(addr).expect("it listens");
    let own = marker.local_addr().expect("a connected socket");
    let mut others = 0;
    while listener.accept().expect("the marker is queued").1 != own {
        others += 1;
    }
    others
}

/// Runs this test in a process whose proxy is the listener.
fn run_as(role: &str, proxy: &TcpListener) {
    let proxy = format!("http://{}", proxy.local_addr().expect("a bound listener"));
    let mut child = Command::new(std::env::current_exe().expect("this test's own binary"));
    child.args(["--exact", SELF, "--nocapture"]).env(ROLE, role);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        child.env(name, &proxy).env(name.to_lowercase(), &proxy);
    }
    // Set by a web server's gateway, it would make libraries ignore HTTP_PROXY by themselves.
    for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        child.env_remove(name);
    }
    let output = child.output().expect("the test runs again");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{role}: {said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("1 passed"), "{role} ran: {said}");
}

#[test]
fn a_proxy_of_the_environment_is_ignored() {
    let role = std::env::var_os(ROLE);
    match role.as_ref().and_then(|role| role.to_str()) {
        Some("egress") => block_on(through_egress()),
        Some("careless") => block_on(through_a_careless_client()),
        _ => {
            let proxy = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
            run_as("careless", &proxy);
            assert!(connects(&proxy) > 0, "the control goes through the proxy");
            run_as("egress", &proxy);
            assert_eq!(connects(&proxy), 0);
        }
    }
}

fn block_on(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(work);
}

/// A port nobody listens on: a direct request is refused at once, one through a proxy is not.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
    listener.local_addr().expect("a bound listener").port()
}

async fn through_egress() {
    let config = ClientConfig {
        user_agent: "test".to_owned(),
        own_ports: Vec::new(),
    };
    let client = Client::new(config).expect("the client can be built");
    let port = closed_port();
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
    ] {
        let grant = judge(&url, Audience::Agent)
            .expect("a usable URL")
            .grant(Audience::Agent);
        let mut request = Outbound::new(Audience::Agent, Method::GET, url);
        request.grants = vec![grant];
        request.deadline = PATIENCE;
        let outcome = client.send(request).await;
        assert!(matches!(outcome, Err(SendError::Connect(_))), "{outcome:?}");
    }
    let local = LocalClient::new(&format!("http://127.0.0.1:{port}"), None).expect("loopback");
    let (headers, body) = (HeaderMap::new(), bytes::Bytes::new());
    let outcome = local
        .request(Method::GET, "/", headers, body, PATIENCE)
        .await;
    assert!(matches!(outcome, Err(SendError::Connect(_))), "{outcome:?}");
}

async fn through_a_careless_client() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let patience = Duration::from_secs(2);
    let client = reqwest::Client::builder()
        .timeout(patience)
        .build()
        .expect("a client");
    let sent = client
        .get(format!("http://127.0.0.1:{}/", closed_port()))
        .send()
        .await;
    sent.expect_err("the proxy does not answer");
}
