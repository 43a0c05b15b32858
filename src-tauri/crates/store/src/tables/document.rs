//! `context_document`: runbooks and the like.

use calseta_domain::{DocumentId, Timestamp};
use rusqlite::Row;
use serde_json::Value;

use super::{Reads, blob, found, json, json_opt, list, time, uuid};
use crate::{StoreError, WriteTx};

/// A document.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentRow {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: DocumentId,
    /// Its title.
    pub title: String,
    /// runbook and so on.
    pub document_type: String,
    /// One line about it.
    pub description: Option<String>,
    /// Whether it applies to every alert.
    pub is_global: bool,
    /// Free tags.
    pub tags: Vec<String>,
    /// To which alerts it applies.
    pub targeting_rules: Option<Value>,
    /// Markdown.
    pub content: String,
    /// Grows when the content changes.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

const COLUMNS: &str = "id, uuid, title, document_type, description, is_global, tags, \
                       targeting_rules, content, version, created_at, updated_at";

fn map(row: &Row<'_>) -> rusqlite::Result<DocumentRow> {
    Ok(DocumentRow {
        id: row.get(0)?,
        uuid: uuid(row, 1)?,
        title: row.get(2)?,
        document_type: row.get(3)?,
        description: row.get(4)?,
        is_global: row.get(5)?,
        tags: json(row, 6)?,
        targeting_rules: json_opt(row, 7)?,
        content: row.get(8)?,
        version: row.get(9)?,
        created_at: time(row, 10)?,
        updated_at: time(row, 11)?,
    })
}

/// Adds a document, or stores all of one that is there (same uuid).
pub fn put(tx: &WriteTx<'_>, document: &DocumentRow) -> Result<(), StoreError> {
    tx.conn.execute(
        "INSERT INTO context_document(uuid, title, document_type, description, is_global, tags,
           targeting_rules, content, version, created_at, updated_at)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT(uuid) DO UPDATE SET title=excluded.title,
           document_type=excluded.document_type, description=excluded.description,
           is_global=excluded.is_global, tags=excluded.tags,
           targeting_rules=excluded.targeting_rules, content=excluded.content,
           version=excluded.version, updated_at=excluded.updated_at",
        rusqlite::params![
            blob(document.uuid.uuid()),
            document.title,
            document.document_type,
            document.description,
            document.is_global,
            list(&document.tags),
            document.targeting_rules.as_ref().map(Value::to_string),
            document.content,
            document.version,
            document.created_at.millis(),
            document.updated_at.millis(),
        ],
    )?;
    Ok(())
}

/// Removes a document; whether it was there.
pub fn delete(tx: &WriteTx<'_>, id: DocumentId) -> Result<bool, StoreError> {
    Ok(tx.conn.execute(
        "DELETE FROM context_document WHERE uuid = ?1",
        [blob(id.uuid())],
    )? > 0)
}

/// One document.
pub fn by_uuid(tx: &impl Reads, id: DocumentId) -> Result<Option<DocumentRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM context_document WHERE uuid = ?1");
    found(
        tx.conn()
            .prepare_cached(&sql)?
            .query_row([blob(id.uuid())], map),
    )
}

/// The documents that may apply to an alert: global ones first, then those with rules; each group
/// by type and title.
pub fn candidates(tx: &impl Reads) -> Result<Vec<DocumentRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM context_document WHERE is_global = 1 OR targeting_rules IS NOT NULL
         ORDER BY is_global DESC, document_type, title, id"
    );
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map([], map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A page of documents by title, and how many there are.
pub fn page(
    tx: &impl Reads,
    limit: u64,
    offset: u64,
) -> Result<(Vec<DocumentRow>, u64), StoreError> {
    let total = tx
        .conn()
        .query_row("SELECT count(*) FROM context_document", [], |row| {
            row.get(0)
        })?;
    let sql =
        format!("SELECT {COLUMNS} FROM context_document ORDER BY title, id LIMIT ?1 OFFSET ?2");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map((limit, offset), map)?;
    Ok((rows.collect::<Result<_, _>>()?, total))
}
