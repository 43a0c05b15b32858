//! Whether a row of the list still belongs into it, as far as the row itself tells.
//!
//! The store finds alerts, in SQL; this is no second evaluator of it. It answers the window's one
//! question, asked when an event has changed a row that is on the screen: does the row no longer
//! match? What the row does not show (raw payload, all its indicators, documents, the words of its
//! findings) is unknown, and unknown is an answer.

use super::{
    DeliveryWord, Expr, FindingVerdict, FlagWord, HasWord, IndicatorField, IndicatorMatch, Query,
    Test, TextMatch, TimeField,
};
use crate::{
    AlertId, AlertStatus, CloseClassification, EnrichmentStatus, IndicatorType, Malice, Severity,
    Timestamp,
};

/// What a row shows of an alert.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the row's marks, each of them independent of the others"
)]
pub struct Facts<'a> {
    /// The alert.
    pub id: AlertId,
    /// Its title.
    pub title: &'a str,
    /// Its severity.
    pub severity: Severity,
    /// Its status.
    pub status: AlertStatus,
    /// What became of its enrichment.
    pub enrichment: EnrichmentStatus,
    /// The source's name.
    pub source: &'a str,
    /// The name of its rule; the id of the rule at its source is not shown.
    pub rule: Option<&'a str>,
    /// Its tags.
    pub tags: &'a [String],
    /// Its effective verdict.
    pub malice: Malice,
    /// Why it was closed.
    pub classification: Option<CloseClassification>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it came in.
    pub ingested_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was closed last.
    pub closed_at: Option<Timestamp>,
    /// How often it was repeated.
    pub duplicates: u64,
    /// Who posted findings and what they say, one a finding.
    pub findings: Vec<(&'a str, Option<FindingVerdict>)>,
    /// Whether its findings name more than one verdict.
    pub disagree: bool,
    /// `Failed` or `Running` as the row shows it.
    pub delivery: Option<DeliveryWord>,
    /// Some of its indicators, by type and canonical value.
    pub indicators: Vec<(IndicatorType, &'a str)>,
    /// Until when it is snoozed.
    pub snoozed_until: Option<Timestamp>,
    /// Whether nobody has opened it.
    pub is_unread: bool,
    /// Whether the analyst flagged it.
    pub is_flagged: bool,
    /// Whether a suppression hides it.
    pub is_suppressed: bool,
    /// How many notes it has.
    pub notes: u64,
}

impl Query {
    /// Whether `is:suppressed` stands anywhere in it. Suppressed alerts are in no list whose query
    /// does not name them.
    pub fn names_suppressed(&self) -> bool {
        fn named(expr: &Expr) -> bool {
            match expr {
                Expr::All(members) | Expr::Any(members) => members.iter().any(named),
                Expr::Not(inner) => named(inner),
                Expr::Test(Test::Is(flags)) => flags.contains(&FlagWord::Suppressed),
                Expr::Test(_) => false,
            }
        }
        named(&self.expr)
    }

    /// Whether an alert with these facts is in the query's list; `None` when they do not tell.
    /// Times are judged at `now`, not at the time the query was read.
    pub fn judge(&self, facts: &Facts<'_>, now: Timestamp) -> Option<bool> {
        if facts.is_suppressed && !self.names_suppressed() {
            return Some(false);
        }
        expr(&self.expr, facts, now)
    }
}

impl TextMatch {
    /// Whether a text is matched; both are compared in lower case.
    pub fn holds(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        match self {
            Self::Equal(whole) => text == whole.to_lowercase(),
            Self::Contains(part) => text.contains(&part.to_lowercase()),
            Self::Like(pattern) => pattern.holds_lower(&text),
        }
    }
}

fn expr(expr_: &Expr, facts: &Facts<'_>, now: Timestamp) -> Option<bool> {
    match expr_ {
        Expr::All(members) => all(members.iter().map(|one| expr(one, facts, now))),
        Expr::Any(members) => any(members.iter().map(|one| expr(one, facts, now))),
        Expr::Not(inner) => expr(inner, facts, now).map(|holds| !holds),
        Expr::Test(one) => test(one, facts, now),
    }
}

/// False when one is false, unknown when one is unknown, else true.
fn all(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    any(answers.map(|answer| answer.map(|holds| !holds))).map(|holds| !holds)
}

/// True when one is true, unknown when one is unknown, else false.
fn any(mut answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut sum = Some(false);
    answers
        .find_map(|answer| {
            match answer {
                Some(true) => return Some(true),
                Some(false) => {}
                None => sum = None,
            }
            None
        })
        .or(sum)
}

/// True, or unknown because the row shows only a part.
const fn seen(holds: bool) -> Option<bool> {
    if holds { Some(true) } else { None }
}

fn test(test: &Test, facts: &Facts<'_>, now: Timestamp) -> Option<bool> {
    match test {
        Test::Status(list) => Some(list.contains(&facts.status)),
        Test::Severity(order) => Some(order.severities().contains(&facts.severity)),
        Test::Malice(order) => Some(order.verdicts().contains(&facts.malice)),
        Test::Source(list) => Some(holds(list, facts.source)),
        Test::Tag(list) => Some(facts.tags.iter().any(|tag| holds(list, tag))),
        Test::Title(list) => Some(holds(list, facts.title)),
        Test::Rule(list) => match facts.rule {
            None => Some(false),
            Some(name) => seen(holds(list, name)),
        },
        Test::Indicator { field, any } => seen(
            facts
                .indicators
                .iter()
                .any(|(kind, value)| indicator(*field, any, *kind, value)),
        ),
        Test::Findings(_)
        | Test::Agent(_)
        | Test::Says(_)
        | Test::Confidence(_)
        | Test::ConfidenceLevel(_) => finding(test, &facts.findings),
        Test::Disagree(wanted) => Some(facts.disagree == *wanted),
        Test::Classification(list) => {
            Some(facts.classification.is_some_and(|one| list.contains(&one)))
        }
        Test::Enrichment(list) => Some(list.contains(&facts.enrichment)),
        Test::Delivery(list) => any_of(list, |word| delivery(word, facts.delivery)),
        Test::Duplicates(order) => Some(order.holds(&facts.duplicates)),
        Test::Time(time) => {
            let range = time.range(now);
            let at = match time.field() {
                TimeField::Occurred => Some(facts.occurred_at),
                TimeField::Ingested => Some(facts.ingested_at),
                TimeField::Updated => Some(facts.updated_at),
                TimeField::Closed => facts.closed_at,
            };
            Some(at.is_some_and(|at| {
                range.from.is_none_or(|from| at >= from)
                    && range.until.is_none_or(|until| at < until)
            }))
        }
        Test::Is(list) => any_of(list, |flag| match flag {
            FlagWord::Unread => Some(facts.is_unread),
            FlagWord::Snoozed => Some(facts.snoozed_until.is_some_and(|until| until > now)),
            FlagWord::Flagged => Some(facts.is_flagged),
            FlagWord::Suppressed => Some(facts.is_suppressed),
            FlagWord::Demo | FlagWord::Replay => None,
        }),
        Test::Has(list) => any_of(list, |thing| match thing {
            HasWord::Note => Some(facts.notes > 0),
        }),
        Test::Id(list) => Some(list.contains(&facts.id)),
        Test::Approval(_)
        | Test::Mitre(_)
        | Test::Raw { .. }
        | Test::Document(_)
        | Test::Text(_) => None,
    }
}

fn any_of<T: Copy>(list: &[T], answer: impl Fn(T) -> Option<bool>) -> Option<bool> {
    any(list.iter().map(|one| answer(*one)))
}

fn holds(list: &[TextMatch], text: &str) -> bool {
    list.iter().any(|one| one.holds(text))
}

fn finding(test: &Test, findings: &[(&str, Option<FindingVerdict>)]) -> Option<bool> {
    let count = u64::try_from(findings.len()).unwrap_or(u64::MAX);
    match test {
        Test::Findings(order) => Some(order.holds(&count)),
        // None at all: nobody wrote one, and none says anything.
        _ if findings.is_empty() => Some(false),
        Test::Agent(list) => seen(findings.iter().any(|(agent, _)| holds(list, agent))),
        Test::Says(list) => Some(
            findings
                .iter()
                .any(|(_, verdict)| verdict.is_some_and(|verdict| list.contains(&verdict))),
        ),
        _ => None,
    }
}

/// The row shows one word: that agents are being told comes before that one could not be.
fn delivery(wanted: DeliveryWord, shown: Option<DeliveryWord>) -> Option<bool> {
    match (wanted, shown) {
        (DeliveryWord::Failed, Some(DeliveryWord::Failed))
        | (DeliveryWord::Running, Some(DeliveryWord::Running)) => Some(true),
        (DeliveryWord::Failed, Some(DeliveryWord::Running)) => None,
        (DeliveryWord::Failed | DeliveryWord::Running, _)
        | (DeliveryWord::None, Some(DeliveryWord::Failed | DeliveryWord::Running)) => Some(false),
        (DeliveryWord::Delivered | DeliveryWord::None, _) => None,
    }
}

fn indicator(
    field: IndicatorField,
    any: &[IndicatorMatch],
    kind: IndicatorType,
    value: &str,
) -> bool {
    field.kinds().contains(&kind)
        && any.iter().any(|one| match one {
            IndicatorMatch::Exact(wanted) => wanted == value,
            IndicatorMatch::Wildcard(pattern) => pattern.holds_lower(&value.to_lowercase()),
            IndicatorMatch::Network(network) => {
                kind == IndicatorType::Ip
                    && value.parse().is_ok_and(|address| network.contains(address))
            }
        })
}
