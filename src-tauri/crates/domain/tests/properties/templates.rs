//! Templates of provider steps, and what is read out of answers.

use std::collections::BTreeMap;

use calseta_domain::step::{ExtractionRule, ValueType, extract_fields, response_value};
use calseta_domain::template::{
    Allowed, MAX_RENDERED_BYTES, Scope, TemplateError, render_header, render_json, render_text,
    render_url, validate, validate_url,
};
use calseta_domain::{Indicator, IndicatorType, VerdictRules};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::CASES;
use super::documents::{leaf, nearly_a_sample};

fn template() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "{{value}}",
            "{{ indicator.type }}",
            "{{auth.api_key}}",
            "{{base_url}}",
            "{{",
            "}}",
            "{{value",
            "{{steps.one.response.a.0}}",
            "{{steps.one.response.link | last_segment}}",
            "/",
            "?q=",
            "#",
            "{{value|urlencode}}",
            "{{env.HOME}}",
            "{{auth.base_url}}",
            "https://",
            "http://",
            "..",
            "{{}}",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
        "[a-z./:@]{0,8}",
    ];
    prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

struct World {
    indicator: Indicator,
    auth: BTreeMap<String, String>,
    steps: Map<String, Value>,
}

impl World {
    fn new(value: &str, answer: Value) -> Self {
        let mut steps = Map::new();
        steps.insert("one".to_owned(), answer);
        Self {
            indicator: Indicator {
                kind: IndicatorType::Account,
                value: value.to_owned(),
            },
            auth: BTreeMap::from([("api_key".to_owned(), "s3cret".to_owned())]),
            steps,
        }
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            indicator: Some(&self.indicator),
            auth: Some(&self.auth),
            base_url: Some("https://intel.example:8443/prefix/"),
            steps: Some(&self.steps),
        }
    }
}

fn same_shape(template: &Value, rendered: &Value) -> bool {
    match (template, rendered) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_shape(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(k, v)| b.get(k).is_some_and(|w| same_shape(v, w)))
        }
        (Value::String(_), _) => true,
        (a, b) => a == b,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn what_was_saved_never_fails_for_its_syntax(template in template(), value in "\\PC{1,20}", answer in leaf()) {
        let world = World::new(&value, json!({"a": [answer.clone()], "link": answer}));
        let steps = ["one".to_owned()];
        let allowed = Allowed { steps: &steps };
        let is_valid = validate("p", &template, &allowed).is_ok();
        let text = render_text(&template, &world.scope());
        prop_assert!(!is_valid || !matches!(text, Err(TemplateError::Syntax(_))), "{:?}", text);
        if let Ok(text) = &text {
            prop_assert!(is_valid, "what renders could be saved: {}", template);
            prop_assert!(text.len() <= MAX_RENDERED_BYTES);
        }
        if let Ok(header) = render_header(&template, &world.scope()) {
            prop_assert!(!header.chars().any(|c| c.is_control() && c != '\t'));
        }
        if let Err(error) = text {
            prop_assert!(!error.to_string().contains("s3cret"), "an error shows no credential");
        }
    }

    #[test]
    fn a_url_goes_where_its_template_says(template in template(), value in "\\PC{1,20}", answer in leaf()) {
        let world = World::new(&value, json!({"a": [answer.clone()], "link": answer}));
        let steps = ["one".to_owned()];
        let allowed = Allowed { steps: &steps };
        // Whatever the rest is, the base URL's host and prefix stand.
        let based = format!("{{{{base_url}}}}/x/{template}");
        if validate_url("p", &based, &allowed).is_ok()
            && let Ok(rendered) = render_url(&based, &world.scope())
        {
            prop_assert!(rendered.starts_with("https://intel.example:8443/prefix/x/"), "{}", rendered);
        }
        let fixed = format!("https://api.example/v1/{template}");
        if validate_url("p", &fixed, &allowed).is_ok()
            && let Ok(rendered) = render_url(&fixed, &world.scope())
        {
            prop_assert!(rendered.starts_with("https://api.example/v1/"), "{}", rendered);
        }
    }

    #[test]
    fn a_json_body_keeps_its_shape(template in template(), other in leaf(), value in "\\PC{1,20}") {
        let world = World::new(&value, json!({"a": [1]}));
        let body = json!({"q": template, "list": [other, {"in": template}], "n": 1});
        if let Ok(rendered) = render_json(&body, &world.scope()) {
            prop_assert!(same_shape(&body, &rendered), "{} {}", body, rendered);
        }
    }

    #[test]
    fn whatever_a_provider_answers_is_read(
        (_, answer) in nearly_a_sample(),
        path in "[a-zA-Z.0-9]{0,12}|properties\\.title|result\\.[a-z_]{1,8}|rule\\.[a-z]{1,8}",
        value_type in prop::sample::select(ValueType::ALL),
        limit in -5..20_i32,
    ) {
        let rule = |kind| ExtractionRule {
            indicator_type: kind,
            source_path: path.clone(),
            target_key: "key".to_owned(),
            value_type,
        };
        let fields = extract_fields(&[rule(IndicatorType::Ip)], IndicatorType::Ip, &answer);
        prop_assert!(fields.values().all(|value| !value.is_null()));
        for value in fields.values() {
            let fits = match value_type {
                ValueType::Text => value.is_string(),
                ValueType::Int => value.is_i64() || value.is_u64(),
                ValueType::Float | ValueType::Number => value.is_number(),
                ValueType::Bool => value.is_boolean(),
                ValueType::List | ValueType::Dict | ValueType::Any => true,
            };
            prop_assert!(fits, "{} is no {}", value, value_type);
        }
        let other = extract_fields(&[rule(IndicatorType::Url)], IndicatorType::Ip, &answer);
        prop_assert!(other.is_empty(), "another type's rule is not run");
        let rules = json!({
            "rules": [{"field": path, "operator": ">=", "value": limit, "verdict": "Malicious"}],
            "default_verdict": "Benign",
        });
        if let Ok(rules) = VerdictRules::parse(&rules) {
            rules.verdict(&answer);
        }
    }

    #[test]
    fn any_bytes_are_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let value = response_value(&bytes);
        if serde_json::from_slice::<Value>(&bytes).is_err() {
            prop_assert!(value.get("_raw_text").is_some_and(Value::is_string));
        }
    }
}
