//! What a suppression may ask for, and what "like these" means.
//!
//! A suppression judges an alert when it comes in and has been enriched, and never again. So it may
//! only ask for what an alert has by then and keeps: a test that would hold today and not tomorrow,
//! or that only an analyst or agent makes true, would promise what it cannot keep.

use super::chips::{Chip, chips};
use super::{
    Expr, Field, IndicatorField, IndicatorMatch, MAX_QUERY_BYTES, Pattern, Query, QueryError, Span,
    Test, TextMatch, TimeField, TimeTest, TimeValue,
};
use crate::{IndicatorType, Timestamp};

/// How much of a title that alerts share goes into their suppression, in characters; of a longer
/// one, what begins like it.
const MAX_TITLE_CHARS: usize = 200;
/// Which shared indicator says best who it is about: people before machines before files.
const BY_LIKENESS: &[IndicatorField] = &[
    IndicatorField::Account,
    IndicatorField::Email,
    IndicatorField::Ip,
    IndicatorField::Domain,
    IndicatorField::Url,
    IndicatorField::Hash,
];

/// Understands the query of a suppression, or says which term it may not have.
///
/// It has at least one test, all of fields that an alert has when it comes in.
pub fn suppressible(text: &str, now: Timestamp) -> Result<Query, QueryError> {
    let query = Query::parse_if(text, now, refusal)?;
    let is_view = |chip: &Chip| matches!(chip.field, Some(Field::Sort | Field::Group));
    if let Some(chip) = chips(text).into_iter().find(is_view) {
        return Err(QueryError {
            message: "a suppression has no order and no groups; take this away".to_owned(),
            span: chip.span,
            did_you_mean: None,
        });
    }
    if query.expr.is_everything() {
        return Err(QueryError {
            message: "this would hide every alert; name at least one field, like source:splunk"
                .to_owned(),
            span: Span::of(text, 0, text.len()),
            did_you_mean: None,
        });
    }
    Ok(query)
}

fn refusal(test: &Test) -> Option<&'static str> {
    match test {
        Test::Text(_) => Some(
            "a suppression takes no plain words, which hide more than one expects; name a field, \
             like title:word",
        ),
        Test::Raw { .. } => Some(
            "a suppression does not look into the raw payload; name a field, like title: or rule:",
        ),
        Test::Time(TimeTest::Age { .. }) => {
            Some("an age changes by itself; a suppression ends at its own time instead")
        }
        Test::Time(time) if time.field() == TimeField::Closed => Some(LATER),
        Test::Time(time) if time.field() == TimeField::Updated => Some(LATER),
        Test::Time(
            TimeTest::Within(_, value)
            | TimeTest::AtLeast(_, value)
            | TimeTest::AtMost(_, value)
            | TimeTest::Above(_, value)
            | TimeTest::Below(_, value),
        ) => matches!(value, TimeValue::Today | TimeValue::Yesterday)
            .then_some("today and yesterday change by themselves; write a day like 2025-01-15"),
        Test::Is(_) => Some(
            "marks change while an alert is worked on; a suppression judges it when it comes in",
        ),
        Test::Findings(_)
        | Test::Agent(_)
        | Test::Says(_)
        | Test::Confidence(_)
        | Test::ConfidenceLevel(_)
        | Test::Disagree(_)
        | Test::Classification(_)
        | Test::Delivery(_)
        | Test::Approval(_)
        | Test::Has(_) => Some(LATER),
        Test::Status(_)
        | Test::Severity(_)
        | Test::Source(_)
        | Test::Rule(_)
        | Test::Tag(_)
        | Test::Title(_)
        | Test::Indicator { .. }
        | Test::Malice(_)
        | Test::Enrichment(_)
        | Test::Mitre(_)
        | Test::Duplicates(_)
        | Test::Document(_)
        | Test::Id(_) => None,
    }
}

const LATER: &str = "an alert has this only after it came in, when a suppression has judged it \
                     already; name what it comes with, like rule:, source: or account:";

/// One alert of those that a suppression shall be like.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// The name of its rule.
    pub rule: Option<&'a str>,
    /// Its title.
    pub title: &'a str,
    /// Its indicators by type and canonical value, the most telling first.
    pub indicators: &'a [(IndicatorType, &'a str)],
}

/// What these alerts have in common: their rule (or their title, when not all have one rule) and
/// the indicator that says best who they are about, if all have one. `None` when they share neither
/// rule nor title: one suppression would hide more than was meant.
pub fn like(samples: &[Sample<'_>]) -> Option<Expr> {
    let (first, others) = samples.split_first()?;
    let rule = first.rule.map(str::trim).filter(|rule| {
        !rule.is_empty()
            && others
                .iter()
                .all(|one| one.rule.is_some_and(|r| same(r, rule)))
    });
    let test = match rule {
        Some(rule) => Test::Rule(vec![TextMatch::Equal(rule.to_owned())]),
        None if others.iter().all(|one| same(one.title, first.title)) => {
            Test::Title(vec![title(first.title)?])
        }
        None => return None,
    };
    let mut terms = vec![Expr::Test(test)];
    terms.extend(shared(first, others).map(Expr::Test));
    let expr = Expr::all(terms);
    (expr.to_string().len() <= MAX_QUERY_BYTES).then_some(expr)
}

/// Alerts are the same in the eyes of a search: in any case.
fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

fn title(title: &str) -> Option<TextMatch> {
    let whole = title.trim();
    let head: String = whole.chars().take(MAX_TITLE_CHARS).collect();
    if head.len() == whole.len() {
        return (!head.is_empty()).then_some(TextMatch::Equal(head));
    }
    Pattern::new(vec![head.trim_start().to_owned(), String::new()]).map(TextMatch::Like)
}

fn shared(first: &Sample<'_>, others: &[Sample<'_>]) -> Option<Test> {
    let by_all = |kind: IndicatorType, value: &str| {
        others
            .iter()
            .all(|one| one.indicators.contains(&(kind, value)))
    };
    BY_LIKENESS.iter().find_map(|field| {
        let of_field = |(kind, _): &&(IndicatorType, &str)| field.kinds().contains(kind);
        let (_, value) = first
            .indicators
            .iter()
            .filter(of_field)
            .find(|(kind, value)| by_all(*kind, value))?;
        Some(Test::Indicator {
            field: *field,
            any: vec![IndicatorMatch::Exact((*value).to_owned())],
        })
    })
}
