//! Text that wants to be more than text: it is kept and given back as it came, and it forges no
//! line of the log.

use anyhow::{Context as _, Result, ensure};
use calseta_tests::raw;
use serde_json::json;

use crate::world::{Setup, World};

/// Every one ends with a word that a forged line would begin with.
const HOSTILE: &[(&str, &str)] = &[
    ("bidi", "abc\u{202e}gpj.exe\u{2066}x\u{2069}\u{200f}"),
    ("ANSI", "\u{1b}[2J\u{1b}[31mred\u{1b}]0;title\u{7}"),
    (
        "CR and LF",
        "first\r\n2026-01-01T00:00:00.000000Z ERROR FORGED by a title\nFORGED",
    ),
    (
        "other line ends",
        "a\u{2028}FORGED\u{2029}FORGED\u{85}FORGED\u{b}\u{c}.",
    ),
    (
        "markup",
        "<script>alert(1)</script><img src=x onerror=alert(1)>&lt;\"'",
    ),
    ("a formula", "=cmd|' /C calc'!A0"),
    ("zero width", "a\u{200b}b\u{200d}c\u{feff}d"),
    ("tag characters", "x\u{e0041}\u{e0042}\u{e007f}"),
    ("templates", "{{auth.api_key}} ${PATH} %s %n {0}"),
];

/// Lines of the log that did not come from the program, and control characters in any.
fn forged(log: &str) -> Vec<String> {
    let bad = |line: &&str| {
        let own = line.starts_with("20") && !line.contains("ERROR FORGED by");
        let begins_foreign = line.trim_start().starts_with("FORGED");
        let controls = line.chars().any(|c| c.is_control() && c != '\t');
        begins_foreign || controls || (!own && line.contains("ERROR FORGED by"))
    };
    // What a terminal takes for a line's end counts as one.
    let lines = log.split([
        '\n', '\r', '\u{2028}', '\u{2029}', '\u{85}', '\u{b}', '\u{c}',
    ]);
    lines
        .filter(bad)
        .map(|line| line.chars().take(200).collect())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_comes_back_as_it_was_sent() -> Result<()> {
    let world = World::with(Setup {
        log_level: "trace",
        ..Setup::default()
    })
    .await?;
    for (name, text) in HOSTILE {
        let payload = json!({"title": format!("t {text}"), "severity": "High", "description": text, "nested": {"k": [text]}});
        let made = world.backend.post("/v1/ingest/generic", &payload).await?;
        let uuid = made["alert_uuid"].as_str().context("alert_uuid")?;
        let path = format!("/v1/alerts/{uuid}");
        let alert = world.backend.get(&path).await?;
        ensure!(
            alert["raw_payload"] == payload,
            "{name}: {}",
            alert["raw_payload"]
        );
        ensure!(
            alert["title"] == payload["title"],
            "{name}: {}",
            alert["title"]
        );
        let finding = json!({
            "summary": text, "recommended_actions": [text], "details": {"k": text},
        });
        let posted = world
            .backend
            .post(&format!("{path}/findings"), &finding)
            .await?;
        ensure!(posted["summary"] == *text, "{name}: {}", posted["summary"]);
        ensure!(
            posted["details"]["k"] == *text,
            "{name}: {}",
            posted["details"]
        );
        let listed = world.backend.get(&format!("{path}/findings")).await?;
        ensure!(
            listed[0]["summary"] == *text,
            "{name}: {}",
            listed[0]["summary"]
        );
        let document = json!({
            "title": text, "document_type": "runbook", "content": text, "is_global": true,
        });
        let kept = world
            .backend
            .post("/v1/context-documents", &document)
            .await?;
        ensure!(
            kept["content"] == *text && kept["title"] == *text,
            "{name}: {kept}"
        );
        let key = json!({"name": text, "scopes": ["alerts:read"]});
        world.backend.post("/v1/api-keys", &key).await?;
        let agent = json!({"name": text, "webhook_url": "http://127.0.0.1:9/w"});
        world.backend.post("/v1/agents", &agent).await?;
    }
    paths_and_headers(&world).await?;
    world.is_unharmed().await?;
    let log = world.log()?;
    ensure!(
        log.contains("/v1/ingest/generic"),
        "the requests are in the log"
    );
    let found = forged(&log);
    ensure!(found.is_empty(), "forged lines:\n{}", found.join("\n"));
    Ok(())
}

/// The same through what is logged of every request: its path and its id.
async fn paths_and_headers(world: &World) -> Result<()> {
    let to = world.backend.address();
    let paths = [
        "/v1/ingest/x%0aFORGED",
        "/v1/ingest/x%0d%0aFORGED%1b[2J",
        "/v1/ingest/%e2%80%a8FORGED",
        "/v1/nope%0aFORGED",
        "/v1/alerts?status=%0aFORGED",
    ];
    for path in paths {
        let mut headers = raw::usual(to, world.backend.admin());
        headers.push("X-Request-Id: a\u{1b}[31mb".to_owned());
        headers.push("User-Agent: FORGED".to_owned());
        headers.push("X-Forwarded-For: FORGED".to_owned());
        for method in ["GET", "POST"] {
            let answer = raw::send(to, &raw::request(method, path, &headers, b"{}")).await?;
            ensure!(
                (200..500).contains(&answer.status),
                "{method} {path}: {}",
                answer.status
            );
            let echoed = answer.header("x-request-id").unwrap_or_default();
            ensure!(
                !echoed.contains('\u{1b}'),
                "{method} {path} echoes an escape"
            );
        }
    }
    Ok(())
}

#[test]
fn a_forged_line_would_be_found() {
    let honest = "2026-01-01T00:00:00.000000Z  INFO calseta: title=\"a\\nFORGED\"\n";
    assert!(forged(honest).is_empty());
    for text in HOSTILE
        .iter()
        .map(|(_, text)| text)
        .filter(|text| text.contains("FORGED"))
    {
        let log = format!("2026-01-01T00:00:00.000000Z  INFO calseta: title={text}\n");
        assert!(!forged(&log).is_empty(), "{text:?}");
    }
    assert!(!forged("2026-01-01T00:00:00.0Z INFO \u{1b}[31mred").is_empty());
}
