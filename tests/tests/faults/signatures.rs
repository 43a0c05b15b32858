//! Signatures as the world's own libraries see them: every webhook verifies, and none does after
//! one bit of it was changed.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use calseta_tests::backend::{Backend, BackendOptions};
use calseta_tests::bench::load::{self, Connection};
use calseta_tests::goals;
use calseta_tests::recorder::{Recorded, Recorder};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::tools::{python, script, tool};
use crate::world::Random;

/// Webhooks that are verified.
const WEBHOOKS: u32 = 1000;
/// The headers that a signature is about.
const HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// A webhook as a library is asked about it.
#[derive(Clone)]
struct Message {
    headers: [String; 3],
    body: Vec<u8>,
}

impl Message {
    fn of(recorded: &Recorded) -> Self {
        Self {
            headers: HEADERS.map(|name| recorded.header(name).to_owned()),
            body: recorded.body.clone(),
        }
    }

    /// The same with one bit changed: of the id, the time, the signature or the body.
    fn flipped(&self, random: &mut Random) -> Self {
        let mut other = self.clone();
        let place = usize::try_from(random.within(0, 3)).unwrap_or(3);
        if let Some(header) = other.headers.get_mut(place) {
            // Past the version of a signature. The lowest bit keeps text text.
            let from = if place == 2 { "v1,".len() } else { 0 };
            // The last character of a signature's base64 may carry bits that mean nothing.
            let last = header.len() - if place == 2 { 3 } else { 1 };
            let at = index(random, from, last);
            let mut bytes = header.clone().into_bytes();
            bytes[at] ^= 1;
            *header = String::from_utf8(bytes).unwrap_or_default();
        } else {
            let at = index(random, 0, other.body.len() - 1);
            other.body[at] ^= 1 << random.within(0, 7);
        }
        other
    }
}

fn index(random: &mut Random, from: usize, to: usize) -> usize {
    let number = random.within(from as u64, to as u64);
    usize::try_from(number).unwrap_or(from)
}

/// What the official Rust library says.
fn rust(secret: &str, messages: &[Message]) -> Result<Vec<bool>> {
    let library = standardwebhooks::Webhook::new(secret)?;
    let verify = |message: &Message| -> Result<bool> {
        let mut headers = HeaderMap::new();
        for (name, value) in HEADERS.iter().zip(&message.headers) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value)?);
        }
        Ok(library.verify(&message.body, &headers).is_ok())
    };
    messages.iter().map(verify).collect()
}

/// What a library of another language says, in its own process.
async fn elsewhere(mut command: Command, secret: &str, messages: &[Message]) -> Result<Vec<bool>> {
    let line = |message: &Message| {
        let [id, timestamp, signature] = &message.headers;
        let headers = json!({HEADERS[0]: id, HEADERS[1]: timestamp, HEADERS[2]: signature});
        let body = STANDARD.encode(&message.body);
        json!({"secret": secret, "headers": headers, "body": body}).to_string() + "\n"
    };
    let input: String = messages.iter().map(line).collect();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().context("stdin is piped")?;
    let feed = async move {
        stdin.write_all(input.as_bytes()).await?;
        stdin.shutdown().await
    };
    let (fed, output) = tokio::join!(feed, child.wait_with_output());
    fed?;
    let said = String::from_utf8(output?.stdout)?;
    Ok(said.lines().map(|line| line == "ok").collect())
}

/// All three libraries, by name.
async fn verdicts(secret: &str, messages: &[Message]) -> Result<[(&'static str, Vec<bool>); 3]> {
    let python = python("webhooks/verify.py")?;
    let mut node = Command::new(tool("CALSETA_TEST_NODE")?);
    node.arg(script("webhooks/verify.cjs"))
        .env("NODE_PATH", tool("CALSETA_TEST_NODE_MODULES")?);
    Ok([
        ("Rust", rust(secret, messages)?),
        ("Python", elsewhere(python, secret, messages).await?),
        ("JavaScript", elsewhere(node, secret, messages).await?),
    ])
}

/// As many webhooks as alerts, and the secret they are signed with.
async fn webhooks() -> Result<(String, Vec<Recorded>)> {
    let files = tempfile::tempdir()?;
    let backend = Backend::start(&BackendOptions::new(files.path())).await?;
    let agent = Recorder::start().await?;
    let (_, secret) = backend
        .register_agent("signed", &agent.url, &json!({}))
        .await?;
    let mut connection = Connection::open(backend.address(), backend.admin()).await?;
    for n in 0..WEBHOOKS {
        let status = connection.ingest(&load::body(3, n)).await?;
        ensure!(status == 202, "alert {n} was answered {status}");
    }
    let mut last = 0;
    // As long as they come, however slowly: on a busy machine a thousand take a while.
    while last < WEBHOOKS as usize {
        last = agent.wait(last + 1).await?.len();
    }
    Ok((secret, agent.seen()))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_webhook_verifies_with_the_official_libraries_and_none_after_a_change() -> Result<()>
{
    let mut random = Random::seeded("signatures");
    let (secret, seen) = webhooks().await?;
    let mut ids: Vec<&str> = seen.iter().map(|one| one.header("webhook-id")).collect();
    ids.sort_unstable();
    ids.dedup();
    goals::shown(
        "W2",
        format!("{} deliveries without a fault", seen.len()),
        format!("{} twice, 0 missing", seen.len() - ids.len()),
        "0, 0",
    );
    ensure!(
        ids.len() == seen.len(),
        "a delivery came twice without a fault"
    );
    let good: Vec<Message> = seen.iter().map(Message::of).collect();
    let bad: Vec<Message> = good
        .iter()
        .map(|message| message.flipped(&mut random))
        .collect();
    let (mut accepted, mut fooled) = (Vec::new(), Vec::new());
    for (library, verdicts) in verdicts(&secret, &good).await? {
        ensure!(
            verdicts.len() == good.len(),
            "{library} answered {} times",
            verdicts.len()
        );
        accepted.push(verdicts.iter().filter(|is_good| **is_good).count());
    }
    for (library, verdicts) in verdicts(&secret, &bad).await? {
        ensure!(
            verdicts.len() == bad.len(),
            "{library} answered {} times",
            verdicts.len()
        );
        fooled.push(verdicts.iter().filter(|is_good| **is_good).count());
    }
    let all = good.len();
    goals::shown(
        "W6",
        format!("{all} webhooks, official Rust, Python and JavaScript libraries"),
        format!("verified {accepted:?}"),
        "all",
    );
    goals::control(
        "W6",
        format!(
            "of {all} with one bit changed, verified {fooled:?} ({})",
            random.seed()
        ),
    );
    ensure!(
        accepted.iter().all(|count| *count == all),
        "verified {accepted:?} of {all}"
    );
    ensure!(
        fooled.iter().all(|count| *count == 0),
        "changed webhooks verified: {fooled:?}"
    );
    Ok(())
}
