//! What the client talks to in these tests: peers that answer as told, and canaries that must not hear anything.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use calseta_egress::{Audience, Client, ClientConfig, Grant, Outbound, judge};
use http::Method;
use tokio::sync::Semaphore;

/// Ten times what the slowest condition here needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn client() -> Client {
    Client::new(config()).expect("the client can be built")
}

pub(crate) fn config() -> ClientConfig {
    ClientConfig {
        user_agent: "Calseta-Desktop/test".to_owned(),
        own_ports: Vec::new(),
    }
}

/// A GET with the grant its URL wants, as after registration by a human.
pub(crate) fn granted(audience: Audience, url: &str) -> Outbound {
    let mut request = bare(audience, url);
    request.grants = vec![grant(audience, url)];
    request
}

pub(crate) fn bare(audience: Audience, url: &str) -> Outbound {
    let mut request = Outbound::new(audience, Method::GET, url);
    request.deadline = PATIENCE;
    request
}

pub(crate) fn grant(audience: Audience, url: &str) -> Grant {
    judge(url, audience).expect("a usable URL").grant(audience)
}

/// A client as any program would make it: the control that shows what the checks prevent.
pub(crate) fn careless() -> reqwest::ClientBuilder {
    // Already installed by another test of this process is fine.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().timeout(PATIENCE)
}

/// A listener that answers nobody and counts who connected.
pub(crate) struct Canary {
    listener: TcpListener,
}

impl Canary {
    pub(crate) fn new() -> Self {
        Self::try_at("127.0.0.1:0").expect("a free loopback port")
    }

    pub(crate) fn try_at(address: &str) -> Option<Self> {
        TcpListener::bind(address)
            .ok()
            .map(|listener| Self { listener })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.listener.local_addr().expect("a bound listener")
    }

    pub(crate) fn port(&self) -> u16 {
        self.addr().port()
    }

    /// Connections since the last call. The queue is first in, first out: whoever connected before our own marker
    /// is accepted before it, so nothing is waited for and nothing is missed.
    pub(crate) fn connects(&self) -> usize {
        let marker = TcpStream::connect(self.addr()).expect("the canary listens");
        let own = marker.local_addr().expect("a connected socket");
        let mut others = 0;
        while self.listener.accept().expect("the marker is queued").1 != own {
            others += 1;
        }
        others
    }
}

/// One request as a peer saw it.
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A server on loopback, a thread per connection, that reads each request and answers as told.
pub(crate) struct Peer {
    pub(crate) addr: SocketAddr,
    accepted: Arc<AtomicUsize>,
    ended: Arc<Semaphore>,
}

impl Peer {
    pub(crate) fn start(
        answer: impl Fn(&Seen, &mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
        let addr = listener.local_addr().expect("a bound listener");
        let accepted = Arc::new(AtomicUsize::new(0));
        let ended = Arc::new(Semaphore::new(0));
        let ending = Arc::clone(&ended);
        let answer = Arc::new(answer);
        let counter = Arc::clone(&accepted);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::SeqCst);
                let (answer, end) = (Arc::clone(&answer), Arc::clone(&ending));
                std::thread::spawn(move || {
                    // However the connection ends, its end is what the test waits for.
                    drop(converse(stream, &*answer));
                    end.add_permits(1);
                });
            }
        });
        Self {
            addr,
            accepted,
            ended,
        }
    }

    /// Answers 200 with `body` to everything.
    pub(crate) fn saying(body: &'static str) -> Self {
        Self::start(move |_, stream| respond(stream, "200 OK", "", body))
    }

    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.addr)
    }

    /// Waits until one more connection has ended, from either side.
    pub(crate) async fn wait_for_end(&self) {
        let ended = tokio::time::timeout(PATIENCE, self.ended.acquire()).await;
        ended
            .expect("the connection ends")
            .expect("never closed")
            .forget();
    }
}

pub(crate) fn respond(
    stream: &mut TcpStream,
    status: &str,
    headers: &str,
    body: &str,
) -> io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
}

type Answering = dyn Fn(&Seen, &mut TcpStream) -> io::Result<()>;

fn converse(mut stream: TcpStream, answer: &Answering) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(seen) = read_request(&mut reader)? {
        answer(&seen, &mut stream)?;
    }
    Ok(())
}

fn read_request(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Seen>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(None);
        }
    }
    let mut seen = Seen {
        head,
        body: Vec::new(),
    };
    let length = seen
        .header("content-length")
        .and_then(|v| v.parse().ok())
        .unwrap_or(0);
    seen.body = vec![0; length];
    reader.read_exact(&mut seen.body)?;
    Ok(Some(seen))
}
