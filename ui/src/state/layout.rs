//! The lines of the queue: rows, heads of groups, and the peek below a row.
//!
//! Every line has the same height, so that where it stands is arithmetic; a peek is several lines
//! high. Groups stand in the order in which the backend gave them, each with the members that were
//! read so far.

use std::collections::{BTreeSet, HashMap};

use calseta_domain::AlertId;

use super::alert_list::AlertList;
use super::groups::{GroupHead, Groups};

/// How many lines a peek is high until what it shows was measured.
pub(crate) const PEEK_LINES: usize = 2;
/// How many lines it may take; the rest of it is scrolled to.
const MAX_PEEK_LINES: usize = 9;

/// What stands on a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Line {
    /// The head of a group, by its key.
    Head(String),
    /// An alert.
    Row(AlertId),
    /// What a row's peek begins on.
    Peek(AlertId),
    /// The peek's other lines.
    Below,
    /// That a group has more members than were read, by its key.
    More(String),
}

/// All lines.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Layout {
    lines: Vec<Line>,
    places: HashMap<Line, usize>,
    groups: HashMap<String, GroupHead>,
}

/// What is folded and what is unfolded.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Folds {
    /// Groups whose rows are hidden.
    pub(crate) collapsed: BTreeSet<String>,
    /// The row whose peek is shown.
    pub(crate) peek: Option<Peeked>,
}

/// A look below a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peeked {
    /// The row.
    pub(crate) alert: AlertId,
    /// How many lines it is high.
    pub(crate) lines: usize,
}

impl Peeked {
    /// Below a row, not measured yet.
    pub(crate) const fn of(alert: AlertId) -> Self {
        Self {
            alert,
            lines: PEEK_LINES,
        }
    }

    /// As high as its content needs, within its bounds.
    pub(crate) fn measured(self, lines: usize) -> Self {
        Self {
            lines: lines.clamp(1, MAX_PEEK_LINES),
            ..self
        }
    }
}

impl Layout {
    /// Lays the list out, in groups if there are any to lay it out in.
    pub(crate) fn of(list: &AlertList, groups: Option<&Groups>, folds: &Folds) -> Self {
        let mut layout = Self::default();
        let Some(groups) = groups else {
            for id in list.ids() {
                layout.put_row(*id, folds);
            }
            return layout;
        };
        for head in &groups.heads {
            layout.put(Line::Head(head.key.clone()));
            if !folds.collapsed.contains(&head.key) {
                for id in head.members.iter().filter(|id| list.row(**id).is_some()) {
                    layout.put_row(*id, folds);
                }
                if !head.is_complete() {
                    layout.put(Line::More(head.key.clone()));
                }
            }
            layout.groups.insert(head.key.clone(), head.clone());
        }
        layout
    }

    fn put(&mut self, line: Line) {
        self.places.insert(line.clone(), self.lines.len());
        self.lines.push(line);
    }

    fn put_row(&mut self, id: AlertId, folds: &Folds) {
        self.put(Line::Row(id));
        if let Some(peek) = folds.peek.filter(|peek| peek.alert == id) {
            self.put(Line::Peek(id));
            self.lines.extend(vec![Line::Below; peek.lines - 1]);
        }
    }

    /// How many lines there are.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// How many groups.
    pub(crate) fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// What stands on a line.
    pub(crate) fn line(&self, index: usize) -> Option<&Line> {
        self.lines.get(index)
    }

    /// Where something stands.
    pub(crate) fn place(&self, line: &Line) -> Option<usize> {
        self.places.get(line).copied()
    }

    /// A group.
    pub(crate) fn group(&self, key: &str) -> Option<&GroupHead> {
        self.groups.get(key)
    }

    /// Every group's key.
    pub(crate) fn group_keys(&self) -> BTreeSet<String> {
        self.groups.keys().cloned().collect()
    }

    /// The rows that are shown, in the order of the screen.
    pub(crate) fn shown_rows(&self) -> Vec<AlertId> {
        self.lines.iter().filter_map(Line::alert).collect()
    }

    /// The next line that can have the focus, `by` of them away; clamped at the ends.
    pub(crate) fn step(&self, from: usize, by: isize) -> Option<&Line> {
        let stops = |line: &&Line| matches!(line, Line::Row(_) | Line::Head(_));
        let away = by.unsigned_abs();
        if by >= 0 {
            let mut after = self.lines.iter().skip(from + 1).filter(stops);
            after
                .clone()
                .nth(away.saturating_sub(1))
                .or_else(|| after.by_ref().last())
        } else {
            let mut before = self.lines.iter().take(from).rev().filter(stops);
            before
                .clone()
                .nth(away - 1)
                .or_else(|| before.by_ref().last())
        }
    }

    /// The first or the last line that can have the focus.
    pub(crate) fn end(&self, is_last: bool) -> Option<&Line> {
        let stops = |line: &&Line| matches!(line, Line::Row(_) | Line::Head(_));
        if is_last {
            self.lines.iter().rev().find(stops)
        } else {
            self.lines.iter().find(stops)
        }
    }

    /// The nearest row after an alert for which `wanted` holds, else the nearest before it.
    pub(crate) fn next_row(
        &self,
        from: AlertId,
        wanted: impl Fn(AlertId) -> bool,
    ) -> Option<AlertId> {
        let at = self.place(&Line::Row(from))?;
        let fits = |line: &Line| line.alert().filter(|id| wanted(*id));
        let after = self.lines.iter().skip(at + 1).find_map(fits);
        after.or_else(|| self.lines.iter().take(at).rev().find_map(fits))
    }

    /// The nearest row in one direction for which `wanted` holds.
    pub(crate) fn find_row(
        &self,
        from: usize,
        is_forward: bool,
        wanted: impl Fn(AlertId) -> bool,
    ) -> Option<AlertId> {
        let fits = |line: &Line| line.alert().filter(|id| wanted(*id));
        if is_forward {
            self.lines.iter().skip(from + 1).find_map(fits)
        } else {
            self.lines.iter().take(from).rev().find_map(fits)
        }
    }
}

impl Line {
    /// The alert of a row.
    pub(crate) fn alert(&self) -> Option<AlertId> {
        match self {
            Self::Row(id) => Some(*id),
            Self::Head(_) | Self::Peek(_) | Self::Below | Self::More(_) => None,
        }
    }
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
