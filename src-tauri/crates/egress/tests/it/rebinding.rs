//! Names whose addresses change between one question and the next, or carry one bad address among good ones.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use calseta_egress::{
    AddressClass, Audience, Client, ClientConfig, Lookup, NameLookup, Refusal, SendError, judge,
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::peer::{Canary, Peer, bare, careless, config};

const TRIES: usize = 1_000;

/// Answers each question with the next of its answers, from the start again after the last.
struct Turning {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Turning {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |ip: &&str| ip.parse().expect("an address");
        let answers = answers
            .iter()
            .map(|answer| answer.iter().map(parse).collect())
            .collect();
        Arc::new(Self {
            answers,
            asked: AtomicUsize::new(0),
        })
    }

    fn next(&self) -> Vec<IpAddr> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        self.answers[turn % self.answers.len()].clone()
    }
}

impl NameLookup for Turning {
    fn lookup(&self, _name: &str) -> Lookup {
        let answer = self.next();
        Box::pin(async { Ok(answer) })
    }
}

fn asking(names: Arc<dyn NameLookup>) -> Client {
    Client::with_names(config(), names).expect("the client can be built")
}

/// Public turns are refused here too, because plain http to a public address wants a grant: no packet leaves the
/// machine. That public answers pass where they may is shown beside the resolver itself.
#[tokio::test]
async fn a_name_that_turns_to_loopback_is_never_connected_to() {
    let canary = Canary::new();
    let names = Turning::new(&[
        &["8.8.8.8"],
        &["127.0.0.1"],
        &["::ffff:127.0.0.1"],
        &["::1"],
    ]);
    let client = asking(names.clone());
    let url = format!("http://rebind.example.com:{}/", canary.port());
    for turn in 0..TRIES {
        let outcome = client.send(bare(Audience::Agent, &url)).await;
        assert!(
            matches!(outcome, Err(SendError::Blocked(Refusal::NeedsGrant { .. }))),
            "try {turn}: {outcome:?}"
        );
    }
    assert_eq!(
        names.asked.load(Ordering::SeqCst),
        TRIES,
        "every send asks again"
    );
    assert_eq!(canary.connects(), 0);
}

#[tokio::test]
async fn a_grant_for_the_local_network_does_not_follow_the_name_elsewhere() {
    let canary = Canary::new();
    let names = Turning::new(&[
        &["127.0.0.1"],
        &["::ffff:7f00:1", "::1"],
        &["169.254.169.254"],
        &["0.0.0.0", "127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &[],
    ]);
    let client = asking(names);
    let url = format!("http://misp.lan:{}/", canary.port());
    let target = judge(&url, Audience::Provider).unwrap();
    for _ in 0..60 {
        let mut request = bare(Audience::Provider, &url);
        request.grants = vec![target.grant_as(Audience::Provider, AddressClass::Private)];
        client
            .send(request)
            .await
            .expect_err("no answer is on the local network");
    }
    assert_eq!(canary.connects(), 0);
}

#[tokio::test]
async fn forbidden_answers_are_left_out_and_the_granted_one_is_used() {
    let peer = Peer::saying("ok");
    let names = Turning::new(&[&["169.254.169.254", "0.0.0.0", "10.0.0.1", "127.0.0.1"]]);
    let client = asking(names);
    let url = format!("http://agent.example.com:{}/", peer.addr.port());
    let target = judge(&url, Audience::Agent).unwrap();
    let mut request = bare(Audience::Agent, &url);
    request.grants = vec![target.grant_as(Audience::Agent, AddressClass::Loopback)];
    let answer = client.send(request).await.unwrap();
    assert_eq!(answer.remote, Some(peer.addr));
}

#[tokio::test]
async fn a_name_that_turns_out_to_be_our_own_port_is_refused_whatever_was_granted() {
    let canary = Canary::new();
    let names = Turning::new(&[&["127.0.0.1"]]);
    let config = ClientConfig {
        own_ports: vec![canary.port()],
        ..config()
    };
    let client = Client::with_names(config, names).unwrap();
    let url = format!("http://agent.example.com:{}/", canary.port());
    let target = judge(&url, Audience::Agent).unwrap();
    let mut request = bare(Audience::Agent, &url);
    request.grants = vec![target.grant_as(Audience::Agent, AddressClass::Loopback)];
    let outcome = client.send(request).await;
    assert!(
        matches!(outcome, Err(SendError::Blocked(Refusal::OwnPort { .. }))),
        "{outcome:?}"
    );
    assert_eq!(canary.connects(), 0);
}

/// A resolver that has nothing to say.
struct Failing;

impl NameLookup for Failing {
    fn lookup(&self, _name: &str) -> Lookup {
        Box::pin(async { Err(io::Error::other("server failure")) })
    }
}

#[tokio::test]
async fn a_failed_lookup_refuses_the_request() {
    let outcome = asking(Arc::new(Failing))
        .send(bare(Audience::Agent, "https://a.example/"))
        .await;
    let expected = "the name a.example could not be looked up: server failure";
    assert_eq!(
        outcome.unwrap_err(),
        SendError::Connect(expected.to_owned())
    );
}

#[tokio::test]
async fn localhost_is_not_asked_for() {
    let peer = Peer::saying("ok");
    let url = format!("http://localhost:{}/", peer.addr.port());
    let mut request = bare(Audience::Agent, &url);
    request.grants = vec![judge(&url, Audience::Agent).unwrap().grant(Audience::Agent)];
    assert_eq!(
        asking(Arc::new(Failing))
            .send(request)
            .await
            .unwrap()
            .status,
        200
    );
}

/// The same answers, given to a client that does not judge them.
struct Unjudged(Arc<Turning>);

impl Resolve for Unjudged {
    fn resolve(&self, _name: Name) -> Resolving {
        let found = self.0.next();
        Box::pin(async move {
            Ok(Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

#[tokio::test]
async fn control_a_careless_client_is_rebound() {
    let peer = Peer::saying("rebound");
    let names = Unjudged(Turning::new(&[&["127.0.0.1"]]));
    let careless = careless().dns_resolver(Arc::new(names)).build().unwrap();
    let url = format!("http://rebind.example.com:{}/", peer.addr.port());
    let answer = careless.get(url).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "rebound");
}
