//! The groups of a view as the backend counts them, with the members that were read so far.
//!
//! A head says what holds for all its members, read or not: its query finds them, and what is done
//! to a group whose members were not all read is done to what that query finds.

use calseta_contract::change::BulkSelect;
use calseta_contract::search::{AlertGroup, GroupsView, LastClosed};
use calseta_domain::{AlertId, Malice, Severity, Timestamp};

/// Alerts that have something in common.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupHead {
    /// What tells it from the others.
    pub(crate) key: String,
    /// What they have in common; hostile text is the normal case.
    pub(crate) label: String,
    /// Finds exactly its members.
    pub(crate) q: String,
    /// How many there are, read or not.
    pub(crate) count: u64,
    /// The worst severity among them.
    pub(crate) worst: Severity,
    /// The worst verdict among them.
    pub(crate) verdict: Malice,
    /// When the first of them came in.
    pub(crate) oldest: Timestamp,
    /// When the last of them came in.
    pub(crate) newest: Timestamp,
    /// What the last closed alerts of its rule were.
    pub(crate) last_closed: Option<LastClosed>,
    /// Those that were read, in the order of the screen.
    pub(crate) members: Vec<AlertId>,
    reading: Reading,
}

/// How far a group's members were read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reading {
    Nothing,
    /// Where the next page begins.
    To(String),
    All,
}

impl GroupHead {
    fn of(group: AlertGroup) -> Self {
        Self {
            key: group.key,
            label: group.label,
            q: group.q,
            count: group.count,
            worst: group.worst_severity,
            verdict: group.worst_malice,
            oldest: group.oldest_at,
            newest: group.newest_at,
            last_closed: group.last_closed,
            members: Vec::new(),
            reading: Reading::Nothing,
        }
    }

    /// Whether every member was read.
    pub(crate) fn is_complete(&self) -> bool {
        self.reading == Reading::All
    }

    /// How many members were not read yet.
    pub(crate) fn unread(&self) -> u64 {
        if self.is_complete() {
            return 0;
        }
        let read = u64::try_from(self.members.len()).unwrap_or(u64::MAX);
        self.count.saturating_sub(read).max(1)
    }

    /// Its members as a bulk change names them, and how many: by name when all were read, so that
    /// what comes in meanwhile is left alone, else by the query that finds them.
    pub(crate) fn select(&self) -> (BulkSelect, u64) {
        if self.is_complete() {
            let count = u64::try_from(self.members.len()).unwrap_or(u64::MAX);
            let select = BulkSelect {
                uuids: Some(self.members.clone()),
                ..BulkSelect::default()
            };
            return (select, count);
        }
        let select = BulkSelect {
            q: Some(self.q.clone()),
            ..BulkSelect::default()
        };
        (select, self.count)
    }
}

/// All of them, in the order of the screen.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Groups {
    /// The query that they divide.
    pub(crate) q: String,
    /// The heads, the largest first when they were read.
    pub(crate) heads: Vec<GroupHead>,
    /// Whether there are alerts or groups beyond these.
    pub(crate) is_partial: bool,
}

/// Groups that the backend gives at most.
const MAX_GROUPS: usize = 200;

impl Groups {
    /// As the backend gives them, with no member read.
    pub(crate) fn of(q: String, view: GroupsView) -> Self {
        Self {
            q,
            is_partial: view.total_is_capped || view.groups.len() >= MAX_GROUPS,
            heads: view.groups.into_iter().map(GroupHead::of).collect(),
        }
    }

    /// One of them.
    pub(crate) fn head(&self, key: &str) -> Option<&GroupHead> {
        self.heads.iter().find(|head| head.key == key)
    }

    /// When the newest alert of all came in.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        self.heads.iter().map(|head| head.newest).max()
    }

    /// Takes in the next members of a group; `cursor` says where the page after these begins.
    pub(crate) fn take(
        &mut self,
        key: &str,
        ids: impl IntoIterator<Item = AlertId>,
        cursor: Option<String>,
    ) {
        if let Some(head) = self.heads.iter_mut().find(|head| head.key == key) {
            for id in ids {
                if !head.members.contains(&id) {
                    head.members.push(id);
                }
            }
            head.reading = cursor.map_or(Reading::All, Reading::To);
        }
    }

    /// Where a group's next page begins; `None` when there is none, or no such group.
    pub(crate) fn next_page(&self, key: &str) -> Option<(String, Option<String>)> {
        let head = self.head(key)?;
        match &head.reading {
            Reading::Nothing => Some((head.q.clone(), None)),
            Reading::To(cursor) => Some((head.q.clone(), Some(cursor.clone()))),
            Reading::All => None,
        }
    }

    /// Takes in new counts. No head moves and none comes or goes: that is for the next refresh.
    pub(crate) fn recount(&mut self, view: GroupsView) {
        let mut found: std::collections::HashMap<String, AlertGroup> = view
            .groups
            .into_iter()
            .map(|group| (group.key.clone(), group))
            .collect();
        for head in &mut self.heads {
            match found.remove(&head.key) {
                Some(group) => {
                    head.count = group.count;
                    head.worst = group.worst_severity;
                    head.verdict = group.worst_malice;
                    head.oldest = group.oldest_at;
                    head.newest = group.newest_at;
                    head.last_closed = group.last_closed;
                }
                // Beyond the largest, or without a member: only the second is known.
                None if !self.is_partial => head.count = 0,
                None => {}
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::state::alert_list::tests::id;

    /// A group as the backend gives it.
    pub(crate) fn group(key: &str, count: u64) -> AlertGroup {
        let at = Timestamp::from_millis(1_000);
        AlertGroup {
            key: key.to_owned(),
            label: key.to_owned(),
            q: format!("rule:={key}"),
            count,
            worst_severity: Severity::Medium,
            worst_malice: Malice::Pending,
            oldest_at: at,
            newest_at: at,
            last_closed: None,
        }
    }

    /// Groups of so many members, none of them read.
    pub(crate) fn groups(all: &[(&str, u64)]) -> Groups {
        let view = GroupsView {
            total: all.iter().map(|(_, count)| count).sum(),
            total_is_capped: false,
            groups: all.iter().map(|(key, count)| group(key, *count)).collect(),
        };
        Groups::of(String::new(), view)
    }

    #[test]
    fn a_group_that_was_read_is_meant_by_name_and_another_by_its_query() {
        let mut all = groups(&[("travel", 3)]);
        let (select, count) = all.heads[0].select();
        assert_eq!((select.q.as_deref(), count), (Some("rule:=travel"), 3));
        all.take("travel", [id(1), id(2)], Some("next".to_owned()));
        assert_eq!(all.heads[0].unread(), 1);
        assert_eq!(
            all.next_page("travel"),
            Some(("rule:=travel".to_owned(), Some("next".to_owned())))
        );
        all.take("travel", [id(2), id(3)], None);
        let (select, count) = all.heads[0].select();
        assert_eq!(select.uuids, Some(vec![id(1), id(2), id(3)]));
        assert_eq!((select.q, count), (None, 3));
        assert_eq!(all.next_page("travel"), None);
    }

    #[test]
    fn new_counts_move_no_head() {
        let mut all = groups(&[("travel", 3), ("dns", 2)]);
        let view = GroupsView {
            total: 9,
            total_is_capped: false,
            groups: vec![group("new", 5), group("dns", 4)],
        };
        all.recount(view);
        let now: Vec<(&str, u64)> = all
            .heads
            .iter()
            .map(|head| (head.key.as_str(), head.count))
            .collect();
        assert_eq!(now, [("travel", 0), ("dns", 4)]);
    }
}
