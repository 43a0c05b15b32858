//! An alert's activity as v1.1.0's clients read it: that server's words for what happened, beside
//! the event log's own. One table, so that a client's `switch` keeps working.

use calseta_contract::alert::ActivityView;
use calseta_domain::Timestamp;
use calseta_store::tables::event::EventRow;
use serde_json::{Map, Value};
use uuid::{Builder, Uuid};

/// v1.1.0's event for what an `alert.updated` changed; the first that fits.
const CHANGES: &[(&str, &str)] = &[
    ("status", "alert_status_updated"),
    ("severity", "alert_severity_updated"),
    ("malice_override", "alert_malice_updated"),
    ("malice", "alert_malice_updated"),
    ("indicators", "alert_indicators_added"),
];

/// Fields whose two-element lists are an old and a new value, and nothing else.
const PAIRS: &[&str] = &[
    "status",
    "severity",
    "malice",
    "malice_override",
    "close_classification",
];

fn event_type(kind: &str, detail: &Map<String, Value>) -> String {
    let word = match kind {
        "alert.created" => "alert_ingested",
        "alert.duplicated" => "alert_deduplicated",
        "alert.enriched" => "alert_enrichment_completed",
        "alert.closed" => "alert_closed",
        "alert.reopened" => "alert_status_updated",
        "alert.updated" => {
            let changed = CHANGES
                .iter()
                .find(|(field, _)| detail.contains_key(*field));
            changed.map_or("alert_updated", |(_, word)| word)
        }
        "finding.created" => "alert_finding_added",
        "indicator.updated" => "indicator_malice_updated",
        "delivery.updated" => "agent_webhook_dispatched",
        // v1.1.0 has no such event; its way of writing one.
        other => return other.replace('.', "_"),
    };
    word.to_owned()
}

fn actor_type(kind: &str) -> &'static str {
    match kind {
        "system" => "system",
        "mcp" => "mcp",
        _ => "api",
    }
}

/// What changed, and each `[old, new]` also as v1.1.0's `from_…` and `to_…`.
fn references(mut detail: Map<String, Value>) -> Map<String, Value> {
    let mut pairs = Vec::new();
    for field in PAIRS {
        let value = detail.get(*field).and_then(Value::as_array);
        if let Some([from, to]) = value.map(Vec::as_slice) {
            pairs.push((format!("from_{field}"), from.clone()));
            pairs.push((format!("to_{field}"), to.clone()));
        }
    }
    detail.extend(pairs);
    detail
}

/// An id that follows from the event's place and time: the log numbers its events and gives them no
/// other id.
fn id(seq: i64, at: Timestamp) -> Uuid {
    let millis = u64::try_from(at.millis()).unwrap_or(0);
    let mut rest = [0; 10];
    rest[2..].copy_from_slice(&seq.to_be_bytes());
    Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
}

/// An entry of `GET /v1/alerts/{uuid}/activity`.
pub(crate) fn entry(row: EventRow) -> ActivityView {
    let detail = row.detail.unwrap_or_default();
    ActivityView {
        uuid: id(row.seq, row.at),
        event_type: event_type(&row.kind, &detail),
        actor_type: actor_type(&row.actor.kind).to_owned(),
        actor_key_prefix: row.actor.key_prefix,
        alert_uuid: row.alert,
        references: references(detail),
        created_at: row.at,
        seq: row.seq,
        kind: row.kind,
        actor_kind: row.actor.kind,
        actor_name: row.actor.name,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_of_status_is_v1_1_0_s_event_with_both_ends() {
        let detail = json!({"status": ["Open", "Triaging"], "tags": [["a"], ["b"]]});
        let detail = detail.as_object().expect("an object").clone();
        assert_eq!(event_type("alert.updated", &detail), "alert_status_updated");
        let told = references(detail);
        assert_eq!(told["from_status"], "Open");
        assert_eq!(told["to_status"], "Triaging");
        assert_eq!(told["status"], json!(["Open", "Triaging"]));
        assert_eq!(event_type("run.updated", &Map::new()), "run_updated");
    }

    #[test]
    fn ids_differ_by_place_and_are_version_7() {
        let at = Timestamp::from_millis(1_736_937_000_000);
        assert_eq!(id(1, at), id(1, at));
        assert_ne!(id(1, at), id(2, at));
        assert_eq!(id(i64::MAX, at).get_version_num(), 7);
    }
}
