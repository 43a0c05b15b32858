//! One change of every kind, each with the event that it must leave.

use anyhow::{Context as _, Result, ensure};
use calseta_tests::recorder::Recorder;
use calseta_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};

/// An event that a change must leave: its type, and the object that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) kind: &'static str,
    /// `None` for what there is one of: the settings, a failed authentication.
    pub(crate) object: Option<String>,
}

/// What was done so far.
pub(crate) struct Script<'world> {
    pub(crate) world: &'world World,
    pub(crate) expected: Vec<Expected>,
}

pub(crate) fn uuid(object: &Value, field: &str) -> Result<String> {
    let uuid = object[field].as_str();
    Ok(uuid
        .with_context(|| format!("{field} of {object}"))?
        .to_owned())
}

impl<'world> Script<'world> {
    pub(crate) fn new(world: &'world World) -> Self {
        let expected = Vec::new();
        Self { world, expected }
    }

    pub(crate) fn leaves(&mut self, kind: &'static str, object: &str) {
        let object = Some(object.to_owned());
        self.expected.push(Expected { kind, object });
    }

    /// Makes an object, changes it and deletes it: three events of one type.
    async fn made_changed_deleted(
        &mut self,
        (noun, kind): (&str, &'static str),
        request: &Value,
        patch: &Value,
    ) -> Result<()> {
        let made = self.call(Method::POST, noun, Some(request)).await?;
        let object = uuid(&made, "uuid")?;
        self.leaves(kind, &object);
        let path = format!("{noun}/{object}");
        self.call(Method::PATCH, &path, Some(patch)).await?;
        self.leaves(kind, &object);
        self.call(Method::PATCH, &path, Some(patch)).await?;
        self.call(Method::DELETE, &path, None).await?;
        self.leaves(kind, &object);
        Ok(())
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        let backend = &self.world.backend;
        let (status, mut answer) = backend.call(backend.admin(), method, path, body).await?;
        ensure!((200..300).contains(&status), "{path}: {status} {answer}");
        Ok(answer["data"].take())
    }

    /// Everything, in an order that only the API's answers impose.
    pub(crate) async fn run(&mut self) -> Result<()> {
        self.alerts().await?;
        self.triage().await?;
        self.keys().await?;
        self.agents().await?;
        self.providers().await?;
        self.what_people_write().await?;
        self.settings().await?;
        self.indicators().await
    }

    async fn alerts(&mut self) -> Result<()> {
        let payload = json!({"title": "followed", "severity": "Low", "src_ip": "203.0.113.8"});
        let alert = self.world.alert(&payload).await?;
        self.leaves("alert.created", &alert);
        self.world.settled(&alert).await?;
        self.leaves("alert.enriched", &alert);
        self.world.ingest("generic", &payload).await?;
        self.leaves("alert.duplicated", &alert);
        let path = format!("/v1/alerts/{alert}");
        for patch in [
            json!({"severity": "High"}),
            json!({"status": "Triaging"}),
            json!({"tags": ["a"]}),
            json!({"malice_override": "Benign"}),
        ] {
            self.call(Method::PATCH, &path, Some(&patch)).await?;
            self.leaves("alert.updated", &alert);
            // The same once more is no change, and leaves nothing.
            self.call(Method::PATCH, &path, Some(&patch)).await?;
        }
        let findings = format!("{path}/findings");
        let finding = self
            .call(Method::POST, &findings, Some(&json!({"summary": "s"})))
            .await?;
        self.leaves("finding.created", &uuid(&finding, "uuid")?);
        let close = json!({"status": "Closed", "close_classification": "Undetermined"});
        self.call(Method::PATCH, &path, Some(&close)).await?;
        self.leaves("alert.closed", &alert);
        self.call(Method::POST, &format!("{path}/reopen"), Some(&json!({})))
            .await?;
        self.leaves("alert.reopened", &alert);
        Ok(())
    }

    async fn keys(&mut self) -> Result<()> {
        let request = json!({"name": "k", "scopes": ["alerts:read"]});
        let key = self
            .call(Method::POST, "/v1/api-keys", Some(&request))
            .await?;
        let key = uuid(&key, "uuid")?;
        self.leaves("key.created", &key);
        self.call(Method::DELETE, &format!("/v1/api-keys/{key}"), None)
            .await?;
        self.leaves("key.revoked", &key);
        Ok(())
    }

    async fn agents(&mut self) -> Result<()> {
        let recorder = Recorder::start().await?;
        let request = json!({
            "name": "a", "webhook_url": recorder.url, "trigger_filter": {"tags": ["followed"]},
        });
        let agent = self
            .call(Method::POST, "/v1/agents", Some(&request))
            .await?;
        let agent = uuid(&agent, "uuid")?;
        self.leaves("agent.updated", &agent);
        let path = format!("/v1/agents/{agent}");
        self.call(Method::PATCH, &path, Some(&json!({"description": "d"})))
            .await?;
        self.leaves("agent.updated", &agent);
        let tagged = json!({"title": "delivered", "tags": ["followed"]});
        let alert = self.world.alert(&tagged).await?;
        self.leaves("alert.created", &alert);
        self.leaves("alert.enriched", &alert);
        recorder.wait(1).await?;
        let delivery = calseta_tests::backend::wait_for("the delivery is over", || async {
            let all = self.world.deliveries(&agent).await?;
            Ok(all.into_iter().find(|one| one["state"] == "delivered"))
        })
        .await?;
        self.leaves("delivery.updated", &uuid(&delivery, "uuid")?);
        self.call(Method::DELETE, &path, None).await?;
        self.leaves("agent.updated", &agent);
        Ok(())
    }

    async fn providers(&mut self) -> Result<()> {
        let all = self
            .call(Method::GET, "/v1/enrichment-providers", None)
            .await?;
        let provider = uuid(&all[0], "uuid")?;
        let path = format!("/v1/enrichment-providers/{provider}");
        self.call(Method::PATCH, &path, Some(&json!({"mode": "off"})))
            .await?;
        self.leaves("provider.updated", &provider);
        Ok(())
    }

    async fn what_people_write(&mut self) -> Result<()> {
        let document = json!({"title": "d", "document_type": "sop", "content": "c"});
        let rule = json!({"name": "r", "source_name": "generic", "source_rule_id": "live"});
        let source = json!({"source_name": "live", "display_name": "Live"});
        let mapping = json!({
            "field_path": "live.ip", "indicator_type": "ip", "extraction_target": "raw_payload",
        });
        let view = json!({"name": "live", "q": "status:open"});
        let provider = json!({
            "provider_name": "live", "display_name": "Live", "base_url": "http://127.0.0.1:9",
            "supported_indicator_types": ["ip"], "auth_type": "no_auth",
            "http_config": {"steps": [
                {"name": "s", "method": "GET", "url": "{{base_url}}/{{indicator.value}}"},
            ]},
        });
        for (noun, kind, request, patch) in [
            (
                "/v1/context-documents",
                "document.updated",
                document,
                json!({"title": "e"}),
            ),
            (
                "/v1/detection-rules",
                "rule.updated",
                rule,
                json!({"name": "s"}),
            ),
            (
                "/v1/sources",
                "source.updated",
                source,
                json!({"is_active": false}),
            ),
            (
                "/v1/indicator-mappings",
                "mapping.updated",
                mapping,
                json!({"is_active": false}),
            ),
            ("/v1/views", "view.updated", view, json!({"name": "live 2"})),
            (
                "/v1/enrichment-providers",
                "provider.updated",
                provider,
                json!({"mode": "off"}),
            ),
        ] {
            self.made_changed_deleted((noun, kind), &request, &patch)
                .await?;
        }
        Ok(())
    }

    async fn settings(&mut self) -> Result<()> {
        let patch = json!({"ingest": {"dedup_window_hours": 12}});
        for _ in 0..2 {
            self.call(Method::PATCH, "/v1/settings", Some(&patch))
                .await?;
        }
        let (kind, object) = ("settings.updated", None);
        self.expected.push(Expected { kind, object });
        let backend = &self.world.backend;
        let key = format!("cai_{}", "B".repeat(43));
        let (status, _) = backend.call(&key, Method::GET, "/v1/alerts", None).await?;
        ensure!(status == 401, "{status}");
        let (kind, object) = ("auth.failed", None);
        self.expected.push(Expected { kind, object });
        Ok(())
    }

    async fn indicators(&mut self) -> Result<()> {
        let alert = json!({"title": "judged", "src_ip": "203.0.113.9"});
        let alert = self.world.alert(&alert).await?;
        self.leaves("alert.created", &alert);
        self.world.settled(&alert).await?;
        self.leaves("alert.enriched", &alert);
        let path = format!("/v1/alerts/{alert}");
        let list = self
            .call(Method::GET, &format!("{path}/indicators"), None)
            .await?;
        let indicator = uuid(&list[0], "uuid")?;
        let judged = format!("/v1/indicators/{indicator}");
        for _ in 0..2 {
            let patch = json!({"malice": "Malicious"});
            self.call(Method::PATCH, &judged, Some(&patch)).await?;
        }
        self.leaves("indicator.updated", &indicator);
        self.call(Method::DELETE, &path, None).await?;
        self.leaves("alert.deleted", &alert);
        Ok(())
    }
}
