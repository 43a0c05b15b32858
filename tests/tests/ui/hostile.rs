//! Alert content is written by attackers. It is text, whatever it looks like.

use std::thread;
use std::time::Instant;

use calseta_tests::webdriver::{Until, keys};
use serde_json::json;

use crate::recorder::Recorder;
use crate::world::{SOON, World};

#[test]
fn hostile_alert_text_stays_text() {
    let world = World::start();
    let browser = &world.browser;
    let canary = Recorder::start();
    let image = format!("<img src={} onerror=\"window.__pwn=1\">", canary.url);
    let script = "<script>window.__pwn=1</script>{{constructor}}";
    let id = world.alert(&json!({
        "title": format!("{image}{script} invoice\u{202e}gpj.exe"),
        "severity": "Critical",
        "description": image,
        "tags": [image],
        "source_ip": "185.220.101.47",
        "url": format!("javascript:window.__pwn=1//{}", canary.url),
        "nested": { "key": image },
    }));
    world.sees("<img src=");
    world.sees("⟨U+202E⟩");
    browser.press("j").unwrap();
    browser.press(keys::ENTER).unwrap();
    browser
        .wait_for(Until::Css(".detail__sections"), SOON)
        .expect("the alert's page");
    world.call(
        "POST",
        &format!("/v1/alerts/{id}/findings"),
        &json!({
            "summary": format!("{image}{script}"),
            "recommended_actions": [image],
            "details": { "html": image },
        }),
    );
    world.until("return !!document.querySelector('.finding')");
    world.keep("hostile-dark-1600");

    assert_eq!(
        browser.execute("return window.__pwn ?? null").unwrap(),
        json!(null)
    );
    let made = "return document.querySelectorAll('main img, main script, main iframe, \
                main a[href^=\"javascript\"], main a[href^=\"http\"]').length";
    assert_eq!(
        browser.execute(made).unwrap(),
        json!(0),
        "no element was made of text"
    );
    assert!(
        canary.received().is_empty(),
        "nothing was fetched: {:?}",
        canary.received()
    );
    assert_eq!(
        world.complaints(),
        [""; 0],
        "the policy was not even needed"
    );
    control_is_noticed(&world, &canary);
}

/// The same picture as an element does leave the page, unless the policy stops it: the canary or
/// the console would have told.
fn control_is_noticed(world: &World, canary: &Recorder) {
    let element = format!(
        "const i = new Image(); i.src = {}; document.body.append(i); return 1",
        json!(canary.url)
    );
    world.browser.execute(&element).expect("the page takes it");
    let deadline = Instant::now() + SOON;
    while !world
        .complaints()
        .iter()
        .any(|line| line.contains("img-src"))
    {
        assert!(Instant::now() < deadline, "the control must be noticed");
        thread::yield_now();
    }
}
