//! Where the reader is: the focused line, the selection, what is folded, what is open.

use calseta_contract::change::BulkSelect;
use calseta_domain::AlertId;
use leptos::prelude::*;

use super::Queue;
use crate::state::clock::now_ms;
use crate::state::groups::GroupHead;
use crate::state::layout::{Layout, Line, Peeked};
use crate::state::selection::Selection;

impl Queue {
    /// The lines of the list.
    pub(crate) fn layout(self) -> Memo<Layout> {
        self.layout
    }

    /// The row that keys act on.
    pub(crate) fn focused(self) -> Option<AlertId> {
        self.focused.get()
    }

    /// The same without running again.
    pub(crate) fn peek_focused(self) -> Option<AlertId> {
        self.focused.get_untracked()
    }

    /// Moves the focus to a row, or away from all.
    pub(crate) fn focus(self, id: Option<AlertId>) {
        if id.is_some() && self.focused_group.with_untracked(Option::is_some) {
            self.focused_group.set(None);
        }
        if self.focused.get_untracked() != id {
            self.focused.set(id);
        }
    }

    /// The head of a group that keys act on.
    pub(crate) fn focused_group(self) -> Option<String> {
        self.focused_group.get()
    }

    /// Moves the focus to the head of a group.
    pub(crate) fn focus_group(self, key: String) {
        if self.focused.get_untracked().is_some() {
            self.focused.set(None);
        }
        if self
            .focused_group
            .with_untracked(|now| *now != Some(key.clone()))
        {
            self.focused_group.set(Some(key));
        }
    }

    /// Takes the focus away.
    pub(crate) fn blur(self) {
        self.focused.set(None);
        self.focused_group.set(None);
    }

    /// Moves the focus to a line.
    pub(crate) fn focus_line(self, line: &Line) {
        match line {
            Line::Row(id) => self.focus(Some(*id)),
            Line::Head(key) => self.focus_group(key.clone()),
            Line::Peek(_) | Line::Below | Line::More(_) => {}
        }
    }

    /// The line that has the focus.
    pub(crate) fn focused_line(self) -> Option<Line> {
        let group = self.focused_group.get().map(Line::Head);
        group.or_else(|| self.focused.get().map(Line::Row))
    }

    /// What is selected.
    pub(crate) fn selection(self) -> Selection {
        self.selection.get()
    }

    /// The same without running again.
    pub(crate) fn peek_selection(self) -> Selection {
        self.selection.get_untracked()
    }

    /// Reads the selection; the reader runs again when it changes.
    pub(crate) fn with_selection<T>(self, read: impl FnOnce(&Selection) -> T) -> T {
        self.selection.with(read)
    }

    /// Changes the selection.
    pub(crate) fn select(self, change: impl FnOnce(&mut Selection)) {
        self.selection.update(change);
    }

    /// Folds or unfolds a group.
    pub(crate) fn fold(self, key: &str, is_collapsed: bool) {
        self.folds.update(|folds| {
            if is_collapsed {
                folds.collapsed.insert(key.to_owned());
            } else {
                folds.collapsed.remove(key);
            }
        });
    }

    /// Folds all groups, or, when all are folded, unfolds them.
    pub(crate) fn fold_all(self) {
        let keys = self.layout.with_untracked(Layout::group_keys);
        self.folds.update(|folds| {
            folds.collapsed = if folds.collapsed == keys {
                std::collections::BTreeSet::new()
            } else {
                keys
            };
        });
    }

    /// Whether a group is folded.
    pub(crate) fn is_collapsed(self, key: &str) -> bool {
        self.folds.with(|folds| folds.collapsed.contains(key))
    }

    /// The row whose indicators are shown below it.
    pub(crate) fn peeked(self) -> Option<AlertId> {
        self.folds.with(|folds| folds.peek.map(|peek| peek.alert))
    }

    /// How many lines its indicators take.
    pub(crate) fn peek_lines(self) -> usize {
        self.folds
            .with(|folds| folds.peek.map_or(1, |peek| peek.lines))
    }

    /// Says how many lines a peek's content needs.
    pub(crate) fn measure_peek(self, id: AlertId, lines: usize) {
        let now = self.folds.with_untracked(|folds| folds.peek);
        let measured = now
            .filter(|peek| peek.alert == id)
            .map(|peek| peek.measured(lines));
        if measured.is_some() && measured != now {
            self.folds.update(|folds| folds.peek = measured);
        }
    }

    /// Shows a row's indicators below it, or hides them.
    pub(crate) fn toggle_peek(self, id: AlertId) {
        self.folds.update(|folds| {
            let is_shown = folds.peek.is_some_and(|peek| peek.alert == id);
            folds.peek = (!is_shown).then_some(Peeked::of(id));
        });
    }

    /// Hides the peek.
    pub(crate) fn end_peek(self) {
        if self.folds.with_untracked(|folds| folds.peek.is_some()) {
            self.folds.update(|folds| folds.peek = None);
        }
    }

    /// The alert that is open beside or over the list.
    pub(crate) fn open(self) -> Option<AlertId> {
        self.open.get()
    }

    /// Says which alert is open.
    pub(crate) fn set_open(self, id: Option<AlertId>) {
        let before = self.open.get_untracked();
        if before != id {
            if before.is_some() {
                self.last_viewed.set(before);
            }
            if id.is_none() {
                self.is_pinned.set(false);
            }
            self.open.set(id);
        }
    }

    /// The alert that was open before the one that is, or before none was.
    pub(crate) fn last_viewed(self) -> Option<AlertId> {
        self.last_viewed.get()
    }

    /// Whether the open alert stays while the focus moves through the list.
    pub(crate) fn is_pinned(self) -> bool {
        self.is_pinned.get()
    }

    /// Pins the open alert, or lets it follow the focus again.
    pub(crate) fn toggle_pin(self) {
        let is_open = self.open.get_untracked().is_some();
        self.is_pinned
            .update(|pinned| *pinned = is_open && !*pinned);
    }

    /// What an action on one alert acts on: the open alert, else the focused one. Beside a pinned
    /// alert it is the list that one works in.
    pub(crate) fn target(self) -> Option<AlertId> {
        if self.is_pinned.get() {
            return self.focused.get().or_else(|| self.open.get());
        }
        self.open.get().or_else(|| self.focused.get())
    }

    /// What an action acts on: the selection, else the focused group, else one alert.
    pub(crate) fn targets(self) -> Option<(BulkSelect, u64)> {
        let selection = self.selection.get();
        if let Some(select) = selection.select() {
            return Some((select, selection.count()));
        }
        let group = self.focused_group.get();
        let members = group.and_then(|key| {
            let members = |layout: &Layout| layout.group(&key).map(GroupHead::select);
            self.layout.with(members)
        });
        members.or_else(|| {
            let select = BulkSelect {
                uuids: Some(vec![self.target()?]),
                ..BulkSelect::default()
            };
            Some((select, 1))
        })
    }

    /// Whether updates are paused by hand.
    pub(crate) fn is_paused(self) -> bool {
        self.is_paused.get()
    }

    /// How many alerts changed while the updates were paused.
    pub(crate) fn held(self) -> usize {
        self.held.get()
    }

    /// Pauses the updates, or goes on with everything that happened meanwhile.
    pub(crate) fn toggle_pause(self) {
        let pause = !self.is_paused.get_untracked();
        self.is_paused.set(pause);
        if !pause {
            self.held.set(0);
            self.touch_all();
        }
    }

    /// Says whether the list is scrolled to its very top.
    pub(crate) fn set_at_top(self, at_top: bool) {
        if self.at_top.get_untracked() != at_top {
            self.at_top.set(at_top);
        }
    }

    /// Says that a key was pressed.
    pub(crate) fn note_key(self) {
        self.last_key.set_value(now_ms());
    }
}
