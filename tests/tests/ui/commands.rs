//! Every registered command, and that something is seen when it runs.
//!
//! The shortcut sheet lists what is registered; a command without a row here fails the test, and so
//! does a row without a command. A row is run as a person would: by its keys, or by its name in the
//! palette when it has none.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::command_rows::At::{self, Alert, Groups, List};
use crate::command_rows::{ROWS, Row};
use crate::strike::{filter, strike};
use crate::views::{self, Filled, close_dialogs, press, shown};
use crate::window_rows::WINDOW_ROWS;
use crate::world::World;

/// What is compared with: the focus, sizes, and what was said or asked for already.
const REMEMBER: &str = "const width = css => document.querySelector(css)?.getBoundingClientRect().width; \
    window.__was = { id: document.activeElement?.id, \
    list: width('.queue'), rail: width('.rail'), facets: !!document.querySelector('.facets'), \
    unread: !!document.activeElement?.matches('.row--unread'), \
    type: Number(document.documentElement.style.getPropertyValue('--type') || 1), \
    zone: document.querySelector('[data-command=\"window.zone\"]')?.textContent }; \
    document.querySelectorAll('.toast').forEach(one => one.dataset.was = ''); \
    performance.clearResourceTimings(); return 1";

/// Commands that need a page of their own kind of alert; each has a test that is named here.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "queue.merge",
        "queue::new_alerts_wait_behind_the_pill_and_move_nothing",
    ),
    (
        "alert.reopen",
        "queue::a_closed_alert_is_found_and_reopened_from_its_page",
    ),
];

/// The sheet lists more than this; fewer, and it was not the sheet that was read.
const COMMANDS_MIN: usize = 60;
/// Updates are held back by a key.
const IS_PAUSED: &str = "return document.body.innerText.includes('Updates paused')";

#[test]
fn every_command_does_something_that_is_seen() {
    let world = World::start();
    let filled = views::fill(&world);
    let mut faults = Vec::new();
    let mut last = "the start";
    for row in ROWS.iter().chain(WINDOW_ROWS) {
        strike(&world, "Escape Escape Escape");
        let is_closed = "return !document.querySelector('dialog[open], .popover, [role=menu]')";
        if !world.comes(is_closed) {
            faults.push(format!("what {last} opened stays open after Escape"));
        }
        last = row.id;
        go(&world, &filled, row.at);
        if let Err(fault) = run(&world, row) {
            faults.push(fault);
        }
    }
    assert!(
        faults.is_empty(),
        "{} commands:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert_eq!(world.complaints(), [""; 0]);
}

/// Runs a row; its effect is not there before, else nothing could be learnt from seeing it.
fn run(world: &World, row: &Row) -> Result<(), String> {
    let (prepared, keys) = row.run.split_once(" | ").unwrap_or(("", row.run));
    strike(world, prepared);
    if !prepared.is_empty() {
        world.until("return !document.querySelector('.grid[aria-busy=true]')");
    }
    world.browser.execute(REMEMBER).expect("remembered");
    if world.browser.execute(row.seen).ok() == Some(Value::Bool(true)) {
        return Err(format!("{} would be seen without being run", row.id));
    }
    if let Some(title) = keys.strip_prefix("> ") {
        strike(world, "Ctrl+k");
        shown(world, ".palette__input");
        world.browser.press(title).expect("typed");
        let listed = format!(
            "return !!document.querySelector('[data-command=\"{}\"]')",
            row.id
        );
        world.until(&listed);
        strike(world, "Enter");
    } else {
        strike(world, keys);
    }
    if world.comes(row.seen) {
        return Ok(());
    }
    let page = "return document.body.innerText.slice(0, 600)";
    let page = world.browser.execute(page);
    Err(format!(
        "{} by {}: nothing was seen; {page:?}",
        row.id, row.run
    ))
}

#[test]
fn every_registered_command_has_a_row() {
    let world = World::start();
    let filled = views::fill(&world);
    // The sheet lists what any page that was open has registered.
    go(&world, &filled, Alert);
    go(&world, &filled, Groups);
    press(&world, "x");
    strike(&world, "?");
    shown(&world, "[data-shortcut]");
    let listed =
        "return [...document.querySelectorAll('[data-shortcut]')].map(one => one.dataset.shortcut)";
    let listed = world.browser.execute(listed).expect("a list");
    let listed: BTreeSet<&str> = listed
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let known: BTreeSet<&str> = ROWS
        .iter()
        .chain(WINDOW_ROWS)
        .map(|row| row.id)
        .chain(ELSEWHERE.iter().map(|one| one.0))
        .collect();
    let untested: Vec<_> = listed.difference(&known).collect();
    assert!(
        untested.is_empty(),
        "no test sees the effect of {untested:?}"
    );
    let gone: Vec<_> = known.difference(&listed).collect();
    assert!(gone.is_empty(), "no page registers {gone:?} any more");
    assert!(listed.len() > COMMANDS_MIN, "{} are listed", listed.len());
}

/// Goes to where a command is run, with nothing open, selected or filtered.
fn go(world: &World, filled: &Filled, at: At) {
    close_dialogs(world);
    for _ in 0..3 {
        strike(world, "Escape");
    }
    match at {
        List => {
            world.walk_to("/");
            shown(world, ".grid__row");
            filter(world, "status:open");
            world.until("return !document.querySelector('.group-row') && document.querySelectorAll('.grid__row').length > 10");
            strike(world, "g g j");
            world.until("return document.activeElement.matches('.grid__row')");
            if world.browser.execute(IS_PAUSED).expect("a page") == Value::Bool(true) {
                strike(world, "P");
            }
        }
        Groups => {
            world.walk_to("/");
            shown(world, ".grid__row");
            filter(world, "status:open group:rule");
            shown(world, ".group-row");
            strike(world, "g g");
            world.until("return document.activeElement.matches('.group-row')");
        }
        Alert => {
            world.walk_to(&format!("/alerts/{}", filled.alert));
            let is_there = "return !!document.querySelector('.finding')";
            if !world.comes(is_there) {
                let seen =
                    "return [location.pathname, document.querySelector('.detail')?.innerText]";
                panic!("the alert's page: {:?}", world.browser.execute(seen));
            }
        }
    }
}
