//! Severity of an alert, ordered.

use crate::words;

words! {
    /// How bad the sender says it is. `Pending` means that the sender's word was not understood;
    /// it ranks lowest and fails every `min_severity` (docs/differences.md).
    Severity, "severity" {
        Pending => "Pending",
        Informational => "Informational",
        Low => "Low",
        Medium => "Medium",
        High => "High",
        Critical => "Critical",
    }
}

impl Severity {
    /// Rank 0..=5, the order that sorting and thresholds use.
    pub const fn rank(self) -> u8 {
        self as u8
    }

    /// Whether this severity passes a threshold; `Pending` passes none.
    pub fn at_least(self, threshold: Self) -> bool {
        self != Self::Pending && self >= threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_the_contracts_order() {
        let mut sorted = Severity::ALL.to_vec();
        sorted.sort();
        assert_eq!(sorted, Severity::ALL);
    }

    #[test]
    fn pending_fails_any_threshold() {
        for threshold in Severity::ALL {
            assert!(!Severity::Pending.at_least(*threshold));
        }
        assert!(Severity::High.at_least(Severity::High));
        assert!(!Severity::Medium.at_least(Severity::High));
    }
}
