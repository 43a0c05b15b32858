//! Alerts: posted anew as their source sent them, then given the state and findings they have there.

use http::Method;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Session;
use super::alert::{TheirAlert, finding_request};
use super::bring::DRY;
use super::here::Refused;
use super::report::{Line, Outcome};
use super::there::{Bounds, quoted};
use crate::failure::Failure;
use crate::output;

const PATH: &str = "/v1/alerts";
const KIND: &str = "alert";
/// Oldest first, so that repetitions follow what they repeat.
const BY_AGE: &str = "&sort_by=created_at&sort_order=asc";
/// Another order of the same list: what the first missed at a page's edge is elsewhere in this one.
const BY_TITLE: &str = "&sort_by=title&sort_order=asc";
/// Larger payloads go to the ingest route, which takes 5 MB.
const MAX_POSTED_BYTES: usize = 1024 * 1024;
/// Alerts between two words of progress.
const PROGRESS_EVERY: usize = 250;

/// An alert that is here.
struct Stored {
    uuid: Uuid,
    /// It was posted by an earlier run.
    was_here: bool,
    /// It repeats an open alert, which counted it.
    is_repetition: bool,
}

impl Session {
    /// All alerts, oldest first.
    pub(super) async fn alerts(&mut self) -> Result<(), Failure> {
        self.nobody_is_told().await?;
        let mut listing = self.list_alerts(BY_AGE).await?;
        if let Some(first) = listing.incomplete.take() {
            // v1.1.0's paging has no tie-breaker: alerts of one moment may hide at a page's edge.
            let known: std::collections::HashSet<String> = listing
                .things
                .iter()
                .map(|(uuid, _)| uuid.clone())
                .collect();
            let again = self.list_alerts(BY_TITLE).await?;
            let missed = again.things.into_iter();
            listing
                .things
                .extend(missed.filter(|(uuid, _)| !known.contains(uuid)));
            listing.incomplete = again.incomplete.and(Some(first));
        }
        let total = listing.things.len();
        for (number, (uuid, title)) in listing.things.iter().enumerate() {
            if number > 0 && number % PROGRESS_EVERY == 0 {
                output::say(&format!("{number} of {total} alerts"));
            }
            self.alert(uuid, title).await?;
        }
        match listing.incomplete {
            None => Ok(()),
            Some(text) => Err(Failure::failed(text)),
        }
    }

    async fn list_alerts(
        &self,
        order: &str,
    ) -> Result<super::there::Listing<(String, String)>, Failure> {
        let text = |alert: &Value, name: &str| alert[name].as_str().unwrap_or_default().to_owned();
        let keep = |alert: Value| (text(&alert, "uuid"), quoted(&text(&alert, "title")));
        self.there.list(PATH, order, Bounds::PASSING, keep).await
    }

    /// Old alerts are history: pushing each to the agents that are on here would flood them.
    async fn nobody_is_told(&self) -> Result<(), Failure> {
        if self.options.tell_agents || self.options.dry_run {
            return Ok(());
        }
        let agents = self.here.list("/v1/agents").await?;
        let on = agents.iter().filter(|agent| agent["is_active"] == true);
        let names: Vec<String> = on
            .filter_map(|agent| agent["name"].as_str().map(quoted))
            .collect();
        if names.is_empty() {
            return Ok(());
        }
        Err(Failure::failed(format!(
            "every imported alert would be sent to the agents that are on here ({}); switch them off first, or add --tell-agents",
            names.join(", ")
        )))
    }

    async fn alert(&mut self, listed: &str, title: &str) -> Result<(), Failure> {
        let mut line = Line {
            kind: KIND,
            name: title,
            outcome: Outcome::Failed,
            why: None,
            their_uuid: Some(listed),
            uuid: None,
            original: None,
        };
        if self.options.dry_run {
            (line.outcome, line.why) = (Outcome::Skipped, Some(DRY.to_owned()));
            self.report.tell(&line);
            return Ok(());
        }
        let theirs = match self.read_alert(listed).await {
            Ok(theirs) => theirs,
            Err(stop) if stop.is_refusal() => return Err(stop),
            Err(failure) => {
                line.why = Some(failure.message().to_owned());
                self.report.tell(&line);
                return Ok(());
            }
        };
        let mut differs = Vec::new();
        let stored = match self.post(&theirs, &mut differs).await? {
            Ok(stored) => stored,
            Err(no) => {
                line.why = Some(no.why);
                self.report.tell(&line);
                return Ok(());
            }
        };
        let uuid = stored.uuid.to_string();
        line.uuid = Some(&uuid);
        line.outcome = if stored.was_here || stored.is_repetition {
            Outcome::AlreadyThere
        } else {
            Outcome::Imported
        };
        let ours = match self.ours(&stored).await? {
            Ok(ours) => ours,
            Err(no) if no.code == "NOT_FOUND" => {
                line.why = Some("it was imported before and deleted here since".to_owned());
                self.report.tell(&line);
                return Ok(());
            }
            Err(no) => {
                (line.outcome, line.why) = (Outcome::Failed, Some(no.why));
                self.report.tell(&line);
                return Ok(());
            }
        };
        if stored.is_repetition {
            differs.push("the same alert is open here and counted it as a repetition".to_owned());
        } else if let Err(why) = self.set_state(&theirs, &ours, &uuid, &mut differs).await? {
            line.outcome = Outcome::Failed;
            differs.push(format!("it is here, but not its state: {why}"));
        }
        line.why = (!differs.is_empty()).then(|| differs.join("; "));
        line.original = Some(theirs.original());
        self.report.tell(&line);
        self.findings(&theirs, &ours, &uuid).await
    }

    /// The alert as it is here; nothing when this run has just made it.
    async fn ours(&self, stored: &Stored) -> Result<Result<Value, Refused>, Failure> {
        if !stored.was_here && !stored.is_repetition {
            return Ok(Ok(Value::Null));
        }
        let path = format!("{PATH}/{}", stored.uuid);
        Ok(self.here.call(Method::GET, &path, None, None).await?.data())
    }

    async fn read_alert(&self, listed: &str) -> Result<TheirAlert, Failure> {
        let uuid: Uuid = listed
            .parse()
            .map_err(|_| Failure::failed("the server listed it without a uuid"))?;
        let theirs: TheirAlert = self.there.object(&format!("{PATH}/{uuid}")).await?;
        if theirs.uuid == uuid {
            Ok(theirs)
        } else {
            Err(Failure::failed("the server answered with another alert"))
        }
    }

    /// Posts the payload; one that came before is found again.
    async fn post(
        &mut self,
        theirs: &TheirAlert,
        differs: &mut Vec<String>,
    ) -> Result<Result<Stored, Refused>, Failure> {
        if let Some(uuid) = self.ledger.find(theirs.uuid) {
            return Ok(Ok(Stored {
                uuid,
                was_here: true,
                is_repetition: false,
            }));
        }
        let mut posted = self.post_body(theirs, theirs.request()).await?;
        if matches!(&posted, Err(no) if no.code == "UNKNOWN_SOURCE")
            && self.ensure_source(&theirs.source_name).await?
        {
            posted = self.post_body(theirs, theirs.request()).await?;
        }
        if matches!(&posted, Err(no) if no.code == "INVALID_PAYLOAD") {
            // A source of their own, whose payloads nothing here reads yet.
            let wrapped = self.post_body(theirs, theirs.wrapped()).await?;
            if wrapped.is_ok() {
                differs.push(
                    "its payload cannot be read here: what the server made of it was put around it"
                        .to_owned(),
                );
                posted = wrapped;
            }
        }
        if let Ok(stored) = &posted
            && !stored.is_repetition
        {
            self.ledger.remember(theirs.uuid, stored.uuid)?;
        }
        Ok(posted)
    }

    async fn post_body(
        &self,
        theirs: &TheirAlert,
        body: String,
    ) -> Result<Result<Stored, Refused>, Failure> {
        let once = format!("import-{}", theirs.uuid);
        let is_large = theirs.raw_payload.get().len() > MAX_POSTED_BYTES;
        let plain = theirs
            .source_name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        let (path, body) = if is_large && plain {
            let path = format!("/v1/ingest/{}", theirs.source_name);
            (path, theirs.raw_payload.get().to_owned())
        } else {
            (PATH.to_owned(), body)
        };
        let reply = self
            .here
            .call(Method::POST, &path, Some(body), Some(&once))
            .await?;
        let data = match reply.data() {
            Ok(data) => data,
            Err(no) => return Ok(Err(no)),
        };
        let uuid = data["alert_uuid"].as_str().and_then(|t| t.parse().ok());
        let uuid = uuid.ok_or_else(|| Failure::failed("the console's answer names no alert"))?;
        Ok(Ok(Stored {
            uuid,
            was_here: reply.is_replay,
            is_repetition: data["is_duplicate"] == true,
        }))
    }

    /// Gives the new alert the state it has there. One that was here and was touched since keeps what people made of it.
    async fn set_state(
        &self,
        theirs: &TheirAlert,
        ours: &Value,
        uuid: &str,
        differs: &mut Vec<String>,
    ) -> Result<Result<(), String>, Failure> {
        let is_new = ours.is_null();
        if !is_new && (ours["status"] != "Open" || !ours["acknowledged_at"].is_null()) {
            return Ok(Ok(()));
        }
        let state = theirs.state();
        differs.extend(state.differs);
        if state.patch.as_object().is_none_or(Map::is_empty) {
            return Ok(Ok(()));
        }
        let (path, body) = (format!("{PATH}/{uuid}"), Some(state.patch.to_string()));
        let patched = self.here.call(Method::PATCH, &path, body, None).await?;
        Ok(patched.data().map(drop).map_err(|no| no.why))
    }

    async fn findings(
        &mut self,
        theirs: &TheirAlert,
        ours: &Value,
        alert: &str,
    ) -> Result<(), Failure> {
        let is_here = |finding: &Map<String, Value>| {
            let ours = ours["agent_findings"].as_array();
            let same = |mine: &&Value| {
                let field = |name: &str| finding.get(name).unwrap_or(&Value::Null);
                mine["summary"] == *field("summary")
                    && mine["claimed_agent_name"] == *field("agent_name")
            };
            ours.into_iter().flatten().any(|mine| same(&mine))
        };
        for (number, finding) in theirs.agent_findings.iter().flatten().enumerate() {
            let text = |name: &str| finding.get(name).and_then(Value::as_str);
            let id = text("id").filter(|id| id.parse::<Uuid>().is_ok());
            let id = id.map_or_else(|| number.to_string(), str::to_owned);
            let once = format!("import-{}-{id}", theirs.uuid);
            let (outcome, why, uuid) = if is_here(finding) {
                (Outcome::AlreadyThere, None, None)
            } else {
                self.post_finding(finding, alert, &once).await?
            };
            self.report.tell(&Line {
                kind: "finding",
                name: &quoted(text("summary").unwrap_or_default()),
                outcome,
                why,
                their_uuid: Some(&id),
                uuid: uuid.as_deref(),
                original: Some(serde_json::json!({
                    "agent_name": finding.get("agent_name"),
                    "posted_at": finding.get("posted_at"),
                })),
            });
        }
        Ok(())
    }

    async fn post_finding(
        &self,
        finding: &Map<String, Value>,
        alert: &str,
        once: &str,
    ) -> Result<(Outcome, Option<String>, Option<String>), Failure> {
        let path = format!("{PATH}/{alert}/findings");
        let body = Some(finding_request(finding).to_string());
        let reply = self
            .here
            .call(Method::POST, &path, body, Some(once))
            .await?;
        Ok(match reply.data() {
            Ok(_) if reply.is_replay => (Outcome::AlreadyThere, None, None),
            Ok(made) => {
                let uuid = made["uuid"].as_str().map(str::to_owned);
                (Outcome::Imported, None, uuid)
            }
            Err(no) => (Outcome::Failed, Some(no.why), None),
        })
    }
}
