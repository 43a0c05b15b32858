//! Time, ids and randomness: the only places that read them, so that tests can choose.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use calseta_domain::Timestamp;
use uuid::Uuid;

/// What time it is.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands until it is advanced, for tests.
    pub fn standing(at: Timestamp) -> Self {
        Self(Some(Arc::new(AtomicI64::new(at.millis()))))
    }

    /// Moves a standing clock; the machine's cannot be moved and stays.
    pub fn advance_millis(&self, millis: i64) {
        if let Some(at) = &self.0 {
            at.fetch_add(millis, Ordering::SeqCst);
        }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        let millis = self
            .0
            .as_ref()
            .map_or_else(system_millis, |at| at.load(Ordering::SeqCst));
        Timestamp::from_millis(millis)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the machine's clock"
)]
fn system_millis() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// New ids: `UUIDv7`, so that they sort by the time they were made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ids;

impl Ids {
    /// A new id.
    #[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
    pub fn next<T: From<Uuid>>(self) -> T {
        T::from(Uuid::now_v7())
    }
}

/// Random bytes from the operating system.
///
/// # Panics
/// Without randomness no key or nonce would be safe: better no program than a guessable one.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// A random number in -1..=1.
pub(crate) fn jitter() -> f64 {
    let bytes = u16::from_be_bytes(random_bytes::<2>());
    f64::from(bytes) / f64::from(u16::MAX) * 2.0 - 1.0
}
