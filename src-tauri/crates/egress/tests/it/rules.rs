//! Rules for all requests: networks, air gap, proxy; and the log of what became of each.

use std::io::{self, Write as _};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use calseta_egress::{
    AddressClass, Audience, Client, Decision, DecisionLog, Grant, Lookup, NameLookup, Outbound,
    Proxy, Refusal, Rules, SendError,
};

use crate::peer::{Canary, Peer, bare, client, config, granted, respond};

/// Long enough to be refused, short enough not to wait for an address that nobody answers at.
const BRIEF: Duration = Duration::from_millis(300);

/// Every name is at these addresses; counts how often it was asked.
struct Names(Vec<IpAddr>, AtomicUsize);

impl Names {
    fn at(addresses: &[&str]) -> Arc<Self> {
        let parse = |ip: &&str| ip.parse().expect("an address");
        Arc::new(Self(
            addresses.iter().map(parse).collect(),
            AtomicUsize::new(0),
        ))
    }

    fn asked(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

impl NameLookup for Names {
    fn lookup(&self, _name: &str) -> Lookup {
        self.1.fetch_add(1, Ordering::SeqCst);
        let found = self.0.clone();
        Box::pin(async { Ok(found) })
    }
}

#[derive(Default)]
struct Noted(Mutex<Vec<Decision>>);

impl DecisionLog for Noted {
    fn note(&self, decision: Decision) {
        self.0.lock().expect("no panic").push(decision);
    }
}

impl Noted {
    fn take(&self) -> Vec<Decision> {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }
}

fn brief(audience: Audience, url: &str) -> Outbound {
    Outbound {
        deadline: BRIEF,
        ..bare(audience, url)
    }
}

fn is_blocked(outcome: &Result<calseta_egress::Answer, SendError>) -> bool {
    matches!(outcome, Err(SendError::Blocked(_)))
}

#[tokio::test]
async fn a_granted_network_opens_its_private_addresses_for_its_audience_and_nothing_else() {
    let network = Grant {
        scheme: "http".to_owned(),
        host: "10.0.0.0/8".to_owned(),
        port: 9,
        class: AddressClass::Private,
        audience: Audience::Agent,
    };
    for (address, audience, opens) in [
        ("10.1.2.3", Audience::Agent, true),
        ("::ffff:10.1.2.3", Audience::Agent, true),
        ("10.1.2.3", Audience::Provider, false),
        ("192.168.1.1", Audience::Agent, false),
        ("127.0.0.1", Audience::Agent, false),
        ("169.254.169.254", Audience::Agent, false),
    ] {
        let names = Names::at(&[address]);
        let client = Client::with_names(config(), names).expect("a client");
        let request = |url, grants: &[Grant]| Outbound {
            grants: grants.to_vec(),
            ..brief(audience, url)
        };
        let (url, granted) = ("http://agent.lan:9/", [network.clone()]);
        let control = client.send(request(url, &[])).await;
        assert!(is_blocked(&control), "{address}: the control");
        let outcome = client.send(request(url, &granted)).await;
        assert_eq!(
            !is_blocked(&outcome),
            opens,
            "{address} for {audience}: {outcome:?}"
        );
        let other_port = client.send(request("http://agent.lan:10/", &granted)).await;
        assert!(is_blocked(&other_port), "{address}: another door");
        let taken_back = client.send(request(url, &[])).await;
        assert!(is_blocked(&taken_back), "{address}: taken back");
    }
}

#[tokio::test]
async fn in_an_air_gap_only_this_machine_is_reached_and_no_name_is_asked_for() {
    let peer = Peer::start(|_, stream| respond(stream, "200 OK", "", "here"));
    let names = Names::at(&["127.0.0.1"]);
    let client = Client::with_names(config(), names.clone()).expect("a client");
    client.set_rules(Rules {
        is_air_gapped: true,
        ..Rules::default()
    });
    for url in [
        "https://8.8.8.8/",
        "https://example.com/",
        "http://10.0.0.1:9000/",
        "https://[2606:4700::1111]/",
    ] {
        for audience in [Audience::Agent, Audience::Provider, Audience::Workflow] {
            let mut request = brief(audience, url);
            let target = calseta_egress::judge(url, audience).expect("a usable URL");
            let classes = [AddressClass::Public, AddressClass::Private];
            request.grants = classes.map(|c| target.grant_as(audience, c)).to_vec();
            let outcome = client.send(request).await;
            assert!(
                matches!(outcome, Err(SendError::Blocked(Refusal::AirGapped { .. }))),
                "{url}: {outcome:?}"
            );
        }
    }
    assert_eq!(names.asked(), 0, "a question would leave the machine");
    let near = client.send(granted(Audience::Agent, &peer.url())).await;
    assert_eq!(near.expect("loopback is this machine").status, 200);
    client.set_rules(Rules::default());
    let asked = client
        .send(brief(Audience::Agent, "https://example.com:9/"))
        .await;
    assert!(is_blocked(&asked) && names.asked() > 0, "the control asks");
}

fn proxied(proxy: &str) -> Rules {
    Rules {
        proxy: Some(Proxy::parse(proxy).expect("a proxy")),
        ..Rules::default()
    }
}

#[tokio::test]
async fn a_named_proxy_is_for_providers_and_workflows_and_for_what_is_far() {
    let proxy = Peer::start(|seen, stream| {
        let line = seen.head.lines().next().unwrap_or_default().to_owned();
        respond(stream, "200 OK", "", &line)
    });
    let near = Peer::start(|_, stream| respond(stream, "200 OK", "", "direct"));
    let names = Names::at(&["127.0.0.1"]);
    let client = Client::with_names(config(), names.clone()).expect("a client");
    client.set_rules(proxied(&format!("http://{}", proxy.addr)));
    let far = client
        .send(bare(Audience::Workflow, "http://far.example.com/x?y=1"))
        .await
        .expect("the proxy answers");
    assert_eq!(&far.body[..], b"GET http://far.example.com/x?y=1 HTTP/1.1");
    assert_eq!(names.asked(), 0, "the proxy resolves what it is asked for");
    let blocked = client
        .send(bare(Audience::Provider, "http://far.example.com/"))
        .await;
    assert!(
        is_blocked(&blocked),
        "plain http still wants a grant: {blocked:?}"
    );
    let direct = client
        .send(granted(Audience::Provider, &near.url()))
        .await
        .expect("a granted loopback address is reached directly");
    assert_eq!(&direct.body[..], b"direct");
    let agents = client
        .send(bare(Audience::Agent, "https://far.example.com/"))
        .await;
    assert!(
        is_blocked(&agents),
        "agents are never reached through it: {agents:?}"
    );
    let secure = client
        .send(bare(Audience::Provider, "https://far.example.com/"))
        .await;
    assert!(
        matches!(
            secure,
            Err(SendError::Tls(_) | SendError::Transport(_) | SendError::Connect(_))
        ),
        "this proxy makes no tunnel: {secure:?}"
    );
}

#[tokio::test]
async fn a_proxy_is_never_our_own_port_and_leads_nowhere_in_an_air_gap() {
    let canary = Canary::new();
    let client = client();
    client.set_own_ports(vec![canary.port()]);
    client.set_rules(proxied(&format!("http://127.0.0.1:{}", canary.port())));
    let outcome = client
        .send(brief(Audience::Workflow, "http://far.example.com/"))
        .await;
    assert!(
        matches!(outcome, Err(SendError::Blocked(Refusal::OwnPort { .. }))),
        "{outcome:?}"
    );
    client.set_own_ports(Vec::new());
    client.set_rules(Rules {
        is_air_gapped: true,
        ..proxied(&format!("http://127.0.0.1:{}", canary.port()))
    });
    let outcome = client
        .send(brief(Audience::Workflow, "http://far.example.com/"))
        .await;
    assert!(is_blocked(&outcome), "{outcome:?}");
    assert_eq!(canary.connects(), 0);
}

#[tokio::test]
async fn every_request_is_noted_once_without_its_path_and_secrets() {
    let peer = Peer::start(|_, stream| respond(stream, "201 Created", "", "made"));
    let silent = Peer::start(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")?;
        Err::<(), _>(io::Error::from(io::ErrorKind::Other))
    });
    let (client, noted) = (client(), Arc::new(Noted::default()));
    client.note_decisions(noted.clone());
    let url = format!("{}?key=s3cret", peer.url());
    client
        .send(granted(Audience::Provider, &url))
        .await
        .expect("an answer");
    drop(client.send(bare(Audience::Agent, &url)).await);
    drop(
        client
            .send(bare(Audience::Workflow, "http://169.254.169.254/s3cret"))
            .await,
    );
    drop(
        client
            .send(bare(Audience::Agent, "ftp://files.lan/s3cret"))
            .await,
    );
    drop(client.send(granted(Audience::Agent, &silent.url())).await);
    // A caller that gives up.
    let held = Canary::new();
    let waiting = client.send(granted(
        Audience::Agent,
        &format!("http://{}/", held.addr()),
    ));
    assert!(tokio::time::timeout(BRIEF, waiting).await.is_err());
    let all = noted.take();
    let words: Vec<_> = all
        .iter()
        .map(|one| (one.is_allowed, one.outcome, one.status))
        .collect();
    assert_eq!(
        words,
        [
            (true, "answered", Some(201)),
            (false, "grant_needed", None),
            (false, "address_forbidden", None),
            (false, "url_scheme", None),
            (true, "transport", None),
            (true, "abandoned", None),
        ]
    );
    assert_eq!(all[0].class, Some(AddressClass::Loopback));
    assert_eq!(
        (all[0].host.as_str(), all[0].port),
        ("127.0.0.1", peer.addr.port())
    );
    assert_eq!(all[0].received_bytes, 4);
    assert_eq!(
        all[2].ip.map(|ip| ip.to_string()).as_deref(),
        Some("169.254.169.254")
    );
    assert_eq!(all[3].host, "files.lan");
    assert!(!format!("{all:?}").contains("s3cret"), "{all:?}");
}
