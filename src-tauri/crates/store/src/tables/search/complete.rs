//! Values that a field of the grammar has in this store, with how many alerts have them.

use calseta_domain::query::IndicatorField;
use rusqlite::types::Value as Sql;

use super::Sub;
use crate::StoreError;
use crate::functions::fold;
use crate::tables::alert_list::COUNT_CAP;
use crate::tables::{Reads, tag};

/// A field whose values are data; closed sets complete from their words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueField {
    /// Source names.
    Source,
    /// Names of detection rules.
    Rule,
    /// Tags.
    Tag,
    /// Authors of findings.
    Agent,
    /// Titles of context documents; not counted.
    Document,
    /// Values of indicators.
    Indicator(IndicatorField),
}

/// Values that begin with `prefix`, in any case, most alerts first; counts go up to [`COUNT_CAP`].
pub fn complete(
    tx: &impl Reads,
    field: ValueField,
    prefix: &str,
    limit: u32,
) -> Result<Vec<(String, Option<u64>)>, StoreError> {
    let prefix = fold(prefix.trim());
    let sub = match field {
        ValueField::Tag => {
            let tags = tag::beginning(tx, &prefix, limit)?;
            return Ok(tags.into_iter().map(|(name, n)| (name, Some(n))).collect());
        }
        ValueField::Source => names("alert", "source_name", "alert", &prefix),
        ValueField::Agent => names("finding", "author_name", "finding", &prefix),
        ValueField::Rule => Sub::new(
            format!(
                "SELECT r.name, (SELECT count(*) FROM (SELECT 1 FROM alert
                   WHERE detection_rule_id = r.id LIMIT {COUNT_CAP}))
                 FROM detection_rule r WHERE instr(fold(r.name), ?) = 1"
            ),
            vec![Sql::Text(prefix)],
        ),
        ValueField::Document => Sub::new(
            "SELECT title, NULL FROM context_document WHERE instr(fold(title), ?) = 1",
            vec![Sql::Text(prefix)],
        ),
        ValueField::Indicator(field) => values(field, &prefix),
    };
    let sql = format!("{} ORDER BY 2 DESC, 1 LIMIT {limit}", sub.sql);
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(&sub.params), |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The distinct values of an indexed column, looked up one after the other, each counted.
fn names(table: &str, column: &str, counted: &str, prefix: &str) -> Sub {
    Sub::new(
        format!(
            "WITH RECURSIVE n(v) AS (SELECT min({column}) FROM {table} UNION ALL
               SELECT (SELECT min({column}) FROM {table} WHERE {column} > n.v) FROM n
               WHERE n.v IS NOT NULL)
             SELECT v, (SELECT count(*) FROM (SELECT 1 FROM {counted} WHERE {column} = v
               LIMIT {COUNT_CAP}))
             FROM n WHERE v IS NOT NULL AND instr(fold(v), ?) = 1"
        ),
        vec![Sql::Text(prefix.to_owned())],
    )
}

/// Values of indicators: canonical values of most types are in lower case, and an index has each
/// type's values in order. The first of them are enough to choose from.
fn values(field: IndicatorField, prefix: &str) -> Sub {
    /// Values looked at, of each type.
    const LOOKED_AT: u32 = 200;
    let one = |kind: &calseta_domain::IndicatorType| {
        Sub::new(
            format!(
                "SELECT * FROM (SELECT value, alert_count FROM indicator
                   WHERE type = ? AND value >= ? AND value < ? LIMIT {LOOKED_AT})"
            ),
            vec![
                Sql::Text(kind.as_str().to_owned()),
                Sql::Text(prefix.to_owned()),
                Sql::Text(format!("{prefix}\u{10FFFF}")),
            ],
        )
    };
    let parts: Vec<Sub> = field.kinds().iter().map(one).collect();
    Sub::join(&parts, " UNION ALL ")
}
