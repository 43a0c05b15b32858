//! The queue's list, without a page around it.
//!
//! The invariant: no event changes which row is focused, where it stands, or what is selected.
//! New alerts therefore wait in `waiting` until somebody merges them, changed rows change in
//! place, and rows that stop matching stay, marked, until the list is read anew. Whether an alert
//! matches is the backend's answer; the list only keeps the rows in order.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use calseta_contract::alert::AlertSummary;
use calseta_domain::{AlertId, AlertStatus, Timestamp};

use super::list_order::ListOrder;

/// Whether an alert belongs into the list, by the backend's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Belongs {
    /// The query finds it.
    Yes,
    /// It does not, or not any more.
    No,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AlertRow {
    /// The alert, as last read, or as it will be when a change under way succeeds.
    pub(crate) alert: Arc<AlertSummary>,
    /// How often it changed under the reader's eyes; the tint starts again with each.
    pub(crate) changes: u32,
    /// Why it no longer belongs here, when it does not.
    pub(crate) gone: Option<String>,
    /// As it was before a change that is still under way.
    before: Option<Before>,
}

/// A row as it was.
#[derive(Debug, Clone, PartialEq)]
struct Before {
    alert: Arc<AlertSummary>,
    gone: Option<String>,
}

impl AlertRow {
    fn new(alert: AlertSummary) -> Self {
        Self {
            alert: Arc::new(alert),
            changes: 0,
            gone: None,
            before: None,
        }
    }

    /// Whether nobody has dealt with it yet.
    pub(crate) fn is_unhandled(&self) -> bool {
        self.gone.is_none()
            && self.alert.status == AlertStatus::Open
            && self.alert.snoozed_until.is_none()
            && self.alert.suppressed_by.is_none()
    }

    /// Whether a change of it is on its way.
    pub(crate) fn is_assumed(&self) -> bool {
        self.before.is_some()
    }
}

/// Rows in the order of the screen, with what waits to be merged.
#[derive(Debug, Clone, Default)]
pub(crate) struct AlertList {
    order: Vec<AlertId>,
    rows: HashMap<AlertId, AlertRow>,
    waiting: Vec<AlertSummary>,
    is_waiting_partial: bool,
    cursor: Option<String>,
    is_complete: bool,
    sorted: ListOrder,
    /// Rows are read group by group, and not from the top: what came in before this and is no row
    /// is not new, it was just not read.
    read_until: Option<Timestamp>,
}

impl AlertList {
    /// How many rows are loaded.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether no row is loaded.
    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Where the next page begins.
    pub(crate) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// The loaded alerts, in the order of the screen.
    pub(crate) fn ids(&self) -> &[AlertId] {
        &self.order
    }

    /// The row of an alert.
    pub(crate) fn row(&self, id: AlertId) -> Option<&AlertRow> {
        self.rows.get(&id)
    }

    /// Whether an alert is a row or waits to be one.
    pub(crate) fn is_known(&self, id: AlertId) -> bool {
        self.rows.contains_key(&id) || self.waiting.iter().any(|alert| alert.uuid == id)
    }

    /// The place of an alert.
    pub(crate) fn index_of(&self, id: AlertId) -> Option<usize> {
        self.order.iter().position(|other| *other == id)
    }

    /// New alerts that wait behind the pill.
    pub(crate) fn waiting(&self) -> &[AlertSummary] {
        &self.waiting
    }

    /// Whether more alerts are new than wait: merging would leave a hole.
    pub(crate) fn is_waiting_partial(&self) -> bool {
        self.is_waiting_partial
    }

    /// Whether a beginning of the list reaches down to the last loaded row.
    pub(crate) fn is_covered_by(&self, beginning: &[AlertSummary]) -> bool {
        match (self.lowest(), beginning.last()) {
            (Some(row), Some(last)) => self.sorted.compare(last, &row.alert) != Ordering::Less,
            (Some(_), None) => false,
            (None, _) => true,
        }
    }

    fn highest(&self) -> Option<&AlertRow> {
        let compare = |a: &&AlertRow, b: &&AlertRow| self.sorted.compare(&a.alert, &b.alert);
        match self.read_until {
            Some(_) => self.rows.values().min_by(compare),
            None => self.order.first().and_then(|id| self.rows.get(id)),
        }
    }

    fn lowest(&self) -> Option<&AlertRow> {
        let compare = |a: &&AlertRow, b: &&AlertRow| self.sorted.compare(&a.alert, &b.alert);
        match self.read_until {
            Some(_) => self.rows.values().max_by(compare),
            None => self.order.last().and_then(|id| self.rows.get(id)),
        }
    }

    /// Says that rows are read group by group: what came in later than `until` is new.
    pub(crate) fn read_by_groups(&mut self, until: Option<Timestamp>) {
        self.read_until = until;
    }

    /// Adds rows that were read from somewhere else than the end.
    pub(crate) fn add(&mut self, rows: Vec<AlertSummary>) {
        for alert in rows {
            self.waiting.retain(|other| other.uuid != alert.uuid);
            if !self.rows.contains_key(&alert.uuid) {
                self.order.push(alert.uuid);
                self.rows.insert(alert.uuid, AlertRow::new(alert));
            }
        }
    }

    /// Replaces everything by a first page. What waited is in it, or matches no longer.
    pub(crate) fn replace(
        &mut self,
        page: Vec<AlertSummary>,
        cursor: Option<String>,
        sorted: ListOrder,
    ) {
        *self = Self {
            sorted,
            ..Self::default()
        };
        self.append(page, cursor);
    }

    /// Adds the next page at the end.
    pub(crate) fn append(&mut self, page: Vec<AlertSummary>, cursor: Option<String>) {
        self.add(page);
        self.is_complete = cursor.is_none();
        self.cursor = cursor;
    }

    /// Takes in an alert as it is now.
    pub(crate) fn apply(&mut self, alert: AlertSummary, belongs: Belongs) {
        if let Some(row) = self.rows.get_mut(&alert.uuid) {
            take_in(row, alert, belongs);
            return;
        }
        self.waiting.retain(|other| other.uuid != alert.uuid);
        let beyond = !self.is_complete
            && self
                .order
                .last()
                .and_then(|id| self.rows.get(id))
                .is_some_and(|last| self.sorted.compare(&alert, &last.alert) == Ordering::Greater);
        let is_unread = self
            .read_until
            .is_some_and(|until| alert.ingested_at <= until);
        // Below the last page that was read: paging will bring it.
        if belongs == Belongs::Yes && !beyond && !is_unread {
            self.waiting.push(alert);
        }
    }

    /// Shows a change that is on its way as if it had happened; `judge` says whether the alert
    /// would still belong here, where the row itself tells.
    pub(crate) fn assume(
        &mut self,
        id: AlertId,
        change: impl FnOnce(&mut AlertSummary),
        judge: impl FnOnce(&AlertSummary) -> Option<bool>,
    ) {
        if let Some(row) = self.rows.get_mut(&id) {
            let mut changed = AlertSummary::clone(&row.alert);
            change(&mut changed);
            let gone = match judge(&changed) {
                Some(false) => Some(format!("→ {}", reason(&row.alert, &changed))),
                Some(true) => None,
                None => row.gone.clone(),
            };
            let before = Before {
                alert: std::mem::replace(&mut row.alert, Arc::new(changed)),
                gone: std::mem::replace(&mut row.gone, gone),
            };
            row.before.get_or_insert(before);
        }
    }

    /// The change was made: the next read shows what came of it.
    pub(crate) fn settle(&mut self, id: AlertId) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.before = None;
        }
    }

    /// The change was not made: the row is again what it was, and tinted, so that it is seen.
    pub(crate) fn roll_back(&mut self, id: AlertId) {
        if let Some(row) = self.rows.get_mut(&id)
            && let Some(before) = row.before.take()
        {
            row.alert = before.alert;
            row.gone = before.gone;
            row.changes += 1;
        }
    }

    /// An alert is no more.
    pub(crate) fn remove(&mut self, id: AlertId) {
        self.waiting.retain(|alert| alert.uuid != id);
        if let Some(row) = self.rows.get_mut(&id) {
            row.gone = Some("→ Deleted".to_owned());
        }
    }

    /// Takes in the list's beginning as the backend has it now; `whole` when that is all of it.
    /// Loaded rows that should be in it and are not have stopped matching.
    pub(crate) fn compare(&mut self, page: Vec<AlertSummary>, whole: bool) {
        let present: BTreeSet<AlertId> = page.iter().map(|alert| alert.uuid).collect();
        let last = page.last().cloned();
        let meets = last
            .as_ref()
            .zip(self.highest())
            .is_none_or(|(last, row)| self.sorted.compare(last, &row.alert) != Ordering::Less);
        self.is_waiting_partial = !whole && !meets;
        for alert in page {
            self.apply(alert, Belongs::Yes);
        }
        let sorted = self.sorted.clone();
        let covered = |alert: &AlertSummary| {
            whole
                || last
                    .as_ref()
                    .is_some_and(|last| sorted.compare(alert, last) != Ordering::Greater)
        };
        for row in self.rows.values_mut() {
            if !present.contains(&row.alert.uuid) && covered(&row.alert) && row.gone.is_none() {
                row.gone = Some("→ No longer in this view".to_owned());
            }
        }
        self.waiting
            .retain(|alert| present.contains(&alert.uuid) || !covered(alert));
    }

    /// Puts what waits into its places; answers how many rows that were.
    pub(crate) fn merge(&mut self) -> usize {
        let waiting = std::mem::take(&mut self.waiting);
        let count = waiting.len();
        for alert in waiting {
            let index = self.order.partition_point(|id| {
                self.rows
                    .get(id)
                    .is_some_and(|row| self.sorted.compare(&row.alert, &alert) == Ordering::Less)
            });
            self.order.insert(index, alert.uuid);
            self.rows.insert(alert.uuid, AlertRow::new(alert));
        }
        count
    }
}

fn take_in(row: &mut AlertRow, alert: AlertSummary, belongs: Belongs) {
    if alert.updated_at < row.alert.updated_at {
        // An answer that was overtaken by a newer one.
        return;
    }
    if row.before.is_some() {
        // A change is on its way: what is read meanwhile is what it would be rolled back to.
        let gone = row.before.take().and_then(|before| before.gone);
        row.before = Some(Before {
            alert: Arc::new(alert),
            gone,
        });
        return;
    }
    // A row that had already gone keeps its reason unless it comes back.
    row.gone = match belongs {
        Belongs::Yes => None,
        Belongs::No => {
            let reason = || format!("→ {}", reason(&row.alert, &alert));
            Some(row.gone.take().unwrap_or_else(reason))
        }
    };
    if *row.alert != alert {
        row.alert = Arc::new(alert);
        row.changes += 1;
    }
}

/// What made a row stop matching, in a word.
fn reason(before: &AlertSummary, after: &AlertSummary) -> &'static str {
    if after.suppressed_by.is_some() {
        "Suppressed"
    } else if after.snoozed_until.is_some() {
        "Snoozed"
    } else if before.status != after.status || after.status == AlertStatus::Closed {
        after.status.as_str()
    } else if before.severity != after.severity {
        after.severity.as_str()
    } else if after.status == AlertStatus::Open {
        "No longer in this view"
    } else {
        after.status.as_str()
    }
}

#[cfg(test)]
#[path = "alert_list_tests.rs"]
pub(crate) mod tests;
