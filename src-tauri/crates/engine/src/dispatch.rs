//! What a person asks for about one alert: look again, add indicators, tell agents now.
//!
//! Each is a new generation: what was delivered before is delivered again, under new ids, with the
//! data of now.

use std::sync::{Arc, PoisonError};

use calseta_contract::alert::{DispatchedAgentView, EnrichView, TriggeredAgentsView};
use calseta_contract::indicator::{AlertIndicatorsRequest, AlertIndicatorsView};
use calseta_domain::{
    AgentId, AlertId, DeliveryId, ErrorCode, FieldError, Indicator, IndicatorType, Scope, Subject,
    extract,
};
use calseta_store::WriteTx;
use calseta_store::tables::agent::{self, AgentRow};
use calseta_store::tables::alert::{self, AlertRow};
use calseta_store::tables::delivery::{self, NewDelivery};
use calseta_store::tables::job::{self, JobKind};
use calseta_store::tables::{enrichment, indicator};
use serde_json::{Map, Value, json};

use crate::changes::Change;
use crate::ingest::pass_word;
use crate::start::Inner;
use crate::views::Evidence;
use crate::{Engine, Principal, Problem, agents, alerts, payload};

/// Indicators a request may add.
const MAX_ADDED: usize = 100;
/// The longest value of an added indicator, in bytes.
const MAX_VALUE_BYTES: usize = 2048;
/// Alerts that get an added indicator's verdict at once.
const REFRESHED_ALERTS: u32 = 1;
/// Where an indicator that a person added was found.
const ADDED_BY_HAND: &str = "manual";

impl Engine {
    /// `DELETE /v1/alerts/{uuid}`. Its events stay.
    pub async fn delete_alert(&self, by: &Principal, id: AlertId) -> Result<(), Problem> {
        by.need_human("deleting an alert")?;
        let change = self.change(by);
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row = alerts::row(tx, id)?;
                remove(tx, &row, &change)
            })
            .await
    }

    /// `POST /v1/alerts/{uuid}/enrich`: extraction, lookups and dispatch once more.
    pub async fn enrich_alert(&self, by: &Principal, id: AlertId) -> Result<EnrichView, Problem> {
        let (change, inner) = (self.change(by), Arc::clone(&self.inner));
        let lookups = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row = alerts::row(tx, id)?;
                enrich_again(tx, &inner, &row, (&change, Asked::Everything))
            })
            .await?;
        Ok(EnrichView {
            message: "Enrichment queued".to_owned(),
            lookups,
        })
    }

    /// `POST /v1/alerts/{uuid}/indicators?enrich`.
    pub async fn add_indicators(
        &self,
        by: &Principal,
        id: AlertId,
        request: AlertIndicatorsRequest,
        enrich: bool,
    ) -> Result<AlertIndicatorsView, Problem> {
        let wanted = wanted(&request)?;
        let (change, inner) = (self.change(by), Arc::clone(&self.inner));
        let providers = inner.provider_set();
        let view = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row = alerts::row(tx, id)?;
                let mut added = Vec::new();
                for wanted in &wanted {
                    let indicator = indicator::upsert(tx, inner.ids.next(), wanted, change.at)?;
                    if indicator::link(tx, row.id, indicator, ADDED_BY_HAND, "")? {
                        added.push(wanted);
                        alert::refresh_malice(tx, indicator, REFRESHED_ALERTS, change.at)?;
                    }
                }
                if !added.is_empty() {
                    updated(tx, &change, id, detail_of(&added, enrich))?;
                }
                if enrich {
                    look_again(tx, &inner, &row, (&change, Asked::Everything))?;
                }
                let added_count = added.len() as u64;
                let evidence = Evidence::read(tx, row.id, |id| providers.name(id))?;
                Ok::<_, Problem>(AlertIndicatorsView {
                    added_count,
                    already_linked_count: wanted.len() as u64 - added_count,
                    indicators: evidence.views(),
                    enrich_requested: enrich,
                })
            })
            .await?;
        Ok(view)
    }

    /// `POST /v1/alerts/{uuid}/trigger-agents`: those whose filters match now.
    pub async fn trigger_agents(
        &self,
        by: &Principal,
        id: AlertId,
    ) -> Result<TriggeredAgentsView, Problem> {
        by.need(Scope::AgentsWrite)?;
        let (change, inner, base_url) = (self.change(by), Arc::clone(&self.inner), self.base_url());
        self.inner
            .store
            .write_at("dispatch", move |tx: &WriteTx<'_>| {
                let row = alerts::row(tx, id)?;
                let matching = wanted_agents(&inner, &row, (None, &agent::all(tx)?));
                deliver_now(tx, &inner, (&row, &matching), &base_url, &change)?;
                Ok::<_, Problem>(TriggeredAgentsView {
                    queued_agent_count: matching.len() as u64,
                    agent_names: matching.into_iter().map(|agent| agent.name).collect(),
                })
            })
            .await
    }

    /// `POST /v1/alerts/{uuid}/dispatch-agent?agent_uuid`: whatever its filter says.
    pub async fn dispatch_agent(
        &self,
        by: &Principal,
        id: AlertId,
        agent_uuid: AgentId,
    ) -> Result<DispatchedAgentView, Problem> {
        by.need(Scope::AgentsWrite)?;
        let (change, inner, base_url) = (self.change(by), Arc::clone(&self.inner), self.base_url());
        self.inner
            .store
            .write_at("dispatch", move |tx: &WriteTx<'_>| {
                let row = alerts::row(tx, id)?;
                let agent =
                    agent::by_uuid(tx, agent_uuid)?.ok_or_else(|| Problem::not_found("agent"))?;
                is_on(&agent)?;
                let agents = [agent];
                let deliveries = deliver_now(tx, &inner, (&row, &agents), &base_url, &change)?;
                let [agent] = agents;
                let delivery_uuid = deliveries.first().copied().ok_or_else(|| {
                    Problem::new(ErrorCode::Internal, "the delivery was not stored")
                })?;
                Ok(DispatchedAgentView {
                    agent_uuid,
                    agent_name: agent.name,
                    alert_uuid: id,
                    delivery_uuid,
                })
            })
            .await
    }

    /// Who changes something, and when: for the event.
    pub(crate) fn change(&self, by: &Principal) -> Change {
        Change {
            actor: self.actor(by),
            at: self.inner.clock.now(),
        }
    }
}

/// Refuses an agent that nothing is sent to.
pub(crate) fn is_on(agent: &AgentRow) -> Result<(), Problem> {
    if agent.is_active {
        return Ok(());
    }
    Err(Problem::new(
        ErrorCode::AgentInactive,
        "this agent is switched off; switch it on before you send it an alert",
    ))
}

/// Whom an alert is to be sent to: one agent whatever its filter says, or all whose filters match.
pub(crate) fn wanted_agents(
    inner: &Inner,
    row: &AlertRow,
    (one, all): (Option<AgentId>, &[AgentRow]),
) -> Vec<AgentRow> {
    let is_wanted = |agent: &&AgentRow| {
        agent.is_active && one.map_or_else(|| matches(inner, agent, row), |one| agent.uuid == one)
    };
    all.iter().filter(is_wanted).cloned().collect()
}

/// Deletes an alert; its events stay.
pub(crate) fn remove(tx: &WriteTx<'_>, row: &AlertRow, change: &Change) -> Result<(), Problem> {
    alert::delete(tx, row.id)?;
    let mut detail = Map::new();
    detail.insert("title".to_owned(), json!(row.title));
    detail.insert("severity".to_owned(), json!(row.severity));
    detail.insert("source_name".to_owned(), json!(row.source_name));
    let object = ("alert", Some(row.uuid.uuid()));
    change.append_to(tx, "alert.deleted", object, Some(row.uuid), detail)
}

/// Which lookups an alert's enrichment asks for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All of them, whatever is known.
    Everything,
    /// Those whose answer is missing or too old.
    WithoutFreshAnswer,
}

/// Extraction, lookups and dispatch of an alert once more; how many lookups.
pub(crate) fn enrich_again(
    tx: &WriteTx<'_>,
    inner: &Inner,
    row: &AlertRow,
    (change, asked): (&Change, Asked),
) -> Result<u64, Problem> {
    let found = extract_again(tx, inner, row, change)?;
    let lookups = look_again(tx, inner, row, (change, asked))?;
    let mut detail = Map::new();
    detail.insert("enrich_requested".to_owned(), json!(true));
    detail.insert("indicators_found".to_owned(), json!(found));
    detail.insert("lookups".to_owned(), json!(lookups));
    updated(tx, change, row.uuid, detail)?;
    Ok(lookups)
}

pub(crate) fn subject(row: &AlertRow) -> Subject<'_> {
    Subject {
        source_name: &row.source_name,
        severity: row.severity,
        tags: &row.tags,
    }
}

pub(crate) fn matches(inner: &Inner, agent: &AgentRow, row: &AlertRow) -> bool {
    agents::filter(inner, agent).is_some_and(|filter| filter.matches(&subject(row)))
}

/// The indicators that a request names, each once.
fn wanted(request: &AlertIndicatorsRequest) -> Result<Vec<Indicator>, Problem> {
    let count = request.indicators.len();
    if count == 0 || count > MAX_ADDED {
        return Err(Problem::field(
            "indicators",
            format!("must have 1 to {MAX_ADDED} entries"),
        ));
    }
    let mut errors = Vec::new();
    let mut wanted: Vec<Indicator> = Vec::new();
    for (n, input) in request.indicators.iter().enumerate() {
        let Ok(kind) = input.kind.parse::<IndicatorType>() else {
            errors.push(FieldError::unknown_word(
                format!("indicators.{n}.type"),
                "indicator type",
                &input.kind,
                IndicatorType::WORDS,
            ));
            continue;
        };
        let known = (input.value.len() <= MAX_VALUE_BYTES)
            .then(|| Indicator::new(kind, &input.value))
            .flatten();
        match known {
            Some(indicator) if wanted.contains(&indicator) => {}
            Some(indicator) => wanted.push(indicator),
            None => errors.push(FieldError::new(
                format!("indicators.{n}.value"),
                format!("is no {kind}; it must have 1 to {MAX_VALUE_BYTES} bytes"),
            )),
        }
    }
    if errors.is_empty() {
        Ok(wanted)
    } else {
        Err(Problem::fields(&errors))
    }
}

fn detail_of(added: &[&Indicator], enrich: bool) -> Map<String, Value> {
    let list: Vec<Value> = added
        .iter()
        .map(|indicator| json!({"type": indicator.kind, "value": indicator.value}))
        .collect();
    let mut detail = Map::new();
    detail.insert("indicator_count".to_owned(), json!(added.len()));
    detail.insert("indicators".to_owned(), json!(list));
    detail.insert("enrich_requested".to_owned(), json!(enrich));
    detail
}

fn updated(
    tx: &WriteTx<'_>,
    change: &Change,
    id: AlertId,
    detail: Map<String, Value>,
) -> Result<(), Problem> {
    change.append_to(
        tx,
        "alert.updated",
        ("alert", Some(id.uuid())),
        Some(id),
        detail,
    )
}

/// Reads the payload again with the mappings of now; how many indicators are new to the alert. A
/// source that is gone, or now reads its payloads otherwise, leaves the alert as it is.
fn extract_again(
    tx: &WriteTx<'_>,
    inner: &Inner,
    row: &AlertRow,
    change: &Change,
) -> Result<u64, Problem> {
    let raw = alert::raw_payload(tx, row.id)?.unwrap_or_default();
    let Ok(payload) = serde_json::from_str::<Value>(&raw) else {
        return Ok(0);
    };
    let Some(source) = inner.source(&row.source_name) else {
        return Ok(0);
    };
    let Ok(alert) = source.normalise(&payload) else {
        return Ok(0);
    };
    let mappings = Arc::clone(
        &inner
            .mappings
            .read()
            .unwrap_or_else(PoisonError::into_inner),
    );
    let mut found = 0;
    for extracted in extract::extract(&row.source_name, &alert, &payload, &mappings) {
        let indicator = indicator::upsert(tx, inner.ids.next(), &extracted.indicator, change.at)?;
        let pass = pass_word(extracted.pass);
        found += u64::from(indicator::link(
            tx,
            row.id,
            indicator,
            pass,
            &extracted.path,
        )?);
    }
    Ok(found)
}

/// Asks the providers about every indicator of an alert, and for a match when they have answered.
fn look_again(
    tx: &WriteTx<'_>,
    inner: &Inner,
    row: &AlertRow,
    (change, asked): (&Change, Asked),
) -> Result<u64, Problem> {
    let providers = inner.provider_set();
    let mut lookups = 0;
    for found in indicator::of_alert(tx, row.id)? {
        let indicator = Indicator {
            kind: found.kind,
            value: found.value,
        };
        for provider in providers.applicable(&indicator) {
            let is_known = asked == Asked::WithoutFreshAnswer
                && enrichment::is_fresh(tx, found.id, provider, change.at)?;
            if is_known {
                continue;
            }
            job::request(
                tx,
                JobKind::Enrich,
                (found.id, provider),
                change.at,
                change.at,
            )?;
            lookups += 1;
        }
    }
    alert::request_enrichment(tx, row.id, change.at)?;
    let wait = if lookups > 0 { inner.budget_ms() } else { 0 };
    let due = change.at.plus_millis(wait);
    job::request(tx, JobKind::Match, (row.id, 0), due, change.at)?;
    Ok(lookups)
}

/// Freezes the payload of now and stores a delivery an agent, in a new generation.
pub(crate) fn deliver_now(
    tx: &WriteTx<'_>,
    inner: &Inner,
    (row, agents): (&AlertRow, &[AgentRow]),
    base_url: &str,
    change: &Change,
) -> Result<Vec<DeliveryId>, Problem> {
    if agents.is_empty() {
        return Ok(Vec::new());
    }
    let generation = alert::next_generation(tx, row.id)?;
    let providers = inner.provider_set();
    let evidence = Evidence::read(tx, row.id, |id| providers.name(id))?;
    let frozen = payload::of_alert(tx, inner, (row, &evidence), (base_url, false), change.at)?;
    let payload = delivery::put_payload(tx, frozen.sha256, &frozen.body)?;
    let mut stored = Vec::new();
    for agent in agents {
        let uuid: DeliveryId = inner.ids.next();
        delivery::insert(
            tx,
            &NewDelivery {
                uuid,
                alert: Some(row.id),
                agent: agent.id,
                generation,
                trigger: "manual",
                payload,
                created_at: change.at,
            },
        )?;
        stored.push(uuid);
    }
    let names: Vec<&String> = agents.iter().map(|agent| &agent.name).collect();
    let mut detail = Map::new();
    detail.insert("dispatched_to".to_owned(), json!(names));
    detail.insert("generation".to_owned(), json!(generation));
    updated(tx, change, row.uuid, detail)?;
    Ok(stored)
}
