//! `event`: the one append-only, hash-chained log. Activity, audit, timeline and the event stream
//! are views of it.

use calseta_domain::{AlertId, Timestamp};
use rusqlite::{Connection, Row};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::alert_list::COUNT_CAP;
use super::condition::{Condition, Slice};
use super::{Reads, blob, found, json_opt, list, time, uuid_opt};
use crate::{ChainHead, StoreError, WriteTx, chain};

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// analyst, agent, `human_key`, mcp or system.
    pub kind: String,
    /// A name to show.
    pub name: String,
    /// The key's first characters.
    pub key_prefix: Option<String>,
}

impl Actor {
    /// The pipeline itself.
    pub fn system() -> Self {
        Self {
            kind: "system".to_owned(),
            name: "Calseta".to_owned(),
            key_prefix: None,
        }
    }
}

/// An event to append.
#[derive(Debug)]
pub struct NewEvent<'a> {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: &'a Actor,
    /// For example `finding.created`.
    pub kind: &'a str,
    /// What it is about: kind and id.
    pub object: (&'a str, Option<Uuid>),
    /// The alert it belongs to.
    pub alert: Option<AlertId>,
    /// Field to `[old, new]`, and other facts. No secret, ever.
    pub detail: Map<String, Value>,
}

/// A stored event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    /// Its place, from 1, without gaps.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// For example `finding.created`.
    pub kind: String,
    /// What it is about.
    pub object_kind: String,
    /// Its id.
    pub object_uuid: Option<Uuid>,
    /// The alert it belongs to.
    pub alert: Option<AlertId>,
    /// `None` when retention dropped it.
    pub detail: Option<Map<String, Value>>,
}

const COLUMNS: &str = "seq, at, actor_kind, actor_name, actor_prefix, kind, object_kind, \
                       object_uuid, alert_uuid, detail";

fn map(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        seq: row.get(0)?,
        at: time(row, 1)?,
        actor: Actor {
            kind: row.get(2)?,
            name: row.get(3)?,
            key_prefix: row.get(4)?,
        },
        kind: row.get(5)?,
        object_kind: row.get(6)?,
        object_uuid: uuid_opt(row, 7)?,
        alert: uuid_opt(row, 8)?,
        detail: json_opt(row, 9)?,
    })
}

/// The chain's end as stored.
pub(crate) fn head(conn: &Connection) -> rusqlite::Result<ChainHead> {
    let last = conn.query_row(
        "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1",
        [],
        |row| {
            Ok(ChainHead {
                seq: row.get(0)?,
                hash: row.get(1)?,
            })
        },
    );
    match last {
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(ChainHead::EMPTY),
        other => other,
    }
}

/// What the hash covers, besides the previous hash.
struct Hashed<'a> {
    seq: i64,
    at: i64,
    actor: (&'a str, &'a str, Option<&'a str>),
    kind: &'a str,
    object: (&'a str, Option<[u8; 16]>),
    alert: Option<[u8; 16]>,
    detail_sha256: [u8; 32],
}

impl Hashed<'_> {
    fn after(&self, head: ChainHead) -> ChainHead {
        head.extend(&[
            &self.seq.to_be_bytes(),
            &self.at.to_be_bytes(),
            self.actor.0.as_bytes(),
            self.actor.1.as_bytes(),
            self.actor.2.unwrap_or("").as_bytes(),
            self.kind.as_bytes(),
            self.object.0.as_bytes(),
            self.object.1.as_ref().map_or(&[][..], |bytes| bytes),
            self.alert.as_ref().map_or(&[][..], |bytes| bytes),
            &self.detail_sha256,
        ])
    }
}

/// Appends an event and extends the chain. Returns its sequence number.
pub fn append(tx: &WriteTx<'_>, event: NewEvent<'_>) -> Result<i64, StoreError> {
    let detail = Value::Object(event.detail).to_string();
    let head = tx.head.get();
    let hashed = Hashed {
        seq: head.seq + 1,
        at: event.at.millis(),
        actor: (
            &event.actor.kind,
            &event.actor.name,
            event.actor.key_prefix.as_deref(),
        ),
        kind: event.kind,
        object: (event.object.0, event.object.1.map(blob)),
        alert: event.alert.map(|alert| blob(alert.uuid())),
        detail_sha256: chain::digest(&detail),
    };
    let next = hashed.after(head);
    tx.conn
        .prepare_cached(
            "INSERT INTO event(seq, at, actor_kind, actor_name, actor_prefix, kind, object_kind,
               object_uuid, alert_uuid, detail, detail_sha256, prev, hash)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(rusqlite::params![
            hashed.seq,
            hashed.at,
            hashed.actor.0,
            hashed.actor.1,
            hashed.actor.2,
            hashed.kind,
            hashed.object.0,
            hashed.object.1,
            hashed.alert,
            detail,
            hashed.detail_sha256,
            head.hash,
            next.hash,
        ])?;
    tx.head.set(next);
    Ok(next.seq)
}

/// Events after a sequence number, oldest first; only of the kinds whose first part (before the
/// dot) is in `nouns`.
pub fn after(
    tx: &impl Reads,
    seq: i64,
    nouns: &[&str],
    limit: u32,
) -> Result<Vec<EventRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM event WHERE seq > ?1
           AND substr(kind, 1, instr(kind, '.') - 1) IN (SELECT value FROM json_each(?2))
         ORDER BY seq LIMIT ?3"
    );
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map((seq, list(nouns), limit), map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Events of an alert, newest first, and how many there are.
pub fn of_alert(
    tx: &impl Reads,
    alert: AlertId,
    limit: u32,
    offset: u64,
) -> Result<(Vec<EventRow>, u64), StoreError> {
    let id = blob(alert.uuid());
    let total = tx
        .conn()
        .prepare_cached("SELECT count(*) FROM event WHERE alert_uuid = ?1")?
        .query_row([id], |row| row.get(0))?;
    let sql = format!(
        "SELECT {COLUMNS} FROM event WHERE alert_uuid = ?1 ORDER BY seq DESC LIMIT ?2 OFFSET ?3"
    );
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map(rusqlite::params![id, limit, offset], map)?;
    Ok((rows.collect::<Result<_, _>>()?, total))
}

/// Which events to list; all of it must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this alert.
    pub alert: Option<AlertId>,
    /// Any of these kinds.
    pub kinds: Vec<String>,
    /// analyst, agent, `human_key`, mcp or system.
    pub actor_kind: Option<String>,
    /// Who, by name.
    pub actor_name: Option<String>,
    /// Who, by the key's first characters.
    pub actor_prefix: Option<String>,
    /// At or after.
    pub from: Option<Timestamp>,
    /// At or before.
    pub to: Option<Timestamp>,
    /// Before this event: how a next page follows the last.
    pub before: Option<i64>,
}

/// A page of events, newest first, and how many there are up to
/// [`super::alert_list::COUNT_CAP`] and one.
pub fn page(
    tx: &impl Reads,
    filter: &EventFilter,
    slice: Slice,
) -> Result<(Vec<EventRow>, u64), StoreError> {
    let mut narrowed = Condition::new();
    let alert = filter.alert.map(|alert| blob(alert.uuid()).to_vec());
    narrowed.compare_opt("alert_uuid =", alert);
    narrowed.compare_opt("actor_kind =", filter.actor_kind.clone());
    narrowed.compare_opt("actor_name =", filter.actor_name.clone());
    narrowed.compare_opt("actor_prefix =", filter.actor_prefix.clone());
    narrowed.compare_opt("at >=", filter.from.map(Timestamp::millis));
    narrowed.compare_opt("at <=", filter.to.map(Timestamp::millis));
    narrowed.compare_opt("seq <", filter.before);
    // An index has the events of a kind in their order: each kind gives its newest, which are merged.
    let kinds: Vec<Option<&String>> = match filter.kinds.as_slice() {
        [] => vec![None],
        kinds => kinds.iter().map(Some).collect(),
    };
    let each = slice.offset.saturating_add(slice.limit);
    let (mut rows, mut total) = (Vec::new(), 0);
    for kind in kinds {
        let mut narrowed = narrowed.clone();
        narrowed.compare_opt("kind =", kind.cloned());
        rows.extend(newest_of(tx, &narrowed, each)?);
        total += count_of(tx, &narrowed)?;
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.seq));
    let skipped = usize::try_from(slice.offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(slice.limit).unwrap_or(usize::MAX);
    let rows = rows.into_iter().skip(skipped).take(limit).collect();
    Ok((rows, total.min(COUNT_CAP + 1)))
}

fn newest_of(
    tx: &impl Reads,
    narrowed: &Condition,
    limit: u64,
) -> Result<Vec<EventRow>, StoreError> {
    let condition = narrowed.sql();
    let sql =
        format!("SELECT {COLUMNS} FROM event WHERE {condition} ORDER BY seq DESC LIMIT {limit}");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(narrowed.params()), map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn count_of(tx: &impl Reads, narrowed: &Condition) -> Result<u64, StoreError> {
    let (condition, cap) = (narrowed.sql(), COUNT_CAP + 1);
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM event WHERE {condition} LIMIT {cap})");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let params = rusqlite::params_from_iter(narrowed.params());
    Ok(statement.query_row(params, |row| row.get(0))?)
}

/// The newest sequence number; 0 when there is none.
pub fn newest(tx: &impl Reads) -> Result<i64, StoreError> {
    Ok(head(tx.conn())?.seq)
}

/// The chain's end.
pub fn chain_head(tx: &impl Reads) -> Result<ChainHead, StoreError> {
    Ok(head(tx.conn())?)
}

/// The chain's head as it was after an event: what an anchor kept elsewhere is compared with.
/// `None` when there is no such event.
pub fn head_at(tx: &impl Reads, seq: i64) -> Result<Option<ChainHead>, StoreError> {
    let row = tx
        .conn()
        .prepare_cached("SELECT seq, hash FROM event WHERE seq = ?1")?
        .query_row([seq], |row| {
            Ok(ChainHead {
                seq: row.get(0)?,
                hash: row.get(1)?,
            })
        });
    found(row)
}

/// Walks the whole chain. `Err(seq)` names the first event that does not fit.
pub fn verify(tx: &impl Reads) -> Result<Result<ChainHead, i64>, StoreError> {
    verify_from(tx, ChainHead::EMPTY, u32::MAX)
}

/// Walks at most `limit` events after `head`, so that a long chain is walked in pieces, each within
/// a reader's deadline; `head` itself is believed. The head reached (the same one at the end of the
/// chain), or `Err(seq)` with the first event that does not fit.
pub fn verify_from(
    tx: &impl Reads,
    mut head: ChainHead,
    limit: u32,
) -> Result<Result<ChainHead, i64>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT seq, at, actor_kind, actor_name, actor_prefix, kind, object_kind, object_uuid,
           alert_uuid, detail, detail_sha256, prev, hash FROM event WHERE seq > ?1
         ORDER BY seq LIMIT ?2",
    )?;
    let mut rows = statement.query((head.seq, limit))?;
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        let texts: (String, String, Option<String>, String, String) = (
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
            row.get(6)?,
        );
        let hashed = Hashed {
            seq,
            at: row.get(1)?,
            actor: (&texts.0, &texts.1, texts.2.as_deref()),
            kind: &texts.3,
            object: (&texts.4, row.get(7)?),
            alert: row.get(8)?,
            detail_sha256: row.get(10)?,
        };
        let next = hashed.after(head);
        let detail: Option<String> = row.get(9)?;
        let detail_fits = detail.is_none_or(|d| chain::digest(&d) == hashed.detail_sha256);
        let (prev, hash): ([u8; 32], [u8; 32]) = (row.get(11)?, row.get(12)?);
        if seq != next.seq || prev != head.hash || hash != next.hash || !detail_fits {
            return Ok(Err(seq));
        }
        head = next;
    }
    Ok(Ok(head))
}
