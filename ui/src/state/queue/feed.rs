//! What events lead to: one read at a time, of single alerts or, in a burst, of the list.

use std::collections::BTreeSet;
use std::time::Duration;

use calseta_contract::alert::AlertSummary;
use calseta_domain::AlertId;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Changed, Errand, PAGE_ROWS, Queue};
use crate::api::{self, Failure};
use crate::state::alert_list::AlertList;
use crate::state::clock::now_ms;

/// Events of the same moment are answered with one read.
const GATHER: Duration = Duration::from_millis(60);
/// The pause between two comparisons: a burst of a thousand alerts is a few reads, not a thousand.
const BURST_PAUSE: Duration = Duration::from_millis(400);
/// Changed alerts that are read one by one; more are read as a list.
const MAX_SINGLE_READS: usize = 6;
/// Changed alerts below what a comparison read that are then read one by one.
const MAX_FOLLOW_UPS: usize = 20;
/// The backend's longest page.
const MAX_PAGE_ROWS: u32 = 500;
/// Where a comparison stops; what changed further down shows with the next refresh.
const MAX_COMPARED_ROWS: usize = 1_000;
/// New rows come in by themselves only when no key was pressed for this long.
const CALM_MS: i64 = 3_000;

/// The beginning of the list as the backend has it.
struct Beginning {
    rows: Vec<AlertSummary>,
    /// Where it goes on; `None` when this is all.
    cursor: Option<String>,
}

impl Queue {
    /// Something happened to an alert: reads it again soon.
    pub(crate) fn touch(self, id: AlertId) {
        self.changed.update_value(|changed| {
            changed.ids.insert(id);
        });
        self.read_soon(GATHER);
    }

    /// Something was missed: compares the whole list soon.
    pub(super) fn touch_all(self) {
        self.changed.update_value(|changed| changed.anything = true);
        self.read_soon(GATHER);
    }

    fn read_soon(self, pause: Duration) {
        if self.is_under_way(Errand::ReadChanged) {
            return;
        }
        self.begin(Errand::ReadChanged);
        set_timeout(move || spawn_local(self.read_changed()), pause);
    }

    async fn read_changed(self) {
        let changed = self
            .changed
            .try_update_value(std::mem::take)
            .unwrap_or_else(Changed::default);
        let is_burst = changed.anything || changed.ids.len() > MAX_SINGLE_READS;
        let outcome = if is_burst {
            self.compare(changed.ids).await
        } else {
            self.read_singly(changed.ids).await
        };
        match outcome {
            Ok(()) => self.failure.set(None),
            Err(failure) => self.failure.set(Some(failure)),
        }
        self.merge_if_calm();
        self.count_soon();
        self.end(Errand::ReadChanged);
        let more = self
            .changed
            .with_value(|changed| changed.anything || !changed.ids.is_empty());
        if more {
            self.read_soon(if is_burst { BURST_PAUSE } else { GATHER });
        }
    }

    async fn read_singly(self, ids: BTreeSet<AlertId>) -> Result<(), Failure> {
        for id in ids {
            match api::get_alert(id).await {
                Ok(detail) => {
                    let filter = self.filter.get_untracked();
                    let alert = detail.view.summary.clone();
                    self.list.update(|list| list.apply(alert, &filter));
                }
                Err(failure) if failure.is_not_found() => {
                    self.list.update(|list| list.remove(id));
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// Compares the loaded rows with the backend's, without reloading the list.
    async fn compare(self, changed: BTreeSet<AlertId>) -> Result<(), Failure> {
        let generation = self.generation.get_value();
        let filter = self.filter.get_untracked();
        let beginning = self.read_beginning().await?;
        if self.generation.get_value() != generation {
            // The list was read anew meanwhile: there is nothing to compare with.
            return Ok(());
        }
        if self.peek(AlertList::is_empty) {
            self.list
                .update(|list| list.replace(beginning.rows, beginning.cursor));
            return Ok(());
        }
        let read: BTreeSet<AlertId> = beginning.rows.iter().map(|alert| alert.uuid).collect();
        let whole = beginning.cursor.is_none();
        self.list
            .update(|list| list.compare(beginning.rows, whole, &filter));
        let below = self.peek(|list| {
            let rest = changed.into_iter().filter(|id| !read.contains(id));
            rest.filter(|id| list.row(*id).is_some())
                .take(MAX_FOLLOW_UPS)
                .collect()
        });
        self.read_singly(below).await
    }

    /// Reads from the top until every loaded row is covered, or it is enough.
    async fn read_beginning(self) -> Result<Beginning, Failure> {
        let loaded = u32::try_from(self.peek(AlertList::len)).unwrap_or(MAX_PAGE_ROWS);
        let page_rows = loaded.clamp(PAGE_ROWS, MAX_PAGE_ROWS);
        let filter = self.filter.get_untracked();
        let mut rows = Vec::new();
        let mut cursor = None;
        loop {
            let page = api::list_alerts(&filter.query(page_rows, cursor)).await?;
            rows.extend(page.data);
            cursor = page.meta.next_cursor;
            let is_covered = self.peek(|list| list.is_covered_by(&rows));
            if cursor.is_none() || is_covered || rows.len() >= MAX_COMPARED_ROWS {
                return Ok(Beginning { rows, cursor });
            }
        }
    }

    /// New rows come in by themselves only where nobody is reading.
    fn merge_if_calm(self) {
        let (empty, waiting) = self.peek(|list| (list.is_empty(), !list.waiting().is_empty()));
        if !waiting {
            return;
        }
        let unread = self.at_top.get_untracked()
            && self.focused.get_untracked().is_none()
            && self.open.get_untracked().is_none();
        let calm = now_ms() - self.last_key.get_value() > CALM_MS;
        if empty || (unread && calm) {
            self.merge();
        } else if unread && !self.is_under_way(Errand::Merge) {
            self.begin(Errand::Merge);
            let later = move || {
                self.end(Errand::Merge);
                self.merge_if_calm();
            };
            set_timeout(later, Duration::from_millis(CALM_MS.unsigned_abs()));
        }
    }
}
