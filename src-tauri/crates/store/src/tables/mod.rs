//! One file per table: its row, what can be read, what can be written.
//!
//! Reading verbs are functions on a connection, called through [`crate::ReadTx`] or
//! [`crate::WriteTx`] alike ([`Reads`]); writing verbs take a [`crate::WriteTx`], so that no write
//! happens outside a transaction. Columns are named, parameters are numbered, rows are mapped here.

pub mod agent;
pub mod alert;
mod alert_enrichment;
pub mod alert_list;
pub mod api_key;
pub mod backlog;
pub mod boot;
pub mod breaker;
pub mod change;
pub mod checklist;
mod condition;
pub mod delivery;
pub mod detection_rule;
pub mod document;
pub mod egress_log;
pub mod enrichment;
pub mod event;
pub mod extraction;
pub mod finding;
pub mod grant;
pub mod graph;
pub mod idempotency;
pub mod indicator;
pub mod installation;
pub mod integrity;
pub mod job;
pub mod mapping;
pub mod metrics;
pub mod note;
pub mod provider;
pub mod provider_usage;
mod quarantine;
pub mod reject;
pub mod related;
pub mod retention;
pub mod search;
pub mod secret;
pub mod setting;
pub mod source;
pub mod suppression;
pub mod tag;
pub mod triage;
pub mod view;

use std::str::FromStr;

use rusqlite::types::Type;
use rusqlite::{Connection, Row};
use uuid::Uuid;

use calseta_domain::{Malice, Severity, Timestamp};

use crate::{ReadTx, StoreError, WriteTx};

use condition::Condition;
pub use condition::{Direction, Slice};
pub use search::palette;

/// Anything that can be read from: a read snapshot or a write transaction.
pub trait Reads {
    #[doc(hidden)]
    fn conn(&self) -> &Connection;
}

impl Reads for ReadTx<'_> {
    fn conn(&self) -> &Connection {
        self.conn
    }
}

impl Reads for WriteTx<'_> {
    fn conn(&self) -> &Connection {
        self.conn
    }
}

/// A unique id as its 16 bytes.
fn blob(uuid: Uuid) -> [u8; 16] {
    *uuid.as_bytes()
}

fn unreadable(
    index: usize,
    what: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, Type::Text, what.into())
}

fn uuid<T: From<Uuid>>(row: &Row<'_>, index: usize) -> rusqlite::Result<T> {
    Ok(Uuid::from_bytes(row.get::<_, [u8; 16]>(index)?).into())
}

fn uuid_opt<T: From<Uuid>>(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<T>> {
    Ok(row
        .get::<_, Option<[u8; 16]>>(index)?
        .map(|bytes| Uuid::from_bytes(bytes).into()))
}

fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<Timestamp> {
    Ok(Timestamp::from_millis(row.get(index)?))
}

fn time_opt(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row
        .get::<_, Option<i64>>(index)?
        .map(Timestamp::from_millis))
}

fn word<T>(row: &Row<'_>, index: usize) -> rusqlite::Result<T>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    row.get_ref(index)?
        .as_str()?
        .parse()
        .map_err(|error: T::Err| unreadable(index, error))
}

fn word_opt<T>(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<T>>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    match row.get_ref(index)?.as_str_or_null()? {
        None => Ok(None),
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|error: T::Err| unreadable(index, error)),
    }
}

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, index: usize) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(index)?.as_str()?).map_err(|error| unreadable(index, error))
}

fn json_opt<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    index: usize,
) -> rusqlite::Result<Option<T>> {
    row.get_ref(index)?
        .as_str_or_null()?
        .map(|text| serde_json::from_str(text).map_err(|error| unreadable(index, error)))
        .transpose()
}

fn severity(row: &Row<'_>, index: usize) -> rusqlite::Result<Severity> {
    let rank: usize = row.get(index)?;
    Severity::ALL
        .get(rank)
        .copied()
        .ok_or_else(|| unreadable(index, "severity out of range"))
}

fn malice(row: &Row<'_>, index: usize) -> rusqlite::Result<Malice> {
    let rank: usize = row.get(index)?;
    Malice::ALL
        .get(rank)
        .copied()
        .ok_or_else(|| unreadable(index, "malice out of range"))
}

fn malice_opt(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Malice>> {
    if row.get::<_, Option<i64>>(index)?.is_none() {
        return Ok(None);
    }
    malice(row, index).map(Some)
}

/// A list as its JSON text, for the store and for `json_each`.
fn list<T: serde::Serialize>(values: &[T]) -> String {
    serde_json::to_string(values).unwrap_or_else(|_| "[]".to_owned())
}

/// Makes "no row" an absent value.
fn found<T>(result: rusqlite::Result<T>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A page of a table that is small or whose order an index has, and how many rows there are:
/// what it is read from, the columns that `map` reads, and the order.
fn page_of<T>(
    tx: &impl Reads,
    (from, columns, order): (&str, &str, &str),
    narrowed: &Condition,
    slice: Slice,
    map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<(Vec<T>, u64), StoreError> {
    let condition = narrowed.sql();
    let params = || rusqlite::params_from_iter(narrowed.params());
    let total = tx
        .conn()
        .prepare_cached(&format!("SELECT count(*) FROM {from} WHERE {condition}"))?
        .query_row(params(), |row| row.get(0))?;
    let (limit, offset) = (slice.limit, slice.offset);
    let mut statement = tx.conn().prepare_cached(&format!(
        "SELECT {columns} FROM {from} WHERE {condition} ORDER BY {order} \
         LIMIT {limit} OFFSET {offset}"
    ))?;
    let rows = statement.query_map(params(), map)?;
    Ok((rows.collect::<Result<_, _>>()?, total))
}
