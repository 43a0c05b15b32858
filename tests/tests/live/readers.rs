//! Three ways to follow the log: one long stream, streams that resume, and the long poll.

use anyhow::{Context as _, Result, bail, ensure};
use calseta_tests::backend::{DEADLINE, http_client};
use reqwest::Response;
use serde_json::Value;

/// Where the log is, and the key that reads it.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) base_url: String,
    pub(crate) key: String,
}

/// An open stream with what of it is not read yet.
struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    async fn open(reader: &Reader, last_event_id: i64) -> Result<Self> {
        let response = http_client()?
            .get(format!("{}/v1/events", reader.base_url))
            .bearer_auth(&reader.key)
            .header("accept", "text/event-stream")
            .header("last-event-id", last_event_id.to_string())
            .send()
            .await?;
        ensure!(response.status() == 200, "{}", response.status());
        let text = String::new();
        Ok(Self { response, text })
    }

    /// The next event; comments that keep the connection open are passed over.
    async fn next(&mut self) -> Result<Value> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                if let Some(event) = parse(&block)? {
                    return Ok(event);
                }
            }
            let chunk = tokio::time::timeout(DEADLINE, self.response.chunk())
                .await
                .context("no event came")??;
            let chunk = chunk.context("the stream ended")?;
            self.text.push_str(std::str::from_utf8(&chunk)?);
        }
    }
}

/// An event of a stream, which says the same in its lines as in its body; a comment is none.
fn parse(block: &str) -> Result<Option<Value>> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
    let Some(data) = field("data: ") else {
        return Ok(None);
    };
    let event: Value = serde_json::from_str(data)?;
    let (id, kind) = (field("id: "), field("event: "));
    if id != Some(&*event["seq"].to_string()) || kind != event["type"].as_str() {
        bail!("the lines say something else than the body: {block}");
    }
    Ok(Some(event))
}

fn seq(event: &Value) -> Result<i64> {
    event["seq"].as_i64().context("seq")
}

impl Reader {
    /// Reads one stream until this many events came.
    pub(crate) async fn stream(&self, count: usize) -> Result<Vec<Value>> {
        let mut stream = Stream::open(self, 0).await?;
        let mut events = Vec::with_capacity(count);
        while events.len() < count {
            events.push(stream.next().await?);
        }
        Ok(events)
    }

    /// Reads a few events of a stream, leaves it, and resumes after the last of them.
    pub(crate) async fn resumed(&self, count: usize, each: usize) -> Result<Vec<Value>> {
        let (mut events, mut last) = (Vec::with_capacity(count), 0);
        while events.len() < count {
            let mut stream = Stream::open(self, last).await?;
            for _ in 0..each.min(count - events.len()) {
                let event = stream.next().await?;
                last = seq(&event)?;
                events.push(event);
            }
        }
        Ok(events)
    }

    /// One answer of the poll: its events and where to go on.
    pub(crate) async fn poll(&self, after: i64, wait_seconds: u32) -> Result<(Vec<Value>, i64)> {
        let url = format!(
            "{}/v1/events?after={after}&wait_seconds={wait_seconds}",
            self.base_url
        );
        let response = http_client()?
            .get(url)
            .bearer_auth(&self.key)
            .send()
            .await?;
        ensure!(response.status() == 200, "{}", response.status());
        let body: Value = serde_json::from_str(&response.text().await?)?;
        let events = body["data"]["events"].as_array().cloned();
        let next = body["data"]["next_after"].as_i64();
        Ok((events.context("events")?, next.context("next_after")?))
    }

    /// Polls, waiting for each answer, until this many events came.
    pub(crate) async fn polled(&self, count: usize) -> Result<Vec<Value>> {
        let (mut events, mut after) = (Vec::with_capacity(count), 0);
        while events.len() < count {
            let (more, next) = self.poll(after, 20).await?;
            ensure!(!more.is_empty(), "{} of {count} events came", events.len());
            events.extend(more);
            after = next;
        }
        Ok(events)
    }

    /// What the log holds for this key now.
    pub(crate) async fn log(&self) -> Result<Vec<Value>> {
        let (mut events, mut after) = (Vec::new(), 0);
        loop {
            let (more, next) = self.poll(after, 0).await?;
            if more.is_empty() {
                return Ok(events);
            }
            events.extend(more);
            after = next;
        }
    }
}
