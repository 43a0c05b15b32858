//! The grammar, by example and by generated queries.

use proptest::prelude::*;

use super::*;

fn now() -> Timestamp {
    "2025-01-15T10:28:00Z".parse().expect("a time")
}

fn parse(text: &str) -> Query {
    Query::parse(text, now()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> QueryError {
    Query::parse(text, now()).expect_err(text)
}

/// Understood, and printed like this.
fn check(text: &str, printed: &str) {
    let query = parse(text);
    assert_eq!(query.to_string(), printed, "{text}");
    assert_eq!(parse(printed), query, "{printed} is the same query");
}

#[test]
fn the_specified_example_means_what_it_says() {
    let query = parse(
        "status:open sev:>=high -source:splunk ip:185.220.101.0/24 says:benign conf:high age:<8h",
    );
    let network = Network::new("185.220.101.0".parse().expect("an address"), 24).expect("fits");
    let expected = [
        Expr::Test(Test::Status(vec![AlertStatus::Open])),
        Expr::Test(Test::Severity(Comparison::AtLeast(Severity::High))),
        Expr::Test(Test::Source(vec![TextMatch::Equal("splunk".to_owned())])).negate(),
        Expr::Test(Test::Indicator {
            field: IndicatorField::Ip,
            any: vec![IndicatorMatch::Network(network)],
        }),
        Expr::Test(Test::Says(vec![FindingVerdict::Benign])),
        Expr::Test(Test::ConfidenceLevel(Comparison::OneOf(vec![
            ConfidenceLevel::High,
        ]))),
        Expr::Test(Test::Time(TimeTest::Age {
            is_younger: true,
            is_inclusive: false,
            seconds: 8 * 3_600,
        })),
    ];
    assert_eq!(query.expr, Expr::All(expected.to_vec()));
}

#[test]
fn every_field_of_the_grammar_is_read() {
    for (text, printed) in [
        ("", ""),
        ("Status:OPEN,triaging", "status:open,triaging"),
        ("severity:>=High", "sev:>=high"),
        ("source:sent*,splunk", "source:sent*,splunk"),
        ("rule:\"impossible travel\"", "rule:\"impossible travel\""),
        ("tag:=vip", "tag:vip"),
        ("title:=\"a b\",c", "title:=\"a b\",c"),
        ("ip:185[.]220.101.47", "ip:185.220.101.47"),
        ("ip:10.1.2.3/24", "ip:10.1.2.0/24"),
        ("ip:10.1.2.3/32", "ip:10.1.2.3"),
        ("ip:[::ffff:10.1.2.0]:443,10.*", "ip:10.1.2.0,10.*"),
        ("ip:2001:DB8::/32", "ip:2001:db8::/32"),
        (
            "domain:*.EVIL[.]tld,evil(dot)tld",
            "domain:*.evil.tld,evil.tld",
        ),
        (
            "hash:D41D8CD98F00B204E9800998ECF8427E",
            "hash:d41d8cd98f00b204e9800998ecf8427e",
        ),
        ("url:hxxps://Evil[.]com/A", "url:https://evil.com/A"),
        ("email:J.Doe[@]Contoso.com", "email:j.doe@contoso.com"),
        ("account:CONTOSO\\JDoe", "account:contoso\\jdoe"),
        ("ind:hxxp[:]//evil[.]com", "ind:http://evil.com/"),
        ("malice:malicious", "verdict:malicious"),
        ("finding:yes", "finding:yes"),
        ("finding:no", "finding:no"),
        ("finding:>2", "finding:>2"),
        ("agent:triage-bot", "agent:triage-bot"),
        ("conf:>=0.80", "conf:>=0.8"),
        ("conf:>=medium", "conf:>=medium"),
        ("disagree:yes", "disagree:yes"),
        ("class:fp", "class:fp-logic,fp-data"),
        ("class:\"not applicable\"", "class:na"),
        ("enrich:ok,Failed", "enrich:ok,failed"),
        ("delivery:failed,running", "delivery:failed,running"),
        ("approval:pending", "approval:pending"),
        (
            "mitre:t1078.004,\"Initial Access\"",
            "mitre:T1078.004,TA0001",
        ),
        ("dup:>5", "dup:>5"),
        ("age:<240m", "age:<4h"),
        ("occurred:2025-01-15", "occurred:2025-01-15"),
        (
            "ingested:Today updated:>=yesterday",
            "ingested:today updated:>=yesterday",
        ),
        (
            "closed:<2025-01-15T12:28:00+02:00",
            "closed:<2025-01-15T10:28:00Z",
        ),
        ("is:unread,snoozed", "is:unread,snoozed"),
        ("raw.rule.level:>=12", "raw.rule.level:>=12"),
        ("raw.\"a b\".c:x", "raw.\"a b.c\":x"),
        ("raw.a:*", "raw.a:*"),
        ("doc:runbook", "doc:runbook"),
        ("has:note", "has:note"),
        (
            "id:01890A5D-AC96-774B-BCCE-B302099A8057",
            "id:01890a5d-ac96-774b-bcce-b302099a8057",
        ),
        (
            "sort:-severity,occurred x group:rule",
            "x sort:-sev,occurred group:rule",
        ),
    ] {
        check(text, printed);
    }
}

#[test]
fn every_field_name_is_reachable() {
    // A field that the parser forgets is refused as unknown or by its own test.
    let value = |field: Field| match field {
        Field::Raw => "raw.a:b".to_owned(),
        Field::Ip => "ip:1.2.3.4".to_owned(),
        Field::Hash => "hash:ab*".to_owned(),
        Field::Url => "url:http://a.b/".to_owned(),
        Field::Email => "email:a@b.c".to_owned(),
        Field::Id => "id:01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
        Field::Duplicates => "dup:>1".to_owned(),
        field => match words::closed_words(field).first() {
            Some(word) => format!("{field}:{word}"),
            None => format!("{field}:x"),
        },
    };
    for field in Field::ALL {
        parse(&value(*field));
    }
}

#[test]
fn alternatives_negation_and_texts_nest() {
    for (text, printed) in [
        ("(a OR b c) d", "(a OR b c) d"),
        ("((a OR b) OR (c))", "(a OR b OR c)"),
        ("(a (b c))", "a b c"),
        ("a AND b", "a b"),
        ("-(a b) --c", "-(a b) --c"),
        ("-(a OR b)", "-(a OR b)"),
        ("(sev:high OR tag:vip)", "(sev:high OR tag:vip)"),
        ("evil(.)com trav*", "evil.com trav*"),
        ("hxxps://Evil[.]com/x", "\"https://Evil.com/x\""),
        (
            "2001:db8::1 fe80::1 aa:bb:cc:dd:ee:ff",
            "\"2001:db8::1\" \"fe80::1\" \"aa:bb:cc:dd:ee:ff\"",
        ),
        (
            "\"foo: \\\"bar\\\"\" \"OR\" \"-x\"",
            "\"foo: \\\"bar\\\"\" \"OR\" \"-x\"",
        ),
        ("\"foo bar\"*", "\"foo bar\"*"),
        ("title:\"a*b\"*", "title:a*b*"),
        ("title:\"a\\*b\"*", "title:\"a\\*b\"*"),
        (
            "raw.process.command_line:\"*-enc *\"",
            "raw.process.command_line:*\"-enc \"*",
        ),
        ("\"a * b\"", "\"a \\* b\""),
    ] {
        check(text, printed);
    }
}

#[test]
fn an_error_has_its_place_and_a_suggestion() {
    for (text, part, suggestion) in [
        ("sev:high stauts:open", "stauts", Some("status")),
        ("status:opne", "opne", Some("open")),
        ("ü sev:hihg", "hihg", Some("high")),
        ("status:>=open", ">=open", Some("open")),
        ("sort:-sevv", "-sevv", Some("-sev")),
        ("age:4h", "4h", Some("<4h")),
        ("NOT x", "NOT", Some("-")),
        ("conf:1.5", "1.5", None),
        ("ip:300.1.1.1", "300.1.1.1", None),
        ("ip:10.0.0.0/33", "10.0.0.0/33", None),
        ("hash:abc", "abc", None),
        ("dup:>-5", "-5", None),
        ("occurred:soon", "soon", None),
        ("id:5", "5", None),
        ("sort:-sev,sev", "sev", None),
        ("finding:maybe", "maybe", None),
        ("raw.a:>b", "b", None),
        ("raw:x", "raw:x", None),
        ("raw..a:x", "raw..a", None),
        ("a OR b", "OR", None),
        ("(OR a)", "OR", None),
        ("(a sort:sev)", "sort:sev", None),
        ("sort:sev sort:dup", "sort:dup", None),
        ("-sort:sev", "sort:sev", None),
        ("status:", "", None),
        ("status:open,", "", None),
        ("status:open, closed", "", None),
        ("a - b", "-", None),
        ("sevrity:high", "sevrity", Some("severity")),
        ("(a", "(a", None),
        ("a)", ")", None),
        ("()", "()", None),
        ("(a OR )", "(a OR )", None),
        ("title:\"a b", "\"a b", None),
        ("*x*", "*x*", None),
        ("???", "???", None),
        ("sev:>high,low", "low", None),
        ("class:>fp", ">fp", Some("fp")),
    ] {
        let error = refused(text);
        let span = error.span;
        assert_eq!(&text[span.start..span.end], part, "{text}: {error}");
        let chars: String = text
            .chars()
            .skip(span.start_char)
            .take(span.end_char - span.start_char)
            .collect();
        assert_eq!(
            chars, part,
            "characters and bytes name the same part of {text}"
        );
        let guess = error.did_you_mean.as_deref();
        if suggestion.is_some() {
            assert_eq!(guess, suggestion, "{text}");
        }
        assert!(error.message.len() > 12, "{text}: {error}");
    }
}

#[test]
fn every_bound_holds_and_one_less_passes() {
    let words = |count: usize| vec!["a"; count].join(" ");
    parse(&words(MAX_TERMS));
    assert!(refused(&words(MAX_TERMS + 1)).message.contains("64 terms"));
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    parse(&nested(MAX_NESTING));
    assert!(refused(&nested(MAX_NESTING + 1)).message.contains("8 deep"));
    parse(&format!("{}a", "-".repeat(MAX_NESTING)));
    refused(&format!("{}a", "-".repeat(MAX_NESTING + 1)));
    refused(&"(".repeat(MAX_QUERY_BYTES));
    parse(&"a".repeat(MAX_QUERY_BYTES));
    let long = refused(&"ü".repeat(MAX_QUERY_BYTES / 2 + 1));
    assert_eq!(long.span.start, MAX_QUERY_BYTES);
    let list = |count: usize| {
        let tags: Vec<_> = (0..count).map(|n| format!("t{n}")).collect();
        format!("tag:{}", tags.join(","))
    };
    parse(&list(MAX_VALUES));
    assert!(refused(&list(MAX_VALUES + 1)).message.contains("64 values"));
    refused("sort:sev,dup,title,source");
}

#[test]
fn pending_is_no_place_in_an_order() {
    use Severity::{Critical, High, Informational, Low, Medium, Pending};

    let severities = |text: &str| match parse(text).expr {
        Expr::Test(Test::Severity(comparison)) => comparison.severities(),
        other => panic!("{other:?}"),
    };
    assert_eq!(severities("sev:>=high"), [High, Critical]);
    assert_eq!(severities("sev:<high"), [Informational, Low, Medium]);
    assert_eq!(severities("sev:critical,pending"), [Pending, Critical]);
    let verdicts = |text: &str| match parse(text).expr {
        Expr::Test(Test::Malice(comparison)) => comparison.verdicts(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        verdicts("verdict:<malicious"),
        [Malice::Benign, Malice::Suspicious]
    );
    assert_eq!(verdicts("verdict:pending"), [Malice::Pending]);
}

#[test]
fn what_does_not_exist_yet_is_known_to_match_nothing() {
    for (text, is_never) in [
        ("approval:pending", true),
        ("is:unread", false),
        ("has:note", false),
        ("disagree:no", false),
    ] {
        match parse(text).expr {
            Expr::Test(test) => assert_eq!(test.is_never(), is_never, "{text}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn completion_knows_fields_words_and_where_they_go() {
    let texts = |text: &str, cursor: usize| {
        let completion = complete(text, cursor);
        let span = completion.span;
        let part = text[span.start..span.end].to_owned();
        let candidates: Vec<_> = completion.candidates.into_iter().map(|c| c.text).collect();
        (part, completion.field, candidates)
    };
    let (part, field, candidates) = texts("sev:high st", 11);
    assert_eq!((part.as_str(), field), ("st", None));
    assert_eq!(candidates, ["status:"]);
    let (part, field, candidates) = texts("ü -(status:open,c", 17);
    assert_eq!((part.as_str(), field), ("c", Some(Field::Status)));
    assert_eq!(candidates, ["closed"]);
    let (part, _, candidates) = texts("sev:>=hihg tag:x", 7);
    assert_eq!(
        part, "hihg",
        "the whole word is replaced, not its beginning"
    );
    assert_eq!(candidates, ["high"]);
    assert_eq!(texts("age:<", 5).2.len(), 4);
    assert_eq!(texts("age:<", 5).0, "<");
    assert_eq!(texts("sort:-s", 7).2, ["-sev", "-status", "-source"]);
    assert_eq!(texts("", 0).2.len(), Field::ALL.len());
    assert_eq!(
        texts("stat:x", 4),
        ("stat:".to_owned(), None, vec!["status:".to_owned()])
    );
    assert_eq!(texts("source:", 99).1, Some(Field::Source));
    assert!(texts("foo:", 4).2.is_empty());
    assert_eq!(
        texts("\"sev:hi", 7).1,
        None,
        "nothing has a meaning inside quotes"
    );
}

mod edits;
mod generated;
mod judged;
