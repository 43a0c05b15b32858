//! A filled window, and what every test does with its pages.

use std::thread;
use std::time::Instant;

use calseta_tests::caseload;
use calseta_tests::dice::Dice;
use calseta_tests::webdriver::{Until, keys};
use serde_json::{Value, json};

use crate::recorder::Recorder;
use crate::world::{SOON, World};

/// Where the shared caseload begins.
const SEED: u64 = 0x5eed_0001;
/// Alerts of the filled window: more than a screen.
const ALERTS: usize = 60;
/// The themes that the tokens define.
pub(crate) const THEMES: [&str; 4] = ["dark", "light", "contrast-dark", "contrast-light"];

/// What the views show.
pub(crate) struct Filled {
    /// An alert with a rule, indicators, documents and findings that disagree.
    pub(crate) alert: String,
    /// An agent that has been told of alerts.
    pub(crate) agent: String,
    /// The agent itself, listening as long as this is kept.
    _peer: Recorder,
}

/// Posts the caseload, an agent, findings and a runbook.
pub(crate) fn fill(world: &World) -> Filled {
    world.call("POST", "/v1/context-documents", &caseload::runbook());
    let peer = Recorder::start();
    let (agent, key) = world.agent("triage-bot", &peer.url);
    let (_, other) = world.agent("second-opinion", &peer.url);
    let mut dice = Dice::new(SEED);
    let mut alerts = caseload::alerts(&mut dice, 0, ALERTS);
    alerts.push(rich());
    let ids = world.alerts(alerts);
    let alert = ids.last().expect("they were accepted").clone();
    for id in ids.iter().step_by(7) {
        let path = format!("/v1/alerts/{id}/findings");
        world.call_with(&key, "POST", &path, &caseload::finding(&mut dice));
    }
    let told = told(world, &agent, &alert);
    disagree(world, &alert, (&key, &other), &told);
    world.until("return document.querySelectorAll('.grid__row').length > 20");
    press(world, "r");
    Filled {
        alert,
        agent,
        _peer: peer,
    }
}

fn rich() -> Value {
    json!({
        "title": "Many failed sign-ins, then a success for n.hathaway",
        "severity": "High",
        "rule_id": "rule-identity",
        "rule_name": "Many failed sign-ins",
        "description": "Forty-seven failures from one address, then a success without a second factor.",
        "tags": ["identity", "vpn"],
        "src_ip": "185.220.101.47",
        "domain": "login.example.net",
        "user": "n.hathaway@example.com",
        "source_url": "https://siem.example.com/alerts/4711",
        "sign_in": { "failures": 47, "factor": null, "client": { "name": "IMAP", "version": "4rev1" } },
    })
}

/// The delivery by which an agent was told of an alert.
fn told(world: &World, agent: &str, alert: &str) -> Value {
    let path = format!("/v1/agents/{agent}/deliveries?page_size=200");
    let end = Instant::now() + SOON;
    loop {
        let all = world.call("GET", &path, &Value::Null);
        let all = all.as_array().expect("a list");
        if let Some(one) = all.iter().find(|one| one["alert_uuid"] == alert) {
            return one["uuid"].clone();
        }
        assert!(Instant::now() < end, "the agent is told of {alert}");
        thread::yield_now();
    }
}

/// One says malicious, the other benign; the first cites what is there, what is not and what differs.
fn disagree(world: &World, alert: &str, (first, second): (&str, &str), told: &Value) {
    let path = format!("/v1/alerts/{alert}/findings");
    let malicious = json!({
        "summary": "47 failed sign-ins, then a success from a Tor exit; no travel on record.",
        "verdict": "malicious", "confidence": 0.92,
        "citations": [
            { "claim": "47 failures", "ref": { "raw_pointer": "/sign_in/failures" }, "expected": 47 },
            { "claim": "A second factor was asked", "ref": { "raw_pointer": "/sign_in/factor" }, "expected": "push" },
            { "claim": "Seen at the gateway", "ref": { "raw_pointer": "/gateway/seen" }, "expected": true },
            { "claim": "The user is abroad" },
        ],
        "recommended_actions": ["Revoke all active sessions"], "not_checked": ["mailbox rules"],
        "details": { "exit_node": true }, "delivery_uuid": told,
    });
    let benign = json!({
        "summary": "The address is the company's own fallback line.",
        "verdict": "benign", "confidence": 0.55,
        "citations": [
            { "claim": "47 failures", "ref": { "raw_pointer": "/sign_in/failures" }, "expected": 47 },
        ],
    });
    world.call_with(first, "POST", &path, &malicious);
    world.call_with(second, "POST", &path, &benign);
}

/// Paints the window in a theme.
pub(crate) fn in_theme(world: &World, theme: &str) {
    let script = format!(
        "document.documentElement.dataset.theme = {}; return 1",
        Value::from(theme)
    );
    world.browser.execute(&script).expect("a theme");
}

/// Closes what stands over the page.
pub(crate) fn close_dialogs(world: &World) {
    let open = "return !!document.querySelector('dialog[open]')";
    while world.browser.execute(open).expect("a page") == Value::Bool(true) {
        press(world, keys::ESCAPE);
    }
}

/// Waits until something is on the screen.
pub(crate) fn shown(world: &World, css: &str) {
    world
        .browser
        .wait_for(Until::Css(css), SOON)
        .unwrap_or_else(|error| panic!("{css} never came: {error:#}"));
}

/// Presses keys wherever the focus is.
pub(crate) fn press(world: &World, text: &str) {
    world.browser.press(text).expect("keys");
}
