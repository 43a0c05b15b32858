//! What a data directory holds of what was accepted, seen by the store itself while no backend
//! runs.

use std::path::Path;

use anyhow::{Result, ensure};
use calseta_domain::{AlertId, Timestamp};
use calseta_store::tables::{alert, event, integrity};
use calseta_store::{DataDir, Store, StoreError};

use crate::burst::Accepted;

/// Alerts looked up in one read.
const AT_ONCE: usize = 500;

/// How many accepted alerts are not there. A damaged file or a broken chain is an error.
pub(crate) async fn lost(dir: &Path, accepted: &[Accepted]) -> Result<usize> {
    let store = Store::open(DataDir::take(dir)?, Timestamp::from_millis(0))?;
    let ids = accepted
        .iter()
        .map(|alert| alert.uuid.parse())
        .collect::<Result<Vec<AlertId>, _>>()?;
    let mut missing = 0;
    for some in ids.chunks(AT_ONCE) {
        let some = some.to_vec();
        missing += store
            .read(move |tx| {
                let mut missing = 0;
                for id in some {
                    missing += usize::from(alert::by_uuid(tx, id)?.is_none());
                }
                Ok::<_, StoreError>(missing)
            })
            .await?;
    }
    let complaints = store.read(|tx| integrity::complaints(tx)).await?;
    ensure!(complaints.is_empty(), "the file is damaged: {complaints:?}");
    let chain = store.read(|tx| event::verify(tx)).await?;
    ensure!(chain.is_ok(), "the event chain breaks at {chain:?}");
    store.close(Timestamp::from_millis(0)).await;
    Ok(missing)
}
