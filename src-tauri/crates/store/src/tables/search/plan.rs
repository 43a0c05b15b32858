//! How a page is found: from the few alerts that an index lists, along the word index, or along the
//! index of the order.

use rusqlite::types::Value as Sql;

use super::Sub;
use super::order::Order;
use super::piece::Piece;
use crate::StoreError;
use crate::tables::Reads;
use crate::tables::alert_list::Keyset;

/// Alerts that are few: so many are looked at and sorted in a few milliseconds. With more, walking
/// the order finds a page soon.
const FEW: usize = 4_000;
/// So few that no better driver is looked for.
const VERY_FEW: usize = 100;

/// Alerts of a page, about.
const PAGE: usize = 20;
/// Alerts that are so many that asking the word index about one alert after the other finds a page
/// sooner than collecting them all.
const MANY: usize = 40_000;
/// Both.
pub(super) const SIZES: (usize, usize) = (FEW, MANY);
/// Columns of the alert that the index of metrics has: a count of conditions on them alone need not
/// read the alerts.
const COVERED: &[&str] = &[
    "ingested_at",
    "status",
    "severity",
    "source_name",
    "detection_rule_id",
    "close_classification",
    "occurred_at",
    "closed_at",
];

/// How a page is found.
#[derive(Debug)]
pub(super) struct Plan {
    pieces: Vec<Piece>,
    way: Way,
    /// Whether the word index finds so many that it is asked about one alert at a time.
    words_are_many: bool,
    /// Whether alerts that a suppression hides are left out.
    hides: bool,
}

/// That no suppression hides an alert.
const NOT_HIDDEN: &str = " AND NOT EXISTS (SELECT 1 FROM triage h WHERE h.alert_id = a.id \
                          AND h.suppression_id IS NOT NULL)";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From the driver of this piece.
    From(usize),
    /// Along the word index, for this piece.
    Words(usize),
    /// Along the order's index.
    Walk,
}

/// Chooses by what is there; up to `few` alerts are few, more than `many` are
/// many.
pub(super) fn choose(
    tx: &impl Reads,
    order: &Order,
    pieces: Vec<Piece>,
    (few, many): (usize, usize),
) -> Result<Plan, StoreError> {
    let few = match pieces.as_slice() {
        [_] => few.min(sooner_than_walking(tx)?),
        _ => few,
    };
    let mut best: Option<(usize, usize)> = None;
    for (n, piece) in pieces.iter().enumerate() {
        let Some(driver) = &piece.driver else {
            continue;
        };
        let found = probe(tx, driver, few)?;
        if found <= few && best.is_none_or(|(_, least)| found < least) {
            best = Some((n, found));
        }
        if found <= VERY_FEW.min(few) {
            break;
        }
    }
    let words = pieces.iter().position(|piece| piece.words.is_some());
    let way = match (best, words) {
        (Some((n, _)), _) => Way::From(n),
        (None, Some(n)) if order.is_by_row() => Way::Words(n),
        (None, _) => Way::Walk,
    };
    let words_are_many = match (way, words.and_then(|n| pieces[n].driver.as_ref())) {
        (Way::Walk, Some(driver)) => probe(tx, driver, many)? > many,
        _ => false,
    };
    Ok(Plan {
        pieces,
        way,
        words_are_many,
        hides: false,
    })
}

/// Up to how many alerts it is cheaper to collect them all than to walk to the first page of them,
/// where nothing else must hold: collecting `n` costs `n`, walking costs a page times all by `n`.
fn sooner_than_walking(tx: &impl Reads) -> Result<usize, StoreError> {
    let all: usize = tx
        .conn()
        .prepare_cached("SELECT alerts FROM alert_total")?
        .query_row([], |row| row.get(0))?;
    Ok(all.saturating_mul(PAGE).isqrt())
}

/// How many rows a driver gives, up to `few` and one.
fn probe(tx: &impl Reads, driver: &Sub, few: usize) -> Result<usize, StoreError> {
    let sql = format!("SELECT count(*) FROM ({} LIMIT {})", driver.sql, few + 1);
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let params = rusqlite::params_from_iter(&driver.params);
    Ok(statement.query_row(params, |row| row.get(0))?)
}

/// Every way that these pieces could be found.
pub(super) fn every(order: &Order, pieces: &[Piece]) -> Vec<Plan> {
    let mut ways = vec![Way::Walk];
    for (n, piece) in pieces.iter().enumerate() {
        if piece.driver.is_some() {
            ways.push(Way::From(n));
        }
        if piece.words.is_some() && order.is_by_row() {
            ways.push(Way::Words(n));
        }
    }
    let plan = |way, words_are_many| Plan {
        pieces: pieces.to_vec(),
        way,
        words_are_many,
        hides: false,
    };
    let one_by_one = pieces
        .iter()
        .any(|piece| piece.words.is_some())
        .then(|| plan(Way::Walk, true));
    let plans = ways.into_iter().map(|way| plan(way, false));
    plans.chain(one_by_one).collect()
}

impl Plan {
    /// The same, leaving out what suppressions hide.
    pub(super) fn hiding(self, hides: bool) -> Self {
        Self { hides, ..self }
    }

    /// What is read from, and the condition that goes with it.
    fn source(&self, index: &str) -> Sub {
        match self.way {
            Way::Walk => Sub::new(format!("FROM alert a {index} WHERE 1"), Vec::new()),
            Way::Words(n) => Sub::new(
                "FROM search_words CROSS JOIN alert a NOT INDEXED ON a.id = search_words.rowid \
                 WHERE search_words MATCH ?",
                vec![Sql::Text(self.pieces[n].words.clone().unwrap_or_default())],
            ),
            Way::From(n) => {
                let mut sub = Sub::new("FROM alert a NOT INDEXED WHERE a.id IN (", Vec::new());
                if let Some(driver) = &self.pieces[n].driver {
                    sub.append(driver);
                }
                sub.push(")", []);
                sub
            }
        }
    }

    /// Adds what else must hold.
    fn narrow(&self, sub: &mut Sub, bare: impl Fn(&Piece) -> bool) {
        for (n, piece) in self.pieces.iter().enumerate() {
            let is_done = match self.way {
                Way::Words(done) => n == done,
                Way::From(done) => n == done && piece.is_exact,
                Way::Walk => false,
            };
            if is_done {
                continue;
            }
            if let (true, Some(words)) = (self.words_are_many, &piece.words) {
                sub.push(
                    " AND EXISTS (SELECT 1 FROM search_words WHERE search_words MATCH ? \
                     AND rowid = a.id)",
                    [Sql::Text(words.clone())],
                );
                continue;
            }
            let cond = if bare(piece) {
                piece.cond.sql.replace("+a.", "a.")
            } else {
                piece.cond.sql.clone()
            };
            sub.push(&format!(" AND ({cond})"), piece.cond.params.iter().cloned());
        }
    }

    /// The statements of a page, rows and their places: each goes on where the one before ends.
    pub(super) fn page(
        &self,
        order: &Order,
        after: Option<&Keyset>,
        (limit, offset): (u64, u64),
    ) -> Vec<Sub> {
        let mut from = Sub::new(format!("SELECT {} ", order.selected()), Vec::new());
        from.append(&self.source(order.index()));
        // A bound on the column that is walked is where the walk begins or ends.
        let walked = format!("+{} ", order.first_column());
        let is_walked = |piece: &Piece| {
            self.way == Way::Walk && piece.is_column && piece.cond.sql.starts_with(&walked)
        };
        self.narrow(&mut from, is_walked);
        if self.hides {
            from.push(NOT_HIDDEN, []);
        }
        let bounds = match after.filter(|place| order.fits(place)) {
            Some(place) => order.after(place, self.way == Way::Walk),
            None => vec![Sub::new("1", Vec::new())],
        };
        let in_words = |sql: String| match self.way {
            Way::Words(_) => sql.replace("a.id", "search_words.rowid"),
            Way::From(_) | Way::Walk => sql,
        };
        let by = in_words(order.by());
        let statement = |bound: Sub| {
            let mut sub = from.clone();
            sub.push(" AND ", []);
            sub.push(&in_words(bound.sql), bound.params);
            sub.push(&format!(" ORDER BY {by} LIMIT {limit} OFFSET {offset}"), []);
            sub
        };
        bounds.into_iter().map(statement).collect()
    }

    /// Every alert found must be looked at: then any driver is better than all alerts.
    fn way_to_count(&self) -> Self {
        let is_evidence = |piece: &Piece| piece.driver.is_some() && !piece.is_column;
        let way = match self.way {
            Way::Walk => match self.pieces.iter().position(is_evidence) {
                Some(n) if self.pieces[n].words.is_some() => Way::Words(n),
                Some(n) => Way::From(n),
                None => Way::Walk,
            },
            chosen => chosen,
        };
        Self {
            pieces: self.pieces.clone(),
            way,
            words_are_many: self.words_are_many,
            hides: self.hides,
        }
    }

    /// Whether counting would read the payload of every alert.
    pub(super) fn is_uncountable(&self) -> bool {
        self.way == Way::Walk && self.pieces.iter().any(|piece| piece.is_dear)
    }

    /// The statement that counts how many of what [`Plan::count`] counts are hidden: they are few,
    /// and the ways to count soon would have to look at every alert to leave them out. `None` when
    /// none are left out, or when the count leaves them out itself.
    pub(super) fn count_hidden(&self) -> Option<Sub> {
        if !self.hides || self.counts_one_by_one() {
            return None;
        }
        let mut sub = Sub::new(
            "SELECT count(*) FROM triage h CROSS JOIN alert a ON a.id = h.alert_id \
             WHERE h.suppression_id IS NOT NULL",
            Vec::new(),
        );
        let all = Self {
            pieces: self.pieces.clone(),
            way: Way::Walk,
            words_are_many: true,
            hides: false,
        };
        all.narrow(&mut sub, |_| false);
        Some(sub)
    }

    /// Whether the count looks at few alerts anyway, one after the other.
    fn counts_one_by_one(&self) -> bool {
        matches!(self.way, Way::From(_))
    }

    /// The statement that counts, up to `cap`.
    pub(super) fn count(&self, cap: Option<u64>) -> Sub {
        if self.pieces.is_empty() {
            return Sub::new("SELECT alerts FROM alert_total", Vec::new());
        }
        let leaves_out = self.hides && self.counts_one_by_one();
        if let [only] = self.pieces.as_slice()
            && let (Some(driver), Some(_)) = (&only.driver, &only.words)
            && !leaves_out
        {
            return counted(driver.clone(), cap);
        }
        let is_covered =
            self.way == Way::Walk && self.pieces.len() > 1 && self.pieces.iter().all(is_covered);
        if is_covered {
            let mut sub = Sub::new("SELECT a.id ", Vec::new());
            sub.append(&self.source("INDEXED BY alert_ingested"));
            self.narrow(&mut sub, |_| false);
            return counted(sub, cap);
        }
        let way = self.way_to_count();
        let mut sub = Sub::new("SELECT a.id ", Vec::new());
        // Without an order SQLite chooses among the indexes of columns by itself.
        sub.append(&way.source(""));
        way.narrow(&mut sub, |piece| way.way == Way::Walk && piece.is_column);
        if leaves_out {
            sub.push(NOT_HIDDEN, []);
        }
        counted(sub, cap)
    }
}

/// Whether a condition reads only what the index of metrics has.
fn is_covered(piece: &Piece) -> bool {
    let column = piece.cond.sql.strip_prefix("+a.");
    let column = column.and_then(|rest| rest.split(' ').next());
    piece.is_column && column.is_some_and(|column| COVERED.contains(&column))
}

fn counted(mut rows: Sub, cap: Option<u64>) -> Sub {
    let limit = cap.map_or_else(String::new, |cap| format!(" LIMIT {cap}"));
    rows.sql = format!("SELECT count(*) FROM ({}{limit})", rows.sql);
    rows
}
