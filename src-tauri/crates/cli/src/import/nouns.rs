//! What is brought over besides alerts: how each kind is listed there, recognised here and written anew.

use serde_json::{Map, Value, json};

use super::Options;

/// Which of a server's things come over.
pub(super) enum Choice {
    /// This one.
    Take,
    /// Not this one, and there is nothing to say about it: every installation has it.
    Pass,
    /// Not this one, and the person should know why.
    Skip(&'static str),
}

/// A kind of thing with a list of its own.
#[derive(Clone, Copy)]
pub(super) struct Noun {
    /// Its name in the report.
    pub(super) kind: &'static str,
    /// Its list, there and here.
    pub(super) path: &'static str,
    /// A query that makes that list steady there.
    pub(super) order: &'static str,
    /// Whether the list leaves out what only the thing's own page has.
    pub(super) is_summary: bool,
    /// What a person calls it.
    pub(super) name: fn(&Value) -> String,
    /// What it is recognised by: two things with one identity are the same.
    pub(super) identity: fn(&Value) -> String,
    /// Whether it comes over.
    pub(super) choose: fn(&Value) -> Choice,
    /// The request that makes it here.
    pub(super) request: fn(&Value, &Options) -> Value,
    /// What is different here.
    pub(super) notes: fn(&Value) -> Vec<String>,
}

const BY_AGE: &str = "&sort_by=created_at&sort_order=asc";

pub(super) const RULES: Noun = Noun {
    kind: "rule",
    path: "/v1/detection-rules",
    order: BY_AGE,
    is_summary: false,
    name: |rule| text(rule, "name"),
    identity: |rule| match rule["source_rule_id"].as_str() {
        Some(id) => format!("{}\0id\0{id}", text(rule, "source_name")),
        None => format!(
            "{}\0name\0{}",
            text(rule, "source_name"),
            text(rule, "name")
        ),
    },
    choose: |_| Choice::Take,
    request: |rule, _| {
        let fields = [
            "name",
            "source_rule_id",
            "source_name",
            "severity",
            "is_active",
            "mitre_tactics",
            "mitre_techniques",
            "mitre_subtechniques",
            "data_sources",
            "run_frequency",
            "created_by",
            "documentation",
        ];
        pick(rule, &fields)
    },
    notes: |_| Vec::new(),
};

pub(super) const DOCUMENTS: Noun = Noun {
    kind: "document",
    path: "/v1/context-documents",
    order: BY_AGE,
    is_summary: true,
    name: |document| text(document, "title"),
    identity: |document| text(document, "title"),
    choose: |_| Choice::Take,
    request: |document, _| {
        let fields = [
            "title",
            "document_type",
            "content",
            "description",
            "is_global",
            "tags",
            "targeting_rules",
        ];
        pick(document, &fields)
    },
    notes: |document| {
        let everywhere =
            document["is_global"] == json!(false) && document["targeting_rules"].is_null();
        let text = "a document without rules that is not global applied to every alert there and applies to none here: give it rules, or make it global";
        everywhere.then(|| text.to_owned()).into_iter().collect()
    },
};

pub(super) const PROVIDERS: Noun = Noun {
    kind: "provider",
    path: "/v1/enrichment-providers",
    order: "",
    is_summary: false,
    name: |provider| text(provider, "provider_name"),
    identity: |provider| text(provider, "provider_name"),
    choose: |provider| match (&provider["is_builtin"], &provider["has_credentials"]) {
        (Value::Bool(true), Value::Bool(true)) => {
            Choice::Skip("it is built in here too and needs its secret: no server gives it out")
        }
        (Value::Bool(true), _) => Choice::Pass,
        _ => Choice::Take,
    },
    request: |provider, options| {
        let fields = [
            "provider_name",
            "display_name",
            "description",
            "is_active",
            "supported_indicator_types",
            "http_config",
            "auth_type",
            "default_cache_ttl_seconds",
            "cache_ttl_by_type",
            "malice_rules",
        ];
        with_private(pick(provider, &fields), options)
    },
    notes: |provider| {
        let secret = provider["has_credentials"] == json!(true);
        let text = "a provider needs its secret: no server gives it out, so enter it here";
        secret.then(|| text.to_owned()).into_iter().collect()
    },
};

pub(super) const EXTRACTIONS: Noun = Noun {
    kind: "extraction",
    path: "/v1/enrichment-field-extractions",
    order: "",
    is_summary: false,
    name: |rule| {
        let part = |name| text(rule, name);
        format!(
            "{} {} {} → {}",
            part("provider_name"),
            part("indicator_type"),
            part("source_path"),
            part("target_key")
        )
    },
    identity: |rule| joined(rule, &["provider_name", "indicator_type", "source_path"]),
    choose: own,
    request: |rule, _| {
        let fields = [
            "provider_name",
            "indicator_type",
            "source_path",
            "target_key",
            "value_type",
            "is_active",
            "description",
        ];
        pick(rule, &fields)
    },
    notes: |_| Vec::new(),
};

pub(super) const MAPPINGS: Noun = Noun {
    kind: "mapping",
    path: "/v1/indicator-mappings",
    order: "",
    is_summary: false,
    name: |mapping| {
        format!(
            "{} → {}",
            text(mapping, "field_path"),
            text(mapping, "indicator_type")
        )
    },
    identity: |mapping| {
        let fields = [
            "source_name",
            "extraction_target",
            "field_path",
            "indicator_type",
        ];
        joined(mapping, &fields)
    },
    choose: own,
    request: |mapping, _| {
        let fields = [
            "source_name",
            "field_path",
            "indicator_type",
            "extraction_target",
            "is_active",
            "description",
        ];
        pick(mapping, &fields)
    },
    notes: |_| Vec::new(),
};

pub(super) const AGENTS: Noun = Noun {
    kind: "agent",
    path: "/v1/agents",
    order: "",
    is_summary: false,
    name: |agent| text(agent, "name"),
    identity: |agent| text(agent, "name"),
    choose: |_| Choice::Take,
    request: |agent, options| {
        let fields = [
            "name",
            "description",
            "endpoint_url",
            "trigger_filter",
            "trigger_on_sources",
            "trigger_on_severities",
            "timeout_seconds",
            "retry_count",
            "documentation",
        ];
        let mut request = pick(agent, &fields);
        request["is_active"] = json!(false);
        with_private(request, options)
    },
    notes: |agent| {
        let mut notes = vec![
            "agents came over switched off: give each its new signing secret (rotate-secret), then enable it".to_owned(),
        ];
        if let Some(header) = agent["auth_header_name"].as_str() {
            notes.push(format!(
                "an agent needs its secret: the value of its header {} was not given out",
                super::there::quoted(header)
            ));
        }
        let filter = &agent["trigger_filter"];
        let is_plain = filter.as_object().is_some_and(|filter| !filter.is_empty())
            && filter["match_any"].is_null()
            && filter["match_all"].is_null();
        if is_plain {
            notes.push("an agent's filter without match_any and match_all let everything through there and counts here".to_owned());
        }
        notes
    },
};

/// Everything but what came with the installation.
fn own(thing: &Value) -> Choice {
    if thing["is_system"] == json!(true) {
        Choice::Pass
    } else {
        Choice::Take
    }
}

fn with_private(mut request: Value, options: &Options) -> Value {
    if options.allow_private {
        request["allow_private"] = json!(true);
    }
    request
}

/// The fields that are set; a server that says `null` leaves it to our default.
fn pick(thing: &Value, fields: &[&str]) -> Value {
    let set = fields.iter().filter(|name| !thing[**name].is_null());
    Value::Object(
        set.map(|name| ((*name).to_owned(), thing[*name].clone()))
            .collect::<Map<_, _>>(),
    )
}

fn text(thing: &Value, name: &str) -> String {
    thing[name].as_str().unwrap_or_default().to_owned()
}

fn joined(thing: &Value, fields: &[&str]) -> String {
    let parts: Vec<String> = fields.iter().map(|name| text(thing, name)).collect();
    parts.join("\0")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: Options = Options {
        dry_run: false,
        allow_private: false,
        tell_agents: false,
    };

    #[test]
    fn a_rule_is_its_source_s_id_and_only_without_one_its_name() {
        let named =
            |name: &str, id: Value| json!({"name": name, "source_name": "s", "source_rule_id": id});
        let identity = RULES.identity;
        let same = identity(&named("old name", json!("r1")));
        assert_eq!(same, identity(&named("new name", json!("r1"))));
        assert_ne!(same, identity(&named("old name", json!("r2"))));
        assert_ne!(same, identity(&named("r1", Value::Null)));
        let elsewhere = json!({"name": "n", "source_name": "t", "source_rule_id": "r1"});
        assert_ne!(same, identity(&elsewhere));
    }

    #[test]
    fn an_agent_comes_switched_off_and_without_what_only_its_server_knows() {
        let agent = json!({
            "uuid": "u", "name": "A", "endpoint_url": "http://127.0.0.1:1/x", "is_active": true,
            "auth_header_name": "X-Key", "auth_header_value": "leaked", "trigger_filter": null,
        });
        let request = (AGENTS.request)(&agent, &OPTIONS);
        assert_eq!(
            request,
            json!({"name": "A", "endpoint_url": "http://127.0.0.1:1/x", "is_active": false})
        );
        assert!(
            (AGENTS.notes)(&agent)
                .iter()
                .any(|note| note.contains("needs its secret"))
        );
    }

    #[test]
    fn what_every_installation_has_stays_and_own_things_come() {
        let choose = PROVIDERS.choose;
        let provider = |builtin, secret| json!({"is_builtin": builtin, "has_credentials": secret});
        assert!(matches!(choose(&provider(true, false)), Choice::Pass));
        assert!(matches!(choose(&provider(true, true)), Choice::Skip(_)));
        assert!(matches!(choose(&provider(false, true)), Choice::Take));
        assert!(matches!(own(&json!({"is_system": true})), Choice::Pass));
        assert!(matches!(own(&json!({"is_system": false})), Choice::Take));
    }
}
