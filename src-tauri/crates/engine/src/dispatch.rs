//! What a person asks for about one alert: look again, add indicators, tell agents now.
//!
//! Each is a new generation: what was delivered before is delivered again, under new ids, with the
//! data of now.

use std::sync::{Arc, PoisonError};

use calseta_contract::alert::{
    DispatchExplanation, DispatchedAgentView, EnrichView, TraceClause, TriggeredAgentsView,
};
use calseta_contract::indicator::{AlertIndicatorsRequest, AlertIndicatorsView};
use calseta_domain::{
    AgentId, AlertId, DeliveryId, ErrorCode, FieldError, Indicator, IndicatorType, Scope, Subject,
    extract,
};
use calseta_store::WriteTx;
use calseta_store::tables::agent::{self, AgentRow};
use calseta_store::tables::alert::{self, AlertRow};
use calseta_store::tables::delivery::{self, NewDelivery};
use calseta_store::tables::indicator;
use calseta_store::tables::job::{self, JobKind};
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
                alert::delete(tx, row.id)?;
                let mut detail = Map::new();
                detail.insert("title".to_owned(), json!(row.title));
                detail.insert("severity".to_owned(), json!(row.severity));
                detail.insert("source_name".to_owned(), json!(row.source_name));
                change.append_to(
                    tx,
                    "alert.deleted",
                    ("alert", Some(id.uuid())),
                    Some(id),
                    detail,
                )
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
                let found = extract_again(tx, &inner, &row, &change)?;
                let lookups = look_again(tx, &inner, &row, &change)?;
                let mut detail = Map::new();
                detail.insert("enrich_requested".to_owned(), json!(true));
                detail.insert("indicators_found".to_owned(), json!(found));
                detail.insert("lookups".to_owned(), json!(lookups));
                updated(tx, &change, id, detail)?;
                Ok::<_, Problem>(lookups)
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
                    look_again(tx, &inner, &row, &change)?;
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
            .write(move |tx: &WriteTx<'_>| {
                let row = alerts::row(tx, id)?;
                let matching: Vec<AgentRow> = agent::all(tx)?
                    .into_iter()
                    .filter(|agent| agent.is_active && matches(&inner, agent, &row))
                    .collect();
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
            .write(move |tx: &WriteTx<'_>| {
                let row = alerts::row(tx, id)?;
                let agent =
                    agent::by_uuid(tx, agent_uuid)?.ok_or_else(|| Problem::not_found("agent"))?;
                if !agent.is_active {
                    return Err(Problem::new(
                        ErrorCode::AgentInactive,
                        "this agent is switched off; switch it on before you send it an alert",
                    ));
                }
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

    /// `GET /v1/alerts/{uuid}/dispatch-explanation`: what every agent's filter says of the alert.
    pub async fn dispatch_explanation(
        &self,
        id: AlertId,
    ) -> Result<Vec<DispatchExplanation>, Problem> {
        let inner = Arc::clone(&self.inner);
        self.inner
            .store
            .read(move |tx| {
                let row = alerts::row(tx, id)?;
                let explained = agent::all(tx)?
                    .into_iter()
                    .map(|agent| explain(&inner, agent, &row))
                    .collect();
                Ok::<_, Problem>(explained)
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

fn subject(row: &AlertRow) -> Subject<'_> {
    Subject {
        source_name: &row.source_name,
        severity: row.severity,
        tags: &row.tags,
    }
}

fn matches(inner: &Inner, agent: &AgentRow, row: &AlertRow) -> bool {
    agents::filter(inner, agent).is_some_and(|filter| filter.matches(&subject(row)))
}

fn explain(inner: &Inner, agent: AgentRow, row: &AlertRow) -> DispatchExplanation {
    let mut trace = vec![TraceClause {
        text: if agent.is_active {
            "the agent is switched on".to_owned()
        } else {
            "the agent is switched off".to_owned()
        },
        holds: agent.is_active,
    }];
    let clauses = agents::filter(inner, &agent).map(|filter| filter.explain(&subject(row)));
    let unreadable = || TraceClause {
        text: "the agent's filter cannot be read; store it again".to_owned(),
        holds: false,
    };
    match clauses {
        None => trace.push(unreadable()),
        Some(clauses) => {
            for clause in clauses {
                trace.push(TraceClause {
                    text: clause.text,
                    holds: clause.holds,
                });
            }
        }
    }
    DispatchExplanation {
        agent_uuid: agent.uuid,
        matched: agent.is_active && matches(inner, &agent, row),
        agent_name: agent.name,
        trace,
    }
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

/// Asks every provider about every indicator of an alert, and for a match when they have answered.
fn look_again(
    tx: &WriteTx<'_>,
    inner: &Inner,
    row: &AlertRow,
    change: &Change,
) -> Result<u64, Problem> {
    let providers = inner.provider_set();
    let mut lookups = 0;
    for found in indicator::of_alert(tx, row.id)? {
        let indicator = Indicator {
            kind: found.kind,
            value: found.value,
        };
        for provider in providers.applicable(&indicator) {
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
fn deliver_now(
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
                state: "due",
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
