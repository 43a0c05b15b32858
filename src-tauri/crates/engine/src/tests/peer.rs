//! An agent on a real socket that records what it is sent and answers as it is told.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    head: String,
    pub(crate) body: String,
}

impl Received {
    /// A header's value; empty when absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut pairs = self.head.lines().filter_map(|line| line.split_once(':'));
        let found = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value.trim())
    }
}

#[derive(Debug, Default)]
struct Shared {
    received: Vec<Received>,
    answer: String,
    /// Connections that get no answer while this is set.
    held: Vec<TcpStream>,
    is_holding: bool,
}

/// The agent. Its threads end with their connections.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    shared: Arc<Mutex<Shared>>,
    pub(crate) url: String,
}

impl Peer {
    /// Answers with this status (and headers) until it is told otherwise.
    pub(crate) fn answering(status: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/webhook", listener.local_addr().unwrap());
        let peer = Self {
            shared: Arc::default(),
            url,
        };
        peer.answer(status);
        let shared = Arc::clone(&peer.shared);
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        peer
    }

    pub(crate) fn answer(&self, status: &str) {
        self.shared.lock().unwrap().answer = status.to_owned();
    }

    /// From now on it takes requests and says nothing.
    pub(crate) fn hold(&self) {
        self.shared.lock().unwrap().is_holding = true;
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.lock().unwrap().received.clone()
    }

    /// The alerts' titles, in the order of arrival.
    pub(crate) fn titles(&self) -> Vec<String> {
        let title = |received: &Received| {
            let body: serde_json::Value = serde_json::from_str(&received.body).unwrap();
            body["alert"]["title"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        self.received().iter().map(title).collect()
    }
}

fn serve(mut stream: TcpStream, shared: &Mutex<Shared>) {
    let Some(received) = read(&mut stream) else {
        return;
    };
    let mut shared = shared.lock().unwrap();
    shared.received.push(received);
    if shared.is_holding {
        shared.held.push(stream);
        return;
    }
    let answer = format!(
        "HTTP/1.1 {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        shared.answer
    );
    drop(shared);
    drop(stream.write_all(answer.as_bytes()));
}

fn read(stream: &mut TcpStream) -> Option<Received> {
    let (mut request, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let n = stream.read(&mut piece).ok().filter(|n| *n > 0)?;
        request.extend_from_slice(&piece[..n]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let received = Received {
            head: head.to_owned(),
            body: body.to_owned(),
        };
        if body.len() >= received.header("content-length").parse().unwrap_or(0) {
            return Some(received);
        }
    }
}
