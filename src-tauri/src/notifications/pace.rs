//! How often the desktop is disturbed: at most four notifications a minute, then one that counts
//! the rest. A burst of findings must not bury the one that matters.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Notifications within [`WINDOW`].
const MAX_SHOWN: usize = 4;
/// The time over which they are counted.
const WINDOW: Duration = Duration::from_mins(1);

/// What was shown lately and how many findings wait for the digest.
#[derive(Debug, Default)]
pub(super) struct Pace {
    shown: VecDeque<Instant>,
    held: u32,
}

impl Pace {
    /// Whether a finding that arrived now is shown now. If not, it is counted for the digest.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        // Once some wait, later ones join them: the digest would otherwise tell old news.
        if self.held > 0 || !self.has_room(now) {
            self.held = self.held.saturating_add(1);
            return false;
        }
        self.shown.push_back(now);
        true
    }

    /// Whether it is shown now; what is too much is not counted for later.
    pub(super) fn admit_or_drop(&mut self, now: Instant) -> bool {
        let has_room = self.has_room(now);
        if has_room {
            self.shown.push_back(now);
        }
        has_room
    }

    /// When the digest is due, if any finding waits for it.
    pub(super) fn digest_at(&self) -> Option<Instant> {
        let oldest = self.shown.front().filter(|_| self.held > 0)?;
        Some(*oldest + WINDOW)
    }

    /// How many findings the digest tells of; `None` when it is not due.
    pub(super) fn digest(&mut self, now: Instant) -> Option<u32> {
        if self.held == 0 || !self.has_room(now) {
            return None;
        }
        self.shown.push_back(now);
        Some(std::mem::take(&mut self.held))
    }

    fn has_room(&mut self, now: Instant) -> bool {
        while self
            .shown
            .front()
            .is_some_and(|shown| now.duration_since(*shown) >= WINDOW)
        {
            self.shown.pop_front();
        }
        self.shown.len() < MAX_SHOWN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_finding_within_a_minute_waits_for_the_digest() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pace = Pace::default();
        let admitted = (0..9).filter(|second| pace.admit(at(*second))).count();
        assert_eq!(admitted, MAX_SHOWN);
        assert_eq!(
            pace.digest_at(),
            Some(at(60)),
            "a minute after the first one"
        );
        assert_eq!(pace.digest(at(59)), None, "not before");
        assert_eq!(pace.digest(at(60)), Some(5));
        assert_eq!(pace.digest(at(61)), None, "once");
        assert!(pace.digest_at().is_none(), "nothing waits any more");
    }

    #[test]
    fn the_digest_counts_as_a_notification() {
        let start = Instant::now();
        let mut pace = Pace::default();
        let burst = (0..20).filter(|_| pace.admit(start)).count();
        assert_eq!(burst, MAX_SHOWN);
        let later = start + WINDOW;
        assert_eq!(pace.digest(later), Some(16));
        let next = (0..20).filter(|_| pace.admit(later)).count();
        assert_eq!(next, MAX_SHOWN - 1);
    }
}
