//! `indicator` and its links to alerts.

use calseta_domain::{AlertId, Indicator, IndicatorId, IndicatorType, Malice, Timestamp};
use rusqlite::Row;

use super::condition::{Condition, Direction, Slice};
use super::{Reads, blob, found, malice, time, time_opt, uuid, word};
use crate::{StoreError, WriteTx, functions};

/// An indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndicatorRow {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: IndicatorId,
    /// Its type.
    pub kind: IndicatorType,
    /// Its canonical value.
    pub value: String,
    /// Its verdict: the override, else the worst of its stored answers.
    pub malice: Malice,
    /// Who overrides the answers, and since when.
    pub overridden: Option<(VerdictAuthor, Timestamp)>,
    /// First alert that had it.
    pub first_seen: Timestamp,
    /// Latest alert that had it.
    pub last_seen: Timestamp,
    /// Whether a provider has answered.
    pub is_enriched: bool,
    /// Alerts that have it.
    pub alert_count: u64,
    /// When it was seen or judged last.
    pub updated_at: Timestamp,
}

/// Who overrode a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerdictAuthor {
    /// A human.
    Analyst,
    /// An agent; never outranks a human.
    Agent,
}

impl VerdictAuthor {
    /// The word in the store and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Analyst => "analyst",
            Self::Agent => "agent",
        }
    }
}

pub(super) const COLUMNS: &str = "i.id, i.uuid, i.type, i.value, i.malice, i.first_seen, i.last_seen, \
                       i.malice_override_by, i.malice_override_at, i.is_enriched, i.alert_count, \
                       max(coalesce(i.updated_at, 0), i.last_seen)";

pub(super) fn map(row: &Row<'_>) -> rusqlite::Result<IndicatorRow> {
    let author = match row.get_ref(7)?.as_str_or_null()? {
        Some("analyst") => Some(VerdictAuthor::Analyst),
        Some("agent") => Some(VerdictAuthor::Agent),
        _ => None,
    };
    Ok(IndicatorRow {
        id: row.get(0)?,
        uuid: uuid(row, 1)?,
        kind: word(row, 2)?,
        value: row.get(3)?,
        malice: malice(row, 4)?,
        overridden: author.zip(time_opt(row, 8)?),
        first_seen: time(row, 5)?,
        last_seen: time(row, 6)?,
        is_enriched: row.get(9)?,
        alert_count: row.get(10)?,
        updated_at: time(row, 11)?,
    })
}

/// Finds or adds an indicator and notes that it was seen; its row.
pub fn upsert(
    tx: &WriteTx<'_>,
    new_id: IndicatorId,
    indicator: &Indicator,
    now: Timestamp,
) -> Result<i64, StoreError> {
    // Two statements on purpose: RETURNING builds a temporary table every time.
    let known = tx
        .conn
        .prepare_cached("SELECT id FROM indicator WHERE type = ?1 AND value = ?2")?
        .query_row((indicator.kind.as_str(), &indicator.value), |row| {
            row.get::<_, i64>(0)
        });
    if let Some(id) = found(known)? {
        tx.conn
            .prepare_cached("UPDATE indicator SET last_seen = ?2 WHERE id = ?1")?
            .execute((id, now.millis()))?;
        return Ok(id);
    }
    tx.conn
        .prepare_cached(
            "INSERT INTO indicator(uuid, type, value, first_seen, last_seen, ip_key)
             VALUES(?1, ?2, ?3, ?4, ?4, ?5)",
        )?
        .execute((
            blob(new_id.uuid()),
            indicator.kind.as_str(),
            &indicator.value,
            now.millis(),
            address_key(indicator),
        ))?;
    Ok(tx.conn.last_insert_rowid())
}

/// What an address is found by in a network.
fn address_key(indicator: &Indicator) -> Option<[u8; 16]> {
    let is_address = indicator.kind == IndicatorType::Ip;
    let address = is_address.then(|| indicator.value.parse().ok()).flatten();
    address.map(functions::ip_key)
}

/// Links an indicator to an alert; whether it was not linked before.
pub fn link(
    tx: &WriteTx<'_>,
    alert: i64,
    indicator: i64,
    pass: &str,
    path: &str,
) -> Result<bool, StoreError> {
    let added = tx
        .conn
        .prepare_cached(
            "INSERT INTO alert_indicator(alert_id, indicator_id, pass, path, occurred_at)
             VALUES(?1, ?2, ?3, ?4, (SELECT occurred_at FROM alert WHERE id = ?1))
             ON CONFLICT DO NOTHING",
        )?
        .execute((alert, indicator, pass, path))?;
    if added == 0 {
        return Ok(false);
    }
    tx.conn
        .prepare_cached("UPDATE indicator SET alert_count = alert_count + 1 WHERE id = ?1")?
        .execute([indicator])?;
    super::search::note_reworded(tx, alert)?;
    Ok(true)
}

/// An alert's indicators, worst first.
pub fn of_alert(tx: &impl Reads, alert: i64) -> Result<Vec<IndicatorRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM alert_indicator l JOIN indicator i ON i.id = l.indicator_id
         WHERE l.alert_id = ?1 ORDER BY i.malice DESC, i.id"
    );
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map([alert], map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How an indicator came to an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndicatorLink {
    /// The indicator's row.
    pub indicator: i64,
    /// The pass that found it first: `source_plugin`, `normalized_mappings` and so on.
    pub pass: String,
    /// Where it stood: a path into the normalised alert or the payload.
    pub path: String,
}

/// How an alert's indicators came to it.
pub fn links(tx: &impl Reads, alert: i64) -> Result<Vec<IndicatorLink>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT indicator_id, pass, path FROM alert_indicator WHERE alert_id = ?1",
    )?;
    let rows = statement.query_map([alert], |row| {
        Ok(IndicatorLink {
            indicator: row.get(0)?,
            pass: row.get(1)?,
            path: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One indicator by its row.
pub fn by_row(tx: &impl Reads, id: i64) -> Result<Option<IndicatorRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM indicator i WHERE i.id = ?1");
    found(tx.conn().prepare_cached(&sql)?.query_row([id], map))
}

/// One indicator.
pub fn by_uuid(tx: &impl Reads, id: IndicatorId) -> Result<Option<IndicatorRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM indicator i WHERE i.uuid = ?1");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    found(statement.query_row([blob(id.uuid())], map))
}

/// One indicator by what it is.
pub fn find(tx: &impl Reads, indicator: &Indicator) -> Result<Option<IndicatorRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM indicator i WHERE i.type = ?1 AND i.value = ?2");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    found(statement.query_row((indicator.kind.as_str(), &indicator.value), map))
}

/// An alert that has an indicator, the newest: where an event about the indicator is shown.
pub fn newest_alert(tx: &impl Reads, id: i64) -> Result<Option<AlertId>, StoreError> {
    let row = tx
        .conn()
        .prepare_cached(
            "SELECT a.uuid FROM alert_indicator l JOIN alert a ON a.id = l.alert_id
             WHERE l.indicator_id = ?1 ORDER BY l.occurred_at DESC, l.alert_id DESC LIMIT 1",
        )?
        .query_row([id], |row| uuid(row, 0));
    found(row)
}

/// Overrides an indicator's verdict. The caller judges who outranks whom, and brings the alerts up
/// to date by [`super::alert::refresh_malice`].
pub fn override_malice(
    tx: &WriteTx<'_>,
    id: i64,
    (verdict, by): (Malice, VerdictAuthor),
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE indicator SET malice_override=?2, malice_override_by=?3, malice_override_at=?4
         WHERE id=?1",
        (id, verdict as u8, by.as_str(), now.millis()),
    )?;
    recompute(tx, id, now).map(drop)
}

/// Takes an override back: the verdict is the worst of the stored answers again.
pub fn reset_malice(tx: &WriteTx<'_>, id: i64, now: Timestamp) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE indicator SET malice_override=NULL, malice_override_by=NULL,
           malice_override_at=NULL WHERE id=?1",
        [id],
    )?;
    recompute(tx, id, now).map(drop)
}

/// Brings an indicator's verdict up to date: its override, else the worst of its stored answers.
/// Whether it changed.
pub(super) fn recompute(tx: &WriteTx<'_>, id: i64, now: Timestamp) -> Result<bool, StoreError> {
    let changed = tx
        .conn
        .prepare_cached(
            "UPDATE indicator SET malice = coalesce(malice_override, worst), updated_at = ?2,
               is_enriched = answered
             FROM (SELECT coalesce(max(malice), 0) AS worst,
                 coalesce(max(enriched_at IS NOT NULL), 0) AS answered
               FROM enrichment WHERE indicator_id = ?1)
             WHERE id = ?1 AND (malice != coalesce(malice_override, worst)
               OR is_enriched != answered)
             RETURNING 1",
        )?
        .query_map((id, now.millis()), |_| Ok(()))?
        .count();
    Ok(changed > 0)
}

/// By what indicators are ordered; the row breaks ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndicatorSort {
    /// When an alert had it last.
    LastSeen,
    /// When an alert had it first, which is the order of the rows.
    FirstSeen,
    /// By value, byte by byte.
    Value,
    /// By verdict.
    Malice,
}

impl IndicatorSort {
    const fn column(self) -> &'static str {
        match self {
            Self::LastSeen => "i.last_seen",
            Self::FirstSeen => "i.id",
            Self::Value => "i.value",
            Self::Malice => "i.malice",
        }
    }
}

/// Which indicators to list.
#[derive(Debug, Clone, Default)]
pub struct IndicatorFilter {
    /// Any of these types.
    pub kind: Vec<IndicatorType>,
    /// Any of these verdicts.
    pub malice: Vec<Malice>,
    /// Part of the value, in any case of ASCII letters.
    pub value: Option<String>,
    /// Whether a provider has answered.
    pub is_enriched: Option<bool>,
}

/// A page of indicators, and how many there are up to [`super::alert_list::COUNT_CAP`] and one.
pub fn page(
    tx: &impl Reads,
    filter: &IndicatorFilter,
    (sort, direction): (IndicatorSort, Direction),
    slice: Slice,
) -> Result<(Vec<IndicatorRow>, u64), StoreError> {
    let mut narrowed = Condition::new();
    narrowed.any_of("i.type", &filter.kind);
    let ranks: Vec<u8> = filter.malice.iter().map(|m| *m as u8).collect();
    narrowed.any_of("i.malice", &ranks);
    narrowed.compare_opt("i.is_enriched =", filter.is_enriched);
    narrowed.contains("i.value", filter.value.as_deref());
    let (condition, column, way) = (narrowed.sql(), sort.column(), direction.word());
    let params = || rusqlite::params_from_iter(narrowed.params());
    let cap = super::alert_list::COUNT_CAP + 1;
    let total = tx
        .conn()
        .prepare_cached(&format!(
            "SELECT count(*) FROM (SELECT 1 FROM indicator i WHERE {condition} LIMIT {cap})"
        ))?
        .query_row(params(), |row| row.get(0))?;
    let (limit, offset) = (slice.limit, slice.offset);
    let mut statement = tx.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM indicator i WHERE {condition}
         ORDER BY {column} {way}, i.id {way} LIMIT {limit} OFFSET {offset}"
    ))?;
    let rows = statement.query_map(params(), map)?;
    Ok((rows.collect::<Result<_, _>>()?, total))
}
