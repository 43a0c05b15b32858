//! The one filter evaluator: agents' trigger filters and context documents' targeting rules.
//!
//! Both are read into the same normal form: groups that must all hold, each of which holds when
//! any of its tests does. What is not understood is refused when it is saved, never a silent
//! "no match" (design.md §4.4).

mod parse;

use serde::Serialize;
use serde_json::Value;

use crate::{FieldError, Severity};

/// The most rules in one `match_any` or `match_all`.
pub const MAX_RULES: usize = 100;
/// The most values in one list of a filter.
pub const MAX_VALUES: usize = 200;

/// What a filter looks at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The alert's source.
    pub source_name: &'a str,
    /// The alert's severity.
    pub severity: Severity,
    /// The alert's tags, as they are stored.
    pub tags: &'a [String],
}

/// One clause of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clause {
    /// The clause in words, with what the alert has.
    pub text: String,
    /// Whether it holds for this alert.
    pub holds: bool,
}

/// A filter in normal form. The empty filter matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// All of these must hold.
    groups: Vec<Group>,
}

/// Holds when any of its tests holds; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    any: Vec<Test>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    SourceIn(Vec<String>),
    SeverityIn(Vec<Severity>),
    SeverityOrder(Order, Severity),
    /// Trimmed and lower case.
    TagsAny(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    AtLeast,
    AtMost,
    Above,
    Below,
}

impl Filter {
    /// Reads an agent's `trigger_filter`: `min_severity`, `source_names`, `tags`, `match_any`,
    /// `match_all`. Null is the empty filter. Paths in errors begin with `trigger_filter`.
    ///
    /// A source name outside `known_sources` is refused; an empty list of them (there are always
    /// the built-in four) means that they are not known here, and any name is taken. That is how
    /// a stored filter is read, which was checked when it was saved.
    pub fn parse_trigger(value: &Value, known_sources: &[String]) -> Result<Self, Vec<FieldError>> {
        parse::trigger(value, known_sources)
    }

    /// v1.1.0's two lists; join it to the parsed filter with [`Filter::and`].
    pub fn legacy(
        trigger_on_sources: &[String],
        trigger_on_severities: &[String],
        known_sources: &[String],
    ) -> Result<Self, Vec<FieldError>> {
        parse::legacy(trigger_on_sources, trigger_on_severities, known_sources)
    }

    /// Reads a document's `targeting_rules`: `match_any` and `match_all`, at least one of them.
    /// Null is the empty filter. Paths in errors begin with `targeting_rules`; `known_sources` as
    /// in [`Filter::parse_trigger`].
    pub fn parse_targeting(
        value: &Value,
        known_sources: &[String],
    ) -> Result<Self, Vec<FieldError>> {
        parse::targeting(value, known_sources)
    }

    /// Both must hold.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.groups.extend(other.groups);
        self
    }

    /// Whether it restricts nothing.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether an alert passes.
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        self.groups.iter().all(|group| group.holds(subject))
    }

    /// Every clause in words, with whether it holds. The alert passes when all hold.
    pub fn explain(&self, subject: &Subject<'_>) -> Vec<Clause> {
        let explain = |group: &Group| {
            let tests: Vec<_> = group.any.iter().map(|test| test.text(subject)).collect();
            Clause {
                text: tests.join(", or "),
                holds: group.holds(subject),
            }
        };
        self.groups.iter().map(explain).collect()
    }

    fn group(&mut self, any: Vec<Test>) {
        if !any.is_empty() {
            self.groups.push(Group { any });
        }
    }
}

impl Group {
    fn holds(&self, subject: &Subject<'_>) -> bool {
        self.any.iter().any(|test| test.holds(subject))
    }
}

impl Test {
    fn holds(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::SourceIn(names) => names.iter().any(|name| name == subject.source_name),
            Self::SeverityIn(words) => words.contains(&subject.severity),
            Self::SeverityOrder(order, threshold) => order.holds(subject.severity, *threshold),
            Self::TagsAny(tags) => subject
                .tags
                .iter()
                .any(|tag| tags.iter().any(|wanted| same_tag(tag, wanted))),
        }
    }

    fn text(&self, subject: &Subject<'_>) -> String {
        match self {
            Self::SourceIn(names) => {
                format!(
                    "source is {} (the alert's: {})",
                    one_of(names),
                    subject.source_name
                )
            }
            Self::SeverityIn(words) => {
                let words: Vec<_> = words.iter().map(ToString::to_string).collect();
                format!(
                    "severity is {} (the alert's: {})",
                    one_of(&words),
                    subject.severity
                )
            }
            Self::SeverityOrder(order, threshold) => format!(
                "severity is {} {threshold} (the alert's: {})",
                order.words(),
                subject.severity
            ),
            Self::TagsAny(tags) => {
                let has = if subject.tags.is_empty() {
                    "none".to_owned()
                } else {
                    subject.tags.join(", ")
                };
                format!("tags include {} (the alert's: {has})", one_of(tags))
            }
        }
    }
}

impl Order {
    /// `Pending` is no place in the order: it fails every threshold, from above and from below.
    fn holds(self, severity: Severity, threshold: Severity) -> bool {
        severity != Severity::Pending
            && match self {
                Self::AtLeast => severity.at_least(threshold),
                Self::AtMost => severity <= threshold,
                Self::Above => severity > threshold,
                Self::Below => severity < threshold,
            }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::AtLeast => "at least",
            Self::AtMost => "at most",
            Self::Above => "above",
            Self::Below => "below",
        }
    }
}

fn one_of(words: &[String]) -> String {
    match words {
        [one] => one.clone(),
        many => format!("one of {}", many.join(", ")),
    }
}

/// Compares without copying: this runs for every alert and agent. `wanted` is folded already.
fn same_tag(tag: &str, wanted: &str) -> bool {
    tag.trim()
        .chars()
        .flat_map(char::to_lowercase)
        .eq(wanted.chars())
}

/// As [`same_tag`] folds: character by character, not by words.
fn fold_tag(tag: &str) -> String {
    tag.trim().chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn sources() -> Vec<String> {
        ["generic", "sentinel", "elastic", "splunk"]
            .map(str::to_owned)
            .to_vec()
    }

    fn trigger(value: &Value) -> Filter {
        Filter::parse_trigger(value, &sources()).expect("a valid filter")
    }

    fn passes(filter: &Filter, severity: Severity, source_name: &str, tags: &[&str]) -> bool {
        let tags: Vec<_> = tags.iter().map(|t| (*t).to_owned()).collect();
        filter.matches(&Subject {
            source_name,
            severity,
            tags: &tags,
        })
    }

    #[test]
    fn the_pages_fields_are_anded_and_lists_are_any_of() {
        let filter = trigger(&json!({
            "min_severity": "High", "source_names": ["sentinel", "elastic"], "tags": ["Auth "],
        }));
        assert!(passes(&filter, Severity::High, "sentinel", &["x", " aUTH"]));
        assert!(passes(&filter, Severity::Critical, "elastic", &["auth"]));
        assert!(!passes(&filter, Severity::Medium, "sentinel", &["auth"]));
        assert!(!passes(&filter, Severity::Pending, "sentinel", &["auth"]));
        assert!(!passes(&filter, Severity::High, "splunk", &["auth"]));
        assert!(!passes(&filter, Severity::High, "sentinel", &["authn"]));
    }

    #[test]
    fn no_filter_matches_everything() {
        for value in [
            json!(null),
            json!({}),
            json!({"source_names": [], "match_any": []}),
        ] {
            let filter = trigger(&value);
            assert!(filter.is_empty(), "{value}");
            assert!(passes(&filter, Severity::Pending, "generic", &[]));
        }
    }

    #[test]
    fn any_and_all_both_have_to_hold() {
        let rules = json!({
            "match_any": [
                {"field": "tags", "op": "contains", "value": "identity"},
                {"field": "source_name", "op": "eq", "value": "splunk"},
            ],
            "match_all": [{"field": "severity", "op": "lte", "value": "Medium"}],
        });
        let filter = Filter::parse_targeting(&rules, &sources()).expect("valid");
        assert!(passes(&filter, Severity::Low, "generic", &["identity"]));
        assert!(passes(&filter, Severity::Medium, "splunk", &[]));
        assert!(!passes(&filter, Severity::High, "splunk", &[]));
        assert!(!passes(&filter, Severity::Low, "generic", &[]));
        assert!(
            !passes(&filter, Severity::Pending, "splunk", &[]),
            "Pending fails thresholds"
        );
        assert_eq!(
            filter,
            trigger(&rules),
            "agents and documents share the grammar"
        );
    }

    #[test]
    fn severity_is_ordered_in_every_operator() {
        let at = |op: &str, severity| {
            let rule = json!({"match_all": [{"field": "severity", "op": op, "value": "Medium"}]});
            passes(&trigger(&rule), severity, "generic", &[])
        };
        let expected = [
            ("gte", [false, false, false, true, true, true]),
            ("gt", [false, false, false, false, true, true]),
            ("lte", [false, true, true, true, false, false]),
            ("lt", [false, true, true, false, false, false]),
            ("eq", [false, false, false, true, false, false]),
        ];
        for (op, row) in expected {
            let got: Vec<_> = Severity::ALL
                .iter()
                .map(|severity| at(op, *severity))
                .collect();
            assert_eq!(got, row, "{op}");
        }
    }

    #[test]
    fn an_explanation_names_the_clause_that_fails() {
        let filter = trigger(&json!({"min_severity": "High", "source_names": ["sentinel"]}));
        let tags = [];
        let subject = Subject {
            source_name: "sentinel",
            severity: Severity::Low,
            tags: &tags,
        };
        let clauses = filter.explain(&subject);
        let holds: Vec<_> = clauses.iter().map(|c| c.holds).collect();
        assert_eq!(holds, [false, true]);
        assert_eq!(
            clauses[0].text,
            "severity is at least High (the alert's: Low)"
        );
    }

    #[test]
    fn the_old_lists_join_the_filter() {
        let names = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let legacy = Filter::legacy(
            &names(&["splunk"]),
            &names(&["High", "Pending"]),
            &sources(),
        )
        .expect("valid")
        .and(trigger(&json!({"tags": ["a"]})));
        assert!(passes(&legacy, Severity::Pending, "splunk", &["a"]));
        assert!(!passes(&legacy, Severity::Critical, "splunk", &["a"]));
        assert!(!passes(&legacy, Severity::High, "splunk", &["b"]));
        let errors = Filter::legacy(&names(&["splnk"]), &names(&["high"]), &sources());
        let paths: Vec<_> = errors
            .expect_err("two unknown words")
            .into_iter()
            .map(|e| e.path)
            .collect();
        assert_eq!(paths, ["trigger_on_sources.0", "trigger_on_severities.0"]);
    }

    fn any_severity() -> impl Strategy<Value = Severity> {
        proptest::sample::select(Severity::ALL)
    }

    fn any_rule() -> impl Strategy<Value = Value> {
        let severity = (
            proptest::sample::select(vec!["eq", "gte", "lte", "gt", "lt"]),
            1..6_usize,
        )
            .prop_map(|(op, n)| json!({"field": "severity", "op": op, "value": Severity::ALL[n]}));
        let source = proptest::sample::select(vec!["generic", "splunk"])
            .prop_map(|name| json!({"field": "source_name", "op": "eq", "value": name}));
        let tags = "[a-c]".prop_map(|t| json!({"field": "tags", "op": "contains", "value": t}));
        prop_oneof![severity, source, tags]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_is_the_or_and_all_the_and_of_their_rules(
            rules in proptest::collection::vec(any_rule(), 1..5),
            severity in any_severity(),
            tags in proptest::collection::vec("[a-cA-C]", 0..3),
        ) {
            let subject = Subject { source_name: "splunk", severity, tags: &tags };
            let alone: Vec<bool> = rules
                .iter()
                .map(|rule| trigger(&json!({"match_all": [rule]})).matches(&subject))
                .collect();
            let any = trigger(&json!({"match_any": rules.clone()}));
            let all = trigger(&json!({"match_all": rules}));
            prop_assert_eq!(any.matches(&subject), alone.contains(&true));
            prop_assert_eq!(all.matches(&subject), !alone.contains(&false));
            prop_assert!(!all.matches(&subject) || any.matches(&subject));
            prop_assert_eq!(
                any.clone().and(all.clone()).matches(&subject),
                any.matches(&subject) && all.matches(&subject)
            );
            let explained = all.explain(&subject).iter().all(|clause| clause.holds);
            prop_assert_eq!(explained, all.matches(&subject));
        }

        #[test]
        fn raising_the_severity_never_loses_a_match(
            threshold in 1..6_usize, low in any_severity(), high in any_severity(),
        ) {
            let filter = trigger(&json!({"min_severity": Severity::ALL[threshold]}));
            let (low, high) = (low.min(high), low.max(high));
            if passes(&filter, low, "generic", &[]) {
                prop_assert!(passes(&filter, high, "generic", &[]));
            }
        }
    }
}
