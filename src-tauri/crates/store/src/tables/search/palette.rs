//! Finding anything by a few characters: names of what is configured, values of indicators, titles of
//! alerts. Every lookup is bounded by what it looks at, not by what there is.

use calseta_domain::{AgentId, DetectionRuleId, DocumentId, ViewId};
use rusqlite::Row;

use super::texts;
use crate::StoreError;
use crate::functions::fold;
use crate::tables::alert::{self, AlertRow};
use crate::tables::alert_list::COUNT_CAP;
use crate::tables::indicator::{self, IndicatorRow};
use crate::tables::{Reads, uuid};

/// Indicators that are looked at for a beginning or a fragment; the most frequent are given.
const VALUES: u32 = 200;
/// Alerts whose titles match that are looked at, the newest of them.
const TITLES: u32 = 1_000;

/// Something that is configured and has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<T> {
    /// Its id.
    pub uuid: T,
    /// Its name.
    pub name: String,
}

/// Agents whose name has a text in it, in any case: where it stands earliest first.
pub fn agents(tx: &impl Reads, text: &str, limit: u32) -> Result<Vec<Named<AgentId>>, StoreError> {
    let sql = "SELECT uuid, name FROM agent
        WHERE deleted_at IS NULL AND instr(fold(name), ?1) > 0
        ORDER BY instr(fold(name), ?1), name LIMIT ?2";
    named(tx, sql, text, limit, |row| {
        Ok(Named {
            uuid: uuid(row, 0)?,
            name: row.get(1)?,
        })
    })
}

/// Detection rules likewise, with how many alerts they have raised, up to [`COUNT_CAP`].
pub fn rules(
    tx: &impl Reads,
    text: &str,
    limit: u32,
) -> Result<Vec<(Named<DetectionRuleId>, u64)>, StoreError> {
    let sql = format!(
        "SELECT r.uuid, r.name, (SELECT count(*) FROM (SELECT 1 FROM alert
           WHERE detection_rule_id = r.id LIMIT {COUNT_CAP}))
         FROM (SELECT id, uuid, name FROM detection_rule WHERE instr(fold(name), ?1) > 0
           ORDER BY instr(fold(name), ?1), name LIMIT ?2) r"
    );
    named(tx, &sql, text, limit, |row| {
        let rule = Named {
            uuid: uuid(row, 0)?,
            name: row.get(1)?,
        };
        Ok((rule, row.get(2)?))
    })
}

/// Context documents by title likewise, with their type.
pub fn documents(
    tx: &impl Reads,
    text: &str,
    limit: u32,
) -> Result<Vec<(Named<DocumentId>, String)>, StoreError> {
    let sql = "SELECT uuid, title, document_type FROM context_document
        WHERE instr(fold(title), ?1) > 0 ORDER BY instr(fold(title), ?1), title LIMIT ?2";
    named(tx, sql, text, limit, |row| {
        let document = Named {
            uuid: uuid(row, 0)?,
            name: row.get(1)?,
        };
        Ok((document, row.get(2)?))
    })
}

/// Saved views likewise, with their query.
pub fn views(
    tx: &impl Reads,
    text: &str,
    limit: u32,
) -> Result<Vec<(Named<ViewId>, String)>, StoreError> {
    let sql = "SELECT uuid, name, q FROM saved_view
        WHERE instr(fold(name), ?1) > 0 ORDER BY instr(fold(name), ?1), position LIMIT ?2";
    named(tx, sql, text, limit, |row| {
        let view = Named {
            uuid: uuid(row, 0)?,
            name: row.get(1)?,
        };
        Ok((view, row.get(2)?))
    })
}

/// Tags that alerts have likewise, with how many.
pub fn tags(tx: &impl Reads, text: &str, limit: u32) -> Result<Vec<(String, u64)>, StoreError> {
    let sql = "SELECT name, uses FROM tag WHERE uses > 0 AND instr(folded, ?1) > 0
        ORDER BY instr(folded, ?1), uses DESC, name LIMIT ?2";
    named(tx, sql, text, limit, |row| Ok((row.get(0)?, row.get(1)?)))
}

fn named<T>(
    tx: &impl Reads,
    sql: &str,
    text: &str,
    limit: u32,
    map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = tx.conn().prepare_cached(sql)?;
    let rows = statement.query_map((fold(text.trim()), limit), map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Indicators that are a text, then those that begin with it, then those that have it in them; among
/// equals those of most alerts first. The text is compared as written and in lower case.
pub fn indicators(
    tx: &impl Reads,
    text: &str,
    limit: u32,
) -> Result<Vec<IndicatorRow>, StoreError> {
    let (text, folded) = (text.trim(), fold(text.trim()));
    let mut found: Vec<IndicatorRow> = Vec::new();
    if text.is_empty() {
        return Ok(found);
    }
    let mut add = |mut more: Vec<IndicatorRow>| {
        more.sort_by_key(|one| std::cmp::Reverse(one.alert_count));
        for one in more {
            if found.iter().all(|known| known.id != one.id) {
                found.push(one);
            }
        }
        found.len() >= limit as usize
    };
    let columns = indicator::COLUMNS;
    let exact = format!("SELECT {columns} FROM indicator i WHERE i.value IN (?1, ?2) LIMIT ?3");
    if add(values(tx, &exact, (text, &folded))?) {
        found.truncate(limit as usize);
        return Ok(found);
    }
    let beginning = format!(
        "SELECT {columns} FROM indicator i WHERE i.value >= ?1 AND i.value < ?2
         ORDER BY i.value LIMIT ?3"
    );
    let mut more = Vec::new();
    for start in [text, folded.as_str()] {
        more.extend(values(
            tx,
            &beginning,
            (start, &format!("{start}\u{10FFFF}")),
        )?);
    }
    if !add(more)
        && let Some(asked) = texts::pieces_query(std::slice::from_ref(&folded))
    {
        let fragment = format!(
            "SELECT {columns} FROM search_values CROSS JOIN indicator i
               ON i.id = search_values.rowid
             WHERE search_values MATCH ?1 AND ?2 = ?2 ORDER BY search_values.rowid DESC LIMIT ?3"
        );
        add(values(tx, &fragment, (&asked, ""))?);
    }
    found.truncate(limit as usize);
    Ok(found)
}

fn values(
    tx: &impl Reads,
    sql: &str,
    (one, other): (&str, &str),
) -> Result<Vec<IndicatorRow>, StoreError> {
    let mut statement = tx.conn().prepare_cached(sql)?;
    let rows = statement.query_map((one, other, VALUES), indicator::map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Alerts by their title.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Titled {
    /// Not closed, the newest first.
    pub open: Vec<AlertRow>,
    /// Closed, the newest first.
    pub closed: Vec<AlertRow>,
}

/// Alerts whose title has a text in it, up to `limit` open and as many closed ones; of a text of one or
/// two characters, those with a word that begins so.
pub fn alerts(tx: &impl Reads, text: &str, limit: u32) -> Result<Titled, StoreError> {
    let folded = fold(text.trim());
    let (table, asked) = match texts::pieces_query(std::slice::from_ref(&folded)) {
        Some(asked) => ("search_titles", asked),
        None => match texts::phrase(&folded) {
            Some(phrase) => ("search_words", format!("title : {phrase} *")),
            None => return Ok(Titled::default()),
        },
    };
    let sql = format!(
        "SELECT a.id, a.status = 'Closed' FROM {table}
         CROSS JOIN alert a NOT INDEXED ON a.id = {table}.rowid
         WHERE {table} MATCH ?1 ORDER BY {table}.rowid DESC LIMIT ?2"
    );
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let mut rows = statement.query((asked, TITLES))?;
    let mut found = Titled::default();
    while let Some(row) = rows.next()? {
        let side = if row.get(1)? {
            &mut found.closed
        } else {
            &mut found.open
        };
        if side.len() < limit as usize {
            side.extend(alert::by_row(tx, row.get(0)?)?);
        }
        if found.open.len().min(found.closed.len()) >= limit as usize {
            break;
        }
    }
    Ok(found)
}
