//! The queue's list, without a page around it.
//!
//! The invariant: no event changes which row is focused, where it stands, or what is selected.
//! New alerts therefore wait in `waiting` until somebody merges them, changed rows change in
//! place, and rows that stop matching stay, marked, until the list is read anew.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use calseta_contract::alert::AlertSummary;
use calseta_domain::{AlertId, AlertStatus, Severity};

use crate::api::AlertPageQuery;

/// Which alerts the queue shows. An empty set does not restrict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AlertFilter {
    /// Statuses.
    pub(crate) status: BTreeSet<AlertStatus>,
    /// Severities.
    pub(crate) severity: BTreeSet<Severity>,
    /// Sources, by name.
    pub(crate) source_name: BTreeSet<String>,
}

impl Default for AlertFilter {
    /// What waits for somebody: everything that is not closed.
    fn default() -> Self {
        use AlertStatus::{Escalated, Open, Triaging};
        Self {
            status: [Open, Triaging, Escalated].into(),
            severity: BTreeSet::new(),
            source_name: BTreeSet::new(),
        }
    }
}

impl AlertFilter {
    /// One that restricts nothing.
    pub(crate) fn everything() -> Self {
        Self {
            status: BTreeSet::new(),
            ..Self::default()
        }
    }

    /// Whether an alert belongs into the list.
    pub(crate) fn matches(&self, alert: &AlertSummary) -> bool {
        (self.status.is_empty() || self.status.contains(&alert.status))
            && (self.severity.is_empty() || self.severity.contains(&alert.severity))
            && (self.source_name.is_empty() || self.source_name.contains(&alert.source_name))
    }

    /// The same as a query.
    pub(crate) fn query(&self, page_size: u32, cursor: Option<String>) -> AlertPageQuery {
        AlertPageQuery {
            status: self
                .status
                .iter()
                .map(|status| status.as_str().to_owned())
                .collect(),
            severity: self
                .severity
                .iter()
                .map(|severity| severity.as_str().to_owned())
                .collect(),
            source_name: self.source_name.iter().cloned().collect(),
            cursor,
            page_size,
        }
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AlertRow {
    /// The alert, as last read.
    pub(crate) alert: Arc<AlertSummary>,
    /// How often it changed under the reader's eyes; the tint starts again with each.
    pub(crate) changes: u32,
    /// Why it no longer belongs here, when it does not.
    pub(crate) gone: Option<String>,
}

impl AlertRow {
    fn new(alert: AlertSummary) -> Self {
        Self {
            alert: Arc::new(alert),
            changes: 0,
            gone: None,
        }
    }

    /// Whether nobody has dealt with it yet.
    pub(crate) fn is_unhandled(&self) -> bool {
        self.gone.is_none() && self.alert.status == AlertStatus::Open
    }
}

/// Rows in the order of the screen, newest first, with what waits to be merged.
#[derive(Debug, Clone, Default)]
pub(crate) struct AlertList {
    order: Vec<AlertId>,
    rows: HashMap<AlertId, AlertRow>,
    waiting: Vec<AlertSummary>,
    is_waiting_partial: bool,
    cursor: Option<String>,
    is_complete: bool,
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

    /// The row of an alert.
    pub(crate) fn row(&self, id: AlertId) -> Option<&AlertRow> {
        self.rows.get(&id)
    }

    /// The alert at a place.
    pub(crate) fn id_at(&self, index: usize) -> Option<AlertId> {
        self.order.get(index).copied()
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

    /// Whether a beginning of the list, newest first, reaches down to the last loaded row.
    pub(crate) fn is_covered_by(&self, beginning: &[AlertSummary]) -> bool {
        let oldest = self.order.last().and_then(|id| self.rows.get(id));
        match (oldest, beginning.last()) {
            (Some(row), Some(last)) => place(last) <= place(&row.alert),
            (Some(_), None) => false,
            (None, _) => true,
        }
    }

    /// The next row after `index` that nobody has dealt with, else the one before it.
    pub(crate) fn next_unhandled(&self, index: usize) -> Option<AlertId> {
        let unhandled = |id: &&AlertId| self.rows.get(*id).is_some_and(AlertRow::is_unhandled);
        let after = self.order.iter().skip(index + 1).find(unhandled);
        after
            .or_else(|| self.order.iter().take(index).rev().find(unhandled))
            .copied()
    }

    /// Replaces everything by a first page. What waited is in it, or matches no longer.
    pub(crate) fn replace(&mut self, page: Vec<AlertSummary>, cursor: Option<String>) {
        *self = Self::default();
        self.append(page, cursor);
    }

    /// Adds the next page at the end.
    pub(crate) fn append(&mut self, page: Vec<AlertSummary>, cursor: Option<String>) {
        for alert in page {
            self.waiting.retain(|other| other.uuid != alert.uuid);
            if !self.rows.contains_key(&alert.uuid) {
                self.order.push(alert.uuid);
            }
            self.rows
                .entry(alert.uuid)
                .or_insert_with(|| AlertRow::new(alert));
        }
        self.is_complete = cursor.is_none();
        self.cursor = cursor;
    }

    /// Takes in an alert as it is now.
    pub(crate) fn apply(&mut self, alert: AlertSummary, filter: &AlertFilter) {
        let matches = filter.matches(&alert);
        if let Some(row) = self.rows.get_mut(&alert.uuid) {
            if alert.updated_at < row.alert.updated_at {
                // An answer that was overtaken by a newer one.
                return;
            }
            let gone = (!matches).then(|| format!("→ {}", reason(&row.alert, &alert)));
            // A row that had already gone keeps its reason unless it comes back.
            row.gone = if matches {
                None
            } else {
                row.gone.take().or(gone)
            };
            if *row.alert != alert {
                row.alert = Arc::new(alert);
                row.changes += 1;
            }
            return;
        }
        self.waiting.retain(|other| other.uuid != alert.uuid);
        let beyond = !self.is_complete
            && self
                .order
                .last()
                .and_then(|id| self.rows.get(id))
                .is_some_and(|last| place(&alert) < place(&last.alert));
        // Below the last page that was read: paging will bring it.
        if matches && !beyond {
            self.waiting.push(alert);
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
    pub(crate) fn compare(&mut self, page: Vec<AlertSummary>, whole: bool, filter: &AlertFilter) {
        let present: BTreeSet<AlertId> = page.iter().map(|alert| alert.uuid).collect();
        let last = page.last().map(place);
        let newest = self.order.first().and_then(|id| self.rows.get(id));
        let meets = last
            .zip(newest)
            .is_none_or(|(last, row)| last <= place(&row.alert));
        self.is_waiting_partial = !whole && !meets;
        for alert in page {
            self.apply(alert, filter);
        }
        let covered = |alert: &AlertSummary| whole || last.is_some_and(|last| place(alert) >= last);
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
            let key = place(&alert);
            let index = self
                .order
                .partition_point(|id| self.rows.get(id).is_some_and(|row| place(&row.alert) > key));
            self.order.insert(index, alert.uuid);
            self.rows.insert(alert.uuid, AlertRow::new(alert));
        }
        count
    }
}

/// Newest accepted first, as the list is asked for; ids are ordered by time and break ties.
fn place(alert: &AlertSummary) -> (calseta_domain::Timestamp, AlertId) {
    (alert.created_at, alert.uuid)
}

/// What made a row stop matching, in a word.
fn reason(before: &AlertSummary, after: &AlertSummary) -> &'static str {
    if before.status != after.status {
        after.status.as_str()
    } else if before.severity != after.severity {
        after.severity.as_str()
    } else {
        "No longer in this view"
    }
}

#[cfg(test)]
#[path = "alert_list_tests.rs"]
mod tests;
