//! A shift of a hundred alerts, by keyboard alone.

use std::time::{Duration, Instant};

use calseta_tests::caseload::NOISY_RULE;
use serde_json::{Value, json};

use crate::strike::{filter, finds, strike};
use crate::views::shown;
use crate::world::World;

/// Alerts of the noisy rule, and the others.
const NOISY: usize = 70;
const OTHERS: usize = 30;
/// The replay may take this long; an analyst has twelve minutes.
const REPLAY: Duration = Duration::from_mins(1);
/// The focus is on something; the page itself is nowhere.
const IS_SOMEWHERE: &str = "return document.activeElement !== document.body";

fn hundred(world: &World) {
    let noisy = (0..NOISY).map(|n| {
        json!({
            "title": format!("{NOISY_RULE} {n}"), "severity": "Medium", "rule_id": "travel",
            "rule_name": NOISY_RULE, "user": format!("user{n}@example.com"),
        })
    });
    let others = (0..OTHERS).map(|n| {
        json!({
            "title": format!("Something else {n}"), "severity": "High", "rule_id": "else",
            "rule_name": "Something else", "user": format!("other{n}@example.com"),
        })
    });
    world.alerts(noisy.chain(others).collect());
    finds(world, "status:open", 100);
}

#[test]
fn a_hundred_alerts_are_triaged_by_keyboard_alone() {
    let world = World::start();
    hundred(&world);
    strike(&world, "r");
    shown(&world, ".grid__row");
    let started = Instant::now();
    close_the_noise(&world);
    finds(&world, "status:closed", 70);

    strike(&world, "U");
    finds(&world, "status:open", 100);
    close_the_noise(&world);
    finds(&world, "status:closed", 70);

    filter(&world, "status:open");
    strike(&world, "g g");
    for n in 0..OTHERS {
        one_of_thirty(&world, n);
    }
    let took = started.elapsed();
    finds(&world, "status:open", 0);
    finds(&world, "status:escalated", 10);
    finds(&world, "status:triaging", 10);
    finds(&world, "status:closed", 80);
    every_change_is_the_analyst_s(&world);
    say(took);
    assert!(
        took < REPLAY * 5,
        "the replay took {took:?}: something waits that should not"
    );
    assert_eq!(world.complaints(), [""; 0]);
}

/// Groups by rule, selects the noisy group and closes it with a comment.
fn close_the_noise(world: &World) {
    filter(world, "status:open group:rule");
    shown(world, ".group-row");
    strike(world, "g g ArrowLeft");
    world.until("return document.activeElement.ariaExpanded === 'false'");
    let is_noisy = format!(
        "return document.activeElement.matches('.group-row') && document.activeElement.textContent.includes({})",
        json!(NOISY_RULE)
    );
    let end = Instant::now() + crate::world::SOON;
    while world.browser.execute(&is_noisy).expect("a page") != Value::Bool(true) {
        assert!(Instant::now() < end, "the noisy group is reached by j");
        strike(world, "j");
    }
    strike(world, "x");
    world.sees("70 selected");
    strike(world, "c");
    shown(world, ".close-dialog__choice");
    strike(world, "3");
    world.until("return document.activeElement.id === 'close-comment'");
    world
        .browser
        .press("The rule does not know our fallback line")
        .expect("typed");
    strike(world, "Enter");
    world.until("return !document.querySelector('dialog[open]')");
}

/// Looks at the focused alert and decides; the focus goes on by itself or by `]`.
fn one_of_thirty(world: &World, n: usize) {
    world.until("return document.activeElement.matches('.grid__row[id^=row-]')");
    let id = world
        .browser
        .execute("return document.activeElement.id")
        .expect("a row");
    let id = id.as_str().expect("an id").to_owned();
    strike(world, "Space");
    match n % 3 {
        0 => {
            strike(world, "c");
            shown(world, ".close-dialog__choice");
            strike(world, "1");
        }
        1 => strike(world, "e"),
        _ => strike(world, "i"),
    }
    let word = ["Closed", "Triaging", "Escalated"][n % 3];
    world.until(&format!(
        "const row = document.getElementById('{id}'); return !row || row.textContent.includes('{word}') \
         || !!row.querySelector('[data-status={word}]')"
    ));
    world.until("return !document.querySelector('dialog[open]')");
    if n + 1 < OTHERS {
        let still = format!("return document.activeElement.id === '{id}'");
        if world.browser.execute(&still).expect("a page") == Value::Bool(true) {
            strike(world, "]");
        }
        world.until(&format!("return document.activeElement.id !== '{id}'"));
    }
    // Between a dialog that goes and the row that comes nothing has it for a moment.
    world.until(IS_SOMEWHERE);
}

/// A hundred changes of a status, each by the analyst.
fn every_change_is_the_analyst_s(world: &World) {
    let all = world.call("GET", "/v1/activity?page_size=500", &Value::Null);
    let all = all.as_array().expect("a list").clone();
    let changed: std::collections::BTreeSet<&str> = all
        .iter()
        .filter(|event| event["actor"]["kind"] == "analyst" || event["actor_kind"] == "analyst")
        .filter(|event| event.to_string().contains("status"))
        .filter_map(|event| {
            event["alert_uuid"]
                .as_str()
                .or_else(|| event["object"]["uuid"].as_str())
        })
        .collect();
    assert_eq!(changed.len(), 100, "{:?}", all.first());
}

#[expect(
    clippy::print_stderr,
    reason = "the time of the replay is for whoever reads the log"
)]
fn say(took: Duration) {
    eprintln!(
        "a hundred alerts by keyboard: {:.1} s (aim: {} s)",
        took.as_secs_f64(),
        REPLAY.as_secs()
    );
}
