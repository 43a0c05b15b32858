//! What people do with deliveries besides sending one again: giving up one that waits, and taking
//! up an agent's whole backlog.

use calseta_contract::delivery::DeliveryView;
use calseta_domain::{AgentId, DeliveryId, ErrorCode, Scope, Timestamp};
use calseta_store::WriteTx;
use calseta_store::tables::event::{self, NewEvent};
use calseta_store::tables::{agent, delivery};
use serde_json::{Map, json};

use crate::{Engine, Principal, Problem};

/// Which of an agent's deliveries are taken up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// `parked` or `dead`.
    pub state: &'static str,
    /// Made then or later.
    pub from: Option<Timestamp>,
    /// Made then or earlier.
    pub to: Option<Timestamp>,
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

    /// `POST /v1/agents/{uuid}/recover`: the agent's parked or dead deliveries are due again; how
    /// many. What is due already is none of them, so that doing it twice changes nothing.
    pub async fn recover_deliveries(
        &self,
        by: &Principal,
        id: AgentId,
        backlog: Backlog,
    ) -> Result<u64, Problem> {
        by.need(Scope::AgentsWrite)?;
        let (now, actor) = (self.inner.clock.now(), by.actor());
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row = agent::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("agent"))?;
                let made = (
                    backlog.from.unwrap_or(Timestamp::from_millis(0)),
                    backlog.to.unwrap_or(now),
                );
                let count = delivery::recover(tx, (row.id, backlog.state), made, now)?;
                if count > 0 {
                    let mut detail = Map::new();
                    detail.insert("what".to_owned(), json!("recovered"));
                    detail.insert("deliveries".to_owned(), json!(count));
                    event::append(
                        tx,
                        NewEvent {
                            at: now,
                            actor: &actor,
                            kind: "agent.updated",
                            object: ("agent", Some(id.uuid())),
                            alert: None,
                            detail,
                        },
                    )?;
                }
                Ok::<_, Problem>(count)
            })
            .await
    }
}
