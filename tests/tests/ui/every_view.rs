//! Every view in every theme and width: what a person sees, and what a screen reader is told.

use calseta_tests::page::{self, Rules};
use serde_json::json;

use crate::view_list::VIEWS;
use crate::views::{self, THEMES, in_theme};
use crate::world::World;

#[test]
fn nothing_is_amiss_in_a_wide_window() {
    lay_out(1600, 900);
}

/// Where the list and the alert begin to share the window.
#[test]
fn nothing_is_amiss_at_the_edge_of_the_split() {
    lay_out(1200, 800);
}

/// Where an alert covers the list.
#[test]
fn nothing_is_amiss_in_a_narrow_window() {
    lay_out(900, 700);
}

/// Every view in every theme at a size: nothing overflows, is cut, too small or without a ring.
fn lay_out(width: u32, height: u32) {
    let world = World::start();
    let filled = views::fill(&world);
    world.browser.resize(width, height).expect("resized");
    let mut faults = Vec::new();
    for view in VIEWS {
        view.open(&world, &filled);
        for theme in THEMES {
            in_theme(&world, theme);
            world.keep(&format!("{}-{theme}-{width}", view.name));
            let found = page::layout_faults(&world.browser).expect("the layout's script runs");
            let place = format!("{} {theme} {width}", view.name);
            faults.extend(found.into_iter().map(|fault| format!("{place}: {fault}")));
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert_eq!(world.complaints(), [""; 0]);
}

#[test]
fn axe_finds_nothing_serious() {
    let axe = page::axe_source().expect("axe-core");
    let world = World::start();
    let filled = views::fill(&world);
    // The fewer rows, the sooner it is done: they are all alike.
    world.browser.resize(1600, 600).expect("resized");
    let mut faults = Vec::new();
    for view in VIEWS {
        view.open(&world, &filled);
        for (n, theme) in THEMES.into_iter().enumerate() {
            in_theme(&world, theme);
            // A theme changes colours only, so that every other rule is asked once.
            let rules = if n == 0 { Rules::All } else { Rules::Colours };
            let found = page::axe_faults(&world.browser, &axe, rules).expect("axe runs");
            let place = format!("{} {theme}", view.name);
            faults.extend(found.into_iter().map(|fault| format!("{place}: {fault}")));
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// Elements with a fault each, and the words by which the script names them.
const PLANTED: [(&str, &str); 4] = [
    (
        "<div style=\"position:fixed;left:0;top:0;width:3000px;height:4px\">wide</div>",
        "stands outside the window",
    ),
    (
        "<div style=\"position:fixed;left:0;top:40px;width:60px;overflow:hidden;white-space:nowrap\">\
         a sentence that is longer than its box</div>",
        "is cut by",
    ),
    (
        "<div style=\"position:fixed;left:0;top:80px;display:flex\"><button style=\"all:unset;width:9px;\
         height:9px\">a</button><button style=\"all:unset;width:9px;height:9px\">b</button></div>",
        "too near",
    ),
    (
        "<button style=\"position:fixed;left:0;top:120px;all:unset;outline:none!important;width:40px;\
         height:40px\">ring</button>",
        "does not show the focus",
    ),
];

#[test]
fn planted_faults_are_found() {
    let world = World::start();
    views::fill(&world);
    let axe = page::axe_source().expect("axe-core");
    for (element, fault) in PLANTED {
        plant(&world, element);
        let found = page::layout_faults(&world.browser).expect("the layout's script runs");
        let found: Vec<_> = found.iter().filter(|one| one.contains(fault)).collect();
        assert!(!found.is_empty(), "{element} must be found: {fault}");
    }
    plant(
        &world,
        "<button></button><p style=\"position:fixed;left:0;top:0;z-index:99;color:#777;background:#888\">grey on grey</p>",
    );
    let found = page::axe_faults(&world.browser, &axe, Rules::All)
        .expect("axe runs")
        .join("\n");
    for rule in ["button-name", "color-contrast"] {
        assert!(found.contains(rule), "{rule} must be found: {found}");
    }
}

/// Puts an element at the end of the page, in place of an earlier one. Its style is set by script,
/// which is what the policy admits.
fn plant(world: &World, element: &str) {
    let script = format!(
        "document.querySelector('#planted')?.remove(); \
         const holder = document.createElement('div'); holder.id = 'planted'; \
         holder.innerHTML = {}.replaceAll('style=', 'data-style='); \
         for (const one of holder.querySelectorAll('[data-style]')) one.style.cssText = one.dataset.style; \
         document.body.append(holder); return 1",
        json!(element)
    );
    world.browser.execute(&script).expect("planted");
}
