//! The live queue: the list's rules of [`crate::state::alert_list`] fed by pages and events.
//!
//! It lives as long as the window, so that coming back from another page shows the same rows at
//! the same place, already up to date. One text says what is shown: a query of the filter grammar.
//! What the events lead to is in [`feed`], where the focus and the selection are in [`place`].

mod feed;
mod grouped;
pub(crate) mod hidden;
mod place;

use std::collections::BTreeSet;
use std::ops::Deref;
use std::time::Duration;

use calseta_contract::alert::AlertSummary;
use calseta_domain::query::{Group, Query, QueryError};
use calseta_domain::{AlertId, AlertStatus, Timestamp};
use leptos::prelude::*;
use leptos::task::spawn_local;

use self::hidden::Hidden;
use crate::api::{self, Failure};
use crate::state::alert_list::{AlertList, AlertRow};
use crate::state::clock::now_ms;
use crate::state::groups::Groups;
use crate::state::layout::{Folds, Layout};
use crate::state::list_order::ListOrder;
use crate::state::live::{Change, Live};
use crate::state::selection::Selection;

/// What is shown first: what waits for somebody. Agents take alerts up by themselves, so one that is
/// being looked at still waits for a decision.
pub(crate) const WAITING: &str = "status:open,triaging,escalated -is:snoozed";
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

/// A handle on the queue's state, of which there is one as long as the window lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Queue(&'static State);

impl Deref for Queue {
    type Target = State;

    fn deref(&self) -> &State {
        self.0
    }
}

/// What the queue holds.
#[derive(Debug)]
pub(crate) struct State {
    list: RwSignal<AlertList>,
    q: RwSignal<String>,
    group: RwSignal<Group>,
    groups: RwSignal<Groups>,
    folds: RwSignal<Folds>,
    layout: Memo<Layout>,
    focused: RwSignal<Option<AlertId>>,
    focused_group: RwSignal<Option<String>>,
    selection: RwSignal<Selection>,
    open: RwSignal<Option<AlertId>>,
    last_viewed: RwSignal<Option<AlertId>>,
    is_pinned: RwSignal<bool>,
    open_status: RwSignal<Option<(AlertId, AlertStatus)>>,
    total: RwSignal<Option<Total>>,
    open_count: RwSignal<Option<Total>>,
    hidden: RwSignal<Hidden>,
    looked_up: RwSignal<Option<Total>>,
    is_product_empty: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
    loading: RwSignal<bool>,
    is_paused: RwSignal<bool>,
    /// Alerts that changed while the updates were paused.
    held: RwSignal<usize>,
    at_top: RwSignal<bool>,
    last_key: StoredValue<i64>,
    changed: StoredValue<Changed>,
    errands: StoredValue<BTreeSet<Errand>>,
    /// Groups whose next members are on their way.
    members_on_their_way: StoredValue<BTreeSet<String>>,
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
        let (list, group, groups, folds) = (
            RwSignal::new(AlertList::default()),
            RwSignal::new(Group::None),
            RwSignal::new(Groups::default()),
            RwSignal::new(Folds::default()),
        );
        let layout = Memo::new(move |_| {
            let of = |groups: Option<&Groups>| {
                list.with(|list| folds.with(|folds| Layout::of(list, groups, folds)))
            };
            if group.get() == Group::None {
                of(None)
            } else {
                groups.with(|groups| of(Some(groups)))
            }
        });
        let state = State {
            list,
            q: RwSignal::new(WAITING.to_owned()),
            group,
            groups,
            folds,
            layout,
            focused: RwSignal::new(None),
            focused_group: RwSignal::new(None),
            selection: RwSignal::new(Selection::default()),
            open: RwSignal::new(None),
            last_viewed: RwSignal::new(None),
            is_pinned: RwSignal::new(false),
            open_status: RwSignal::new(None),
            total: RwSignal::new(None),
            open_count: RwSignal::new(None),
            hidden: RwSignal::new(Hidden::default()),
            looked_up: RwSignal::new(None),
            is_product_empty: RwSignal::new(false),
            failure: RwSignal::new(None),
            loading: RwSignal::new(true),
            is_paused: RwSignal::new(false),
            held: RwSignal::new(0),
            at_top: RwSignal::new(true),
            last_key: StoredValue::new(0),
            changed: StoredValue::new(Changed::default()),
            errands: StoredValue::new(BTreeSet::new()),
            members_on_their_way: StoredValue::new(BTreeSet::new()),
            generation: StoredValue::new(0),
        };
        // The window has one queue and ends with it: nothing is left behind.
        let queue = Self(Box::leak(Box::new(state)));
        provide_context(queue);
        queue.follow(Live::expect());
        queue.reload();
        queue
    }

    /// The provided queue.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    fn follow(self, live: Live) {
        live.listen(move |change| match change {
            Change::Gap => self.touch_all(),
            Change::Events(events) => {
                for event in events {
                    if event.kind == "alert.deleted" {
                        if let Some(id) = event.alert_uuid {
                            self.list.update(|list| list.remove(id));
                        }
                    } else if let Some(id) = event.alert_uuid {
                        self.touch(id);
                    }
                }
            }
        });
    }

    /// Reads the list's rows; the reader runs again when any changes.
    pub(crate) fn with<T>(self, read: impl FnOnce(&AlertList) -> T) -> T {
        self.list.with(read)
    }

    /// The same without running again.
    pub(crate) fn peek<T>(self, read: impl FnOnce(&AlertList) -> T) -> T {
        self.list.with_untracked(read)
    }

    /// Changes rows by a person's own action; events come in through the feed.
    pub(crate) fn update(self, change: impl FnOnce(&mut AlertList)) {
        self.list.update(change);
    }

    /// Shows a change of alerts that is on its way as if it had happened.
    pub(crate) fn assume(self, ids: &[AlertId], change: impl Fn(&mut AlertSummary)) {
        let now = Timestamp::from_millis(now_ms());
        let query = self.q.with_untracked(|q| Query::parse(q, now)).ok();
        let judge = |alert: &AlertSummary| query.as_ref()?.judge(&alert.facts(), now);
        self.list.update(|list| {
            for id in ids {
                list.assume(*id, &change, judge);
            }
        });
    }

    /// One row.
    pub(crate) fn row(self, id: AlertId) -> Option<AlertRow> {
        self.list.with(|list| list.row(id).cloned())
    }

    /// What is shown, as a query of the filter grammar.
    pub(crate) fn q(self) -> String {
        self.q.get()
    }

    /// The same without running again.
    pub(crate) fn peek_q(self) -> String {
        self.q.get_untracked()
    }

    /// Shows something else; a text that is no query changes nothing and says why.
    pub(crate) fn set_q(self, text: &str) -> Result<(), QueryError> {
        let text = text.trim();
        let query = Query::parse(text, Timestamp::from_millis(now_ms()))?;
        if self.q.with_untracked(|q| q == text) {
            // Told again all the same: a bar that holds something half written starts anew.
            self.q.notify();
            return Ok(());
        }
        self.q.set(text.to_owned());
        let group = query.group.unwrap_or(Group::None);
        if self.group.get_untracked() != group {
            self.group.set(group);
            self.folds.set(Folds::default());
            self.focused_group.set(None);
        }
        self.selection.set(Selection::default());
        self.total.set(None);
        self.reload();
        Ok(())
    }

    /// What the rows are grouped by.
    pub(crate) fn group(self) -> Group {
        self.group.get()
    }

    /// The status of an alert as last read, from its page or its row.
    pub(crate) fn status_of(self, id: AlertId) -> Option<AlertStatus> {
        let opened = self.open_status.get().filter(|(other, _)| *other == id);
        let row = || {
            self.list
                .with(|list| list.row(id).map(|row| row.alert.status))
        };
        row().or(opened.map(|(_, status)| status))
    }

    /// Says which status the open alert has: it may not be among the rows.
    pub(crate) fn set_open_status(self, id: AlertId, status: AlertStatus) {
        self.open_status.set(Some((id, status)));
    }

    /// How many alerts the query has; `None` while they are counted.
    pub(crate) fn total(self) -> Option<Total> {
        self.total.get()
    }

    /// How many alerts wait for somebody, whatever the query.
    pub(crate) fn open_count(self) -> Option<Total> {
        self.open_count.get()
    }

    /// How many alerts are being looked up.
    pub(crate) fn looked_up(self) -> Option<Total> {
        self.looked_up.get()
    }

    /// What an empty view does not show.
    pub(crate) fn hidden(self) -> Hidden {
        self.hidden.get()
    }

    /// Whether there is no alert at all, whatever the query.
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

    /// Reads the list anew: rows that had stopped matching go, what waited comes in.
    pub(crate) fn reload(self) {
        let generation = self.generation.get_value() + 1;
        self.generation.set_value(generation);
        self.loading.set(true);
        if self.is_grouped() {
            spawn_local(self.reload_groups(generation));
            return;
        }
        let q = self.q.get_untracked();
        spawn_local(async move {
            let outcome = api::list_alerts(&q, PAGE_ROWS, None).await;
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

    /// How the query orders its rows.
    fn order(self) -> ListOrder {
        let now = Timestamp::from_millis(now_ms());
        let query = self.q.with_untracked(|q| Query::parse(q, now));
        query.map_or_else(
            |_| ListOrder::default(),
            |query| ListOrder::from(query.sort.as_ref()),
        )
    }

    fn replace(self, rows: Vec<AlertSummary>, cursor: Option<String>) {
        let before = self.focused.get_untracked();
        let place = before.and_then(|id| self.peek(|list| list.index_of(id)));
        let order = self.order();
        self.list.update(|list| list.replace(rows, cursor, order));
        let kept = before.filter(|id| self.peek(|list| list.row(*id).is_some()));
        let nearest = place.and_then(|index| {
            self.peek(|list| {
                list.ids()
                    .get(index.min(list.len().saturating_sub(1)))
                    .copied()
            })
        });
        self.focus(kept.or(nearest));
    }

    /// Reads the next page, if there is one.
    pub(crate) fn read_more(self) {
        if self.is_grouped() {
            // Each group reads its own.
            return;
        }
        let Some(cursor) = self.peek(|list| list.cursor().map(str::to_owned)) else {
            return;
        };
        if self.is_under_way(Errand::NextPage) || self.loading.get_untracked() {
            return;
        }
        self.begin(Errand::NextPage);
        let generation = self.generation.get_value();
        let q = self.q.get_untracked();
        spawn_local(async move {
            let outcome = api::list_alerts(&q, PAGE_ROWS, Some(&cursor)).await;
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

    /// Puts what waits into the list. When more waits than was read, the list is read anew; so it
    /// is in groups, which only the backend makes.
    pub(crate) fn merge(self) {
        if self.is_grouped() || self.peek(AlertList::is_waiting_partial) {
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
        let q = self.q.get_untracked();
        // A count that fails leaves the last one; the list's own failure is shown anyway.
        if let Some(total) = counted(&q).await
            && self.q.with_untracked(|now| *now == q)
        {
            self.total.set(Some(total));
        }
        if self.is_grouped() {
            self.recount_groups().await;
        }
        if let Some(total) = counted(WAITING).await {
            self.open_count.set(Some(total));
        }
        if let Some(total) = counted("enrich:pending").await {
            self.looked_up.set(Some(total));
        }
        if !self.peek(AlertList::is_empty) {
            self.is_product_empty.set(false);
            return;
        }
        let count = async |q: &str| counted(q).await.map_or(0, |total| total.count);
        let hidden = Hidden {
            snoozed: count(&hidden::snoozed(&q)).await,
            suppressed: count(&hidden::suppressed(&q)).await,
        };
        self.hidden.set(hidden);
        let all = counted("").await.is_some_and(|total| total.count == 0);
        self.is_product_empty
            .set(all && count("is:suppressed").await == 0);
    }
}

/// A number of rows as a page's size.
fn whole_rows(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

async fn counted(q: &str) -> Option<Total> {
    let (count, is_capped) = api::count_alerts(q).await.ok()?;
    Some(Total { count, is_capped })
}
