//! The analyst's main scenarios in the real window: noise closed by keyboard, the place kept, and
//! evidence checked.

use std::time::Instant;

use calseta_tests::webdriver::{Session, Until, exchange};
use serde_json::{Value, json};

use crate::desk::{self, Desk, SOON};

/// Alerts of the noisy rule, and the others.
const NOISY: usize = 8;
const OTHERS: usize = 24;
/// Where the reader is: the focused row and its place on the screen.
const PLACE: &str = "const row = document.querySelector('.row--focused'); \
    return [row?.id, row && Math.round(row.getBoundingClientRect().top)]";

/// The window and its API.
struct Console {
    desk: Desk,
    authority: String,
    key: String,
}

impl Console {
    fn open() -> Self {
        let desk = Desk::open();
        let key = desk.take_first_key();
        let base_url = desk::base_url(&desk.data_dir);
        let authority = base_url.trim_start_matches("http://").to_owned();
        Self {
            desk,
            authority,
            key,
        }
    }

    fn window(&self) -> &Session {
        &self.desk.window
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let bearer = format!("Bearer {}", self.key);
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let headers = [("Authorization", bearer.as_str())];
        let (status, answer) =
            exchange(&self.authority, method, path, &headers, &text).expect("an answer");
        let said = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {said}"
        );
        let mut answer: Value = serde_json::from_str(&said).unwrap_or_default();
        answer["data"].take()
    }

    fn post(&self, rule: &str, numbers: std::ops::Range<usize>) {
        let alert = |n: usize| {
            json!({
                "title": format!("{rule} {n}"), "severity": "Medium", "rule_id": rule, "rule_name": rule,
                "user": format!("{n}@{}.example.com", rule.to_lowercase().replace(' ', "-")),
            })
        };
        let all: Vec<Value> = numbers.map(alert).collect();
        self.call("POST", "/v1/ingest/generic", &Value::Array(all));
    }

    fn finds(&self, q: &str, count: usize) {
        let path = format!("/v1/alerts?page_size=500&count=none&cursor=&q={q}");
        let found = || {
            self.call("GET", &path, &Value::Null)
                .as_array()
                .map_or(0, Vec::len)
        };
        let end = Instant::now() + SOON;
        while found() != count {
            assert!(
                Instant::now() < end,
                "{q} finds {} and not {count}",
                found()
            );
        }
    }

    fn until(&self, script: &str) -> Value {
        self.window()
            .wait_for(Until::Js(script), SOON)
            .unwrap_or_else(|error| panic!("{error:#}"))
    }

    fn strike(&self, words: &str) {
        self.window().strike(words).expect("keys");
    }

    fn filter(&self, q: &str) {
        self.strike("/");
        self.until("return document.activeElement.matches('input[aria-label=Filter]')");
        self.strike("Ctrl+a");
        self.window().press(q).expect("typed");
        self.strike("Enter");
        self.until("return !document.activeElement.matches('input')");
        self.until("return !document.querySelector('[role=grid][aria-busy=true]')");
    }
}

#[test]
fn a_shift_in_the_window() {
    let _turn = desk::turn();
    let console = Console::open();
    console.post("Noisy", 0..NOISY);
    console.post("Other", 0..OTHERS);
    console.finds("status:open", NOISY + OTHERS);
    console.strike("r");
    console.until("return document.querySelectorAll('.grid__row').length > 10");
    noise_is_closed_and_undone(&console);
    the_place_is_kept(&console);
    evidence_is_checked(&console);
}

fn noise_is_closed_and_undone(console: &Console) {
    console.filter("status:open group:rule");
    console.until("return !!document.querySelector('.group-row')");
    console.strike("g g ArrowLeft");
    console.until("return document.activeElement.ariaExpanded === 'false'");
    let is_noisy = "return document.activeElement.matches('.group-row') && document.activeElement.textContent.includes('Noisy')";
    let end = Instant::now() + SOON;
    while console.window().execute(is_noisy).expect("a page") != Value::Bool(true) {
        assert!(Instant::now() < end, "the noisy group is reached by j");
        console.strike("j");
    }
    console.strike("x c");
    console.until("return document.querySelectorAll('.close-dialog__choice').length === 7");
    console.strike("3");
    console.until("return document.activeElement.id === 'close-comment'");
    console.window().press("noise").expect("typed");
    console.strike("Enter");
    console.finds("status:closed", NOISY);
    console.until("return !document.querySelector('dialog[open]')");
    console.desk.shot("7-noise-closed");
    console.strike("U");
    console.finds("status:open", NOISY + OTHERS);
}

fn the_place_is_kept(console: &Console) {
    console.filter("status:open Other");
    console.until("return document.querySelectorAll('.grid__row[id^=row-]').length > 10");
    console.strike("g g j j j");
    let before = console.until(
        "const row = document.querySelector('.row--focused'); if (!row) return null; \
         return [row.id, Math.round(row.getBoundingClientRect().top)]",
    );
    console.post("Other", OTHERS..OTHERS + 5);
    console.until("return document.querySelector('.pill')?.textContent.includes('5 new')");
    assert_eq!(
        console.window().execute(PLACE).expect("a place"),
        before,
        "waiting moves nothing"
    );
    console.strike(".");
    console.until("return !document.querySelector('.pill')?.textContent.includes('5 new')");
    let after = console.window().execute(PLACE).expect("a place");
    assert_eq!(after[0], before[0], "the focused alert stays focused");
    console.desk.shot("8-place-kept");
}

fn evidence_is_checked(console: &Console) {
    let answer = json!({
        "title": "Sign-in from a Tor exit", "severity": "High", "sign_in": { "failures": 47, "ratio": 14 },
    });
    let made = console.call("POST", "/v1/ingest/generic", &answer);
    let id = made["alert_uuid"].as_str().expect("an id").to_owned();
    let finding = json!({
        "summary": "<img src=x onerror=\"document.title='owned'\"> It is malicious", "verdict": "malicious",
        "citations": [
            { "claim": "47 failures", "ref": { "raw_pointer": "/sign_in/failures" }, "expected": 47 },
            { "claim": "47 of 94", "ref": { "raw_pointer": "/sign_in/ratio" }, "expected": 47 },
            { "claim": "At the gateway", "ref": { "raw_pointer": "/gateway" }, "expected": true },
        ],
    });
    console.call("POST", &format!("/v1/alerts/{id}/findings"), &finding);
    let open = format!(
        "window.dispatchEvent(new CustomEvent('calseta:open', {{ detail: '/alerts/{id}' }})); return 1"
    );
    console.window().execute(&open).expect("asked");
    for state in ["matches", "differs", "not found"] {
        console.until(&format!(
            "return !!document.querySelector(\".cited__mark[aria-label='{state}']\")"
        ));
    }
    console.until("const head = document.querySelector('.finding').innerText; return /1 of 3/.test(head) && /1 differs/.test(head)");
    let inert =
        "return document.querySelectorAll('main img').length === 0 && document.title !== 'owned'";
    assert_eq!(
        console.window().execute(inert).expect("a page"),
        Value::Bool(true)
    );
    console.desk.shot("9-evidence");
}
