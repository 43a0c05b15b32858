//! A queue of any size from a seed: what the reading benchmarks run on.
//!
//! It goes in through the API, as lists of alerts that are one transaction each, and is handled by
//! the whole pipeline, so that every index, counter and link is what it is in use. A directory that
//! was filled before is used again.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

use super::load::Connection;
use super::report::say;
use crate::backend::{Backend, BackendOptions, KEY_STORE};
use crate::dice::Dice;

/// Where the generator begins.
const SEED: u64 = 0x0ca1_5e7a_be9c_0001;
/// Alerts in a body: half of what one may hold.
const ALERTS_A_BODY: usize = 250;
/// Bodies under way at once.
const CONNECTIONS: usize = 4;
/// How many alerts are moved on after they came in; the rest of a queue is open.
const MOVED_MAX: usize = 20_000;
/// What the pipeline may take for an alert before the run is given up, on a busy machine.
const HANDLED_WITHIN_EACH: Duration = Duration::from_millis(50);
/// What it may take for few.
const HANDLED_WITHIN: Duration = Duration::from_mins(2);
/// How often is asked whether it is done.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// The first alert's moment, 2026-01-01T00:00:00Z, in seconds; alerts of 90 days follow.
const FIRST_SECOND: usize = 1_767_225_600;
/// The days that the alerts are spread over, in seconds.
const SPREAD_SECONDS: usize = 90 * 86_400;
/// What was filled, beside the data.
const MARK: &str = "corpus.json";

/// A word in three alerts.
pub const RARE_WORD: &str = "quokkabeacon";
/// A word in one of five alerts.
pub const COMMON_WORD: &str = "powershell";
/// Addresses that come up again and again: 45.12.0.0/22.
const HOT_ADDRESSES: usize = 1000;

const SEVERITIES: [&str; 20] = [
    "Informational",
    "Informational",
    "Informational",
    "Informational",
    "Low",
    "Low",
    "Low",
    "Low",
    "Low",
    "Low",
    "Low",
    "Medium",
    "Medium",
    "Medium",
    "Medium",
    "Medium",
    "High",
    "High",
    "High",
    "Critical",
];
const TAGS: [&str; 12] = [
    "phishing",
    "email",
    "vpn",
    "identity",
    "endpoint",
    "exfiltration",
    "lateral",
    "cloud",
    "network",
    "policy",
    "malware",
    "recon",
];
const RULES: [&str; 10] = [
    "Sign-in from an unfamiliar location",
    "Mailbox rule forwards outside",
    "Service account used at night",
    "Hash of a known loader",
    "Many failed sign-ins",
    "Large upload to a new host",
    "New local administrator",
    "Tunnelled name lookups",
    "Office program starts a shell",
    "Consent to an unverified application",
];

/// The alert `n` of `count`.
fn alert(dice: &mut Dice, n: usize, count: usize) -> Value {
    let rule = dice.below(200);
    let name = RULES[rule % RULES.len()];
    let host = dice.below(20_000);
    let address = address(dice, count);
    let word = if n.is_multiple_of(5) {
        COMMON_WORD
    } else {
        "a scheduled task"
    };
    let rare = if n % (count / 3).max(1) == 7 {
        RARE_WORD
    } else {
        "nothing else"
    };
    let second = FIRST_SECOND + n * SPREAD_SECONDS / count + dice.below(600);
    let hash = (0..8).fold(String::new(), |mut text, _| {
        write!(text, "{:08x}", dice.below(1 << 32)).expect("writing to a String cannot fail");
        text
    });
    json!({
        "title": format!("{name} on ws-{host} ({n})"),
        "severity": dice.pick(&SEVERITIES),
        "occurred_at": second.to_string(),
        "description": format!(
            "A process started by {word} on ws-{host} reached {address} and wrote to a folder that \
             it had not used before; with it was seen {rare}. The rule compares the last 30 days."
        ),
        "tags": [dice.pick(&TAGS), dice.pick(&TAGS)],
        "rule_id": format!("rule-{rule}"),
        "rule_name": format!("{name} {rule}"),
        "src_ip": address,
        "domain": format!("host-{}.example.net", dice.below(30_000)),
        "user": format!("user{}@example.com", dice.below(5_000)),
        "sha256": hash,
        "process": {"command_line": format!("cmd /c run.bat {host}"), "parent": "explorer.exe"},
    })
}

/// A third are hot; the others come up twice or so.
fn address(dice: &mut Dice, count: usize) -> String {
    if dice.below(3) == 0 {
        let hot = dice.below(HOT_ADDRESSES);
        return format!("45.12.{}.{}", hot / 256, hot % 256);
    }
    let cold = dice.below(count / 2 + 1);
    format!("51.{}.{}.{}", cold >> 16 & 255, cold >> 8 & 255, cold & 255)
}

/// A backend on a directory that holds `count` alerts, and a key for it.
pub async fn backend(program: &Path, dir: &Path, count: usize) -> Result<(Backend, String)> {
    let options = BackendOptions {
        program: program.to_owned(),
        ..BackendOptions::new(&dir.join("data"))
    };
    let expected = json!({"alerts": count, "seed": SEED});
    let mark = std::fs::read(dir.join(MARK)).unwrap_or_default();
    if serde_json::from_slice::<Value>(&mark).is_ok_and(|mark| mark == expected) {
        let key = key(&options).await?;
        return Ok((Backend::start(&options).await?, key));
    }
    ensure!(
        !dir.join("data").exists(),
        "{} holds something else; give an empty directory",
        dir.display()
    );
    let backend = Backend::start(&options).await?;
    let key = backend.admin().to_owned();
    fill(&backend, &key, count).await?;
    std::fs::write(dir.join(MARK), expected.to_string())?;
    Ok((backend, key))
}

async fn key(options: &BackendOptions) -> Result<String> {
    let made = Command::new(&options.program)
        .env(KEY_STORE.0, KEY_STORE.1)
        .args([
            "keys",
            "create",
            "--json",
            "--name",
            "bench",
            "--scopes",
            "admin",
            "--data-dir",
        ])
        .arg(&options.data_dir)
        .output()
        .await?;
    let line: Value = serde_json::from_slice(&made.stdout).context("keys create")?;
    Ok(line["key"].as_str().context("a key")?.to_owned())
}

async fn fill(backend: &Backend, key: &str, count: usize) -> Result<()> {
    let started = Instant::now();
    let moved = post_all(backend, key, count).await?;
    say(&format!(
        "  {count} alerts posted in {:.0} s",
        started.elapsed().as_secs_f64()
    ));
    move_on(backend, key, &moved).await?;
    say(&format!(
        "  {} moved on after {:.0} s",
        moved.len(),
        started.elapsed().as_secs_f64()
    ));
    let mut connection = Connection::open(backend.address(), key).await?;
    let within = HANDLED_WITHIN + HANDLED_WITHIN_EACH * u32::try_from(count)?;
    loop {
        let path = "/v1/alerts?enrichment_status=Pending&page_size=1&count=capped";
        let (status, body) = connection.ask("GET", path, &[]).await?;
        ensure!(status == 200, "{status}");
        let body: Value = serde_json::from_slice(body)?;
        if body["meta"]["total"] == 0 {
            break;
        }
        ensure!(started.elapsed() < within, "not handled: {}", body["meta"]);
        tokio::time::sleep(ASK_EVERY).await;
    }
    say(&format!(
        "  handled after {:.0} s",
        started.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// Posts them all; the uuids of those that shall be moved on.
async fn post_all(backend: &Backend, key: &str, count: usize) -> Result<Vec<String>> {
    let every = (count / MOVED_MAX).max(10);
    let mut lanes = tokio::task::JoinSet::new();
    for lane in 0..CONNECTIONS {
        let mut connection = Connection::open(backend.address(), key).await?;
        lanes.spawn(async move {
            let mut moved = Vec::new();
            let bodies = count.div_ceil(ALERTS_A_BODY);
            for body in (lane..bodies).step_by(CONNECTIONS) {
                let mut dice = Dice::new(SEED ^ u64::try_from(body)?);
                let range = body * ALERTS_A_BODY..count.min((body + 1) * ALERTS_A_BODY);
                let alerts: Vec<Value> =
                    range.clone().map(|n| alert(&mut dice, n, count)).collect();
                let text = Value::Array(alerts).to_string();
                let (status, answer) = connection
                    .ask("POST", "/v1/ingest/generic", text.as_bytes())
                    .await?;
                ensure!(
                    status == 202,
                    "{status}: {}",
                    String::from_utf8_lossy(answer)
                );
                let answer: Value = serde_json::from_slice(answer)?;
                moved.extend(uuids(&answer, range.start, every));
            }
            Ok::<_, anyhow::Error>(moved)
        });
    }
    let mut moved = Vec::new();
    while let Some(lane) = lanes.join_next().await {
        moved.extend(lane??);
    }
    Ok(moved)
}

/// Of a body's answer, whose first alert is `first`, every so manieth alert's uuid.
fn uuids(answer: &Value, first: usize, every: usize) -> Vec<String> {
    let views = match answer["meta"]["alerts"].as_array() {
        Some(all) => all.as_slice(),
        None => answer["data"].as_array().map_or(&[][..], Vec::as_slice),
    };
    let chosen = views
        .iter()
        .enumerate()
        .filter(|(n, _)| (first + n).is_multiple_of(every));
    chosen
        .filter_map(|(_, view)| view["alert_uuid"].as_str().map(str::to_owned))
        .collect()
}

async fn move_on(backend: &Backend, key: &str, alerts: &[String]) -> Result<()> {
    let changes = [
        json!({"status": "Triaging"}),
        json!({"status": "Escalated"}),
        json!({"status": "Closed", "close_classification": "Undetermined"}),
        json!({"status": "Closed", "close_classification": "Duplicate"}),
    ];
    let mut connection = Connection::open(backend.address(), key).await?;
    for (n, uuid) in alerts.iter().enumerate() {
        let change = changes[n % changes.len()].to_string();
        let path = format!("/v1/alerts/{uuid}");
        let (status, _) = connection.ask("PATCH", &path, change.as_bytes()).await?;
        ensure!(status == 200, "{path}: {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rare_word_is_in_three_alerts_and_the_common_one_in_a_fifth() {
        let mut dice = Dice::new(SEED);
        let texts: Vec<String> = (0..3000)
            .map(|n| alert(&mut dice, n, 3000).to_string())
            .collect();
        let with = |word: &str| texts.iter().filter(|text| text.contains(word)).count();
        assert_eq!((with(RARE_WORD), with(COMMON_WORD)), (3, 600));
    }

    #[test]
    fn the_same_alert_comes_from_the_same_seed() {
        let make = || alert(&mut Dice::new(7), 1, 10);
        assert_eq!(make(), make());
    }
}
