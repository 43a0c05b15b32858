//! The event that every change of the configuration leaves, in the change's own transaction.
//!
//! `changed` holds `[old, new]` of what differs and never a secret: of those it says only that they
//! were set or cleared.

use calseta_domain::{AlertId, Timestamp};
use calseta_store::WriteTx;
use calseta_store::tables::event::{self, Actor, NewEvent};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::Problem;

/// Who changes something, and when.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) actor: Actor,
    pub(crate) at: Timestamp,
}

impl Change {
    /// Appends an event about something that belongs to no alert.
    pub(crate) fn append(
        &self,
        tx: &WriteTx<'_>,
        kind: &str,
        object: (&str, Option<Uuid>),
        detail: Map<String, Value>,
    ) -> Result<(), Problem> {
        self.append_to(tx, kind, object, None, detail)
    }

    /// Appends an event that an alert's timeline shows.
    pub(crate) fn append_to(
        &self,
        tx: &WriteTx<'_>,
        kind: &str,
        object: (&str, Option<Uuid>),
        alert: Option<AlertId>,
        detail: Map<String, Value>,
    ) -> Result<(), Problem> {
        event::append(
            tx,
            NewEvent {
                at: self.at,
                actor: &self.actor,
                kind,
                object,
                alert,
                detail,
            },
        )?;
        Ok(())
    }
}

/// A detail that names a thing and says what became of it.
pub(crate) fn named(name: &str, what: &str) -> Map<String, Value> {
    let mut detail = Map::new();
    detail.insert("name".to_owned(), json!(name));
    detail.insert("what".to_owned(), json!(what));
    detail
}

/// Field to `[old, new]` of what differs.
pub(crate) fn differences<'a>(
    pairs: impl IntoIterator<Item = (&'a str, Value, Value)>,
) -> Map<String, Value> {
    pairs
        .into_iter()
        .filter(|(_, old, new)| old != new)
        .map(|(name, old, new)| (name.to_owned(), json!([old, new])))
        .collect()
}
