//! What may be done to an alert's own fields, by a person or an agent, to one or to many.
//!
//! One type for all of it, so that a PATCH, a bulk change and the window's keys are judged by the
//! same rules. An edit says what is wanted; what comes of it follows from the alert as it stands
//! in the transaction.

use calseta_contract::Patch;
use calseta_contract::alert::AlertPatch;
use calseta_domain::{
    AlertStatus, CloseClassification, ErrorCode, FieldError, Malice, Severity, Timestamp,
    UnknownWord,
};
use calseta_store::tables::alert::AlertRow;
use serde_json::{Map, Value, json};

use crate::Problem;

/// The most tags an alert has.
pub(crate) const MAX_TAGS: usize = 50;
/// The longest tag.
const MAX_TAG_CHARS: usize = 100;

/// What is wanted of an alert. Everything that is not named stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edit {
    pub(crate) status: Option<AlertStatus>,
    /// Closed → Open, which no status change does.
    pub(crate) reopen: bool,
    pub(crate) severity: Option<Severity>,
    pub(crate) classification: Patch<CloseClassification>,
    pub(crate) tags: Option<TagEdit>,
    pub(crate) malice: Patch<Malice>,
    pub(crate) snoozed_until: Patch<Timestamp>,
    pub(crate) unread: Option<bool>,
    pub(crate) flagged: Option<bool>,
}

/// What is wanted of an alert's tags.
#[derive(Debug, Clone)]
pub(crate) enum TagEdit {
    /// Exactly these.
    Replace(Vec<String>),
    /// These too, and not those.
    Change {
        add: Vec<String>,
        remove: Vec<String>,
    },
}

fn required<T: std::str::FromStr<Err = UnknownWord>>(
    errors: &mut Vec<FieldError>,
    path: &str,
    patch: Patch<String>,
) -> Option<T> {
    match patch {
        Patch::Keep => None,
        Patch::Clear => {
            errors.push(FieldError::new(
                path,
                "cannot be null; leave it out to keep it",
            ));
            None
        }
        Patch::Set(text) => word(errors, path, &text),
    }
}

fn optional<T: std::str::FromStr<Err = UnknownWord>>(
    errors: &mut Vec<FieldError>,
    path: &str,
    patch: Patch<String>,
) -> Patch<T> {
    match patch {
        Patch::Keep => Patch::Keep,
        Patch::Clear => Patch::Clear,
        Patch::Set(text) => word(errors, path, &text).map_or(Patch::Keep, Patch::Set),
    }
}

/// A word of a closed set.
pub(crate) fn word<T: std::str::FromStr<Err = UnknownWord>>(
    errors: &mut Vec<FieldError>,
    path: &str,
    text: &str,
) -> Option<T> {
    text.parse()
        .map_err(|error: UnknownWord| {
            errors.push(FieldError::unknown_word(
                path,
                error.what,
                text,
                error.allowed,
            ));
        })
        .ok()
}

/// Tags, trimmed, each once.
pub(crate) fn checked_tags(
    errors: &mut Vec<FieldError>,
    path: &str,
    tags: Vec<String>,
) -> Vec<String> {
    if tags.len() > MAX_TAGS {
        errors.push(FieldError::new(path, format!("at most {MAX_TAGS} tags")));
    }
    let mut kept: Vec<String> = Vec::new();
    for (n, tag) in tags.into_iter().enumerate() {
        let tag = tag.trim();
        if tag.is_empty() || tag.chars().count() > MAX_TAG_CHARS {
            let message = format!("must have 1 to {MAX_TAG_CHARS} characters");
            errors.push(FieldError::new(format!("{path}.{n}"), message));
        } else if !kept.iter().any(|known| known == tag) {
            kept.push(tag.to_owned());
        }
    }
    kept
}

impl Edit {
    /// Reads a PATCH; all that is wrong with it, or what is wanted.
    pub(crate) fn of_patch(patch: AlertPatch) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        let mut malice = optional(&mut errors, "malice_override", patch.malice_override);
        if patch.reset_malice_override {
            malice = Patch::Clear;
        }
        let tags = match patch.tags {
            Patch::Keep => None,
            Patch::Clear => Some(Vec::new()),
            Patch::Set(tags) => Some(checked_tags(&mut errors, "tags", tags)),
        };
        let edit = Self {
            status: required(&mut errors, "status", patch.status),
            severity: required(&mut errors, "severity", patch.severity),
            classification: optional(
                &mut errors,
                "close_classification",
                patch.close_classification,
            ),
            tags: tags.map(TagEdit::Replace),
            malice,
            ..Self::default()
        };
        if errors.is_empty() {
            Ok(edit)
        } else {
            Err(Problem::fields(&errors))
        }
    }

    /// The alert as it is wanted, or why it cannot be so.
    pub(crate) fn apply(
        &self,
        before: &AlertRow,
        by_agent: bool,
        now: Timestamp,
    ) -> Result<AlertRow, Problem> {
        let mut row = before.clone();
        self.apply_status(&mut row, now)?;
        if let Some(severity) = self.severity {
            row.severity = severity;
        }
        if let Some(tags) = &self.tags {
            row.tags = tags.applied(row.tags)?;
        }
        // An agent's verdict never outranks the analyst's.
        let analyst_decided = row.malice_override.is_some() && !row.malice_override_by_agent;
        let outranked = by_agent && analyst_decided;
        if !self.malice.is_keep() && !outranked {
            let before = row.malice_override;
            row.malice_override = self.malice.clone().apply(before);
            row.malice_override_by_agent = row.malice_override.is_some() && by_agent;
            if row.malice_override != before {
                row.malice_override_at = row.malice_override.map(|_| now);
            }
        }
        // Who closes or reopens an alert looks at it now: it is not put off any more.
        let is_closed = |row: &AlertRow| row.status == AlertStatus::Closed;
        if is_closed(before) != is_closed(&row) {
            row.snoozed_until = None;
        }
        row.snoozed_until = self.snoozed_until.clone().apply(row.snoozed_until);
        row.is_unread = self.unread.unwrap_or(row.is_unread);
        row.is_flagged = self.flagged.unwrap_or(row.is_flagged);
        Ok(row)
    }

    fn apply_status(&self, row: &mut AlertRow, now: Timestamp) -> Result<(), Problem> {
        if self.reopen {
            return reopen(row);
        }
        row.close_classification = self.classification.clone().apply(row.close_classification);
        if let Some(status) = self.status {
            row.status = row.status.change(status)?;
        }
        if row.status == AlertStatus::Closed && row.close_classification.is_none() {
            let words = CloseClassification::WORDS.iter().map(|w| (*w).to_owned());
            return Err(Problem::fields(&[FieldError {
                allowed: Some(words.collect()),
                ..FieldError::new(
                    "close_classification",
                    "a closed alert needs one; send it with the status",
                )
            }]));
        }
        if row.status != AlertStatus::Open {
            row.acknowledged_at = row.acknowledged_at.or(Some(now));
        }
        match row.status {
            AlertStatus::Triaging => row.triaged_at = row.triaged_at.or(Some(now)),
            AlertStatus::Closed => row.closed_at = row.closed_at.or(Some(now)),
            AlertStatus::Open | AlertStatus::Escalated => {}
        }
        Ok(())
    }
}

fn reopen(row: &mut AlertRow) -> Result<(), Problem> {
    if row.status != AlertStatus::Closed {
        return Err(Problem::new(
            ErrorCode::InvalidTransition,
            format!(
                "only a closed alert can be reopened; this one is {}",
                row.status
            ),
        ));
    }
    row.status = AlertStatus::Open;
    row.close_classification = None;
    row.closed_at = None;
    Ok(())
}

impl TagEdit {
    fn applied(&self, tags: Vec<String>) -> Result<Vec<String>, Problem> {
        let (add, remove) = match self {
            Self::Replace(wanted) => return Ok(wanted.clone()),
            Self::Change { add, remove } => (add, remove),
        };
        // As filters compare tags: in any case.
        let has = |list: &[String], tag: &str| {
            let tag = tag.to_lowercase();
            list.iter().any(|one| one.to_lowercase() == tag)
        };
        let mut kept: Vec<String> = tags.into_iter().filter(|tag| !has(remove, tag)).collect();
        for tag in add {
            if !has(&kept, tag) {
                kept.push(tag.clone());
            }
        }
        if kept.len() > MAX_TAGS {
            let message = format!("the alert would have more than {MAX_TAGS} tags");
            return Err(Problem::field("add_tags", message));
        }
        Ok(kept)
    }
}

/// Field to `[old, new]` of what differs. Whether an alert was read is the analyst's own business
/// and in no event.
pub(crate) fn differences(before: &AlertRow, after: &AlertRow) -> Map<String, Value> {
    crate::changes::differences([
        ("status", json!(before.status), json!(after.status)),
        ("severity", json!(before.severity), json!(after.severity)),
        (
            "close_classification",
            json!(before.close_classification),
            json!(after.close_classification),
        ),
        ("tags", json!(before.tags), json!(after.tags)),
        (
            "malice_override",
            json!(before.malice_override),
            json!(after.malice_override),
        ),
        (
            "snoozed_until",
            json!(before.snoozed_until),
            json!(after.snoozed_until),
        ),
        (
            "is_flagged",
            json!(before.is_flagged),
            json!(after.is_flagged),
        ),
        (
            "suppressed_by",
            json!(before.suppressed_by),
            json!(after.suppressed_by),
        ),
    ])
}

/// The type of the event that a change of status makes.
pub(crate) fn event_kind(before: &AlertRow, after: &AlertRow) -> &'static str {
    match (before.status, after.status) {
        (AlertStatus::Closed, to) if to != AlertStatus::Closed => "alert.reopened",
        (from, AlertStatus::Closed) if from != AlertStatus::Closed => "alert.closed",
        _ => "alert.updated",
    }
}
