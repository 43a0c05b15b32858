//! The analyst's place is never lost: not by what comes in, not by what others do.

use serde_json::{Value, json};

use crate::strike::{filter, finds, strike};
use crate::views::shown;
use crate::world::World;

/// Alerts that match the filter before anything happens.
const ROWS: usize = 700;
/// The line that is read.
const LINE: usize = 600;
/// Where the reader is: the focused row, its place on the screen, what is selected, what is written.
const PLACE: &str = "const row = document.querySelector('.row--focused'); \
    const draft = document.querySelector('#section-7 textarea'); \
    return { id: row?.id, top: row && Math.round(row.getBoundingClientRect().top), \
    scroll: document.querySelector('.grid').scrollTop, \
    selected: document.querySelector('[role=toolbar][aria-label=\"Bulk actions\"] [role=status]')?.textContent, \
    draft: draft?.value }";

fn alert(n: usize, tag: &str) -> Value {
    json!({ "title": format!("{tag} {n:04}"), "severity": "Medium", "tags": [tag], "user": format!("{tag}{n}@example.com") })
}

#[test]
fn the_place_is_kept_through_a_burst_and_others_changes() {
    let world = World::start();
    for first in (0..ROWS).step_by(175) {
        world.alerts((first..first + 175).map(|n| alert(n, "mine")).collect());
    }
    filter(&world, "status:open tag:mine");
    strike(&world, "g g");
    go_down(&world);
    strike(&world, "x J J J J");
    world.sees("5 selected");
    strike(&world, "Enter");
    shown(&world, "#section-7 textarea");
    let typing = "document.querySelector('#section-7 textarea').focus(); return 1";
    world.browser.execute(typing).expect("focused");
    world.browser.press("half a thought").expect("typed");
    world.until("return document.querySelector('#section-7 textarea').value === 'half a thought'");
    let before = world.browser.execute(PLACE).expect("a place");
    assert!(
        before["id"].is_string() && before["draft"] == "half a thought",
        "{before}"
    );

    let seen = "return [...document.querySelectorAll('.grid__row[id^=row-][aria-selected=false]')]\
        .filter(row => row.getBoundingClientRect().top > 100 && row.getBoundingClientRect().bottom < innerHeight - 60)\
        .slice(0, 3).map(row => row.id.slice(4))";
    let others = world.browser.execute(seen).expect("rows");
    let others: Vec<String> = serde_json::from_value(others).expect("ids");
    assert_eq!(others.len(), 3, "rows that are on the screen");
    let mut burst: Vec<Value> = (0..190).map(|n| alert(n, "noise")).collect();
    burst.extend((ROWS..ROWS + 10).map(|n| alert(n, "mine")));
    world.alerts(burst);
    for id in &others {
        let close = json!({ "status": "Closed", "close_classification": "Duplicate" });
        world.call("PATCH", &format!("/v1/alerts/{id}"), &close);
    }
    finds(&world, "tag:noise", 190);
    world.until(
        "return document.querySelector('.pill')?.textContent.includes('Updates paused — 10 new')",
    );
    world.until("return document.querySelectorAll('.row--gone').length === 3");
    assert_eq!(
        world.browser.execute(PLACE).expect("a place"),
        before,
        "nothing has moved"
    );
    world.keep("place-kept-dark-1600");

    strike(&world, "Escape");
    strike(&world, ".");
    world.until("return !document.querySelector('.pill')?.textContent.includes('10 new')");
    let after = world.browser.execute(PLACE).expect("a place");
    assert_eq!(
        (&after["id"], &after["top"]),
        (&before["id"], &before["top"]),
        "merging moves nothing either"
    );
    assert_eq!(world.complaints(), [""; 0]);
}

/// Walks to the line that is read; more of the list is loaded on the way.
fn go_down(world: &World) {
    let line = "return Number(document.activeElement.ariaRowIndex) || 0";
    let end = std::time::Instant::now() + crate::world::SOON * 4;
    loop {
        let at = world
            .browser
            .execute(line)
            .expect("a line")
            .as_u64()
            .unwrap_or(0);
        if at >= LINE as u64 {
            return;
        }
        assert!(
            std::time::Instant::now() < end,
            "line {LINE} is reached, not only {at}"
        );
        strike(world, "PageDown");
    }
}
