//! Index: the words of alerts that changed, for search.
//!
//! What has to be indexed is noted in the transaction that changes it, so nothing is forgotten
//! whenever the process ends. The writer is shared with ingest, which comes first: this work waits
//! for idle moments, and one call takes little of the writer.

use std::sync::Arc;

use calseta_store::tables::search;
use calseta_store::{StoreError, WriteTx};

use super::{calm_down, pause};
use crate::start::Inner;

/// Alerts that one write indexes: some milliseconds of the writer.
const ALERTS_AT_ONCE: u32 = 64;

pub(super) async fn run(inner: Arc<Inner>) {
    loop {
        if inner.stop.is_cancelled() {
            return;
        }
        let indexed = inner
            .store
            .write_when_idle(|tx: &WriteTx<'_>| search::index_pending(tx, ALERTS_AT_ONCE));
        match indexed.await {
            Ok(true) => {}
            Ok(false) => {
                if !pause(&inner, inner.store.index_wake(), None).await {
                    return;
                }
            }
            // Ingest has filled the queue: it goes first.
            Err(StoreError::Busy) => {
                if !calm_down(&inner).await {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(error = %error, "indexing changed alerts");
                if !calm_down(&inner).await {
                    return;
                }
            }
        }
    }
}
