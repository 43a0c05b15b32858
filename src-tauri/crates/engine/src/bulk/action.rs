//! What a bulk change is asked to do, read from its request: every kind takes its own fields and
//! refuses the others, so that a slip of the hand is not done to a thousand alerts.

use calseta_contract::Patch;
use calseta_contract::change::BulkAction;
use calseta_domain::{AgentId, AlertStatus, CloseClassification, FieldError, Severity, Timestamp};

use crate::triage::edit::{Edit, TagEdit, checked_tags, word};
use crate::triage::{ahead, note_text, snooze_end};
use crate::{Problem, suppressions};

/// The kinds, with the fields that each takes besides its own name.
const KINDS: &[(&str, &[&str])] = &[
    ("status", &["status", "close_classification", "text"]),
    ("close", &["close_classification", "text"]),
    ("severity", &["severity", "text"]),
    ("tags", &["add_tags", "remove_tags"]),
    ("note", &["text"]),
    ("snooze", &["until"]),
    ("flags", &["unread", "flagged"]),
    ("dispatch", &["agent_uuid"]),
    ("enrich", &[]),
    ("suppress", &["expires_at", "text"]),
    ("delete", &[]),
];

/// What is done to each alert.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// Its own fields, with a comment that is kept as a note.
    Edit {
        kind: &'static str,
        edit: Box<Edit>,
        comment: Option<String>,
    },
    Note(String),
    /// To one agent, or to all whose filters match.
    Dispatch(Option<AgentId>),
    Enrich,
    Suppress {
        expires_at: Timestamp,
        reason: Option<String>,
    },
    Delete,
}

/// The fields that a request names.
fn given(action: &BulkAction) -> Vec<&'static str> {
    [
        ("status", action.status.is_some()),
        (
            "close_classification",
            action.close_classification.is_some(),
        ),
        ("severity", action.severity.is_some()),
        ("add_tags", !action.add_tags.is_empty()),
        ("remove_tags", !action.remove_tags.is_empty()),
        ("text", action.text.is_some()),
        ("until", action.until.is_some()),
        ("unread", action.unread.is_some()),
        ("flagged", action.flagged.is_some()),
        ("agent_uuid", action.agent_uuid.is_some()),
        ("expires_at", action.expires_at.is_some()),
    ]
    .into_iter()
    .filter(|(_, given)| *given)
    .map(|(name, _)| name)
    .collect()
}

fn at(field: &str) -> String {
    format!("action.{field}")
}

fn needed(errors: &mut Vec<FieldError>, field: &str, kind: &str) {
    let message = format!("is needed to {kind}");
    errors.push(FieldError::new(at(field), message));
}

impl Action {
    /// Reads a request's action.
    pub(super) fn read(action: &BulkAction, now: Timestamp) -> Result<Self, Problem> {
        let known = KINDS.iter().find(|(kind, _)| *kind == action.kind);
        let Some((kind, taken)) = known else {
            let words: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
            return Err(Problem::word("action.kind", "kind", &action.kind, &words));
        };
        let mut errors: Vec<FieldError> = given(action)
            .into_iter()
            .filter(|field| !taken.contains(field))
            .map(|field| FieldError::new(at(field), format!("is nothing that {kind} takes")))
            .collect();
        let read = match *kind {
            "note" => Self::Note(note_text(
                "action.text",
                action.text.as_deref().unwrap_or_default(),
            )?),
            "dispatch" => Self::Dispatch(action.agent_uuid),
            "enrich" => Self::Enrich,
            "delete" => Self::Delete,
            "suppress" => suppress(action, now)?,
            _ => Self::Edit {
                kind,
                edit: Box::new(edit(&mut errors, kind, action, now)?),
                comment: comment(action)?,
            },
        };
        if errors.is_empty() {
            Ok(read)
        } else {
            Err(Problem::fields(&errors))
        }
    }

    /// The name of its change.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Edit { kind, .. } => kind,
            Self::Note(_) => "note",
            Self::Dispatch(_) => "dispatch",
            Self::Enrich => "enrich",
            Self::Suppress { .. } => "suppress",
            Self::Delete => "delete",
        }
    }

    /// Whether it can be taken back.
    pub(super) const fn can_be_undone(&self) -> bool {
        match self {
            Self::Edit { .. } | Self::Note(_) | Self::Suppress { .. } => true,
            Self::Dispatch(_) | Self::Enrich | Self::Delete => false,
        }
    }
}

fn comment(action: &BulkAction) -> Result<Option<String>, Problem> {
    let text = action.text.as_deref();
    text.map(|text| note_text("action.text", text)).transpose()
}

fn suppress(action: &BulkAction, now: Timestamp) -> Result<Action, Problem> {
    let expires_at = match action.expires_at {
        Some(at) => ahead("action.expires_at", at, now, suppressions::MAX_DAYS)?,
        None => suppressions::default_end(now),
    };
    Ok(Action::Suppress {
        expires_at,
        reason: comment(action)?,
    })
}

fn edit(
    errors: &mut Vec<FieldError>,
    kind: &str,
    action: &BulkAction,
    now: Timestamp,
) -> Result<Edit, Problem> {
    let mut edit = Edit::default();
    if let Some(text) = &action.close_classification {
        let read = word::<CloseClassification>(errors, &at("close_classification"), text);
        edit.classification = read.map_or(Patch::Keep, Patch::Set);
    }
    match kind {
        "close" => {
            edit.status = Some(AlertStatus::Closed);
            if action.close_classification.is_none() {
                needed(errors, "close_classification", "close alerts");
            }
        }
        "status" => match &action.status {
            Some(text) => edit.status = word(errors, &at("status"), text),
            None => needed(errors, "status", "change the status"),
        },
        "severity" => match &action.severity {
            Some(text) => edit.severity = word::<Severity>(errors, &at("severity"), text),
            None => needed(errors, "severity", "change the severity"),
        },
        "tags" => {
            let add = checked_tags(errors, &at("add_tags"), action.add_tags.clone());
            let remove = checked_tags(errors, &at("remove_tags"), action.remove_tags.clone());
            if action.add_tags.is_empty() && action.remove_tags.is_empty() {
                needed(
                    errors,
                    "add_tags",
                    "tag alerts, or remove_tags to untag them",
                );
            }
            edit.tags = Some(TagEdit::Change { add, remove });
        }
        "snooze" => {
            let until = action.until.map(|at| snooze_end("action.until", at, now));
            edit.snoozed_until = until.transpose()?.map_or(Patch::Clear, Patch::Set);
        }
        _ => {
            if action.unread.is_none() && action.flagged.is_none() {
                needed(errors, "flagged", "mark alerts, or unread");
            }
            edit.unread = action.unread;
            edit.flagged = action.flagged;
        }
    }
    Ok(edit)
}
