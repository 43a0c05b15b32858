//! The lines of the queue: rows, heads of groups, and the peek below a row.
//!
//! Every line has the same height, so that where it stands is arithmetic; a peek is several lines
//! high. Groups stand where their first row would stand, and restrict nothing.

use std::collections::{BTreeSet, HashMap};

use calseta_contract::alert::AlertSummary;
use calseta_domain::query::Group;
use calseta_domain::{AlertId, Malice, Severity, Timestamp};

use super::alert_list::AlertList;

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
}

/// Alerts that have something in common.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupHead {
    /// What tells it from the others.
    pub(crate) key: String,
    /// What they have in common; hostile text is the normal case.
    pub(crate) label: String,
    /// Its loaded rows, in the order of the screen.
    pub(crate) members: Vec<AlertId>,
    /// The worst severity among them.
    pub(crate) worst: Severity,
    /// The worst verdict among them.
    pub(crate) verdict: Malice,
    /// When the first of them happened.
    pub(crate) oldest: Timestamp,
    /// When the last of them happened.
    pub(crate) newest: Timestamp,
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
    /// Lays the list out.
    pub(crate) fn of(list: &AlertList, group: Group, folds: &Folds) -> Self {
        let mut layout = Self::default();
        if group == Group::None {
            for id in list.ids() {
                layout.put_row(*id, folds);
            }
            return layout;
        }
        let mut keys = Vec::new();
        for id in list.ids() {
            let Some(row) = list.row(*id) else { continue };
            let (key, label) = common(group, &row.alert);
            let head = layout.groups.entry(key.clone()).or_insert_with(|| {
                keys.push(key.clone());
                GroupHead::new(key, label, &row.alert)
            });
            head.add(&row.alert);
        }
        for key in keys {
            layout.put(Line::Head(key.clone()));
            if folds.collapsed.contains(&key) {
                continue;
            }
            let members = layout
                .groups
                .get(&key)
                .map(|head| head.members.clone())
                .unwrap_or_default();
            for id in members {
                layout.put_row(id, folds);
            }
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
            Self::Head(_) | Self::Peek(_) | Self::Below => None,
        }
    }
}

impl GroupHead {
    fn new(key: String, label: String, first: &AlertSummary) -> Self {
        Self {
            key,
            label,
            members: Vec::new(),
            worst: first.severity,
            verdict: first.malice,
            oldest: first.occurred_at,
            newest: first.occurred_at,
        }
    }

    fn add(&mut self, alert: &AlertSummary) {
        self.members.push(alert.uuid);
        self.worst = self.worst.max(alert.severity);
        self.verdict = self.verdict.max(alert.malice);
        self.oldest = self.oldest.min(alert.occurred_at);
        self.newest = self.newest.max(alert.occurred_at);
    }
}

/// What an alert is grouped by: a key, and what a person reads.
fn common(group: Group, alert: &AlertSummary) -> (String, String) {
    let named = |value: Option<String>, nothing: &str| {
        value.map_or_else(
            || (String::new(), nothing.to_owned()),
            |value| (value.clone(), value),
        )
    };
    match group {
        Group::None => (String::new(), String::new()),
        Group::Rule => named(alert.detection_rule_name.clone(), "No rule"),
        Group::Source => named(Some(alert.source_name.clone()), ""),
        Group::Entity => {
            let first = alert.key_indicators.first();
            named(first.map(|one| one.value.clone()), "No indicator")
        }
        Group::Duplicate => {
            let first = alert.duplicate_of.unwrap_or(alert.uuid);
            (first.to_string(), alert.title.clone())
        }
    }
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
