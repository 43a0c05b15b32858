//! `context_document`: runbooks and the like.

use calseta_domain::{DocumentId, Timestamp};
use rusqlite::Row;
use serde_json::Value;

use super::condition::{Condition, Direction, Slice};
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

/// A document without its content: lists and targeting need no more.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentHead {
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
    /// Grows when the content changes.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// Characters of its content.
    pub content_chars: u64,
}

const HEAD: &str = "id, uuid, title, document_type, description, is_global, tags, \
                    targeting_rules, length(content), version, created_at, updated_at";

fn map_head(row: &Row<'_>) -> rusqlite::Result<DocumentHead> {
    Ok(DocumentHead {
        id: row.get(0)?,
        uuid: uuid(row, 1)?,
        title: row.get(2)?,
        document_type: row.get(3)?,
        description: row.get(4)?,
        is_global: row.get(5)?,
        tags: json(row, 6)?,
        targeting_rules: json_opt(row, 7)?,
        content_chars: row.get(8)?,
        version: row.get(9)?,
        created_at: time(row, 10)?,
        updated_at: time(row, 11)?,
    })
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

/// Adds a document, or stores all of one that is there (same uuid). A version that is not in its
/// history is added to it, as made by `actor`.
pub fn put(tx: &WriteTx<'_>, document: &DocumentRow, actor: &str) -> Result<(), StoreError> {
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
    tx.conn.execute(
        "INSERT INTO context_document_version(document_id, version, title, content, at, actor)
         SELECT id, version, title, content, updated_at, ?2 FROM context_document WHERE uuid = ?1
         ON CONFLICT DO NOTHING",
        (blob(document.uuid.uuid()), actor),
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

/// The documents that may apply to an alert, without their contents: global ones first, then those
/// with rules; each group by type and title.
pub fn candidates(tx: &impl Reads) -> Result<Vec<DocumentHead>, StoreError> {
    let sql = format!(
        "SELECT {HEAD} FROM context_document WHERE is_global = 1 OR targeting_rules IS NOT NULL
         ORDER BY is_global DESC, document_type, title, id"
    );
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map([], map_head)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Documents with their contents, in the order of `ids` (rows).
pub fn by_rows(tx: &impl Reads, ids: &[i64]) -> Result<Vec<DocumentRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM context_document WHERE id = ?1");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        rows.extend(found(statement.query_row([id], map))?);
    }
    Ok(rows)
}

/// By what documents are ordered; the row breaks ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentSort {
    /// By title.
    Title,
    /// By type.
    DocumentType,
    /// When they changed last.
    UpdatedAt,
    /// When they were made.
    CreatedAt,
}

impl DocumentSort {
    const fn column(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::DocumentType => "document_type",
            Self::UpdatedAt => "updated_at",
            Self::CreatedAt => "created_at",
        }
    }
}

/// Which documents to list.
#[derive(Debug, Clone, Default)]
pub struct DocumentFilter {
    /// Any of these types.
    pub document_type: Vec<String>,
    /// Whether it applies to every alert.
    pub is_global: Option<bool>,
}

/// A page of documents without their contents, and how many there are.
pub fn page(
    tx: &impl Reads,
    filter: &DocumentFilter,
    (sort, direction): (DocumentSort, Direction),
    slice: Slice,
) -> Result<(Vec<DocumentHead>, u64), StoreError> {
    let mut narrowed = Condition::new();
    narrowed.any_of("document_type", &filter.document_type);
    narrowed.compare_opt("is_global =", filter.is_global);
    let (column, way) = (sort.column(), direction.word());
    let order = format!("{column} {way}, id {way}");
    super::page_of(
        tx,
        ("context_document", HEAD, &order),
        &narrowed,
        slice,
        map_head,
    )
}

/// A content that a document has had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    /// From 1.
    pub version: u64,
    /// The title at that time.
    pub title: String,
    /// Markdown.
    pub content: String,
    /// When it was stored.
    pub at: Timestamp,
    /// Who stored it.
    pub actor: String,
}

fn map_version(row: &Row<'_>) -> rusqlite::Result<VersionRow> {
    Ok(VersionRow {
        version: row.get(0)?,
        title: row.get(1)?,
        content: row.get(2)?,
        at: time(row, 3)?,
        actor: row.get(4)?,
    })
}

/// A document's versions, newest first, and how many there are.
pub fn versions(
    tx: &impl Reads,
    document: i64,
    slice: Slice,
) -> Result<(Vec<VersionRow>, u64), StoreError> {
    let mut narrowed = Condition::new();
    narrowed.compare("document_id =", document);
    super::page_of(
        tx,
        (
            "context_document_version",
            "version, title, content, at, actor",
            "version DESC",
        ),
        &narrowed,
        slice,
        map_version,
    )
}

/// One version of a document.
pub fn version(
    tx: &impl Reads,
    document: i64,
    version: u64,
) -> Result<Option<VersionRow>, StoreError> {
    let row = tx
        .conn()
        .prepare_cached(
            "SELECT version, title, content, at, actor FROM context_document_version
             WHERE document_id = ?1 AND version = ?2",
        )?
        .query_row((document, version), map_version);
    found(row)
}
