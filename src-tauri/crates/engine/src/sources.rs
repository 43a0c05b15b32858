//! Sources, as lists show them.

use calseta_store::tables::source;
use serde_json::{Value, json};

use crate::{Engine, Problem};

impl Engine {
    /// `GET /v1/sources`.
    pub async fn sources(&self) -> Result<Vec<Value>, Problem> {
        let rows = self
            .inner
            .store
            .read(|tx| Ok::<_, Problem>(source::all(tx)?))
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                json!({
                    "uuid": row.uuid,
                    "source_name": row.name,
                    "display_name": row.plugin.display_name(),
                    "plugin": row.plugin,
                    "is_active": row.is_active,
                    "last_received_at": row.last_received_at,
                })
            })
            .collect())
    }
}
