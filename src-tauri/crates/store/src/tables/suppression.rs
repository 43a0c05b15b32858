//! `suppression`: queries whose alerts stay out of the queue for a while. They are counted and
//! marked, never dropped; when a suppression ends its alerts come back.

use calseta_domain::query::{Expr, Query, Test, TimeField, TimeTest, TimeValue};
use calseta_domain::{AlertId, AlertStatus, CloseClassification, SuppressionId, Timestamp};
use rusqlite::Row;

use super::alert::AlertRow;
use super::alert_list::{self, AlertFilter, AlertQuery, AlertSort, Counting, Paging};
use super::{Reads, blob, found, search, time, triage, uuid};
use crate::{StoreError, WriteTx};

/// Alerts that a preview shows.
const EXAMPLES: u32 = 5;

/// A suppression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressionRow {
    /// Its row.
    pub id: i64,
    /// Its id.
    pub uuid: SuppressionId,
    /// For people.
    pub name: String,
    /// Which alerts, in the filter grammar.
    pub q: String,
    /// Why.
    pub reason: Option<String>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Alerts that it has ever hidden.
    pub hidden_count: u64,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

const COLUMNS: &str = "id, uuid, name, q, reason, expires_at, hidden_count, created_by, \
                       created_at, updated_at";

fn map(row: &Row<'_>) -> rusqlite::Result<SuppressionRow> {
    Ok(SuppressionRow {
        id: row.get(0)?,
        uuid: uuid(row, 1)?,
        name: row.get(2)?,
        q: row.get(3)?,
        reason: row.get(4)?,
        expires_at: time(row, 5)?,
        hidden_count: row.get(6)?,
        created_by: row.get(7)?,
        created_at: time(row, 8)?,
        updated_at: time(row, 9)?,
    })
}

/// Adds a suppression; its row. It hides nothing by itself: see [`hide`].
pub fn insert(tx: &WriteTx<'_>, suppression: &SuppressionRow) -> Result<i64, StoreError> {
    tx.conn.execute(
        "INSERT INTO suppression(uuid, name, q, reason, expires_at, created_by, created_at,
           updated_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
        rusqlite::params![
            blob(suppression.uuid.uuid()),
            suppression.name,
            suppression.q,
            suppression.reason,
            suppression.expires_at.millis(),
            suppression.created_by,
            suppression.created_at.millis(),
        ],
    )?;
    Ok(tx.conn.last_insert_rowid())
}

/// Stores what may change of a suppression. What it hides already stays hidden.
pub fn update(tx: &WriteTx<'_>, suppression: &SuppressionRow) -> Result<(), StoreError> {
    tx.conn.execute(
        "UPDATE suppression SET name=?2, q=?3, reason=?4, expires_at=?5, updated_at=?6 WHERE id=?1",
        rusqlite::params![
            suppression.id,
            suppression.name,
            suppression.q,
            suppression.reason,
            suppression.expires_at.millis(),
            suppression.updated_at.millis(),
        ],
    )?;
    Ok(())
}

/// Removes a suppression; whether it was there. What it still hides comes back in the same
/// transaction: the caller has called [`lift`] until little is left.
pub fn delete(tx: &WriteTx<'_>, id: i64) -> Result<bool, StoreError> {
    Ok(tx
        .conn
        .execute("DELETE FROM suppression WHERE id = ?1", [id])?
        > 0)
}

/// All suppressions, the newest first; those that are over too.
pub fn all(tx: &impl Reads) -> Result<Vec<SuppressionRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM suppression ORDER BY id DESC");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map([], map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Those that hide new alerts at a time, the oldest first: the first that matches hides an alert.
pub fn active(tx: &impl Reads, now: Timestamp) -> Result<Vec<SuppressionRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM suppression WHERE expires_at > ?1 ORDER BY id");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map([now.millis()], map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Those that are over and still hide alerts.
pub fn ended(tx: &impl Reads, now: Timestamp) -> Result<Vec<SuppressionRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM suppression WHERE expires_at <= ?1
           AND EXISTS (SELECT 1 FROM triage m WHERE m.suppression_id = suppression.id)
         ORDER BY id"
    );
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map([now.millis()], map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// When the next of those that are not over ends.
pub fn next_end(tx: &impl Reads, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let next = tx
        .conn()
        .prepare_cached("SELECT min(expires_at) FROM suppression WHERE expires_at > ?1")?
        .query_row([now.millis()], |row| super::time_opt(row, 0))?;
    Ok(next)
}

/// One suppression.
pub fn by_uuid(tx: &impl Reads, id: SuppressionId) -> Result<Option<SuppressionRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM suppression WHERE uuid = ?1");
    let mut statement = tx.conn().prepare_cached(&sql)?;
    found(statement.query_row([blob(id.uuid())], map))
}

/// Whether a query finds this one alert (its row) now. Words are found only once they are indexed,
/// which is after the commit that brought the alert: callers admit only fields.
pub fn matches(tx: &impl Reads, query: &Query, alert: i64) -> Result<bool, StoreError> {
    search::finds(tx, query, alert)
}

/// Hides an alert (its row), and counts it. `false` when a suppression hides it already.
pub fn hide(tx: &WriteTx<'_>, suppression: i64, alert: i64) -> Result<bool, StoreError> {
    let hidden: bool = tx
        .conn
        .prepare_cached(
            "SELECT EXISTS(SELECT 1 FROM triage
               WHERE alert_id = ?1 AND suppression_id IS NOT NULL)",
        )?
        .query_row([alert], |row| row.get(0))?;
    if hidden {
        return Ok(false);
    }
    triage::set_suppressed(tx, alert, Some(suppression))?;
    tx.conn
        .prepare_cached("UPDATE suppression SET hidden_count = hidden_count + 1 WHERE id = ?1")?
        .execute([suppression])?;
    Ok(true)
}

/// Shows one alert (its row) again that no longer fits; that it was hidden stays counted. Whether it
/// was hidden.
pub fn show(tx: &WriteTx<'_>, alert: i64) -> Result<bool, StoreError> {
    let shown = tx
        .conn
        .prepare_cached(
            "UPDATE triage SET suppression_id = NULL
             WHERE alert_id = ?1 AND suppression_id IS NOT NULL",
        )?
        .execute([alert])?;
    Ok(shown > 0)
}

/// Brings up to `limit` of the alerts back that a suppression hides; which. Fewer than `limit` means
/// that it hides nothing more.
pub fn lift(tx: &WriteTx<'_>, suppression: i64, limit: u32) -> Result<Vec<AlertId>, StoreError> {
    let rows = {
        let mut statement = tx.conn.prepare_cached(
            "SELECT m.alert_id, a.uuid FROM triage m CROSS JOIN alert a ON a.id = m.alert_id
             WHERE m.suppression_id = ?1 LIMIT ?2",
        )?;
        let rows = statement.query_map((suppression, limit), |row| {
            Ok((row.get::<_, i64>(0)?, uuid(row, 1)?))
        })?;
        rows.collect::<Result<Vec<_>, _>>()?
    };
    for (alert, _) in &rows {
        triage::set_suppressed(tx, *alert, None)?;
    }
    Ok(rows.into_iter().map(|(_, alert)| alert).collect())
}

/// What a suppression would have hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Alerts that it would have hidden; `None` when counting them would read every payload.
    pub matched: Option<u64>,
    /// Alerts in that time.
    pub of: u64,
    /// Of those it would have hidden: closed as a true positive.
    pub true_positives: u64,
    /// The newest of them, at most five.
    pub examples: Vec<AlertRow>,
}

/// What a query finds among the alerts that came in since a time, hidden ones too.
pub fn preview(tx: &impl Reads, query: &Query, from: Timestamp) -> Result<Preview, StoreError> {
    let since = Expr::Test(Test::Time(TimeTest::AtLeast(
        TimeField::Ingested,
        TimeValue::At(from),
    )));
    let positive = Expr::Test(Test::Classification(vec![
        CloseClassification::TruePositive,
    ]));
    // Reopened alerts keep their classification until they are closed again.
    let closed = Expr::Test(Test::Status(vec![AlertStatus::Closed]));
    let found = |members: Vec<Expr>| {
        let asked = AlertQuery {
            query: Some(Query {
                expr: Expr::all(members),
                sort: None,
                group: None,
                now: query.now,
            }),
            filter: AlertFilter::default(),
            sort: AlertSort::CreatedAt,
            descending: true,
            paging: Paging::After(None),
            limit: EXAMPLES,
            counting: Counting::Exact,
            include_suppressed: true,
        };
        alert_list::page(tx, &asked)
    };
    let hidden = found(vec![since.clone(), query.expr.clone()])?;
    let worth = found(vec![since.clone(), query.expr.clone(), positive, closed])?;
    Ok(Preview {
        matched: hidden.total,
        of: found(vec![since])?.total.unwrap_or_default(),
        true_positives: worth.total.unwrap_or_default(),
        examples: hidden.rows,
    })
}
