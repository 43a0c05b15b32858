//! What must not be connected to, counted at the listener, each with the control that does connect.

use std::time::Duration;

use calseta_egress::{
    AddressClass, Audience, Client, ClientConfig, Grant, Refusal, SendError, judge,
};

use tokio::task::JoinSet;

use crate::peer::{Canary, Peer, bare, careless, client, config, grant, granted, respond};

const AUDIENCES: [Audience; 3] = [Audience::Agent, Audience::Provider, Audience::Workflow];

/// Spellings of this machine, with `PORT` for the canary's.
const SPELLINGS: &[&str] = &[
    "http://127.0.0.1:PORT/",
    "http://127.1:PORT/",
    "http://2130706433:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7f.0x0.0x0.0x1:PORT/",
    "http://017700000001:PORT/",
    "http://0177.0.0.01:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://127.0.0.2:PORT/",
    "http://%31%32%37.0.0.1:PORT/",
    "http://127。0。0。1:PORT/",
    "http://[::1]:PORT/",
    "http://[0::1]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[64:ff9b::7f00:1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "http://localhost:PORT/",
    "http://LocalHost:PORT/",
    "http://localhost.:PORT/",
    "http://agent.localhost:PORT/",
    "http://0.0.0.0:PORT/",
    "http://0:PORT/",
    "http://[::]:PORT/",
    "http://[::ffff:0.0.0.0]:PORT/",
    "http://user:pw@127.0.0.1:PORT/",
    "http://example.com@127.0.0.1:PORT/",
    "http://127.0.0.1\\@example.com:PORT/",
    "http:127.0.0.1:PORT/",
    "https://127.0.0.1:PORT/",
    "https://localhost:PORT/",
    "https://[::1]:PORT/",
    "ftp://127.0.0.1:PORT/",
    "ws://127.0.0.1:PORT/",
];

/// A canary that hears every spelling: both families on one port, where the machine has both.
struct Everywhere(Canary, Option<Canary>);

impl Everywhere {
    fn new() -> Self {
        if std::net::TcpListener::bind("[::1]:0").is_err() {
            return Self(Canary::new(), None);
        }
        // The same port may be taken on the other address: try until a pair is free.
        for _ in 0..64 {
            let four = Canary::new();
            if let Some(six) = Canary::try_at(&format!("[::1]:{}", four.port())) {
                return Self(four, Some(six));
            }
        }
        panic!("no port is free on both loopback addresses");
    }

    fn port(&self) -> u16 {
        self.0.port()
    }

    fn connects(&self) -> usize {
        self.0.connects() + self.1.as_ref().map_or(0, Canary::connects)
    }
}

fn spelled(port: u16) -> impl Iterator<Item = String> {
    SPELLINGS
        .iter()
        .map(move |url| url.replace("PORT", &port.to_string()))
}

#[tokio::test]
async fn without_a_grant_no_spelling_of_loopback_is_connected_to() {
    let canary = Everywhere::new();
    let client = client();
    for audience in AUDIENCES {
        for url in spelled(canary.port()) {
            let outcome = client.send(bare(audience, &url)).await;
            assert!(
                matches!(outcome, Err(SendError::Blocked(_))),
                "{url}: {outcome:?}"
            );
        }
    }
    assert_eq!(canary.connects(), 0);
}

#[tokio::test]
async fn control_a_careless_client_connects_to_most_spellings() {
    let canary = Everywhere::new();
    let careless = careless().timeout(Duration::from_secs(2)).build().unwrap();
    let mut sends = JoinSet::new();
    for url in spelled(canary.port()) {
        sends.spawn(careless.get(&url).send());
    }
    // The canary never answers: all of them end with an error, and only the connects count.
    assert!(sends.join_all().await.iter().all(Result::is_err));
    let connected = canary.connects();
    assert!(
        connected >= 20,
        "only {connected} spellings reach the canary: the test shows little"
    );
}

#[tokio::test]
async fn a_grant_for_anything_else_does_not_open_this() {
    let canary = Canary::new();
    let url = format!("http://{}/", canary.addr());
    let right = grant(Audience::Agent, &url);
    let wrong = [
        Grant {
            port: right.port ^ 1,
            ..right.clone()
        },
        Grant {
            scheme: "https".to_owned(),
            ..right.clone()
        },
        Grant {
            host: "localhost".to_owned(),
            ..right.clone()
        },
        Grant {
            host: "127.0.0.2".to_owned(),
            ..right.clone()
        },
        Grant {
            class: AddressClass::Private,
            ..right.clone()
        },
        Grant {
            class: AddressClass::Public,
            ..right.clone()
        },
        Grant {
            class: AddressClass::Forbidden,
            ..right.clone()
        },
        Grant {
            audience: Audience::Provider,
            ..right.clone()
        },
        Grant {
            audience: Audience::Workflow,
            ..right.clone()
        },
    ];
    let client = client();
    let mut request = bare(Audience::Agent, &url);
    request.grants = wrong.to_vec();
    let outcome = client.send(request).await;
    let Err(SendError::Blocked(refusal)) = outcome else {
        panic!("sent: {outcome:?}")
    };
    assert_eq!(
        refusal.missing_grant(),
        Some(&right),
        "the refusal names the grant that is missing"
    );
    assert_eq!(canary.connects(), 0);
}

#[tokio::test]
async fn no_grant_opens_what_is_never_reachable() {
    let canary = Everywhere::new();
    let client = client();
    for host in [
        "0.0.0.0",
        "::",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "169.254.169.254",
        "fe80::1",
    ] {
        for class in [
            AddressClass::Loopback,
            AddressClass::Forbidden,
            AddressClass::LinkLocal,
        ] {
            let port = canary.port();
            let shown = if host.contains(':') {
                format!("[{host}]")
            } else {
                host.to_owned()
            };
            let mut request = bare(Audience::Agent, &format!("http://{shown}:{port}/"));
            let scheme = "http".to_owned();
            let audience = Audience::Agent;
            request.grants = vec![Grant {
                scheme,
                host: host.to_owned(),
                port,
                class,
                audience,
            }];
            let outcome = client.send(request).await;
            assert!(
                matches!(
                    outcome,
                    Err(SendError::Blocked(Refusal::NeverReachable { .. }))
                ),
                "{host}: {outcome:?}"
            );
        }
    }
    assert_eq!(canary.connects(), 0);
}

#[tokio::test]
async fn the_own_port_is_refused_whatever_was_granted() {
    let canary = Everywhere::new();
    let config = ClientConfig {
        own_ports: vec![canary.port()],
        ..config()
    };
    let client = Client::new(config).unwrap();
    for audience in AUDIENCES {
        for url in spelled(canary.port()) {
            if judge(&url, audience).is_err() {
                continue;
            }
            let outcome = client.send(granted(audience, &url)).await;
            let code = outcome.as_ref().map_or_else(SendError::code, |_| "sent");
            assert_eq!(code, "own_port", "{url}: {outcome:?}");
        }
    }
    assert_eq!(canary.connects(), 0);
}

#[tokio::test]
async fn a_port_that_becomes_ours_is_refused_although_a_connection_is_open() {
    let peer = Peer::saying("ok");
    let client = client();
    assert_eq!(
        client
            .send(granted(Audience::Agent, &peer.url()))
            .await
            .unwrap()
            .status,
        200
    );
    client.set_own_ports(vec![peer.addr.port()]);
    let outcome = client.send(granted(Audience::Agent, &peer.url())).await;
    assert!(
        matches!(outcome, Err(SendError::Blocked(Refusal::OwnPort { .. }))),
        "{outcome:?}"
    );
    peer.wait_for_end().await;
    assert_eq!(peer.accepted(), 1);
}

#[tokio::test]
async fn a_withdrawn_grant_closes_the_idle_connection() {
    let peer = Peer::saying("ok");
    let client = client();
    client
        .send(granted(Audience::Agent, &peer.url()))
        .await
        .unwrap();
    let outcome = client.send(bare(Audience::Agent, &peer.url())).await;
    assert!(matches!(
        outcome,
        Err(SendError::Blocked(Refusal::NeedsGrant { .. }))
    ));
    peer.wait_for_end().await;
    assert_eq!(peer.accepted(), 1);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let canary = Canary::new();
        let elsewhere = format!("http://{}/", canary.addr());
        let location = format!("location: {elsewhere}\r\n");
        let peer = Peer::start(move |_, stream| respond(stream, status, &location, ""));
        let mut request = granted(Audience::Agent, &peer.url());
        // Even a destination that is itself allowed is not gone to.
        request.grants.push(grant(Audience::Agent, &elsewhere));
        let answer = client().send(request).await.unwrap();
        assert_eq!(answer.status.to_string(), status[..3]);
        assert_eq!(answer.headers["location"], elsewhere.as_str());
        assert_eq!(canary.connects(), 0, "{status}");
    }
}

#[tokio::test]
async fn control_a_careless_client_follows_the_redirect() {
    let second = Peer::saying("caught");
    let location = format!("location: {}\r\n", second.url());
    let first = Peer::start(move |_, stream| respond(stream, "302 Found", &location, ""));
    let caught = careless()
        .build()
        .unwrap()
        .get(first.url())
        .send()
        .await
        .unwrap();
    assert_eq!(caught.text().await.unwrap(), "caught");
    assert_eq!(second.accepted(), 1);
}

#[tokio::test]
async fn headers_of_the_connection_are_refused() {
    let canary = Canary::new();
    let url = format!("http://{}/", canary.addr());
    for name in [
        "host",
        "Content-Length",
        "transfer-encoding",
        "connection",
        "proxy-authorization",
    ] {
        let mut request = granted(Audience::Agent, &url);
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        request
            .headers
            .insert(name, http::HeaderValue::from_static("1"));
        let outcome = client().send(request).await;
        assert!(matches!(
            outcome,
            Err(SendError::Blocked(Refusal::ReservedHeader { .. }))
        ));
    }
    assert_eq!(canary.connects(), 0);
}
