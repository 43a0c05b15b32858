//! What templates give, and what they must never give.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::IndicatorType;

struct Fixture {
    indicator: Indicator,
    auth: BTreeMap<String, String>,
    steps: Map<String, Value>,
}

fn fixture(value: &str) -> Fixture {
    let steps = json!({"lookup": {"id": "a/b", "n": 7, "list": [1, 2], "empty": "",
        "link": "https://evil.example/api/v1/users/00u?x=/1#/2", "up": "https://x/..", "dir": "/a/"}});
    Fixture {
        indicator: Indicator {
            kind: IndicatorType::Domain,
            value: value.to_owned(),
        },
        auth: BTreeMap::from([
            ("api_key".to_owned(), "s3cret".to_owned()),
            ("domain".to_owned(), "acme.okta.com".to_owned()),
            ("broken".to_owned(), "a\r\nX: y".to_owned()),
        ]),
        steps: steps.as_object().expect("an object").clone(),
    }
}

impl Fixture {
    fn scope(&self) -> Scope<'_> {
        Scope {
            indicator: Some(&self.indicator),
            auth: Some(&self.auth),
            base_url: Some("http://127.0.0.1:9000/vt/"),
            steps: Some(&self.steps),
        }
    }
}

#[test]
fn values_in_a_url_are_one_segment_or_one_query_value() {
    let fixture = fixture("a/../b?x=1&y#z é%");
    let url = |template: &str| render_url(template, &fixture.scope()).expect("renders");
    let encoded = "a%2F..%2Fb%3Fx%3D1%26y%23z%20%C3%A9%25";
    assert_eq!(
        url("https://api.example/v3/{{indicator.value}}/x"),
        format!("https://api.example/v3/{encoded}/x")
    );
    assert_eq!(
        url("https://api.example/?q={{ value | urlencode }}&t={{type}}"),
        format!("https://api.example/?q={encoded}&t=domain")
    );
    assert_eq!(
        url("{{base_url}}/ip/{{steps.lookup.response.id}}"),
        "http://127.0.0.1:9000/vt/ip/a%2Fb"
    );
    assert_eq!(
        url("{{auth.base_url}}/n/{{steps.lookup.response.n}}"),
        "http://127.0.0.1:9000/vt/n/7"
    );
    assert_eq!(
        url("https://{{auth.domain}}/api"),
        "https://acme.okta.com/api"
    );
}

#[test]
fn of_a_link_only_its_last_segment_is_used() {
    let fixture = fixture("x");
    let url = |link: &str| {
        let path = format!("steps.lookup.response.{link}|last_segment");
        render_url(
            &format!("{{{{base_url}}}}/users/{{{{{path}}}}}"),
            &fixture.scope(),
        )
    };
    assert_eq!(
        url("link").as_deref(),
        Ok("http://127.0.0.1:9000/vt/users/00u")
    );
    assert_eq!(url("n").as_deref(), Ok("http://127.0.0.1:9000/vt/users/7"));
    assert!(matches!(url("up"), Err(TemplateError::Refused(_))));
    assert!(
        matches!(url("dir"), Err(TemplateError::Missing(_))),
        "nothing follows the last /"
    );
    let whole = json!("{{steps.lookup.response.link | last_segment}}");
    assert_eq!(render_json(&whole, &fixture.scope()), Ok(json!("00u")));
    let text = render_text(
        "id={{steps.lookup.response.link | last_segment}}",
        &fixture.scope(),
    );
    assert_eq!(text.as_deref(), Ok("id=00u"));
}

#[test]
fn an_indicator_never_decides_where_a_request_goes() {
    let hostile = [
        "https://{{value}}/x",
        "https://api.example{{value}}/x",
        "{{value}}",
        "{{base_url}}{{value}}",
        "{{base_url}}.evil.com/x",
        "{{base_url}}@evil.com/x",
        "ftp://api.example/{{value}}",
    ];
    let fixture = fixture("evil.com");
    for template in hostile {
        assert!(
            render_url(template, &fixture.scope()).is_err(),
            "{template}"
        );
        if !template.starts_with("ftp") {
            assert!(
                validate_url("url", template, &Allowed::default()).is_err(),
                "{template}"
            );
        }
    }
    for dots in [".", ".."] {
        let fixture = self::fixture(dots);
        assert!(render_url("https://api.example/a/{{value}}", &fixture.scope()).is_err());
    }
}

#[test]
fn a_missing_value_is_an_error_in_a_url_and_empty_elsewhere() {
    let fixture = fixture("v");
    let scope = fixture.scope();
    for gone in [
        "steps.lookup.response.gone",
        "steps.lookup.response.empty",
        "steps.other.response.x",
    ] {
        let template = format!("https://api.example/{{{{{gone}}}}}");
        assert_eq!(
            render_url(&template, &scope),
            Err(TemplateError::Missing(gone.to_owned()))
        );
        assert_eq!(
            render_text(&format!("[{{{{{gone}}}}}]"), &scope).as_deref(),
            Ok("[]")
        );
    }
    assert!(matches!(
        render_header("Bearer {{auth.gone}}", &scope),
        Err(TemplateError::Missing(_))
    ));
}

#[test]
fn headers_take_no_line_breaks_and_errors_no_secrets() {
    let fixture = fixture("v");
    let error = render_header("{{auth.broken}}", &fixture.scope()).expect_err("CR LF");
    assert!(!error.to_string().contains("X: y"));
    assert_eq!(
        render_header("Bearer {{auth.api_key}}", &fixture.scope()).as_deref(),
        Ok("Bearer s3cret")
    );
    assert!(!format!("{:?}", fixture.scope()).contains("s3cret"));
}

#[test]
fn json_keeps_the_type_of_a_whole_template() {
    let fixture = fixture("v");
    let template = json!({
        "n": "{{steps.lookup.response.n}}", "list": "{{steps.lookup.response.list}}",
        "text": "n={{steps.lookup.response.n}}", "gone": "{{steps.lookup.response.gone}}",
        "deep": [{"v": "{{value}}"}, 1, null],
    });
    assert_eq!(
        render_json(&template, &fixture.scope()),
        Ok(
            json!({"n": 7, "list": [1, 2], "text": "n=7", "gone": null, "deep": [{"v": "v"}, 1, null]})
        )
    );
}

#[test]
fn what_does_not_exist_is_refused_when_it_is_saved() {
    let steps = ["lookup".to_owned()];
    let allowed = Allowed { steps: &steps };
    for good in [
        "",
        "x",
        "{{value}}",
        "{{ steps.lookup.response.a.0 | urlencode }}",
        "{{ steps.lookup.response.a | last_segment | urlencode }}",
        "{{auth.k}}",
    ] {
        assert_eq!(validate("p", good, &allowed), Ok(()), "{good}");
    }
    for bad in [
        "{{",
        "{{value",
        "{{}}",
        "{{env.HOME}}",
        "{{auth.}}",
        "{{steps.lookup}}",
        "{{steps.lookup.request}}",
        "{{steps.lookup.responses}}",
        "{{value|upper}}",
        "{{indicator.verdict}}",
    ] {
        assert!(validate("p", bad, &allowed).is_err(), "{bad}");
    }
    let later = validate("p", "{{steps.lokup.response.a}}", &allowed).expect_err("no such step");
    assert_eq!(later.did_you_mean.as_deref(), Some("lookup"));
    assert!(validate("p", &"{{value}}".repeat(MAX_PLACEHOLDERS + 1), &allowed).is_err());
    assert!(validate("p", &"x".repeat(MAX_TEMPLATE_BYTES + 1), &allowed).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn a_rendered_url_keeps_its_host_and_its_number_of_segments(value in "\\PC{1,60}") {
        let fixture = fixture(&value);
        match render_url("https://api.example/v3/{{value}}/end", &fixture.scope()) {
            Ok(rendered) => {
                let url = Url::parse(&rendered).expect("a URL");
                prop_assert_eq!(url.host_str(), Some("api.example"));
                prop_assert_eq!(url.path_segments().expect("has a path").count(), 3);
                prop_assert_eq!(url.query(), None);
            }
            Err(_) => prop_assert!(value == "." || value == ".."),
        }
    }
}
