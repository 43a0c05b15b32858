//! What does get through: granted peers, their answers, and the words when nobody is there.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::mpsc;

use bytes::Bytes;
use calseta_egress::{Audience, Client, Outbound, Overflow, SendError};
use http::{HeaderMap, HeaderValue, Method};

use crate::peer::{Peer, Seen, client, config, granted, respond};

#[tokio::test]
async fn a_granted_peer_gets_the_request_as_written_and_its_answer_comes_back() {
    let (tell, told) = mpsc::channel();
    let peer = Peer::start(move |seen, stream| {
        let shown = Seen {
            head: seen.head.clone(),
            body: seen.body.clone(),
        };
        tell.send(shown).expect("the test listens");
        respond(
            stream,
            "202 Accepted",
            "x-peer: yes\r\ncontent-encoding: gzip\r\n",
            "not gzip",
        )
    });
    for audience in [Audience::Agent, Audience::Provider, Audience::Workflow] {
        let mut secret = HeaderValue::from_static("Bearer s3cret");
        secret.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert("authorization", secret);
        let request = Outbound {
            method: Method::POST,
            headers,
            body: Bytes::from_static(b"{\"event\":\"alert.created\"}"),
            ..granted(audience, &format!("{}?a=%2F#part", peer.url()))
        };
        assert!(!format!("{request:?}").contains("s3cret"));
        let answer = client().send(request).await.unwrap();
        assert_eq!(answer.status, 202);
        assert_eq!(answer.headers["x-peer"], "yes");
        assert_eq!(
            &answer.body[..],
            b"not gzip",
            "answers are not decompressed"
        );
        assert_eq!(answer.remote, Some(peer.addr));
        assert!(!answer.truncated);
        let seen = told.recv().unwrap();
        assert!(
            seen.head.starts_with("POST /hook?a=%2F HTTP/1.1\r\n"),
            "{}",
            seen.head
        );
        assert_eq!(seen.body, b"{\"event\":\"alert.created\"}");
        assert_eq!(seen.header("authorization"), Some("Bearer s3cret"));
        assert_eq!(seen.header("user-agent"), Some("Calseta-Desktop/test"));
        for absent in ["referer", "cookie", "accept-encoding", "proxy-connection"] {
            assert_eq!(seen.header(absent), None);
        }
    }
}

#[tokio::test]
async fn a_cookie_is_not_kept() {
    let peer = Peer::start(|seen, stream| {
        let said = if seen.header("cookie").is_some() {
            "cookie"
        } else {
            "none"
        };
        respond(stream, "200 OK", "set-cookie: a=b\r\n", said)
    });
    let client = client();
    for _ in 0..2 {
        let answer = client
            .send(granted(Audience::Agent, &peer.url()))
            .await
            .unwrap();
        assert_eq!(&answer.body[..], b"none");
    }
}

#[tokio::test]
async fn localhost_is_this_machine_without_asking_anybody() {
    let peer = Peer::saying("ok");
    for host in ["localhost", "LOCALHOST", "localhost.", "agent.localhost"] {
        let url = format!("http://{host}:{}/", peer.addr.port());
        let answer = client().send(granted(Audience::Agent, &url)).await.unwrap();
        assert_eq!(answer.status, 200, "{host}");
    }
}

#[tokio::test]
async fn connections_are_reused_by_clones_and_across_calls() {
    let peer = Peer::saying("ok");
    let client = client();
    for _ in 0..500 {
        let request = granted(Audience::Agent, &peer.url());
        assert_eq!(client.clone().send(request).await.unwrap().status, 200);
    }
    assert_eq!(peer.accepted(), 1);
}

#[tokio::test]
async fn audiences_do_not_share_connections() {
    let peer = Peer::saying("ok");
    let client = client();
    client
        .send(granted(Audience::Agent, &peer.url()))
        .await
        .unwrap();
    client
        .send(granted(Audience::Provider, &peer.url()))
        .await
        .unwrap();
    assert_eq!(peer.accepted(), 2);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_whole_and_one_more_byte_is_not() {
    let peer = Peer::saying("0123456789");
    for (limit, overflow, expected) in [
        (10, Overflow::Truncate, Ok((10, false))),
        (10, Overflow::Fail, Ok((10, false))),
        (9, Overflow::Truncate, Ok((9, true))),
        (9, Overflow::Fail, Err(SendError::TooLarge)),
        (0, Overflow::Truncate, Ok((0, true))),
    ] {
        let mut request = granted(Audience::Provider, &peer.url());
        request.max_response_bytes = limit;
        request.overflow = overflow;
        let outcome = client().send(request).await;
        assert_eq!(
            outcome.map(|a| (a.body.len(), a.truncated)),
            expected,
            "{limit} {overflow:?}"
        );
    }
}

#[tokio::test]
async fn nobody_listening_is_said_in_words() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    for (audience, peer) in [(Audience::Agent, "agent"), (Audience::Provider, "provider")] {
        let outcome = client()
            .send(granted(audience, &format!("http://{addr}/?key=s3cret")))
            .await;
        let expected = format!("connection refused on {addr} — is the {peer} running?");
        assert_eq!(outcome.unwrap_err(), SendError::Connect(expected));
    }
}

#[tokio::test]
async fn a_peer_without_tls_is_said_in_words() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // A plain server answers a TLS greeting with a complaint in HTTP.
            drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"));
        }
    });
    let outcome = client()
        .send(granted(Audience::Agent, &format!("https://{addr}/")))
        .await;
    let Err(SendError::Tls(words)) = &outcome else {
        panic!("{outcome:?}")
    };
    assert!(words.contains("does not speak TLS"), "{words}");
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_a_transport_error() {
    let peer = Peer::start(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")?;
        stream.shutdown(std::net::Shutdown::Both)
    });
    let outcome = client().send(granted(Audience::Agent, &peer.url())).await;
    assert!(
        matches!(outcome, Err(SendError::Transport(_))),
        "{outcome:?}"
    );
    let words = outcome.unwrap_err().to_string();
    assert!(
        words.contains(&peer.addr.to_string()) && !words.contains("hook"),
        "{words}"
    );
}

#[test]
fn a_user_agent_that_is_no_header_is_refused() {
    let mut config = config();
    config.user_agent = "two\nlines".to_owned();
    assert!(Client::new(config).is_err());
}
