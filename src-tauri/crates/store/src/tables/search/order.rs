//! Orders of the queue: their columns, their indexes, and places in them.

use calseta_domain::query::{Expr, SortField, SortKey, Test, TimeField};
use rusqlite::Row;
use rusqlite::types::{Value as Sql, ValueRef};

use super::Sub;
use crate::tables::alert_list::{AlertQuery, AlertSort, Keyset, KeysetValue};

/// An order. The row breaks ties, in the direction of the last key.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// At least one; `Ingested`, which is unique, only as the last.
    keys: Vec<SortKey>,
    /// Whether `Ingested` means the time and not the row. Both are the same order, unless a clock was
    /// set back; but only one of the two indexes knows where a tested time begins.
    by_time: bool,
}

/// Newest ingested first.
pub(super) fn newest() -> Order {
    Order {
        keys: vec![SortKey {
            field: SortField::Ingested,
            is_descending: true,
        }],
        by_time: false,
    }
}

/// Whether every alert found must have come in at a certain time.
fn tests_ingest(expr: &Expr) -> bool {
    match expr {
        Expr::All(members) => members.iter().any(tests_ingest),
        Expr::Test(Test::Time(test)) => test.field() == TimeField::Ingested,
        Expr::Test(_) | Expr::Any(_) | Expr::Not(_) => false,
    }
}

/// The order of a query: what it says itself, else what it is given.
pub(super) fn of(query: &AlertQuery) -> Order {
    let own = query.query.as_ref().and_then(|query| query.sort.as_ref());
    let mut keys = own.map_or_else(Vec::new, |sort| sort.keys.clone());
    if keys.is_empty() {
        keys.push(SortKey {
            field: match query.sort {
                AlertSort::OccurredAt => SortField::Occurred,
                AlertSort::CreatedAt => SortField::Ingested,
                AlertSort::Title => SortField::Title,
                AlertSort::Status => SortField::Status,
                AlertSort::Severity => SortField::Severity,
                AlertSort::SourceName => SortField::Source,
            },
            is_descending: query.descending,
        });
    }
    if let Some(unique) = keys.iter().position(|k| k.field == SortField::Ingested) {
        keys.truncate(unique + 1);
    }
    let by_time = query.query.as_ref().is_some_and(|q| tests_ingest(&q.expr));
    Order { keys, by_time }
}

impl Order {
    /// A key's column.
    const fn column(&self, field: SortField) -> &'static str {
        match field {
            SortField::Ingested if self.by_time => "a.ingested_at",
            // Rows are in the order of ingest.
            SortField::Ingested => "a.id",
            SortField::Occurred => "a.occurred_at",
            SortField::Updated => "a.updated_at",
            SortField::Severity => "a.severity",
            SortField::Status => "a.status",
            SortField::Source => "a.source_name",
            SortField::Title => "a.title",
            SortField::Malice => "a.verdict",
            SortField::Duplicates => "a.duplicate_count",
        }
    }

    /// The column that is walked.
    pub(super) fn first_column(&self) -> &'static str {
        self.column(self.first())
    }

    /// Whether it is the order of the rows alone.
    pub(super) fn is_by_row(&self) -> bool {
        self.first_column() == "a.id"
    }

    /// What decides first.
    fn first(&self) -> SortField {
        self.keys
            .first()
            .map_or(SortField::Ingested, |key| key.field)
    }

    /// The index that is walked.
    pub(super) fn index(&self) -> &'static str {
        match self.first() {
            SortField::Ingested if self.by_time => "INDEXED BY alert_ingested",
            SortField::Ingested => "NOT INDEXED",
            SortField::Occurred => "INDEXED BY alert_occurred",
            SortField::Updated => "INDEXED BY alert_updated",
            SortField::Severity => "INDEXED BY alert_severity",
            SortField::Status => "INDEXED BY alert_status",
            SortField::Source => "INDEXED BY alert_source",
            SortField::Title => "INDEXED BY alert_title",
            SortField::Malice => "INDEXED BY alert_verdict",
            SortField::Duplicates => "INDEXED BY alert_duplicates",
        }
    }

    /// Every compared column with its direction, the tie-breaker too.
    fn columns(&self) -> Vec<(&'static str, bool)> {
        let mut all: Vec<_> = self
            .keys
            .iter()
            .map(|key| (self.column(key.field), key.is_descending))
            .collect();
        if let Some((last, is_descending)) = all.last().copied()
            && last != "a.id"
        {
            all.push(("a.id", is_descending));
        }
        all
    }

    /// What ORDER BY says.
    pub(super) fn by(&self) -> String {
        let way = |is_descending| if is_descending { "DESC" } else { "ASC" };
        let all = self.columns();
        let words: Vec<_> = all
            .iter()
            .map(|(c, d)| format!("{c} {}", way(*d)))
            .collect();
        words.join(", ")
    }

    /// What SELECT reads for [`Order::place`].
    pub(super) fn selected(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(|key| self.column(key.field)).collect();
        format!("a.id, {}", keys.join(", "))
    }

    /// A row's place.
    pub(super) fn place(&self, row: &Row<'_>) -> rusqlite::Result<Keyset> {
        let mut values = Vec::with_capacity(self.keys.len());
        for n in 0..self.keys.len() {
            values.push(match row.get_ref(n + 1)? {
                ValueRef::Text(text) => {
                    KeysetValue::Text(String::from_utf8_lossy(text).into_owned())
                }
                _ => KeysetValue::Number(row.get(n + 1)?),
            });
        }
        Ok(Keyset {
            values,
            id: row.get(0)?,
        })
    }

    /// That a row comes after a place, as one condition, or as two that follow each other: SQLite
    /// seeks in an index of many equal values only when the value and the row are given apart.
    pub(super) fn after(&self, place: &Keyset, is_walked: bool) -> Vec<Sub> {
        let [(column, is_descending), ("a.id", _)] = self.columns()[..] else {
            return vec![self.all_after(place)];
        };
        let [value] = &place.values[..] else {
            return vec![self.all_after(place)];
        };
        if !is_walked {
            return vec![self.all_after(place)];
        }
        let op = if is_descending { '<' } else { '>' };
        vec![
            Sub::new(
                format!("{column} = ? AND a.id {op} ?"),
                vec![sql(value), Sql::Integer(place.id)],
            ),
            Sub::new(format!("{column} {op} ?"), vec![sql(value)]),
        ]
    }

    /// That a row comes after a place.
    fn all_after(&self, place: &Keyset) -> Sub {
        let mut values: Vec<Sql> = place.values.iter().map(sql).collect();
        let columns = self.columns();
        if columns.len() > self.keys.len() {
            values.push(Sql::Integer(place.id));
        }
        let way = columns
            .first()
            .is_some_and(|(_, is_descending)| *is_descending);
        if columns
            .iter()
            .all(|(_, is_descending)| *is_descending == way)
        {
            // An index starts right there, however many rows share the first value.
            let names: Vec<_> = columns.iter().map(|(column, _)| *column).collect();
            let marks = vec!["?"; names.len()].join(", ");
            let op = if way { '<' } else { '>' };
            return Sub::new(format!("({}) {op} ({marks})", names.join(", ")), values);
        }
        let pairs: Vec<_> = columns.iter().zip(values).collect();
        let op = |is_descending: bool| if is_descending { '<' } else { '>' };
        // From the last key outwards; the outermost bound alone is what an index can start at.
        let mut sub = Sub::default();
        for (n, ((column, is_descending), value)) in pairs.into_iter().enumerate().rev() {
            let op = op(*is_descending);
            if sub.sql.is_empty() {
                sub = Sub::new(format!("{column} {op} ?"), vec![value]);
                continue;
            }
            let bound = if n == 0 {
                format!("{column} {op}= ? AND ")
            } else {
                String::new()
            };
            let mut outer = Sub::new(bound.clone(), Vec::new());
            if !bound.is_empty() {
                outer.params.push(value.clone());
            }
            outer.push(
                &format!("({column} {op} ? OR ({column} = ? AND "),
                [value.clone(), value],
            );
            outer.append(&sub);
            outer.push("))", []);
            sub = outer;
        }
        sub
    }

    /// Some place, for tests of plans.
    pub(super) fn example(&self) -> Keyset {
        let value = |key: &SortKey| match key.field {
            SortField::Status | SortField::Source | SortField::Title => {
                KeysetValue::Text("x".to_owned())
            }
            _ => KeysetValue::Number(1),
        };
        Keyset {
            values: self.keys.iter().map(value).collect(),
            id: 1,
        }
    }

    /// Whether a place is one of this order.
    pub(super) fn fits(&self, place: &Keyset) -> bool {
        let example = self.example();
        let same = |(a, b): (&KeysetValue, &KeysetValue)| {
            std::mem::discriminant(a) == std::mem::discriminant(b)
        };
        example.values.len() == place.values.len()
            && example.values.iter().zip(&place.values).all(same)
    }
}

fn sql(value: &KeysetValue) -> Sql {
    match value {
        KeysetValue::Number(number) => Sql::Integer(*number),
        KeysetValue::Text(text) => Sql::Text(text.clone()),
    }
}
