//! Taking a change back: each of its alerts gets back what the change altered, as an event of its
//! own with who took it back. What somebody has changed since is left alone and named.

use calseta_contract::change::{Skipped, UndoView};
use calseta_domain::{ChangeId, ErrorCode, SuppressionId};
use calseta_store::WriteTx;
use calseta_store::tables::change::{self, ChangeItem, ChangeRow, Restored};
use serde_json::json;

use super::edit;
use crate::changes::Change;
use crate::{Engine, Principal, Problem};

/// Alerts that one transaction takes back.
const TOGETHER: u32 = 500;
/// Alerts that are named as left alone.
const SKIPPED_NAMED: usize = 1_000;

/// What one transaction did.
struct Part {
    restored: u64,
    skipped: Vec<Skipped>,
    /// Where the next one begins; `None` when all was taken back.
    next: Option<i64>,
    /// The suppression that the change made.
    made: Option<SuppressionId>,
}

impl Engine {
    /// `POST /v1/changes/{change_uuid}/undo`. A change of many alerts is taken back some hundred at
    /// a time; one that was interrupted is asked for again, and what was taken back by then is
    /// left alone.
    pub async fn undo_change(&self, by: &Principal, id: ChangeId) -> Result<UndoView, Problem> {
        by.need_human("taking a change back")?;
        let change = self.change(by);
        let mut view = UndoView {
            change_uuid: id,
            restored: 0,
            skipped: Vec::new(),
        };
        let (mut after, mut made) = (Some(0), None);
        while let Some(place) = after {
            let change = change.clone();
            let part = self
                .inner
                .store
                .write(move |tx: &WriteTx<'_>| undo_some(tx, &change, id, place))
                .await?;
            view.restored += part.restored;
            let room = SKIPPED_NAMED.saturating_sub(view.skipped.len());
            view.skipped.extend(part.skipped.into_iter().take(room));
            (after, made) = (part.next, part.made);
        }
        // What it has hidden since comes back too.
        if let Some(made) = made {
            self.inner.end_suppression(made, &change).await?;
        }
        self.inner.clock_changed.notify_one();
        Ok(view)
    }
}

fn undo_some(tx: &WriteTx<'_>, change: &Change, id: ChangeId, after: i64) -> Result<Part, Problem> {
    let row = change::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("change"))?;
    expired(&row, change)?;
    let items = change::items(tx, row.id, after, TOGETHER)?;
    let mut part = Part {
        restored: 0,
        skipped: Vec::new(),
        made: row.suppression,
        next: (items.len() == TOGETHER as usize)
            .then(|| items.last().map(|item| item.id))
            .flatten(),
    };
    for item in &items {
        match take_back(tx, change, item)? {
            None => part.restored += 1,
            Some(skipped) => part.skipped.push(skipped),
        }
    }
    if part.next.is_none() {
        change::mark_undone(tx, row.id, change.at)?;
    }
    Ok(part)
}

/// Refuses a change that cannot be taken back any more, and says why.
fn expired(row: &ChangeRow, change: &Change) -> Result<(), Problem> {
    let why = match row.undone_at {
        Some(at) => format!("it was taken back already, at {at}"),
        None if row.undo_until <= change.at => format!(
            "it could be taken back until {}; change the alerts instead",
            row.undo_until
        ),
        None => return Ok(()),
    };
    Err(Problem::new(
        ErrorCode::UndoExpired,
        format!("this change cannot be taken back: {why}"),
    )
    .with("undo_until", json!(row.undo_until))
    .with("undone_at", json!(row.undone_at)))
}

/// Takes one alert's part back; or says why it was left alone.
fn take_back(
    tx: &WriteTx<'_>,
    change: &Change,
    item: &ChangeItem,
) -> Result<Option<Skipped>, Problem> {
    let left_alone = |reason: &str| {
        Ok(Some(Skipped {
            uuid: item.alert,
            reason: reason.to_owned(),
        }))
    };
    let (before, after) = match change::restore(tx, item, change.at)? {
        Restored::Done { before, after } => (before, after),
        Restored::Changed => return left_alone("it has been changed again since"),
        Restored::Gone => return left_alone("it has been deleted since"),
    };
    let mut changed = edit::differences(&before, &after);
    if item.note.is_some() {
        changed.insert("note".to_owned(), json!(["removed", null]));
    }
    if !changed.is_empty() {
        changed.insert("undone".to_owned(), json!(true));
        let object = ("alert", Some(after.uuid.uuid()));
        let kind = edit::event_kind(&before, &after);
        change.append_to(tx, kind, object, Some(after.uuid), changed)?;
    }
    Ok(None)
}
