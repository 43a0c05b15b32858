//! The life of an alert: status transitions, closing, enrichment status.

use crate::words;

words! {
    /// Where the investigation stands: Open → Triaging | Escalated → Closed.
    AlertStatus, "status" {
        Open => "Open",
        Triaging => "Triaging",
        Escalated => "Escalated",
        Closed => "Closed",
    }
}

words! {
    /// Why an alert was closed.
    CloseClassification, "close_classification" {
        TruePositive => "True Positive - Suspicious Activity",
        BenignPositive => "Benign Positive - Suspicious but Expected",
        FalsePositiveLogic => "False Positive - Incorrect Detection Logic",
        FalsePositiveInaccurate => "False Positive - Inaccurate Data",
        Undetermined => "Undetermined",
        Duplicate => "Duplicate",
        NotApplicable => "Not Applicable",
    }
}

words! {
    /// What became of the enrichment. `Enriched` means that every applicable configured provider
    /// succeeded, or that there was nothing to enrich.
    EnrichmentStatus, "enrichment_status" {
        Pending => "Pending",
        Enriched => "Enriched",
        Partial => "Partial",
        Failed => "Failed",
    }
}

/// A status change that the contract does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an alert cannot go from {from} to {to}; allowed: {}", allowed_words(*.from))]
pub struct InvalidTransition {
    /// The status it has.
    pub from: AlertStatus,
    /// The status that was asked for.
    pub to: AlertStatus,
}

fn allowed_words(from: AlertStatus) -> String {
    let words: Vec<_> = from.allowed_next().iter().map(|s| s.as_str()).collect();
    if words.is_empty() {
        "none (reopen it first)".to_owned()
    } else {
        words.join(", ")
    }
}

impl AlertStatus {
    /// The statuses that may follow this one. Staying is always allowed and changes nothing.
    pub const fn allowed_next(self) -> &'static [Self] {
        match self {
            Self::Open => &[Self::Triaging, Self::Escalated, Self::Closed],
            Self::Triaging => &[Self::Escalated, Self::Closed],
            Self::Escalated => &[Self::Triaging, Self::Closed],
            Self::Closed => &[],
        }
    }

    /// The status after asking for `to`; an error when the contract forbids it.
    pub fn change(self, to: Self) -> Result<Self, InvalidTransition> {
        if self == to || self.allowed_next().contains(&to) {
            Ok(to)
        } else {
            Err(InvalidTransition { from: self, to })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_s_transitions_hold_and_nothing_else() {
        use AlertStatus::{Closed, Escalated, Open, Triaging};
        let allowed = [
            (Open, Triaging),
            (Open, Escalated),
            (Open, Closed),
            (Triaging, Escalated),
            (Triaging, Closed),
            (Escalated, Triaging),
            (Escalated, Closed),
        ];
        for from in AlertStatus::ALL {
            for to in AlertStatus::ALL {
                let expected = from == to || allowed.contains(&(*from, *to));
                assert_eq!(from.change(*to).is_ok(), expected, "{from} -> {to}");
            }
        }
    }
}
