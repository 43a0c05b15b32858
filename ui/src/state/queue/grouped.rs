//! The list in groups: every head at once, members as they come to the screen.

use std::collections::HashMap;

use calseta_contract::alert::AlertSummary;
use calseta_domain::query::{Group, Query};
use calseta_domain::{AlertId, Timestamp};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Queue, whole_rows};
use crate::api::{self, Failure};
use crate::state::alert_list::AlertList;
use crate::state::clock::now_ms;
use crate::state::groups::Groups;
use crate::state::layout::Layout;
use crate::state::selection::Selection;

/// Members of a group that are read at once.
const MEMBERS_PAGE: u32 = 60;
/// The backend's longest page: what was read of a group is read again in one.
const MAX_MEMBERS_PAGE: u32 = 500;
/// Lines that are filled before anything is shown, so that the first screen does not grow.
const FIRST_LINES: usize = 60;

/// Groups and the members that were read with them.
struct Read {
    groups: Groups,
    rows: Vec<AlertSummary>,
}

impl Queue {
    /// Whether the rows are grouped.
    pub(super) fn is_grouped(self) -> bool {
        self.group.get_untracked() != Group::None
    }

    /// Whether there are groups, or alerts in them, that are not listed.
    pub(crate) fn groups_are_partial(self) -> bool {
        self.groups.with(|groups| groups.is_partial)
    }

    /// Reads the heads anew, and of each group as much as was read of it before.
    pub(super) async fn reload_groups(self, generation: u64) {
        let outcome = self.read_groups().await;
        if self.generation.get_value() != generation {
            return;
        }
        self.loading.set(false);
        match outcome {
            Ok(read) => {
                self.failure.set(None);
                let until = read.groups.newest();
                self.groups.set(read.groups);
                self.replace(read.rows, None);
                self.list.update(|list| list.read_by_groups(until));
                self.learn_members();
            }
            Err(failure) => self.failure.set(Some(failure)),
        }
        self.count_soon();
    }

    async fn read_groups(self) -> Result<Read, Failure> {
        let q = self.q.get_untracked();
        let before: HashMap<String, u32> = self.groups.with_untracked(|groups| {
            let same = groups.heads.iter().filter(|_| groups.q == q);
            same.map(|head| (head.key.clone(), whole_rows(head.members.len())))
                .collect()
        });
        let mut groups = Groups::of(q.clone(), api::groups(&q).await?);
        let heads: Vec<(String, String)> = groups
            .heads
            .iter()
            .map(|head| (head.key.clone(), head.q.clone()))
            .collect();
        let (mut rows, mut lines) = (Vec::new(), 0);
        for (key, q) in heads {
            lines += 1;
            let is_folded = self
                .folds
                .with_untracked(|folds| folds.collapsed.contains(&key));
            let read = before.get(&key).copied().unwrap_or(0);
            let is_first = lines < FIRST_LINES && !is_folded;
            if read == 0 && !is_first {
                continue;
            }
            let wanted = read.clamp(MEMBERS_PAGE, MAX_MEMBERS_PAGE);
            let page = api::list_alerts(&q, wanted, None).await?;
            if !is_folded {
                lines += page.data.len();
            }
            groups.take(
                &key,
                page.data.iter().map(|alert| alert.uuid),
                page.meta.next_cursor,
            );
            rows.extend(page.data);
        }
        Ok(Read { groups, rows })
    }

    /// Reads the next members of a group, unless they are on their way.
    pub(crate) fn read_members(self, key: &str) {
        let Some((q, cursor)) = self.groups.with_untracked(|groups| groups.next_page(key)) else {
            return;
        };
        let is_first = self
            .members_on_their_way
            .try_update_value(|keys| keys.insert(key.to_owned()));
        if is_first != Some(true) {
            return;
        }
        let generation = self.generation.get_value();
        let key = key.to_owned();
        spawn_local(async move {
            let outcome = api::list_alerts(&q, MEMBERS_PAGE, cursor.as_deref()).await;
            self.members_on_their_way.update_value(|keys| {
                keys.remove(&key);
            });
            if self.generation.get_value() != generation {
                return;
            }
            match outcome {
                Ok(page) => {
                    let ids: Vec<AlertId> = page.data.iter().map(|alert| alert.uuid).collect();
                    self.list.update(|list| list.add(page.data));
                    self.groups
                        .update(|groups| groups.take(&key, ids, page.meta.next_cursor));
                    self.learn_members();
                }
                Err(failure) => self.failure.set(Some(failure)),
            }
        });
    }

    /// A group that was selected as a whole has its members selected as they are read.
    fn learn_members(self) {
        let picked = self.selection.with_untracked(Selection::has_groups);
        if !picked {
            return;
        }
        self.groups.with_untracked(|groups| {
            self.selection.update(|selection| {
                for head in &groups.heads {
                    selection.learn(&head.key, &head.members);
                }
            });
        });
    }

    /// Counts the groups again; no head moves.
    pub(super) async fn recount_groups(self) {
        let q = self.q.get_untracked();
        // Counts that fail leave the last ones; the list's own failure is shown anyway.
        if let Ok(view) = api::groups(&q).await
            && self.groups.with_untracked(|groups| groups.q == q)
        {
            self.groups.update(|groups| groups.recount(view));
        }
    }

    /// Selects all members of a group, read or not, or takes them out.
    pub(crate) fn toggle_group(self, key: &str) {
        let head = self
            .layout
            .with_untracked(|layout: &Layout| layout.group(key).cloned());
        let Some(head) = head else { return };
        self.selection.update(|selection| {
            if selection.has_group(key) {
                selection.drop_group(key);
            } else if head.is_complete() {
                selection.toggle_all(&head.members);
            } else {
                selection.pick_group(key, head.q.clone(), head.count, &head.members);
            }
        });
    }

    /// The read alerts that a query finds, as far as their rows tell.
    pub(crate) fn found_by(self, q: &str) -> Vec<AlertId> {
        if self.q.with_untracked(|now| now == q) {
            return self.peek(|list: &AlertList| list.ids().to_vec());
        }
        let now = Timestamp::from_millis(now_ms());
        let Ok(query) = Query::parse(q, now) else {
            return Vec::new();
        };
        self.peek(|list| {
            let rows = list.ids().iter().filter_map(|id| list.row(*id));
            rows.filter(|row| query.judge(&row.alert.facts(), now) == Some(true))
                .map(|row| row.alert.uuid)
                .collect()
        })
    }
}
