//! The queue and an alert, live and by keyboard.

use calseta_tests::webdriver::{Until, keys};
use serde_json::{Value, json};

use crate::world::{SOON, World};

/// The titles in the order of the screen.
const TITLES: &str = "return [...document.querySelectorAll('.grid__row')]\
    .sort((a, b) => a.ariaRowIndex - b.ariaRowIndex)\
    .map(row => row.querySelector('.row__text').textContent);";

#[test]
fn an_alert_appears_is_opened_by_keyboard_and_its_finding_appears() {
    let world = World::start();
    let browser = &world.browser;
    browser.execute("window.__same = true; return 1").unwrap();
    let id = world.alert(&json!({
        "title": "Impossible travel detected",
        "severity": "High",
        "source_ip": "185.220.101.47",
        "user": "n.hathaway",
        "tags": ["identity"],
    }));
    world.sees("Impossible travel detected");

    browser.press("j").unwrap();
    browser.press(keys::ENTER).unwrap();
    browser
        .wait_for(Until::Css(".detail__sections"), SOON)
        .expect("the alert's page");
    world.until(&format!("return location.pathname === '/alerts/{id}'"));
    world.sees("185.220.101.47");
    // Demo answers are real verdicts through the real pipeline, and say that they are canned.
    world.until("return document.querySelectorAll('.verdict--provider').length > 0");
    world.sees("demo");

    world.call(
        "POST",
        &format!("/v1/alerts/{id}/findings"),
        &json!({
            "summary": "Confirmed malicious login from Tor exit node",
            "confidence": 0.95,
            "verdict": "malicious",
            "recommended_actions": ["Revoke all active sessions", "Force password reset"],
            "details": { "source_ip_analysis": "Known Tor exit node" },
            "not_checked": ["mailbox rules"],
        }),
    );
    world.sees("Confirmed malicious login from Tor exit node");
    world.sees("Revoke all active sessions");
    let unfold = "document.querySelectorAll('.finding details').forEach(one => { one.open = true }); \
                  return 1";
    browser.execute(unfold).unwrap();
    world.sees("Known Tor exit node");
    world.until("return !!document.querySelector('.grid__row .agent-chip')");
    assert_eq!(
        browser.execute("return window.__same").unwrap(),
        json!(true),
        "without a reload"
    );

    browser.press("e").unwrap();
    world.until("return document.querySelector('.status-select').value === 'Triaging'");
    let stored = world.call("GET", &format!("/v1/alerts/{id}"), &json!({}));
    assert_eq!(stored["status"], "Triaging");
    assert_eq!(world.complaints(), [""; 0]);
}

#[test]
fn new_alerts_wait_behind_the_pill_and_move_nothing() {
    let world = World::start();
    let browser = &world.browser;
    for title in ["first", "second", "third"] {
        world.plain_alert(title, "Medium");
        world.sees(title);
    }
    browser.press("jj").unwrap();
    world.until("return document.activeElement.textContent.includes('second')");
    let before = browser.execute(TITLES).unwrap();

    world.plain_alert("fourth", "Critical");
    browser
        .wait_for(Until::Css(".pill"), SOON)
        .expect("the pill");
    assert!(
        browser
            .text(".pill")
            .unwrap()
            .contains("1 new (1 Critical)")
    );
    assert_eq!(
        browser.execute(TITLES).unwrap(),
        before,
        "the reader's rows stand still"
    );
    world.until("return document.activeElement.textContent.includes('second')");

    browser.press(".").unwrap();
    world.until("return !document.querySelector('.pill')");
    let after = browser.execute(TITLES).unwrap();
    assert_eq!(after, json!(["fourth", "third", "second", "first"]));
    world.until("return document.activeElement.textContent.includes('second')");
}

#[test]
fn an_alert_is_closed_with_two_keys_and_the_next_is_focused() {
    let world = World::start();
    let browser = &world.browser;
    let other = world.plain_alert("signal", "High");
    world.sees("signal");
    let id = world.plain_alert("noise", "Low");
    world.sees("noise");
    browser.press("gg").unwrap();
    world.until("return document.activeElement.textContent.includes('noise')");

    browser.press("c").unwrap();
    browser
        .wait_for(Until::Css(".close-dialog"), SOON)
        .expect("the classifications");
    browser.press("3").unwrap();
    world.sees("→ Closed");
    let stored = world.call("GET", &format!("/v1/alerts/{id}"), &Value::Null);
    assert_eq!(stored["status"], "Closed");
    assert_eq!(
        stored["close_classification"],
        "False Positive - Incorrect Detection Logic"
    );
    let row = format!("return document.querySelector('#row-{other}').matches('.row--focused')");
    world.until(&row);
    world.until("return document.activeElement.textContent.includes('signal')");

    browser.press("r").unwrap();
    let gone = format!("return !document.querySelector('#row-{id}')");
    world.until(&gone);
}

#[test]
fn a_change_by_somebody_else_is_shown_in_place() {
    let world = World::start();
    let id = world.plain_alert("shared", "High");
    world.sees("shared");
    world
        .browser
        .execute("window.__row = document.querySelector('.grid__row'); return 1")
        .unwrap();
    world.call(
        "PATCH",
        &format!("/v1/alerts/{id}"),
        &json!({ "status": "Escalated" }),
    );
    world.until(
        "return document.querySelector('.grid__row .status')?.dataset.status === 'Escalated'",
    );
    let closed = json!({
        "status": "Closed",
        "close_classification": "Undetermined",
    });
    world.call("PATCH", &format!("/v1/alerts/{id}"), &closed);
    world.until("return document.querySelector('.grid__row')?.textContent.includes('→ Closed')");
    let same = world
        .browser
        .execute("return window.__row === document.querySelector('.grid__row')");
    assert_eq!(
        same.unwrap(),
        json!(true),
        "the row itself is kept, with its focus and place"
    );
}

#[test]
fn the_desktop_s_request_opens_an_alert_and_nothing_else() {
    let world = World::start();
    let id = world.plain_alert("asked for", "High");
    world.sees("asked for");
    let ask = |path: &str| {
        let script = format!(
            "window.dispatchEvent(new CustomEvent('calseta:open', {{ detail: {} }})); return 1",
            Value::from(path)
        );
        world.browser.execute(&script).unwrap();
    };
    for refused in [
        "/agents/new",
        "//evil.example/alerts/",
        "javascript:alert(1)",
    ] {
        ask(refused);
    }
    assert_eq!(
        world.browser.execute("return location.pathname").unwrap(),
        json!("/")
    );
    ask(&format!("/alerts/{id}"));
    world
        .browser
        .wait_for(Until::Css(".detail__sections"), SOON)
        .expect("the alert's page");
}

#[test]
fn a_burst_of_alerts_is_complete_and_can_be_walked_through() {
    const BURST: usize = 350;
    let world = World::start();
    let browser = &world.browser;
    world.plain_alert("before the burst", "High");
    world.sees("before the burst");
    browser.press("j").expect("focused");
    for n in 0..BURST {
        world.plain_alert(&format!("burst {n:03}"), "Low");
    }
    world.until(&format!(
        "return document.querySelector('.pill')?.textContent.includes('{BURST} new')"
    ));
    browser.press(".").expect("merged");
    world.until(&format!(
        "return document.querySelector('.grid__foot').textContent === '{} alerts'",
        BURST + 1
    ));
    // The focused alert is the oldest: above it stand the newest, down to the first of the burst.
    world.until("return document.activeElement.textContent.includes('before the burst')");
    browser.press("gg").expect("the top");
    world.until(&format!(
        "return document.activeElement.textContent.includes('burst {:03}')",
        BURST - 1
    ));
    let painted = browser.execute("return document.querySelectorAll('.grid__row').length");
    let painted = painted.expect("a count").as_u64().expect("a number");
    assert!(
        painted < 100,
        "only what is on the screen is in the page, not {painted} rows"
    );
}

#[test]
fn merging_above_the_screen_does_not_move_what_is_read() {
    const ROWS: usize = 90;
    /// Where a row in the middle of the screen stands, by its title.
    const PLACE: &str = "const row = [...document.querySelectorAll('.grid__row')]\
        .find(row => row.textContent.includes('row 040'));\
        return row ? Math.round(row.getBoundingClientRect().top) : null;";
    let world = World::start();
    let browser = &world.browser;
    for n in 0..ROWS {
        world.plain_alert(&format!("row {n:03}"), "Low");
    }
    world.until(&format!(
        "return document.querySelector('.grid__foot').textContent === '{ROWS} alerts'"
    ));
    browser
        .execute("document.querySelector('.grid').scrollTop = 1000; return 1")
        .expect("scrolled");
    world.until(PLACE);
    let before = browser.execute(PLACE).expect("its place");

    for n in 0..3 {
        world.plain_alert(&format!("new {n}"), "Critical");
    }
    world.until("return document.querySelector('.pill')?.textContent.includes('3 new')");
    assert_eq!(
        browser.execute(PLACE).expect("its place"),
        before,
        "waiting moves nothing"
    );
    browser.press(".").expect("merged");
    world.until(&format!(
        "return document.querySelector('.grid__foot').textContent === '{} alerts'",
        ROWS + 3
    ));
    world.until("return !document.querySelector('.pill')");
    let after = browser.execute(PLACE).expect("its place");
    assert_eq!(
        after, before,
        "three rows came in above, and the reader's row stands still"
    );
}

#[test]
fn a_closed_alert_is_found_and_reopened_from_its_page() {
    let world = World::start();
    let browser = &world.browser;
    let id = world.plain_alert("closed too soon", "High");
    world.sees("closed too soon");
    world.call(
        "PATCH",
        &format!("/v1/alerts/{id}"),
        &json!({
            "status": "Closed",
            "close_classification": "Undetermined",
        }),
    );
    world.sees("→ Closed");
    browser.press("r").expect("read anew");
    world.sees("Nothing waits for you");
    browser.click(".empty .button").expect("closed ones too");
    browser
        .wait_for(Until::Css(".grid__row"), SOON)
        .expect("the closed alert");
    browser.click(".grid__row").expect("opened");
    browser
        .wait_for(Until::Css(".detail__sections"), SOON)
        .expect("its page");
    world.sees("Undetermined");
    browser
        .click("[data-command='alert.reopen']")
        .expect("reopened");
    world.until("return document.querySelector('.status-select').value === 'Open'");
    let stored = world.call("GET", &format!("/v1/alerts/{id}"), &Value::Null);
    assert_eq!(
        (stored["status"].as_str(), &stored["closed_at"]),
        (Some("Open"), &Value::Null)
    );
}

#[test]
fn the_focus_comes_back_from_an_alert_that_covers_the_list() {
    let world = World::start();
    let browser = &world.browser;
    world.plain_alert("upper", "High");
    world.sees("upper");
    world.plain_alert("lower", "High");
    world.sees("lower");
    for width in [1000, 820] {
        browser.resize(width, 700).expect("resized");
        browser.press("G").expect("the last row");
        world.until("return document.activeElement.matches('.grid__row') && document.activeElement.textContent.includes('upper')");
        browser.press("o").expect("opened");
        world.until("return document.activeElement.matches('.detail')");
        browser.press(keys::ESCAPE).expect("back");
        world.until("return location.pathname === '/'");
        world.until("return document.activeElement.matches('.grid__row') && document.activeElement.textContent.includes('upper')");
        browser.press("?").expect("the sheet");
        world.until("return !!document.querySelector('dialog[open]')");
        browser.press(keys::ESCAPE).expect("closed");
        world.until("return document.activeElement.matches('.grid__row')");
    }
}
