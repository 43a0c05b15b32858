//! Values of a field in and out of a query, as a click on a facet means it.
//!
//! The term that holds the value is read, changed and printed again; every other term stays as it
//! was written.

use super::chips::{Chip, chips, replaced, with_term, without};
use super::print::quoted;
use super::{Comparison, Expr, Field, Query, Test, TextMatch};
use crate::Timestamp;

/// The query with a value of a field in it, or out of it when it was in.
///
/// A value goes into the field's list (`status:open` and `closed` give `status:open,closed`),
/// comparisons of closed words are taken apart (`sev:>=high` without `critical` is `sev:high`), and
/// fields that take one value (`finding`, `disagree`, times) change it. A value that was excluded
/// (`-status:closed`) no longer is. Fields whose values cannot be listed (`raw`, `sort`, `group`)
/// and values that the field does not know change nothing.
pub fn toggled(text: &str, field: Field, value: &str, now: Timestamp) -> String {
    let Some(wanted) = wanted(field, value, now) else {
        return text.to_owned();
    };
    let holder = tests(text, field, false, now)
        .into_iter()
        .find(|(_, test)| holds(test, &wanted));
    if let Some((chip, test)) = holder {
        return put(text, &chip, removed(&test, &wanted));
    }
    let mut text = text.to_owned();
    while let Some((chip, test)) = tests(&text, field, true, now)
        .into_iter()
        .find(|(_, test)| holds(test, &wanted))
    {
        text = match removed(&test, &wanted) {
            Some(rest) => replaced(&text, chip.span, &format!("-{rest}")),
            None => without(&text, chip.span),
        };
    }
    let room = tests(&text, field, false, now)
        .into_iter()
        .find_map(|(chip, test)| Some((chip, added(&test, &wanted)?)));
    match room {
        Some((chip, test)) => put(&text, &chip, Some(test)),
        None => with_term(&text, &wanted.to_string()),
    }
}

/// Whether a query names a value of a field at its top, not negated: the facet is ticked.
pub fn has_value(text: &str, field: Field, value: &str, now: Timestamp) -> bool {
    wanted(field, value, now).is_some_and(|wanted| {
        tests(text, field, false, now)
            .iter()
            .any(|(_, test)| holds(test, &wanted))
    })
}

/// The test of a field for exactly this value.
fn wanted(field: Field, value: &str, now: Timestamp) -> Option<Test> {
    let sign = match field {
        Field::Raw | Field::Sort | Field::Group => return None,
        Field::Rule | Field::Title | Field::Agent | Field::Document => "=",
        _ => "",
    };
    // Networks and comparisons mean nothing inside quotes.
    let terms = [
        format!("{field}:{sign}{}", quoted(value)),
        format!("{field}:{value}"),
    ];
    terms.iter().find_map(|term| one_test(term, now))
}

fn one_test(term: &str, now: Timestamp) -> Option<Test> {
    match Query::parse(term, now).ok()?.expr {
        Expr::Test(Test::Text(_)) | Expr::All(_) | Expr::Any(_) | Expr::Not(_) => None,
        Expr::Test(test) => Some(test),
    }
}

/// The terms of a field that are understood, negated ones without their sign.
fn tests(text: &str, field: Field, is_negated: bool, now: Timestamp) -> Vec<(Chip, Test)> {
    let of_field = |chip: &Chip| chip.field == Some(field) && chip.is_negated == is_negated;
    chips(text)
        .into_iter()
        .filter(of_field)
        .filter_map(|chip| {
            let test = one_test(chip.text.trim_start_matches('-'), now)?;
            Some((chip, test))
        })
        .collect()
}

fn put(text: &str, chip: &Chip, test: Option<Test>) -> String {
    match test {
        Some(test) => replaced(text, chip.span, &test.to_string()),
        None => without(text, chip.span),
    }
}

fn holds(test: &Test, wanted: &Test) -> bool {
    let members = split(test);
    split(wanted)
        .iter()
        .all(|one| members.iter().any(|member| is_same(member, one)))
}

/// What is left of a test; `None` when nothing is.
fn removed(test: &Test, wanted: &Test) -> Option<Test> {
    let gone = split(wanted);
    let left = split(test)
        .into_iter()
        .filter(|member| !gone.iter().any(|one| is_same(member, one)));
    joined(left)
}

/// Both in one test; `None` when one term cannot say it.
fn added(test: &Test, wanted: &Test) -> Option<Test> {
    if is_single(test) {
        return Some(wanted.clone());
    }
    let members = split(test);
    let new = split(wanted)
        .into_iter()
        .filter(|one| !members.iter().any(|member| is_same(member, one)));
    let all: Vec<Test> = members.iter().cloned().chain(new).collect();
    joined(all.into_iter())
}

/// Texts are compared as searches compare them: in any case.
fn is_same(one: &Test, other: &Test) -> bool {
    one == other || one.to_string().to_lowercase() == other.to_string().to_lowercase()
}

/// Whether the field takes one value, so that another one replaces it.
const fn is_single(test: &Test) -> bool {
    matches!(
        test,
        Test::Findings(_)
            | Test::Disagree(_)
            | Test::Confidence(_)
            | Test::Duplicates(_)
            | Test::Time(_)
    )
}

/// The members of a test's list, each as a test.
fn split(test: &Test) -> Vec<Test> {
    fn each<T: Clone>(list: &[T], wrap: impl Fn(Vec<T>) -> Test) -> Vec<Test> {
        list.iter().map(|one| wrap(vec![one.clone()])).collect()
    }
    match test {
        Test::Status(list) => each(list, Test::Status),
        Test::Severity(order) => each(&order.severities(), |one| {
            Test::Severity(Comparison::OneOf(one))
        }),
        Test::Malice(order) => each(&order.verdicts(), |one| {
            Test::Malice(Comparison::OneOf(one))
        }),
        Test::ConfidenceLevel(order) => each(&order.levels(), |one| {
            Test::ConfidenceLevel(Comparison::OneOf(one))
        }),
        Test::Source(list) => each(list, Test::Source),
        Test::Rule(list) => each(list, Test::Rule),
        Test::Tag(list) => each(list, Test::Tag),
        Test::Title(list) => each(list, Test::Title),
        Test::Agent(list) => each(list, Test::Agent),
        Test::Document(list) => each(list, Test::Document),
        Test::Mitre(list) => each(list, Test::Mitre),
        Test::Says(list) => each(list, Test::Says),
        Test::Classification(list) => each(list, Test::Classification),
        Test::Enrichment(list) => each(list, Test::Enrichment),
        Test::Delivery(list) => each(list, Test::Delivery),
        Test::Approval(list) => each(list, Test::Approval),
        Test::Is(list) => each(list, Test::Is),
        Test::Has(list) => each(list, Test::Has),
        Test::Id(list) => each(list, Test::Id),
        Test::Indicator { field, any } => each(any, |any| Test::Indicator { field: *field, any }),
        Test::Findings(_)
        | Test::Disagree(_)
        | Test::Confidence(_)
        | Test::Duplicates(_)
        | Test::Time(_)
        | Test::Raw { .. }
        | Test::Text(_) => vec![test.clone()],
    }
}

/// The way back from [`split`]; `None` of nothing, and of members that one term cannot hold.
fn joined(mut members: impl Iterator<Item = Test>) -> Option<Test> {
    let first = members.next()?;
    members.try_fold(first, join)
}

fn join(all: Test, one: Test) -> Option<Test> {
    fn both<T>(mut list: Vec<T>, more: Vec<T>) -> Vec<T> {
        list.extend(more);
        list
    }
    use Comparison::OneOf;
    Some(match (all, one) {
        (Test::Status(a), Test::Status(b)) => Test::Status(both(a, b)),
        (Test::Severity(OneOf(a)), Test::Severity(OneOf(b))) => Test::Severity(OneOf(both(a, b))),
        (Test::Malice(OneOf(a)), Test::Malice(OneOf(b))) => Test::Malice(OneOf(both(a, b))),
        (Test::ConfidenceLevel(OneOf(a)), Test::ConfidenceLevel(OneOf(b))) => {
            Test::ConfidenceLevel(OneOf(both(a, b)))
        }
        (Test::Source(a), Test::Source(b)) => Test::Source(both(a, b)),
        (Test::Tag(a), Test::Tag(b)) => Test::Tag(both(a, b)),
        (Test::Mitre(a), Test::Mitre(b)) => Test::Mitre(both(a, b)),
        (Test::Rule(a), Test::Rule(b)) => Test::Rule(alike(a, b)?),
        (Test::Title(a), Test::Title(b)) => Test::Title(alike(a, b)?),
        (Test::Agent(a), Test::Agent(b)) => Test::Agent(alike(a, b)?),
        (Test::Document(a), Test::Document(b)) => Test::Document(alike(a, b)?),
        (Test::Says(a), Test::Says(b)) => Test::Says(both(a, b)),
        (Test::Classification(a), Test::Classification(b)) => Test::Classification(both(a, b)),
        (Test::Enrichment(a), Test::Enrichment(b)) => Test::Enrichment(both(a, b)),
        (Test::Delivery(a), Test::Delivery(b)) => Test::Delivery(both(a, b)),
        (Test::Approval(a), Test::Approval(b)) => Test::Approval(both(a, b)),
        (Test::Is(a), Test::Is(b)) => Test::Is(both(a, b)),
        (Test::Has(a), Test::Has(b)) => Test::Has(both(a, b)),
        (Test::Id(a), Test::Id(b)) => Test::Id(both(a, b)),
        (Test::Indicator { field, any: a }, Test::Indicator { any: b, .. }) => Test::Indicator {
            field,
            any: both(a, b),
        },
        _ => return None,
    })
}

/// The operator of these fields stands before the whole list: exact and partial texts do not mix.
fn alike(mut list: Vec<TextMatch>, more: Vec<TextMatch>) -> Option<Vec<TextMatch>> {
    let is_exact = |one: &TextMatch| matches!(one, TextMatch::Equal(_));
    let exact = list.iter().chain(&more).filter(|one| is_exact(one)).count();
    if exact != 0 && exact != list.len() + more.len() {
        return None;
    }
    list.extend(more);
    Some(list)
}
