//! Closing noise so that it stays away for a while, counted and never dropped.

use serde_json::{Value, json};

use crate::strike::{filter, finds, strike};
use crate::views::shown;
use crate::world::World;

/// How long alerts like closed ones are kept away, in milliseconds.
const WEEK_MS: i64 = 7 * 24 * 3_600_000;
/// What this test may have taken by then.
const MINUTES_MS: i64 = 5 * 60_000;
/// When the suppression shall end, from now.
const SOON_MS: i64 = 4_000;

fn noise(n: usize) -> Value {
    json!({
        "title": "Backup agent talks to a new host", "severity": "Low", "rule_id": "backup",
        "rule_name": "Backup agent", "user": format!("svc_backup{n}@example.com"), "case": n,
    })
}

#[test]
fn what_is_closed_with_a_suppression_stays_away_and_is_counted() {
    let world = World::start();
    world.alerts((0..5).map(noise).collect());
    world.plain_alert("something else", "High");
    finds(&world, "status:open", 6);
    strike(&world, "r");
    filter(&world, "status:open \"Backup agent\"");
    world.until("return document.querySelectorAll('.grid__row[id^=row-]').length === 5");
    strike(&world, "g g Ctrl+a");
    world.sees("5 selected");
    strike(&world, "c");
    shown(&world, ".close-dialog__choice");
    strike(&world, "4");
    world.until("return document.activeElement.id === 'close-comment'");
    strike(&world, "Shift+Enter");
    finds(&world, "is:suppressed status:closed", 5);
    let end = std::time::Instant::now() + crate::world::SOON;
    let made = loop {
        let all = world.call("GET", "/v1/suppressions", &Value::Null);
        if let Some(one) = all.as_array().and_then(|all| all.first()) {
            break one.clone();
        }
        assert!(std::time::Instant::now() < end, "the suppression is made");
        std::thread::yield_now();
    };
    let uuid = made["uuid"].as_str().expect("an id").to_owned();

    let hidden = |world: &World| {
        let one = world.call("GET", &format!("/v1/suppressions/{uuid}"), &Value::Null);
        one["hidden_count"].as_u64().expect("a count")
    };
    let before = hidden(&world);
    world.alerts((5..8).map(noise).collect());
    finds(&world, "is:suppressed status:open", 3);
    finds(&world, "status:open", 1);
    assert_eq!(hidden(&world), before + 3, "what is kept away is counted");
    filter(&world, "status:open");
    world.until("return document.querySelectorAll('.grid__row[id^=row-]').length === 1");
    filter(&world, "is:suppressed status:open");
    world.until("return document.querySelectorAll('.grid__row[id^=row-]').length === 3");
    world.keep("suppressed-dark-1600");

    it_ends_by_itself(&world, &uuid, &made);
    assert_eq!(world.complaints(), [""; 0]);
}

/// It was made for a week; its end is brought forward, and then comes by itself. Nothing was lost.
fn it_ends_by_itself(world: &World, uuid: &str, made: &Value) {
    let millis = |script: &str| {
        let value = world.browser.execute(script).expect("a time");
        value.as_i64().expect("milliseconds")
    };
    let left = millis(&format!(
        "return Date.parse({}) - Date.now()",
        made["expires_at"]
    ));
    assert!(
        (WEEK_MS - MINUTES_MS..=WEEK_MS).contains(&left),
        "a week from now, not {left} ms"
    );
    let soon = world
        .browser
        .execute(&format!(
            "return new Date(Date.now() + {SOON_MS}).toISOString()"
        ))
        .expect("a time");
    let path = format!("/v1/suppressions/{uuid}");
    world.call("PATCH", &path, &json!({ "expires_at": soon }));
    finds(world, "is:suppressed status:open", 3);
    finds(world, "status:open", 4);
    finds(world, "status:closed", 5);
    finds(world, "is:suppressed", 0);
    filter(world, "status:open");
    world.until("return document.querySelectorAll('.grid__row[id^=row-]').length === 4");
    world.keep("suppression-over-dark-1600");
}
