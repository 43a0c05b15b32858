//! Time, ids and randomness: the only places that read them, so that tests can choose.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use calseta_domain::Timestamp;
use uuid::Uuid;

/// What time it is, and how long this process has been awake.
///
/// The two differ: a person sets the one, a laptop's sleep stops the other. What is late is judged by
/// the first; whether somebody failed to answer for long, and whether work hangs, by the second.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<Standing>>);

/// A clock that stands until it is moved.
#[derive(Debug, Default)]
struct Standing {
    now: AtomicI64,
    awake: AtomicI64,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands until it is advanced, for tests.
    pub fn standing(at: Timestamp) -> Self {
        Self(Some(Arc::new(Standing {
            now: AtomicI64::new(at.millis()),
            awake: AtomicI64::new(0),
        })))
    }

    /// Moves a standing clock; the machine's cannot be moved and stays.
    pub fn advance_millis(&self, millis: i64) {
        if let Some(at) = &self.0 {
            at.now.fetch_add(millis, Ordering::SeqCst);
            at.awake.fetch_add(millis, Ordering::SeqCst);
        }
    }

    /// Moves a standing clock as a sleep of the machine does: the time passes, nobody is awake.
    pub fn sleep_millis(&self, millis: i64) {
        if let Some(at) = &self.0 {
            at.now.fetch_add(millis, Ordering::SeqCst);
        }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        let millis = self
            .0
            .as_ref()
            .map_or_else(system_millis, |at| at.now.load(Ordering::SeqCst));
        Timestamp::from_millis(millis)
    }

    /// Milliseconds that this process has been awake: a monotonic clock that a sleep of the machine
    /// stops where the system has one, and that nobody can set.
    pub fn awake_millis(&self) -> i64 {
        self.0
            .as_ref()
            .map_or_else(system_awake_millis, |at| at.awake.load(Ordering::SeqCst))
    }
}

fn system_awake_millis() -> i64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let awake = START.get_or_init(Instant::now).elapsed();
    i64::try_from(awake.as_millis()).unwrap_or(i64::MAX)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the machine's clock"
)]
fn system_millis() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis())
        .unwrap_or(i64::MAX)
        .saturating_add(calseta_store::faults::clock_offset_ms())
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
