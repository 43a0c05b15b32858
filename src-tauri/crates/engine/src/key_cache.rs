//! The API keys that were looked up, so that a request costs no read of the store.
//!
//! A row that was read before a change must not be kept after it: a key revoked between the two
//! would go on working. Whoever reads says what generation it read in; a change begins a new one.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use calseta_store::tables::api_key::ApiKeyRow;

/// Keys by the SHA-256 of their bits. Unknown keys are never kept, so it is no larger than the table.
#[derive(Debug, Default)]
pub(crate) struct KeyCache(RwLock<Cached>);

#[derive(Debug, Default)]
struct Cached {
    generation: u64,
    rows: HashMap<[u8; 32], Arc<ApiKeyRow>>,
}

/// When a row was read: before or after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation(u64);

impl KeyCache {
    /// A kept row, else the generation to read it in.
    pub(crate) fn get(&self, digest: &[u8; 32]) -> Result<Arc<ApiKeyRow>, Generation> {
        let cached = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let row = cached.rows.get(digest).cloned();
        row.ok_or(Generation(cached.generation))
    }

    /// Keeps a row, unless anything changed since its reading began.
    pub(crate) fn keep(&self, read_in: Generation, digest: [u8; 32], row: &Arc<ApiKeyRow>) {
        let mut cached = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if cached.generation == read_in.0 {
            cached.rows.insert(digest, Arc::clone(row));
        }
    }

    /// After any change to a key: the next request reads it afresh.
    pub(crate) fn forget(&self) {
        let mut cached = self.0.write().unwrap_or_else(PoisonError::into_inner);
        cached.generation += 1;
        cached.rows.clear();
    }
}

#[cfg(test)]
mod tests {
    use calseta_domain::{Scope, Timestamp};

    use super::*;
    use crate::api_keys;

    #[test]
    fn a_row_read_before_a_revocation_is_not_kept_after_it() {
        let (row, _) = api_keys::mint("a key", &[Scope::Admin], Timestamp::from_millis(0));
        let (cache, digest, row) = (KeyCache::default(), row.hash, Arc::new(row));
        let before = cache.get(&digest).expect_err("nothing is kept yet");
        cache.forget();
        cache.keep(before, digest, &row);
        let after = cache
            .get(&digest)
            .expect_err("the revoked key would go on working");
        cache.keep(after, digest, &row);
        assert!(
            cache.get(&digest).is_ok(),
            "a row read after the change is kept"
        );
    }
}
