//! The table of commands: how each is run, and what is seen then. [`crate::commands`] runs it.

/// Where a command is run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// The list, with its second row focused.
    List,
    /// The list grouped by rule, with the first group focused.
    Groups,
    /// The page of the alert that agents disagree on.
    Alert,
}

/// A command, how it is run, and the script that is true once its effect is seen. `was` is what the
/// page showed before.
pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) at: At,
    /// Keys, after those that only prepare and a `|`; what begins with `>` is typed into the palette
    /// and taken.
    pub(crate) run: &'static str,
    pub(crate) seen: &'static str,
}

pub(crate) const fn row(id: &'static str, at: At, run: &'static str, seen: &'static str) -> Row {
    Row { id, at, run, seen }
}

const MOVED: &str =
    "const is = document.activeElement; return is.id !== __was.id && is.matches('.grid__row')";
/// Something is said that was not said before.
const TOAST: &str = "return !!document.querySelector('.toast:not([data-was])')";

/// A dialog whose title says this.
macro_rules! dialog {
    ($title:literal) => {
        concat!(
            "return [...document.querySelectorAll('dialog[open] h2')].some(one => one.textContent.includes('",
            $title,
            "'))"
        )
    };
}

use At::{Alert, Groups, List};

/// All of them; the order is the sheet's, but what marks alerts comes after what needs them.
pub(crate) const ROWS: &[Row] = &[
    row("queue.next", List, "j", MOVED),
    row("queue.previous", List, "k", MOVED),
    row("queue.page-down", List, "PageDown", MOVED),
    row("queue.page-up", List, "PageDown | PageUp PageUp", MOVED),
    row(
        "queue.first",
        List,
        "g g",
        "return document.activeElement.ariaRowIndex === '2'",
    ),
    row(
        "queue.last",
        List,
        "G",
        "return Number(document.activeElement.ariaRowIndex) > 20",
    ),
    row("queue.next-unhandled", List, "]", MOVED),
    row("queue.previous-unhandled", List, "[", MOVED),
    row(
        "queue.open",
        List,
        "Enter",
        "return location.pathname.startsWith('/alerts/')",
    ),
    row(
        "queue.back",
        Alert,
        "Escape",
        "return location.pathname === '/'",
    ),
    row(
        "queue.filter",
        List,
        "/",
        "return document.activeElement.matches('input[aria-label=Filter]')",
    ),
    row(
        "queue.refresh",
        List,
        "r",
        "return performance.getEntriesByType('resource').some(one => new URL(one.name).pathname === '/v1/alerts')",
    ),
    row(
        "queue.pause",
        List,
        "P",
        "return document.body.innerText.includes('Updates paused')",
    ),
    row(
        "queue.facets",
        List,
        "f",
        "return !!document.querySelector('.facets') !== __was.facets",
    ),
    row(
        "queue.peek",
        List,
        "Space",
        "return !!document.querySelector('.peek')",
    ),
    row(
        "queue.pin",
        Alert,
        "p",
        "return !!document.querySelector('.grid__pinned')",
    ),
    row(
        "queue.export-csv",
        List,
        "X c",
        "return [...document.querySelectorAll('.toast:not([data-was])')].some(one => one.textContent.includes('Exported') && one.textContent.includes('.csv'))",
    ),
    row(
        "queue.export-ndjson",
        List,
        "X n",
        "return [...document.querySelectorAll('.toast:not([data-was])')].some(one => one.textContent.includes('Exported') && one.textContent.includes('.ndjson'))",
    ),
    row(
        "queue.display",
        List,
        "d",
        "return !!document.querySelector('[data-command=\"queue.group-rule\"]')",
    ),
    row(
        "queue.group-none",
        Groups,
        "> Group by nothing",
        "return !document.querySelector('.group-row')",
    ),
    row(
        "queue.group-rule",
        List,
        "> Group by rule",
        "return !!document.querySelector('.group-row')",
    ),
    row(
        "queue.group-entity",
        List,
        "> Group by key indicator",
        "return !!document.querySelector('.group-row')",
    ),
    row(
        "queue.group-source",
        List,
        "> Group by source",
        "return !!document.querySelector('.group-row')",
    ),
    row(
        "queue.group-duplicate",
        List,
        "> Group by recurrence",
        "return document.querySelector('input[aria-label=Filter]').value.includes('group:duplicate')",
    ),
    row(
        "queue.collapse",
        Groups,
        "ArrowLeft",
        "return document.activeElement.ariaExpanded === 'false'",
    ),
    row(
        "queue.expand",
        Groups,
        "ArrowLeft | ArrowRight",
        "return document.activeElement.ariaExpanded === 'true'",
    ),
    row(
        "queue.collapse-all",
        Groups,
        "Shift+ArrowLeft",
        "const all = [...document.querySelectorAll('.group-row')]; return all.length > 1 && all.every(one => one.ariaExpanded === 'false')",
    ),
    row(
        "queue.suppress-view",
        List,
        "> Suppress what this view finds",
        dialog!("Suppress what this view finds"),
    ),
    row(
        "queue.suppressions",
        List,
        "> Suppressions",
        dialog!("Suppressions"),
    ),
    row(
        "selection.toggle",
        List,
        "x",
        "return document.activeElement.ariaSelected === 'true'",
    ),
    row(
        "selection.down",
        List,
        "J",
        "return document.querySelectorAll('.grid__row[aria-selected=true]').length === 2",
    ),
    row(
        "selection.up",
        List,
        "K",
        "return document.querySelectorAll('.grid__row[aria-selected=true]').length === 2",
    ),
    row(
        "selection.all",
        List,
        "Ctrl+a",
        "return document.querySelectorAll('.grid__row[aria-selected=false]').length === 0",
    ),
    row(
        "selection.clear",
        List,
        "x | Escape",
        "return !document.querySelector('.grid__row[aria-selected=true]')",
    ),
    row(
        "view.switch",
        List,
        "v",
        "return !!document.querySelector('[role=menuitemradio]')",
    ),
    row("view.save", List, "V", dialog!("Save this view")),
    row(
        "alert.acknowledge",
        List,
        "e",
        "const row = document.getElementById(__was.id); return row?.textContent.includes('→ Triaging') || !!row?.querySelector('[data-status=Triaging]')",
    ),
    row(
        "alert.escalate",
        List,
        "i",
        "const row = document.getElementById(__was.id); return row?.textContent.includes('→ Escalated') || !!row?.querySelector('[data-status=Escalated]')",
    ),
    row(
        "alert.close",
        List,
        "c",
        "return document.querySelectorAll('.close-dialog__choice').length === 7 && document.querySelector('dialog[open] h2').textContent.startsWith('Close')",
    ),
    row("alert.severity", List, "s", dialog!("Severity of")),
    row(
        "alert.tag",
        List,
        "t",
        "return !!document.querySelector('#tags-text')",
    ),
    row(
        "alert.note",
        List,
        "n",
        "return !!document.querySelector('#note-text')",
    ),
    row("alert.snooze", List, "z z", dialog!("Snooze")),
    row("alert.snooze-hour", List, "z 1", TOAST),
    row("alert.snooze-4-hours", List, "z 4", TOAST),
    row("alert.snooze-day", List, "z d", TOAST),
    row("alert.snooze-week", List, "z w", TOAST),
    row("alert.wake", List, "z 0", TOAST),
    row("alert.dispatch", List, "a", dialog!("to an agent")),
    row("alert.verdict", List, "b", dialog!("Verdict of")),
    row("alert.suppress", List, "Shift+S", dialog!("Suppress")),
    row("alert.enrich", List, "E", dialog!("Look up")),
    row("alert.flag", List, "*", TOAST),
    row(
        "alert.unread",
        List,
        "m",
        "return !!document.getElementById(__was.id)?.matches('.row--unread') && (!__was.unread || !!document.querySelector('.toast:not([data-was])'))",
    ),
    row(
        "change.undo",
        List,
        "e | U",
        "return [...document.querySelectorAll('.toast')].some(one => one.textContent.includes('Undone'))",
    ),
    row("alert.copy", List, "y", TOAST),
    row("alert.copy-defanged", List, "Y", TOAST),
    row("alert.new", List, "N", dialog!("New alert")),
    row(
        "alert.compare",
        Alert,
        "C",
        "return !!document.querySelector('.compare')",
    ),
    row(
        "alert.section-next",
        Alert,
        "3 | l",
        "return document.activeElement.closest('#section-4') !== null",
    ),
    row(
        "alert.section-previous",
        Alert,
        "3 | h",
        "return document.activeElement.closest('#section-2') !== null",
    ),
    row(
        "alert.section-1",
        Alert,
        "1",
        "return document.activeElement.closest('#section-1') !== null",
    ),
    row(
        "alert.section-2",
        Alert,
        "2",
        "return document.activeElement.closest('#section-2') !== null",
    ),
    row(
        "alert.section-3",
        Alert,
        "3",
        "return document.activeElement.closest('#section-3') !== null",
    ),
    row(
        "alert.section-4",
        Alert,
        "4",
        "return document.activeElement.closest('#section-4') !== null",
    ),
    row(
        "alert.section-5",
        Alert,
        "5",
        "return document.activeElement.closest('#section-5') !== null",
    ),
    row(
        "alert.section-6",
        Alert,
        "6",
        "return document.activeElement.closest('#section-6') !== null",
    ),
    row(
        "alert.section-7",
        Alert,
        "7",
        "return document.activeElement.closest('#section-7') !== null",
    ),
    row(
        "alert.section-8",
        Alert,
        "8",
        "return document.activeElement.closest('#section-8') !== null",
    ),
    row(
        "alert.section-9",
        Alert,
        "9",
        "return document.activeElement.closest('#section-9') !== null",
    ),
    row("go.queue", Alert, "g q", "return location.pathname === '/'"),
    row(
        "go.agents",
        List,
        "g n",
        "return location.pathname === '/agents'",
    ),
    row(
        "go.new-agent",
        List,
        "g N",
        "return location.pathname === '/agents/new'",
    ),
    row(
        "go.back",
        List,
        "g n | Alt+ArrowLeft",
        "return location.pathname === '/'",
    ),
    row(
        "go.forward",
        List,
        "g n Alt+ArrowLeft | Alt+ArrowRight",
        "return location.pathname === '/agents'",
    ),
    row(
        "window.palette",
        List,
        "Ctrl+k",
        "return !!document.querySelector('.palette__input')",
    ),
    row(
        "window.shortcuts",
        List,
        "?",
        "return !!document.querySelector('[data-shortcut]')",
    ),
    row(
        "menu.close",
        List,
        "v | Escape",
        "return !document.querySelector('.popover')",
    ),
    row("window.settings", List, "g ,", dialog!("Settings")),
    row(
        "queue.pin",
        Alert,
        "p",
        "return document.body.innerText.includes('the open alert is pinned')",
    ),
    row("queue.export-csv", List, "X c", TOAST),
    row("queue.export-ndjson", List, "X n", TOAST),
    row(
        "window.activity",
        List,
        "Ctrl+j",
        "return !!document.querySelector('.activity')",
    ),
    row(
        "window.text-larger",
        List,
        "> Larger text",
        "return Number(document.documentElement.style.getPropertyValue('--type')) > 1",
    ),
    row(
        "window.text-smaller",
        List,
        "> Smaller text",
        "return Number(document.documentElement.style.getPropertyValue('--type')) === 1",
    ),
    row("window.copy-link", List, "Ctrl+l", TOAST),
    row(
        "window.zone",
        List,
        "u",
        "return document.querySelector('[data-command=\"window.zone\"]').textContent !== __was.zone",
    ),
    row(
        "window.activity",
        List,
        "Ctrl+j",
        "return !!document.querySelector('.activity')",
    ),
    row(
        "window.text-larger",
        List,
        "> Larger text",
        "return Number(document.documentElement.style.getPropertyValue('--type') || 1) > __was.type",
    ),
    row(
        "window.text-smaller",
        List,
        "> Smaller text",
        "return Number(document.documentElement.style.getPropertyValue('--type') || 1) < __was.type",
    ),
];
