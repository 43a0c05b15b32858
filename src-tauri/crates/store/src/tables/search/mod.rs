//! Searching alerts: a query of the filter grammar, compiled to SQL.
//!
//! Every test of a query becomes a `piece`: a condition on an alert and, where an index has the
//! few alerts that can pass, a driver that lists them. `plan` looks how selective the drivers are
//! and either starts from the best of them or walks the index of the order, so that a page neither
//! sorts nor reads the whole table. `index` keeps the word and fragment indexes.

mod complete;
mod facets;
mod groups;
mod index;
mod legacy;
mod order;
pub mod palette;
mod piece;
mod plan;
mod texts;

use calseta_domain::query::Query;
use rusqlite::types::Value as Sql;

use super::Reads;
use super::alert;
use super::alert_list::{AlertPage, AlertQuery, COUNT_CAP, Counting, Keyset, KeysetValue, Paging};
use crate::StoreError;

pub use complete::{ValueField, complete};
pub use facets::{Facet, Facets, facets};
pub use groups::{GroupRow, Groups, group_members, groups};
pub(super) use index::note_reworded;
pub use index::{index_pending, pending};
use piece::Piece;
use plan::Plan;

/// A piece of SQL with its parameters, in the order of its `?`.
#[derive(Debug, Clone, Default)]
struct Sub {
    sql: String,
    params: Vec<Sql>,
}

impl Sub {
    fn new(sql: impl Into<String>, params: Vec<Sql>) -> Self {
        Self {
            sql: sql.into(),
            params,
        }
    }

    /// Adds more text and its parameters.
    fn push(&mut self, sql: &str, params: impl IntoIterator<Item = Sql>) {
        self.sql.push_str(sql);
        self.params.extend(params);
    }

    /// Adds another piece.
    fn append(&mut self, other: &Self) {
        self.push(&other.sql, other.params.iter().cloned());
    }

    /// Some pieces with something between them.
    fn join(parts: &[Self], between: &str) -> Self {
        let mut joined = Self::default();
        for (n, part) in parts.iter().enumerate() {
            if n > 0 {
                joined.sql.push_str(between);
            }
            joined.append(part);
        }
        joined
    }
}

/// The pieces of a query and of v1.1.0's filters, all of which must hold.
fn pieces(tx: &impl Reads, query: &AlertQuery) -> Result<Vec<Piece>, StoreError> {
    let mut pieces = match &query.query {
        Some(query) => piece::members(tx, query)?,
        None => Vec::new(),
    };
    legacy::add(&mut pieces, &query.filter);
    Ok(pieces)
}

/// Fetches a page.
pub fn page(tx: &impl Reads, query: &AlertQuery) -> Result<AlertPage, StoreError> {
    page_when(tx, query, plan::SIZES)
}

/// [`page`] with other ideas of how many alerts are few and many: with them a test sees every plan.
#[doc(hidden)]
pub fn page_when(
    tx: &impl Reads,
    query: &AlertQuery,
    sizes: (usize, usize),
) -> Result<AlertPage, StoreError> {
    let order = order::of(query);
    let pieces = pieces(tx, query)?;
    let hides = hides(tx, query)?;
    let plan = plan::choose(tx, &order, pieces, sizes)?.hiding(hides);
    let total = count(tx, &plan, query.counting)?;
    let (after, offset) = match &query.paging {
        Paging::After(after) => (after.as_ref(), 0),
        Paging::Offset(offset) => (None, *offset),
    };
    let wanted = u64::from(query.limit) + 1;
    let mut places = Vec::new();
    for sql in plan.page(&order, after, (wanted, offset)) {
        let mut statement = tx.conn().prepare_cached(&sql.sql)?;
        let params = rusqlite::params_from_iter(&sql.params);
        for place in statement.query_map(params, |row| order.place(row))? {
            places.push(place?);
        }
        if places.len() as u64 >= wanted {
            break;
        }
    }
    let more = places.len() > query.limit as usize;
    places.truncate(query.limit as usize);
    let mut rows = Vec::with_capacity(places.len());
    for place in &places {
        rows.extend(alert::by_row(tx, place.id)?);
    }
    let next = places.pop().filter(|_| more);
    Ok(AlertPage { rows, total, next })
}

/// Whether alerts must be left out because a suppression hides them. Mostly nothing is hidden, and
/// then a query costs what it cost without suppressions.
fn hides(tx: &impl Reads, query: &AlertQuery) -> Result<bool, StoreError> {
    if query.include_suppressed || query.query.as_ref().is_some_and(Query::names_suppressed) {
        return Ok(false);
    }
    some_are_hidden(tx)
}

fn some_are_hidden(tx: &impl Reads) -> Result<bool, StoreError> {
    Ok(tx
        .conn()
        .prepare_cached("SELECT EXISTS(SELECT 1 FROM triage WHERE suppression_id IS NOT NULL)")?
        .query_row([], |row| row.get(0))?)
}

fn count(tx: &impl Reads, plan: &Plan, counting: Counting) -> Result<Option<u64>, StoreError> {
    // A page of them is found as it is walked; a count would be the reader's deadline, for nothing.
    if plan.is_uncountable() {
        return Ok(None);
    }
    let cap = match counting {
        Counting::None => return Ok(None),
        Counting::Exact => None,
        Counting::Capped => Some(COUNT_CAP + 1),
    };
    let hidden = match plan.count_hidden() {
        Some(sql) => number(tx, &sql)?,
        None => 0,
    };
    let all = number(tx, &plan.count(cap.map(|cap| cap + hidden)))?;
    Ok(Some(all.saturating_sub(hidden)))
}

fn number(tx: &impl Reads, sql: &Sub) -> Result<u64, StoreError> {
    let mut statement = tx.conn().prepare_cached(&sql.sql)?;
    let params = rusqlite::params_from_iter(&sql.params);
    Ok(statement.query_row(params, |row| row.get(0))?)
}

/// How many alerts each of some queries finds, up to [`COUNT_CAP`] and one; `None` as for
/// [`AlertPage::total`]. Suppressed alerts count only for queries that name them.
pub fn counts(tx: &impl Reads, queries: &[Query]) -> Result<Vec<Option<u64>>, StoreError> {
    let order = order::newest();
    let mut counts = Vec::with_capacity(queries.len());
    for query in queries {
        let hides = !query.names_suppressed() && some_are_hidden(tx)?;
        let plan = plan::choose(tx, &order, piece::members(tx, query)?, plan::SIZES)?;
        counts.push(count(tx, &plan.hiding(hides), Counting::Capped)?);
    }
    Ok(counts)
}

/// Whether a query finds this one alert (its row).
pub(super) fn finds(tx: &impl Reads, query: &Query, alert: i64) -> Result<bool, StoreError> {
    let mut sub = Sub::new(
        "SELECT EXISTS(SELECT 1 FROM alert a NOT INDEXED WHERE a.id = ?",
        vec![Sql::Integer(alert)],
    );
    for piece in piece::members(tx, query)? {
        sub.push(" AND (", []);
        sub.append(&piece.cond);
        sub.push(")", []);
    }
    sub.push(")", []);
    Ok(number(tx, &sub)? > 0)
}

/// Up to `limit` alerts (rows) that a query finds, newest first whatever its order, of those before
/// a row: what a change of many alerts goes through. `limit` bounds what is held in memory.
pub fn rows(
    tx: &impl Reads,
    query: &AlertQuery,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<i64>, StoreError> {
    let order = order::newest();
    let hides = hides(tx, query)?;
    let plan = plan::choose(tx, &order, pieces(tx, query)?, plan::SIZES)?.hiding(hides);
    let after = before.map(|id| Keyset {
        values: vec![KeysetValue::Number(id)],
        id,
    });
    let mut rows = Vec::new();
    for sql in plan.page(&order, after.as_ref(), (limit.into(), 0)) {
        let mut statement = tx.conn().prepare_cached(&sql.sql)?;
        let params = rusqlite::params_from_iter(&sql.params);
        for row in statement.query_map(params, |row| row.get(0))? {
            rows.push(row?);
        }
    }
    Ok(rows)
}

/// The statements that a query may be answered by, whatever the data: for tests of their plans.
#[doc(hidden)]
pub fn statements(tx: &impl Reads, query: &AlertQuery) -> Result<Vec<String>, StoreError> {
    let order = order::of(query);
    let mut found = Vec::new();
    for plan in plan::every(&order, &pieces(tx, query)?) {
        let plan = plan.hiding(!query.include_suppressed);
        for after in [None, Some(&order.example())] {
            let pages = plan.page(&order, after, (50, 0));
            found.extend(pages.into_iter().map(|page| page.sql));
        }
        found.push(plan.count(Some(COUNT_CAP)).sql);
        found.extend(plan.count_hidden().map(|sub| sub.sql));
    }
    Ok(found)
}
