//! `detection_rule`: unique per source and the source's own rule id.

use calseta_domain::{DetectionRuleId, RuleReference, Timestamp};
use rusqlite::Row;

use super::condition::{Condition, Direction, Slice};
use super::{Reads, blob, found, json, list, time, uuid};
use crate::{StoreError, WriteTx};

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleRow {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: DetectionRuleId,
    /// A person's name for it.
    pub name: String,
    /// The source it belongs to.
    pub source_name: Option<String>,
    /// The source's own id for it.
    pub source_rule_id: Option<String>,
    /// The severity it usually has.
    pub severity: Option<String>,
    /// Whether it is in use.
    pub is_active: bool,
    /// Tactic ids.
    pub mitre_tactics: Vec<String>,
    /// Technique ids.
    pub mitre_techniques: Vec<String>,
    /// Sub-technique ids.
    pub mitre_subtechniques: Vec<String>,
    /// Where its events come from.
    pub data_sources: Vec<String>,
    /// How often the source runs it, in its own words.
    pub run_frequency: Option<String>,
    /// Who made it: a name or a key's first characters.
    pub created_by: Option<String>,
    /// Markdown.
    pub documentation: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

const COLUMNS: &str = "id, uuid, name, source_name, source_rule_id, severity, is_active, \
                       mitre_tactics, mitre_techniques, mitre_subtechniques, documentation, \
                       created_at, updated_at, data_sources, run_frequency, created_by";

fn map(row: &Row<'_>) -> rusqlite::Result<RuleRow> {
    Ok(RuleRow {
        id: row.get(0)?,
        uuid: uuid(row, 1)?,
        name: row.get(2)?,
        source_name: row.get(3)?,
        source_rule_id: row.get(4)?,
        severity: row.get(5)?,
        is_active: row.get(6)?,
        mitre_tactics: json(row, 7)?,
        mitre_techniques: json(row, 8)?,
        mitre_subtechniques: json(row, 9)?,
        documentation: row.get(10)?,
        created_at: time(row, 11)?,
        updated_at: time(row, 12)?,
        data_sources: json(row, 13)?,
        run_frequency: row.get(14)?,
        created_by: row.get(15)?,
    })
}

/// The rule that a source's alert names; made from what the payload says when it is new.
pub fn link(
    tx: &WriteTx<'_>,
    new_id: DetectionRuleId,
    source_name: &str,
    rule: &RuleReference,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let known = tx
        .conn
        .prepare_cached(
            "SELECT id FROM detection_rule WHERE source_name = ?1 AND source_rule_id = ?2",
        )?
        .query_row((source_name, &rule.source_rule_id), |row| row.get(0));
    if let Some(id) = found(known)? {
        return Ok(id);
    }
    tx.conn
        .prepare_cached(
            "INSERT INTO detection_rule(uuid, name, source_name, source_rule_id, severity,
               mitre_tactics, mitre_techniques, mitre_subtechniques, documentation, created_at,
               updated_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
        )?
        .execute(rusqlite::params![
            blob(new_id.uuid()),
            rule.name,
            source_name,
            rule.source_rule_id,
            rule.severity.map(calseta_domain::Severity::as_str),
            list(&rule.mitre_tactics),
            list(&rule.mitre_techniques),
            list(&rule.mitre_subtechniques),
            rule.documentation,
            now.millis(),
        ])?;
    Ok(tx.conn.last_insert_rowid())
}

/// Adds a rule; `Conflict` when its source already has one of this id.
pub fn insert(tx: &WriteTx<'_>, rule: &RuleRow) -> Result<i64, StoreError> {
    tx.conn.execute(
        "INSERT INTO detection_rule(uuid, name, source_name, source_rule_id, severity, is_active,
           mitre_tactics, mitre_techniques, mitre_subtechniques, documentation, created_at,
           updated_at, data_sources, run_frequency, created_by)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        rusqlite::params![
            blob(rule.uuid.uuid()),
            rule.name,
            rule.source_name,
            rule.source_rule_id,
            rule.severity,
            rule.is_active,
            list(&rule.mitre_tactics),
            list(&rule.mitre_techniques),
            list(&rule.mitre_subtechniques),
            rule.documentation,
            rule.created_at.millis(),
            rule.updated_at.millis(),
            list(&rule.data_sources),
            rule.run_frequency,
            rule.created_by,
        ],
    )?;
    Ok(tx.conn.last_insert_rowid())
}

/// Stores what may change of a rule.
pub fn update(tx: &WriteTx<'_>, rule: &RuleRow) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE detection_rule SET name=?2, severity=?3, is_active=?4, mitre_tactics=?5,
           mitre_techniques=?6, mitre_subtechniques=?7, documentation=?8, updated_at=?9,
           data_sources=?10, run_frequency=?11 WHERE id=?1",
        rusqlite::params![
            rule.id,
            rule.name,
            rule.severity,
            rule.is_active,
            list(&rule.mitre_tactics),
            list(&rule.mitre_techniques),
            list(&rule.mitre_subtechniques),
            rule.documentation,
            rule.updated_at.millis(),
            list(&rule.data_sources),
            rule.run_frequency,
        ],
    )?;
    Ok(())
}

/// Removes a rule; its alerts lose the link. Whether it was there.
pub fn delete(tx: &WriteTx<'_>, rule: DetectionRuleId) -> Result<bool, StoreError> {
    let n = tx.conn.execute(
        "DELETE FROM detection_rule WHERE uuid = ?1",
        [blob(rule.uuid())],
    )?;
    Ok(n > 0)
}

/// One rule.
pub fn by_uuid(tx: &impl Reads, rule: DetectionRuleId) -> Result<Option<RuleRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM detection_rule WHERE uuid = ?1");
    found(
        tx.conn()
            .prepare_cached(&sql)?
            .query_row([blob(rule.uuid())], map),
    )
}

/// One rule by its row.
pub fn by_row(tx: &impl Reads, id: i64) -> Result<Option<RuleRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM detection_rule WHERE id = ?1");
    found(tx.conn().prepare_cached(&sql)?.query_row([id], map))
}

/// By what rules are ordered; the row breaks ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleSort {
    /// By name.
    Name,
    /// By source.
    SourceName,
    /// By the severity's rank; rules without one rank lowest.
    Severity,
    /// The order in which they were made.
    CreatedAt,
}

impl RuleSort {
    const fn column(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::SourceName => "source_name",
            Self::Severity => {
                "CASE severity WHEN 'Critical' THEN 5 WHEN 'High' THEN 4 WHEN 'Medium' THEN 3 \
                 WHEN 'Low' THEN 2 WHEN 'Informational' THEN 1 ELSE 0 END"
            }
            Self::CreatedAt => "created_at",
        }
    }
}

/// Which rules to list.
#[derive(Debug, Clone, Default)]
pub struct RuleFilter {
    /// Of this source.
    pub source_name: Option<String>,
    /// Any of these severities.
    pub severity: Vec<String>,
    /// Whether it is in use.
    pub is_active: Option<bool>,
    /// Part of its name, in any case.
    pub name: Option<String>,
}

/// A page of rules, and how many there are.
pub fn page(
    tx: &impl Reads,
    filter: &RuleFilter,
    (sort, direction): (RuleSort, Direction),
    slice: Slice,
) -> Result<(Vec<RuleRow>, u64), StoreError> {
    let mut narrowed = Condition::new();
    narrowed.compare_opt("source_name =", filter.source_name.clone());
    narrowed.any_of("severity", &filter.severity);
    narrowed.compare_opt("is_active =", filter.is_active);
    narrowed.contains("name", filter.name.as_deref());
    let (column, way) = (sort.column(), direction.word());
    let order = format!("{column} {way}, id {way}");
    super::page_of(
        tx,
        ("detection_rule", COLUMNS, &order),
        &narrowed,
        slice,
        map,
    )
}
