//! Peers that hold on: each exchange must end by its deadline, with no more memory than its cap.

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use calseta_egress::{Audience, Client, Lookup, NameLookup, Outbound, Overflow, SendError};
use http::Method;

use crate::peer::{PATIENCE, Peer, bare, client, config, granted};

/// The deadline under test. `PATIENCE` is far more than ten times it: a send that outlives that hangs.
const DEADLINE: Duration = Duration::from_millis(400);

/// What kernel buffers on both sides may swallow before a peer notices that nobody reads.
const MOST_SENT_BYTES: u64 = 64 * 1024 * 1024;

async fn send_in_time(client: Client, request: Outbound) -> Result<u16, SendError> {
    let sent = tokio::time::timeout(PATIENCE, client.send(request)).await;
    sent.expect("the send ends by itself")
        .map(|answer| answer.status)
}

fn hurried(url: &str) -> Outbound {
    Outbound {
        deadline: DEADLINE,
        ..granted(Audience::Agent, url)
    }
}

/// Writes `piece` until the other side is gone; with `pause`, as slowly as a peer that wants to be waited for.
fn forever(stream: &mut TcpStream, piece: &[u8], pause: Option<Duration>) -> io::Result<()> {
    loop {
        stream.write_all(piece)?;
        if let Some(pause) = pause {
            std::thread::park_timeout(pause);
        }
    }
}

const DRIP: Option<Duration> = Some(Duration::from_millis(20));

#[tokio::test]
async fn a_peer_that_never_answers_ends_at_the_deadline() {
    let peer = Peer::start(|_, _| Ok(()));
    assert_eq!(
        send_in_time(client(), hurried(&peer.url())).await,
        Err(SendError::Timeout)
    );
    peer.wait_for_end().await;
}

#[tokio::test]
async fn a_dripping_body_ends_at_the_deadline() {
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
    ] {
        let peer = Peer::start(move |_, stream| {
            stream.write_all(head.as_bytes())?;
            forever(stream, b"x", DRIP)
        });
        for overflow in [Overflow::Truncate, Overflow::Fail] {
            let request = Outbound {
                overflow,
                ..hurried(&peer.url())
            };
            assert_eq!(
                send_in_time(client(), request).await,
                Err(SendError::Timeout)
            );
            peer.wait_for_end().await;
        }
    }
}

#[tokio::test]
async fn headers_that_never_end_end_at_the_deadline() {
    let peer = Peer::start(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nx-long: ")?;
        forever(stream, b"x", DRIP)
    });
    assert_eq!(
        send_in_time(client(), hurried(&peer.url())).await,
        Err(SendError::Timeout)
    );
    peer.wait_for_end().await;
}

#[tokio::test]
async fn interim_answers_without_end_end_at_the_deadline() {
    let peer = Peer::start(|_, stream| forever(stream, b"HTTP/1.1 102 Processing\r\n\r\n", DRIP));
    assert_eq!(
        send_in_time(client(), hurried(&peer.url())).await,
        Err(SendError::Timeout)
    );
    peer.wait_for_end().await;
}

#[tokio::test]
async fn a_flood_of_headers_is_given_up() {
    let peer = Peer::start(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
        forever(
            stream,
            b"x-more: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n",
            None,
        )
    });
    let request = Outbound {
        deadline: PATIENCE,
        ..hurried(&peer.url())
    };
    let outcome = client().send(request).await;
    assert!(
        matches!(outcome, Err(SendError::Transport(_))),
        "{outcome:?}"
    );
    peer.wait_for_end().await;
}

/// A peer that says it has 10 GB, or never says, and sends as fast as it can. It counts what it got rid of.
fn endless(head: &'static str, piece: Vec<u8>) -> (Peer, Arc<AtomicU64>) {
    let sent = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&sent);
    let peer = Peer::start(move |_, stream| {
        stream.write_all(head.as_bytes())?;
        loop {
            stream.write_all(&piece)?;
            counter.fetch_add(piece.len() as u64, Ordering::SeqCst);
        }
    });
    (peer, sent)
}

#[tokio::test]
async fn a_huge_body_costs_its_cap_and_closes_the_connection() {
    let chunk = [b"10000\r\n".to_vec(), vec![b'x'; 0x10000], b"\r\n".to_vec()].concat();
    for (head, piece) in [
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n",
            vec![b'x'; 0x10000],
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            chunk,
        ),
    ] {
        let (peer, sent) = endless(head, piece);
        let client = client();
        let answer = client
            .send(granted(Audience::Agent, &peer.url()))
            .await
            .unwrap();
        assert!(answer.truncated);
        assert_eq!(answer.body.len(), Outbound::DEFAULT_RESPONSE_BYTES);
        peer.wait_for_end().await;
        let request = Outbound {
            overflow: Overflow::Fail,
            ..granted(Audience::Agent, &peer.url())
        };
        assert_eq!(
            send_in_time(client, request).await,
            Err(SendError::TooLarge)
        );
        peer.wait_for_end().await;
        assert_eq!(
            peer.accepted(),
            2,
            "a connection with unread bytes is not used again"
        );
        let sent = sent.load(Ordering::SeqCst);
        assert!(sent < MOST_SENT_BYTES, "the peer could send {sent} bytes");
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_ends_at_the_deadline() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let request = Outbound {
        method: Method::POST,
        body: Bytes::from(vec![b'x'; 32 * 1024 * 1024]),
        ..hurried(&url)
    };
    assert_eq!(
        send_in_time(client(), request).await,
        Err(SendError::Timeout)
    );
}

/// A name server that never answers.
struct Silent;

impl NameLookup for Silent {
    fn lookup(&self, _name: &str) -> Lookup {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_lookup_that_never_answers_ends_at_the_deadline() {
    let client = Client::with_names(config(), Arc::new(Silent)).unwrap();
    let request = Outbound {
        deadline: DEADLINE,
        ..bare(Audience::Agent, "https://agent.example.com/")
    };
    assert_eq!(send_in_time(client, request).await, Err(SendError::Timeout));
}
