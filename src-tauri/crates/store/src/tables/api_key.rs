//! `api_key`: keys by the SHA-256 of their 256 random bits.

use calseta_domain::{AgentId, ApiKeyId, KeyType, Scope, Timestamp};
use rusqlite::Row;

use super::{Reads, blob, found, json, json_opt, list, time, time_opt, uuid, uuid_opt, word};
use crate::{StoreError, WriteTx};

/// A key, without itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: ApiKeyId,
    /// SHA-256 of the key.
    pub hash: [u8; 32],
    /// Its first 12 characters.
    pub prefix: String,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Whose it is.
    pub kind: KeyType,
    /// The row of the agent whose key it is.
    pub agent: Option<i64>,
    /// That agent's id and name.
    pub agent_uuid: Option<AgentId>,
    /// That agent's name.
    pub agent_name: Option<String>,
    /// Sources it may ingest to.
    pub allowed_sources: Option<Vec<String>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Days since the epoch of its last use.
    pub last_used_day: Option<i64>,
}

const SELECT: &str = "SELECT k.id, k.uuid, k.hash, k.prefix, k.name, k.scopes, k.kind, k.agent_id, \
    a.uuid, a.name, k.allowed_sources, k.created_at, k.expires_at, k.revoked_at, k.last_used_day \
    FROM api_key k LEFT JOIN agent a ON a.id = k.agent_id";

fn map(row: &Row<'_>) -> rusqlite::Result<ApiKeyRow> {
    Ok(ApiKeyRow {
        id: row.get(0)?,
        uuid: uuid(row, 1)?,
        hash: row.get(2)?,
        prefix: row.get(3)?,
        name: row.get(4)?,
        scopes: json(row, 5)?,
        kind: word(row, 6)?,
        agent: row.get(7)?,
        agent_uuid: uuid_opt(row, 8)?,
        agent_name: row.get(9)?,
        allowed_sources: json_opt(row, 10)?,
        created_at: time(row, 11)?,
        expires_at: time_opt(row, 12)?,
        revoked_at: time_opt(row, 13)?,
        last_used_day: row.get(14)?,
    })
}

/// Adds a key; its row.
pub fn insert(tx: &WriteTx<'_>, key: &ApiKeyRow) -> Result<i64, StoreError> {
    tx.conn.execute(
        "INSERT INTO api_key(uuid, hash, prefix, name, scopes, kind, agent_id, allowed_sources,
           created_at, expires_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        rusqlite::params![
            blob(key.uuid.uuid()),
            key.hash,
            key.prefix,
            key.name,
            list(&key.scopes),
            key.kind.as_str(),
            key.agent,
            key.allowed_sources.as_deref().map(list),
            key.created_at.millis(),
            key.expires_at.map(Timestamp::millis),
        ],
    )?;
    Ok(tx.conn.last_insert_rowid())
}

/// The key with this hash, revoked or not.
pub fn by_hash(tx: &impl Reads, hash: [u8; 32]) -> Result<Option<ApiKeyRow>, StoreError> {
    let sql = format!("{SELECT} WHERE k.hash = ?1");
    found(tx.conn().prepare_cached(&sql)?.query_row([hash], map))
}

/// One key, revoked or not.
pub fn by_uuid(tx: &impl Reads, id: ApiKeyId) -> Result<Option<ApiKeyRow>, StoreError> {
    let sql = format!("{SELECT} WHERE k.uuid = ?1");
    found(
        tx.conn()
            .prepare_cached(&sql)?
            .query_row([blob(id.uuid())], map),
    )
}

/// A page of the keys that work, newest first, and how many there are.
pub fn active(
    tx: &impl Reads,
    limit: u64,
    offset: u64,
) -> Result<(Vec<ApiKeyRow>, u64), StoreError> {
    let total = tx.conn().query_row(
        "SELECT count(*) FROM api_key WHERE revoked_at IS NULL",
        [],
        |row| row.get(0),
    )?;
    let sql = format!("{SELECT} WHERE k.revoked_at IS NULL ORDER BY k.id DESC LIMIT ?1 OFFSET ?2");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map((limit, offset), map)?;
    Ok((rows.collect::<Result<_, _>>()?, total))
}

/// Whether there has ever been a key.
pub fn any(tx: &impl Reads) -> Result<bool, StoreError> {
    Ok(tx
        .conn()
        .query_row("SELECT EXISTS(SELECT 1 FROM api_key)", [], |row| row.get(0))?)
}

/// Keys that work now, are human and may do everything, besides one.
pub fn other_admins(tx: &impl Reads, besides: i64, now: Timestamp) -> Result<u64, StoreError> {
    Ok(tx.conn().query_row(
        "SELECT count(*) FROM api_key WHERE id != ?1 AND revoked_at IS NULL AND kind = 'human'
           AND (expires_at IS NULL OR expires_at > ?2)
           AND 'admin' IN (SELECT value FROM json_each(scopes))",
        (besides, now.millis()),
        |row| row.get(0),
    )?)
}

/// Revokes a key.
pub fn revoke(tx: &WriteTx<'_>, id: i64, now: Timestamp) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE api_key SET revoked_at=?2 WHERE id=?1 AND revoked_at IS NULL",
        (id, now.millis()),
    )?;
    Ok(())
}

/// Notes the day of a key's last use.
pub fn note_use(tx: &WriteTx<'_>, id: i64, day: i64) -> Result<(), StoreError> {
    tx.conn
        .execute("UPDATE api_key SET last_used_day=?2 WHERE id=?1", (id, day))?;
    Ok(())
}

/// Changes what a key may do.
pub fn update(
    tx: &WriteTx<'_>,
    id: i64,
    scopes: &[Scope],
    allowed_sources: Option<&[String]>,
) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE api_key SET scopes=?2, allowed_sources=?3 WHERE id=?1",
        (id, list(scopes), allowed_sources.map(list)),
    )?;
    Ok(())
}

/// Lets a revoked key work again.
pub fn restore(tx: &WriteTx<'_>, id: i64) -> Result<(), StoreError> {
    tx.conn
        .execute("UPDATE api_key SET revoked_at=NULL WHERE id=?1", [id])?;
    Ok(())
}
