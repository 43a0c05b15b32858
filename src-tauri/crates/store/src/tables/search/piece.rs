//! The tests of a query as SQL.
//!
//! A column of the alert is written `+a.column`: the sign keeps SQLite from choosing an index for
//! it by itself, because the plan was chosen already. [`super::plan`] takes the sign away where the
//! order's own index can be bounded.

use calseta_domain::Timestamp;
use calseta_domain::query::{
    Comparison, DeliveryWord, Expr, FreeText, IndicatorField, IndicatorMatch, Pattern, Query, Test,
    TextMatch, TimeField,
};
use rusqlite::types::Value as Sql;

use super::{Sub, texts};
use crate::StoreError;
use crate::functions::fold;
use crate::tables::Reads;

mod evidence;
mod marks;
mod raw;

/// A condition on an alert `a`.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// The condition.
    pub(super) cond: Sub,
    /// A SELECT of alerts' rows that holds all that pass, from an index.
    pub(super) driver: Option<Sub>,
    /// Whether the driver gives no other alerts, so that the condition need not be asked.
    pub(super) is_exact: bool,
    /// What the word index is asked for, when that is all there is to it.
    pub(super) words: Option<String>,
    /// Whether the condition bounds one of the alert's columns.
    pub(super) is_column: bool,
    /// Whether the condition reads payloads.
    pub(super) is_dear: bool,
}

impl Piece {
    pub(super) fn new(cond: Sub) -> Self {
        Self {
            cond,
            driver: None,
            is_exact: false,
            words: None,
            is_column: false,
            is_dear: false,
        }
    }

    fn driven(cond: Sub, driver: Sub) -> Self {
        Self {
            driver: Some(driver),
            is_exact: true,
            ..Self::new(cond)
        }
    }

    /// No alert passes.
    fn never() -> Self {
        Self::driven(
            Sub::new("0", Vec::new()),
            Sub::new("SELECT 1 AS id WHERE 0", Vec::new()),
        )
    }

    /// A condition on a column, which an index has: `tests` follow its name.
    pub(super) fn column(column: &str, tests: &Sub) -> Self {
        let of = |name: &str| {
            let mut sub = Sub::new(tests.sql.replace("{}", name), Vec::new());
            sub.params.clone_from(&tests.params);
            sub
        };
        let mut driver = Sub::new("SELECT id FROM alert WHERE ", Vec::new());
        driver.append(&of(column));
        Self {
            is_column: true,
            ..Self::driven(of(&format!("+a.{column}")), driver)
        }
    }

    /// A column is one of some values.
    pub(super) fn one_of(column: &str, values: Vec<Sql>) -> Self {
        match values.len() {
            0 => Self::never(),
            1 => Self::column(column, &Sub::new("{} = ?", values)),
            _ => Self::column(
                column,
                &Sub::new(format!("{{}} IN {}", marks(&values)), values),
            ),
        }
    }
}

/// `(?, ?, …)`.
fn marks(values: &[Sql]) -> String {
    format!("({})", vec!["?"; values.len()].join(", "))
}

fn text(value: &str) -> Sql {
    Sql::Text(value.to_owned())
}

/// The members of a query, all of which must hold.
pub(super) fn members(tx: &impl Reads, query: &Query) -> Result<Vec<Piece>, StoreError> {
    let all = match &query.expr {
        Expr::All(members) => members.as_slice(),
        other => std::slice::from_ref(other),
    };
    let mut pieces = Vec::with_capacity(all.len());
    for member in all {
        pieces.push(expr(tx, member, query.now)?);
    }
    Ok(merge_words(pieces))
}

/// One question for the word index instead of several: it intersects faster than anybody else.
fn merge_words(pieces: Vec<Piece>) -> Vec<Piece> {
    let (words, mut rest): (Vec<_>, Vec<_>) =
        pieces.into_iter().partition(|piece| piece.words.is_some());
    let all: Vec<String> = words.into_iter().filter_map(|piece| piece.words).collect();
    if !all.is_empty() {
        rest.insert(0, of_words(all.join(" AND ")));
    }
    rest
}

/// Alerts that the word index finds.
fn of_words(asked: String) -> Piece {
    let driver = Sub::new(
        "SELECT rowid FROM search_words WHERE search_words MATCH ?",
        vec![text(&asked)],
    );
    let mut cond = Sub::new("a.id IN (", Vec::new());
    cond.append(&driver);
    cond.push(")", []);
    Piece {
        words: Some(asked),
        ..Piece::driven(cond, driver)
    }
}

fn expr(tx: &impl Reads, one: &Expr, now: Timestamp) -> Result<Piece, StoreError> {
    let compile = |members: &[Expr]| {
        members
            .iter()
            .map(|member| expr(tx, member, now))
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(match one {
        Expr::Test(test) => self::test(tx, test, now)?,
        Expr::Not(inner) => {
            let inner = expr(tx, inner, now)?;
            let mut cond = Sub::new("NOT ifnull((", Vec::new());
            cond.append(&inner.cond);
            cond.push("), 0)", []);
            Piece {
                is_dear: inner.is_dear,
                ..Piece::new(cond)
            }
        }
        Expr::All(members) if members.is_empty() => Piece::new(Sub::new("1", Vec::new())),
        Expr::All(members) => {
            let pieces = compile(members)?;
            let driver = pieces.iter().find_map(|piece| piece.driver.clone());
            Piece {
                driver,
                is_dear: pieces.iter().any(|piece| piece.is_dear),
                ..Piece::new(joined(&pieces, " AND "))
            }
        }
        Expr::Any(members) => either(compile(members)?),
    })
}

/// One of some pieces holds.
fn either(mut pieces: Vec<Piece>) -> Piece {
    if let [_] = pieces.as_slice() {
        return pieces.remove(0);
    }
    let drivers: Option<Vec<Sub>> = pieces.iter().map(|p| p.driver.clone()).collect();
    Piece {
        driver: drivers.map(|drivers| Sub::join(&drivers, " UNION ALL ")),
        is_dear: pieces.iter().any(|piece| piece.is_dear),
        ..Piece::new(joined(&pieces, " OR "))
    }
}

fn joined(pieces: &[Piece], word: &str) -> Sub {
    let mut parts = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let mut part = Sub::new("(", Vec::new());
        part.append(&piece.cond);
        part.push(")", []);
        parts.push(part);
    }
    let mut joined = Sub::join(&parts, word);
    joined.sql = format!("({})", joined.sql);
    joined
}

fn test(tx: &impl Reads, test: &Test, now: Timestamp) -> Result<Piece, StoreError> {
    Ok(match test {
        Test::Status(any) => {
            Piece::one_of("status", any.iter().map(|s| text(s.as_str())).collect())
        }
        Test::Severity(wanted) => {
            let ranks = wanted.severities();
            let ranks = ranks.iter().map(|s| Sql::Integer(i64::from(s.rank())));
            Piece::one_of("severity", ranks.collect())
        }
        Test::Malice(wanted) => {
            let ranks = wanted.verdicts();
            let ranks = ranks.iter().map(|m| Sql::Integer(i64::from(*m as u8)));
            Piece::one_of("verdict", ranks.collect())
        }
        Test::Source(any) => source(any),
        Test::Rule(any) => rule(any),
        Test::Mitre(any) => mitre(any),
        Test::Tag(any) => tag(any),
        Test::Title(any) => title(any),
        Test::Indicator { field, any } => evidence::indicator(*field, any),
        Test::Findings(wanted) => findings(wanted),
        Test::Agent(any) => evidence::agent(any),
        Test::Says(any) => evidence::says(any),
        Test::ConfidenceLevel(wanted) => evidence::confidence_level(&wanted.levels()),
        Test::Confidence(wanted) => evidence::confidence(wanted),
        Test::Disagree(true) => Piece::driven(
            Sub::new("+a.disagree = 1", Vec::new()),
            Sub::new("SELECT id FROM alert WHERE disagree = 1", Vec::new()),
        ),
        Test::Disagree(false) => Piece::new(Sub::new("+a.disagree = 0", Vec::new())),
        Test::Classification(any) => Piece::one_of(
            "close_classification",
            any.iter().map(|c| text(c.as_str())).collect(),
        ),
        Test::Enrichment(any) => {
            let words: Vec<&str> = any.iter().map(|status| status.as_str()).collect();
            enrichment(&words)
        }
        Test::Delivery(any) => delivery(any),
        Test::Duplicates(wanted) => counted("duplicate_count", wanted),
        Test::Time(wanted) => time(wanted.field(), wanted.range(now)),
        Test::Raw { path, test } => raw::at(path, test),
        Test::Document(any) => evidence::document(tx, any)?,
        Test::Id(any) => Piece::one_of(
            "uuid",
            any.iter()
                .map(|id| Sql::Blob(id.uuid().as_bytes().to_vec()))
                .collect(),
        ),
        Test::Text(words) => free_text(words),
        Test::Is(any) => either(any.iter().map(|word| marks::flag(*word, now)).collect()),
        Test::Has(any) => either(any.iter().map(|word| marks::has(*word)).collect()),
        Test::Approval(_) => Piece::never(),
    })
}

/// The shortest bare text that is looked for inside hashes, in characters.
const HASH_PART_CHARS: usize = 4;

fn free_text(words: &FreeText) -> Piece {
    let by_word = texts::words(words).map_or_else(Piece::never, of_words);
    match hash_part(&words.text) {
        Some(part) => either(vec![
            by_word,
            evidence::indicator(IndicatorField::Hash, &[IndicatorMatch::Wildcard(part)]),
        ]),
        None => by_word,
    }
}

/// People paste the part of a hash that a screen had room for. A text of hex digits that is neither a
/// number nor a word like `added` is one.
fn hash_part(text: &str) -> Option<Pattern> {
    let is_part = text.len() >= HASH_PART_CHARS
        && text.bytes().all(|b| b.is_ascii_hexdigit())
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_alphabetic());
    let around = || vec![String::new(), fold(text), String::new()];
    is_part.then(around).and_then(Pattern::new)
}

/// The few distinct values of an indexed column that match: SQLite looks up one after the other.
fn distinct(table: &str, column: &str, any: &[TextMatch]) -> Sub {
    let mut sub = Sub::new(
        format!(
            "(WITH RECURSIVE n(v) AS (SELECT min({column}) FROM {table} UNION ALL
               SELECT (SELECT min({column}) FROM {table} WHERE {column} > n.v) FROM n
               WHERE n.v IS NOT NULL)
             SELECT v FROM n WHERE v IS NOT NULL AND "
        ),
        Vec::new(),
    );
    sub.append(&texts::any("v", any));
    sub.push(")", []);
    sub
}

fn source(any: &[TextMatch]) -> Piece {
    let mut tests = Sub::new("{} IN ", Vec::new());
    tests.append(&distinct("alert", "source_name", any));
    Piece::column("source_name", &tests)
}

fn rule(any: &[TextMatch]) -> Piece {
    let mut tests = Sub::new(
        "{} IN (SELECT r.id FROM detection_rule r WHERE ",
        Vec::new(),
    );
    tests.append(&texts::any("r.name", any));
    tests.push(" OR ", []);
    tests.append(&texts::any("ifnull(r.source_rule_id, '')", any));
    tests.push(")", []);
    Piece::column("detection_rule_id", &tests)
}

fn mitre(any: &[TextMatch]) -> Piece {
    let mut ids = texts::any("m.value", any);
    for wanted in any {
        // A technique is matched by its sub-techniques.
        if let TextMatch::Equal(id) = wanted
            && id.starts_with('T')
            && !id.contains('.')
        {
            let like = texts::like("fold(m.value)", &[format!("{}.", fold(id)), String::new()]);
            ids.push(" OR ", []);
            ids.append(&like);
        }
    }
    let mut tests = Sub::new(
        "{} IN (SELECT r.id FROM detection_rule r WHERE EXISTS (SELECT 1 FROM (
           SELECT value FROM json_each(r.mitre_tactics) UNION ALL
           SELECT value FROM json_each(r.mitre_techniques) UNION ALL
           SELECT value FROM json_each(r.mitre_subtechniques)) m WHERE ",
        Vec::new(),
    );
    tests.append(&ids);
    tests.push("))", []);
    Piece::column("detection_rule_id", &tests)
}

fn tag(any: &[TextMatch]) -> Piece {
    let matching = texts::any_folded("t.folded", any);
    let mut cond = Sub::new(
        "EXISTS (SELECT 1 FROM alert_tag l CROSS JOIN tag t ON t.id = l.tag_id
           WHERE l.alert_id = a.id AND ",
        Vec::new(),
    );
    cond.append(&matching);
    cond.push(")", []);
    let mut driver = Sub::new(
        "SELECT l.alert_id FROM tag t CROSS JOIN alert_tag l ON l.tag_id = t.id WHERE ",
        Vec::new(),
    );
    driver.append(&matching);
    Piece::driven(cond, driver)
}

fn title(any: &[TextMatch]) -> Piece {
    let mut piece = Piece::new(texts::any("a.title", any));
    piece.driver = texts::fragments(any).map(|asked| {
        Sub::new(
            "SELECT rowid FROM search_titles WHERE search_titles MATCH ?",
            vec![Sql::Text(asked)],
        )
    });
    piece
}

fn findings(wanted: &Comparison<u64>) -> Piece {
    let mut piece = counted("finding_count", wanted);
    // Only alerts with findings are in an index.
    piece.is_column = false;
    piece.is_exact = false;
    piece.driver = (!wanted.holds(&0))
        .then(|| Sub::new("SELECT id FROM alert WHERE finding_count > 0", Vec::new()));
    piece
}

/// A comparison with a count.
fn counted(column: &str, wanted: &Comparison<u64>) -> Piece {
    let number = |n: &u64| Sql::Integer(i64::try_from(*n).unwrap_or(i64::MAX));
    match wanted {
        Comparison::OneOf(any) => Piece::one_of(column, any.iter().map(number).collect()),
        Comparison::AtLeast(n) => Piece::column(column, &Sub::new("{} >= ?", vec![number(n)])),
        Comparison::AtMost(n) => Piece::column(column, &Sub::new("{} <= ?", vec![number(n)])),
        Comparison::Above(n) => Piece::column(column, &Sub::new("{} > ?", vec![number(n)])),
        Comparison::Below(n) => Piece::column(column, &Sub::new("{} < ?", vec![number(n)])),
    }
}

/// What became of the enrichment; only what is not wholly well is in an index.
pub(super) fn enrichment(words: &[&str]) -> Piece {
    let values: Vec<Sql> = words.iter().map(|word| text(word)).collect();
    let tests = format!("IN {}", marks(&values));
    let mut piece = Piece::new(Sub::new(
        format!("+a.enrichment_status {tests}"),
        values.clone(),
    ));
    if !words.contains(&"Enriched") {
        piece.is_exact = true;
        piece.driver = Some(Sub::new(
            format!(
                "SELECT id FROM alert WHERE enrichment_status != 'Enriched' \
                 AND enrichment_status {tests}"
            ),
            values,
        ));
    }
    piece
}

fn delivery(any: &[DeliveryWord]) -> Piece {
    let mut states = Vec::new();
    for word in any {
        states.extend(match word {
            DeliveryWord::Failed => vec!["dead"],
            DeliveryWord::Running => vec!["due", "in_flight", "parked"],
            DeliveryWord::Delivered => vec!["delivered"],
            DeliveryWord::None => vec![],
        });
    }
    let states: Vec<Sql> = states.into_iter().map(text).collect();
    let with = (!states.is_empty()).then(|| {
        let tests = format!("state IN {}", marks(&states));
        Piece::driven(
            Sub::new(
                format!("EXISTS (SELECT 1 FROM delivery d WHERE d.alert_id = a.id AND d.{tests})"),
                states.clone(),
            ),
            Sub::new(
                format!("SELECT alert_id FROM delivery WHERE {tests} AND alert_id IS NOT NULL"),
                states,
            ),
        )
    });
    let without = any.contains(&DeliveryWord::None).then(|| {
        let none = "NOT EXISTS (SELECT 1 FROM delivery d WHERE d.alert_id = a.id)";
        Piece::new(Sub::new(none, Vec::new()))
    });
    match (with, without) {
        (Some(one), None) | (None, Some(one)) => one,
        (Some(with), Some(without)) => Piece::new(joined(&[with, without], " OR ")),
        (None, None) => Piece::never(),
    }
}

/// A time in a range.
fn time(field: TimeField, range: calseta_domain::query::TimeRange) -> Piece {
    let column = match field {
        TimeField::Occurred => "occurred_at",
        TimeField::Ingested => "ingested_at",
        TimeField::Updated => "updated_at",
        TimeField::Closed => "closed_at",
    };
    let mut parts = Vec::new();
    for (bound, op) in [(range.from, ">="), (range.until, "<")] {
        if let Some(at) = bound {
            parts.push(Sub::new(
                format!("{{}} {op} ?"),
                vec![Sql::Integer(at.millis())],
            ));
        }
    }
    if parts.is_empty() {
        return Piece::new(Sub::new(format!("a.{column} IS NOT NULL"), Vec::new()));
    }
    Piece::column(column, &Sub::join(&parts, " AND "))
}
