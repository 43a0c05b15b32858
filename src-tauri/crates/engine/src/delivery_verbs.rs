//! What people do with deliveries besides sending one again: giving up one that waits, and taking
//! up an agent's whole backlog.

use calseta_contract::delivery::DeliveryView;
use calseta_domain::breaker::Health;
use calseta_domain::{AgentId, DeliveryId, ErrorCode, Scope, Timestamp};
use calseta_store::WriteTx;
use calseta_store::tables::agent::{self, AgentRow};
use calseta_store::tables::backlog::{self, Part};
use calseta_store::tables::event::{self, NewEvent};
use calseta_store::tables::{breaker, delivery};
use serde_json::{Map, json};

use crate::changes::{Change, named};
use crate::{Engine, Principal, Problem, dispatch};

/// What of an agent's backlog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// Held back by its breaker.
    Parked,
    /// Given up.
    Dead,
}

/// Which of an agent's deliveries are taken up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// What of it.
    pub state: Waits,
    /// Made then or later.
    pub from: Option<Timestamp>,
    /// Made then or earlier.
    pub to: Option<Timestamp>,
}

impl Backlog {
    fn part(self, agent: i64, now: Timestamp) -> Part {
        Part {
            agent,
            from: self.from.unwrap_or(Timestamp::from_millis(0)),
            to: self.to.unwrap_or(now),
        }
    }
}

impl Engine {
    /// `POST /v1/deliveries/{uuid}/cancel`: a delivery that waits is given up. One that is given up
    /// already stays so.
    pub async fn cancel_delivery(
        &self,
        by: &Principal,
        id: DeliveryId,
    ) -> Result<DeliveryView, Problem> {
        by.need(Scope::AgentsWrite)?;
        let (now, actor) = (self.inner.clock.now(), by.actor());
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row =
                    delivery::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("delivery"))?;
                if row.state == "cancelled" {
                    return Ok(());
                }
                if !delivery::cancel(tx, row.id)? {
                    return Err(Problem::new(
                        ErrorCode::InvalidTransition,
                        format!("a delivery that is {} cannot be cancelled", row.state),
                    )
                    .with("allowed", json!([])));
                }
                let mut detail = Map::new();
                detail.insert("state".to_owned(), json!([row.state, "cancelled"]));
                event::append(
                    tx,
                    NewEvent {
                        at: now,
                        actor: &actor,
                        kind: "delivery.updated",
                        object: ("delivery", Some(id.uuid())),
                        alert: row.alert,
                        detail,
                    },
                )?;
                Ok::<_, Problem>(())
            })
            .await?;
        self.delivery(id).await
    }

    /// `POST /v1/agents/{uuid}/recover`: what was given up is due again, with its whole schedule before
    /// it; what is parked is tried now. How many. Doing it twice changes nothing: what is taken up is
    /// no longer given up. A backlog is taken up in pieces; what a crash leaves is taken up by asking
    /// again.
    pub async fn recover_deliveries(
        &self,
        by: &Principal,
        id: AgentId,
        wanted: Backlog,
    ) -> Result<u64, Problem> {
        by.need(Scope::AgentsWrite)?;
        let change = self.change(by);
        match wanted.state {
            Waits::Parked => {
                let parked = self
                    .inner
                    .store
                    .write_at("recover", move |tx: &WriteTx<'_>| {
                        let row = agent_of(tx, id)?;
                        dispatch::is_on(&row)?;
                        probe_now(tx, row.id, change.at)?;
                        Ok::<_, Problem>(backlog::count_parked(tx, wanted.part(row.id, change.at))?)
                    });
                parked.await
            }
            Waits::Dead => self.revive(id, &change, wanted).await,
        }
    }

    /// Takes up what was given up, a piece a commit.
    async fn revive(&self, id: AgentId, change: &Change, wanted: Backlog) -> Result<u64, Problem> {
        let (mut after, mut count) = (0, 0);
        loop {
            let change = change.clone();
            let piece = self
                .inner
                .store
                .write_at("recover", move |tx: &WriteTx<'_>| {
                    let row = agent_of(tx, id)?;
                    let part = wanted.part(row.id, change.at);
                    let (revived, last) = backlog::revive(tx, part, after, change.at)?;
                    if revived > 0 {
                        let mut detail = named(&row.name, "recovered");
                        detail.insert("deliveries".to_owned(), json!(revived));
                        change.append(tx, "agent.updated", ("agent", Some(id.uuid())), detail)?;
                        probe_now(tx, row.id, change.at)?;
                    }
                    Ok::<_, Problem>((revived, last))
                });
            let (revived, last) = piece.await?;
            count += revived;
            match last {
                Some(last) => after = last,
                None => return Ok(count),
            }
        }
    }
}

fn agent_of(tx: &WriteTx<'_>, id: AgentId) -> Result<AgentRow, Problem> {
    agent::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("agent"))
}

/// A person asks for it, or changed what may have been wrong: an open breaker's next probe is now.
pub(crate) fn probe_now(tx: &WriteTx<'_>, agent: i64, now: Timestamp) -> Result<(), Problem> {
    let mut row = breaker::of_agent(tx, agent)?;
    if row.breaker.health == Health::Open {
        row.breaker = row.breaker.probe_now(now);
        breaker::put(tx, agent, &row, now)?;
    }
    Ok(())
}
