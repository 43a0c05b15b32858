//! What a person does about an agent besides changing it: a new signing secret, switching it on
//! after it failed, seeing whether it is there, and trying a filter before it is saved.

use std::sync::Arc;
use std::time::Duration;

use calseta_contract::Patch;
use calseta_contract::agent::{
    AgentPatch, AgentView, EnableRequest, NearMiss, PreviewAlert, PreviewRequest, PreviewView,
    ProbeView, RotatedSecretView,
};
use calseta_domain::breaker::Health;
use calseta_domain::signature::SigningSecret;
use calseta_domain::{AgentId, Filter, Scope, Subject, Timestamp};
use calseta_egress::{AddressClass, Audience, Outbound, SendError, classify, judge};
use calseta_store::WriteTx;
use calseta_store::tables::alert::AlertRow;
use calseta_store::tables::alert_list::{
    self, AlertFilter, AlertQuery, AlertSort, Counting, Paging,
};
use calseta_store::tables::breaker::{self, BreakerRow};
use calseta_store::tables::{agent, secret};
use http::Method;
use serde_json::{Value, json};

use crate::agents::{PREVIOUS_FIELD, SIGNING_FIELD, secret_owner};
use crate::changes::named;
use crate::clock::random_bytes;
use crate::delivery_verbs::{Backlog, Waits};
use crate::{Engine, Principal, Problem, grants};

/// How long the previous secret signs too, in milliseconds.
const BOTH_SIGN_MS: i64 = 24 * 3600 * 1000;
/// Bytes of a signing secret.
const SECRET_BYTES: usize = 32;
/// How long an agent may take to answer a probe.
const PROBE_DEADLINE: Duration = Duration::from_secs(10);
/// Days that a preview looks back when it is not told.
const PREVIEW_DAYS: u32 = 7;
/// The most days.
const PREVIEW_DAYS_MAX: u32 = 90;
/// The newest alerts that a preview looks at.
const PREVIEW_ALERTS: u32 = 2_000;
/// Alerts that a preview shows.
const PREVIEW_EXAMPLES: usize = 5;
/// Alerts that a preview shows because one clause failed.
const PREVIEW_NEAR_MISSES: usize = 3;
/// Milliseconds a day.
const DAY_MS: i64 = 24 * 3600 * 1000;

/// A previous secret and until when it signs, as it is sealed.
fn previous_text(secret: &str, until: Timestamp) -> String {
    format!("{secret} {}", until.millis())
}

/// Reads [`previous_text`]; `None` once its time is over.
pub(crate) fn previous_secret(text: &str, now: Timestamp) -> Option<SigningSecret> {
    let (secret, until) = text.rsplit_once(' ')?;
    let until: i64 = until.parse().ok()?;
    (until > now.millis())
        .then(|| SigningSecret::parse(secret).ok())
        .flatten()
}

impl Engine {
    /// `POST /v1/agents/{uuid}/rotate-secret`: for a day both secrets sign.
    ///
    /// # Panics
    /// Never: a secret of 32 bytes is valid.
    pub async fn rotate_agent_secret(
        &self,
        by: &Principal,
        id: AgentId,
    ) -> Result<RotatedSecretView, Problem> {
        by.need(Scope::AgentsWrite)?;
        by.need_human("replacing a signing secret")?;
        let (change, inner) = (self.change(by), Arc::clone(&self.inner));
        let fresh = SigningSecret::from_bytes(&random_bytes::<SECRET_BYTES>())
            .expect("32 bytes are a valid length");
        let until = change.at.plus_millis(BOTH_SIGN_MS);
        let shown = fresh.expose();
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row = agent::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("agent"))?;
                let owner = secret_owner(id);
                let old = secret::get(tx, &owner, SIGNING_FIELD)?
                    .and_then(|sealed| inner.vault.unseal(&owner, SIGNING_FIELD, &sealed).ok());
                if let Some(old) = old {
                    let text = previous_text(&old, until);
                    let sealed = inner.vault.seal(&owner, PREVIOUS_FIELD, &text)?;
                    secret::put(tx, (&owner, PREVIOUS_FIELD), &sealed, change.at)?;
                }
                let sealed = inner.vault.seal(&owner, SIGNING_FIELD, &fresh.expose())?;
                secret::put(tx, (&owner, SIGNING_FIELD), &sealed, change.at)?;
                let mut detail = named(&row.name, "secret rotated");
                detail.insert("previous_valid_until".to_owned(), json!(until));
                change.append(tx, "agent.updated", ("agent", Some(id.uuid())), detail)
            })
            .await?;
        Ok(RotatedSecretView {
            signing_secret: shown,
            previous_valid_until: until,
        })
    }

    /// `POST /v1/agents/{uuid}/enable`: switched on, and its failures forgotten: what is parked is
    /// sent. With `recover` what was given up is taken up too.
    pub async fn enable_agent(
        &self,
        by: &Principal,
        id: AgentId,
        request: EnableRequest,
    ) -> Result<AgentView, Problem> {
        let on = AgentPatch {
            is_active: Patch::Set(true),
            ..AgentPatch::default()
        };
        self.patch_agent(by, id, on).await?;
        let change = self.change(by);
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row = agent::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("agent"))?;
                if row.is_active && row.health != Health::Closed {
                    let mut detail = named(&row.name, "enabled");
                    detail.insert("health".to_owned(), json!([row.health, Health::Closed]));
                    breaker::put(tx, row.id, &BreakerRow::default(), change.at)?;
                    change.append(tx, "agent.updated", ("agent", Some(id.uuid())), detail)?;
                }
                Ok::<_, Problem>(())
            })
            .await?;
        if request.recover {
            let dead = Backlog {
                state: Waits::Dead,
                from: None,
                to: None,
            };
            self.recover_deliveries(by, id, dead).await?;
        }
        self.agent(id).await
    }

    /// `POST /v1/agents/{uuid}/probe`: whether anything answers there. Nothing is delivered: the
    /// request has no body, and any answer at all is one.
    pub async fn probe_agent(&self, by: &Principal, id: AgentId) -> Result<ProbeView, Problem> {
        by.need(Scope::AgentsWrite)?;
        let (url, grants) = self
            .inner
            .store
            .read(move |tx| {
                let row = agent::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("agent"))?;
                Ok::<_, Problem>((row.webhook_url, grants::of(tx, Audience::Agent)?))
            })
            .await?;
        let literal = judge(&url, Audience::Agent)
            .ok()
            .and_then(|target| target.class());
        let mut request = Outbound::new(Audience::Agent, Method::HEAD, url);
        request.deadline = PROBE_DEADLINE;
        request.grants = grants;
        let started = std::time::Instant::now();
        let answer = self.inner.egress.send(request).await;
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(match answer {
            Ok(answer) => ProbeView {
                reachable: true,
                class: class_word(answer.remote.map(|peer| classify(peer.ip())).or(literal)),
                ms,
                error: None,
            },
            // It took the connection and said something that is no HTTP answer, or nothing.
            Err(error) => ProbeView {
                reachable: matches!(error, SendError::Transport(_) | SendError::TooLarge),
                class: class_word(literal),
                ms,
                error: Some(error.to_string()),
            },
        })
    }

    /// `POST /v1/agents/preview`: what a filter would have matched of the last days.
    pub async fn preview_filter(&self, request: PreviewRequest) -> Result<PreviewView, Problem> {
        let days = request.days.unwrap_or(PREVIEW_DAYS);
        if days == 0 || days > PREVIEW_DAYS_MAX {
            return Err(Problem::field(
                "days",
                format!("must be 1 to {PREVIEW_DAYS_MAX}"),
            ));
        }
        let value = request
            .trigger_filter
            .unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        let filter = Filter::parse_trigger(&value, &self.inner.source_names())
            .map_err(|errors| Problem::fields(&errors))?;
        let from = self
            .inner
            .clock
            .now()
            .plus_millis(-i64::from(days) * DAY_MS);
        let query = AlertQuery {
            query: None,
            filter: AlertFilter {
                from: Some(from),
                ..AlertFilter::default()
            },
            sort: AlertSort::OccurredAt,
            descending: true,
            paging: Paging::After(None),
            limit: PREVIEW_ALERTS,
            counting: Counting::None,
            include_suppressed: true,
        };
        let rows = self
            .inner
            .store
            .read(move |tx| Ok::<_, Problem>(alert_list::page(tx, &query)?.rows))
            .await?;
        Ok(preview(&filter, &rows))
    }
}

fn class_word(class: Option<AddressClass>) -> String {
    match class {
        None => "unknown",
        Some(AddressClass::Public) => "public",
        Some(AddressClass::Loopback) => "loopback",
        Some(AddressClass::Private) => "private",
        Some(AddressClass::LinkLocal) => "link_local",
        Some(AddressClass::Forbidden) => "forbidden",
    }
    .to_owned()
}

fn preview(filter: &Filter, rows: &[AlertRow]) -> PreviewView {
    let mut view = PreviewView {
        matched: 0,
        of: rows.len() as u64,
        examples: Vec::new(),
        near_misses: Vec::new(),
        warnings: Vec::new(),
    };
    for row in rows {
        let subject = Subject {
            source_name: &row.source_name,
            severity: row.severity,
            tags: &row.tags,
        };
        if filter.matches(&subject) {
            view.matched += 1;
            if view.examples.len() < PREVIEW_EXAMPLES {
                view.examples.push(PreviewAlert {
                    alert_uuid: row.uuid,
                    title: row.title.clone(),
                });
            }
            continue;
        }
        let failing: Vec<String> = filter
            .explain(&subject)
            .into_iter()
            .filter(|clause| !clause.holds)
            .map(|clause| clause.text)
            .collect();
        if let [only] = &failing[..]
            && view.near_misses.len() < PREVIEW_NEAR_MISSES
        {
            view.near_misses.push(NearMiss {
                alert_uuid: row.uuid,
                title: row.title.clone(),
                failing_clause: only.clone(),
            });
        }
    }
    if filter.is_empty() {
        view.warnings
            .push("this filter has no clause: the agent is told of every alert".to_owned());
    }
    if view.of == u64::from(PREVIEW_ALERTS) {
        view.warnings.push(format!(
            "there are more alerts; the newest {PREVIEW_ALERTS} were looked at"
        ));
    }
    if view.of > 0 && view.matched == 0 {
        view.warnings
            .push("nothing of these days would have matched".to_owned());
    }
    view
}
