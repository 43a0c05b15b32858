//! The words of the closed sets, as the grammar spells them: in lower case and short.

use super::{
    ApprovalWord, ConfidenceLevel, DeliveryWord, Field, FindingVerdict, FlagWord, Group, HasWord,
    SortField,
};
use crate::{AlertStatus, CloseClassification, EnrichmentStatus, Malice, Severity};

/// A type whose members have words in the grammar. The first word of a member is how it is
/// printed; a word may stand for several members.
pub(super) trait Spelled: Copy + PartialEq + 'static {
    /// What one is called in errors.
    const WHAT: &'static str;
    /// The words and what they stand for.
    const SPELLINGS: &'static [(&'static str, &'static [Self])];

    /// The members that a word in any case stands for.
    fn read(word: &str) -> Option<&'static [Self]> {
        let row = Self::SPELLINGS
            .iter()
            .find(|(spelling, _)| spelling.eq_ignore_ascii_case(word));
        row.map(|(_, members)| *members)
    }

    /// The word of a member.
    fn spell(self) -> &'static str {
        let row = Self::SPELLINGS
            .iter()
            .find(|(_, members)| *members == [self]);
        row.map_or("", |(spelling, _)| *spelling)
    }

    /// Every word, in order.
    fn words() -> Vec<&'static str> {
        Self::SPELLINGS.iter().map(|(word, _)| *word).collect()
    }
}

macro_rules! spelled {
    ($($name:ident, $what:literal { $($word:literal => $($member:ident)|+),+ $(,)? })+) => {$(
        impl Spelled for $name {
            const WHAT: &'static str = $what;
            const SPELLINGS: &'static [(&'static str, &'static [Self])] =
                &[$(($word, &[$(Self::$member),+])),+];
        }
    )+};
}

spelled! {
    AlertStatus, "status" {
        "open" => Open, "triaging" => Triaging, "escalated" => Escalated, "closed" => Closed,
    }
    Severity, "severity" {
        "pending" => Pending, "informational" => Informational, "low" => Low, "medium" => Medium,
        "high" => High, "critical" => Critical, "info" => Informational,
    }
    Malice, "verdict" {
        "pending" => Pending, "benign" => Benign, "suspicious" => Suspicious,
        "malicious" => Malicious,
    }
    FindingVerdict, "finding's verdict" {
        "malicious" => Malicious, "suspicious" => Suspicious, "benign" => Benign,
        "inconclusive" => Inconclusive,
    }
    ConfidenceLevel, "confidence" { "low" => Low, "medium" => Medium, "high" => High }
    CloseClassification, "classification" {
        "tp" => TruePositive, "bp" => BenignPositive,
        "fp" => FalsePositiveLogic | FalsePositiveInaccurate,
        "fp-logic" => FalsePositiveLogic, "fp-data" => FalsePositiveInaccurate,
        "undetermined" => Undetermined, "duplicate" => Duplicate, "na" => NotApplicable,
        "True Positive - Suspicious Activity" => TruePositive,
        "Benign Positive - Suspicious but Expected" => BenignPositive,
        "False Positive - Incorrect Detection Logic" => FalsePositiveLogic,
        "False Positive - Inaccurate Data" => FalsePositiveInaccurate,
        "Not Applicable" => NotApplicable,
    }
    EnrichmentStatus, "enrichment status" {
        "pending" => Pending, "ok" => Enriched, "partial" => Partial, "failed" => Failed,
        "enriched" => Enriched,
    }
    DeliveryWord, "delivery state" {
        "failed" => Failed, "running" => Running, "delivered" => Delivered, "none" => None,
    }
    ApprovalWord, "approval state" {
        "pending" => Pending, "approved" => Approved, "rejected" => Rejected,
        "expired" => Expired,
    }
    FlagWord, "mark" {
        "unread" => Unread, "snoozed" => Snoozed, "flagged" => Flagged, "demo" => Demo,
        "suppressed" => Suppressed, "replay" => Replay,
    }
    HasWord, "thing" { "note" => Note, "notes" => Note }
    SortField, "sort key" {
        "ingested" => Ingested, "occurred" => Occurred, "updated" => Updated, "sev" => Severity,
        "status" => Status, "source" => Source, "title" => Title, "verdict" => Malice,
        "dup" => Duplicates, "severity" => Severity, "malice" => Malice,
    }
    Group, "group" {
        "none" => None, "rule" => Rule, "entity" => Entity, "source" => Source,
        "duplicate" => Duplicate,
    }
}

/// The closed words that a field takes, for completion; empty when its values are open.
pub(super) fn closed_words(field: Field) -> Vec<&'static str> {
    match field {
        Field::Status => AlertStatus::words(),
        Field::Severity => short(Severity::words(), Severity::ALL.len()),
        Field::Verdict => Malice::words(),
        Field::Says => FindingVerdict::words(),
        Field::Confidence => ConfidenceLevel::words(),
        Field::Classification => short(CloseClassification::words(), SHORT_CLASSIFICATIONS),
        Field::Enrichment => short(EnrichmentStatus::words(), EnrichmentStatus::ALL.len()),
        Field::Delivery => DeliveryWord::words(),
        Field::Approval => ApprovalWord::words(),
        Field::Is => FlagWord::words(),
        Field::Has => short(HasWord::words(), HasWord::ALL.len()),
        Field::Sort => short(SortField::words(), SortField::ALL.len()),
        Field::Group => Group::words(),
        Field::Finding | Field::Disagree => vec!["yes", "no"],
        Field::Occurred | Field::Ingested | Field::Updated | Field::Closed => {
            vec!["today", "yesterday"]
        }
        Field::Age => vec!["<1h", "<4h", "<24h", "<7d"],
        Field::Source
        | Field::Rule
        | Field::Tag
        | Field::Title
        | Field::Ip
        | Field::Domain
        | Field::Hash
        | Field::Url
        | Field::Email
        | Field::Account
        | Field::Indicator
        | Field::Agent
        | Field::Mitre
        | Field::Duplicates
        | Field::Raw
        | Field::Document
        | Field::Id => Vec::new(),
    }
}

/// How many of the classifications' words are short ones; the API's long ones follow.
const SHORT_CLASSIFICATIONS: usize = 8;

fn short(mut words: Vec<&'static str>, count: usize) -> Vec<&'static str> {
    words.truncate(count);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_member_has_a_word<T: Spelled + std::fmt::Debug>(all: &[T]) {
        for member in all {
            let word = member.spell();
            assert_eq!(T::read(word), Some(&[*member][..]), "{member:?} {word:?}");
            assert_eq!(T::read(&word.to_uppercase()), Some(&[*member][..]));
        }
    }

    #[test]
    fn what_is_printed_is_read_again() {
        every_member_has_a_word(AlertStatus::ALL);
        every_member_has_a_word(Severity::ALL);
        every_member_has_a_word(Malice::ALL);
        every_member_has_a_word(FindingVerdict::ALL);
        every_member_has_a_word(ConfidenceLevel::ALL);
        every_member_has_a_word(CloseClassification::ALL);
        every_member_has_a_word(EnrichmentStatus::ALL);
        every_member_has_a_word(DeliveryWord::ALL);
        every_member_has_a_word(ApprovalWord::ALL);
        every_member_has_a_word(FlagWord::ALL);
        every_member_has_a_word(HasWord::ALL);
        every_member_has_a_word(SortField::ALL);
        every_member_has_a_word(Group::ALL);
    }

    #[test]
    fn the_api_s_own_words_are_read() {
        for class in CloseClassification::ALL {
            assert_eq!(
                CloseClassification::read(class.as_str()),
                Some(&[*class][..])
            );
        }
        assert_eq!(CloseClassification::read("fp").map(<[_]>::len), Some(2));
        for status in EnrichmentStatus::ALL {
            assert_eq!(
                EnrichmentStatus::read(status.as_str()),
                Some(&[*status][..])
            );
        }
    }

    #[test]
    fn completion_offers_only_what_is_printed() {
        for field in Field::ALL {
            assert!(!closed_words(*field).contains(&"Not Applicable"), "{field}");
        }
        assert_eq!(closed_words(Field::Classification).last(), Some(&"na"));
        assert!(!closed_words(Field::Severity).contains(&"info"));
    }
}
