//! Every view of the window, with every dialog: what looks, sounds or breaks is looked for on each.

use serde_json::Value;

use crate::strike::{filter, strike, to_filter};
use crate::views::{Filled, close_dialogs, press, shown};
use crate::world::World;

/// A view: its name in files, and the way to it.
pub(crate) struct View {
    pub(crate) name: &'static str,
    /// Keys that are pressed on the list's second row, and open a dialog.
    keys: Option<&'static str>,
    open: fn(&World, &Filled),
}

/// A dialog that keys open over the list.
const fn dialog(name: &'static str, keys: &'static str) -> View {
    View {
        name,
        keys: Some(keys),
        open: |world, _| {
            list(world);
        },
    }
}

/// The list of the open alerts, with its second row focused.
fn list(world: &World) {
    world.walk_to("/");
    shown(world, ".grid__row, .empty");
    filter(world, "status:open");
    shown(world, ".grid__row[id^=row-]");
    strike(world, "g g j");
    world.until("return document.activeElement.matches('.grid__row')");
}

impl View {
    /// Opens it, from wherever the window is.
    pub(crate) fn open(&self, world: &World, filled: &Filled) {
        close_dialogs(world);
        strike(world, "Escape Escape Escape");
        (self.open)(world, filled);
        if let Some(keys) = self.keys {
            strike(world, keys);
            shown(world, "dialog[open]");
        }
    }
}

fn alert(world: &World, filled: &Filled) {
    world.walk_to(&format!("/alerts/{}", filled.alert));
    shown(world, ".finding");
}

fn agent(world: &World, filled: &Filled) {
    world.walk_to(&format!("/agents/{}", filled.agent));
    world.until(
        "return document.querySelector('main h1, main h2')?.textContent.includes('triage-bot')",
    );
}

/// Opens what is folded in the page.
pub(crate) fn unfold(world: &World) {
    let open = "document.querySelectorAll('main details:not([open]) > summary')\
                .forEach(one => one.click()); return 1";
    world.browser.execute(open).expect("unfolded");
}

/// Runs a command of the list by its name.
fn by_palette(world: &World, command: &str, title: &str) {
    list(world);
    strike(world, "Ctrl+k");
    shown(world, ".palette__input");
    press(world, title);
    shown(world, &format!("[data-command='{command}']"));
    strike(world, "Enter");
    world.until(&format!(
        "return [...document.querySelectorAll('dialog[open] h2')].some(one => one.textContent === '{title}')"
    ));
}

/// Presses the first button of a kind with these words.
fn press_button(world: &World, css: &str, words: &str) {
    world.until(&format!(
        "const button = [...document.querySelectorAll('{css}')].find(one => one.textContent.includes('{words}')); \
         button?.click(); return !!button"
    ));
}

/// All of them.
pub(crate) const VIEWS: &[View] = &[
    View {
        name: "queue",
        keys: None,
        open: |world, _| {
            list(world);
        },
    },
    View {
        name: "alert",
        keys: None,
        open: |world, filled| {
            alert(world, filled);
        },
    },
    View {
        name: "alert-unfolded",
        keys: None,
        open: |world, filled| {
            alert(world, filled);
            unfold(world);
        },
    },
    View {
        name: "compare",
        keys: None,
        open: |world, filled| {
            alert(world, filled);
            strike(world, "C");
            shown(world, ".compare");
        },
    },
    View {
        name: "groups",
        keys: None,
        open: |world, _| {
            world.walk_to("/");
            filter(world, "status:open group:rule");
            shown(world, ".group-row");
        },
    },
    View {
        name: "selected",
        keys: None,
        open: |world, _| {
            list(world);
            strike(world, "x J J");
            shown(world, "[role=toolbar][aria-label='Bulk actions']");
        },
    },
    View {
        name: "peek",
        keys: None,
        open: |world, _| {
            list(world);
            strike(world, "Space");
            shown(world, ".peek");
        },
    },
    View {
        name: "no-match",
        keys: None,
        open: |world, _| {
            world.walk_to("/");
            filter(world, "status:closed ip:9.9.9.9");
            world.until("return !document.querySelector('.grid__row')");
        },
    },
    View {
        name: "wrong-query",
        keys: None,
        open: |world, _| {
            list(world);
            to_filter(world);
            strike(world, "Ctrl+a");
            press(world, "sev:critcal");
            shown(world, ".query__wrong");
        },
    },
    View {
        name: "facets",
        keys: None,
        open: |world, _| {
            list(world);
            if world
                .browser
                .execute("return !document.querySelector('.facets')")
                .expect("a page")
                == Value::Bool(true)
            {
                strike(world, "f");
            }
            shown(world, ".facets");
        },
    },
    View {
        name: "suppress-view",
        keys: None,
        open: |world, _| {
            by_palette(
                world,
                "queue.suppress-view",
                "Suppress what this view finds",
            );
        },
    },
    View {
        name: "suppressions",
        keys: None,
        open: |world, _| by_palette(world, "queue.suppressions", "Suppressions"),
    },
    View {
        name: "disagree",
        keys: None,
        open: |world, filled| {
            alert(world, filled);
            press_button(world, ".finding button", "Disagree…");
            shown(world, "#disagree-comment");
        },
    },
    View {
        name: "what-it-saw",
        keys: None,
        open: |world, filled| {
            alert(world, filled);
            press_button(world, ".finding button", "What it saw");
            shown(world, "dialog[open] pre, dialog[open] .json");
        },
    },
    View {
        name: "indicator-verdict",
        keys: None,
        open: |world, filled| {
            alert(world, filled);
            unfold(world);
            press_button(world, "#section-2 button", "Verdict…");
            shown(world, "dialog[open] select");
        },
    },
    View {
        name: "delete-agent",
        keys: None,
        open: |world, filled| {
            agent(world, filled);
            press_button(world, "main button", "Delete");
            shown(world, "dialog[open]");
        },
    },
    View {
        name: "gallery",
        keys: None,
        open: |world, _| {
            world.walk_to("/__gallery");
            world.until("return document.querySelectorAll('main h2').length > 5");
        },
    },
    View {
        name: "activity",
        keys: None,
        open: |world, _| {
            list(world);
            strike(world, "Ctrl+j");
            shown(world, ".activity");
        },
    },
    dialog("close", "c"),
    dialog("severity", "s"),
    dialog("tags", "t"),
    dialog("note", "n"),
    dialog("snooze", "z z"),
    dialog("dispatch", "a"),
    dialog("verdict", "b"),
    dialog("suppress", "Shift+S"),
    dialog("look-up", "E"),
    dialog("save-view", "V"),
    dialog("new-alert", "N"),
    dialog("palette", "Ctrl+k"),
    dialog("settings", "g ,"),
    dialog("shortcuts", "?"),
    View {
        name: "views",
        keys: None,
        open: |world, _| {
            list(world);
            strike(world, "v");
            shown(world, "[role=menuitemradio]");
        },
    },
    View {
        name: "display",
        keys: None,
        open: |world, _| {
            list(world);
            strike(world, "d");
            shown(world, "[data-command='queue.group-rule']");
        },
    },
    View {
        name: "agents",
        keys: None,
        open: |world, _| {
            world.walk_to("/agents");
            world.sees("triage-bot");
        },
    },
    View {
        name: "agent",
        keys: None,
        open: |world, filled| {
            agent(world, filled);
        },
    },
    View {
        name: "new-agent",
        keys: None,
        open: |world, _| {
            world.walk_to("/agents/new");
            shown(world, "main form, main input");
        },
    },
    View {
        name: "nothing-here",
        keys: None,
        open: |world, _| {
            world.walk_to("/no/such/page");
            world.sees("There is nothing here");
        },
    },
];
