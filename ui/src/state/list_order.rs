//! The order of the queue's rows, as the backend has it, so that a new row finds its place.

use std::cmp::Ordering;

use calseta_contract::alert::AlertSummary;
use calseta_domain::query::{Sort, SortField, SortKey};

/// The keys of an order; the alert's id breaks ties in the direction of the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListOrder {
    keys: Vec<SortKey>,
}

impl Default for ListOrder {
    /// Newest accepted first.
    fn default() -> Self {
        Self {
            keys: vec![SortKey {
                field: SortField::Ingested,
                is_descending: true,
            }],
        }
    }
}

impl From<Option<&Sort>> for ListOrder {
    fn from(sort: Option<&Sort>) -> Self {
        sort.map_or_else(Self::default, |sort| Self {
            keys: sort.keys.clone(),
        })
    }
}

impl ListOrder {
    /// Which of two alerts stands higher.
    pub(crate) fn compare(&self, a: &AlertSummary, b: &AlertSummary) -> Ordering {
        let mut is_descending = true;
        for key in &self.keys {
            is_descending = key.is_descending;
            let order = directed(by_field(key.field, a, b), is_descending);
            if order != Ordering::Equal {
                return order;
            }
        }
        directed(a.uuid.cmp(&b.uuid), is_descending)
    }
}

fn directed(order: Ordering, is_descending: bool) -> Ordering {
    if is_descending {
        order.reverse()
    } else {
        order
    }
}

fn by_field(field: SortField, a: &AlertSummary, b: &AlertSummary) -> Ordering {
    match field {
        SortField::Ingested => a.created_at.cmp(&b.created_at),
        SortField::Occurred => a.occurred_at.cmp(&b.occurred_at),
        SortField::Updated => a.updated_at.cmp(&b.updated_at),
        SortField::Severity => a.severity.cmp(&b.severity),
        SortField::Status => a.status.cmp(&b.status),
        SortField::Source => a.source_name.cmp(&b.source_name),
        SortField::Title => a.title.to_lowercase().cmp(&b.title.to_lowercase()),
        SortField::Malice => a.malice.cmp(&b.malice),
        SortField::Duplicates => a.duplicate_count.cmp(&b.duplicate_count),
    }
}
