//! `egress_log`: the newest requests that went out or were refused. Bounded in number.

use calseta_domain::Timestamp;
use rusqlite::{Row, params_from_iter};

use super::condition::{Condition, Slice};
use super::{Reads, time};
use crate::{StoreError, WriteTx};

/// Rows that are kept; the oldest go.
pub const KEPT_ROWS: i64 = 20_000;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressRow {
    /// Its place, from 1; 0 before it is stored.
    pub id: i64,
    /// When it ended.
    pub at: Timestamp,
    /// agent, provider or workflow.
    pub audience: String,
    /// The method.
    pub method: String,
    /// http or https; empty when the URL was not understood.
    pub scheme: String,
    /// The host; empty when the URL was not understood.
    pub host: String,
    /// The port; 0 when the URL was not understood.
    pub port: u16,
    /// Whether it was let out.
    pub is_allowed: bool,
    /// What became of it, in a word.
    pub outcome: String,
    /// Why it was refused or failed.
    pub reason: Option<String>,
    /// The address.
    pub ip: Option<String>,
    /// The address's class.
    pub class: Option<String>,
    /// Whether it went through the proxy.
    pub by_proxy: bool,
    /// The answer's status.
    pub status: Option<u16>,
    /// Bytes of the body that was sent.
    pub sent_bytes: u64,
    /// Bytes of the answer that were kept.
    pub received_bytes: u64,
    /// Milliseconds from the call to its end.
    pub elapsed_ms: u64,
}

/// Which requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EgressFilter {
    /// Only of this audience.
    pub audience: Option<String>,
    /// Only those let out, or only those refused.
    pub is_allowed: Option<bool>,
    /// Only to this host.
    pub host: Option<String>,
}

const COLUMNS: &str = "id, at, audience, method, scheme, host, port, is_allowed, outcome, reason, ip, \
                       class, by_proxy, status, sent_bytes, received_bytes, elapsed_ms";

fn map(row: &Row<'_>) -> rusqlite::Result<EgressRow> {
    Ok(EgressRow {
        id: row.get(0)?,
        at: time(row, 1)?,
        audience: row.get(2)?,
        method: row.get(3)?,
        scheme: row.get(4)?,
        host: row.get(5)?,
        port: row.get(6)?,
        is_allowed: row.get(7)?,
        outcome: row.get(8)?,
        reason: row.get(9)?,
        ip: row.get(10)?,
        class: row.get(11)?,
        by_proxy: row.get(12)?,
        status: row.get(13)?,
        sent_bytes: row.get(14)?,
        received_bytes: row.get(15)?,
        elapsed_ms: row.get(16)?,
    })
}

/// Appends requests and drops the oldest beyond [`KEPT_ROWS`].
pub fn append(tx: &WriteTx<'_>, rows: &[EgressRow]) -> Result<(), StoreError> {
    let mut insert = tx.conn.prepare_cached(
        "INSERT INTO egress_log(at, audience, method, scheme, host, port, is_allowed, outcome, reason,
           ip, class, by_proxy, status, sent_bytes, received_bytes, elapsed_ms)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )?;
    for row in rows {
        insert.execute(rusqlite::params![
            row.at.millis(),
            row.audience,
            row.method,
            row.scheme,
            row.host,
            row.port,
            row.is_allowed,
            row.outcome,
            row.reason,
            row.ip,
            row.class,
            row.by_proxy,
            row.status,
            row.sent_bytes,
            row.received_bytes,
            row.elapsed_ms,
        ])?;
    }
    tx.conn
        .prepare_cached("DELETE FROM egress_log WHERE id <= (SELECT max(id) FROM egress_log) - ?1")?
        .execute([KEPT_ROWS])?;
    Ok(())
}

/// A page, newest first, and how many there are.
pub fn page(
    tx: &impl Reads,
    filter: &EgressFilter,
    slice: Slice,
) -> Result<(Vec<EgressRow>, u64), StoreError> {
    let mut narrowed = Condition::new();
    narrowed.compare_opt("audience =", filter.audience.clone());
    narrowed.compare_opt("is_allowed =", filter.is_allowed);
    narrowed.compare_opt("host =", filter.host.clone());
    let (condition, params) = (narrowed.sql(), || params_from_iter(narrowed.params()));
    let total = tx
        .conn()
        .prepare_cached(&format!(
            "SELECT count(*) FROM egress_log WHERE {condition}"
        ))?
        .query_row(params(), |row| row.get(0))?;
    let (limit, offset) = (slice.limit, slice.offset);
    let sql = format!(
        "SELECT {COLUMNS} FROM egress_log WHERE {condition} ORDER BY id DESC LIMIT {limit} OFFSET {offset}"
    );
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map(params(), map)?;
    Ok((rows.collect::<Result<_, _>>()?, total))
}
