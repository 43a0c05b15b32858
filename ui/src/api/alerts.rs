//! Alerts: lists, one alert, what a person does to it.

use std::sync::Arc;

use calseta_contract::alert::{ActivityView, AlertMetadata, AlertSummary, AlertView};
use calseta_contract::delivery::DeliveryView;
use calseta_contract::ingest::IngestView;
use calseta_contract::{ListMeta, Page};
use calseta_domain::AlertId;
use serde_json::{Value, json};

use super::Failure;
use super::request::{encoded, get, send};

/// Entries of an alert's timeline that are read at once.
const ACTIVITY_PAGE: u32 = 200;
/// Deliveries of an alert that are read at once.
const DELIVERIES_PAGE: u32 = 50;

/// An alert with what is said about it.
#[derive(Debug)]
pub(crate) struct AlertDetail {
    /// The alert.
    pub(crate) view: AlertView,
    /// Its metadata.
    pub(crate) metadata: AlertMetadata,
}

/// One page of what a query finds, in its order, else newest accepted first. It is not counted:
/// counting is slower than reading.
pub(crate) async fn list_alerts(
    q: &str,
    page_size: u32,
    cursor: Option<&str>,
) -> Result<Page<AlertSummary>, Failure> {
    get(&page_path(q, page_size, cursor)).await
}

fn page_path(q: &str, page_size: u32, cursor: Option<&str>) -> String {
    let cursor = cursor
        .map(|cursor| format!("&cursor={}", encoded(cursor)))
        .unwrap_or_default();
    let q = restriction(q);
    format!(
        "/v1/alerts?page_size={page_size}&count=none&sort_by=created_at&sort_order=desc{q}{cursor}"
    )
}

/// How many alerts a query finds, and whether there are more than that.
pub(crate) async fn count_alerts(q: &str) -> Result<(u64, bool), Failure> {
    let path = format!("/v1/alerts?page_size=1&count=capped{}", restriction(q));
    let page = get::<Vec<Value>, ListMeta>(&path).await?;
    let capped = page.meta.total_is_capped.unwrap_or(false);
    Ok((page.meta.total.unwrap_or(0), capped))
}

fn restriction(q: &str) -> String {
    let q = q.trim();
    if q.is_empty() {
        String::new()
    } else {
        format!("&q={}", encoded(q))
    }
}

/// One alert with everything.
pub(crate) async fn get_alert(id: AlertId) -> Result<Arc<AlertDetail>, Failure> {
    let envelope = get::<AlertView, AlertMetadata>(&format!("/v1/alerts/{id}")).await?;
    Ok(Arc::new(AlertDetail {
        view: envelope.data,
        metadata: envelope.meta,
    }))
}

/// What happened to an alert, newest first.
pub(crate) async fn activity(id: AlertId) -> Result<Vec<ActivityView>, Failure> {
    let path = format!("/v1/alerts/{id}/activity?page_size={ACTIVITY_PAGE}");
    Ok(get::<Vec<ActivityView>, Value>(&path).await?.data)
}

/// To which agents an alert was sent, and how that went.
pub(crate) async fn alert_deliveries(id: AlertId) -> Result<Vec<DeliveryView>, Failure> {
    let path = format!("/v1/deliveries?alert_uuid={id}&page_size={DELIVERIES_PAGE}");
    Ok(get::<Vec<DeliveryView>, Value>(&path).await?.data)
}

/// Posts a harmless alert through the same door as everybody else's. `at` makes it a new one.
pub(crate) async fn send_test_alert(at: &str) -> Result<IngestView, Failure> {
    let body = json!({
        "title": "Test alert from Calseta",
        "severity": "Medium",
        "occurred_at": at,
        "description": "Sent from the window to try the whole way in. Close it when you have seen it.",
        "tags": ["test"],
        "source_ip": "203.0.113.10",
        "domain": format!("test-{}.example.com", at.replace([':', '.'], "-").to_lowercase()),
    });
    send("POST", "/v1/ingest/generic", &body).await
}

/// Posts a payload as the source `generic`.
pub(crate) async fn ingest_generic(payload: &str) -> Result<IngestView, Failure> {
    let request = "POST /v1/ingest/generic";
    let payload: Value = serde_json::from_str(payload)
        .map_err(|e| Failure::unreadable(request, 0, &e.to_string()))?;
    send("POST", "/v1/ingest/generic", &payload).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_one_value_of_the_address() {
        assert!(!page_path(" ", 100, None).contains("&q="));
        let path = page_path("ip:1.2.3.0/24 -tag:\"a&b\"", 50, Some("a=b"));
        assert!(path.ends_with("&q=ip%3A1.2.3.0%2F24%20-tag%3A%22a%26b%22&cursor=a%3Db"));
    }

    #[test]
    fn an_alert_with_a_raw_payload_is_read_as_it_is_written() {
        let body = r#"{"data":{"uuid":"018f2f6e-0000-7000-8000-000000000001","title":"t",
          "description":null,"severity":"High","status":"Open","enrichment_status":"Pending",
          "source_name":"generic","occurred_at":"2025-01-15T10:28:00Z",
          "ingested_at":"2025-01-15T10:28:00Z","is_enriched":false,"duplicate_count":0,"tags":[],
          "close_classification":null,"closed_at":null,"created_at":"2025-01-15T10:28:00Z",
          "updated_at":"2025-01-15T10:28:00Z","malice":"Pending","source_url":null,
          "finding_summary":[],"duplicate_of":null,"key_indicators":[],
          "detection_rule_name":null,"enriched_at":null,"fingerprint":"","last_seen_at":null,
          "acknowledged_at":null,"triaged_at":null,"malice_override":null,"indicators":[],
          "detection_rule":null,"context_documents":[],"agent_findings":[],
          "raw_payload":{"b":1.0,"a": "x"}},"meta":{}}"#;
        let read: calseta_contract::Envelope<AlertView, Value> =
            serde_json::from_str(body).expect("the contract's own shape");
        assert_eq!(read.data.raw_payload.get(), r#"{"b":1.0,"a": "x"}"#);
    }
}
