//! `breaker`: how an agent's breaker stands. Its state is the agent's own `health`; the rest is here,
//! and no row is a breaker that is closed and has seen no failure.

use calseta_domain::Timestamp;
use calseta_domain::breaker::{Breaker, Health, Window};

use super::{Reads, found, json, time_opt, word, word_opt};
use crate::{StoreError, Wake, WriteTx};

/// A place on the awake clock of one process: what another process reads there means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AwakeMark {
    /// Awake milliseconds of that process.
    pub awake_ms: i64,
    /// Its boot number.
    pub boot: i64,
}

impl AwakeMark {
    /// Awake milliseconds from an earlier mark to this one; 0 across processes, whose time apart
    /// nobody saw.
    pub const fn since(self, earlier: Self) -> i64 {
        if self.boot == earlier.boot {
            self.awake_ms - earlier.awake_ms
        } else {
            0
        }
    }
}

/// A breaker and when it was last judged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BreakerRow {
    /// The breaker.
    pub breaker: Breaker,
    /// When it opened or its last probe ended.
    pub mark: AwakeMark,
}

/// An agent's breaker; closed for an agent that has none.
pub fn of_agent(tx: &impl Reads, agent: i64) -> Result<BreakerRow, StoreError> {
    let row = tx
        .conn()
        .prepare_cached(
            "SELECT g.health, b.failures, coalesce(b.recent, '[]'), b.opened_at, b.next_probe_at,
               b.probes, b.failing_awake_ms, b.cause, b.reason, b.awake_mark, b.awake_boot
             FROM agent g LEFT JOIN breaker b ON b.agent_id = g.id WHERE g.id = ?1",
        )?
        .query_row([agent], |row| {
            let number = |n| row.get::<_, Option<i64>>(n).map(Option::unwrap_or_default);
            let small = |n| row.get::<_, Option<u32>>(n).map(Option::unwrap_or_default);
            Ok(BreakerRow {
                breaker: Breaker {
                    health: word(row, 0)?,
                    failures: small(1)?,
                    window: json::<Window>(row, 2)?,
                    opened_at: time_opt(row, 3)?,
                    next_probe_at: time_opt(row, 4)?,
                    probes: small(5)?,
                    failing_awake_ms: number(6)?,
                    cause: word_opt(row, 7)?,
                    reason: row.get(8)?,
                },
                mark: AwakeMark {
                    awake_ms: number(9)?,
                    boot: number(10)?,
                },
            })
        });
    Ok(found(row)?.unwrap_or_default())
}

/// Stores a breaker, and its state with the agent. A disabled agent is told nothing more; one that
/// is closed is not switched on by that.
pub fn put(
    tx: &WriteTx<'_>,
    agent: i64,
    row: &BreakerRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let breaker = &row.breaker;
    tx.conn
        .prepare_cached(
            "UPDATE agent SET health = ?2, updated_at = ?3,
               is_active = iif(?2 = 'disabled', 0, is_active) WHERE id = ?1 AND health != ?2",
        )?
        .execute((agent, breaker.health.as_str(), now.millis()))?;
    if *breaker == Breaker::closed() {
        tx.conn
            .prepare_cached("DELETE FROM breaker WHERE agent_id = ?1")?
            .execute([agent])?;
    } else {
        let recent = serde_json::to_string(&breaker.window).unwrap_or_else(|_| "[]".to_owned());
        tx.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO breaker(agent_id, failures, recent, opened_at,
                   next_probe_at, probes, failing_awake_ms, awake_mark, awake_boot, cause, reason)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(rusqlite::params![
                agent,
                breaker.failures,
                recent,
                breaker.opened_at.map(Timestamp::millis),
                breaker.next_probe_at.map(Timestamp::millis),
                breaker.probes,
                breaker.failing_awake_ms,
                row.mark.awake_ms,
                row.mark.boot,
                breaker.cause.map(calseta_domain::breaker::Cause::as_str),
                breaker.reason,
            ])?;
    }
    tx.wake(Wake::Deliveries);
    Ok(())
}

/// Whether messages of an agent in this state wait for a probe or for a person.
pub const fn parks(health: Health) -> bool {
    !matches!(health, Health::Closed)
}
