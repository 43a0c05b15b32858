//! Conditions of lists: joined by AND, with numbered parameters. Values are never part of the text.

use std::fmt::Write as _;

use rusqlite::types::Value as Sql;

/// What a list is narrowed to.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    sql: String,
    params: Vec<Sql>,
}

impl Condition {
    /// Everything.
    pub(super) fn new() -> Self {
        Self {
            sql: "1".to_owned(),
            params: Vec::new(),
        }
    }

    /// The text for WHERE.
    pub(super) fn sql(&self) -> &str {
        &self.sql
    }

    /// The parameters, in order.
    pub(super) fn params(&self) -> &[Sql] {
        &self.params
    }

    /// Adds `AND what ?n`; `what` ends with its operator. Only what is asked for is compared: a
    /// condition that may be off keeps SQLite from its indexes.
    pub(super) fn compare(&mut self, what: &str, value: impl Into<Sql>) {
        self.params.push(value.into());
        write!(self.sql, " AND {what} ?{}", self.params.len())
            .expect("writing to a String cannot fail");
    }

    /// [`Condition::compare`] when there is a value.
    pub(super) fn compare_opt(&mut self, what: &str, value: Option<impl Into<Sql>>) {
        if let Some(value) = value {
            self.compare(what, value);
        }
    }

    /// Adds that `column` is one of `values`; nothing when there are none.
    pub(super) fn any_of<T: serde::Serialize>(&mut self, column: &str, values: &[T]) {
        if values.is_empty() {
            return;
        }
        self.params.push(Sql::Text(super::list(values)));
        write!(
            self.sql,
            " AND {column} IN (SELECT value FROM json_each(?{}))",
            self.params.len()
        )
        .expect("writing to a String cannot fail");
    }

    /// Adds that a text contains another, in any case of ASCII letters.
    pub(super) fn contains(&mut self, column: &str, text: Option<&str>) {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return;
        };
        self.params.push(Sql::Text(text.to_lowercase()));
        write!(
            self.sql,
            " AND instr(lower({column}), ?{}) > 0",
            self.params.len()
        )
        .expect("writing to a String cannot fail");
    }
}

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

impl Direction {
    /// The SQL word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ascending => "ASC",
            Self::Descending => "DESC",
        }
    }
}

/// A part of a list, by number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// Rows at the most.
    pub limit: u64,
    /// Rows before the first.
    pub offset: u64,
}
