//! Reading what can be read of a damaged database into a new one. The damaged file is never written.
//!
//! Every table is walked in the order of its rows. Where SQLite cannot go on, the next row that it can
//! read is looked for in steps that double, then narrowed down, so that a broken page costs its own
//! rows and few others. What is derived (word indexes, counters) is not read but made anew, and rows
//! that refer to lost ones go, so that the result is a database like any other.

use std::path::Path;

use calseta_domain::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, Statement, params_from_iter};

use crate::backup::{self, Contents, CopyError, Depth};
use crate::error::OpenError;
use crate::{functions, migrate};

/// Places of one table at which reading may break off before the rest of it is given up.
const MAX_GAPS: u32 = 10_000;
/// Rounds of removing rows that refer to removed ones: longer chains of tables there are not.
const MAX_ROUNDS: u32 = 8;

/// What became of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalvagedTable {
    /// Its name.
    pub name: String,
    /// Rows that are in the new database.
    pub kept: u64,
    /// Rows that were read and do not fit: damaged values, or a reference to a lost row.
    pub refused: u64,
    /// Places at which reading broke off. How many rows were there cannot be known.
    pub gaps: u32,
}

/// What a recovery came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// The new database.
    pub contents: Contents,
    /// Every table that had rows or gaps.
    pub tables: Vec<SalvagedTable>,
}

/// Reads the database at `from` into the new file `to`.
///
/// # Errors
/// [`CopyError::Exists`] when `to` is there; [`OpenError::Damaged`] when not even the list of tables
/// can be read, [`OpenError::Newer`] and [`OpenError::Foreign`] as when opening.
pub fn salvage(from: &Path, to: &Path, now: Timestamp) -> Result<Salvaged, CopyError> {
    let source = backup::look(from).map_err(|error| backup::damaged(from, error))?;
    // Damaged cells are read as far as they go here; what does not fit is refused by the new tables.
    migrate::check(&source, from, migrate::MIGRATIONS)
        .map_err(|error| backup::sharpen(from, error))?;
    let version: usize = source
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|error| backup::damaged(from, error))?;
    drop(
        backup::new_private_file(to).map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => CopyError::Exists(to.to_owned()),
            _ => CopyError::Io {
                path: to.to_owned(),
                source,
            },
        })?,
    );
    let filled = fill(&source, to, version, now);
    if filled.is_err() {
        drop(std::fs::remove_file(to));
    }
    let tables = filled.map_err(|error| match error {
        OpenError::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
            CopyError::Full(to.to_owned())
        }
        other => other.into(),
    })?;
    let contents = backup::inspect(to, Depth::Everything)?;
    Ok(Salvaged { contents, tables })
}

fn fill(
    source: &Connection,
    to: &Path,
    version: usize,
    now: Timestamp,
) -> Result<Vec<SalvagedTable>, OpenError> {
    let target = Connection::open(to)?;
    functions::register(&target)?;
    let steps = &migrate::MIGRATIONS[..version.min(migrate::MIGRATIONS.len())];
    migrate::run(&target, to, steps, now)?;
    target.execute_batch("PRAGMA foreign_keys=OFF; PRAGMA synchronous=OFF;")?;
    let triggers = without_triggers(&target)?;
    let mut tables = Vec::new();
    for name in plain_tables(&target)? {
        target.execute_batch("BEGIN")?;
        // What a new database has from the start gives way to what was read.
        target.execute(&format!("DELETE FROM \"{name}\""), [])?;
        let table = Walk::of(source, &target, name)?.run()?;
        target.execute_batch("COMMIT")?;
        if table.kept > 0 || table.refused > 0 || table.gaps > 0 {
            tables.push(table);
        }
    }
    target.execute_batch("BEGIN")?;
    mend_references(&target, &mut tables)?;
    derive_again(&target)?;
    for trigger in triggers {
        target.execute_batch(&trigger)?;
    }
    target.execute_batch("COMMIT; PRAGMA synchronous=FULL;")?;
    drop(target);
    std::fs::File::open(to)
        .and_then(|file| file.sync_all())
        .map_err(|source| OpenError::Io {
            path: to.to_owned(),
            source,
        })?;
    Ok(tables)
}

/// Drops every trigger, which would count twice, and gives their texts.
fn without_triggers(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement =
        conn.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let triggers = rows.collect::<rusqlite::Result<Vec<(String, String)>>>()?;
    for (name, _) in &triggers {
        conn.execute_batch(&format!("DROP TRIGGER \"{name}\""))?;
    }
    Ok(triggers.into_iter().map(|(_, sql)| sql).collect())
}

/// The tables that hold what was stored, and not an index of it.
fn plain_tables(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare(
        "SELECT name FROM pragma_table_list
         WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         ORDER BY name",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect()
}

/// One table on its way.
struct Walk<'a> {
    source: &'a Connection,
    insert: Statement<'a>,
    columns: Vec<String>,
    has_rowid: bool,
    table: SalvagedTable,
}

impl<'a> Walk<'a> {
    fn of(source: &'a Connection, target: &'a Connection, name: String) -> rusqlite::Result<Self> {
        let mut statement =
            target.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0")?;
        let columns = statement
            .query_map([&name], |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<String>>>()?;
        let has_rowid = target.query_row(
            "SELECT wr = 0 FROM pragma_table_list WHERE schema = 'main' AND name = ?1",
            [&name],
            |row| row.get(0),
        )?;
        let places: Vec<_> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
        let insert = target.prepare(&format!(
            "INSERT OR IGNORE INTO \"{name}\"({}) VALUES({})",
            quoted(&columns),
            places.join(", ")
        ))?;
        Ok(Self {
            source,
            insert,
            columns,
            has_rowid,
            table: SalvagedTable {
                name,
                kept: 0,
                refused: 0,
                gaps: 0,
            },
        })
    }

    fn run(mut self) -> rusqlite::Result<SalvagedTable> {
        if self.has_rowid {
            self.by_rowid()?;
        } else if !self.ordered("ASC")? {
            // From the other end up to the gap.
            self.ordered("DESC")?;
        }
        Ok(self.table)
    }

    /// Walks by rowid and jumps over what cannot be read.
    fn by_rowid(&mut self) -> rusqlite::Result<()> {
        let (name, columns) = (self.table.name.clone(), quoted(&self.columns));
        let sql = format!(
            "SELECT rowid, {columns} FROM \"{name}\" NOT INDEXED WHERE rowid >= ?1 ORDER BY rowid"
        );
        let mut from = i64::MIN;
        while self.table.gaps < MAX_GAPS {
            let (seen, is_whole) = self.piece(&sql, from)?;
            if is_whole {
                return Ok(());
            }
            self.table.gaps += 1;
            let last = seen.unwrap_or(from.max(0));
            let Some(next) = self.next_readable(last) else {
                return Ok(());
            };
            from = next;
        }
        Ok(())
    }

    /// Copies rows from a place on; the last one's rowid, and whether the end was reached.
    fn piece(&mut self, sql: &str, from: i64) -> rusqlite::Result<(Option<i64>, bool)> {
        let Ok(mut statement) = self.source.prepare(sql) else {
            return Ok((None, false));
        };
        let mut last: Option<i64> = None;
        let width = self.columns.len();
        let Ok(mut rows) = statement.query([from]) else {
            return Ok((None, false));
        };
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok((last, true)),
                Err(_) => return Ok((last, false)),
            };
            let read: rusqlite::Result<(i64, Vec<Value>)> = row.get(0).and_then(|rowid| {
                let values = (1..=width).map(|n| row.get(n)).collect::<Result<_, _>>()?;
                Ok((rowid, values))
            });
            match read {
                // A page that leads back would be walked for ever.
                Ok((rowid, _)) if last.is_some_and(|last| rowid <= last) => {
                    return Ok((last, false));
                }
                Ok((rowid, values)) => {
                    last = Some(rowid);
                    keep(&mut self.insert, &mut self.table, values)?;
                }
                Err(_) => self.table.refused += 1,
            }
        }
    }

    /// The first row after `last` that can be read, as near as doubling and halving steps find it.
    fn next_readable(&self, last: i64) -> Option<i64> {
        let sql = format!(
            "SELECT rowid FROM \"{}\" NOT INDEXED WHERE rowid >= ?1 ORDER BY rowid LIMIT 1",
            self.table.name
        );
        // `Some(None)` is the end of the table, `None` an error.
        let at = |from: i64| {
            let found = self.source.query_row(&sql, [from], |row| row.get(0));
            match found {
                Ok(rowid) if rowid > last => Some(Some(rowid)),
                Err(rusqlite::Error::QueryReturnedNoRows) => Some(None),
                _ => None,
            }
        };
        let mut step = 1_i64;
        let mut found = loop {
            if let Some(found) = at(last.checked_add(step)?) {
                break found;
            }
            step = step.checked_mul(2)?;
        };
        let (mut bad, mut good) = (step / 2, step);
        while good - bad > 1 {
            let middle = bad + (good - bad) / 2;
            match at(last + middle) {
                Some(nearer) => (good, found) = (middle, nearer),
                None => bad = middle,
            }
        }
        found
    }

    /// Walks a table without rowids in one direction; whether its end was reached.
    fn ordered(&mut self, direction: &str) -> rusqlite::Result<bool> {
        let keys = self.primary_key()?;
        let order: Vec<_> = keys
            .iter()
            .map(|key| format!("\"{key}\" {direction}"))
            .collect();
        let sql = format!(
            "SELECT {} FROM \"{}\" ORDER BY {}",
            quoted(&self.columns),
            self.table.name,
            order.join(", ")
        );
        let source = self.source;
        let Ok(mut statement) = source.prepare(&sql) else {
            self.table.gaps += 1;
            return Ok(false);
        };
        let width = self.columns.len();
        let Ok(mut rows) = statement.query([]) else {
            self.table.gaps += 1;
            return Ok(false);
        };
        loop {
            match rows.next() {
                Ok(Some(row)) => {
                    let values: rusqlite::Result<Vec<Value>> =
                        (0..width).map(|n| row.get(n)).collect();
                    match values {
                        Ok(values) => keep(&mut self.insert, &mut self.table, values)?,
                        Err(_) => self.table.refused += 1,
                    }
                }
                Ok(None) => return Ok(true),
                Err(_) => {
                    self.table.gaps += 1;
                    return Ok(false);
                }
            }
        }
    }

    fn primary_key(&self) -> rusqlite::Result<Vec<String>> {
        let mut statement = self
            .source
            .prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE pk > 0 ORDER BY pk")?;
        let rows = statement.query_map([&self.table.name], |row| row.get(0))?;
        rows.collect()
    }
}

fn keep(
    insert: &mut Statement<'_>,
    table: &mut SalvagedTable,
    values: Vec<Value>,
) -> rusqlite::Result<()> {
    match insert.execute(params_from_iter(values)) {
        Ok(1) => table.kept += 1,
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => return Err(error),
        // There already, against a constraint, or of another type than its column's.
        Ok(_) | Err(_) => table.refused += 1,
    }
    Ok(())
}

fn quoted(columns: &[String]) -> String {
    let quoted: Vec<_> = columns.iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

/// Removes or clears references to rows that were lost.
fn mend_references(conn: &Connection, tables: &mut [SalvagedTable]) -> rusqlite::Result<()> {
    let mut statement = conn.prepare(
        "SELECT t.name, f.\"from\", f.\"table\", coalesce(f.\"to\", 'id'), f.on_delete
         FROM pragma_table_list t, pragma_foreign_key_list(t.name) f
         WHERE t.schema = 'main' AND t.type = 'table'",
    )?;
    let references = statement
        .query_map([], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            ))
        })?
        .collect::<rusqlite::Result<Vec<(String, String, String, String, String)>>>()?;
    for _ in 0..MAX_ROUNDS {
        let mut changed = 0;
        for (table, column, parent, key, on_delete) in &references {
            let lost = format!(
                "\"{column}\" IS NOT NULL AND \"{column}\" NOT IN (SELECT \"{key}\" FROM \"{parent}\")"
            );
            let clears = on_delete == "SET NULL";
            let sql = if clears {
                format!("UPDATE \"{table}\" SET \"{column}\" = NULL WHERE {lost}")
            } else {
                format!("DELETE FROM \"{table}\" WHERE {lost}")
            };
            let rows = conn.execute(&sql, [])? as u64;
            changed += rows;
            if let Some(report) = tables.iter_mut().find(|one| one.name == *table && !clears) {
                report.kept = report.kept.saturating_sub(rows);
                report.refused += rows;
            }
        }
        if changed == 0 {
            break;
        }
    }
    Ok(())
}

/// Counters and indexes that follow from the rows.
fn derive_again(conn: &Connection) -> rusqlite::Result<()> {
    let has = |table: &str| {
        conn.query_row(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1",
            [table],
            |row| row.get::<_, i64>(0),
        )
        .map(|count| count > 0)
    };
    if !has("search_pending")? {
        // Before the fifth schema there was nothing to derive.
        return Ok(());
    }
    conn.execute_batch(
        "INSERT OR REPLACE INTO alert_total(id, alerts) SELECT 1, count(*) FROM alert;
         INSERT OR IGNORE INTO search_pending(alert_id) SELECT id FROM alert;
         INSERT OR IGNORE INTO search_state(id, indicators_until) VALUES(1, 0);
         UPDATE search_state SET indicators_until = 0;
         UPDATE tag SET uses = (SELECT count(*) FROM alert_tag l WHERE l.tag_id = tag.id);
         UPDATE indicator SET alert_count =
           (SELECT count(*) FROM alert_indicator l WHERE l.indicator_id = indicator.id);
         UPDATE alert SET
           finding_count = (SELECT count(*) FROM finding WHERE alert_id = alert.id),
           disagree = (SELECT count(DISTINCT verdict) > 1 FROM finding WHERE alert_id = alert.id);",
    )
}
