//! Every view of the window, filled: what looks, sounds or breaks is looked for on each of them.

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

/// A view: its name in files, and the way to it.
pub(crate) struct View {
    pub(crate) name: &'static str,
    open: fn(&World, &Filled),
}

impl View {
    /// Opens it, from wherever the window is.
    pub(crate) fn open(&self, world: &World, filled: &Filled) {
        close_dialogs(world);
        (self.open)(world, filled);
    }
}

/// All of them.
pub(crate) const VIEWS: &[View] = &[
    View {
        name: "queue",
        open: |world, _| {
            world.walk_to("/");
            shown(world, ".grid__row");
        },
    },
    View {
        name: "alert",
        open: |world, filled| {
            world.walk_to(&format!("/alerts/{}", filled.alert));
            shown(world, ".finding");
        },
    },
    View {
        name: "close",
        open: |world, filled| {
            world.walk_to(&format!("/alerts/{}", filled.alert));
            shown(world, ".finding");
            press(world, "c");
            shown(world, "dialog[open]");
        },
    },
    View {
        name: "shortcuts",
        open: |world, _| {
            world.walk_to("/");
            shown(world, ".grid__row");
            press(world, "?");
            shown(world, "dialog[open]");
        },
    },
    View {
        name: "agents",
        open: |world, _| {
            world.walk_to("/agents");
            world.sees("triage-bot");
        },
    },
    View {
        name: "agent",
        open: |world, filled| {
            world.walk_to(&format!("/agents/{}", filled.agent));
            world.until("return document.querySelector('main h1, main h2')?.textContent.includes('triage-bot')");
        },
    },
    View {
        name: "new-agent",
        open: |world, _| {
            world.walk_to("/agents/new");
            shown(world, "main form, main input");
        },
    },
    View {
        name: "nothing-here",
        open: |world, _| {
            world.walk_to("/no/such/page");
            world.sees("There is nothing here");
        },
    },
];

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
    disagree(world, &alert, (&key, &other));
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

/// One says malicious, the other benign; the first cites what is there, what is not and what differs.
fn disagree(world: &World, alert: &str, (first, second): (&str, &str)) {
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
        "details": { "exit_node": true },
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
