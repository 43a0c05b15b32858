//! What a person can do to alerts, to one or to many: one list, whichever way it is asked for.
//!
//! An action knows how the wire names it, what a row looks like once it is done, and how to say
//! that it was. Who runs it is [`crate::state::alert_actions`].

use calseta_contract::alert::AlertSummary;
use calseta_contract::change::BulkAction;
use calseta_domain::{AgentId, AlertStatus, CloseClassification, Malice, Severity, Timestamp};

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AlertAction {
    /// Moves it to a status that is not Closed.
    Status(AlertStatus),
    /// Closes it.
    Close {
        /// As what.
        class: CloseClassification,
        /// Why; kept as a note.
        comment: Option<String>,
    },
    /// Opens it again.
    Reopen,
    /// Sets its severity.
    Severity(Severity),
    /// Puts tags on and takes others off.
    Tags {
        /// On.
        add: Vec<String>,
        /// Off.
        remove: Vec<String>,
    },
    /// Adds a note.
    Note(String),
    /// Keeps it out of what waits until then; `None` wakes it.
    Snooze(Option<Timestamp>),
    /// Marks it as not read.
    Unread,
    /// Flags it, or takes the flag away.
    Flag(bool),
    /// Tells an agent; `None` tells every one that matches.
    Dispatch(Option<AgentId>),
    /// Looks its indicators up again.
    Enrich,
    /// Keeps alerts like it out of the queue until then.
    Suppress(Timestamp),
    /// Overrides its verdict; `None` goes back to its indicators'.
    Verdict(Option<Malice>),
}

impl AlertAction {
    /// As a bulk change says it; `None` when there is no bulk change of the kind.
    pub(crate) fn bulk(&self) -> Option<BulkAction> {
        let kind = |kind: &str| BulkAction {
            kind: kind.to_owned(),
            ..BulkAction::default()
        };
        let action = match self {
            Self::Status(status) => BulkAction {
                status: Some(status.as_str().to_owned()),
                ..kind("status")
            },
            Self::Close { class, comment } => BulkAction {
                close_classification: Some(class.as_str().to_owned()),
                text: comment.clone(),
                ..kind("close")
            },
            Self::Severity(severity) => BulkAction {
                severity: Some(severity.as_str().to_owned()),
                ..kind("severity")
            },
            Self::Tags { add, remove } => BulkAction {
                add_tags: add.clone(),
                remove_tags: remove.clone(),
                ..kind("tags")
            },
            Self::Note(text) => BulkAction {
                text: Some(text.clone()),
                ..kind("note")
            },
            Self::Snooze(until) => BulkAction {
                until: *until,
                ..kind("snooze")
            },
            Self::Unread => BulkAction {
                unread: Some(true),
                ..kind("flags")
            },
            Self::Flag(on) => BulkAction {
                flagged: Some(*on),
                ..kind("flags")
            },
            Self::Dispatch(agent) => BulkAction {
                agent_uuid: *agent,
                ..kind("dispatch")
            },
            Self::Enrich => kind("enrich"),
            Self::Suppress(until) => BulkAction {
                expires_at: Some(*until),
                ..kind("suppress")
            },
            Self::Reopen | Self::Verdict(_) => return None,
        };
        Some(action)
    }

    /// What a row looks like once it is done.
    pub(crate) fn apply(&self, alert: &mut AlertSummary) {
        match self {
            Self::Status(status) => alert.status = *status,
            Self::Close { class, comment } => {
                alert.status = AlertStatus::Closed;
                alert.close_classification = Some(*class);
                alert.note_count += u64::from(comment.is_some());
            }
            Self::Reopen => {
                alert.status = AlertStatus::Open;
                alert.closed_at = None;
            }
            Self::Severity(severity) => alert.severity = *severity,
            Self::Tags { add, remove } => {
                alert.tags.retain(|tag| !remove.contains(tag));
                for tag in add {
                    if !alert.tags.contains(tag) {
                        alert.tags.push(tag.clone());
                    }
                }
            }
            Self::Note(_) => alert.note_count += 1,
            Self::Snooze(until) => alert.snoozed_until = *until,
            Self::Unread => alert.is_unread = true,
            Self::Flag(on) => alert.is_flagged = *on,
            Self::Dispatch(_) => alert.delivery_state = Some("running".to_owned()),
            Self::Verdict(Some(malice)) => alert.malice = *malice,
            Self::Enrich | Self::Suppress(_) | Self::Verdict(None) => {}
        }
    }

    /// Whether an alert that this was done to has been dealt with: the focus may go on.
    pub(crate) const fn is_handling(&self) -> bool {
        matches!(
            self,
            Self::Close { .. } | Self::Snooze(Some(_)) | Self::Suppress(_)
        )
    }

    /// That it was done, as a sentence: `Closed 37 alerts as Duplicate`.
    pub(crate) fn done(&self, count: u64) -> String {
        let many = |verb: &str, rest: &str| {
            if count == 1 {
                format!("{verb}{rest}")
            } else {
                format!("{verb} {count} alerts{rest}")
            }
        };
        match self {
            Self::Status(AlertStatus::Triaging) => many("Acknowledged", ""),
            Self::Status(AlertStatus::Escalated) => many("Escalated", ""),
            Self::Status(status) => many("Moved", &format!(" to {status}")),
            Self::Close { class, .. } => many("Closed", &format!(" as {class}")),
            Self::Reopen => many("Reopened", ""),
            Self::Severity(severity) => many("Rated", &format!(" {severity}")),
            Self::Tags { .. } => many("Tagged", ""),
            Self::Note(_) => many("Noted", ""),
            Self::Snooze(Some(_)) => many("Snoozed", ""),
            Self::Snooze(None) => many("Woken", ""),
            Self::Unread => many("Marked as unread", ""),
            Self::Flag(true) => many("Flagged", ""),
            Self::Flag(false) => many("Unflagged", ""),
            Self::Dispatch(_) => many("Sent to agents", ""),
            Self::Enrich => many("Looking up again", ""),
            Self::Suppress(_) => many("Suppressed alerts like these", ""),
            Self::Verdict(Some(malice)) => many("Verdict is", &format!(" {malice}")),
            Self::Verdict(None) => many("Verdict is the indicators’ again", ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::alert_list::tests::alert;

    #[test]
    fn a_closed_row_is_closed_at_once_and_says_so_on_the_wire() {
        let action = AlertAction::Close {
            class: CloseClassification::FalsePositiveLogic,
            comment: Some("known scanner".to_owned()),
        };
        let mut row = alert(1);
        action.apply(&mut row);
        assert_eq!((row.status, row.note_count), (AlertStatus::Closed, 1));
        let wire = action.bulk().expect("a bulk kind");
        assert_eq!(wire.kind, "close");
        assert_eq!(wire.text.as_deref(), Some("known scanner"));
        assert_eq!(
            action.done(37),
            "Closed 37 alerts as False Positive - Incorrect Detection Logic"
        );
        assert!(action.is_handling());
    }

    #[test]
    fn tags_come_on_once_and_go_off() {
        let mut row = alert(1);
        row.tags = vec!["vip".to_owned(), "old".to_owned()];
        let action = AlertAction::Tags {
            add: vec!["vip".to_owned(), "vpn".to_owned()],
            remove: vec!["old".to_owned()],
        };
        action.apply(&mut row);
        assert_eq!(row.tags, ["vip", "vpn"]);
        assert!(!action.is_handling());
    }
}
