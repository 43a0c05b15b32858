//! What events lead to: one read at a time, of the changed alerts or, in a burst, of the list.
//!
//! Whether a changed alert still belongs into the view is asked of the backend by the view's own
//! query and the alerts' ids: there is no second evaluator here that could judge otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use calseta_contract::alert::AlertSummary;
use calseta_domain::AlertId;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Changed, Errand, PAGE_ROWS, Queue};
use crate::api::{self, Failure};
use crate::state::alert_list::{AlertList, Belongs};
use crate::state::clock::now_ms;

/// Events of the same moment are answered with one read.
const GATHER: Duration = Duration::from_millis(60);
/// The pause between two comparisons: a burst of a thousand alerts is a few reads, not a thousand.
const BURST_PAUSE: Duration = Duration::from_millis(400);
/// Changed alerts that are asked for by their ids; more are read as a list.
const MAX_BY_ID: usize = 40;
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

    /// Something may have happened to any: compares the whole list soon.
    pub(crate) fn touch_all(self) {
        self.changed.update_value(|changed| changed.anything = true);
        self.read_soon(GATHER);
    }

    fn read_soon(self, pause: Duration) {
        if self.is_paused.get_untracked() {
            let held = self.changed.with_value(|changed| changed.ids.len());
            self.held.set(held);
            return;
        }
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
        let is_burst = changed.anything || changed.ids.len() > MAX_BY_ID;
        let outcome = if is_burst {
            self.compare(changed.ids).await
        } else {
            self.read_by_id(changed.ids.into_iter().collect()).await
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

    async fn read_by_id(self, ids: Vec<AlertId>) -> Result<(), Failure> {
        let Some(named) = by_id(&ids) else {
            return Ok(());
        };
        let generation = self.generation.get_value();
        let rows = u32::try_from(ids.len()).unwrap_or(MAX_PAGE_ROWS);
        let q = self.q.get_untracked();
        let found = api::list_alerts(&format!("{q} {named}"), rows, None).await?;
        let belonging: BTreeMap<AlertId, AlertSummary> =
            found.data.into_iter().map(|one| (one.uuid, one)).collect();
        let rest: Vec<AlertId> = ids
            .into_iter()
            .filter(|id| !belonging.contains_key(id))
            // What is neither shown nor waits changes nothing by not belonging here.
            .filter(|id| self.peek(|list| list.is_known(*id)))
            .collect();
        let others = self.read_others(rest).await?;
        if self.generation.get_value() != generation {
            // The list was read anew meanwhile, with whatever these became.
            return Ok(());
        }
        self.list.update(|list| {
            for alert in belonging.into_values() {
                list.apply(alert, Belongs::Yes);
            }
            for (id, alert) in others {
                match alert {
                    Some(alert) => list.apply(alert, Belongs::No),
                    None => list.remove(id),
                }
            }
        });
        Ok(())
    }

    /// Alerts that the query does not find, each as it is now; `None` when it is no more.
    async fn read_others(
        self,
        ids: Vec<AlertId>,
    ) -> Result<Vec<(AlertId, Option<AlertSummary>)>, Failure> {
        let mut others = Vec::with_capacity(ids.len());
        let Some(named) = by_id(&ids) else {
            return Ok(others);
        };
        let rows = u32::try_from(ids.len()).unwrap_or(MAX_PAGE_ROWS);
        let mut found: BTreeMap<AlertId, AlertSummary> = api::list_alerts(&named, rows, None)
            .await?
            .data
            .into_iter()
            .map(|one| (one.uuid, one))
            .collect();
        for id in ids {
            let alert = match found.remove(&id) {
                Some(alert) => Some(alert),
                // Lists leave suppressed alerts out; an alert's own address does not.
                None => match api::get_alert(id).await {
                    Ok(detail) => Some(detail.view.summary.clone()),
                    Err(failure) if failure.is_not_found() => None,
                    Err(failure) => return Err(failure),
                },
            };
            others.push((id, alert));
        }
        Ok(others)
    }

    /// Compares the loaded rows with the backend's, without reloading the list.
    async fn compare(self, changed: BTreeSet<AlertId>) -> Result<(), Failure> {
        let generation = self.generation.get_value();
        let beginning = self.read_beginning().await?;
        if self.generation.get_value() != generation {
            // The list was read anew meanwhile: there is nothing to compare with.
            return Ok(());
        }
        if self.peek(AlertList::is_empty) {
            let order = self.order();
            self.list
                .update(|list| list.replace(beginning.rows, beginning.cursor, order));
            return Ok(());
        }
        let read: BTreeSet<AlertId> = beginning.rows.iter().map(|alert| alert.uuid).collect();
        let whole = beginning.cursor.is_none();
        self.list.update(|list| list.compare(beginning.rows, whole));
        // Below what was read, and those that are no longer found: what became of them?
        let rest = self.peek(|list| {
            let shown = list.ids().iter().copied();
            let unknown = shown.filter(|id| {
                let is_gone = list.row(*id).is_some_and(|row| row.gone.is_some());
                !read.contains(id) && (is_gone || changed.contains(id))
            });
            unknown.take(MAX_BY_ID).collect::<Vec<_>>()
        });
        self.read_by_id(rest).await
    }

    /// Reads from the top until every loaded row is covered, or it is enough.
    async fn read_beginning(self) -> Result<Beginning, Failure> {
        let loaded = u32::try_from(self.peek(AlertList::len)).unwrap_or(MAX_PAGE_ROWS);
        let page_rows = loaded.clamp(PAGE_ROWS, MAX_PAGE_ROWS);
        let q = self.q.get_untracked();
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = api::list_alerts(&q, page_rows, cursor.as_deref()).await?;
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
            && self.focused_group.with_untracked(Option::is_none)
            && self.selection.with_untracked(super::Selection::is_empty)
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

/// The query that names exactly these alerts; `None` of none.
fn by_id(ids: &[AlertId]) -> Option<String> {
    let words: Vec<String> = ids.iter().map(ToString::to_string).collect();
    (!words.is_empty()).then(|| format!("id:{}", words.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::alert_list::tests::id;
    use calseta_domain::query::{MAX_QUERY_BYTES, MAX_VALUES};

    #[test]
    fn a_question_about_changed_alerts_is_a_query_that_is_not_too_long() {
        let ids: Vec<AlertId> = (1..=MAX_BY_ID as u128).map(id).collect();
        let q = by_id(&ids).expect("some");
        assert!(MAX_BY_ID <= MAX_VALUES && q.len() < MAX_QUERY_BYTES / 2);
        assert_eq!(by_id(&[]), None);
    }
}
