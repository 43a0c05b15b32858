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

/// Which page of which alerts. Words are the wire's; an empty list does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AlertPageQuery {
    /// Statuses.
    pub(crate) status: Vec<String>,
    /// Severities.
    pub(crate) severity: Vec<String>,
    /// Sources.
    pub(crate) source_name: Vec<String>,
    /// Where the page before ended.
    pub(crate) cursor: Option<String>,
    /// Rows, 1..=500.
    pub(crate) page_size: u32,
}

impl AlertPageQuery {
    fn restrictions(&self) -> String {
        let lists = [
            ("status", &self.status),
            ("severity", &self.severity),
            ("source_name", &self.source_name),
        ];
        let mut out = String::new();
        for (name, words) in lists {
            if !words.is_empty() {
                let words: Vec<String> = words.iter().map(|word| encoded(word)).collect();
                out.extend(["&", name, "=", &words.join(",")]);
            }
        }
        out
    }

    fn path(&self) -> String {
        let cursor = self
            .cursor
            .as_deref()
            .map(|c| format!("&cursor={}", encoded(c)))
            .unwrap_or_default();
        format!(
            "/v1/alerts?page_size={}&count=none&sort_by=created_at&sort_order=desc{}{cursor}",
            self.page_size,
            self.restrictions()
        )
    }
}

/// One page, newest accepted first. It is not counted: counting is slower than reading.
pub(crate) async fn list_alerts(query: &AlertPageQuery) -> Result<Page<AlertSummary>, Failure> {
    get(&query.path()).await
}

/// How many alerts a query has, and whether there are more than that.
pub(crate) async fn count_alerts(query: &AlertPageQuery) -> Result<(u64, bool), Failure> {
    let path = format!(
        "/v1/alerts?page_size=1&count=capped{}",
        query.restrictions()
    );
    let page = get::<Vec<Value>, ListMeta>(&path).await?;
    let capped = page.meta.total_is_capped.unwrap_or(false);
    Ok((page.meta.total.unwrap_or(0), capped))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_only_what_it_restricts() {
        let mut query = AlertPageQuery {
            page_size: 100,
            ..AlertPageQuery::default()
        };
        assert!(!query.path().contains("status"));
        query.status = vec!["Open".to_owned(), "Triaging".to_owned()];
        query.cursor = Some("a=b".to_owned());
        assert!(query.path().contains("&status=Open,Triaging&cursor=a%3Db"));
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
