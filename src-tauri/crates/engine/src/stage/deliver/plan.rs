//! What is to be done for whom now: decided from what waits, before anything is claimed.

use calseta_domain::Timestamp;
use calseta_domain::breaker::Health;
use calseta_store::tables::backlog::Waiting;

/// What is done for one agent in one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Its breaker is not closed: what is due is parked.
    Park,
    /// A parked message goes out, to see whether the agent is back.
    Probe,
    /// Up to so many due messages go out.
    Send(usize),
}

/// What is to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// For which agent.
    pub(super) work: Vec<(i64, Work)>,
    /// When there will be more, as far as the clock decides it.
    pub(super) next: Option<Timestamp>,
}

/// What one agent needs, if its turn came.
enum Need {
    Nothing,
    At(Timestamp),
    Park,
    Probe,
    Send,
}

fn need(agent: &Waiting, now: Timestamp) -> Need {
    let when = |at: Timestamp, need: Need| if at <= now { need } else { Need::At(at) };
    match agent.health {
        Health::Closed if agent.is_active => match agent.next_at {
            _ if agent.has_parked => Need::Send,
            Some(at) => when(at, Need::Send),
            None => Need::Nothing,
        },
        Health::Open | Health::HalfOpen | Health::Disabled if agent.next_at.is_some() => Need::Park,
        Health::Open if agent.is_active => when(agent.next_probe_at.unwrap_or(now), Need::Probe),
        Health::Closed | Health::Open | Health::HalfOpen | Health::Disabled => Need::Nothing,
    }
}

/// Plans: `free` says how many more attempts an agent may have under way, `room` how many there may
/// be in all. Places go round one by one, beginning at `turn`, so that no agent takes all of them.
pub(super) fn plan(
    waiting: &[Waiting],
    free: impl Fn(&Waiting) -> usize,
    (room, turn): (usize, usize),
    now: Timestamp,
) -> Plan {
    let mut plan = Plan::default();
    let mut sends: Vec<(i64, usize, usize)> = Vec::new();
    let mut room = room;
    for agent in waiting {
        match need(agent, now) {
            Need::At(at) => plan.next = Some(plan.next.map_or(at, |next| next.min(at))),
            Need::Park => plan.work.push((agent.agent, Work::Park)),
            Need::Probe if room > 0 && free(agent) > 0 => {
                room -= 1;
                plan.work.push((agent.agent, Work::Probe));
            }
            // A place that becomes free wakes the stage.
            Need::Probe | Need::Nothing => {}
            Need::Send => sends.push((agent.agent, free(agent), 0)),
        }
    }
    let count = sends.len();
    let mut given = true;
    while room > 0 && given {
        given = false;
        for n in 0..count {
            let (_, free, share) = &mut sends[(turn + n) % count];
            if room > 0 && share < free {
                *share += 1;
                room -= 1;
                given = true;
            }
        }
    }
    let shares = sends.into_iter().filter(|(.., share)| *share > 0);
    plan.work
        .extend(shares.map(|(agent, _, share)| (agent, Work::Send(share))));
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + ms)
    }

    fn agent(id: i64) -> Waiting {
        Waiting {
            agent: id,
            health: Health::Closed,
            is_active: true,
            max_in_flight: 4,
            next_probe_at: None,
            next_at: Some(at(0)),
            has_parked: false,
        }
    }

    #[test]
    fn places_go_round_and_nobody_takes_all() {
        let agents: Vec<Waiting> = (0..4).map(agent).collect();
        let free = |_: &Waiting| 4;
        let shares = |room, turn| plan(&agents, free, (room, turn), at(0)).work;
        let sends = |counts: [usize; 4]| {
            let counted = (0_i64..).zip(counts).filter(|(_, n)| *n > 0);
            counted
                .map(|(id, n)| (id, Work::Send(n)))
                .collect::<Vec<_>>()
        };
        assert_eq!(shares(64, 0), sends([4, 4, 4, 4]), "each has its own cap");
        assert_eq!(shares(6, 0), sends([2, 2, 1, 1]));
        assert_eq!(shares(6, 3), sends([2, 1, 1, 2]), "the turn goes round");
        assert_eq!(shares(1, 2), sends([0, 0, 1, 0]));
        assert_eq!(shares(0, 2), []);
    }

    #[test]
    fn an_agent_without_a_place_waits_and_holds_nobody_up() {
        let agents = [agent(1), agent(2)];
        let free = |agent: &Waiting| if agent.agent == 1 { 0 } else { 4 };
        let plan = plan(&agents, free, (64, 0), at(0));
        assert_eq!(plan.work, [(2, Work::Send(4))]);
        assert_eq!(plan.next, None);
    }

    #[test]
    fn a_breaker_decides_between_parking_probing_and_waiting() {
        let one = |agent: Waiting| plan(&[agent], |_| 4, (64, 0), at(0));
        let open = |probe, next_at| Waiting {
            health: Health::Open,
            next_probe_at: Some(at(probe)),
            next_at,
            has_parked: true,
            ..agent(1)
        };
        assert_eq!(one(open(9, Some(at(5)))).work, [(1, Work::Park)]);
        assert_eq!(one(open(0, None)).work, [(1, Work::Probe)]);
        let later = one(open(9, None));
        assert_eq!((later.work.len(), later.next), (0, Some(at(9))));
        let half = Waiting {
            health: Health::HalfOpen,
            ..open(0, None)
        };
        assert_eq!(one(half), Plan::default(), "one probe at a time");
        let disabled = Waiting {
            health: Health::Disabled,
            is_active: false,
            ..open(0, None)
        };
        assert_eq!(one(disabled), Plan::default());
        let off = Waiting {
            is_active: false,
            ..agent(1)
        };
        assert_eq!(one(off), Plan::default(), "a person switched it off");
        let back = Waiting {
            has_parked: true,
            next_at: None,
            ..agent(1)
        };
        assert_eq!(one(back).work, [(1, Work::Send(4))]);
    }
}
