//! Agents: registering them, their filters, their secrets.

use std::sync::Arc;

use calseta_contract::Patch;
use calseta_contract::agent::{
    AgentPatch, AgentRequest, AgentView, BacklogView, BreakerView, DEFAULT_IN_FLIGHT,
    MAX_IN_FLIGHT, TimeToFinding,
};
use calseta_domain::breaker::Health;
use calseta_domain::signature::SigningSecret;
use calseta_domain::{AgentId, FieldError, Filter, Scope};
use calseta_egress::{AddressClass, Audience, Grant, Target};
use calseta_store::WriteTx;
use calseta_store::tables::agent::{self, AgentRow};
use calseta_store::tables::breaker::{self, BreakerRow};
use calseta_store::tables::{Reads, backlog, secret};
use serde_json::{Map, Value};

use crate::agent_changes::{append, changes};
use crate::changes::named;
use crate::clock::random_bytes;
use crate::delivery_verbs::probe_now;
use crate::documents::set;
use crate::grants::{self, GrantState};
use crate::start::Inner;
use crate::{Engine, Principal, Problem, agent_auth};

/// The longest name.
pub const AGENT_NAME_MAX: usize = 255;
/// The largest filter, as JSON.
const FILTER_MAX_BYTES: usize = 64 * 1024;
/// Answered deliveries from which a typical time is told.
const ANSWERS_MIN: usize = 3;
/// Bytes of a new signing secret.
const SECRET_BYTES: usize = 32;
/// The secrets' owner.
pub(crate) fn secret_owner(id: AgentId) -> String {
    format!("agent:{id}")
}

/// The field of the header's value.
pub(crate) const AUTH_FIELD: &str = "auth_header";
/// The field of the signing secret.
pub(crate) const SIGNING_FIELD: &str = "signing_secret";
/// The field of the secret before it, which signs too for a day.
pub(crate) const PREVIOUS_FIELD: &str = "previous_signing_secret";

/// An agent to be stored: its row and what belongs to it.
struct Checked {
    row: AgentRow,
    target: Target,
    allow_private: bool,
}

/// The agent's filter, from the page's form and v1.1.0's two lists.
pub(crate) fn filter(inner: &Inner, row: &AgentRow) -> Option<Filter> {
    let page = Value::Object(row.trigger_filter.clone());
    let parsed = inner.stored_filter("trigger", &page, Filter::parse_trigger)?;
    let legacy = Filter::legacy(&row.trigger_on_sources, &row.trigger_on_severities, &[]).ok()?;
    Some((*parsed).clone().and(legacy))
}

fn check(row: &AgentRow, known_sources: &[String]) -> Result<Target, Vec<FieldError>> {
    let mut errors = Vec::new();
    let length = row.name.trim().chars().count();
    if length == 0 || length > AGENT_NAME_MAX {
        errors.push(FieldError::new("name", "must have 1 to 255 characters"));
    }
    if !(1..=300).contains(&row.timeout_seconds) {
        errors.push(FieldError::new("timeout_seconds", "must be 1 to 300"));
    }
    if row.retry_count > 10 {
        errors.push(FieldError::new("retry_count", "must be 0 to 10"));
    }
    if !(1..=MAX_IN_FLIGHT).contains(&row.max_in_flight) {
        errors.push(FieldError::new("max_in_flight", "must be 1 to 32"));
    }
    let page = Value::Object(row.trigger_filter.clone());
    if page.to_string().len() > FILTER_MAX_BYTES {
        errors.push(FieldError::new(
            "trigger_filter",
            "must be at most 64 KB as JSON",
        ));
    } else if let Err(more) = Filter::parse_trigger(&page, known_sources) {
        errors.extend(more);
    }
    let legacy = Filter::legacy(
        &row.trigger_on_sources,
        &row.trigger_on_severities,
        known_sources,
    );
    if let Err(more) = legacy {
        errors.extend(more);
    }
    match grants::judge("webhook_url", &row.webhook_url, Audience::Agent) {
        Ok(target) if errors.is_empty() => Ok(target),
        Ok(_) => Err(errors),
        Err(error) => {
            errors.push(error);
            Err(errors)
        }
    }
}

fn as_filter(errors: &mut Vec<FieldError>, value: Option<Value>) -> Map<String, Value> {
    match value {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(map)) => map,
        Some(_) => {
            errors.push(FieldError::new("trigger_filter", "must be an object"));
            Map::new()
        }
    }
}

pub(crate) fn view(row: &AgentRow, grants: &[Grant]) -> AgentView {
    let grant = calseta_egress::judge(&row.webhook_url, Audience::Agent)
        .map_or(GrantState::Pending, |target| grants::state(&target, grants));
    AgentView {
        uuid: row.uuid,
        name: row.name.clone(),
        description: row.description.clone(),
        webhook_url: row.webhook_url.clone(),
        has_auth_header: row.auth_header_name.is_some(),
        auth_header_name: row.auth_header_name.clone(),
        trigger_filter: row.trigger_filter.clone(),
        timeout_seconds: row.timeout_seconds,
        retry_count: row.retry_count,
        is_active: row.is_active,
        grant: grant.as_str().to_owned(),
        health: row.health.as_str().to_owned(),
        max_in_flight: row.max_in_flight,
        breaker: None,
        backlog: None,
        documentation: row.documentation.clone(),
        created_at: row.created_at,
        updated_at: row.updated_at,
        endpoint_url: row.webhook_url.clone(),
        trigger_on_sources: row.trigger_on_sources.clone(),
        trigger_on_severities: row.trigger_on_severities.clone(),
        signing_secret: None,
        time_to_finding: None,
    }
}

/// [`view`], with how long the agent takes to answer, how its breaker stands and what waits for it.
pub(crate) fn timed(
    tx: &impl Reads,
    row: &AgentRow,
    grants: &[Grant],
) -> Result<AgentView, Problem> {
    let times = agent::answer_times(tx, row.id)?;
    let breaker = breaker::of_agent(tx, row.id)?.breaker;
    let waits = backlog::counts(tx, row.id)?;
    Ok(AgentView {
        time_to_finding: time_to_finding(times),
        breaker: Some(BreakerView {
            state: breaker.health,
            cause: breaker.cause,
            reason: breaker.reason,
            consecutive_failures: breaker.failures,
            opened_at: breaker.opened_at,
            next_probe_at: breaker.next_probe_at,
            probes: breaker.probes,
        }),
        backlog: Some(BacklogView {
            due: waits.due,
            parked: waits.parked,
            dead: waits.dead,
        }),
        ..view(row, grants)
    })
}

/// The median and the ninth decile, each the least time that so many were not above.
fn time_to_finding(mut times: Vec<i64>) -> Option<TimeToFinding> {
    times.sort_unstable();
    let part = |tenths: usize| {
        let place = (times.len() * tenths).div_ceil(10).saturating_sub(1);
        times.get(place).copied().unwrap_or_default()
    };
    (times.len() >= ANSWERS_MIN).then(|| TimeToFinding {
        n: times.len() as u64,
        p50_ms: part(5),
        p90_ms: part(9),
    })
}

/// Whether the caller may have this address allowed, and under which class.
fn may_allow(by: &Principal, target: &Target, allow_private: bool) -> Result<bool, Problem> {
    if !target.needs_grant() || !by.is_human() {
        return Ok(false);
    }
    if target.class() == Some(AddressClass::Private) && !allow_private {
        return Err(Problem::field(
            "webhook_url",
            "is on the local network; send allow_private: true to allow it",
        ));
    }
    Ok(true)
}

impl Engine {
    /// `POST /v1/agents`. The signing secret is in this answer and nowhere else.
    ///
    /// # Panics
    /// Never: a secret of 32 bytes is valid.
    pub async fn create_agent(
        &self,
        by: &Principal,
        request: AgentRequest,
    ) -> Result<AgentView, Problem> {
        by.need(Scope::AgentsWrite)?;
        let mut errors = Vec::new();
        let header = agent_auth::auth(&mut errors, &request);
        let mut checked = self.checked(&mut errors, request)?;
        let is_granted = by.is_human() && self.is_granted(&checked.target).await?;
        let allow = !is_granted && may_allow(by, &checked.target, checked.allow_private)?;
        // Who cannot allow an address gets an agent that waits for somebody who can.
        let pending = checked.target.needs_grant() && !allow && !is_granted;
        checked.row.is_active &= !pending;
        checked.row.auth_header_name = header.as_ref().map(|(name, _)| name.clone());
        let secret = SigningSecret::from_bytes(&random_bytes::<SECRET_BYTES>())
            .expect("32 bytes are a valid length");
        let (inner, actor) = (Arc::clone(&self.inner), self.actor(by));
        let shown = secret.expose();
        let mut view = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row = &checked.row;
                agent::put(tx, row)?;
                let owner = secret_owner(row.uuid);
                let sealed = inner.vault.seal(&owner, SIGNING_FIELD, &secret.expose())?;
                secret::put(tx, (&owner, SIGNING_FIELD), &sealed, row.created_at)?;
                if let Some((_, value)) = &header {
                    let sealed = inner.vault.seal(&owner, AUTH_FIELD, value)?;
                    secret::put(tx, (&owner, AUTH_FIELD), &sealed, row.created_at)?;
                }
                if allow {
                    grants::allow(tx, &checked.target, None, row.created_at)?;
                }
                append(tx, row, &actor, named(&row.name, "registered"))?;
                let grants = grants::of(tx, Audience::Agent)?;
                let stored = agent::by_uuid(tx, row.uuid)?;
                timed(tx, stored.as_ref().unwrap_or(row), &grants)
            })
            .await?;
        view.signing_secret = Some(shown);
        Ok(view)
    }

    /// Whether a person has allowed this address, or its network, already.
    async fn is_granted(&self, target: &Target) -> Result<bool, Problem> {
        let known = self
            .inner
            .store
            .read(|tx| grants::of(tx, Audience::Agent))
            .await?;
        Ok(grants::state(target, &known) == GrantState::Granted)
    }

    fn checked(
        &self,
        errors: &mut Vec<FieldError>,
        request: AgentRequest,
    ) -> Result<Checked, Problem> {
        let now = self.inner.clock.now();
        let url = request
            .webhook_url
            .or(request.endpoint_url)
            .unwrap_or_default();
        if url.is_empty() {
            errors.push(FieldError::new(
                "webhook_url",
                "is required: where alerts are posted",
            ));
        }
        let row = AgentRow {
            id: 0,
            uuid: self.inner.ids.next(),
            name: request.name.trim().to_owned(),
            description: request.description,
            webhook_url: url,
            auth_header_name: None,
            trigger_filter: as_filter(errors, request.trigger_filter),
            trigger_on_sources: request.trigger_on_sources.unwrap_or_default(),
            trigger_on_severities: request.trigger_on_severities.unwrap_or_default(),
            timeout_seconds: request.timeout_seconds.unwrap_or(30),
            retry_count: request.retry_count.unwrap_or(3),
            is_active: request.is_active.unwrap_or(true),
            max_in_flight: request.max_in_flight.unwrap_or(DEFAULT_IN_FLIGHT),
            health: Health::Closed,
            documentation: request.documentation,
            created_at: now,
            updated_at: now,
        };
        match check(&row, &self.inner.source_names()) {
            Ok(target) if errors.is_empty() => Ok(Checked {
                row,
                target,
                allow_private: request.allow_private,
            }),
            Ok(_) => Err(Problem::fields(errors)),
            Err(more) => {
                let url_missing = row.webhook_url.is_empty();
                errors.extend(
                    more.into_iter()
                        .filter(|e| !(url_missing && e.path == "webhook_url")),
                );
                Err(Problem::fields(errors))
            }
        }
    }

    /// `GET /v1/agents`.
    pub async fn agents(&self) -> Result<Vec<AgentView>, Problem> {
        self.inner
            .store
            .read(|tx| {
                let grants = grants::of(tx, Audience::Agent)?;
                let mut views = Vec::new();
                for row in agent::all(tx)? {
                    views.push(timed(tx, &row, &grants)?);
                }
                Ok::<_, Problem>(views)
            })
            .await
    }

    /// `GET /v1/agents/{uuid}`.
    pub async fn agent(&self, id: AgentId) -> Result<AgentView, Problem> {
        self.inner
            .store
            .read(move |tx| {
                let row = agent::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("agent"))?;
                timed(tx, &row, &grants::of(tx, Audience::Agent)?)
            })
            .await
    }

    /// `PATCH /v1/agents/{uuid}`.
    pub async fn patch_agent(
        &self,
        by: &Principal,
        id: AgentId,
        patch: AgentPatch,
    ) -> Result<AgentView, Problem> {
        by.need(Scope::AgentsWrite)?;
        let (inner, now, by) = (Arc::clone(&self.inner), self.inner.clock.now(), by.clone());
        let actor = self.actor(&by);
        let known = self.inner.source_names();
        let changed = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = agent::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("agent"))?;
                let allow_private = patch.allow_private;
                let auth = agent_auth::patched(&patch)?;
                let is_switched_off = matches!(patch.is_active, Patch::Set(false));
                let mut after = apply(before.clone(), patch)?;
                let target = check(&after, &known).map_err(|errors| Problem::fields(&errors))?;
                let known_grants = grants::of(tx, Audience::Agent)?;
                if grants::state(&target, &known_grants) == GrantState::Pending {
                    let turned_on = after.is_active && !before.is_active;
                    if (turned_on || after.webhook_url != before.webhook_url)
                        && may_allow(&by, &target, allow_private)?
                    {
                        grants::allow(tx, &target, None, now)?;
                    } else {
                        after.is_active = false;
                    }
                }
                agent_auth::store(tx, &inner, &mut after, &auth, now)?;
                let is_switched_on = after.is_active && !before.is_active;
                // Who switches a disabled agent off has decided: nothing more is kept for it.
                if is_switched_on || (is_switched_off && after.health == Health::Disabled) {
                    after.health = Health::Closed;
                    breaker::put(tx, after.id, &BreakerRow::default(), now)?;
                }
                let view_of = |tx: &WriteTx<'_>, row: &AgentRow| {
                    timed(tx, row, &grants::of(tx, Audience::Agent)?)
                };
                if after == before && auth.value.is_keep() {
                    return view_of(tx, &before);
                }
                after.updated_at = now;
                agent::put(tx, &after)?;
                if after.webhook_url != before.webhook_url || !auth.value.is_keep() {
                    probe_now(tx, after.id, now)?;
                }
                append(tx, &after, &actor, changes(&before, &after, &auth.value))?;
                view_of(tx, &after)
            })
            .await?;
        // A key's findings bear its agent's name.
        self.inner.keys.forget();
        Ok(changed)
    }

    /// `DELETE /v1/agents/{uuid}`: nothing more is sent to it, its keys end; its findings stay.
    pub async fn delete_agent(&self, by: &Principal, id: AgentId) -> Result<(), Problem> {
        by.need_human("deleting an agent")?;
        let (now, actor) = (self.inner.clock.now(), self.actor(by));
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let mut row = agent::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("agent"))?;
                agent::retire(tx, row.id, now)?;
                secret::remove(tx, &secret_owner(id), None)?;
                row.updated_at = now;
                append(tx, &row, &actor, named(&row.name, "deleted"))
            })
            .await?;
        self.inner.keys.forget();
        Ok(())
    }
}

fn apply(mut row: AgentRow, patch: AgentPatch) -> Result<AgentRow, Problem> {
    let mut errors = Vec::new();
    set(&mut errors, "name", &mut row.name, patch.name);
    let url = if patch.webhook_url.is_keep() {
        patch.endpoint_url
    } else {
        patch.webhook_url
    };
    set(&mut errors, "webhook_url", &mut row.webhook_url, url);
    set(
        &mut errors,
        "timeout_seconds",
        &mut row.timeout_seconds,
        patch.timeout_seconds,
    );
    set(
        &mut errors,
        "retry_count",
        &mut row.retry_count,
        patch.retry_count,
    );
    set(
        &mut errors,
        "max_in_flight",
        &mut row.max_in_flight,
        patch.max_in_flight,
    );
    set(
        &mut errors,
        "is_active",
        &mut row.is_active,
        patch.is_active,
    );
    row.description = patch.description.apply(row.description);
    row.documentation = patch.documentation.apply(row.documentation);
    match patch.trigger_filter {
        Patch::Keep => {}
        // The agent receives all alerts: v1.1.0's lists go too.
        Patch::Clear => {
            row.trigger_filter = Map::new();
            row.trigger_on_sources.clear();
            row.trigger_on_severities.clear();
        }
        Patch::Set(value) => row.trigger_filter = as_filter(&mut errors, Some(value)),
    }
    let list = |patch: Patch<Vec<String>>, stored: Vec<String>| {
        patch.apply(Some(stored)).unwrap_or_default()
    };
    row.trigger_on_sources = list(patch.trigger_on_sources, row.trigger_on_sources);
    row.trigger_on_severities = list(patch.trigger_on_severities, row.trigger_on_severities);
    if errors.is_empty() {
        Ok(row)
    } else {
        Err(Problem::fields(&errors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typical_time_is_told_from_three_answers_on() {
        assert_eq!(time_to_finding(vec![5, 9]), None);
        let told = time_to_finding(vec![9_000, 1_000, 5_000]).expect("three are enough");
        assert_eq!((told.n, told.p50_ms, told.p90_ms), (3, 5_000, 9_000));
        let told = time_to_finding((1..=100).rev().collect()).expect("a hundred are");
        assert_eq!((told.p50_ms, told.p90_ms), (50, 90));
    }
}
