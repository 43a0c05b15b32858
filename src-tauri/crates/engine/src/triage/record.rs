//! Storing what was done to alerts: the fields, one event an alert, and what takes it back.

use calseta_contract::triage::NoteView;
use calseta_domain::{ChangeId, NoteId, Timestamp};
use calseta_store::WriteTx;
use calseta_store::tables::alert::{self, AlertRow};
use calseta_store::tables::change::{self, NewChange};
use calseta_store::tables::note::{self, NewNote, NoteRow};
use calseta_store::tables::triage;
use serde_json::{Map, Value, json};

use super::edit::{self, Edit};
use crate::changes::Change;
use crate::{Engine, Principal, Problem};

/// How long a change can be taken back: a day, in which its maker still knows why it was made.
pub(crate) const UNDO_MS: i64 = 24 * 3600 * 1000;
/// Characters of a note that its event shows.
const NOTE_EXCERPT_CHARS: usize = 200;

/// A change that can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undoable {
    /// What takes it back: `POST /v1/changes/{change_uuid}/undo`.
    pub change_uuid: ChangeId,
    /// Until when.
    pub undo_until: Timestamp,
}

/// What came of an edit of one alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edited {
    /// It is different now.
    Changed,
    /// It was so already: no event, nothing to take back.
    AlreadySo,
}

/// One change, of one alert or of many, while it is made.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    pub(crate) change: Change,
    pub(crate) by_agent: bool,
    uuid: ChangeId,
    kind: &'static str,
    ids: crate::Ids,
    /// Its row, once something was recorded.
    row: Option<i64>,
}

impl Engine {
    /// Begins a change. Nothing is stored before something is recorded.
    pub(crate) fn recorder(&self, by: &Principal, kind: &'static str) -> Recorder {
        Recorder {
            change: self.change(by),
            by_agent: !by.is_human(),
            uuid: self.inner.ids.next(),
            kind,
            ids: self.inner.ids,
            row: None,
        }
    }
}

impl Recorder {
    /// What takes it back; `None` when nothing changed.
    pub(crate) fn undoable(&self) -> Option<Undoable> {
        self.row.map(|_| Undoable {
            change_uuid: self.uuid,
            undo_until: self.change.at.plus_millis(UNDO_MS),
        })
    }

    /// The row of the change, made when it is needed.
    pub(crate) fn row(&mut self, tx: &WriteTx<'_>) -> Result<i64, Problem> {
        if let Some(row) = self.row {
            return Ok(row);
        }
        let row = change::begin(
            tx,
            &NewChange {
                uuid: self.uuid,
                kind: self.kind,
                actor_kind: &self.change.actor.kind,
                actor_name: &self.change.actor.name,
                at: self.change.at,
                undo_until: self.change.at.plus_millis(UNDO_MS),
            },
        )?;
        self.row = Some(row);
        Ok(row)
    }

    /// Does an edit to one alert. A comment becomes a note, and is in the same event.
    pub(crate) fn edit(
        &mut self,
        tx: &WriteTx<'_>,
        before: &AlertRow,
        edit: &Edit,
        comment: Option<&str>,
    ) -> Result<Edited, Problem> {
        let after = edit.apply(before, self.by_agent, self.change.at)?;
        let mut changed = edit::differences(before, &after);
        let is_same = changed.is_empty() && after.is_unread == before.is_unread;
        let comment = match comment {
            // Agents repeat themselves: the same words once more are nothing new.
            Some(text) if is_same && self.said_last(tx, before.id, text)? => None,
            other => other,
        };
        if edit.unread == Some(false) {
            triage::note_viewed(tx, before.id, self.change.at)?;
        }
        if is_same && comment.is_none() {
            return Ok(Edited::AlreadySo);
        }
        store(tx, before, &after, self.change.at)?;
        let note = comment
            .map(|text| self.note(tx, before.id, text))
            .transpose()?;
        if let Some(note) = &note {
            changed.insert("note".to_owned(), json!([null, excerpt(&note.text)]));
        }
        // Opening an alert marks it as read: that is nothing to take back.
        let only_read = changed.is_empty() && edit.unread == Some(false);
        if !only_read {
            let row = self.row(tx)?;
            let note = note.map(|note| note.uuid);
            change::record(tx, row, before, note)?;
        }
        if !changed.is_empty() {
            self.event(tx, (edit::event_kind(before, &after), before), changed)?;
        }
        Ok(Edited::Changed)
    }

    /// Adds a note to one alert.
    pub(crate) fn add_note(
        &mut self,
        tx: &WriteTx<'_>,
        before: &AlertRow,
        text: &str,
    ) -> Result<NoteView, Problem> {
        let note = self.note(tx, before.id, text)?;
        alert::touch(tx, before.id, self.change.at)?;
        let row = self.row(tx)?;
        change::record(tx, row, before, Some(note.uuid))?;
        let mut changed = Map::new();
        changed.insert("note".to_owned(), json!([null, excerpt(text)]));
        changed.insert("note_uuid".to_owned(), json!(note.uuid));
        self.event(tx, ("alert.updated", before), changed)?;
        Ok(note)
    }

    /// Appends an event about one alert.
    pub(crate) fn event(
        &self,
        tx: &WriteTx<'_>,
        (kind, row): (&str, &AlertRow),
        changed: Map<String, Value>,
    ) -> Result<(), Problem> {
        let object = ("alert", Some(row.uuid.uuid()));
        self.change
            .append_to(tx, kind, object, Some(row.uuid), changed)
    }

    fn note(&self, tx: &WriteTx<'_>, alert: i64, text: &str) -> Result<NoteView, Problem> {
        let uuid: NoteId = self.ids.next();
        note::insert(
            tx,
            &NewNote {
                uuid,
                alert,
                text,
                author: &self.change.actor.name,
                author_kind: &self.change.actor.kind,
                created_at: self.change.at,
            },
        )?;
        Ok(NoteView {
            uuid,
            text: text.to_owned(),
            author: self.change.actor.name.clone(),
            author_kind: self.change.actor.kind.clone(),
            created_at: self.change.at,
        })
    }

    /// Whether an alert's newest note is this text by this author.
    fn said_last(&self, tx: &WriteTx<'_>, alert: i64, text: &str) -> Result<bool, Problem> {
        let notes = note::of_alert(tx, alert)?;
        let own = |note: &NoteRow| note.author == self.change.actor.name && note.text == text;
        Ok(notes.last().is_some_and(own))
    }
}

fn store(
    tx: &WriteTx<'_>,
    before: &AlertRow,
    after: &AlertRow,
    now: Timestamp,
) -> Result<(), Problem> {
    let own = |row: &AlertRow| {
        (
            (row.status, row.severity, row.close_classification),
            (row.acknowledged_at, row.triaged_at, row.closed_at),
            (row.malice_override, row.malice_override_by_agent),
            row.tags.clone(),
        )
    };
    if own(before) != own(after) {
        let mut after = after.clone();
        after.updated_at = now;
        alert::update(tx, &after)?;
    }
    if before.snoozed_until != after.snoozed_until {
        triage::snooze(tx, before.id, after.snoozed_until)?;
        alert::touch(tx, before.id, now)?;
    }
    if before.is_flagged != after.is_flagged {
        triage::set_flagged(tx, before.id, after.is_flagged)?;
        alert::touch(tx, before.id, now)?;
    }
    if before.is_unread != after.is_unread {
        triage::set_unread(tx, before.id, after.is_unread)?;
    }
    Ok(())
}

/// The beginning of a text, as an event shows it.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(NOTE_EXCERPT_CHARS).collect()
}
