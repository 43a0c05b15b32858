//! Chips and edits of a query's text, by example and over generated texts.

use proptest::prelude::*;

use super::generated::{CASES, expr, nearly_a_query};
use super::{now, refused};
use crate::query::*;

#[test]
fn the_terms_at_the_top_are_chips() {
    let text =
        "status:open -(sev:high OR \"a (b\") evil(.)com --tag:\"a b\",c AND sort:-sev raw.a:x";
    let found: Vec<_> = chips(text)
        .into_iter()
        .map(|chip| (chip.text, chip.field, chip.is_negated))
        .collect();
    let expected = [
        ("status:open", Some(Field::Status), false),
        ("-(sev:high OR \"a (b\")", None, true),
        ("evil(.)com", None, false),
        ("--tag:\"a b\",c", Some(Field::Tag), false),
        ("sort:-sev", Some(Field::Sort), false),
        ("raw.a:x", Some(Field::Raw), false),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(text, field, is_negated)| (text.to_owned(), field, is_negated))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_mistake_in_one_term_leaves_the_other_chips() {
    let texts = |text: &str| chips(text).into_iter().map(|c| c.text).collect::<Vec<_>>();
    assert_eq!(texts("sev:hihg tag:x"), ["sev:hihg", "tag:x"]);
    assert_eq!(texts("tag:x title:\"a b"), ["tag:x", "title:\"a b"]);
    assert_eq!(texts("a ) b"), ["a", ")", "b"]);
    assert_eq!(texts("tag:x (a b"), ["tag:x", "(a b"]);
    assert_eq!(texts("a - b"), ["a", "-", "b"]);
    assert_eq!(texts("  "), [""; 0]);
    assert_eq!(chips("stauts:open")[0].field, None);
}

#[test]
fn an_edit_leaves_the_rest_as_it_was_written() {
    let text = "Status:OPEN   ü  \"a  b\" sev:>=High";
    let found = chips(text);
    assert_eq!(without(text, found[0].span), "ü  \"a  b\" sev:>=High");
    assert_eq!(
        without(text, found[1].span),
        "Status:OPEN   \"a  b\" sev:>=High"
    );
    assert_eq!(without(text, found[3].span), "Status:OPEN   ü  \"a  b\"");
    assert_eq!(
        replaced(text, found[1].span, "ö"),
        "Status:OPEN   ö  \"a  b\" sev:>=High"
    );
    assert_eq!(with_term("a b ", "tag:x"), "a b tag:x");
    assert_eq!(with_term("tag:x a", "tag:x"), "tag:x a", "once is enough");
    assert_eq!(with_term("", "tag:x"), "tag:x");
    let elsewhere = Span {
        start: 2,
        end: 900,
        ..Span::default()
    };
    assert_eq!(without("ü", elsewhere), "ü");
}

#[test]
fn a_facet_goes_into_the_list_and_out_of_it() {
    use Field::{
        Classification, Disagree, Finding, Indicator, Ip, Raw, Rule, Severity, Status, Tag,
    };
    for (text, field, value, expected) in [
        ("", Status, "Open", "status:open"),
        ("a  status:open", Status, "closed", "a  status:open,closed"),
        (
            "a status:open,closed b",
            Status,
            "open",
            "a status:closed b",
        ),
        ("a status:Open b", Status, "open", "a b"),
        ("-status:closed x", Status, "closed", "x status:closed"),
        (
            "-status:closed,open",
            Status,
            "closed",
            "-status:open status:closed",
        ),
        ("sev:>=high", Severity, "critical", "sev:high"),
        ("sev:>=high", Severity, "low", "sev:high,critical,low"),
        ("severity:>critical", Severity, "low", "sev:low"),
        (
            "rule:travel",
            Rule,
            "Impossible travel",
            "rule:travel rule:=\"Impossible travel\"",
        ),
        ("rule:=a", Rule, "b, c", "rule:=a,\"b, c\""),
        ("rule:=\"Impossible Travel\"", Rule, "impossible travel", ""),
        ("tag:a*", Tag, "VIP", "tag:a*,VIP"),
        ("tag:vip", Tag, "VIP", ""),
        ("finding:no", Finding, "yes", "finding:yes"),
        ("finding:yes", Finding, "yes", ""),
        ("disagree:yes", Disagree, "no", "disagree:no"),
        (
            "class:tp",
            Classification,
            "fp",
            "class:tp,fp-logic,fp-data",
        ),
        ("class:tp,fp", Classification, "fp", "class:tp"),
        ("class:fp", Classification, "fp-logic", "class:fp-data"),
        ("ind:10.0.0.1", Indicator, "10.0.0.1", ""),
        ("ip:10.0.0.1", Ip, "10.0.0.0/24", "ip:10.0.0.1,10.0.0.0/24"),
        ("status:open", Status, "nonsense", "status:open"),
        ("a", Raw, "x", "a"),
        (
            "(status:open OR a)",
            Status,
            "open",
            "(status:open OR a) status:open",
        ),
        ("status:open status:closed", Status, "closed", "status:open"),
    ] {
        let given = toggled(text, field, value, now());
        assert_eq!(given, expected, "{text} with {field} {value}");
    }
    assert!(has_value("sev:>=high", Severity, "Critical", now()));
    assert!(!has_value("-sev:critical", Severity, "critical", now()));
    assert!(!has_value("sev:>=high", Severity, "low", now()));
}

#[test]
fn order_and_grouping_are_written_and_taken_away() {
    let by = |field, is_descending| Sort {
        keys: vec![SortKey {
            field,
            is_descending,
        }],
    };
    let sort = by(SortField::Severity, true);
    assert_eq!(with_sort("a", Some(&sort)), "a sort:-sev");
    assert_eq!(with_sort("sort:title  a b", Some(&sort)), "sort:-sev  a b");
    assert_eq!(with_sort("a order:title b", None), "a b");
    assert_eq!(with_sort("sort:dup a sort:sev", Some(&sort)), "sort:-sev a");
    assert_eq!(with_group("a", Some(Group::Rule)), "a group:rule");
    assert_eq!(with_group("group:rule", None), "");
}

#[test]
fn what_an_error_suggests_is_understood() {
    for (text, expected) in [
        ("a stauts:open", "a status:open"),
        ("sev:hihg b", "sev:high b"),
        ("status:>=open", "status:open"),
        ("age:4h", "age:<4h"),
        ("age:<4y", "age:<4h"),
        ("NOT tag:x", "-tag:x"),
        ("sort:-sevv", "sort:-sev"),
        ("disagree:yess", "disagree:yes"),
    ] {
        let error = refused(text);
        let better = corrected(text, &error).expect(text);
        assert_eq!(better, expected);
        assert!(Query::parse(&better, now()).is_ok(), "{better}");
    }
    assert_eq!(corrected("a)", &refused("a)")), None);
}

/// Queries that are understood, but for those that are too long.
fn query_text() -> impl Strategy<Value = String> {
    let space = proptest::sample::select(vec![" ", "  ", " AND "]);
    let terms = proptest::collection::vec(expr().prop_map(|expr| expr.to_string()), 1..3);
    (terms, space).prop_map(|(terms, space)| terms.join(space))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn chips_cover_a_text_in_order(text in prop_oneof![nearly_a_query(), "(?s).{0,60}"]) {
        let found = chips(&text);
        let (mut at, mut rest) = (0, String::new());
        for chip in &found {
            prop_assert!(chip.span.start >= at && chip.span.end > chip.span.start);
            prop_assert_eq!(text.get(chip.span.start..chip.span.end), Some(chip.text.as_str()));
            let chars = text[..chip.span.start].chars().count();
            prop_assert_eq!(chip.span.start_char, chars);
            rest.push_str(&text[at..chip.span.start]);
            at = chip.span.end;
        }
        rest.push_str(&text[at..]);
        let is_and = rest.split_whitespace().all(|word| word == "AND");
        prop_assert!(is_and, "what is no chip means nothing: {:?}", rest);
    }

    #[test]
    fn without_a_chip_the_others_stay(text in query_text(), n in 0..8_usize) {
        prop_assume!(Query::parse(&text, now()).is_ok());
        let found = chips(&text);
        let Some(n) = n.checked_rem(found.len()) else { return Ok(()) };
        let left = without(&text, found[n].span);
        prop_assert!(Query::parse(&left, now()).is_ok(), "{:?} of {:?}", left, text);
        let mut expected: Vec<_> = found.iter().map(|chip| &chip.text).collect();
        expected.remove(n);
        let texts = chips(&left);
        prop_assert_eq!(texts.iter().map(|chip| &chip.text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_toggle_is_there_and_its_second_takes_it_away(
        text in query_text(),
        value in proptest::sample::select(vec!["open", "Closed", "triaging"]),
    ) {
        prop_assume!(Query::parse(&text, now()).is_ok());
        let field = Field::Status;
        let was = has_value(&text, field, value, now());
        let once = toggled(&text, field, value, now());
        prop_assert!(Query::parse(&once, now()).is_ok(), "{:?} from {:?}", once, text);
        let others = |text: &str| chips(text)
            .into_iter()
            .filter(|chip| chip.field != Some(field))
            .map(|chip| chip.text)
            .collect::<Vec<_>>();
        prop_assert_eq!(others(&once), others(&text));
        // A value may stand in several terms; each toggle takes it out of one.
        prop_assert!(was || has_value(&once, field, value, now()));
        if !was {
            let twice = toggled(&once, field, value, now());
            prop_assert!(!has_value(&twice, field, value, now()));
        }
    }
}
