//! Tests of what belongs to an alert: indicators, findings, documents.

use calseta_domain::query::{
    Comparison, ConfidenceLevel, FindingVerdict, IndicatorField, IndicatorMatch, TextMatch,
};
use rusqlite::types::Value as Sql;

use super::super::{Sub, texts};
use super::{Piece, distinct, marks, text};
use crate::StoreError;
use crate::functions::ip_key;
use crate::tables::Reads;

/// Alerts with findings: what any test of a finding passes is among them.
const WITH_FINDINGS: &str = "SELECT id FROM alert WHERE finding_count > 0";

/// Characters of a pattern's beginning that are worth a look into the index of values.
const PREFIX_CHARS: usize = 2;

/// That an indicator `i` is one of these, with a driver over `i` and its links `l`.
pub(super) fn indicator(field: IndicatorField, any: &[IndicatorMatch]) -> Piece {
    let kinds: Vec<Sql> = field.kinds().iter().map(|k| text(k.as_str())).collect();
    let mut parts = Vec::new();
    let mut drivers = Vec::new();
    for wanted in any {
        let (cond, driver) = one(wanted, &kinds);
        parts.push(cond);
        drivers.push(driver);
    }
    let mut cond = Sub::new(
        format!(
            "EXISTS (SELECT 1 FROM alert_indicator l CROSS JOIN indicator i ON i.id = l.indicator_id
               WHERE l.alert_id = a.id AND i.type IN {} AND (",
            marks(&kinds)
        ),
        kinds,
    );
    cond.append(&Sub::join(&parts, " OR "));
    cond.push("))", []);
    let drivers: Option<Vec<Sub>> = drivers.into_iter().collect();
    Piece {
        is_exact: drivers.is_some(),
        driver: drivers.map(|drivers| Sub::join(&drivers, " UNION ALL ")),
        ..Piece::new(cond)
    }
}

fn one(wanted: &IndicatorMatch, kinds: &[Sql]) -> (Sub, Option<Sub>) {
    match wanted {
        IndicatorMatch::Exact(value) => {
            let cond = Sub::new("i.value = ?", vec![text(value)]);
            let driver = linked("indicator i", &typed(&cond, kinds));
            (cond, Some(driver))
        }
        IndicatorMatch::Network(network) => {
            let colon = if network.first().is_ipv4() {
                "= 0"
            } else {
                "> 0"
            };
            let key = |address| Sql::Blob(ip_key(address).to_vec());
            let cond = Sub::new(
                format!("(i.ip_key BETWEEN ? AND ? AND instr(i.value, ':') {colon})"),
                vec![key(network.first()), key(network.last())],
            );
            let driver = linked("indicator i", &typed(&cond, kinds));
            (cond, Some(driver))
        }
        IndicatorMatch::Wildcard(pattern) => {
            let cond = texts::like("i.value", pattern.pieces());
            let driver = wildcard(&texts::folded(pattern), &typed(&cond, kinds));
            (cond, driver)
        }
    }
}

fn typed(cond: &Sub, kinds: &[Sql]) -> Sub {
    let mut sub = cond.clone();
    sub.push(&format!(" AND +i.type IN {}", marks(kinds)), kinds.to_vec());
    sub
}

/// The alerts of the indicators that pass, one after the other.
fn linked(from: &str, cond: &Sub) -> Sub {
    let mut sub = Sub::new(
        format!(
            "SELECT l.alert_id FROM {from} CROSS JOIN alert_indicator l ON l.indicator_id = i.id \
             WHERE "
        ),
        Vec::new(),
    );
    sub.append(cond);
    sub
}

fn wildcard(pieces: &[String], cond: &Sub) -> Option<Sub> {
    if let Some(asked) = texts::pieces_query(pieces) {
        let mut sub = Sub::new("search_values MATCH ? AND ", vec![Sql::Text(asked)]);
        sub.append(cond);
        return Some(linked(
            "search_values CROSS JOIN indicator i ON i.id = search_values.rowid",
            &sub,
        ));
    }
    let prefix = pieces
        .first()
        .filter(|p| p.chars().count() >= PREFIX_CHARS)?;
    // Digits and dots have no case: the index of values has them together.
    let has_no_case = !prefix.chars().any(char::is_alphabetic);
    has_no_case.then(|| {
        let mut sub = Sub::new(
            "i.value >= ? AND i.value < ? AND ",
            vec![text(prefix), Sql::Text(format!("{prefix}\u{10FFFF}"))],
        );
        sub.append(cond);
        linked("indicator i", &sub)
    })
}

/// A test of a finding that no index has alone.
fn some_finding(cond: &Sub) -> Piece {
    Piece {
        is_exact: false,
        ..finding(cond, Sub::new(WITH_FINDINGS, Vec::new()))
    }
}

fn finding(cond: &Sub, driver: Sub) -> Piece {
    let mut exists = Sub::new(
        "EXISTS (SELECT 1 FROM finding f WHERE f.alert_id = a.id AND ",
        Vec::new(),
    );
    exists.append(cond);
    exists.push(")", []);
    Piece::driven(exists, driver)
}

/// A finding says one of these.
pub(super) fn says(any: &[FindingVerdict]) -> Piece {
    let values: Vec<Sql> = any.iter().map(|v| text(v.as_str())).collect();
    let tests = format!("verdict IN {}", marks(&values));
    finding(
        &Sub::new(format!("f.{tests}"), values.clone()),
        Sub::new(
            format!("SELECT alert_id FROM finding WHERE {tests}"),
            values,
        ),
    )
}

/// Who posted a finding.
pub(super) fn agent(any: &[TextMatch]) -> Piece {
    let mut driver = Sub::new(
        "SELECT alert_id FROM finding WHERE author_name IN ",
        Vec::new(),
    );
    driver.append(&distinct("finding", "author_name", any));
    finding(&texts::any("f.author_name", any), driver)
}

/// A finding's confidence in a word.
pub(super) fn confidence_level(levels: &[ConfidenceLevel]) -> Piece {
    if levels.is_empty() {
        return Piece::never();
    }
    let values: Vec<Sql> = levels.iter().map(|level| text(level.as_str())).collect();
    let cond = Sub::new(format!("f.confidence_level IN {}", marks(&values)), values);
    some_finding(&cond)
}

/// A finding's confidence as a number.
pub(super) fn confidence(wanted: &Comparison<f64>) -> Piece {
    let cond = match wanted {
        Comparison::OneOf(any) => {
            let values: Vec<Sql> = any.iter().map(|n| Sql::Real(*n)).collect();
            Sub::new(format!("f.confidence IN {}", marks(&values)), values)
        }
        Comparison::AtLeast(n) => Sub::new("f.confidence >= ?", vec![Sql::Real(*n)]),
        Comparison::AtMost(n) => Sub::new("f.confidence <= ?", vec![Sql::Real(*n)]),
        Comparison::Above(n) => Sub::new("f.confidence > ?", vec![Sql::Real(*n)]),
        Comparison::Below(n) => Sub::new("f.confidence < ?", vec![Sql::Real(*n)]),
    };
    some_finding(&cond)
}

/// A document of such a title applies: the few that have it are found first, their rules are asked
/// for every alert.
pub(super) fn document(tx: &impl Reads, any: &[TextMatch]) -> Result<Piece, StoreError> {
    let mut titled = Sub::new(
        "SELECT is_global, targeting_rules FROM context_document
         WHERE (is_global = 1 OR targeting_rules IS NOT NULL) AND ",
        Vec::new(),
    );
    titled.append(&texts::any("title", any));
    let mut statement = tx.conn().prepare_cached(&titled.sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(&titled.params), |row| {
        Ok((row.get::<_, bool>(0)?, row.get::<_, Option<String>>(1)?))
    })?;
    let mut parts = Vec::new();
    for row in rows {
        match row? {
            (true, _) => return Ok(Piece::new(Sub::new("1", Vec::new()))),
            (false, Some(rules)) => parts.push(Sub::new(
                "(SELECT targets(?, a.source_name, a.severity, a.tags))",
                vec![Sql::Text(rules)],
            )),
            (false, None) => {}
        }
    }
    if parts.is_empty() {
        return Ok(Piece::never());
    }
    let mut cond = Sub::join(&parts, " OR ");
    cond.sql = format!("({})", cond.sql);
    Ok(Piece::new(cond))
}
