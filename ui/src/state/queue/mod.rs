//! The live queue: the list's rules of [`crate::state::alert_list`] fed by pages and events.
//!
//! It lives as long as the window, so that coming back from another page shows the same rows at
//! the same place, already up to date. What the events lead to is in [`feed`].

mod feed;

use std::collections::BTreeSet;
use std::time::Duration;

use calseta_contract::alert::AlertSummary;
use calseta_domain::{AlertId, AlertStatus};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{self, Failure};
use crate::state::alert_list::{AlertFilter, AlertList, AlertRow};
use crate::state::clock::now_ms;
use crate::state::live::{Change, Live};

/// Rows a page.
const PAGE_ROWS: u32 = 100;
/// Counting is slower than reading, and nobody reads a count that changes faster.
const COUNT_EVERY: Duration = Duration::from_millis(800);

/// A count that may stop at the backend's cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Total {
    /// How many, or the cap.
    pub(crate) count: u64,
    /// Whether there are more than that.
    pub(crate) is_capped: bool,
}

/// The queue's state. Copies are handles on the same state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Queue {
    list: RwSignal<AlertList>,
    filter: RwSignal<AlertFilter>,
    focused: RwSignal<Option<AlertId>>,
    open: RwSignal<Option<AlertId>>,
    open_status: RwSignal<Option<(AlertId, AlertStatus)>>,
    total: RwSignal<Option<Total>>,
    open_count: RwSignal<Option<Total>>,
    is_product_empty: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
    loading: RwSignal<bool>,
    at_top: RwSignal<bool>,
    last_key: StoredValue<i64>,
    changed: StoredValue<Changed>,
    errands: StoredValue<BTreeSet<Errand>>,
    /// Grows with every reload, so that an answer to an older question is dropped.
    generation: StoredValue<u64>,
}

/// What has changed since it was last read.
#[derive(Debug, Clone, Default)]
struct Changed {
    /// These alerts.
    ids: BTreeSet<AlertId>,
    /// Anything: events were missed.
    anything: bool,
}

/// What is already on its way and is not started twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Errand {
    ReadChanged,
    Count,
    Merge,
    NextPage,
}

impl Queue {
    /// Reads the first page, follows the events, and provides itself.
    pub(crate) fn provide() -> Self {
        let queue = Self {
            list: RwSignal::new(AlertList::default()),
            filter: RwSignal::new(AlertFilter::default()),
            focused: RwSignal::new(None),
            open: RwSignal::new(None),
            open_status: RwSignal::new(None),
            total: RwSignal::new(None),
            open_count: RwSignal::new(None),
            is_product_empty: RwSignal::new(false),
            failure: RwSignal::new(None),
            loading: RwSignal::new(true),
            at_top: RwSignal::new(true),
            last_key: StoredValue::new(0),
            changed: StoredValue::new(Changed::default()),
            errands: StoredValue::new(BTreeSet::new()),
            generation: StoredValue::new(0),
        };
        provide_context(queue);
        Live::expect().listen(move |change| match change {
            Change::Gap => queue.touch_all(),
            Change::Events(events) => {
                for event in events {
                    if event.kind == "alert.deleted" {
                        if let Some(id) = event.alert_uuid {
                            queue.list.update(|list| list.remove(id));
                        }
                    } else if let Some(id) = event.alert_uuid {
                        queue.touch(id);
                    }
                }
            }
        });
        queue.reload();
        queue
    }

    /// The provided queue.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// Reads the list's rows; the reader runs again when any changes.
    pub(crate) fn with<T>(self, read: impl FnOnce(&AlertList) -> T) -> T {
        self.list.with(read)
    }

    /// The same without running again.
    pub(crate) fn peek<T>(self, read: impl FnOnce(&AlertList) -> T) -> T {
        self.list.with_untracked(read)
    }

    /// One row.
    pub(crate) fn row(self, id: AlertId) -> Option<AlertRow> {
        self.list.with(|list| list.row(id).cloned())
    }

    /// Which alerts are shown.
    pub(crate) fn filter(self) -> AlertFilter {
        self.filter.get()
    }

    /// Shows others.
    pub(crate) fn set_filter(self, filter: AlertFilter) {
        if self.filter.get_untracked() != filter {
            self.filter.set(filter);
            self.list.set(AlertList::default());
            self.total.set(None);
            self.focused.set(None);
            self.reload();
        }
    }

    /// The row that keys act on.
    pub(crate) fn focused(self) -> Option<AlertId> {
        self.focused.get()
    }

    /// The same without running again.
    pub(crate) fn peek_focused(self) -> Option<AlertId> {
        self.focused.get_untracked()
    }

    /// Moves the focus.
    pub(crate) fn focus(self, id: Option<AlertId>) {
        if self.focused.get_untracked() != id {
            self.focused.set(id);
        }
    }

    /// The alert that is open beside or over the list.
    pub(crate) fn open(self) -> Option<AlertId> {
        self.open.get()
    }

    /// Says which alert is open.
    pub(crate) fn set_open(self, id: Option<AlertId>) {
        if self.open.get_untracked() != id {
            self.open.set(id);
        }
    }

    /// Says which status the open alert has: it may not be among the rows.
    pub(crate) fn set_open_status(self, id: AlertId, status: AlertStatus) {
        self.open_status.set(Some((id, status)));
    }

    /// The status of an alert as last read, from its page or its row.
    pub(crate) fn status_of(self, id: AlertId) -> Option<AlertStatus> {
        let opened = self.open_status.get().filter(|(other, _)| *other == id);
        opened.map(|(_, status)| status).or_else(|| {
            self.list
                .with(|list| list.row(id).map(|row| row.alert.status))
        })
    }

    /// What an action acts on: the open alert, else the focused one.
    pub(crate) fn target(self) -> Option<AlertId> {
        self.open.get().or_else(|| self.focused.get())
    }

    /// How many alerts the filter has; `None` while they are counted.
    pub(crate) fn total(self) -> Option<Total> {
        self.total.get()
    }

    /// How many alerts wait for somebody, whatever the filter.
    pub(crate) fn open_count(self) -> Option<Total> {
        self.open_count.get()
    }

    /// Whether there is no alert at all, whatever the filter.
    pub(crate) fn is_product_empty(self) -> bool {
        self.is_product_empty.get()
    }

    /// Why the last read failed.
    pub(crate) fn failure(self) -> Option<Failure> {
        self.failure.get()
    }

    /// Whether the first page is on its way.
    pub(crate) fn is_loading(self) -> bool {
        self.loading.get()
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

    /// Reads the list anew: rows that had stopped matching go, what waited comes in.
    pub(crate) fn reload(self) {
        let generation = self.generation.get_value() + 1;
        self.generation.set_value(generation);
        self.loading.set(true);
        let query = self.filter.get_untracked().query(PAGE_ROWS, None);
        spawn_local(async move {
            let outcome = api::list_alerts(&query).await;
            if self.generation.get_value() != generation {
                return;
            }
            self.loading.set(false);
            match outcome {
                Ok(page) => {
                    self.failure.set(None);
                    self.replace(page.data, page.meta.next_cursor);
                }
                Err(failure) => self.failure.set(Some(failure)),
            }
            self.count_soon();
        });
    }

    fn replace(self, rows: Vec<AlertSummary>, cursor: Option<String>) {
        let before = self.focused.get_untracked();
        let place = before.and_then(|id| self.peek(|list| list.index_of(id)));
        self.list.update(|list| list.replace(rows, cursor));
        // A focused row that went gives its place to the one that is there now.
        let kept = before.filter(|id| self.peek(|list| list.row(*id).is_some()));
        let nearest = place.and_then(|index| {
            self.peek(|list| list.id_at(index.min(list.len().saturating_sub(1))))
        });
        self.focus(kept.or(nearest));
    }

    /// Reads the next page, if there is one.
    pub(crate) fn read_more(self) {
        let Some(cursor) = self.peek(|list| list.cursor().map(str::to_owned)) else {
            return;
        };
        if self.is_under_way(Errand::NextPage) || self.loading.get_untracked() {
            return;
        }
        self.begin(Errand::NextPage);
        let generation = self.generation.get_value();
        let query = self.filter.get_untracked().query(PAGE_ROWS, Some(cursor));
        spawn_local(async move {
            let outcome = api::list_alerts(&query).await;
            self.end(Errand::NextPage);
            if self.generation.get_value() != generation {
                return;
            }
            match outcome {
                Ok(page) => {
                    self.failure.set(None);
                    self.list
                        .update(|list| list.append(page.data, page.meta.next_cursor));
                }
                Err(failure) => self.failure.set(Some(failure)),
            }
        });
    }

    /// Puts what waits into the list. When more waits than was read, the list is read anew.
    pub(crate) fn merge(self) {
        if self.peek(AlertList::is_waiting_partial) {
            self.reload();
        } else {
            self.list.update(|list| {
                list.merge();
            });
        }
    }

    fn is_under_way(self, errand: Errand) -> bool {
        self.errands.with_value(|errands| errands.contains(&errand))
    }

    fn begin(self, errand: Errand) {
        self.errands.update_value(|errands| {
            errands.insert(errand);
        });
    }

    fn end(self, errand: Errand) {
        self.errands.update_value(|errands| {
            errands.remove(&errand);
        });
    }

    fn count_soon(self) {
        if self.is_under_way(Errand::Count) {
            return;
        }
        self.begin(Errand::Count);
        let first = self.total.get_untracked().is_none();
        let wait = if first { Duration::ZERO } else { COUNT_EVERY };
        set_timeout(move || spawn_local(self.count()), wait);
    }

    async fn count(self) {
        self.end(Errand::Count);
        let filter = self.filter.get_untracked();
        // A count that fails leaves the last one; the list's own failure is shown anyway.
        if let Some(total) = counted(&filter).await
            && self.filter.get_untracked() == filter
        {
            self.total.set(Some(total));
        }
        if let Some(total) = counted(&AlertFilter::default()).await {
            self.open_count.set(Some(total));
        }
        if self.peek(AlertList::is_empty) {
            let all = counted(&AlertFilter::everything()).await;
            self.is_product_empty
                .set(all.is_some_and(|total| total.count == 0));
        } else {
            self.is_product_empty.set(false);
        }
    }
}

async fn counted(filter: &AlertFilter) -> Option<Total> {
    let (count, is_capped) = api::count_alerts(&filter.query(1, None)).await.ok()?;
    Some(Total { count, is_capped })
}
