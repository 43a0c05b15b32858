//! An agent is registered through the form, tested, and told about an alert.

use calseta_tests::webdriver::Until;
use serde_json::Value;

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
