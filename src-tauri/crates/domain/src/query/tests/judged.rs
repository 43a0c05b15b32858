//! What a row tells of a query, what a suppression may ask, and what "like these" is.

use proptest::prelude::*;

use super::generated::{CASES, expr};
use super::{now, parse};
use crate::query::*;
use crate::{AlertStatus, CloseClassification, EnrichmentStatus, IndicatorType, Malice, Severity};

fn tags() -> Vec<String> {
    vec!["VIP".to_owned(), "vpn".to_owned()]
}

fn facts(tags: &[String]) -> Facts<'_> {
    let at = |text: &str| text.parse().expect("a time");
    Facts {
        id: "01890a5d-ac96-774b-bcce-b302099a8057"
            .parse()
            .expect("an id"),
        title: "Impossible travel",
        severity: Severity::High,
        status: AlertStatus::Closed,
        enrichment: EnrichmentStatus::Partial,
        source: "sentinel",
        rule: Some("Impossible Travel"),
        tags,
        malice: Malice::Malicious,
        classification: Some(CloseClassification::FalsePositiveLogic),
        occurred_at: at("2025-01-15T09:00:00Z"),
        ingested_at: at("2025-01-15T10:00:00Z"),
        updated_at: at("2025-01-15T10:20:00Z"),
        closed_at: Some(at("2025-01-15T10:20:00Z")),
        duplicates: 3,
        findings: vec![
            ("triage-bot", Some(FindingVerdict::Benign)),
            ("other", None),
        ],
        disagree: false,
        delivery: Some(DeliveryWord::Running),
        indicators: vec![(IndicatorType::Ip, "185.220.101.47")],
        snoozed_until: None,
        is_unread: false,
        is_flagged: true,
        is_suppressed: false,
        notes: 1,
    }
}

#[test]
fn a_row_says_what_it_knows_and_no_more() {
    let tags = tags();
    let facts = facts(&tags);
    for (text, answer) in [
        ("", Some(true)),
        ("status:open", Some(false)),
        ("-status:open", Some(true)),
        ("status:open,closed", Some(true)),
        ("sev:>=high source:Sentinel tag:vip", Some(true)),
        ("sev:<high", Some(false)),
        ("title:travel title:Imp*", Some(true)),
        ("title:=travel", Some(false)),
        ("rule:impossible", Some(true)),
        ("rule:brute", None),
        ("ip:185.220.101.0/24", Some(true)),
        ("ip:10.0.0.1", None),
        ("domain:185*", None),
        ("ind:185.*", Some(true)),
        ("verdict:malicious", Some(true)),
        ("finding:yes finding:2", Some(true)),
        ("finding:>2", Some(false)),
        ("says:benign", Some(true)),
        ("says:malicious", Some(false)),
        ("agent:triage", Some(true)),
        ("conf:high", None),
        ("disagree:yes", Some(false)),
        ("class:fp", Some(true)),
        ("enrich:ok", Some(false)),
        ("delivery:running", Some(true)),
        ("delivery:failed", None),
        ("delivery:none", Some(false)),
        ("dup:>5", Some(false)),
        ("age:<1h", Some(true)),
        ("age:<20m", Some(false)),
        ("closed:today occurred:2025-01-15", Some(true)),
        ("closed:yesterday", Some(false)),
        ("is:flagged,unread", Some(true)),
        ("is:snoozed", Some(false)),
        ("is:demo", None),
        ("is:demo,flagged", Some(true)),
        ("has:note", Some(true)),
        ("travel", None),
        ("travel status:open", Some(false)),
        ("(travel OR status:closed)", Some(true)),
        ("(travel OR status:open)", None),
        ("-(travel status:open)", Some(true)),
        ("raw.a:b", None),
        ("id:01890a5d-ac96-774b-bcce-b302099a8057", Some(true)),
    ] {
        assert_eq!(parse(text).judge(&facts, now()), answer, "{text}");
    }
}

#[test]
fn a_suppressed_row_is_only_in_lists_that_name_suppressed_ones() {
    let tags = tags();
    let hidden = Facts {
        is_suppressed: true,
        ..facts(&tags)
    };
    for (text, answer) in [
        ("", Some(false)),
        ("travel", Some(false)),
        ("is:suppressed", Some(true)),
        ("(is:suppressed OR sev:low)", Some(true)),
        ("-is:suppressed", Some(false)),
    ] {
        assert_eq!(parse(text).judge(&hidden, now()), answer, "{text}");
    }
}

#[test]
fn a_snooze_is_over_when_its_time_is() {
    let tags = tags();
    let row = Facts {
        snoozed_until: Some(now().plus_millis(1)),
        ..facts(&tags)
    };
    let query = parse("is:snoozed");
    assert_eq!(query.judge(&row, now()), Some(true));
    assert_eq!(query.judge(&row, now().plus_millis(1)), Some(false));
}

#[test]
fn a_suppression_asks_only_for_what_an_alert_comes_with() {
    for text in [
        "rule:=\"Impossible travel\" account:n.hathaway",
        "-source:splunk sev:<=low tag:vpn",
        "(title:a* OR mitre:T1078) doc:runbook occurred:<2025-01-15",
        "tag:=sort:sev",
    ] {
        assert!(suppressible(text, now()).is_ok(), "{text}");
    }
    for (text, part) in [
        ("rule:a travel", "travel"),
        ("rule:a -(tag:x OR \"two words\")", "\"two words\""),
        ("rule:a age:<4h", "age:<4h"),
        ("occurred:today", "occurred:today"),
        ("closed:>2025-01-15", "closed:>2025-01-15"),
        ("raw.a:b tag:x", "raw.a:b"),
        ("tag:x is:snoozed", "is:snoozed"),
        ("tag:x is:demo", "is:demo"),
        ("tag:x group:rule sort:-sev", "group:rule"),
        ("tag:x says:benign", "says:benign"),
        ("tag:x finding:yes", "finding:yes"),
        ("tag:x class:fp", "class:fp"),
        ("tag:x has:note", "has:note"),
        ("sort:-sev", "sort:-sev"),
        ("", ""),
        ("tag:x sev:hihg", "hihg"),
    ] {
        let error = suppressible(text, now()).expect_err(text);
        assert_eq!(&text[error.span.start..error.span.end], part, "{error}");
    }
}

#[test]
fn like_these_is_their_rule_and_what_they_share() {
    use IndicatorType::{Account, Domain, HashSha256, Ip};
    let sample = |rule, title, indicators| Sample {
        rule,
        title,
        indicators,
    };
    let text = |samples: &[Sample<'_>]| like(samples).map(|expr| expr.to_string());
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        text(&[
            sample(
                Some("Impossible travel"),
                "a",
                &[(Ip, "10.0.0.1"), (Account, "n.hathaway")]
            ),
            sample(
                Some("impossible travel "),
                "b",
                &[(Account, "n.hathaway"), (Ip, "10.0.0.1")]
            ),
        ]),
        some("rule:=\"Impossible travel\" account:n.hathaway"),
    );
    assert_eq!(
        text(&[
            sample(Some("r"), "a", &[(Ip, "10.0.0.1")]),
            sample(Some("r"), "b", &[(Ip, "10.0.0.2")]),
        ]),
        some("rule:=r"),
        "what only one has is not said"
    );
    assert_eq!(
        text(&[
            sample(None, "Noise: a,b", &[(Domain, "evil.tld")]),
            sample(Some("r"), "noise: A,B", &[(Domain, "evil.tld")]),
        ]),
        some("title:=\"Noise: a,b\" domain:evil.tld"),
    );
    assert_eq!(
        text(&[sample(Some("r"), "a", &[]), sample(Some("s"), "b", &[])]),
        None
    );
    assert_eq!(text(&[sample(None, " ", &[(HashSha256, "aa")])]), None);
    assert_eq!(text(&[]), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn the_opposite_is_judged_the_opposite(expr in expr()) {
        let tags = tags();
        let facts = facts(&tags);
        let query = |expr| Query { expr, sort: None, group: None, now: now() };
        let plain = query(expr.clone()).judge(&facts, now());
        let negated = query(expr.negate()).judge(&facts, now());
        prop_assert_eq!(plain.map(|holds| !holds), negated);
    }

    #[test]
    fn like_these_is_a_suppression(
        rule in proptest::option::of("\\PC{1,40}"),
        title in "(?s).{0,300}",
        account in "[\\PC&&[^\\s]]{1,20}",
    ) {
        let account = crate::indicator::canonical(IndicatorType::Account, &account);
        let indicators: Vec<_> = account
            .iter()
            .map(|value| (IndicatorType::Account, value.as_str()))
            .collect();
        let sample = Sample { rule: rule.as_deref(), title: &title, indicators: &indicators };
        if let Some(expr) = like(&[sample, sample]) {
            let text = expr.to_string();
            let query = suppressible(&text, now());
            prop_assert_eq!(query.map(|query| query.expr), Ok(expr), "{}", text);
        }
    }
}
