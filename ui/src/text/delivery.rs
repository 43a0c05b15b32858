//! Deliveries and attempts in words.

use calseta_contract::agent::TimeToFinding;
use calseta_contract::delivery::{AttemptView, DeliveryView};

/// How a line is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It went well.
    Ok,
    /// It goes on.
    Busy,
    /// It waits for something.
    Warn,
    /// It failed.
    Bad,
}

impl Mood {
    /// The word for the stylesheet.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Busy => "busy",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// Where a delivery stands.
pub(crate) fn delivery_state(delivery: &DeliveryView) -> (Mood, String) {
    let tries = delivery.attempts.len();
    match delivery.state.as_str() {
        "delivered" => {
            let code = delivery
                .attempts
                .iter()
                .rev()
                .find_map(|attempt| attempt.status_code);
            (
                Mood::Ok,
                code.map_or_else(|| "Delivered".to_owned(), |c| format!("Delivered ({c})")),
            )
        }
        "in_flight" => (Mood::Busy, "Being sent".to_owned()),
        "due" if tries == 0 => (Mood::Busy, "Waiting to be sent".to_owned()),
        "due" => (Mood::Warn, format!("Failed {tries}×, will be tried again")),
        "parked" => (
            Mood::Warn,
            "Parked until the agent answers again".to_owned(),
        ),
        "dead" => {
            let why = delivery
                .dead_reason
                .as_deref()
                .unwrap_or("every attempt failed");
            (Mood::Bad, format!("Given up: {why}"))
        }
        "cancelled" => (Mood::Warn, "Cancelled".to_owned()),
        other => (Mood::Warn, other.to_owned()),
    }
}

/// What is still to come of a delivery without a finding; `None` when nothing is.
pub(crate) fn delivery_wait(
    delivery: &DeliveryView,
    typical: Option<TimeToFinding>,
) -> Option<String> {
    match delivery.state.as_str() {
        "delivered" => {
            let usual = typical.map_or_else(String::new, |times| {
                format!(", usually {}–{}", span(times.p50_ms), span(times.p90_ms))
            });
            Some(format!("told, no finding yet{usual}"))
        }
        "due" | "in_flight" | "parked" | "dead" => Some(lower(&delivery_state(delivery).1)),
        _ => None,
    }
}

/// `8 s`, `3 min`, `2 h`.
fn span(ms: i64) -> String {
    match ms / 1_000 {
        seconds @ ..120 => format!("{} s", seconds.max(1)),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}

fn lower(said: &str) -> String {
    let mut letters = said.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// What became of an attempt.
pub(crate) fn attempt_outcome(attempt: &AttemptView) -> (Mood, String) {
    let code = attempt
        .status_code
        .map(|code| code.to_string())
        .unwrap_or_default();
    let (mood, said) = match attempt.outcome.as_deref() {
        None => (Mood::Busy, "under way".to_owned()),
        Some("ok") => (Mood::Ok, format!("answered {code}")),
        Some("http") => (Mood::Bad, format!("answered {code}")),
        Some("timeout") => (Mood::Bad, "no answer in time".to_owned()),
        Some("connect") => (
            Mood::Bad,
            "could not connect — is the agent running?".to_owned(),
        ),
        Some("tls") => (Mood::Bad, "no trusted TLS connection".to_owned()),
        Some("blocked") => (Mood::Bad, "the address is not allowed".to_owned()),
        Some("too_large") => (Mood::Bad, "the answer was too large".to_owned()),
        Some("unknown") => (Mood::Warn, "cut off when Calseta stopped".to_owned()),
        Some(other) => (Mood::Warn, other.to_owned()),
    };
    (mood, said.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use calseta_domain::Timestamp;

    use super::*;

    fn attempt(outcome: Option<&str>, status_code: Option<u16>) -> AttemptView {
        AttemptView {
            is_probe: false,
            n: 1,
            started_at: Timestamp::from_millis(0),
            ended_at: None,
            outcome: outcome.map(str::to_owned),
            status_code,
            remote_ip: None,
            duration_ms: None,
            response_excerpt: None,
            error: None,
        }
    }

    #[test]
    fn every_outcome_of_the_contract_has_words() {
        for outcome in [
            "ok",
            "http",
            "timeout",
            "connect",
            "tls",
            "blocked",
            "too_large",
            "unknown",
        ] {
            let (_, words) = attempt_outcome(&attempt(Some(outcome), Some(503)));
            assert_ne!(
                words, outcome,
                "a person should not have to know the word {outcome}"
            );
        }
    }

    #[test]
    fn an_answered_attempt_names_its_status() {
        let (mood, words) = attempt_outcome(&attempt(Some("http"), Some(503)));
        assert_eq!((mood, words.as_str()), (Mood::Bad, "answered 503"));
    }
}
