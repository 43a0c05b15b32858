//! A body that each route accepts, for the rows of `routes`.

pub(crate) const ALERT: &str = r#"{"title":"t","severity":"High","src_ip":"203.0.113.7"}"#;
pub(crate) const WRAPPED: &str =
    r#"{"source_name":"generic","payload":{"title":"t","severity":"High"}}"#;
pub(crate) const PATCH_ALERT: &str = r#"{"status":"Triaging","severity":"Low","tags":["a","b"]}"#;
pub(crate) const FINDING: &str = r#"{"summary":"s","confidence":0.5,"recommended_actions":["a"],"details":{"k":1},"verdict":"benign","citations":[{"claim":"c","ref":{"raw_pointer":"/title"},"expected":"t"}]}"#;
pub(crate) const AGENT: &str = r#"{"name":"a","webhook_url":"http://127.0.0.1:9/w","trigger_filter":{"min_severity":"High","source_names":["generic"],"tags":["x"]},"timeout_seconds":5,"retry_count":1}"#;
pub(crate) const PATCH_AGENT: &str = r#"{"name":"b","description":null,"is_active":false,"trigger_filter":{"min_severity":"Low"},"timeout_seconds":9}"#;
pub(crate) const KEY: &str = r#"{"name":"k","scopes":["alerts:read"],"key_type":"human","allowed_sources":["generic"],"expires_at":"2099-01-01T00:00:00Z"}"#;
pub(crate) const DOCUMENT: &str = r##"{"title":"d","document_type":"runbook","content":"# c","tags":["x"],"targeting_rules":{"match_any":[{"field":"severity","op":"eq","value":"High"}]}}"##;
pub(crate) const PATCH_DOCUMENT: &str =
    r#"{"title":"e","content":"f","description":null,"tags":[]}"#;
pub(crate) const RULE: &str = r#"{"name":"r","source_name":"generic","source_rule_id":"r-1","severity":"High","mitre_tactics":["TA0001"],"documentation":"d"}"#;
pub(crate) const PATCH_RULE: &str = r#"{"name":"r2","severity":null,"is_active":false}"#;
pub(crate) const PURGE: &str = r#"{"reason":"held a password"}"#;
/// Nobody has this many alerts: it is understood and refused.
pub(crate) const DELETE_NONE: &str = r#"{"confirm":"delete 987654321 alerts"}"#;
pub(crate) const GRANT: &str = r#"{"scheme":"http","host":"127.0.0.1","port":9,"for":"agent"}"#;
pub(crate) const PROVIDER: &str = r#"{"is_active":true,"mode":"off","base_url":"http://127.0.0.1:9","auth_config":{"api_key":"k"}}"#;
pub(crate) const REDELIVER: &str = r#"{"mode":"as_sent"}"#;
pub(crate) const TEST: &str = r#"{"alert_uuid":null}"#;
pub(crate) const NEW_PROVIDER: &str = r#"{"provider_name":"own","display_name":"Own","supported_indicator_types":["ip"],"http_config":{"steps":[{"name":"a","method":"GET","url":"https://example.test/{{indicator.value}}"}]}}"#;
pub(crate) const ASKED: &str = r#"{"indicator_type":"ip","indicator_value":"203.0.113.7"}"#;
pub(crate) const ENRICH: &str = r#"{"type":"ip","value":"203.0.113.7"}"#;
pub(crate) const EXTRACTION: &str = r#"{"provider_name":"virustotal","indicator_type":"ip","source_path":"data.attributes.country","target_key":"country"}"#;
pub(crate) const EXTRACTIONS: &str = r#"{"extractions":[{"provider_name":"virustotal","indicator_type":"ip","source_path":"data.attributes.continent","target_key":"continent"}]}"#;
pub(crate) const SWITCH_OFF: &str = r#"{"is_active":false}"#;
pub(crate) const SOURCE: &str = r#"{"source_name":"own","display_name":"Own","field_map":{"title":"rule.description","severity":"rule.level"}}"#;
pub(crate) const PATCH_SOURCE: &str = r#"{"display_name":"Own, renamed"}"#;
pub(crate) const PATCH_KEY: &str = r#"{"scopes":["alerts:read"],"allowed_sources":null}"#;
pub(crate) const INDICATORS: &str = r#"{"indicators":[{"type":"ip","value":"203.0.113.9"}]}"#;
pub(crate) const VIEW: &str = r#"{"name":"Mine","q":"status:open"}"#;
pub(crate) const PATCH_VIEW: &str = r#"{"name":"Mine, renamed"}"#;
pub(crate) const VERDICT: &str = r#"{"malice":"Malicious"}"#;
pub(crate) const MAPPING: &str = r#"{"source_name":"generic","field_path":"user.principal.name","indicator_type":"account","extraction_target":"raw_payload"}"#;
pub(crate) const EXTRACTION_TEST: &str =
    r#"{"source_name":"generic","raw_payload":{"title":"t","severity":"High"}}"#;
pub(crate) const SETTINGS: &str = r#"{"general":{"analyst_name":"Ada"}}"#;
pub(crate) const PREVIEW: &str = r#"{"trigger_filter":{"min_severity":"High"},"days":7}"#;
pub(crate) const RECOVER: &str = r#"{"state":"dead"}"#;
pub(crate) const SESSION: &str = r#"{"token":"once_x"}"#;
pub(crate) const NOTE: &str = r#"{"text":"n"}"#;
pub(crate) const SNOOZE: &str = r#"{"until":"2099-01-01T00:00:00Z"}"#;
pub(crate) const FLAGS: &str = r#"{"unread":true,"flagged":true}"#;
pub(crate) const DONE: &str = r#"{"done":true}"#;
pub(crate) const BULK: &str = r#"{"select":{"q":"status:open","except":["0195d3c0-0000-7000-8000-000000000000"]},"action":{"kind":"tags","add_tags":["a"],"remove_tags":["b"]},"dry_run":true}"#;
pub(crate) const SUPPRESSION: &str = r#"{"name":"s","q":"tag:nothing-has-it","reason":"r"}"#;
pub(crate) const PATCH_SUPPRESSION: &str = r#"{"name":"t","reason":null}"#;
pub(crate) const SUPPRESSION_PREVIEW: &str = r#"{"q":"tag:nothing-has-it","days":7}"#;
pub(crate) const REVIEW: &str = r#"{"decision":"disagree","reason":"wrong_fact","comment":"c"}"#;
pub(crate) const HIDDEN: &str = r#"{"hidden":true}"#;
