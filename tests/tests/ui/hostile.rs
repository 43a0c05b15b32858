//! Alert content is written by attackers. It is text, whatever it looks like.
//!
//! Fifty payloads go into every field that the window shows; then every page that shows them is
//! opened and everything on it unfolded. Nothing may run, nothing may be fetched, and no element
//! may stand in the page that only a payload can have made.

use std::thread;
use std::time::Instant;

use calseta_tests::page;
use serde_json::{Value, json};

use crate::payloads::{PAYLOADS, with_sink};
use crate::recorder::Recorder;
use crate::strike::strike;
use crate::views::{self, press, shown};
use crate::world::{SOON, World};

/// Asked about accounts, it answers with text fields.
const PROVIDER: &str = "hr_insider_risk";
/// Unfolds what is folded; how much that was.
const UNFOLD: &str = "const folded = [...document.querySelectorAll(\
     'main details:not([open]) > summary, main [aria-expanded=false]:not([aria-haspopup])')]; \
     folded.forEach(one => one.click()); return folded.length";
/// Fields of an alert's page that show its payload, at the least.
const SHOWN_TIMES: u64 = 15;
/// Rounds of unfolding: what is inside may be folded too.
const UNFOLD_ROUNDS: usize = 3;

#[test]
fn no_payload_in_any_field_runs_or_fetches() {
    let world = World::start_without_demo();
    let sink = Recorder::start();
    page::watch(&world.browser).expect("watched");
    let payloads: Vec<String> = PAYLOADS
        .iter()
        .enumerate()
        .map(|(n, payload)| format!("{} {}", with_sink(payload, &sink.url), mark(n)))
        .collect();
    let lookups = hostile_lookups(&world, payloads.clone());
    let alerts: Vec<String> = payloads
        .iter()
        .enumerate()
        .map(|(n, payload)| plant(&world, n, payload))
        .collect();
    document_rules(&world, &payloads);

    let deadline = Instant::now() + SOON;
    while lookups.received().len() < payloads.len() {
        assert!(Instant::now() < deadline, "every account is looked up");
        thread::yield_now();
    }

    let mut faults = Vec::new();
    world.walk_to("/");
    press(&world, "r");
    world.until("return document.querySelectorAll('.grid__row').length > 20");
    look(&world, "the queue", &mut faults);
    look_at_alerts(&world, &alerts, &mut faults);
    world.keep("hostile-dark-1600");
    world.walk_to("/agents");
    shown(
        &world,
        "main table, main [role=table], main li, main .agent-row, main a[href^='/agents/']",
    );
    look(&world, "the agents", &mut faults);
    look_at_menus(&world, &mut faults);
    look_at_suppressions(&world, &mut faults);

    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let asked = sink.received();
    assert!(asked.is_empty(), "nothing was fetched: {asked:?}");
    assert_eq!(
        world.complaints(),
        [""; 0],
        "the policy was not even needed"
    );
    control_is_noticed(&world, &sink);
}

/// Every alert's page, with all that it has.
fn look_at_alerts(world: &World, alerts: &[String], faults: &mut Vec<String>) {
    for (n, alert) in alerts.iter().enumerate() {
        world.walk_to(&format!("/alerts/{alert}"));
        world.until(&format!(
            "return location.pathname === '/alerts/{alert}' && !!document.querySelector('.finding')"
        ));
        look(world, &format!("the alert with {}", PAYLOADS[n]), faults);
        let count = format!(
            "return document.querySelector('main').textContent.split('{}').length - 1",
            mark(n)
        );
        let times = world.browser.execute(&count).expect("a count").as_u64();
        assert!(
            times >= Some(SHOWN_TIMES),
            "only {times:?} fields show {}",
            PAYLOADS[n]
        );
    }
}

/// The menus, the palette and a dialog that name what others named.
fn look_at_menus(world: &World, faults: &mut Vec<String>) {
    // What was saved elsewhere is read by the next start.
    world.walk_to("/");
    world.browser.reload().expect("read anew");
    shown(world, ".grid__row");
    page::watch(&world.browser).expect("watched");
    for (keys, css) in [
        ("v", "[role=menuitemradio]"),
        ("Ctrl+k", ".palette__input"),
        ("N", "dialog[open]"),
    ] {
        views::close_dialogs(world);
        strike(world, "Escape Escape");
        world.until("return !document.querySelector('.popover')");
        strike(world, keys);
        shown(world, css);
        if keys == "v" {
            world.until("return document.querySelector('.popover').innerText.includes('mark00')");
        }
        if keys == "Ctrl+k" {
            press(world, "mark0");
            world.until("return document.querySelectorAll('[role=option]').length > 3");
        }
        look(world, &format!("what {keys} opens"), faults);
    }
}

/// The list of suppressions with their reasons.
fn look_at_suppressions(world: &World, faults: &mut Vec<String>) {
    views::close_dialogs(world);
    strike(world, "Ctrl+k");
    shown(world, ".palette__input");
    press(world, "Suppressions");
    shown(world, "[data-command='queue.suppressions']");
    strike(world, "Enter");
    world.until("return document.querySelector('dialog[open]')?.innerText.includes('mark00')");
    look(world, "the suppressions", faults);
}

/// The word by which a payload's fields are found again.
fn mark(n: usize) -> String {
    format!("mark{n:02}")
}

/// Unfolds what a page has folded, and asks what became of it.
fn look(world: &World, place: &str, faults: &mut Vec<String>) {
    for _ in 0..UNFOLD_ROUNDS {
        if world.browser.execute(UNFOLD).expect("unfolded") == json!(0) {
            break;
        }
    }
    let found = page::hostile_faults(&world.browser).expect("the page answers");
    faults.extend(found.into_iter().map(|fault| format!("{place}: {fault}")));
}

/// Answers every lookup with the next payload in each of its fields.
fn hostile_lookups(world: &World, payloads: Vec<String>) -> Recorder {
    let provider = Recorder::answering("application/json", move |n| {
        let text = &payloads[n % payloads.len()];
        json!({
            "employee_id": text, "title": text, "department": text, "risk_level": text,
            "manager": { "name": text }, "name": text,
        })
        .to_string()
    });
    let all = world.call("GET", "/v1/enrichment-providers", &Value::Null);
    let all = all.as_array().expect("a list");
    let found = all.iter().find(|one| one["provider_name"] == PROVIDER);
    let uuid = found.expect("the catalogue has it")["uuid"]
        .as_str()
        .expect("an id");
    let base_url = provider.url.trim_end_matches("/webhook");
    world.call(
        "PATCH",
        &format!("/v1/enrichment-providers/{uuid}"),
        &json!({ "is_active": true, "base_url": base_url, "auth_config": { "api_key": "k" } }),
    );
    provider
}

/// An alert, a document that goes with it, an agent, and what that found; all say the payload.
fn plant(world: &World, n: usize, payload: &str) -> String {
    let mark = mark(n);
    let rules = json!({ "match_all": [{ "field": "tags", "op": "contains", "value": mark }] });
    let document = json!({
        "title": payload, "document_type": "runbook", "description": payload, "tags": [payload],
        "content": format!("# {payload}\n\n{payload}\n\n- [ ] {payload}\n\n| a |\n|---|\n| {payload} |\n\n\
                            [link]({payload})\n\n![image]({payload})\n\n```\n{payload}\n```\n"),
        "targeting_rules": rules,
    });
    world.call("POST", "/v1/context-documents", &document);
    let alert = world.alert(&json!({
        "title": payload,
        "severity": "Critical",
        "description": payload,
        "tags": [mark, payload],
        "rule_id": format!("rule-{mark}"),
        "rule_name": payload,
        "source_url": payload,
        "indicators": [{ "type": "account", "value": payload }],
        "nested": { payload: [payload, { "key": payload }] },
    }));
    let name = payload.chars().take(200).collect::<String>();
    let agent = json!({
        "name": name, "description": payload, "webhook_url": "http://127.0.0.1:9/hook",
        "trigger_filter": { "source_names": ["elastic"] },
    });
    let agent = world.call("POST", "/v1/agents", &agent);
    let key = json!({
        "name": name, "key_type": "agent", "scopes": ["alerts:read", "alerts:write"],
        "agent_uuid": agent["uuid"],
    });
    let key = world.call("POST", "/v1/api-keys", &key);
    let key = key["key"].as_str().expect("a key");
    let finding = json!({
        "summary": format!("{payload}\n\n[link]({payload}) ![image]({payload})"),
        "verdict": "malicious", "confidence": 0.9,
        "citations": [
            { "claim": payload, "ref": { "raw_pointer": "/description" }, "expected": payload },
            { "claim": payload, "ref": { "raw_pointer": "/title" }, "expected": payload },
        ],
        "recommended_actions": [payload], "not_checked": [payload],
        "proposed_actions": [{ "label": payload }],
        "details": { payload: payload }, "usage": { "model": payload }, "agent_name": payload,
    });
    let path = format!("/v1/alerts/{alert}/findings");
    world.call_with(key, "POST", &path, &finding);
    let note = json!({ "text": payload });
    world.call("POST", &format!("/v1/alerts/{alert}/notes"), &note);
    let name: String = payload.chars().take(90).collect();
    world.call(
        "POST",
        "/v1/views",
        &json!({ "name": name, "q": format!("tag:{mark}") }),
    );
    let suppression = json!({ "name": name, "q": format!("tag:no{mark}"), "reason": payload });
    world.call("POST", "/v1/suppressions", &suppression);
    alert
}

/// Rules come into being with their first alert; their documentation is the payload.
fn document_rules(world: &World, payloads: &[String]) {
    let rules = world.call("GET", "/v1/detection-rules?page_size=100", &Value::Null);
    let rules = rules.as_array().expect("a list");
    assert_eq!(rules.len(), payloads.len(), "every alert brought its rule");
    for (rule, payload) in rules.iter().zip(payloads) {
        let path = format!(
            "/v1/detection-rules/{}",
            rule["uuid"].as_str().expect("an id")
        );
        let documentation = format!("## {payload}\n\n{payload}\n");
        world.call("PATCH", &path, &json!({ "documentation": documentation }));
    }
}

/// The same detectors see a payload that a page takes for markup: on a page of the window the
/// policy stops it and says so, on a page without a policy it runs and fetches.
fn control_is_noticed(world: &World, sink: &Recorder) {
    let image = format!("<img src={} onerror=__hit=1>", sink.url);
    let insert = format!(
        "const place = document.createElement('div'); place.innerHTML = {}; \
         document.body.append(place); return 1",
        Value::from(image)
    );
    world.browser.execute(&insert).expect("the page takes it");
    wait_for_fault(world, "policy: img-src");
    wait_for_fault(world, "an element: <img");

    let unguarded = Recorder::answering("text/html", |_| "<!doctype html><p>bare</p>".to_owned());
    world.browser.go(&unguarded.url).expect("the bare page");
    page::watch(&world.browser).expect("watched");
    world.browser.execute(&insert).expect("the page takes it");
    wait_for_fault(world, "requested http");
    wait_for_fault(world, "__hit was set");
    assert!(
        !sink.received().is_empty(),
        "the sink is asked when somebody asks it"
    );
}

fn wait_for_fault(world: &World, words: &str) {
    let deadline = Instant::now() + SOON;
    loop {
        let faults = page::hostile_faults(&world.browser).expect("the page answers");
        if faults.iter().any(|fault| fault.contains(words)) {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{words} must be noticed: {faults:?}"
        );
        thread::yield_now();
    }
}
