//! The goals of the fault suite, and which tests hold them.
//!
//! A goal that nothing holds yet is in this list all the same: the table names it as missing, so
//! that nobody takes silence for success.

/// Who shows that a goal is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// Tests of the whole product that write the goal's figures to the table.
    Product,
    /// Tests inside the packages whose names contain one of these words.
    Packages(&'static [&'static str]),
}

/// One goal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Goal {
    pub(super) number: &'static str,
    pub(super) what: &'static str,
    pub(super) holder: Holder,
    /// Whether a build or a server with the mistake must be seen to fail.
    pub(super) wants_control: bool,
}

const fn goal(number: &'static str, what: &'static str) -> Goal {
    Goal {
        number,
        what,
        holder: Holder::Product,
        wants_control: false,
    }
}

const fn loss(number: &'static str, what: &'static str) -> Goal {
    Goal {
        wants_control: true,
        ..goal(number, what)
    }
}

const fn inside(number: &'static str, what: &'static str, tests: &'static [&'static str]) -> Goal {
    Goal {
        holder: Holder::Packages(tests),
        ..goal(number, what)
    }
}

/// All goals, in the order of the table.
pub(super) const GOALS: &[Goal] = &[
    loss("D1", "kill -9 loses nothing that was accepted"),
    goal("D2", "every fault point, reached and survived"),
    loss("D3", "a power cut loses nothing that was accepted"),
    loss("D4", "a full disk refuses, reads on and recovers"),
    goal("D5", "orphans are rescued, poison is quarantined"),
    goal("D6", "a backup under load restores whole"),
    loss("D7", "an upgrade is whole or not at all"),
    loss("D8", "one directory has one owner"),
    loss("D9", "the write-ahead log stays bounded"),
    goal("D10", "a damaged file is left alone and said"),
    loss("W1", "every matching agent hears of every alert"),
    goal("W2", "without a fault nothing comes twice"),
    goal("W3", "what was parked is delivered on return"),
    goal("W4", "one hanging agent delays nobody else"),
    goal("W5", "no peer holds an attempt or fills memory"),
    loss("W6", "official libraries verify the signatures"),
    goal("W7", "what an agent's answer means is obeyed"),
    goal("W8", "sleep and clock jumps disable nobody"),
    goal("W9", "a replay is one new delivery each"),
    goal("W11", "a finding posted again is one finding"),
    loss("S1", "foreign Host and Origin are refused"),
    goal("S2", "no cookie, no form post, no CORS"),
    loss("S5", "slow clients are closed, others served"),
    goal("S6", "bombs are refused while they arrive"),
    goal("S9", "overload is refused and kept apart"),
    loss("S10", "forbidden addresses get no connection"),
    goal("S17", "a squatter on the port gets no key"),
    goal("T2", "the state machines keep their rules"),
    goal("T3", "no answer before its commit, no lost wake-up"),
    inside(
        "egress",
        "the one outbound client, against its own peers",
        &["rebinding::", "blocked::", "reached::", "hostile::"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_goal_is_there_once() {
        let numbers: BTreeSet<&str> = GOALS.iter().map(|goal| goal.number).collect();
        assert_eq!(numbers.len(), GOALS.len());
    }
}
