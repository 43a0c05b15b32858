//! `alert`: one row an alert, with the sender's JSON verbatim.

use calseta_domain::{
    AlertId, AlertStatus, CloseClassification, EnrichmentStatus, Malice, Severity, SuppressionId,
    Timestamp,
};
use rusqlite::Row;

use super::{
    Reads, blob, found, json, list, malice, malice_opt, severity, time, time_opt, uuid, uuid_opt,
    word, word_opt,
};
use crate::{StoreError, Wake, WriteTx};

pub use super::alert_enrichment::{
    incomplete, refresh_malice, request_enrichment, set_enrichment_status, settle_enrichment,
};

/// An alert to store.
#[derive(Debug)]
pub struct NewAlert<'a> {
    /// Its id.
    pub uuid: AlertId,
    /// The sender's title.
    pub title: &'a str,
    /// The sender's description.
    pub description: Option<&'a str>,
    /// Severity.
    pub severity: Severity,
    /// The source's name.
    pub source_name: &'a str,
    /// Where to see it in the SIEM.
    pub source_url: Option<&'a str>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Now.
    pub ingested_at: Timestamp,
    /// Title, source and indicators, hashed.
    pub fingerprint: [u8; 32],
    /// The row of the closed alert that it repeats.
    pub duplicate_of: Option<i64>,
    /// The row of its rule.
    pub rule: Option<i64>,
    /// Tags.
    pub tags: &'a [String],
    /// The sender's JSON.
    pub raw_payload: &'a str,
}

/// A stored alert, without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a mark of its own; none excludes another"
)]
pub struct AlertRow {
    /// Its row; rows are in the order of ingest.
    pub id: i64,
    /// Its id.
    pub uuid: AlertId,
    /// The sender's title.
    pub title: String,
    /// The sender's description.
    pub description: Option<String>,
    /// Severity now.
    pub severity: Severity,
    /// Status now.
    pub status: AlertStatus,
    /// What became of its enrichment.
    pub enrichment_status: EnrichmentStatus,
    /// The source's name.
    pub source_name: String,
    /// Where to see it in the SIEM.
    pub source_url: Option<String>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was accepted.
    pub ingested_at: Timestamp,
    /// When its enrichment was over.
    pub enriched_at: Option<Timestamp>,
    /// Title, source and indicators, hashed.
    pub fingerprint: [u8; 32],
    /// How often it has repeated.
    pub duplicate_count: u64,
    /// When it was seen last.
    pub last_seen_at: Timestamp,
    /// The closed alert that it repeats.
    pub duplicate_of: Option<AlertId>,
    /// The row of its rule.
    pub rule: Option<i64>,
    /// Why it was closed.
    pub close_classification: Option<CloseClassification>,
    /// First move out of Open.
    pub acknowledged_at: Option<Timestamp>,
    /// First time Triaging.
    pub triaged_at: Option<Timestamp>,
    /// When it was closed last.
    pub closed_at: Option<Timestamp>,
    /// The worst of its indicators' verdicts.
    pub malice: Malice,
    /// The verdict that overrides it.
    pub malice_override: Option<Malice>,
    /// Whether an agent set the override.
    pub malice_override_by_agent: bool,
    /// When the override was set.
    pub malice_override_at: Option<Timestamp>,
    /// Tags.
    pub tags: Vec<String>,
    /// Dispatches of the whole alert.
    pub generation: u32,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When anything changed last.
    pub updated_at: Timestamp,
    /// Its rule's name.
    pub rule_name: Option<String>,
    /// Whether its findings name more than one verdict.
    pub disagree: bool,
    /// Whether nobody has opened it, or somebody marked it so.
    pub is_unread: bool,
    /// Whether the analyst flagged it.
    pub is_flagged: bool,
    /// Until when it is snoozed; may be past.
    pub snoozed_until: Option<Timestamp>,
    /// When the analyst opened it last.
    pub last_viewed_at: Option<Timestamp>,
    /// The suppression that keeps it out of the queue.
    pub suppressed_by: Option<SuppressionId>,
    /// How many notes it has.
    pub note_count: u64,
    /// What became of its deliveries, when that is worth a mark.
    pub delivery_state: Option<DeliveryState>,
}

/// What a row of the queue says of an alert's deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// One is due, under way or parked.
    Running,
    /// One was given up, and none is running.
    Failed,
}

impl DeliveryState {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Failed => "failed",
        }
    }
}

impl AlertRow {
    /// The override, else the indicators' worst.
    pub fn effective_malice(&self) -> Malice {
        self.malice_override.unwrap_or(self.malice)
    }
}

/// The columns that [`map`] reads, for `alert a` and [`JOINS`]. Notes and deliveries are few an alert
/// and in an index: looking there costs a page less than keeping counters would cost every write.
pub(super) const COLUMNS: &str = "a.id, a.uuid, a.title, a.description, a.severity, a.status, \
    a.enrichment_status, a.source_name, a.source_url, a.occurred_at, a.ingested_at, a.enriched_at, \
    a.fingerprint, a.duplicate_count, a.last_seen_at, d.uuid, a.detection_rule_id, \
    a.close_classification, a.acknowledged_at, a.triaged_at, a.closed_at, a.malice, \
    a.malice_override, a.malice_override_by_agent, a.tags, a.generation, a.created_at, \
    a.updated_at, r.name, a.malice_override_at, a.disagree, n.alert_id IS NOT NULL, \
    coalesce(m.is_flagged, 0), m.snoozed_until, m.last_viewed_at, s.uuid, \
    (SELECT count(*) FROM note WHERE alert_id = a.id), \
    CASE WHEN EXISTS (SELECT 1 FROM delivery v WHERE v.alert_id = a.id \
        AND v.state IN ('due', 'in_flight', 'parked')) THEN 1 \
      WHEN EXISTS (SELECT 1 FROM delivery v WHERE v.alert_id = a.id AND v.state = 'dead') THEN 2 \
      ELSE 0 END";

/// What [`COLUMNS`] is read from, beside `alert a`.
pub(super) const JOINS: &str = "LEFT JOIN alert d ON d.id = a.duplicate_of \
    LEFT JOIN detection_rule r ON r.id = a.detection_rule_id \
    LEFT JOIN unread n ON n.alert_id = a.id LEFT JOIN triage m ON m.alert_id = a.id \
    LEFT JOIN suppression s ON s.id = m.suppression_id";

pub(super) fn map(row: &Row<'_>) -> rusqlite::Result<AlertRow> {
    Ok(AlertRow {
        id: row.get(0)?,
        uuid: uuid(row, 1)?,
        title: row.get(2)?,
        description: row.get(3)?,
        severity: severity(row, 4)?,
        status: word(row, 5)?,
        enrichment_status: word(row, 6)?,
        source_name: row.get(7)?,
        source_url: row.get(8)?,
        occurred_at: time(row, 9)?,
        ingested_at: time(row, 10)?,
        enriched_at: time_opt(row, 11)?,
        fingerprint: row.get(12)?,
        duplicate_count: row.get(13)?,
        last_seen_at: time(row, 14)?,
        duplicate_of: uuid_opt(row, 15)?,
        rule: row.get(16)?,
        close_classification: word_opt(row, 17)?,
        acknowledged_at: time_opt(row, 18)?,
        triaged_at: time_opt(row, 19)?,
        closed_at: time_opt(row, 20)?,
        malice: malice(row, 21)?,
        malice_override: malice_opt(row, 22)?,
        malice_override_by_agent: row.get(23)?,
        tags: json(row, 24)?,
        generation: row.get(25)?,
        created_at: time(row, 26)?,
        updated_at: time(row, 27)?,
        rule_name: row.get(28)?,
        malice_override_at: time_opt(row, 29)?,
        disagree: row.get(30)?,
        is_unread: row.get(31)?,
        is_flagged: row.get(32)?,
        snoozed_until: time_opt(row, 33)?,
        last_viewed_at: time_opt(row, 34)?,
        suppressed_by: uuid_opt(row, 35)?,
        note_count: row.get(36)?,
        delivery_state: match row.get(37)? {
            1 => Some(DeliveryState::Running),
            2 => Some(DeliveryState::Failed),
            _ => None,
        },
    })
}

/// The alert of a fingerprint that collects repetitions, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DedupHead {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: AlertId,
    /// Its status.
    pub status: AlertStatus,
    /// Its severity.
    pub severity: Severity,
    /// When it was seen last: the window runs from here.
    pub last_seen_at: Timestamp,
    /// How often it has repeated.
    pub duplicate_count: u64,
}

/// See [`DedupHead`].
pub fn dedup_head(tx: &impl Reads, fingerprint: [u8; 32]) -> Result<Option<DedupHead>, StoreError> {
    let row = tx
        .conn()
        .prepare_cached(
            "SELECT id, uuid, status, severity, last_seen_at, duplicate_count FROM alert
             WHERE fingerprint = ?1 AND is_dedup_head = 1",
        )?
        .query_row([fingerprint], |row| {
            Ok(DedupHead {
                id: row.get(0)?,
                uuid: uuid(row, 1)?,
                status: word(row, 2)?,
                severity: severity(row, 3)?,
                last_seen_at: time(row, 4)?,
                duplicate_count: row.get(5)?,
            })
        });
    found(row)
}

/// Counts a repetition. A higher severity raises the alert's.
pub fn count_duplicate(
    tx: &WriteTx<'_>,
    id: i64,
    severity: Severity,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "UPDATE alert SET duplicate_count = duplicate_count + 1, last_seen_at = ?2,
               updated_at = ?2, severity = max(severity, ?3) WHERE id = ?1",
        )?
        .execute((id, now.millis(), severity.rank()))?;
    tx.conn
        .prepare_cached(
            "UPDATE source SET last_received_at = ?2
             WHERE name = (SELECT source_name FROM alert WHERE id = ?1)",
        )?
        .execute((id, now.millis()))?;
    Ok(())
}

/// Makes way for a new alert of the same fingerprint.
pub fn retire_head(tx: &WriteTx<'_>, id: i64) -> Result<(), StoreError> {
    tx.conn
        .execute("UPDATE alert SET is_dedup_head = 0 WHERE id = ?1", [id])?;
    Ok(())
}

/// Adds an alert; its row.
pub fn insert(tx: &WriteTx<'_>, alert: &NewAlert<'_>) -> Result<i64, StoreError> {
    tx.conn
        .prepare_cached(
            "INSERT INTO alert(uuid, title, description, severity, source_name, source_url,
               occurred_at, ingested_at, fingerprint, duplicate_of, detection_rule_id, tags,
               last_seen_at, created_at, updated_at, raw_payload)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?8, ?8, ?8, ?13)",
        )?
        .execute(rusqlite::params![
            blob(alert.uuid.uuid()),
            alert.title,
            alert.description,
            alert.severity.rank(),
            alert.source_name,
            alert.source_url,
            alert.occurred_at.millis(),
            alert.ingested_at.millis(),
            alert.fingerprint,
            alert.duplicate_of,
            alert.rule,
            list(alert.tags),
            alert.raw_payload,
        ])?;
    let id = tx.conn.last_insert_rowid();
    tx.conn
        .prepare_cached("UPDATE alert_total SET alerts = alerts + 1 WHERE id = 1")?
        .execute([])?;
    super::search::note_reworded(tx, id)?;
    super::triage::added(tx, id)?;
    super::tag::add(tx, id, alert.tags)?;
    super::source::note_received(tx, alert.source_name, alert.ingested_at)?;
    Ok(id)
}

/// One alert.
pub fn by_uuid(tx: &impl Reads, alert: AlertId) -> Result<Option<AlertRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM alert a {JOINS} WHERE a.uuid = ?1");
    found(
        tx.conn()
            .prepare_cached(&sql)?
            .query_row([blob(alert.uuid())], map),
    )
}

/// One alert by its row.
pub fn by_row(tx: &impl Reads, id: i64) -> Result<Option<AlertRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM alert a {JOINS} WHERE a.id = ?1");
    found(tx.conn().prepare_cached(&sql)?.query_row([id], map))
}

/// The rows of some alerts; those that are not there are left out.
pub fn rows_of(tx: &impl Reads, alerts: &[AlertId]) -> Result<Vec<(AlertId, i64)>, StoreError> {
    let mut statement = tx
        .conn()
        .prepare_cached("SELECT id FROM alert WHERE uuid = ?1")?;
    let mut rows = Vec::with_capacity(alerts.len());
    for alert in alerts {
        let row = found(statement.query_row([blob(alert.uuid())], |row| row.get(0)))?;
        rows.extend(row.map(|row| (*alert, row)));
    }
    Ok(rows)
}

/// The sender's JSON, verbatim.
pub fn raw_payload(tx: &impl Reads, id: i64) -> Result<Option<String>, StoreError> {
    let row = tx
        .conn()
        .prepare_cached("SELECT raw_payload FROM alert WHERE id = ?1")?
        .query_row([id], |row| row.get(0));
    found(row)
}

/// Stores what people and agents may change of an alert.
pub fn update(tx: &WriteTx<'_>, alert: &AlertRow) -> Result<(), StoreError> {
    super::tag::replace(tx, alert.id, &alert.tags)?;
    tx.conn
        .prepare_cached(
            "UPDATE alert SET severity=?2, status=?3, close_classification=?4, acknowledged_at=?5,
               triaged_at=?6, closed_at=?7, malice_override=?8, malice_override_by_agent=?9,
               tags=?10, updated_at=?11, malice_override_at=?12 WHERE id=?1",
        )?
        .execute(rusqlite::params![
            alert.id,
            alert.severity.rank(),
            alert.status.as_str(),
            alert.close_classification.map(CloseClassification::as_str),
            alert.acknowledged_at.map(Timestamp::millis),
            alert.triaged_at.map(Timestamp::millis),
            alert.closed_at.map(Timestamp::millis),
            alert.malice_override.map(|m| m as u8),
            alert.malice_override_by_agent,
            list(&alert.tags),
            alert.updated_at.millis(),
            alert.malice_override_at.map(Timestamp::millis),
        ])?;
    Ok(())
}

/// Removes an alert: its links, findings and work go with it, what was to be sent is cancelled.
/// Events, indicators and past deliveries stay. Whether it was there.
pub fn delete(tx: &WriteTx<'_>, id: i64) -> Result<bool, StoreError> {
    tx.conn.execute(
        "UPDATE delivery SET state='cancelled', next_at=NULL
         WHERE alert_id = ?1 AND state IN ('due', 'parked')",
        [id],
    )?;
    tx.conn
        .execute("DELETE FROM job WHERE uniq = 'match:' || ?1 || ':0'", [id])?;
    tx.wake(Wake::Index);
    Ok(tx.conn.execute("DELETE FROM alert WHERE id = ?1", [id])? > 0)
}

/// A new generation of dispatches.
pub fn next_generation(tx: &WriteTx<'_>, id: i64) -> Result<u32, StoreError> {
    Ok(tx
        .conn
        .prepare_cached(
            "UPDATE alert SET generation = generation + 1 WHERE id = ?1 RETURNING generation",
        )?
        .query_row([id], |row| row.get(0))?)
}

/// Marks that something about an alert changed, for example a finding.
pub fn touch(tx: &WriteTx<'_>, id: i64, now: Timestamp) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached("UPDATE alert SET updated_at = ?2 WHERE id = ?1")?
        .execute((id, now.millis()))?;
    Ok(())
}
