//! An agent is registered through the form, tested, and told about an alert.

use calseta_tests::webdriver::Until;
use serde_json::{Value, json};

use crate::recorder::Recorder;
use crate::world::{SOON, World};

#[test]
fn an_agent_is_registered_tested_and_its_deliveries_are_shown() {
    let world = World::start();
    let browser = &world.browser;
    let agent = Recorder::start();
    browser.press("gN").unwrap();
    browser
        .wait_for(Until::Css("#agent-name"), SOON)
        .expect("the form");

    browser.click("button[type=submit]").unwrap();
    browser
        .wait_for(Until::Css(".field__hint--error"), SOON)
        .expect("what is missing, inline");
    world.keep("agent-form-errors-dark-1600");

    browser.send_keys("#agent-name", "triage-bot").unwrap();
    browser.send_keys("#agent-url", &agent.url).unwrap();
    browser
        .send_keys("#agent-auth", "Bearer my-agent-secret")
        .unwrap();
    browser.click("button[type=submit]").unwrap();
    browser
        .wait_for(Until::Css(".secret__value"), SOON)
        .expect("the signing secret");
    assert!(
        browser
            .text(".secret__value")
            .unwrap()
            .starts_with("whsec_")
    );
    world.keep("agent-secrets-dark-1600");

    browser.click(".test .button").unwrap();
    world.sees("it answered 200");
    let test = agent
        .received()
        .into_iter()
        .next()
        .expect("the test arrived");
    assert!(
        test.head
            .to_lowercase()
            .contains("authorization: bearer my-agent-secret")
    );
    let body: Value = serde_json::from_str(&test.body).expect("JSON");
    assert_eq!(body["test"], true, "a test says that it is one");

    browser.click(".form__actions .button--primary").unwrap();
    browser
        .wait_for(Until::Css(".delivery"), SOON)
        .expect("the test's delivery");
    world.plain_alert("for the agent", "High");
    world.sees("for the agent");
    world.until(
        "const line = [...document.querySelectorAll('.delivery')]\
         .find(d => d.textContent.includes('for the agent'));\
         return line && line.textContent.includes('Delivered (200)');",
    );
    browser.click(".delivery__line button").unwrap();
    browser
        .wait_for(Until::Css(".attempts tbody tr"), SOON)
        .expect("the attempts");
    world.keep("agent-dark-1600");
    assert!(agent.received().len() >= 2, "the alert was delivered too");
    let page = browser
        .execute("return document.documentElement.outerHTML")
        .unwrap();
    assert!(
        !page.to_string().contains("my-agent-secret"),
        "a stored secret is never in the page"
    );
    assert_eq!(world.complaints(), [""; 0]);
}

#[test]
fn an_agent_is_switched_off_and_deleted_by_name() {
    let world = World::start();
    let browser = &world.browser;
    let agent = Recorder::start();
    let made = world.call(
        "POST",
        "/v1/agents",
        &json!({
            "name": "short-lived",
            "webhook_url": agent.url,
            "trigger_filter": { "min_severity": "High", "tags": ["vpn"] },
        }),
    );
    let id = made["uuid"].as_str().expect("an id").to_owned();
    browser.press("gn").expect("the agents");
    world.sees("High and up · #vpn");
    browser.click(".table__name").expect("the agent");
    browser
        .wait_for(Until::Css(".switch"), SOON)
        .expect("its switch");
    browser.click(".switch").expect("off");
    world.until("return document.querySelector('.switch').ariaChecked === 'false'");
    let stored = world.call("GET", &format!("/v1/agents/{id}"), &Value::Null);
    assert_eq!(stored["is_active"], false);

    browser
        .click(".agent__end .button--danger")
        .expect("delete");
    world.sees("Delete short-lived?");
    world.keep("agent-delete-dark-1600");
    browser.click("dialog .button--danger").expect("yes");
    world.sees("short-lived was deleted");
    world.sees("No agent yet");
}

#[test]
fn an_address_that_an_agent_asked_for_waits_for_a_person() {
    let world = World::start();
    let browser = &world.browser;
    let agent = Recorder::start();
    let key = world.call(
        "POST",
        "/v1/api-keys",
        &json!({
            "name": "an agent that registers others",
            "key_type": "agent",
            "scopes": ["agents:read", "agents:write"],
        }),
    );
    let key = key["key"].as_str().expect("the key, once");
    let made = world.call_with(
        key,
        "POST",
        "/v1/agents",
        &json!({
            "name": "self-made",
            "webhook_url": agent.url,
        }),
    );
    assert_eq!(made["grant"], "pending");
    browser.press("gn").expect("the agents");
    world.sees("Address not allowed yet");
    browser.click(".table__name").expect("the agent");
    world.sees("Allow this address");
    world.keep("agent-pending-dark-1600");
    browser.click(".banner .button--primary").expect("allowed");
    world.until("return !document.querySelector('.banner')");
    let id = made["uuid"].as_str().expect("an id");
    let stored = world.call("GET", &format!("/v1/agents/{id}"), &Value::Null);
    assert_eq!(stored["grant"], "granted");
}
