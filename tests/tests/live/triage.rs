//! What triage leaves in the log: one change of every kind, done twice where that is no change.

use anyhow::{Context as _, Result, ensure};
use calseta_domain::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::changes::{Script, uuid};

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

impl Script<'_> {
    /// Notes, marks, many alerts at once, undo, suppressions, reviews.
    pub(crate) async fn triage(&mut self) -> Result<()> {
        let document = json!({
            "title": "Checklist", "document_type": "runbook", "is_global": true,
            "content": "- [ ] Ask the user",
        });
        let noun = "/v1/context-documents";
        let document = self.call(Method::POST, noun, Some(&document)).await?;
        let document = uuid(&document, "uuid")?;
        self.leaves("document.updated", &document);
        let alerts = [self.settled("one").await?, self.settled("two").await?];
        self.marks(&alerts[0], &document).await?;
        self.taken_back(&alerts[0]).await?;
        self.in_bulk(&alerts).await?;
        self.suppressed().await?;
        self.reviewed(&alerts[0]).await
    }

    /// A new alert whose enrichment is over.
    async fn settled(&mut self, name: &str) -> Result<String> {
        let payload = json!({"title": format!("triaged {name}"), "tags": ["triaged"]});
        let alert = self.world.alert(&payload).await?;
        self.leaves("alert.created", &alert);
        self.world.settled(&alert).await?;
        self.leaves("alert.enriched", &alert);
        Ok(alert)
    }

    async fn twice(&self, method: Method, path: &str, body: Option<&Value>) -> Result<()> {
        self.call(method.clone(), path, body).await?;
        self.call(method, path, body).await?;
        Ok(())
    }

    async fn marks(&mut self, alert: &str, document: &str) -> Result<()> {
        let path = format!("/v1/alerts/{alert}");
        let at = |part: &str| format!("{path}/{part}");
        let made: Timestamp = {
            let alert = self.call(Method::GET, &path, None).await?;
            alert["created_at"]
                .as_str()
                .context("created_at")?
                .parse()?
        };
        let note = json!({"text": "Asked the user."});
        self.call(Method::POST, &at("notes"), Some(&note)).await?;
        self.leaves("alert.updated", alert);
        let until = json!({"until": made.plus_millis(HOUR_MS)});
        let ticked = at(&format!("checklist/{document}/0"));
        for (method, path, body) in [
            (Method::PUT, at("snooze"), Some(until)),
            (Method::DELETE, at("snooze"), None),
            (Method::PUT, at("flags"), Some(json!({"flagged": true}))),
            (Method::PUT, ticked.clone(), Some(json!({"done": true}))),
            (Method::PUT, ticked, Some(json!({"done": false}))),
        ] {
            self.twice(method, &path, body.as_ref()).await?;
            self.leaves("alert.updated", alert);
        }
        // Read marks are nobody else's business: they leave nothing.
        for unread in [false, true] {
            let flags = json!({"unread": unread});
            self.call(Method::PUT, &at("flags"), Some(&flags)).await?;
        }
        Ok(())
    }

    /// Undoes a change; the answer's status and `data`.
    async fn undo(&self, change: &str) -> Result<(u16, Value)> {
        let backend = &self.world.backend;
        let path = format!("/v1/changes/{change}/undo");
        let (status, mut answer) = backend
            .call(backend.admin(), Method::POST, &path, None)
            .await?;
        Ok((status, answer["data"].take()))
    }

    async fn taken_back(&mut self, alert: &str) -> Result<()> {
        let patch = json!({"severity": "Critical", "comment": "As the runbook says."});
        let (status, answer) = self.world.patch_alert(alert, &patch).await?;
        ensure!(status == 200, "{status} {answer}");
        self.leaves("alert.updated", alert);
        let change = uuid(&answer["meta"], "change_uuid")?;
        let (status, undone) = self.undo(&change).await?;
        ensure!(
            status == 200 && undone["restored"] == 1,
            "{status} {undone}"
        );
        self.leaves("alert.updated", alert);
        let (status, _) = self.undo(&change).await?;
        ensure!(status == 409, "a second time: {status}");
        Ok(())
    }

    async fn in_bulk(&mut self, alerts: &[String; 2]) -> Result<()> {
        let select = json!({"uuids": alerts});
        let closing = json!({"kind": "close", "close_classification": "Undetermined"});
        for (action, done, undone) in [
            (
                json!({"kind": "tags", "add_tags": ["bulk"]}),
                "alert.updated",
                "alert.updated",
            ),
            (closing, "alert.closed", "alert.reopened"),
        ] {
            let request = json!({"select": select, "action": action, "dry_run": true});
            let path = "/v1/alerts/bulk";
            self.call(Method::POST, path, Some(&request)).await?;
            let request = json!({"select": select, "action": action});
            let view = self.call(Method::POST, path, Some(&request)).await?;
            ensure!(view["changed"] == 2, "{view}");
            for alert in alerts {
                self.leaves(done, alert);
            }
            let (status, view) = self.undo(&uuid(&view, "change_uuid")?).await?;
            ensure!(status == 200 && view["restored"] == 2, "{status} {view}");
            for alert in alerts {
                self.leaves(undone, alert);
            }
        }
        Ok(())
    }

    async fn suppressed(&mut self) -> Result<()> {
        let noun = "/v1/suppressions";
        let request = json!({"name": "live", "q": "tag:suppressed-live"});
        let made = self.call(Method::POST, noun, Some(&request)).await?;
        let made = uuid(&made, "uuid")?;
        self.leaves("suppression.updated", &made);
        let preview = json!({"q": "tag:suppressed-live"});
        let path = format!("{noun}/preview");
        self.call(Method::POST, &path, Some(&preview)).await?;
        let path = format!("{noun}/{made}");
        let patch = json!({"reason": "while it is mended"});
        self.twice(Method::PATCH, &path, Some(&patch)).await?;
        self.leaves("suppression.updated", &made);
        let payload = json!({"title": "kept out", "tags": ["suppressed-live"]});
        let alert = self.world.alert(&payload).await?;
        self.leaves("alert.created", &alert);
        let view = self.world.settled(&alert).await?;
        ensure!(view["suppressed_by"] == json!(made), "{view}");
        self.leaves("alert.enriched", &alert);
        // It ends, and what it hid comes back.
        self.call(Method::DELETE, &path, None).await?;
        self.leaves("suppression.updated", &made);
        self.leaves("alert.updated", &alert);
        Ok(())
    }

    async fn reviewed(&mut self, alert: &str) -> Result<()> {
        let path = format!("/v1/alerts/{alert}/findings");
        let finding = json!({"summary": "reviewed"});
        let finding = self.call(Method::POST, &path, Some(&finding)).await?;
        let finding = uuid(&finding, "uuid")?;
        self.leaves("finding.created", &finding);
        let path = format!("/v1/findings/{finding}");
        let review = json!({"decision": "disagree", "reason": "wrong_fact"});
        self.twice(Method::PUT, &format!("{path}/review"), Some(&review))
            .await?;
        self.leaves("finding.reviewed", &finding);
        let hidden = json!({"hidden": true});
        self.twice(Method::PUT, &format!("{path}/hidden"), Some(&hidden))
            .await?;
        self.leaves("finding.reviewed", &finding);
        Ok(())
    }
}
