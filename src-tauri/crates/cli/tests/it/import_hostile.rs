//! What an import says and does when the other side is gone, refuses, is broken, or means harm.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::calseta::{Console, Ran, run};
use crate::import::import;
use crate::import_world::{alert, uuid};
use crate::old_server::{Answer, KEY, OldServer, World};

const RULES: &str = "/v1/detection-rules";

fn one_rule() -> World {
    World::of([(RULES, vec![json!({"uuid": uuid(1), "name": "A rule"})])])
}

/// Imports rules from a server whose list is answered with this.
async fn rules_answered(answer: Answer) -> Ran {
    let dir = TempDir::new().expect("a folder");
    let instead = move |path: &str, _: usize| {
        let list = path.starts_with("/v1/detection-rules?page=1&page_size=500");
        list.then(|| answer.clone())
    };
    let server = OldServer::start_with(one_rule(), instead).await;
    let _console = Console::start(dir.path()).await;
    import(&dir, &server.base_url, &["--only", "rules"]).await
}

fn said(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.exit, 1, "{}{}", ran.stdout, ran.stderr);
    for word in words {
        assert!(
            ran.stderr.contains(word),
            "it says {word:?}: {}",
            ran.stderr
        );
    }
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

#[tokio::test]
async fn without_a_running_console_it_says_how_to_start_one() {
    let (dir, server) = (TempDir::new().unwrap(), OldServer::start(one_rule()).await);
    let ran = import(&dir, &server.base_url, &[]).await;
    said(&ran, &["calseta serve --data-dir"]);
    assert!(server.asked().is_empty(), "nobody is asked for nothing");
}

#[tokio::test]
async fn a_key_that_is_not_taken_ends_it_with_4_and_is_shown_nowhere() {
    let (dir, server) = (TempDir::new().unwrap(), OldServer::start(one_rule()).await);
    let _console = Console::start(dir.path()).await;
    let wrong = "cai_a-key-that-nobody-has";
    let path = dir.path().to_str().unwrap();
    let arguments = [
        "import",
        "--data-dir",
        path,
        "--from",
        &server.base_url,
        "--key",
        wrong,
    ];
    let ran = run(&arguments).await;
    assert_eq!(ran.exit, 4, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("does not take the key") && ran.stderr.contains("Invalid API key.")
    );
    assert!(
        !ran.stderr.contains(wrong) && !ran.stdout.contains(wrong),
        "{}",
        ran.stderr
    );
    let ran = import(&dir, &server.base_url, &["--only", "rules"]).await;
    assert_eq!(
        ran.exit, 0,
        "the control: the right key is taken: {}",
        ran.stderr
    );
    assert!(
        !ran.stderr.contains(KEY) && !ran.stdout.contains(KEY),
        "{}",
        ran.stderr
    );
}

#[tokio::test]
async fn a_url_that_is_no_server_of_theirs_is_refused_in_words() {
    let dir = TempDir::new().unwrap();
    let console = Console::start(dir.path()).await;
    for (url, exit, words) in [
        ("ftp://example.org", 2, "http"),
        ("https://example.org/?x=1", 2, "without a query"),
        ("http://169.254.169.254", 2, "169.254.169.254"),
        ("http://127.0.0.1:1", 1, "refused"),
        (&console.base_url, 1, "port"),
    ] {
        let ran = import(&dir, url, &[]).await;
        assert_eq!(ran.exit, exit, "{url}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{url}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn broken_answers_are_named_and_not_followed() {
    let moved = Answer::text(302, "").with("location", "http://169.254.169.254/latest");
    let ran = rules_answered(moved).await;
    said(
        &ran,
        &["redirects to http://169.254.169.254/latest", "--from"],
    );
    let page = Answer::text(200, "<!doctype html><title>Calseta</title>");
    said(&rules_answered(page).await, &["the answer is no JSON"]);
    let shape = Answer::json(200, &json!({"data": {"uuid": 1}, "meta": {}}));
    said(
        &rules_answered(shape).await,
        &["not the answer of a Calseta server"],
    );
    let error = Answer::error(500, "INTERNAL_ERROR", "Out of \u{1b}[31mluck\u{202e}");
    let ran = rules_answered(error).await;
    said(&ran, &["answered 500: Out of \u{fffd}[31mluck\u{fffd}"]);
    let forbidden = Answer::error(403, "FORBIDDEN", "Insufficient scope.");
    said(
        &rules_answered(forbidden).await,
        &["may not read this: Insufficient scope.", "scope admin"],
    );
    let missing = Answer::error(404, "NOT_FOUND", "Not found.");
    said(&rules_answered(missing).await, &["is --from the base URL"]);
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    said(
        &rules_answered(Answer::text(200, &nested)).await,
        &["detection-rules"],
    );
}

#[tokio::test]
async fn things_of_the_wrong_shape_fail_alone() {
    let mut world = World::of([(
        RULES,
        vec![
            json!({"uuid": uuid(1), "name": ["no", "text"]}),
            json!({"uuid": uuid(2), "name": "Right"}),
            json!("not even an object"),
            json!({"uuid": uuid(3), "name": "Wrong inside", "mitre_tactics": {"a": 1}}),
        ],
    )]);
    world.list("/v1/alerts").extend([
        alert(5, "Right too", &json!({})),
        alert(6, "No payload", &json!({"raw_payload": null})),
        alert(7, "No source", &json!({"source_name": 7})),
    ]);
    let (dir, server) = (TempDir::new().unwrap(), OldServer::start(world).await);
    let _console = Console::start(dir.path()).await;
    let ran = import(&dir, &server.base_url, &["--only", "rules,alerts"]).await;
    assert_eq!(ran.exit, 1, "{}", ran.stderr);
    assert_eq!(ran.line("rule", "Right")["outcome"], "imported");
    assert_eq!(ran.line("alert", "Right too")["outcome"], "imported");
    for (kind, name) in [
        ("rule", "Wrong inside"),
        ("alert", "No payload"),
        ("alert", "No source"),
    ] {
        let line = ran.line(kind, name);
        assert_eq!(line["outcome"], "failed", "{line}");
        assert!(
            line["why"].as_str().is_some_and(|why| why.len() > 10),
            "{line}"
        );
    }
    let failed = ran
        .of("rule")
        .into_iter()
        .filter(|line| line["outcome"] == "failed");
    assert_eq!(failed.count(), 3, "{}", ran.stdout);
}

#[tokio::test]
async fn a_list_without_end_is_left_after_its_bound() {
    let endless = |path: &str, _: usize| {
        let page = path.strip_prefix("/v1/detection-rules?page=")?;
        let (page, _) = page.split_once('&')?;
        let page: u64 = page.parse().ok()?;
        let rule = json!({"uuid": uuid(page), "name": format!("Rule {page}")});
        Some(Answer::json(
            200,
            &json!({"data": [rule], "meta": {"total_pages": 9_999_999}}),
        ))
    };
    let (dir, server) = (
        TempDir::new().unwrap(),
        OldServer::start_with(one_rule(), endless).await,
    );
    let _console = Console::start(dir.path()).await;
    let ran = import(&dir, &server.base_url, &["--only", "rules"]).await;
    said(&ran, &["more than"]);
    assert!(
        server.asked().len() < 100,
        "{} requests",
        server.asked().len()
    );
    let same = |path: &str, _: usize| {
        let rule = json!({"uuid": uuid(1), "name": "Again"});
        let page = json!({"data": [rule], "meta": {"total_pages": 9_999_999}});
        path.starts_with(RULES).then(|| Answer::json(200, &page))
    };
    let server = OldServer::start_with(one_rule(), same).await;
    let ran = import(&dir, &server.base_url, &["--only", "rules"]).await;
    said(&ran, &["page 2 repeats"]);
    assert_eq!(ran.line("rule", "Again")["outcome"], "imported");
}

#[tokio::test]
async fn an_answer_too_large_to_hold_is_not_read() {
    let mut body = br#"{"data":[],"meta":{},"x":""#.to_vec();
    body.resize(65 * 1024 * 1024, b'x');
    let huge = Answer {
        status: 200,
        headers: Vec::new(),
        body: body.into(),
    };
    said(&rules_answered(huge).await, &["larger than 64 MB"]);
}

#[tokio::test]
async fn a_server_that_asks_for_patience_gets_it() {
    let busy = |path: &str, before: usize| {
        let limited = Answer::error(429, "RATE_LIMITED", "Slow down.").with("retry-after", "0");
        (path.contains("page_size=500") && before < 3).then_some(limited)
    };
    let (dir, server) = (
        TempDir::new().unwrap(),
        OldServer::start_with(one_rule(), busy).await,
    );
    let _console = Console::start(dir.path()).await;
    let ran = import(&dir, &server.base_url, &["--only", "rules"]).await;
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert_eq!(ran.line("rule", "A rule")["outcome"], "imported");
    let never = |path: &str, _: usize| {
        let limited = Answer::error(429, "RATE_LIMITED", "Slow down.").with("retry-after", "0");
        path.contains("page_size=500").then_some(limited)
    };
    let server = OldServer::start_with(one_rule(), never).await;
    said(
        &import(&dir, &server.base_url, &["--only", "rules"]).await,
        &["429: Slow down."],
    );
}

#[tokio::test]
async fn alerts_that_hide_at_a_page_s_edge_are_found() {
    // v1.1.0 sorts without a tie-breaker: here the second page repeats one alert and so hides another.
    let alerts: Vec<Value> = (0..501)
        .map(|n| alert(n, &format!("Alert {n:03}"), &json!({})))
        .collect();
    let hidden = alerts[500].clone();
    let page = move |path: &str, _: usize| {
        let second = path.contains("page=2&") && path.contains("sort_by=created_at");
        let again = json!({"data": [{"uuid": uuid(3), "title": "Alert 003"}, {"uuid": uuid(4), "title": "x"}],
            "meta": {"total": 501, "total_pages": 2}});
        second.then(|| Answer::json(200, &again))
    };
    let world = World::of([("/v1/alerts", alerts)]);
    let (dir, server) = (
        TempDir::new().unwrap(),
        OldServer::start_with(world, page).await,
    );
    let _console = Console::start(dir.path()).await;
    let ran = import(&dir, &server.base_url, &["--only", "alerts"]).await;
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert_eq!(ran.of("alert").len(), 501);
    let line = ran.line("alert", hidden["title"].as_str().unwrap());
    assert_eq!(line["outcome"], "imported");
}
