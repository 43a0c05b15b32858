//! Anything is found by typing, and the window's order is the API's.

use calseta_tests::caseload;
use calseta_tests::dice::Dice;
use serde_json::{Value, json};

use crate::strike::{filter, finds, ids, strike, to_filter};
use crate::views::shown;
use crate::world::World;

/// Where the caseload begins.
const SEED: u64 = 0x5eed_0005;
/// The alerts in the document, each with its place in the list: the heads are row 1, and the
/// focused row is there even when it is scrolled away.
const ORDER: &str = "return [...document.querySelectorAll('.grid__row[id^=row-]')]\
    .map(row => [Number(row.ariaRowIndex) - 2, row.id.slice(4)]).sort((a, b) => a[0] - b[0])";
/// Rows of a long list that must be compared.
const ROWS: usize = 20;

/// Whether an alert is one that a query means.
type IsMeant = fn(&Value) -> bool;

/// What is typed, and what it must find, said of the alert's own fields.
const QUERIES: [(&str, IsMeant); 8] = [
    ("185.220.101.", is_odd),
    ("a91f", is_odd),
    ("hxxp://evil[.]example/x", is_odd),
    ("raw.process.command_line:\"*-enc*\"", is_odd),
    ("-source:splunk sev:>=high says:benign age:<8h", is_odd),
    ("status:open tag:identity", |row| has_tag(row, "identity")),
    ("sort:-sev status:open", |_| true),
    ("ransomware (-tag:endpoint OR sev:low)", |row| {
        row["title"]
            .as_str()
            .is_some_and(|title| title.contains("Ransomware"))
            && !has_tag(row, "endpoint")
    }),
];

/// The one alert that is unlike the caseload.
const ODD: &str = "An encoded command";

fn is_odd(row: &Value) -> bool {
    row["title"] == ODD
}

fn has_tag(row: &Value, tag: &str) -> bool {
    row["tags"]
        .as_array()
        .is_some_and(|tags| tags.iter().any(|one| one == tag))
}

#[test]
fn what_is_typed_is_found_in_the_api_s_order() {
    let world = World::start();
    world.alerts(caseload::alerts(&mut Dice::new(SEED), 0, 200));
    let odd = world.alert(&json!({
        "title": ODD, "severity": "Critical", "src_ip": "185.220.101.47",
        "url": "http://evil.example/x", "sha256": format!("a91f{}", "3c5e7d9b1f2a4c6e8d0b".repeat(3)),
        "process": { "command_line": "powershell.exe -nop -enc AAAA" },
    }));
    let finding = json!({ "summary": "Known good", "verdict": "benign", "confidence": 0.9 });
    world.call("POST", &format!("/v1/alerts/{odd}/findings"), &finding);
    finds(&world, "\"An encoded command\"", 1);
    strike(&world, "r");
    shown(&world, ".grid__row");
    let all = world.call(
        "GET",
        "/v1/alerts?page_size=500&count=none&cursor=",
        &Value::Null,
    );
    let all = all.as_array().expect("a list");
    for (q, is_meant) in QUERIES {
        filter(&world, q);
        let expected = ids(&world, q);
        let is_same = format!(
            "const order = (() => {{ {ORDER} }})(); const all = {}; \
             return order.length >= Math.min(all.length, {ROWS}) && \
             order.every(([place, id]) => all[place] === id)",
            json!(expected)
        );
        let meant = all.iter().filter(|row| is_meant(row)).count();
        assert_eq!(expected.len(), meant, "{q} finds what it says, no more");
        assert!(meant > 0, "{q} finds something");
        assert!(
            world.comes(&is_same),
            "{q}: of {} the window shows {:?}",
            expected.len(),
            world.browser.execute(ORDER)
        );
    }
    a_mistake_keeps_the_last_result(&world);
    assert_eq!(world.complaints(), [""; 0]);
}

fn a_mistake_keeps_the_last_result(world: &World) {
    filter(world, "sev:critical");
    let before = world.browser.execute(ORDER).expect("rows");
    to_filter(world);
    strike(world, "Ctrl+a");
    world.browser.press("sev:critcal").expect("typed");
    world.until("return document.querySelector('input[aria-label=Filter]').ariaInvalid === 'true'");
    world.sees("Did you mean critical?");
    let wrong = "return [...document.querySelectorAll('[class*=wrong]')].some(one => one.textContent === 'critcal')";
    world.until(wrong);
    assert_eq!(
        world.browser.execute(ORDER).expect("rows"),
        before,
        "the last result stays"
    );
    let control = world
        .browser
        .execute("return document.querySelectorAll('.grid__row').length");
    assert_ne!(
        control.expect("a count"),
        Value::from(0),
        "there is a result to keep"
    );
}
