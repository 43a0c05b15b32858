//! How much two alerts have to do with each other.
//!
//! `score = Σ ln(N / alerts that have the value) × recency + bonuses`, over the values both have: a
//! hash that two alerts of a hundred thousand have says much, a resolver that every second one has
//! says nothing. Values that more than [`NOISE_ALERTS`] alerts have are left out altogether and
//! listed as such.

use crate::IndicatorType;

/// A value that more alerts than this have relates none of them.
pub const NOISE_ALERTS: u64 = 200;
/// A value that at most so many alerts have is rare.
pub const RARE_ALERTS: u64 = 5;
/// After so long between two alerts, what they share counts half: 30 days.
const HALF_LIFE_MS: f64 = 30.0 * 86_400_000.0;
/// However long ago: a rare hash of last year is still the same hash.
const MIN_RECENCY: f64 = 0.1;
/// What the same rule adds: about as much as a value that every third alert has.
const SAME_RULE: f64 = 1.0;
/// What a shared account or mail address adds: the same person, besides how rare the name is.
const SAME_ACCOUNT: f64 = 1.5;

/// A value that both alerts have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedIndicator {
    /// Its type.
    pub kind: IndicatorType,
    /// How many alerts have it, both included.
    pub alerts: u64,
}

/// What relates one alert to another.
#[derive(Debug, Clone, Copy)]
pub struct Relation<'a> {
    /// What both have; noise in it counts nothing.
    pub shared: &'a [SharedIndicator],
    /// Whether the same rule raised both.
    pub is_same_rule: bool,
    /// Milliseconds between the two, in either direction.
    pub apart_ms: i64,
}

/// Whether too many alerts have a value for it to mean anything.
pub const fn is_noise(alerts: u64) -> bool {
    alerts > NOISE_ALERTS
}

/// Whether a value is rare.
pub const fn is_rare(alerts: u64) -> bool {
    alerts <= RARE_ALERTS
}

/// The score of a relation among `total` alerts: finite, never negative, 0 when there is none. With
/// rarer or more shared values, or less time between the alerts, it is never less.
pub fn score(total: u64, relation: &Relation<'_>) -> f64 {
    let telling = relation.shared.iter().filter(|one| !is_noise(one.alerts));
    let weights: f64 = telling.clone().map(|one| weight(total, one.alerts)).sum();
    let is_person =
        |one: &SharedIndicator| matches!(one.kind, IndicatorType::Account | IndicatorType::Email);
    let account = if telling.clone().any(is_person) {
        SAME_ACCOUNT
    } else {
        0.0
    };
    let rule = if relation.is_same_rule {
        SAME_RULE
    } else {
        0.0
    };
    (weights + account + rule) * recency(relation.apart_ms)
}

/// `ln(N / n)`. Counts are read at different times: a value that more alerts have than there are
/// weighs nothing, and one that nobody has weighs as if one had.
#[expect(
    clippy::cast_precision_loss,
    reason = "a weight needs no sixteenth digit"
)]
fn weight(total: u64, alerts: u64) -> f64 {
    (total.max(1) as f64 / alerts.max(1) as f64).ln().max(0.0)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a weight needs no sixteenth digit"
)]
fn recency(apart_ms: i64) -> f64 {
    let half_lives = apart_ms.unsigned_abs() as f64 / HALF_LIFE_MS;
    (-half_lives).exp2().max(MIN_RECENCY)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const CASES: u32 = 10_000;
    const DAY_MS: i64 = 86_400_000;

    fn ip(alerts: u64) -> SharedIndicator {
        SharedIndicator {
            kind: IndicatorType::Ip,
            alerts,
        }
    }

    fn of(shared: &[SharedIndicator], is_same_rule: bool, apart_ms: i64) -> f64 {
        score(
            100_000,
            &Relation {
                shared,
                is_same_rule,
                apart_ms,
            },
        )
    }

    #[test]
    fn a_rare_value_relates_more_than_many_frequent_ones() {
        assert!(of(&[ip(2)], false, 0) > of(&[ip(200)], false, 0));
        assert!(
            of(&[ip(2)], false, 0) > of(&[ip(201); 50], false, 0),
            "noise counts nothing"
        );
        assert!(of(&[ip(201)], false, 0).abs() < f64::EPSILON);
        let user = SharedIndicator {
            kind: IndicatorType::Account,
            alerts: 2,
        };
        assert!(
            of(&[user], false, 0) > of(&[ip(2)], false, 0),
            "the same person says more"
        );
        assert!(
            of(&[ip(2)], false, 0) > of(&[], true, 0),
            "a rare value says more than the rule"
        );
        assert!(of(&[ip(2)], true, 0) > of(&[ip(2)], false, 0));
    }

    #[test]
    fn the_score_is_the_formula() {
        let expected = 2.0 * (100_000.0_f64 / 4.0).ln() + 1.0;
        assert!((of(&[ip(4), ip(4)], true, 0) - expected).abs() < 1e-9);
        let half = of(&[ip(4)], false, 30 * DAY_MS) / of(&[ip(4)], false, 0);
        assert!((half - 0.5).abs() < 1e-9, "half after thirty days");
        let old = of(&[ip(4)], false, i64::MIN) / of(&[ip(4)], false, 0);
        assert!((old - 0.1).abs() < 1e-9, "and a tenth for good");
        assert!(
            score(
                0,
                &Relation {
                    shared: &[ip(0)],
                    is_same_rule: false,
                    apart_ms: 0
                }
            ) == 0.0
        );
    }

    #[test]
    fn noise_and_rarity_have_their_bounds() {
        assert!(is_rare(5) && !is_rare(6));
        assert!(!is_noise(200) && is_noise(201));
    }

    fn shared() -> impl Strategy<Value = SharedIndicator> {
        (
            select(IndicatorType::ALL),
            any::<u64>().prop_map(|n| n % 400),
        )
            .prop_map(|(kind, alerts)| SharedIndicator { kind, alerts })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(CASES))]

        #[test]
        fn scores_are_bounded_and_ordered(
            total in any::<u64>(),
            mut list in vec(shared(), 1..20),
            is_same_rule in any::<bool>(),
            apart_ms in any::<i64>(),
            nearer in 1..10_i64,
        ) {
            let at = |list: &[SharedIndicator], apart_ms| {
                score(total, &Relation { shared: list, is_same_rule, apart_ms })
            };
            let whole = at(&list, apart_ms);
            prop_assert!(whole.is_finite() && whole >= 0.0);
            prop_assert!(whole <= 20.0 * 64.0 * std::f64::consts::LN_2 + SAME_RULE + SAME_ACCOUNT);
            prop_assert!(at(&list, apart_ms / nearer) >= whole - 1e-9);
            let first = list[0].alerts;
            list[0].alerts /= 2;
            prop_assert!(at(&list, apart_ms) >= whole - 1e-9, "rarer than {first}");
            list[0].alerts = first;
            let last = list.pop();
            prop_assert!(at(&list, apart_ms) <= whole + 1e-9, "without {last:?}");
        }
    }
}
