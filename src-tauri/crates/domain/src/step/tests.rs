//! Configs as the catalog and v1.1.0's clients write them, and the mistakes in them.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::template::Scope;
use crate::{FieldError, Indicator, Malice};

fn virustotal() -> Value {
    json!({
        "steps": [{
            "name": "lookup", "method": "GET", "url": "{{base_url}}/api/v3/files/{{indicator.value}}",
            "headers": {"x-apikey": "{{auth.api_key}}"}, "query_params": {}, "json_body": {},
            "form_body": {}, "timeout_seconds": 30, "expected_status": [200],
            "not_found_status": [404], "optional": false,
        }],
        "url_templates_by_type": {"ip": "{{base_url}}/api/v3/ip_addresses/{{indicator.value}}"},
    })
}

fn errors(change: impl FnOnce(&mut Value)) -> Vec<FieldError> {
    let mut config = virustotal();
    change(&mut config);
    HttpConfig::parse(&config).expect_err("not a valid config")
}

#[test]
fn a_step_becomes_exactly_one_request() {
    let config = HttpConfig::parse(&virustotal()).expect("valid");
    let auth = BTreeMap::from([("api_key".to_owned(), "s3cret".to_owned())]);
    let indicator = Indicator::new(IndicatorType::Ip, "2001:db8::1").expect("an address");
    let scope = Scope {
        indicator: Some(&indicator),
        auth: Some(&auth),
        base_url: Some("https://www.virustotal.com"),
        steps: None,
    };
    let steps = config.steps_for(IndicatorType::Ip);
    let request = render(&steps[0], &scope).expect("renders");
    assert_eq!(
        request.url,
        "https://www.virustotal.com/api/v3/ip_addresses/2001%3Adb8%3A%3A1"
    );
    assert_eq!(
        request.headers,
        [("x-apikey".to_owned(), "s3cret".to_owned())]
    );
    assert_eq!((request.body, request.content_type), (None, None));
    assert_eq!(
        config.steps_for(IndicatorType::HashMd5)[0].url,
        config.steps[0].url
    );
    assert!(!format!("{:?}", render(&steps[0], &scope)).contains("s3cret"));
}

#[test]
fn parameters_and_forms_are_encoded_once() {
    let config = HttpConfig::parse(&json!({"steps": [{
        "name": "check", "method": "post", "url": "https://api.example/check?a=1",
        "query_params": {"ip": "{{value|urlencode}}", "days": 90},
        "form_body": {"scope": "https://graph.example/.default", "v": "{{value}}"},
    }]}))
    .expect("valid");
    let indicator = Indicator {
        kind: IndicatorType::Account,
        value: "a b&c".to_owned(),
    };
    let scope = Scope {
        indicator: Some(&indicator),
        ..Scope::default()
    };
    let request = render(&config.steps[0], &scope).expect("renders");
    assert_eq!(
        request.url,
        "https://api.example/check?a=1&ip=a+b%26c&days=90"
    );
    assert_eq!(
        request.body.as_deref(),
        Some(&b"scope=https%3A%2F%2Fgraph.example%2F.default&v=a+b%26c"[..])
    );
    assert_eq!(
        request.content_type,
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(request.method, Method::Post);
}

#[test]
fn json_wins_over_a_form_and_a_header_over_the_content_type() {
    let config = HttpConfig::parse(&json!({"steps": [{
        "name": "q", "url": "https://api.example/", "headers": {"Content-Type": "application/x"},
        "json_body": {"ioc": "{{value}}"}, "form_body": {"a": "b"},
    }]}))
    .expect("valid");
    let indicator = Indicator {
        kind: IndicatorType::Account,
        value: "\"x\"".to_owned(),
    };
    let scope = Scope {
        indicator: Some(&indicator),
        ..Scope::default()
    };
    let request = render(&config.steps[0], &scope).expect("renders");
    assert_eq!(request.body.as_deref(), Some(&br#"{"ioc":"\"x\""}"#[..]));
    assert_eq!(request.content_type, None);
}

#[test]
fn mistakes_are_named_where_they_are() {
    let cases: Vec<(&str, Vec<FieldError>)> = vec![
        ("http_config.step", errors(|c| c["step"] = json!([]))),
        ("http_config.steps", errors(|c| c["steps"] = json!([]))),
        (
            "http_config.steps.0.methd",
            errors(|c| c["steps"][0]["methd"] = json!("GET")),
        ),
        (
            "http_config.steps.0.method",
            errors(|c| c["steps"][0]["method"] = json!("FETCH")),
        ),
        (
            "http_config.steps.0.url",
            errors(|c| c["steps"][0]["url"] = json!("https://{{value}}/")),
        ),
        (
            "http_config.steps.0.name",
            errors(|c| c["steps"][0]["name"] = json!("a.b")),
        ),
        (
            "http_config.steps.0.headers.Host",
            errors(|c| c["steps"][0]["headers"] = json!({"Host": "x"})),
        ),
        (
            "http_config.steps.0.headers.a b",
            errors(|c| c["steps"][0]["headers"] = json!({"a b": "x"})),
        ),
        (
            "http_config.steps.0.headers.x",
            errors(|c| c["steps"][0]["headers"] = json!({"x": "{{env.A}}"})),
        ),
        (
            "http_config.steps.0.json_body.a.0",
            errors(|c| c["steps"][0]["json_body"] = json!({"a": ["{{x}}"]})),
        ),
        (
            "http_config.steps.0.timeout_seconds",
            errors(|c| c["steps"][0]["timeout_seconds"] = json!(0)),
        ),
        (
            "http_config.steps.0.expected_status",
            errors(|c| c["steps"][0]["expected_status"] = json!([99])),
        ),
        (
            "http_config.steps.0.optional",
            errors(|c| c["steps"][0]["optional"] = json!("no")),
        ),
        (
            "http_config.url_templates_by_type.ipv4",
            errors(|c| c["url_templates_by_type"] = json!({"ipv4": "https://x/"})),
        ),
        (
            "http_config.steps.1.name",
            errors(|c| {
                let first = c["steps"][0].clone();
                c["steps"] = json!([first.clone(), first]);
            }),
        ),
    ];
    for (path, errors) in cases {
        assert_eq!(errors.len(), 1, "{path}: {errors:?}");
        assert_eq!(errors[0].path, path);
    }
}

#[test]
fn a_step_reads_only_earlier_answers() {
    let step = |name: &str, url: &str| json!({"name": name, "url": url});
    let user = step("user", "https://a.example/{{value}}");
    let groups = step(
        "groups",
        "https://a.example/{{steps.user.response.id}}/groups",
    );
    assert!(HttpConfig::parse(&json!({"steps": [user, groups]})).is_ok());
    assert!(HttpConfig::parse(&json!({"steps": [groups, user]})).is_err());
}

#[test]
fn an_optional_steps_not_found_is_not_the_indicators() {
    let mut config = HttpConfig::parse(&virustotal()).expect("valid");
    let step = &mut config.steps[0];
    assert_eq!(step.judge(200), StatusMeaning::Expected);
    assert_eq!(step.judge(404), StatusMeaning::NotFound);
    assert_eq!(step.judge(500), StatusMeaning::Unexpected);
    step.optional = true;
    assert_eq!(step.judge(404), StatusMeaning::Unexpected);
}

#[test]
fn one_step_gives_its_body_and_several_an_object() {
    let mut config = HttpConfig::parse(&virustotal()).expect("valid");
    let answers = json!({"lookup": {"a": 1}});
    let answers = answers.as_object().expect("an object");
    assert_eq!(config.raw_response(answers.clone()), json!({"a": 1}));
    config.steps.push(config.steps[0].clone());
    assert_eq!(
        config.raw_response(answers.clone()),
        json!({"lookup": {"a": 1}})
    );
    assert_eq!(response_value(b"{\"a\":1}"), json!({"a": 1}));
    assert_eq!(response_value(b"<html>"), json!({"_raw_text": "<html>"}));
    let long = "ü".repeat(5_000);
    let kept = response_value(long.as_bytes());
    assert_eq!(
        kept["_raw_text"].as_str().map(|t| t.chars().count()),
        Some(MAX_RAW_TEXT_CHARS)
    );
}

#[test]
fn fields_are_coerced_or_left_out() {
    let response = json!({"data": {
        "score": "97", "ratio": 2, "f": 1.9, "yes": "Yes", "no": "nope", "list": ["a"],
        "null": null, "text": 5, "obj": {}, "devices": [{"os": "x"}, {"os": null}, {"os": "y"}],
        "float": "1.5",
    }});
    let rule = |path: &str, key: &str, value_type| ExtractionRule {
        indicator_type: IndicatorType::Ip,
        source_path: path.to_owned(),
        target_key: key.to_owned(),
        value_type,
    };
    let mut rules = vec![
        rule("data.score", "score", ValueType::Int),
        rule("data.ratio", "ratio", ValueType::Float),
        rule("data.f", "f", ValueType::Int),
        rule("data.yes", "yes", ValueType::Bool),
        rule("data.no", "no", ValueType::Bool),
        rule("data.list", "list", ValueType::List),
        rule("data.null", "null", ValueType::Any),
        rule("data.text", "text", ValueType::Text),
        rule("data.obj", "obj", ValueType::Text),
        rule("data.list", "n", ValueType::Int),
        rule("data.gone", "gone", ValueType::Any),
        rule("data.devices.0.os", "os", ValueType::Text),
        rule("data.devices.os", "all_os", ValueType::List),
        rule("data.devices.os", "no_list", ValueType::Any),
        rule("data.devices.gone", "none_of_them", ValueType::List),
        rule("data.score", "whole", ValueType::Number),
        rule("data.float", "part", ValueType::Number),
        rule("data.ratio", "as_it_is", ValueType::Number),
        rule("data.no", "no_number", ValueType::Number),
    ];
    rules.push(ExtractionRule {
        indicator_type: IndicatorType::Domain,
        ..rule("data.score", "other_type", ValueType::Any)
    });
    let fields = extract_fields(&rules, IndicatorType::Ip, &response);
    let expected = json!({
        "score": 97, "ratio": 2.0, "f": 1, "yes": true, "no": false, "list": ["a"], "text": "5",
        "os": "x", "all_os": ["x", "y"], "whole": 97, "part": 1.5, "as_it_is": 2,
    });
    assert_eq!(Value::Object(fields), expected);
}

#[test]
fn the_first_matching_rule_gives_the_verdict() {
    let rules = VerdictRules::parse(&json!({
        "rules": [
            {"field": "stats.malicious", "operator": ">", "value": 0, "verdict": "Malicious"},
            {"field": "stats.suspicious", "operator": ">", "value": 0, "verdict": "Suspicious"},
        ],
        "default_verdict": "Benign", "not_found_verdict": "Pending",
    }))
    .expect("valid");
    let verdict = |m, s| rules.verdict(&json!({"stats": {"malicious": m, "suspicious": s}}));
    assert_eq!(verdict(json!(14), json!(2)), Malice::Malicious);
    assert_eq!(verdict(json!("1"), json!(0)), Malice::Malicious);
    assert_eq!(verdict(json!(0), json!(2)), Malice::Suspicious);
    assert_eq!(verdict(json!(0), json!(null)), Malice::Benign);
    assert_eq!(rules.verdict(&json!({})), Malice::Benign);
    assert_eq!(rules.not_found(), Malice::Pending);
    assert_eq!(
        VerdictRules::parse(&json!(null)),
        Ok(VerdictRules::default())
    );
}

#[test]
fn every_operator_means_what_it_says() {
    let holds = |operator: &str, field: Value, value: Value| {
        let rules = VerdictRules::parse(&json!({"rules": [
            {"field": "f", "operator": operator, "value": value, "verdict": "Malicious"},
        ]}))
        .expect("valid");
        rules.verdict(&json!({"f": field})) == Malice::Malicious
    };
    let cases = [
        (">=", json!(75), json!(75), true),
        (">", json!(75), json!(75), false),
        ("<", json!("3"), json!(5), true),
        ("<=", json!(5.5), json!(5), false),
        (">", json!("many"), json!(0), false),
        ("==", json!("malicious"), json!("malicious"), true),
        ("==", json!(1), json!(1.0), true),
        ("==", json!("1"), json!(1), false),
        ("!=", json!(true), json!(false), true),
        ("!=", json!(null), json!(false), false),
        ("contains", json!("tor exit"), json!("tor"), true),
        ("contains", json!(["tor", "vpn"]), json!("vpn"), true),
        ("contains", json!({"tor": 1}), json!("tor"), true),
        ("contains", json!(5), json!(5), false),
        ("in", json!("tor"), json!(["tor", "vpn"]), true),
        ("in", json!("x"), json!(["tor"]), false),
    ];
    for (operator, field, value, expected) in cases {
        assert_eq!(
            holds(operator, field.clone(), value.clone()),
            expected,
            "{field} {operator} {value}"
        );
    }
}

#[test]
fn mistakes_in_verdict_rules_are_named() {
    let rule = |change: fn(&mut Value)| {
        let mut rule = json!({"field": "f", "operator": ">", "value": 0, "verdict": "Malicious"});
        change(&mut rule);
        json!({"rules": [rule]})
    };
    let cases = [
        ("malice_rules.default", json!({"default": "Benign"})),
        (
            "malice_rules.default_verdict",
            json!({"default_verdict": "benign"}),
        ),
        ("malice_rules.rules", json!({"rules": {}})),
        (
            "malice_rules.rules.0.operator",
            rule(|r| r["operator"] = json!("=>")),
        ),
        (
            "malice_rules.rules.0.verdict",
            rule(|r| r["verdict"] = json!("Bad")),
        ),
        (
            "malice_rules.rules.0.field",
            rule(|r| r["field"] = json!("")),
        ),
        ("malice_rules.rules.0.op", rule(|r| r["op"] = json!(">"))),
        ("malice_rules", json!([])),
    ];
    for (path, value) in cases {
        let errors = VerdictRules::parse(&value).expect_err("a mistake");
        assert_eq!(errors[0].path, path, "{value}");
    }
}

#[test]
fn the_rule_that_fired_is_told_in_words() {
    let rules = VerdictRules::parse(&json!({
        "rules": [
            {"field": "data.stats.malicious", "operator": ">=", "value": 5, "verdict": "Malicious"},
            {"field": "data.tags", "operator": "contains", "value": "tor", "verdict": "Suspicious"},
        ],
        "default_verdict": "Benign",
    }))
    .unwrap();
    let told = |answer: serde_json::Value| rules.in_words(&answer);
    assert_eq!(
        told(json!({"data": {"stats": {"malicious": 14}}})).as_deref(),
        Some("malicious is 14, at least 5: Malicious")
    );
    assert_eq!(
        told(json!({"data": {"tags": ["tor"]}})).as_deref(),
        Some("tags is [\"tor\"], with tor: Suspicious")
    );
    assert_eq!(told(json!({"data": {"stats": {"malicious": 4}}})), None);
}
