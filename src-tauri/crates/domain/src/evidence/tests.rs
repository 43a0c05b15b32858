//! Citations by example, and over generated ones.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const CASES: u32 = 10_000;

fn indicator() -> Value {
    json!({
        "type": "ip", "value": "185.220.101.47", "malice": "Malicious",
        "first_seen": "2025-01-15T02:31:00.250Z",
        "enrichment_results": {
            "virustotal": {
                "extracted": {"malicious": 14, "total": 94, "tags": ["tor", "Proxy"], "ratio": 0.15},
                "success": true, "malice": "Malicious", "enriched_at": "2025-01-15T10:30:00Z",
            },
            "abuseipdb": {
                "extracted": {"score": 97, "is_tor": true, "host": "exit.EXAMPLE.com", "malice": "own word"},
                "success": true, "malice": "Malicious",
            },
            "okta": {"extracted": {}, "success": false, "malice": "Pending", "error": "HTTP 429"},
        },
    })
}

fn cite<'a>(claim: &'a str, path: &'a str, expected: Option<&'a Value>) -> Citation<'a> {
    Citation {
        claim,
        kind: Some(CitedKind::Indicator),
        pointer: None,
        path: Some(path),
        expected,
    }
}

#[test]
fn each_cited_fact_is_compared_with_the_stored_datum() {
    use CitationState::{Differs, Matches, NotFound, NotVerifiable};
    let object = indicator();
    for (path, expected, state) in [
        ("abuseipdb.score", json!(97), Matches),
        ("AbuseIPDB.score", json!("97"), Matches),
        ("abuseipdb.score", json!("97 %"), Matches),
        ("abuseipdb.score", json!(97.0), Matches),
        ("abuseipdb.score", json!(96), Differs),
        ("abuseipdb.score", json!("97 points"), Differs),
        ("virustotal.malicious", json!(47), Differs),
        ("virustotal.malicious", json!("47/94"), Differs),
        ("virustotal.malicious", json!("14/94"), Matches),
        ("virustotal.malicious", json!("14/90"), Differs),
        ("abuseipdb.score", json!("97/100"), Matches),
        ("virustotal.ratio", json!("0.150"), Matches),
        (
            "enrichment_results.virustotal.extracted.malicious",
            json!(14),
            Matches,
        ),
        (
            "enrichment_results.virustotal.malicious",
            json!(14),
            Matches,
        ),
        ("virustotal.malice", json!("malicious"), Matches),
        ("abuseipdb.malice", json!("own word"), Matches),
        ("virustotal.tags", json!("tor"), Matches),
        ("virustotal.tags", json!(["PROXY", "tor"]), Matches),
        ("virustotal.tags", json!(["tor"]), Differs),
        ("virustotal.tags", json!("vpn"), Differs),
        ("virustotal.tags.0", json!("tor"), Matches),
        ("abuseipdb.is_tor", json!("yes"), Matches),
        ("abuseipdb.is_tor", json!(false), Differs),
        ("abuseipdb.is_tor", json!(1), Differs),
        ("abuseipdb.host", json!("exit[.]example[.]com"), Matches),
        ("value", json!("185.220.101[.]47"), Matches),
        ("", json!("185.220.101.47"), Matches),
        ("", json!("185.220.101.48"), Differs),
        ("type", json!("IP"), Matches),
        ("first_seen", json!("2025-01-15T03:31:00+01:00"), Matches),
        ("first_seen", json!("2025-01-15T02:31:00.251Z"), Differs),
        ("virustotal", json!({"malicious": 14}), Differs),
        (
            "virustotal.extracted",
            json!({"malicious": "14", "total": 94}),
            Matches,
        ),
        ("virustotal.extracted", json!({}), NotVerifiable),
        ("virustotal.extracted", json!(14), NotVerifiable),
        ("virustotal.score", json!(97), NotFound),
        ("okta.last_login", json!("x"), NotFound),
        ("okta.success", json!(false), Matches),
        ("greynoise.noise", json!(true), NotFound),
        ("virustotalx.malicious", json!(14), NotFound),
    ] {
        let given = check(&cite("", path, Some(&expected)), Some(&object));
        assert_eq!(given.state, state, "{path} {expected}: {}", given.text);
        assert_eq!(given.stored.is_some(), state != NotFound, "{path}");
        assert!(given.text.ends_with('.'), "{}", given.text);
    }
}

#[test]
fn a_sentence_names_both_values_or_what_is_missing() {
    let object = indicator();
    let text = |path, expected: Value| check(&cite("", path, Some(&expected)), Some(&object)).text;
    assert_eq!(
        text("virustotal.malicious", json!("47/94")),
        "“47/94” is cited; virustotal.malicious of 185.220.101.47 is 14/94."
    );
    assert_eq!(
        text("abuseipdb.score", json!(97)),
        "abuseipdb.score of 185.220.101.47 is 97, as cited."
    );
    assert_eq!(
        text("okta.last_login", json!("x")),
        "okta gave no answer for 185.220.101.47: HTTP 429."
    );
    assert_eq!(
        text("virustotal.score", json!(1)),
        "The answer of virustotal has nothing at score; there are malicious, total, tags, ratio."
    );
    let long = "x".repeat(5_000);
    assert!(text(&long, json!(1)).len() < 200);
    assert!(text("type", json!(long)).chars().count() < 300);
    assert!(!text("type", json!("a\nb\u{1b}[31m")).contains(char::is_control));
}

#[test]
fn without_an_expected_value_only_a_quotation_matches() {
    use CitationState::{Matches, NotVerifiable};
    let object = indicator();
    for (claim, path, state) in [
        (
            "AbuseIPDB score 97 for 185.220.101.47",
            "abuseipdb.score",
            Matches,
        ),
        ("AbuseIPDB gives it 97.", "abuseipdb.score", Matches),
        ("VirusTotal 47/94", "virustotal.malicious", NotVerifiable),
        ("VirusTotal 14/94", "virustotal.malicious", NotVerifiable),
        (
            "scores 197, 97.5, n-97 and 1,97",
            "abuseipdb.score",
            NotVerifiable,
        ),
        (
            "it is true that it is tor",
            "abuseipdb.is_tor",
            NotVerifiable,
        ),
        ("the host exit.EXAMPLE.com", "abuseipdb.host", Matches),
        (
            "the host exit.EXAMPLE.com.evil.tld",
            "abuseipdb.host",
            NotVerifiable,
        ),
        ("the proxy of tor", "virustotal.tags", NotVerifiable),
        ("an ip", "type", NotVerifiable),
    ] {
        let given = check(&cite(claim, path, None), Some(&object));
        assert_eq!(given.state, state, "{claim}: {}", given.text);
    }
}

#[test]
fn payloads_are_pointed_into_and_documents_are_quoted() {
    use CitationState::{Differs, Matches, NotFound};
    let payload = json!({"a/b": {"m~n": [1, {"x": "Y"}]}, "event.action": "logon"});
    let raw = |pointer, path, expected: Value| {
        let citation = Citation {
            claim: "",
            kind: Some(CitedKind::RawPayload),
            pointer,
            path,
            expected: Some(&expected),
        };
        check(&citation, Some(&payload)).state
    };
    assert_eq!(raw(Some("/a~1b/m~0n/0"), None, json!(1)), Matches);
    assert_eq!(raw(Some("/a~1b/m~0n/00"), None, json!(1)), NotFound);
    assert_eq!(raw(Some("/a~1b/m~0n/1"), Some("x"), json!("Y")), Matches);
    assert_eq!(raw(Some("event.action"), None, json!("logoff")), Differs);
    assert_eq!(raw(None, Some("event.action"), json!("Logon")), Matches);
    assert_eq!(raw(Some("/"), None, json!(1)), NotFound);

    let document = json!({"title": "Runbook", "content": "Call   the\nuser first."});
    let words = |path, expected: &str| {
        let expected = json!(expected);
        let citation = Citation {
            claim: "",
            kind: Some(CitedKind::Document),
            pointer: None,
            path,
            expected: Some(&expected),
        };
        check(&citation, Some(&document)).state
    };
    assert_eq!(words(None, "call the user"), Matches);
    assert_eq!(words(None, "call the police"), Differs);
    assert_eq!(words(Some("title"), "runbook"), Matches);
}

#[test]
fn what_is_not_there_or_not_named_is_said() {
    let expected = json!(1);
    let citation = cite("", "value", Some(&expected));
    let gone = check(&citation, None);
    assert_eq!(gone.state, CitationState::NotFound);
    assert_eq!(gone.text, "This alert has no such indicator.");
    let vague = Citation {
        kind: None,
        ..citation
    };
    assert_eq!(
        check(&vague, Some(&expected)).state,
        CitationState::NotVerifiable
    );
    let long = json!({"value": "x".repeat(MAX_STORED_CHARS)});
    assert_eq!(check(&citation, Some(&long)).stored, None);
    let fits = json!({"value": "x".repeat(MAX_STORED_CHARS - 2)});
    assert!(check(&citation, Some(&fits)).stored.is_some());
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON has no other", |n| n.is_finite())
            .prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        proptest::sample::select(vec![
            "47",
            "True",
            "2025-01-15T10:28:00Z",
            "a.b",
            "1/2",
            "no"
        ])
        .prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::hash_map("[a-z.]{1,3}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn a_value_matches_itself_and_nothing_matches_what_is_absent(stored in value()) {
        let object = json!({"value": stored.clone()});
        let citation = cite("", "value", Some(&stored));
        let given = check(&citation, Some(&object));
        let is_empty = stored.as_object().is_some_and(serde_json::Map::is_empty);
        let allowed = matches!(given.state, CitationState::Matches)
            || (given.state == CitationState::NotVerifiable && (is_empty || has_empty_group(&stored)));
        prop_assert!(allowed, "{} {}", stored, given.text);
        prop_assert_eq!(check(&citation, None).state, CitationState::NotFound);
    }

    #[test]
    fn single_values_compare_the_same_both_ways(one in scalar(), two in scalar()) {
        let state = |expected: &Value, stored: &Value| {
            // No ratio: that one is written by the author only.
            let is_ratio = expected.as_str().is_some_and(|text| text.contains('/'));
            let object = json!({"value": stored});
            (!is_ratio).then(|| check(&cite("", "value", Some(expected)), Some(&object)).state)
        };
        if let (Some(there), Some(back)) = (state(&one, &two), state(&two, &one)) {
            prop_assert_eq!(there, back, "{} {}", one, two);
        }
    }

    #[test]
    fn whatever_is_cited_is_answered(
        claim in "(?s).{0,40}",
        pointer in proptest::option::of("[/a-z~0-9.]{0,8}"),
        path in proptest::option::of("[a-z.0-9]{0,6}"),
        expected in proptest::option::of(value()),
        stored in value(),
        kind in proptest::sample::select(CitedKind::ALL),
    ) {
        let citation = Citation {
            claim: &claim,
            kind: Some(kind),
            pointer: pointer.as_deref(),
            path: path.as_deref(),
            expected: expected.as_ref(),
        };
        let given = check(&citation, Some(&stored));
        prop_assert!(!given.text.is_empty() && !given.text.contains(char::is_control));
        prop_assert_eq!(&given, &check(&citation, Some(&stored)), "the same again");
        if expected.is_none() {
            prop_assert_ne!(given.state, CitationState::Differs, "prose never contradicts");
        }
    }
}

fn has_empty_group(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty() || map.values().any(has_empty_group),
        _ => false,
    }
}
