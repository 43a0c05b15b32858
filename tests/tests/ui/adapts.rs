//! The window follows what a person has set: zoom, narrow pages, forced colours, less motion, and
//! no single letters as shortcuts.

use std::collections::BTreeSet;

use calseta_tests::page;
use serde_json::{Value, json};

use crate::strike::strike;
use crate::view_list::VIEWS;
use crate::views::{self, Filled, shown};
use crate::world::{SOON, World};

/// 200 % of a window of 1280 by 1024.
const ZOOMED: (u32, u32) = (640, 512);
/// 400 % of it: the width at which WCAG 2.2 asks for reflow (1.4.10).
const REFLOWED: (u32, u32) = (320, 256);

/// The page as wide as a window that is zoomed. A browser zooms by making the page's pixels fewer.
fn zoom(world: &World, (width, height): (u32, u32), scale: u32) {
    let metrics = json!({
        "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false,
    });
    world
        .browser
        .devtools("Emulation.setDeviceMetricsOverride", &metrics)
        .expect("zoomed");
    world.until(&format!("return innerWidth === {width}"));
}

/// Views that are looked at zoomed: one of each kind, and every page.
const KINDS: [&str; 10] = [
    "queue",
    "alert",
    "compare",
    "groups",
    "selected",
    "close",
    "settings",
    "agents",
    "agent",
    "new-agent",
];

fn faults_of_kinds(world: &World, filled: &Filled, at: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let kinds = VIEWS.iter().filter(|view| KINDS.contains(&view.name));
    for view in kinds {
        view.open(world, filled);
        world.keep(&format!("{}-{at}", view.name));
        let found = page::layout_faults(&world.browser).expect("the layout's script runs");
        faults.extend(
            found
                .into_iter()
                .map(|fault| format!("{} {at}: {fault}", view.name)),
        );
    }
    faults
}

#[test]
fn nothing_is_lost_at_200_and_400_percent() {
    let world = World::start();
    let filled = views::fill(&world);
    zoom(&world, ZOOMED, 2);
    let mut faults = faults_of_kinds(&world, &filled, "zoom-200");
    zoom(&world, REFLOWED, 4);
    faults.extend(faults_of_kinds(&world, &filled, "zoom-400"));
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert_eq!(world.complaints(), [""; 0]);
}

/// What the browser tells the page about its user.
fn prefers(world: &World, name: &str, value: &str) {
    let features = json!({ "features": [{ "name": name, "value": value }] });
    world
        .browser
        .devtools("Emulation.setEmulatedMedia", &features)
        .expect("preferred");
}

/// Filled boxes of the page whose colour is not one of the desktop's: a browser that forces colours
/// repaints backgrounds, unless the page says that it paints them itself.
const FORCED: &str = "const bad = []; \
    for (const one of document.querySelectorAll('body *')) { \
      if (!one.checkVisibility()) continue; const css = getComputedStyle(one); \
      if (one.matches('button, input, select, textarea, [role=row], dialog') \
        && css.forcedColorAdjust === 'none') bad.push(one.outerHTML.slice(0, 90)); } return bad";

#[test]
fn forced_colours_leave_every_view_whole() {
    let world = World::start();
    let filled = views::fill(&world);
    let plain = world.browser.execute(CANVAS).expect("a colour");
    prefers(&world, "forced-colors", "active");
    world.until("return matchMedia('(forced-colors: active)').matches");
    let forced = world.browser.execute(CANVAS).expect("a colour");
    assert_ne!(plain, forced, "the browser paints its own colours");
    let faults = faults_of_kinds(&world, &filled, "forced-colours");
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    let own = world.browser.execute(FORCED).expect("a list");
    assert_eq!(
        own,
        json!([]),
        "controls are painted in the desktop's colours"
    );
    severity_is_seen_without_its_colour(&world);
}

/// The page's background as it is painted.
const CANVAS: &str = "return getComputedStyle(document.body).backgroundColor";

/// A letter says what a colour no longer can.
fn severity_is_seen_without_its_colour(world: &World) {
    world.walk_to("/");
    shown(world, ".grid__row[id^=row-]");
    let letters = "return [...document.querySelectorAll('.grid__row[id^=row-]')].filter(one => \
        one.checkVisibility()).map(one => one.innerText.trim()[0])";
    let letters = world.browser.execute(letters).expect("a list");
    let letters: Vec<String> = serde_json::from_value(letters).expect("letters");
    assert!(!letters.is_empty());
    for letter in letters {
        assert!("CHMLIP".contains(&letter), "{letter} is no severity");
    }
}

/// Every element that would move for longer than an instant.
const MOVES: &str = "const long = text => text.split(',').some(one => parseFloat(one) * (one.includes('ms') ? 1 : 1000) > 20); \
    return [...document.querySelectorAll('body *')].filter(one => { const css = getComputedStyle(one); \
    return (css.animationName !== 'none' && long(css.animationDuration)) || \
    (css.transitionProperty !== 'none' && long(css.transitionDuration)); }) \
    .map(one => one.className.toString().slice(0, 60))";

#[test]
fn nothing_moves_when_less_motion_is_asked_for() {
    let world = World::start();
    let filled = views::fill(&world);
    prefers(&world, "prefers-reduced-motion", "no-preference");
    let settings = VIEWS.iter().find(|view| view.name == "settings");
    settings.expect("a view").open(&world, &filled);
    let moving = world.browser.execute(MOVES).expect("a list");
    assert_ne!(moving, json!([]), "without that wish something does move");
    prefers(&world, "prefers-reduced-motion", "reduce");
    let mut faults = BTreeSet::new();
    for view in VIEWS.iter().filter(|view| KINDS.contains(&view.name)) {
        view.open(&world, &filled);
        let moving = world.browser.execute(MOVES).expect("a list");
        let moving = moving.as_array().expect("a list").clone();
        faults.extend(moving.iter().map(|one| format!("{}: {one}", view.name)));
    }
    assert!(faults.is_empty(), "{faults:?}");
}

/// Presses a switch of the settings.
fn switch(world: &World, label: &str) {
    strike(world, "Ctrl+k");
    shown(world, ".palette__input");
    world.browser.press("Settings").expect("typed");
    shown(world, "[data-command='window.settings']");
    strike(world, "Enter");
    world.until(&format!(
        "const all = [...document.querySelectorAll('dialog[open] [role=switch]')]; \
         const one = all.find(one => one.textContent.includes('{label}')); \
         one?.click(); return !!one"
    ));
    strike(world, "Escape");
    world.until("return !document.querySelector('dialog[open]')");
}

#[test]
fn without_single_letters_everything_is_still_within_reach() {
    let world = World::start();
    views::fill(&world);
    world.walk_to("/");
    shown(&world, ".grid__row");
    strike(&world, "g g j");
    let at = "return document.activeElement.id";
    let row = world.browser.execute(at).expect("a row");
    switch(&world, "Single letters");
    let focus = format!("document.getElementById({row}).focus(); return 1");
    world.browser.execute(&focus).expect("the row");
    strike(&world, "c s e x j ?");
    assert_eq!(
        world.browser.execute(at).expect("a row"),
        row,
        "j moves nothing"
    );
    let nothing = "return !document.querySelector('dialog[open], .grid__row[aria-selected=true]') \
        && document.activeElement.ariaLabel.includes(', Open,')";
    assert_eq!(
        world.browser.execute(nothing).expect("a page"),
        Value::Bool(true)
    );
    strike(&world, "ArrowDown");
    let moved = format!("return document.activeElement.id !== {row}");
    world.until(&moved);

    let listed = commands(&world);
    let mut lost = Vec::new();
    for (id, title) in listed.iter().filter(|one| one.0 != "window.palette") {
        if !is_in_palette(&world, id, title) {
            lost.push(id.clone());
        }
    }
    assert!(lost.is_empty(), "no longer within reach: {lost:?}");
    by_palette(&world, "alert.acknowledge", "Acknowledge");
    world.until("return document.activeElement.ariaLabel.includes(', Triaging,')");
    switch(&world, "Single letters");
    strike(&world, "c");
    shown(&world, ".close-dialog__choice");
}

/// The commands that the sheet of shortcuts lists and that can run here, with their titles.
fn commands(world: &World) -> Vec<(String, String)> {
    let open = "document.querySelector('[data-command=\"window.shortcuts\"]').click(); return 1";
    world.browser.execute(open).expect("the sheet's button");
    shown(world, "[data-shortcut]");
    let listed = "return [...document.querySelectorAll('[data-shortcut]')] \
        .filter(one => one.ariaDisabled !== 'true') \
        .map(one => [one.dataset.shortcut, one.querySelector('span').textContent.replace('…', '').trim()])";
    let listed = world.browser.execute(listed).expect("a list");
    strike(world, "Escape");
    world.until("return !document.querySelector('dialog[open]')");
    let listed: Vec<(String, String)> = serde_json::from_value(listed).expect("a list of pairs");
    assert!(listed.len() > 40, "{listed:?}");
    listed
}

/// Whether the palette, opened by a chord, lists a command by its title.
fn is_in_palette(world: &World, id: &str, title: &str) -> bool {
    if world
        .browser
        .execute("return !document.querySelector('.palette__input')")
        .expect("a page")
        == Value::Bool(true)
    {
        strike(world, "Ctrl+k");
        shown(world, ".palette__input");
    }
    strike(world, "Ctrl+a");
    world.browser.press(title).expect("typed");
    let listed = format!("return !!document.querySelector('.palette [data-command=\"{id}\"]')");
    world
        .browser
        .wait_for(calseta_tests::webdriver::Until::Js(&listed), SOON)
        .is_ok()
}

/// Runs a command by its title.
fn by_palette(world: &World, id: &str, title: &str) {
    assert!(is_in_palette(world, id, title), "{title}");
    strike(world, "Enter");
}
