//! The breaker, outcome by outcome.

use super::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + ms)
}

fn ended(outcome: &Outcome, ms: i64) -> Attempted<'_> {
    Attempted {
        outcome,
        error: "connection refused",
        is_probe: false,
        reach: Reach::Near,
        awake_ms: 0,
        now: at(ms),
    }
}

fn probe(outcome: &Outcome, ms: i64, awake_ms: i64) -> Attempted<'_> {
    Attempted {
        is_probe: true,
        awake_ms,
        ..ended(outcome, ms)
    }
}

const fn http(status: u16) -> Outcome {
    Outcome::Http {
        status,
        retry_after_ms: None,
    }
}

fn open() -> Breaker {
    (0..5).fold(Breaker::closed(), |breaker, n| {
        breaker.after(&ended(&Outcome::Connect, n))
    })
}

#[test]
fn the_fifth_failure_in_a_row_opens_it_and_a_success_starts_the_count_again() {
    let four = (0..4).fold(Breaker::closed(), |breaker, n| {
        breaker.after(&ended(&http(500), n))
    });
    assert_eq!((four.health, four.failures), (Health::Closed, 4));
    let worked = four.clone().after(&ended(&Outcome::Ok, 5));
    assert_eq!((worked.health, worked.failures), (Health::Closed, 0));
    let five = four.after(&ended(&http(500), 5));
    assert_eq!(five.health, Health::Open);
    assert_eq!(five.next_probe_at, Some(at(5 + FIRST_PROBE_MS)));
    assert!(five.reason.expect("a reason").contains("5 attempts"));
}

#[test]
fn seven_failures_of_ten_open_it_without_five_in_a_row() {
    let mut breaker = Breaker::closed();
    let pattern = [
        false, false, false, true, false, false, true, false, false, true,
    ];
    for (n, ok) in (0_i64..).zip(pattern) {
        assert_eq!(breaker.health, Health::Closed, "after {n}");
        let outcome = if ok { Outcome::Ok } else { Outcome::Timeout };
        breaker = breaker.after(&ended(&outcome, n * SECOND_MS));
    }
    assert_eq!(breaker.health, Health::Closed, "the tenth was a success");
    let breaker = breaker.after(&ended(&Outcome::Timeout, 20 * SECOND_MS));
    assert_eq!(breaker.health, Health::Open, "8 of 11");
    // The same failures, spread over more than the window.
    let mut breaker = Breaker::closed();
    for n in 0_i64..20 {
        let outcome = if n % 4 == 3 {
            Outcome::Ok
        } else {
            Outcome::Timeout
        };
        breaker = breaker.after(&ended(&outcome, n * MINUTE_MS));
    }
    assert_eq!(breaker.health, Health::Closed);
}

#[test]
fn what_an_agent_says_of_a_message_leaves_the_breaker_as_it_is() {
    let four = (0..4).fold(Breaker::closed(), |breaker, n| {
        breaker.after(&ended(&Outcome::Connect, n))
    });
    for status in [400, 413, 415, 422] {
        assert_eq!(four.clone().after(&ended(&http(status), 9)), four);
        assert!(refuses_message(&http(status)));
    }
    for status in [404, 500, 503, 301] {
        let after = four.clone().after(&ended(&http(status), 9));
        assert_eq!(after.health, Health::Open, "{status}");
    }
    assert_eq!(four.clone().after(&ended(&Outcome::Unknown, 9)), four);
}

#[test]
fn refused_credentials_open_it_at_once() {
    for status in [401, 403] {
        let breaker = Breaker::closed().after(&ended(&http(status), 0));
        assert_eq!(breaker.health, Health::Open);
        assert_eq!(breaker.cause, Some(Cause::Credentials));
    }
}

#[test]
fn gone_disables_it_in_any_state() {
    for breaker in [Breaker::closed(), open(), open().probing()] {
        let gone = breaker.after(&ended(&http(410), 9));
        assert_eq!(gone.health, Health::Disabled);
        assert_eq!(gone.cause, Some(Cause::Gone));
        let later = gone.clone().after(&probe(&Outcome::Ok, 10, 0));
        assert_eq!(later, gone, "only a person takes it up again");
    }
}

#[test]
fn probes_wait_longer_and_longer_up_to_the_cap() {
    let waits = |reach| (0..9).map(move |n| probe_wait_ms(n, reach) / SECOND_MS);
    assert!(waits(Reach::Near).eq([5, 10, 20, 40, 60, 60, 60, 60, 60]));
    assert!(waits(Reach::Far).eq([5, 10, 20, 40, 80, 160, 300, 300, 300]));
    let asked = Outcome::Http {
        status: 503,
        retry_after_ms: Some(i64::MAX),
    };
    let breaker = open().probing().after(&probe(&asked, 0, 0));
    assert_eq!(breaker.next_probe_at, Some(at(MAX_ASKED_MS)));
}

#[test]
fn only_the_probe_closes_an_open_breaker() {
    let late = open().after(&ended(&Outcome::Ok, 9));
    assert_eq!(late, open(), "it was under way when the breaker opened");
    let half = open().probing();
    assert_eq!(half.health, Health::HalfOpen);
    assert_eq!(half.clone().after(&ended(&Outcome::Connect, 9)), half);
    let closed = half.after(&probe(&Outcome::Ok, 9, 0));
    assert_eq!(closed, Breaker::closed());
    let refused = open().probing().after(&probe(&http(422), 9, 0));
    assert_eq!(refused, Breaker::closed(), "who judges a message is there");
}

#[test]
fn a_day_awake_and_twenty_probes_give_an_agent_up_and_sleep_counts_for_nothing() {
    let hour = HOUR_MS;
    let mut breaker = open();
    for n in 0_i64..23 {
        // Nine days of sleep between two probes, in which an hour was awake.
        let now = n * 9 * 24 * hour;
        breaker = breaker
            .probing()
            .after(&probe(&Outcome::Timeout, now, hour));
        assert_eq!(breaker.health, Health::Open, "{n}");
    }
    let given_up = breaker
        .probing()
        .after(&probe(&Outcome::Timeout, 24 * hour, hour));
    assert_eq!(given_up.health, Health::Disabled);
    assert_eq!(given_up.cause, Some(Cause::Silent));
    // A day awake with too few probes: Retry-After may have kept them apart.
    let breaker = open()
        .probing()
        .after(&probe(&Outcome::Timeout, 0, 48 * hour));
    assert_eq!(breaker.health, Health::Open);
}
