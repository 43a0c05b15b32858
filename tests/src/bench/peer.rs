//! A recording agent that costs little: it answers 204 and notes when each alert came.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::load::{content_length, find};
use crate::backend::background;

/// Every title begins so; what follows says which alert it is.
const MARK: &[u8] = b"\"title\":\"bench ";
/// `0001-00000001`: run and number.
const MARK_DIGITS: usize = 13;

#[derive(Debug, Default)]
struct Seen {
    first: Mutex<HashMap<Vec<u8>, Instant>>,
    came: Notify,
}

/// The agent. It runs until the process ends.
#[derive(Debug, Clone)]
pub struct Peer {
    seen: Arc<Seen>,
    /// Where it listens.
    pub url: String,
}

impl Peer {
    /// Starts on a free loopback port.
    pub async fn start() -> Result<Self> {
        Self::start_on(TcpListener::bind("127.0.0.1:0").await?)
    }

    /// Starts on a socket that is there already.
    pub fn start_on(listener: TcpListener) -> Result<Self> {
        let url = format!("http://{}/webhook", listener.local_addr()?);
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        background(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let seen = Arc::clone(&shared);
                // A broken connection is the backend's to open again.
                background(async move { drop(converse(stream, &seen).await) });
            }
        });
        Ok(Self { seen, url })
    }

    /// When an alert came first.
    pub fn first(&self, run: u32, n: u32) -> Option<Instant> {
        let mark = format!("{run:04}-{n:08}").into_bytes();
        self.lock().get(&mark).copied()
    }

    /// Waits until this many different alerts came; how many did by the deadline.
    pub async fn wait(&self, count: usize, deadline: Duration) -> usize {
        let all = async {
            loop {
                let came = self.seen.came.notified();
                if self.lock().len() >= count {
                    return;
                }
                came.await;
            }
        };
        drop(tokio::time::timeout(deadline, all).await);
        self.lock().len()
    }

    /// When the newest alert came.
    pub fn newest(&self) -> Option<Instant> {
        self.lock().values().max().copied()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Vec<u8>, Instant>> {
        self.seen
            .first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

async fn converse(mut stream: TcpStream, seen: &Seen) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        let whole = find(&buffer, b"\r\n\r\n").map(|end| {
            let head = String::from_utf8_lossy(&buffer[..end]);
            end + 4 + content_length(&head)
        });
        if let Some(whole) = whole.filter(|whole| buffer.len() >= *whole) {
            note(&buffer[..whole], seen);
            buffer.drain(..whole);
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
        } else if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}

fn note(request: &[u8], seen: &Seen) {
    let now = Instant::now();
    let mark = find(request, MARK).map(|at| at + MARK.len());
    let mark = mark.and_then(|at| request.get(at..at + MARK_DIGITS));
    if let Some(mark) = mark {
        let mut first = seen.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.entry(mark.to_vec()).or_insert(now);
        drop(first);
        seen.came.notify_waiters();
    }
}
