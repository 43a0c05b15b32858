//! HTTP by hand: requests that no client library would send.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long an answer may take.
const ANSWER_DEADLINE: Duration = Duration::from_secs(20);
/// The longest answer that is read.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The error's code; empty when it is no error envelope.
    pub fn code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// `None` when it is what the API may answer: the error envelope, or a success.
    pub fn oddity(&self) -> Option<String> {
        let text = || String::from_utf8_lossy(&self.body[..self.body.len().min(300)]).into_owned();
        if self.status >= 500 {
            return Some(format!("{}: {}", self.status, text()));
        }
        let json = self.json();
        let fine = if self.status >= 400 {
            let error = &json["error"];
            error["code"].is_string()
                && error["message"].is_string()
                && error["details"].is_object()
        } else {
            self.status == 204 || json.get("data").is_some() || json.get("status").is_some()
        };
        (!fine).then(|| format!("{} without its envelope: {}", self.status, text()))
    }
}

/// Sends bytes on a new connection and reads one answer.
pub async fn send(to: SocketAddr, request: &[u8]) -> Result<Answer> {
    let exchange = async {
        let mut stream = TcpStream::connect(to).await?;
        // The server may answer and close before it has read everything.
        drop(stream.write_all(request).await);
        if request.starts_with(b"HEAD ") {
            return head(&mut stream).await;
        }
        read(&mut stream).await
    };
    tokio::time::timeout(ANSWER_DEADLINE, exchange)
        .await
        .context("no answer in time")?
}

/// Reads the answer to a HEAD request: it names a length and sends no body.
async fn head(stream: &mut TcpStream) -> Result<Answer> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_ANSWER)?;
    stream.take(limit).read_to_end(&mut bytes).await?;
    let text = String::from_utf8_lossy(&bytes).to_lowercase();
    let bodiless = text.replace("content-length", "announced-length");
    parse(bodiless.as_bytes())?.context("a whole head")
}

/// Reads one answer.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Answer> {
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 16 * 1024];
    loop {
        if let Some(answer) = parse(&bytes)? {
            return Ok(answer);
        }
        let read = stream.read(&mut chunk).await;
        match read {
            Ok(0) | Err(_) if bytes.is_empty() => bail!("the connection closed without an answer"),
            Ok(0) | Err(_) => bail!("the answer broke off: {}", String::from_utf8_lossy(&bytes)),
            Ok(n) => bytes.extend_from_slice(&chunk[..n]),
        }
        if bytes.len() > MAX_ANSWER {
            bail!("the answer is too long");
        }
    }
}

/// `None` while it is incomplete. Answers of the API carry their length.
fn parse(bytes: &[u8]) -> Result<Option<Answer>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    let status: u16 = status.split(' ').nth(1).context("a status line")?.parse()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(Ok(0), |(_, value)| value.parse())?;
    let body = &bytes[end + 4..];
    if body.len() < length {
        return Ok(None);
    }
    let body = body[..length].to_vec();
    Ok(Some(Answer {
        status,
        headers,
        body,
    }))
}

/// A request as text; `headers` are whole lines.
pub fn request(method: &str, target: &str, headers: &[String], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
    for line in headers {
        text.extend_from_slice(line.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    if !body.is_empty() {
        text.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    text.extend_from_slice(b"Connection: close\r\n\r\n");
    text.extend_from_slice(body);
    text
}

/// The headers of an ordinary JSON request with a key.
pub fn usual(to: SocketAddr, key: &str) -> Vec<String> {
    vec![
        format!("Host: {to}"),
        format!("Authorization: Bearer {key}"),
        "Content-Type: application/json".to_owned(),
    ]
}
