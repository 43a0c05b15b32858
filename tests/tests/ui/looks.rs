//! Themes, widths and failure: pictures to be looked at, and what must hold in each.

use calseta_tests::webdriver::{Until, keys};
use serde_json::json;

use crate::strike::strike;
use crate::views::shown;
use crate::world::{SOON, WIDE, World};

/// The page's own background as it is painted.
const BACKGROUND: &str = "return getComputedStyle(document.body).backgroundColor";
/// Something stands outside the window to the right.
const OVERFLOW: &str =
    "return document.documentElement.scrollWidth - document.documentElement.clientWidth";

fn fill(world: &World) -> String {
    let alerts = [
        ("Ransomware note written on FIN-WS-0231", "Critical"),
        ("Impossible travel for n.hathaway", "High"),
        ("Suspicious PowerShell download cradle", "Medium"),
        ("Port scan from the guest network", "Low"),
        ("TLS certificate expires in seven days", "Informational"),
    ];
    let ids: Vec<String> = alerts
        .iter()
        .map(|(t, s)| world.plain_alert(t, s))
        .collect();
    for (title, _) in alerts {
        world.sees(title);
    }
    for (verdict, confidence) in [("malicious", 0.95), ("benign", 0.4)] {
        world.call(
            "POST",
            &format!("/v1/alerts/{}/findings", ids[1]),
            &json!({
                "summary": "47 failed sign-ins, then a success from a Tor exit node.",
                "verdict": verdict,
                "confidence": confidence,
                "recommended_actions": ["Revoke all active sessions"],
                "details": { "source_ip_analysis": "Known Tor exit node, 14/90 detections" },
                "not_checked": ["mailbox rules"],
                "usage": { "model": "local-7b", "input_tokens": 2487, "output_tokens": 793 },
            }),
        );
    }
    world.until("return document.querySelectorAll('.agent-chip').length >= 2");
    ids[1].clone()
}

fn choose_theme(world: &World, theme: &str) {
    let title = match theme {
        "dark" => "Dark theme",
        "light" => "Light theme",
        "contrast-dark" => "High contrast, dark",
        _ => "High contrast, light",
    };
    strike(world, "Ctrl+k");
    shown(world, ".palette__input");
    world.browser.press(title).expect("typed");
    shown(world, &format!("[data-command='theme.{theme}']"));
    strike(world, "Enter");
    world.until(&format!(
        "return document.documentElement.dataset.theme === '{theme}'"
    ));
}

#[test]
fn every_theme_and_width_shows_the_whole_window() {
    let world = World::start();
    let browser = &world.browser;
    let id = fill(&world);
    let mut backgrounds = Vec::new();
    for theme in ["dark", "light", "contrast-dark", "contrast-light"] {
        choose_theme(&world, theme);
        backgrounds.push(browser.execute(BACKGROUND).unwrap());
        for (width, height) in [WIDE, (900, 700)] {
            browser.resize(width, height).unwrap();
            browser.press(keys::ESCAPE).unwrap();
            browser
                .wait_for(Until::Css(".grid__row"), SOON)
                .expect("the queue");
            world.keep(&format!("queue-{theme}-{width}"));
            assert_eq!(
                browser.execute(OVERFLOW).unwrap(),
                json!(0),
                "{theme} at {width}"
            );
            browser
                .execute(&format!(
                    "document.querySelector('#row-{id}').click(); return 1"
                ))
                .unwrap();
            browser
                .wait_for(Until::Css(".finding"), SOON)
                .expect("the alert's page");
            world.keep(&format!("alert-{theme}-{width}"));
            assert_eq!(
                browser.execute(OVERFLOW).unwrap(),
                json!(0),
                "{theme} at {width}"
            );
        }
    }
    assert_ne!(backgrounds[0], backgrounds[1], "dark and light differ");
    browser.reload().unwrap();
    world.until("return document.documentElement.dataset.theme === 'contrast-light'");
    assert_eq!(world.complaints(), [""; 0]);
}

#[test]
fn a_backend_that_is_gone_is_said_to_be_gone_and_the_rows_stay() {
    let mut world = World::start();
    fill(&world);
    world.crash();
    world.browser.press("r").unwrap();
    world.sees("The queue could not be read");
    world.sees("Retry");
    world.sees("Ransomware note written on FIN-WS-0231");
    world.sees("Reconnecting");
    world.keep("error-dark-1600");
}

#[test]
fn every_registered_command_is_on_the_shortcut_sheet() {
    let world = World::start();
    world.plain_alert("something", "High");
    world.sees("something");
    world.browser.press("?").unwrap();
    world
        .browser
        .wait_for(Until::Css(".sheet__row"), SOON)
        .expect("the sheet");
    for title in [
        "Next alert",
        "Acknowledge",
        "Close as…",
        "Show new alerts",
        "Register an agent",
    ] {
        world.sees(title);
    }
    world.keep("shortcuts-dark-1600");
    world.browser.press(keys::ESCAPE).unwrap();
    world.until("return !document.querySelector('dialog[open]')");
}
