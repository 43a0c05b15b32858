//! The load generator: hand-built HTTP/1.1 over kept connections.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The size of every body.
pub const BODY_BYTES: usize = 2048;
/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// How long one request may take before the run is given up.
const REQUEST_DEADLINE: Duration = Duration::from_mins(1);

/// An alert of exactly [`BODY_BYTES`], unlike any other: title, addresses and hash carry `n`.
pub fn body(run: u32, n: u32) -> Vec<u8> {
    let severity = ["Low", "Medium", "High", "Critical"][n as usize % 4];
    let [_, b, c, d] = n.to_be_bytes();
    let mut text = format!(
        "{{\"title\":\"bench {run:04}-{n:08}\",\"severity\":\"{severity}\",\
         \"occurred_at\":\"2026-03-01T12:00:00Z\",\"tags\":[\"bench\",\"load\"],\
         \"source_url\":\"https://siem.example.com/alerts/{n}\",\
         \"indicators\":[{{\"type\":\"ip\",\"value\":\"45.{b}.{c}.{d}\"}},\
         {{\"type\":\"domain\",\"value\":\"host-{}.example.com\"}},\
         {{\"type\":\"account\",\"value\":\"user{}@example.com\"}}],\
         \"host\":{{\"name\":\"ws-{}\",\"os\":\"linux\"}},\"description\":\"",
        n % 1000,
        n % 500,
        n % 2000,
    );
    let filler = "A process started by a scheduled task wrote to a folder it had not used before. ";
    let tail = "\"}";
    while text.len() + tail.len() < BODY_BYTES {
        let room = BODY_BYTES - tail.len() - text.len();
        text.push_str(&filler[..room.min(filler.len())]);
    }
    text.push_str(tail);
    text.into_bytes()
}

/// A kept connection with one request under way at a time.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// The lines that every request has.
    head: String,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects; every request is made with `key`.
    pub async fn open(address: SocketAddr, key: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let head = format!(
            " HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: "
        );
        Ok(Self {
            stream,
            head,
            buffer: Vec::with_capacity(4096),
        })
    }

    /// Asks and reads the whole answer; its status and body.
    pub async fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> Result<(u16, &[u8])> {
        let exchange = self.exchange(method, path, body);
        let (status, start) = tokio::time::timeout(REQUEST_DEADLINE, exchange)
            .await
            .context("a request was not answered")??;
        Ok((status, &self.buffer[start..]))
    }

    /// Posts an alert; the answer's status.
    pub async fn ingest(&mut self, body: &[u8]) -> Result<u16> {
        let (status, _) = self.ask("POST", "/v1/ingest/generic", body).await?;
        Ok(status)
    }

    /// The status, and where the body begins in the buffer.
    async fn exchange(&mut self, method: &str, path: &str, body: &[u8]) -> Result<(u16, usize)> {
        let mut request = Vec::with_capacity(self.head.len() + path.len() + 32 + body.len());
        for part in [
            method,
            " ",
            path,
            &self.head,
            &body.len().to_string(),
            "\r\n\r\n",
        ] {
            request.extend_from_slice(part.as_bytes());
        }
        request.extend_from_slice(body);
        self.stream.write_all(&request).await?;
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the backend closed the connection");
            ensure!(self.buffer.len() <= MAX_ANSWER_BYTES, "an answer too long");
            if let Some((status, start, whole)) = answer(&self.buffer)
                && self.buffer.len() >= whole
            {
                return Ok((status, start));
            }
        }
    }
}

/// Status, where the body begins and whole length of an answer whose head is complete.
fn answer(bytes: &[u8]) -> Option<(u16, usize, usize)> {
    let end = find(bytes, b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    Some((status, end, end + content_length(head)))
}

/// The length that a head declares; 0 when it does not.
pub fn content_length(head: &str) -> usize {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}

/// Where `wanted` begins.
pub fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|part| part == wanted)
}

/// What became of a run.
#[derive(Debug, Default)]
pub struct Tally {
    /// 202 answers.
    pub accepted: usize,
    /// Any other answer.
    pub refused: usize,
    /// Each accepted request's time.
    pub times: Vec<Duration>,
    /// From the first request to the last answer.
    pub elapsed: Duration,
}

/// Posts differing bodies over `connections` until `until` says to stop: it is given the number of
/// the next body of all.
pub async fn run(
    address: SocketAddr,
    key: &str,
    (run, connections): (u32, u32),
    until: impl Fn(u32) -> bool + Copy + Send + 'static,
) -> Result<Tally> {
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..connections {
        let mut connection = Connection::open(address, key).await?;
        tasks.spawn(async move {
            let (mut tally, mut n) = (Tally::default(), lane);
            while until(n) {
                let body = body(run, n);
                let sent = Instant::now();
                if connection.ingest(&body).await? == 202 {
                    tally.accepted += 1;
                    tally.times.push(sent.elapsed());
                } else {
                    tally.refused += 1;
                }
                n += connections;
            }
            Ok::<_, anyhow::Error>(tally)
        });
    }
    let mut all = Tally::default();
    while let Some(done) = tasks.join_next().await {
        let tally = done??;
        all.accepted += tally.accepted;
        all.refused += tally.refused;
        all.times.extend(tally.times);
    }
    all.elapsed = started.elapsed();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_has_the_stated_size_and_differs() {
        let (one, other) = (body(1, 1), body(1, 2));
        assert_eq!((one.len(), other.len()), (BODY_BYTES, BODY_BYTES));
        assert_ne!(one, other);
        for body in [one, other] {
            serde_json::from_slice::<serde_json::Value>(&body).expect("a body is JSON");
        }
    }

    #[test]
    fn an_answer_is_read_to_its_end() {
        let bytes = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(answer(bytes), Some((202, bytes.len() - 2, bytes.len())));
        assert_eq!(answer(&bytes[..20]), None);
    }
}
