//! The main job: an alert comes in, an agent answers, the analyst sees it and is told.

use std::time::Duration;

use calseta_tests::webdriver::Until;
use serde_json::{Value, json};

use crate::desk::{self, Desk, Program, SOON};
use crate::recorder::Recorder;

/// A title that would be markup in a page and in a notification, and that runs backwards.
const HOSTILE_TITLE: &str =
    "<b>Login</b> & <img src=x onerror=\"document.title='owned'\"> \u{202e}gpj.exe";
/// The same as a notification may carry it.
const ESCAPED_TITLE: &str = "&lt;b&gt;Login&lt;/b&gt; &amp; &lt;img src=x onerror=&quot;document.title=&#39;owned&#39;&quot;&gt; gpj.exe";
/// A second notification would come within this time after the first.
const QUIET: Duration = Duration::from_secs(3);
/// How long one click on a notification may take until the window shows the alert.
const CLICK: Duration = Duration::from_secs(1);

fn alert() -> Value {
    json!({
        "title": HOSTILE_TITLE,
        "severity": "High",
        "occurred_at": "2025-01-15T10:28:00Z",
        "description": "Written by whoever attacks.",
        "indicators": [{ "type": "ip", "value": "185.220.101.47" }],
    })
}

#[test]
fn an_alert_and_its_finding_reach_the_analyst() {
    let _turn = desk::turn();
    let mut recorder = Recorder::start();
    let desk = Desk::open();
    let window = &desk.window;
    let key = desk.take_first_key();
    let base_url = desk::base_url(&desk.data_dir);
    // Gone after a reload: nothing below may need one.
    window
        .execute("window.neverReloaded = true;")
        .expect("a script runs");
    desk.shot("2-empty-queue");

    let agent = Program::sample_agent(&base_url, &key);
    let accepted = desk::curl(&key, &format!("{base_url}/v1/ingest/generic"), &alert());
    let uuid = accepted["data"]["alert_uuid"]
        .as_str()
        .expect("an alert_uuid")
        .to_owned();
    window
        .wait_for(Until::Css(&format!("[role=row][id$='{uuid}']")), SOON)
        .expect("the alert appears in the queue by itself");
    desk.shot("3-alert-in-queue");

    let notification = recorder.next(SOON);
    let path = window
        .execute("return location.pathname;")
        .expect("a place");
    assert_eq!(
        path, "/",
        "nothing is opened before the analyst asks for it"
    );
    check(&notification);
    desk.shot("4-before-the-click");

    open_by_click(&desk, &mut recorder, &notification, &uuid);
    desk.shot("5-finding-on-alert-page");

    let more = recorder.rest(QUIET);
    assert!(
        more.is_empty(),
        "one notification a finding, but then: {more:?}"
    );

    let second = json!({ "summary": "Seen by a person too.", "verdict": "benign" });
    let findings = format!("{base_url}/v1/alerts/{uuid}/findings");
    desk::curl(&key, &findings, &second);
    let both = "return document.querySelectorAll('.finding').length === 2;";
    window
        .wait_for(Until::Js(both), SOON)
        .expect("a finding appears on the open page by itself");
    let told = recorder.next(SOON);
    assert_eq!(told["summary"], "Finding: benign", "{told}");
    desk.shot("6-second-finding");
    assert_eq!(
        window
            .execute("return [window.neverReloaded, document.title === 'owned'];")
            .ok(),
        Some(json!([true, false])),
        "live, without a reload, and without running the title"
    );
    drop(agent);
}

/// Activates the notification and looks at what it opens.
fn open_by_click(desk: &Desk, recorder: &mut Recorder, notification: &Value, uuid: &str) {
    let window = &desk.window;
    let heading = format!(
        "return location.pathname === '/alerts/{uuid}' \
         && !!document.querySelector('.alert-head__title') && document.querySelector('.alert-head__title').innerText;"
    );
    recorder.click_until(notification, SOON, || {
        window.wait_for(Until::Js(&heading), CLICK).is_ok()
    });
    let heading = window
        .wait_for(Until::Js(&heading), SOON)
        .expect("the alert's page");
    let heading = heading.as_str().expect("text");
    assert!(
        heading.contains("<b>Login</b> & <img src=x"),
        "markup is shown as text: {heading}"
    );
    window
        .wait_for(Until::Css(".finding"), SOON)
        .expect("the finding is on the alert's page");
    let finding = window.text(".finding").expect("its text");
    assert!(
        finding.contains("Sample agent"),
        "it says who found it: {finding}"
    );
}

fn check(notification: &Value) {
    let text = |name: &str| notification[name].as_str().unwrap_or_default();
    assert_eq!(text("app"), "Calseta Console");
    assert!(text("summary").starts_with("Finding: "), "{notification}");
    assert!(
        text("body").starts_with(&ESCAPED_TITLE[..60]) && !text("body").contains(['<', '>']),
        "the body is markup for the daemon, so everything in it is escaped: {notification}"
    );
    assert!(
        !text("body").contains('\u{202e}'),
        "nothing in it runs backwards: {notification}"
    );
    assert!(text("body").contains("Sample agent: "), "{notification}");
    assert_eq!(
        notification["actions"],
        json!(["default", "Open"]),
        "no action of the alert's"
    );
}
