//! The breaker of an agent under thousands of random sequences: attempts, probes, people, a wall
//! clock that jumps either way, and restarts. After every step its rules must hold.

use anyhow::{Result, ensure};
use calseta_domain::breaker::{
    Attempted, Breaker, Cause, Health, MAX_ASKED_MS, Reach, SILENT_AWAKE_MS, SILENT_PROBES,
};
use calseta_domain::{Outcome, Timestamp};
use calseta_tests::goals;

use crate::world::Random;

/// Steps of one sequence.
const STEPS: u32 = 60;
/// Where the clock begins, in milliseconds.
const BEGIN_MS: i64 = 1_800_000_000_000;
/// The most that a step moves either clock, in milliseconds: nine days.
const MOST_MS: u64 = 9 * 24 * 3_600_000;
/// Statuses that agents answer.
const STATUSES: [u16; 12] = [200, 204, 301, 400, 401, 404, 410, 413, 422, 429, 500, 503];

/// What the sequence knows apart from the breaker itself.
struct Model {
    breaker: Breaker,
    now_ms: i64,
    /// Failed probes, and the awake time that they saw, since it was closed last.
    probes: u32,
    awake_ms: i64,
}

fn outcome(random: &mut Random) -> Outcome {
    match random.within(0, 9) {
        0 => Outcome::Timeout,
        1 | 2 => Outcome::Connect,
        3 => Outcome::Tls,
        4 => Outcome::Unknown,
        5 => Outcome::Ok,
        _ => {
            let at = usize::try_from(random.within(0, STATUSES.len() as u64 - 1)).unwrap_or(0);
            let asked = random.within(0, 7_200_000).cast_signed();
            Outcome::Http {
                status: STATUSES[at],
                retry_after_ms: (random.within(0, 3) == 0).then_some(asked),
            }
        }
    }
}

impl Model {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_ms)
    }

    /// An attempt ends. A probe only while one is under way, as the engine has it.
    fn attempt(&mut self, random: &mut Random) -> Result<()> {
        let outcome = outcome(random);
        let is_probe = self.breaker.health == Health::HalfOpen && random.within(0, 2) > 0;
        let awake_ms = random.within(0, 4 * 3_600_000).cast_signed();
        let attempted = Attempted {
            outcome: &outcome,
            error: "said by the model",
            is_probe,
            reach: Reach::Near,
            awake_ms,
            now: self.now(),
        };
        let before = self.breaker.clone();
        self.breaker = before.clone().after(&attempted);
        let (was, is) = (before.health, self.breaker.health);
        if was == Health::HalfOpen
            && is_probe
            && matches!(is, Health::Open | Health::Disabled)
            && outcome != Outcome::Unknown
        {
            self.probes += 1;
            self.awake_ms += awake_ms;
        }
        if is == Health::Closed {
            (self.probes, self.awake_ms) = (0, 0);
        }
        let is_gone = matches!(outcome, Outcome::Http { status: 410, .. });
        if is == Health::Disabled && was != Health::Disabled && !is_gone {
            ensure!(
                self.awake_ms >= SILENT_AWAKE_MS && self.probes >= SILENT_PROBES,
                "given up after {} ms awake and {} probes",
                self.awake_ms,
                self.probes
            );
            ensure!(self.breaker.cause == Some(Cause::Silent), "it must say why");
        }
        if was == Health::Open && !is_gone {
            ensure!(
                before == self.breaker,
                "what was under way decided: {outcome:?}"
            );
        }
        if was == Health::HalfOpen && !is_probe && !is_gone {
            ensure!(
                before == self.breaker,
                "another attempt decided for the probe: {outcome:?}"
            );
        }
        if was == Health::Closed
            && matches!(
                outcome,
                Outcome::Http {
                    status: 400 | 413 | 422,
                    ..
                }
            )
        {
            ensure!(
                before == self.breaker,
                "a bad message counted against the agent"
            );
        }
        Ok(())
    }

    fn step(&mut self, random: &mut Random) -> Result<()> {
        let was_disabled = self.breaker.health == Health::Disabled;
        match random.within(0, 11) {
            0 => self.now_ms += random.within(0, MOST_MS).cast_signed(),
            1 => self.now_ms -= random.within(0, MOST_MS).cast_signed(),
            2 if random.within(0, 9) == 0 => {
                self.breaker = Breaker::closed();
                (self.probes, self.awake_ms) = (0, 0);
                return self.holds();
            }
            2..=4 => self.breaker = self.breaker.clone().probing(),
            5 => self.breaker = self.breaker.clone().probe_now(self.now()),
            _ => self.attempt(random)?,
        }
        ensure!(
            !was_disabled || self.breaker.health == Health::Disabled,
            "a disabled agent came back by itself"
        );
        self.holds()
    }

    /// The rules of every state.
    fn holds(&self) -> Result<()> {
        let b = &self.breaker;
        match b.health {
            Health::Closed => ensure!(
                b.cause.is_none() && b.next_probe_at.is_none() && b.opened_at.is_none(),
                "closed, with something left over: {b:?}"
            ),
            Health::Open => ensure!(
                b.cause.is_some() && b.next_probe_at.is_some() && b.reason.is_some(),
                "open, and never tried again: {b:?}"
            ),
            Health::HalfOpen => ensure!(b.next_probe_at.is_none(), "two probes: {b:?}"),
            Health::Disabled => ensure!(
                b.reason.is_some() && b.next_probe_at.is_none(),
                "disabled without a word: {b:?}"
            ),
        }
        if let (Health::Open, Some(next), Some(_)) = (b.health, b.next_probe_at, b.opened_at) {
            // From any moment that the sequence has seen, never beyond what may be asked for.
            let furthest = BEGIN_MS + i64::from(STEPS) * MOST_MS.cast_signed() + MAX_ASKED_MS;
            ensure!(
                next.millis() <= furthest,
                "a probe that never comes: {next:?}"
            );
        }
        Ok(())
    }
}

#[test]
fn a_breaker_keeps_its_rules_in_every_sequence() -> Result<()> {
    let sequences = goals::many(10_000, 200_000);
    let mut random = Random::seeded("sequences");
    let mut disabled = 0;
    for number in 0..sequences {
        let mut model = Model {
            breaker: Breaker::default(),
            now_ms: BEGIN_MS,
            probes: 0,
            awake_ms: 0,
        };
        for step in 0..STEPS {
            let stepped = model.step(&mut random);
            ensure!(
                stepped.is_ok(),
                "sequence {number}, step {step} ({}): {stepped:?}",
                random.seed()
            );
        }
        disabled += u32::from(model.breaker.health == Health::Disabled);
    }
    goals::shown(
        "T2",
        format!(
            "the breaker: {sequences} sequences of {STEPS} steps ({})",
            random.seed()
        ),
        format!("0 rules broken; {disabled} ended disabled"),
        "0",
    );
    ensure!(disabled > 0, "no sequence came to the end of the road");
    Ok(())
}
