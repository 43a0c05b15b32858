//! A little of everything that a v1.1.0 server holds.

use serde_json::{Value, json};

use crate::old_server::World;

/// A uuid as v1.1.0 makes them, by number.
pub(crate) fn uuid(n: u64) -> String {
    format!("7b1f0c5e-0000-4000-8000-{n:012x}")
}

/// An alert as v1.1.0 shows it.
pub(crate) fn alert(n: u64, title: &str, more: &Value) -> Value {
    let mut alert = json!({
        "uuid": uuid(n), "title": title, "description": null, "severity": "Medium", "status": "Open",
        "enrichment_status": "Enriched", "source_name": "generic", "is_enriched": true,
        "occurred_at": "2026-03-01T10:00:00+00:00", "ingested_at": "2026-03-01T10:00:05.123456+00:00",
        "created_at": format!("2026-03-01T10:{:02}:06+00:00", n % 60),
        "updated_at": "2026-03-02T10:00:06+00:00", "duplicate_count": 0, "tags": [],
        "close_classification": null, "acknowledged_at": null, "triaged_at": null, "closed_at": null,
        "fingerprint": "d41d8cd98f00b204e9800998ecf8427e", "detection_rule_id": 7, "malice": "Pending",
        "malice_override": null, "agent_findings": null, "indicators": [], "context_documents": [],
        "raw_payload": {"title": title, "severity": "medium", "occurred_at": "2026-03-01T10:00:00Z"},
    });
    for (name, value) in more.as_object().expect("an object") {
        alert[name] = value.clone();
    }
    alert
}

pub(crate) fn finding(n: u64, summary: &str) -> Value {
    json!({
        "id": uuid(n), "agent_name": "triage-bot", "summary": summary, "confidence": "high",
        "recommended_action": "Isolate the host", "evidence": {"hits": 3},
        "posted_at": "2026-03-01T10:05:00+00:00",
    })
}

/// A little of everything.
pub(crate) fn world() -> World {
    let closed = json!({
        "status": "Closed", "severity": "High", "tags": ["vip", "phishing"],
        "close_classification": "False Positive - Inaccurate Data",
        "acknowledged_at": "2026-03-01T10:10:00+00:00", "closed_at": "2026-03-01T11:00:00+00:00",
        "agent_findings": [finding(901, "Looks bad"), finding(902, "Is harmless")],
    });
    let escalated = json!({"status": "Escalated", "malice_override": "Malicious"});
    let sentinel = json!({"source_name": "sentinel", "raw_payload": {
        "properties": {"title": "Sign-in from Tor", "severity": "High",
            "relatedAnalyticRuleIds": ["/subscriptions/x/alertRules/rule-1"]},
        "Entities": [{"Type": "ip", "Address": "185.220.101.47"}],
    }});
    World::of([
        ("/v1/detection-rules", rules()),
        ("/v1/context-documents", documents()),
        ("/v1/enrichment-providers", providers()),
        ("/v1/enrichment-field-extractions", extractions()),
        ("/v1/indicator-mappings", mappings()),
        ("/v1/agents", agents()),
        (
            "/v1/alerts",
            vec![
                alert(101, "Sign-in from Tor", &sentinel),
                alert(102, "Phish reported", &closed),
                alert(103, "Lateral movement", &escalated),
                alert(104, "Still open", &json!({})),
            ],
        ),
        (
            "/v1/workflows",
            vec![json!({"uuid": uuid(801)}), json!({"uuid": uuid(802)})],
        ),
        ("/v1/api-keys", vec![json!({"uuid": uuid(811)})]),
    ])
}

pub(crate) fn rules() -> Vec<Value> {
    let rule = |n: u64, name: &str, id: Value| {
        json!({
            "uuid": uuid(n), "name": name, "source_rule_id": id, "source_name": "sentinel", "severity": "High",
            "is_active": n != 3, "mitre_tactics": ["InitialAccess"], "mitre_techniques": ["T1078"],
            "mitre_subtechniques": [], "data_sources": ["SigninLogs"], "run_frequency": "PT5M",
            "created_by": "cai_abcd", "documentation": "# Goal\nFind it.",
            "created_at": "2026-01-01T00:00:00+00:00", "updated_at": "2026-01-01T00:00:00+00:00",
        })
    };
    vec![
        rule(1, "Tor sign-in", json!("rule-1")),
        // Two stubs of one rule: v1.1.0 makes them when two alerts come at once.
        rule(2, "rule-1", json!("rule-1")),
        rule(3, "By hand", Value::Null),
    ]
}

pub(crate) fn documents() -> Vec<Value> {
    let document = |n: u64, title: &str, rules: Value| {
        json!({
            "uuid": uuid(n), "title": title, "document_type": "runbook", "description": "How to",
            "is_global": n == 11, "tags": ["identity"], "version": 4, "content": format!("# {title}"),
            "targeting_rules": rules,
            "created_at": "2026-01-01T00:00:00+00:00", "updated_at": "2026-01-01T00:00:00+00:00",
        })
    };
    let rules = json!({"match_any": [{"field": "severity", "op": "gte", "value": "High"}]});
    vec![
        document(11, "Escalation matrix", Value::Null),
        document(12, "Identity runbook", rules),
        document(13, "Forgotten notes", Value::Null),
    ]
}

pub(crate) fn providers() -> Vec<Value> {
    let provider = |n: u64, name: &str, builtin: bool, credentials: bool| {
        json!({
            "uuid": uuid(n), "provider_name": name, "display_name": "Reputation", "description": null,
            "is_builtin": builtin, "is_active": true, "supported_indicator_types": ["ip"],
            "http_config": {"steps": [{"name": "lookup", "method": "GET",
                "url": "https://reputation.example.org/{{indicator.value}}",
                "headers": {"X-Key": "{{auth.api_key}}"}, "expected_status": [200], "not_found_status": [404]}]},
            "auth_type": "api_key", "has_credentials": credentials, "is_configured": credentials,
            "env_var_mapping": null, "default_cache_ttl_seconds": 600, "cache_ttl_by_type": {"ip": 900},
            "malice_rules": {"rules": [{"field": "score", "operator": ">", "value": 50, "verdict": "Malicious"}],
                "default_verdict": "Benign", "not_found_verdict": "Pending"},
            "created_at": "2026-01-01T00:00:00+00:00", "updated_at": "2026-01-01T00:00:00+00:00",
        })
    };
    vec![
        provider(21, "virustotal", true, true),
        provider(22, "abuseipdb", true, false),
        provider(23, "house_reputation", false, true),
    ]
}

pub(crate) fn extractions() -> Vec<Value> {
    let rule = |n: u64, path: &str, system: bool| {
        json!({
            "uuid": uuid(n), "provider_name": "house_reputation", "indicator_type": "ip", "source_path": path,
            "target_key": path, "value_type": "int", "is_system": system, "is_active": true, "description": null,
            "created_at": "2026-01-01T00:00:00+00:00", "updated_at": "2026-01-01T00:00:00+00:00",
        })
    };
    vec![rule(31, "score", false), rule(32, "system_score", true)]
}

pub(crate) fn mappings() -> Vec<Value> {
    let mapping = |n: u64, path: &str, system: bool| {
        json!({
            "uuid": uuid(n), "source_name": "generic", "field_path": path, "indicator_type": "ip",
            "extraction_target": "raw_payload", "is_system": system, "is_active": true, "description": "ours",
            "created_at": "2026-01-01T00:00:00+00:00", "updated_at": "2026-01-01T00:00:00+00:00",
        })
    };
    vec![
        mapping(41, "peer.address", false),
        mapping(42, "src_ip", true),
    ]
}

pub(crate) fn agents() -> Vec<Value> {
    vec![json!({
        "uuid": uuid(51), "name": "Triage bot", "description": "Looks first",
        "endpoint_url": "https://agents.example.org/hook", "auth_header_name": "X-Agent-Key",
        "trigger_on_sources": ["sentinel"], "trigger_on_severities": ["High", "Critical"],
        "trigger_filter": null, "timeout_seconds": 20, "retry_count": 2, "is_active": true, "documentation": null,
        "created_at": "2026-01-01T00:00:00+00:00", "updated_at": "2026-01-01T00:00:00+00:00",
    })]
}
