//! `GET /health`.

use std::time::Duration;

use calseta_contract::health::HealthView;
use calseta_store::tables::job;

use crate::{Engine, Problem};

/// How long the database may take to answer.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

impl Engine {
    /// Whether the database answers, how much waits, which providers can be asked.
    pub async fn health(&self) -> HealthView {
        let depth = self
            .inner
            .store
            .read(|tx| Ok::<_, Problem>(job::depth(tx)?));
        let depth = tokio::time::timeout(CHECK_TIMEOUT, depth).await;
        let depth = depth.ok().and_then(Result::ok);
        let storage = self.inner.storage_word();
        let word = |ok| if ok { "ok" } else { "error" }.to_owned();
        let providers = self.inner.provider_set();
        HealthView {
            status: match (depth, storage) {
                (None, _) => "down",
                (Some(_), "ok") => "ok",
                (Some(_), _) => "degraded",
            }
            .to_owned(),
            version: Self::version().to_owned(),
            database: word(depth.is_some()),
            storage: storage.to_owned(),
            queue: word(depth.is_some()),
            queue_depth: depth.unwrap_or(0),
            enrichment_providers: providers
                .all()
                .map(|provider| {
                    let state = if provider.is_configured() {
                        "configured"
                    } else {
                        "unconfigured"
                    };
                    (provider.row.name.clone(), state.to_owned())
                })
                .collect(),
        }
    }
}
