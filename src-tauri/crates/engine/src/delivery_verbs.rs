//! What is done with a delivery besides sending it again: giving up one that waits.

use calseta_contract::delivery::DeliveryView;
use calseta_domain::{DeliveryId, ErrorCode, Scope};
use calseta_store::WriteTx;
use calseta_store::tables::delivery;
use calseta_store::tables::event::{self, NewEvent};
use serde_json::{Map, json};

use crate::{Engine, Principal, Problem};

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
}
