//! The first start, and a browser that was not let in.

use calseta_tests::webdriver::Until;
use serde_json::json;

use crate::world::{SOON, World};

#[test]
fn the_first_key_is_shown_once_and_works() {
    let world = World::start_at_first_key();
    let browser = &world.browser;
    world.keep("first-key-dark-1600");
    assert!(world.admin_key.starts_with("cai_"));
    world.call("GET", "/v1/alerts", &json!({}));

    browser.click(".first-key .button--primary").unwrap();
    world.until("return !document.querySelector('dialog[open]')");
    browser.reload().unwrap();
    browser
        .wait_for(Until::Css(".start"), SOON)
        .expect("the empty product");
    let page = browser.execute("return document.body.innerText").unwrap();
    assert!(
        !page.to_string().contains("cai_"),
        "a key is never shown twice"
    );
    assert_eq!(world.complaints(), [""; 0]);
}

#[test]
fn the_token_leaves_the_address_and_admits_once() {
    let world = World::start();
    let url = world.browser.execute("return location.href").unwrap();
    let url = url.as_str().expect("an address").to_owned();
    assert!(
        !url.contains("token"),
        "a token in the address ends up in histories: {url}"
    );

    world
        .browser
        .execute("sessionStorage.clear(); return 1")
        .unwrap();
    world.browser.reload().unwrap();
    world.sees("Open the link");
    world.keep("signed-out-dark-1600");
}

#[test]
fn an_empty_product_offers_a_test_alert_that_really_arrives() {
    let world = World::start();
    let browser = &world.browser;
    browser
        .wait_for(Until::Css(".start"), SOON)
        .expect("the three cards");
    world.sees("curl -X POST http://");
    world.keep("empty-dark-1600");
    browser.click(".card .button--primary").unwrap();
    browser
        .wait_for(Until::Css(".grid__row"), SOON)
        .expect("the alert");
    world.sees("Test alert from Calseta");
    let stored = world.call("GET", "/v1/alerts", &json!({}));
    assert_eq!(
        stored.as_array().map(Vec::len),
        Some(1),
        "posted through the real door"
    );
}
