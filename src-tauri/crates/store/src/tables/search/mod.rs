//! Searching alerts: a query of the filter grammar, compiled to SQL.
//!
//! Every test of a query becomes a `piece`: a condition on an alert and, where an index has the
//! few alerts that can pass, a driver that lists them. `plan` looks how selective the drivers are
//! and either starts from the best of them or walks the index of the order, so that a page neither
//! sorts nor reads the whole table. `index` keeps the word and fragment indexes.

mod complete;
mod facets;
mod index;
mod legacy;
mod order;
mod piece;
mod plan;
mod texts;

use calseta_domain::query::Query;
use rusqlite::types::Value as Sql;

use super::Reads;
use super::alert;
use super::alert_list::{AlertPage, AlertQuery, COUNT_CAP, Counting, Paging};
use crate::StoreError;

pub use complete::{ValueField, complete};
pub use facets::{Facet, Facets, facets};
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
    let plan = plan::choose(tx, &order, pieces, sizes)?;
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

fn count(tx: &impl Reads, plan: &Plan, counting: Counting) -> Result<Option<u64>, StoreError> {
    // A page of them is found as it is walked; a count would be the reader's deadline, for nothing.
    if plan.is_uncountable() {
        return Ok(None);
    }
    let sql = match counting {
        Counting::None => return Ok(None),
        Counting::Exact => plan.count(None),
        Counting::Capped => plan.count(Some(COUNT_CAP + 1)),
    };
    let mut statement = tx.conn().prepare_cached(&sql.sql)?;
    let params = rusqlite::params_from_iter(&sql.params);
    Ok(Some(statement.query_row(params, |row| row.get(0))?))
}

/// How many alerts each of some queries finds, up to [`COUNT_CAP`] and one; `None` as for
/// [`AlertPage::total`].
pub fn counts(tx: &impl Reads, queries: &[Query]) -> Result<Vec<Option<u64>>, StoreError> {
    let order = order::newest();
    let mut counts = Vec::with_capacity(queries.len());
    for query in queries {
        let plan = plan::choose(tx, &order, piece::members(tx, query)?, plan::SIZES)?;
        counts.push(count(tx, &plan, Counting::Capped)?);
    }
    Ok(counts)
}

/// The statements that a query may be answered by, whatever the data: for tests of their plans.
#[doc(hidden)]
pub fn statements(tx: &impl Reads, query: &AlertQuery) -> Result<Vec<String>, StoreError> {
    let order = order::of(query);
    let mut found = Vec::new();
    for plan in plan::every(&order, &pieces(tx, query)?) {
        for after in [None, Some(&order.example())] {
            let pages = plan.page(&order, after, (50, 0));
            found.extend(pages.into_iter().map(|page| page.sql));
        }
        found.push(plan.count(Some(COUNT_CAP)).sql);
    }
    Ok(found)
}
