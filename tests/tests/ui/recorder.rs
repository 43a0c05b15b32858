//! An agent that keeps what it is sent and answers 200.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long it waits for a request's bytes.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// Request line and headers.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

/// The recording agent. It listens as long as the test's process runs.
pub(crate) struct Recorder {
    /// Where it listens.
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Recorder {
    /// Listens on a free loopback port and answers `ok`.
    pub(crate) fn start() -> Self {
        Self::answering("text/plain", |_| "ok".to_owned())
    }

    /// The same; `body` makes each answer, which is of a media type.
    pub(crate) fn answering(
        media_type: &'static str,
        body: impl Fn(usize) -> String + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        thread::spawn(move || {
            for (n, socket) in listener.incoming().flatten().enumerate() {
                if let Some(request) = answer(socket, media_type, &body(n)) {
                    kept.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(request);
                }
            }
        });
        Self {
            url: format!("http://127.0.0.1:{port}/webhook"),
            received,
        }
    }

    /// Everything so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn answer(mut socket: TcpStream, media_type: &str, text: &str) -> Option<Received> {
    socket.set_read_timeout(Some(READ_TIMEOUT)).ok()?;
    let mut reader = BufReader::new(socket.try_clone().ok()?);
    let mut head = String::new();
    while reader.read_line(&mut head).ok()? > 2 {}
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let length = text.len();
    let reply = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{text}"
    );
    socket.write_all(reply.as_bytes()).ok()?;
    Some(Received {
        head,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}
