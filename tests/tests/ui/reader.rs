//! What a screen reader is told on the way through an alert, by keyboard only.
//!
//! The browser's own accessibility tree is asked, which is what a screen reader is given.

use serde_json::{Value, json};

use crate::strike::strike;
use crate::views::{self, shown};
use crate::world::World;

/// The tree's nodes as `(role, name, focused)`.
fn tree(world: &World) -> Vec<(String, String, bool)> {
    let answer = world
        .browser
        .devtools("Accessibility.getFullAXTree", &json!({}))
        .expect("the tree");
    let nodes = answer["nodes"].as_array().expect("nodes").clone();
    let text = |value: &Value| value["value"].as_str().unwrap_or_default().to_owned();
    nodes
        .iter()
        .filter(|node| node["ignored"] != true)
        .map(|node| {
            let focused = node["properties"].as_array().is_some_and(|all| {
                all.iter()
                    .any(|one| one["name"] == "focused" && one["value"]["value"] == true)
            });
            (text(&node["role"]), text(&node["name"]), focused)
        })
        .collect()
}

/// Waits until the tree has a node of a role whose name has these words; with `focused`, the focus.
fn hears(world: &World, role: &str, words: &str, focused: bool) -> String {
    let end = std::time::Instant::now() + crate::world::SOON;
    loop {
        let nodes = tree(world);
        let found = nodes
            .iter()
            .find(|(is, name, has)| is == role && name.contains(words) && (*has || !focused));
        if let Some((_, name, _)) = found {
            return name.clone();
        }
        let near: Vec<_> = nodes
            .iter()
            .filter(|(is, _, has)| is == role || *has)
            .take(8)
            .collect();
        assert!(
            std::time::Instant::now() < end,
            "{role} {words:?} is not said: {near:?}"
        );
    }
}

#[test]
fn a_reader_triages_an_alert_by_keyboard() {
    let world = World::start();
    let filled = views::fill(&world);
    strike(&world, "g q");
    for (role, name) in [("navigation", "Main"), ("main", ""), ("grid", "Alerts")] {
        hears(&world, role, name, false);
    }
    strike(&world, "g g");
    let row = hears(&world, "row", ",", true);
    let words: Vec<&str> = row.split(", ").collect();
    assert!(words.len() >= 4, "severity, status, title and age: {row}");
    assert!(
        ["Critical", "High", "Medium", "Low", "Informational"].contains(&words[0]),
        "{row}"
    );

    world.walk_to(&format!("/alerts/{}", filled.alert));
    shown(&world, ".finding");
    hears(&world, "heading", "Many failed sign-ins", false);
    strike(&world, "3");
    hears(&world, "heading", "Agent findings", false);
    let tells = |world: &World| hears(world, "article", "Finding of triage-bot", false);
    tells(&world);
    strike(&world, "c");
    hears(&world, "dialog", "Close", false);
    hears(&world, "button", "1", true);
    strike(&world, "1");
    world.until("return !document.querySelector('dialog[open]')");
    let is = |word: &str| {
        let end = std::time::Instant::now() + crate::world::SOON;
        let path = format!("/v1/alerts/{}", filled.alert);
        while world.call("GET", &path, &Value::Null)["status"] != word {
            assert!(std::time::Instant::now() < end, "it becomes {word}");
            std::thread::yield_now();
        }
    };
    is("Closed");
    hears(&world, "status", "", false);
    strike(&world, "U");
    is("Open");
    assert_eq!(world.complaints(), [""; 0]);
}
