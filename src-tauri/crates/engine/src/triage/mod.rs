//! What an analyst does to alerts: status, verdict, notes, snoozing, marks, checklists, and taking
//! it back.
//!
//! `edit` says what may be done and what comes of it, `record` stores it with its event and with
//! what takes it back, `undo` takes it back; the stage `clock` ends what was only for a
//! while. Marking an
//! alert as read leaves no event and nothing to take back: an analyst opens hundreds a day, and
//! the log is for what somebody else must know. Ticking an item of a checklist is its own inverse.

pub(crate) mod edit;
pub(crate) mod record;
mod undo;

use calseta_contract::Patch;
use calseta_contract::alert::AlertPatch;
use calseta_contract::triage::{
    ChecklistMark, ChecklistRequest, FlagsRequest, NoteRequest, NoteView, SnoozeRequest,
};
use calseta_domain::{AlertId, DocumentId, ErrorCode, Timestamp};
use calseta_store::WriteTx;
use calseta_store::tables::alert;
use calseta_store::tables::checklist::{self, NewMark};
use calseta_store::tables::document::DocumentRow;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::{Map, json};

pub use record::Undoable;

use crate::{Engine, Principal, Problem, alerts, documents, views};
use edit::Edit;

/// The longest note.
const NOTE_MAX_CHARS: usize = 10_000;
/// The longest that an alert is put off, in days.
const SNOOZE_MAX_DAYS: i64 = 90;
/// Milliseconds a day.
pub(crate) const DAY_MS: i64 = 24 * 3600 * 1000;
/// Items of one document's checklist that can be ticked.
const MAX_ITEMS: usize = 1_000;
/// Characters of an item that its event shows.
const ITEM_EXCERPT_CHARS: usize = 120;

/// A note's text, or why it is none.
pub(crate) fn note_text(path: &str, text: &str) -> Result<String, Problem> {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.chars().count() > NOTE_MAX_CHARS {
        let message = format!("must have 1 to {NOTE_MAX_CHARS} characters");
        return Err(Problem::field(path, message));
    }
    Ok(trimmed.to_owned())
}

/// A time in the future, at most `days` away.
pub(crate) fn ahead(
    path: &str,
    at: Timestamp,
    now: Timestamp,
    days: i64,
) -> Result<Timestamp, Problem> {
    if at <= now {
        return Err(Problem::field(path, "is over; name a time in the future"));
    }
    if at > now.plus_millis(days * DAY_MS) {
        let message = format!("is more than {days} days away; name an earlier time");
        return Err(Problem::field(path, message));
    }
    Ok(at)
}

/// Until when an alert may be put off.
pub(crate) fn snooze_end(path: &str, at: Timestamp, now: Timestamp) -> Result<Timestamp, Problem> {
    ahead(path, at, now, SNOOZE_MAX_DAYS)
}

/// The items of a document's checklist, in order: what the window shows a box for.
fn items(content: &str) -> Vec<String> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS | Options::ENABLE_STRIKETHROUGH;
    let mut items: Vec<String> = Vec::new();
    let mut is_in_item = false;
    for event in Parser::new_ext(content, options) {
        match event {
            Event::TaskListMarker(_) if items.len() == MAX_ITEMS => break,
            Event::TaskListMarker(_) => {
                items.push(String::new());
                is_in_item = true;
            }
            // An item's text is its first paragraph, whatever follows.
            Event::End(TagEnd::Paragraph | TagEnd::Item) | Event::Start(Tag::List(_)) => {
                is_in_item = false;
            }
            Event::Text(text) | Event::Code(text) if is_in_item => {
                if let Some(item) = items.last_mut()
                    && item.len() < ITEM_EXCERPT_CHARS
                {
                    item.push_str(&text);
                }
            }
            _ => {}
        }
    }
    items
}

impl Engine {
    /// `PATCH /v1/alerts/{uuid}`. What it already has is no change and no event.
    pub async fn patch_alert(
        &self,
        by: &Principal,
        id: AlertId,
        patch: AlertPatch,
    ) -> Result<Option<Undoable>, Problem> {
        let comment = patch.comment.as_deref();
        let comment = comment.map(|text| note_text("comment", text)).transpose()?;
        self.edit_alert(by, id, ("change", Edit::of_patch(patch)?), comment)
            .await
    }

    /// `POST /v1/alerts/{uuid}/reopen`: Closed → Open, and the closing is forgotten.
    pub async fn reopen_alert(
        &self,
        by: &Principal,
        id: AlertId,
    ) -> Result<Option<Undoable>, Problem> {
        let edit = Edit {
            reopen: true,
            ..Edit::default()
        };
        self.edit_alert(by, id, ("reopen", edit), None).await
    }

    /// `PUT /v1/alerts/{uuid}/snooze`.
    pub async fn snooze_alert(
        &self,
        by: &Principal,
        id: AlertId,
        request: SnoozeRequest,
    ) -> Result<Option<Undoable>, Problem> {
        let until = snooze_end("until", request.until, self.inner.clock.now())?;
        let edit = Edit {
            snoozed_until: Patch::Set(until),
            ..Edit::default()
        };
        let done = self.edit_alert(by, id, ("snooze", edit), None).await?;
        self.inner.clock_changed.notify_one();
        Ok(done)
    }

    /// `DELETE /v1/alerts/{uuid}/snooze`.
    pub async fn unsnooze_alert(
        &self,
        by: &Principal,
        id: AlertId,
    ) -> Result<Option<Undoable>, Problem> {
        let edit = Edit {
            snoozed_until: Patch::Clear,
            ..Edit::default()
        };
        self.edit_alert(by, id, ("snooze", edit), None).await
    }

    /// `PUT /v1/alerts/{uuid}/flags`.
    pub async fn flag_alert(
        &self,
        by: &Principal,
        id: AlertId,
        request: FlagsRequest,
    ) -> Result<Option<Undoable>, Problem> {
        let edit = Edit {
            unread: request.unread,
            flagged: request.flagged,
            ..Edit::default()
        };
        self.edit_alert(by, id, ("flags", edit), None).await
    }

    async fn edit_alert(
        &self,
        by: &Principal,
        id: AlertId,
        (kind, edit): (&'static str, Edit),
        comment: Option<String>,
    ) -> Result<Option<Undoable>, Problem> {
        let mut recorder = self.recorder(by, kind);
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = alerts::row(tx, id)?;
                recorder.edit(tx, &before, &edit, comment.as_deref())?;
                Ok::<_, Problem>(recorder.undoable())
            })
            .await
    }

    /// `POST /v1/alerts/{uuid}/notes`.
    pub async fn add_note(
        &self,
        by: &Principal,
        id: AlertId,
        request: NoteRequest,
    ) -> Result<(NoteView, Undoable), Problem> {
        let text = note_text("text", &request.text)?;
        let mut recorder = self.recorder(by, "note");
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = alerts::row(tx, id)?;
                let note = recorder.add_note(tx, &before, &text)?;
                let undoable = recorder.undoable().ok_or_else(|| {
                    Problem::new(ErrorCode::Internal, "the note's change was not stored")
                })?;
                Ok::<_, Problem>((note, undoable))
            })
            .await
    }

    /// `PUT /v1/alerts/{uuid}/checklist/{document_uuid}/{n}`: an item of a document that applies to
    /// the alert.
    pub async fn mark_checklist(
        &self,
        by: &Principal,
        id: AlertId,
        (document, item): (DocumentId, u64),
        request: ChecklistRequest,
    ) -> Result<ChecklistMark, Problem> {
        let (change, inner) = (self.change(by), std::sync::Arc::clone(&self.inner));
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let alert = alerts::row(tx, id)?;
                let mut applicable = documents::applicable(tx, &inner, &alert)?.into_iter();
                let document = applicable
                    .find(|row| row.uuid == document)
                    .ok_or_else(not_applied)?;
                let text = item_of(&document, item)?;
                let item = u32::try_from(item).map_err(|_| no_item(0))?;
                let known = checklist::of_alert(tx, alert.id)?
                    .into_iter()
                    .find(|row| row.document == document.uuid && row.item == item);
                let was = known.as_ref().is_some_and(|row| row.is_done);
                if let Some(row) = known.filter(|row| row.is_done == request.done) {
                    return Ok(views::mark(row));
                }
                let mark = NewMark {
                    alert: alert.id,
                    document: document.id,
                    item,
                    is_done: request.done,
                    author: &change.actor.name,
                    at: change.at,
                };
                checklist::mark(tx, &mark)?;
                if was != request.done {
                    alert::touch(tx, alert.id, change.at)?;
                    let mut changed = Map::new();
                    changed.insert("checklist".to_owned(), json!([was, request.done]));
                    changed.insert("item".to_owned(), json!(item));
                    changed.insert("item_text".to_owned(), json!(text));
                    changed.insert("document_uuid".to_owned(), json!(document.uuid));
                    changed.insert("document_title".to_owned(), json!(document.title));
                    let object = ("alert", Some(id.uuid()));
                    change.append_to(tx, "alert.updated", object, Some(id), changed)?;
                }
                Ok(ChecklistMark {
                    document_uuid: document.uuid,
                    item: u64::from(item),
                    done: request.done,
                    by: change.actor.name.clone(),
                    at: change.at,
                })
            })
            .await
    }
}

fn not_applied() -> Problem {
    Problem::new(
        ErrorCode::NotFound,
        "no such document applies to this alert; take the uuid from its context_documents",
    )
}

fn no_item(count: usize) -> Problem {
    let has = match count {
        0 => "no checklist".to_owned(),
        1 => "one item, number 0".to_owned(),
        more => format!("{more} items, numbers 0 to {}", more - 1),
    };
    Problem::new(
        ErrorCode::NotFound,
        format!("there is no such item; the document has {has}"),
    )
}

/// The text of an item of a document's checklist.
fn item_of(document: &DocumentRow, item: u64) -> Result<String, Problem> {
    let items = items(&document.content);
    let place = usize::try_from(item).unwrap_or(usize::MAX);
    let text = items.get(place).ok_or_else(|| no_item(items.len()))?;
    Ok(text.trim().chars().take(ITEM_EXCERPT_CHARS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_the_boxes_that_markdown_shows() {
        let text = "# Runbook\n\n- [ ] Call **the** user\n- plain\n- [x] Look at `logs`\n\n\
                    ```\n- [ ] in code\n```\n\n1. [ ] Numbered\n";
        let found = items(text);
        assert_eq!(found, ["Call the user", "Look at logs", "Numbered"]);
        assert!(items("no boxes").is_empty());
    }
}
