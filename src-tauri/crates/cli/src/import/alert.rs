//! An alert as v1.1.0 shows it, and the requests that make it anew. No I/O here.

use calseta_domain::{AlertStatus, CloseClassification, Malice, Severity};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// `GET /v1/alerts/{uuid}` there, as far as it is used.
#[derive(Debug, Deserialize)]
pub(super) struct TheirAlert {
    pub(super) uuid: uuid::Uuid,
    pub(super) title: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    status: Option<String>,
    pub(super) source_name: String,
    #[serde(default)]
    occurred_at: Option<String>,
    #[serde(default)]
    close_classification: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    malice_override: Option<String>,
    #[serde(default)]
    duplicate_count: Option<u64>,
    #[serde(default)]
    ingested_at: Option<Value>,
    #[serde(default)]
    acknowledged_at: Option<Value>,
    #[serde(default)]
    triaged_at: Option<Value>,
    #[serde(default)]
    closed_at: Option<Value>,
    /// The sender's JSON.
    pub(super) raw_payload: Box<RawValue>,
    #[serde(default)]
    pub(super) agent_findings: Option<Vec<Map<String, Value>>>,
}

/// A PATCH and what it could not say.
pub(super) struct State {
    /// The body.
    pub(super) patch: Value,
    /// Words of theirs that are none of ours.
    pub(super) differs: Vec<String>,
}

impl TheirAlert {
    /// The body of `POST /v1/alerts`, the payload verbatim.
    pub(super) fn request(&self) -> String {
        format!(
            r#"{{"source_name":{},"payload":{}}}"#,
            json!(self.source_name),
            self.raw_payload.get()
        )
    }

    /// The same for a source whose plugin we do not have: what the server made of it, around the payload.
    pub(super) fn wrapped(&self) -> String {
        let own = json!({
            "title": self.title,
            "description": self.description,
            "severity": self.severity,
            "occurred_at": self.occurred_at,
            "tags": self.tags,
        });
        let own = own.to_string();
        format!(
            r#"{{"source_name":{},"payload":{},"original_payload":{}}}}}"#,
            json!(self.source_name),
            own.strip_suffix('}').unwrap_or(&own),
            self.raw_payload.get()
        )
    }

    /// The state it has there, as a PATCH of the new alert.
    pub(super) fn state(&self) -> State {
        let mut patch = Map::new();
        let mut differs = Vec::new();
        let mut set = |name: &str, value: Value| drop(patch.insert(name.to_owned(), value));
        match self.severity.as_deref().map(str::parse::<Severity>) {
            Some(Ok(severity)) => set("severity", json!(severity.as_str())),
            Some(Err(_)) => differs.push("its severity is none of ours".to_owned()),
            None => {}
        }
        if !self.tags.is_empty() {
            set("tags", json!(self.tags));
        }
        if let Some(Ok(malice)) = self.malice_override.as_deref().map(str::parse::<Malice>) {
            set("malice_override", json!(malice.as_str()));
        }
        let given = self.close_classification.as_deref();
        let classification = given.map(str::parse::<CloseClassification>);
        let status = self.status.as_deref().map(str::parse::<AlertStatus>);
        match (&status, &classification) {
            (Some(Ok(AlertStatus::Closed)), None | Some(Err(_))) => {
                set(
                    "close_classification",
                    json!(CloseClassification::Undetermined.as_str()),
                );
                differs.push(
                    "closed there without a classification of ours: Undetermined here".to_owned(),
                );
            }
            (_, Some(Ok(known))) => set("close_classification", json!(known.as_str())),
            (_, Some(Err(_))) => differs.push("its classification is none of ours".to_owned()),
            (_, None) => {}
        }
        match status {
            Some(Ok(status)) if status != AlertStatus::Open => {
                set("status", json!(status.as_str()));
            }
            Some(Err(_)) => differs.push("its status is none of ours: Open here".to_owned()),
            _ => {}
        }
        State {
            patch: Value::Object(patch),
            differs,
        }
    }

    /// The times and counts that begin anew here.
    pub(super) fn original(&self) -> Value {
        json!({
            "ingested_at": self.ingested_at,
            "acknowledged_at": self.acknowledged_at,
            "triaged_at": self.triaged_at,
            "closed_at": self.closed_at,
            "duplicate_count": self.duplicate_count,
        })
    }
}

/// The body of a finding: v1.1.0's own names, which this API takes too.
pub(super) fn finding_request(finding: &Map<String, Value>) -> Value {
    let fields = [
        "agent_name",
        "summary",
        "confidence",
        "recommended_action",
        "evidence",
    ];
    let set = fields
        .iter()
        .filter_map(|name| Some((*name, finding.get(*name)?)))
        .filter(|(_, value)| !value.is_null());
    Value::Object(
        set.map(|(name, value)| (name.to_owned(), value.clone()))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(more: &Value) -> TheirAlert {
        let mut alert = json!({
            "uuid": "0b7e7dd0-8f0f-4e40-9f38-6c34a1b2c3d4",
            "title": "T",
            "source_name": "generic",
            "raw_payload": {"title": "T"},
        });
        for (name, value) in more.as_object().expect("an object") {
            alert[name] = value.clone();
        }
        serde_json::from_str(&alert.to_string()).expect("an alert")
    }

    #[test]
    fn a_closed_alert_keeps_its_classification_and_gets_one_when_it_has_none() {
        let kept = json!({"status": "Closed", "close_classification": "Not Applicable"});
        let kept = alert(&kept).state();
        assert_eq!(
            kept.patch,
            json!({"close_classification": "Not Applicable", "status": "Closed"})
        );
        assert!(kept.differs.is_empty());
        for classification in [Value::Null, json!("made up")] {
            let state = json!({"status": "Closed", "close_classification": classification});
            let state = alert(&state).state();
            assert_eq!(state.patch["close_classification"], "Undetermined");
            assert_eq!(state.differs.len(), 1, "the person is told");
        }
    }

    #[test]
    fn unknown_words_are_told_and_not_sent() {
        let state = alert(&json!({"status": "Snoozed", "severity": "Urgent"})).state();
        assert_eq!(state.patch, json!({}));
        assert_eq!(state.differs.len(), 2);
    }

    #[test]
    fn the_payload_goes_over_verbatim() {
        let text = r#"{"uuid":"0b7e7dd0-8f0f-4e40-9f38-6c34a1b2c3d4","title":"T \"x\"","source_name":"own\"s","tags":["}"],
            "raw_payload":{"n":1.10,"big":123456789012345678901234567890,"a":[ 1 ]}}"#;
        let alert: TheirAlert = serde_json::from_str(text).unwrap();
        let raw = r#"{"n":1.10,"big":123456789012345678901234567890,"a":[ 1 ]}"#;
        assert_eq!(
            alert.request(),
            format!(r#"{{"source_name":"own\"s","payload":{raw}}}"#)
        );
        let wrapped = alert.wrapped();
        assert!(wrapped.contains(&format!(r#""original_payload":{raw}"#)));
        let parsed: Value = serde_json::from_str(&wrapped).expect("JSON");
        assert_eq!(parsed["payload"]["title"], "T \"x\"");
        assert_eq!(parsed["payload"]["tags"], json!(["}"]));
    }
}
