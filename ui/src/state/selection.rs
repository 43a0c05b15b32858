//! Which alerts are selected: some by name, whole groups, or everything that the query finds.

use std::collections::{BTreeMap, BTreeSet};

use calseta_contract::change::BulkSelect;
use calseta_domain::AlertId;
use calseta_domain::query::{MAX_VALUES, with_sort};

/// The selected alerts. It changes only by the analyst's hand, never by an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    ids: BTreeSet<AlertId>,
    /// Where a range begins.
    anchor: Option<AlertId>,
    /// Everything that a query finds, but not these.
    everything: Option<Everything>,
    /// Groups that are selected as wholes, by their keys.
    groups: BTreeMap<String, Picked>,
}

/// All members of a group, read or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Picked {
    q: String,
    /// How many the query found when it was chosen.
    total: u64,
    /// Members that were read: rows that show as selected.
    known: BTreeSet<AlertId>,
    except: BTreeSet<AlertId>,
}

impl Picked {
    fn contains(&self, id: AlertId) -> bool {
        self.known.contains(&id) && !self.except.contains(&id)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Everything {
    q: String,
    /// How many the query found when it was chosen.
    total: u64,
    except: BTreeSet<AlertId>,
}

impl Selection {
    /// How many are selected.
    pub(crate) fn count(&self) -> u64 {
        self.everything.as_ref().map_or_else(
            || {
                let ids = u64::try_from(self.ids.len()).unwrap_or(u64::MAX);
                let members = self.groups.values().map(|group| {
                    let except = u64::try_from(group.except.len()).unwrap_or(u64::MAX);
                    group.total.saturating_sub(except)
                });
                ids.saturating_add(members.sum())
            },
            |all| {
                let except = u64::try_from(all.except.len()).unwrap_or(u64::MAX);
                all.total.saturating_sub(except)
            },
        )
    }

    /// Whether none is.
    pub(crate) fn is_empty(&self) -> bool {
        self.everything.is_none() && self.ids.is_empty() && self.groups.is_empty()
    }

    /// Whether it is everything that the query finds, loaded or not.
    pub(crate) fn is_everything(&self) -> bool {
        self.everything.is_some()
    }

    /// Whether an alert is selected.
    pub(crate) fn contains(&self, id: AlertId) -> bool {
        self.everything.as_ref().map_or_else(
            || self.ids.contains(&id) || self.groups.values().any(|group| group.contains(id)),
            |all| !all.except.contains(&id),
        )
    }

    /// The alerts that are selected by name.
    pub(crate) fn ids(&self) -> Vec<AlertId> {
        self.ids.iter().copied().collect()
    }

    /// As a bulk change names them; `None` when none is selected.
    pub(crate) fn select(&self) -> Option<BulkSelect> {
        if let Some(all) = &self.everything {
            return Some(BulkSelect {
                uuids: None,
                q: Some(all.q.clone()),
                except: all.except.iter().copied().collect(),
            });
        }
        if !self.groups.is_empty() {
            return Some(self.select_groups());
        }
        (!self.ids.is_empty()).then(|| BulkSelect {
            uuids: Some(self.ids()),
            ..BulkSelect::default()
        })
    }

    /// One query for the groups and for what is selected beside them.
    fn select_groups(&self) -> BulkSelect {
        let groups = self.groups.values().map(|group| with_sort(&group.q, None));
        let ids = self.ids();
        let named = ids.chunks(MAX_VALUES).map(|ids| {
            let words: Vec<String> = ids.iter().map(ToString::to_string).collect();
            format!("id:{}", words.join(","))
        });
        let any: Vec<String> = groups.chain(named).collect();
        let q = match any.as_slice() {
            [one] => one.clone(),
            many => format!("({})", many.join(" OR ")),
        };
        let except = self.groups.values().flat_map(|group| group.except.iter());
        BulkSelect {
            uuids: None,
            q: Some(q),
            except: except.copied().collect(),
        }
    }

    /// Whether a group is selected as a whole.
    pub(crate) fn has_group(&self, key: &str) -> bool {
        self.groups.contains_key(key)
    }

    /// Whether any group is.
    pub(crate) fn has_groups(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Selects all members of a group by the query that finds them; `known` are those that were read.
    pub(crate) fn pick_group(&mut self, key: &str, q: String, total: u64, known: &[AlertId]) {
        self.everything = None;
        self.ids.retain(|id| !known.contains(id));
        let picked = Picked {
            q,
            total,
            known: known.iter().copied().collect(),
            except: BTreeSet::new(),
        };
        self.groups.insert(key.to_owned(), picked);
    }

    /// More members of a group were read.
    pub(crate) fn learn(&mut self, key: &str, members: &[AlertId]) {
        if let Some(group) = self.groups.get_mut(key) {
            group.known.extend(members);
        }
    }

    /// Takes a group out.
    pub(crate) fn drop_group(&mut self, key: &str) {
        self.groups.remove(key);
    }

    /// Selects an alert, or takes it out; a range begins here.
    pub(crate) fn toggle(&mut self, id: AlertId) {
        self.anchor = Some(id);
        let group = self
            .groups
            .values_mut()
            .find(|group| group.known.contains(&id));
        let set = match (&mut self.everything, group) {
            (Some(all), _) => &mut all.except,
            (None, Some(group)) => &mut group.except,
            (None, None) => &mut self.ids,
        };
        if !set.remove(&id) {
            set.insert(id);
        }
    }

    /// Selects these, or, when all of them are, takes them out: a group's members.
    pub(crate) fn toggle_all(&mut self, ids: &[AlertId]) {
        let all_in = ids.iter().all(|id| self.contains(*id));
        for id in ids {
            if self.contains(*id) == all_in {
                self.toggle(*id);
            }
        }
    }

    /// Selects everything between the range's beginning and `to` in the order of the screen.
    pub(crate) fn extend(&mut self, from: AlertId, to: AlertId, order: &[AlertId]) {
        let anchor = *self.anchor.get_or_insert(from);
        let place = |id| order.iter().position(|other| *other == id);
        if let (Some(a), Some(b)) = (place(anchor), place(to)) {
            for id in order.iter().take(a.max(b) + 1).skip(a.min(b)) {
                let group = self
                    .groups
                    .values_mut()
                    .find(|group| group.known.contains(id));
                match (&mut self.everything, group) {
                    (Some(all), _) => {
                        all.except.remove(id);
                    }
                    (None, Some(group)) => {
                        group.except.remove(id);
                    }
                    (None, None) => {
                        self.ids.insert(*id);
                    }
                }
            }
        }
    }

    /// Selects these and nothing else.
    pub(crate) fn set(&mut self, ids: impl IntoIterator<Item = AlertId>) {
        *self = Self {
            ids: ids.into_iter().collect(),
            ..Self::default()
        };
    }

    /// Selects everything that a query finds.
    pub(crate) fn select_everything(&mut self, q: String, total: u64) {
        self.groups.clear();
        self.everything = Some(Everything {
            q,
            total,
            except: BTreeSet::new(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(n: u128) -> AlertId {
        AlertId::new(Uuid::from_u128(n))
    }

    #[test]
    fn a_range_is_what_stands_between() {
        let order = [id(9), id(4), id(7), id(1)];
        let mut selection = Selection::default();
        selection.extend(id(4), id(1), &order);
        assert_eq!(selection.ids(), [id(1), id(4), id(7)]);
        selection.extend(id(1), id(9), &order);
        assert!(
            selection.contains(id(9)),
            "a range goes on from where it began"
        );
    }

    #[test]
    fn everything_leaves_out_what_is_taken_out() {
        let mut selection = Selection::default();
        selection.select_everything("status:open".to_owned(), 1_204);
        selection.toggle(id(3));
        assert_eq!(selection.count(), 1_203);
        assert!(!selection.contains(id(3)));
        let select = selection.select().expect("something");
        assert_eq!(select.q.as_deref(), Some("status:open"));
        assert_eq!(select.except, [id(3)]);
        assert_eq!(select.uuids, None);
    }

    #[test]
    fn a_group_is_taken_whole_and_given_back_whole() {
        let mut selection = Selection::default();
        selection.toggle(id(1));
        selection.toggle_all(&[id(1), id(2)]);
        assert_eq!(selection.count(), 2);
        selection.toggle_all(&[id(1), id(2)]);
        assert!(selection.is_empty());
        assert_eq!(selection.select(), None);
    }

    #[test]
    fn whole_groups_and_single_alerts_are_one_query() {
        let mut selection = Selection::default();
        selection.pick_group(
            "a",
            "status:open rule:=a sort:-sev".to_owned(),
            70,
            &[id(1)],
        );
        assert!(selection.contains(id(1)) && !selection.contains(id(2)));
        selection.learn("a", &[id(2)]);
        selection.toggle(id(2));
        assert_eq!(selection.count(), 69);
        let select = selection.select().expect("something");
        assert_eq!(select.q.as_deref(), Some("status:open rule:=a"));
        assert_eq!(select.except, [id(2)]);
        selection.pick_group("b", "status:open rule:=b".to_owned(), 3, &[]);
        selection.toggle(id(9));
        assert_eq!(selection.count(), 73);
        let q = selection
            .select()
            .and_then(|select| select.q)
            .expect("a query");
        assert_eq!(
            q,
            format!(
                "(status:open rule:=a OR status:open rule:=b OR id:{})",
                id(9)
            )
        );
        let now = calseta_domain::Timestamp::from_millis(0);
        assert!(calseta_domain::query::Query::parse(&q, now).is_ok());
        selection.drop_group("a");
        assert!(selection.has_group("b") && !selection.has_group("a"));
    }
}
