//! How the alerts that a query finds divide. Counted over the newest [`COUNT_CAP`] of them, so that
//! a sidebar never costs more than that.
//!
//! A field that the query itself names is counted without its own terms: `status:open` must not
//! make `Closed` look empty, or nobody could see what choosing it would bring.

use std::collections::BTreeMap;

use calseta_domain::query::{Expr, FindingVerdict, Test};
use calseta_domain::{AlertStatus, Malice, Severity};

use crate::StoreError;
use crate::tables::alert_list::{AlertQuery, COUNT_CAP};
use crate::tables::{Reads, list};

/// Values of an open set that are shown: the most frequent.
const OPEN_VALUES: usize = 20;

/// How alerts divide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facets {
    /// Alerts found, up to [`COUNT_CAP`] and one.
    pub total: u64,
    /// By field, in the order in which they are shown.
    pub facets: Vec<Facet>,
}

/// One field's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// The field's name in a query.
    pub field: &'static str,
    /// Value and count. All values of closed sets, zeros too; of open ones the most frequent.
    pub values: Vec<(String, u64)>,
}

/// Alerts that are alike in what the facets show.
struct Part {
    status: String,
    severity: usize,
    source: String,
    rule: Option<String>,
    verdict: usize,
    alerts: u64,
}

/// Divides the alerts that a query finds. Its paging and order do not matter.
pub fn facets(tx: &impl Reads, query: &AlertQuery) -> Result<Facets, StoreError> {
    let found = divide(tx, query)?;
    let mut facets = found.facets;
    for facet in &mut facets {
        if let Some(without) = without_own_terms(query, facet.field) {
            let wider = divide(tx, &without)?.facets;
            if let Some(same) = wider.into_iter().find(|one| one.field == facet.field) {
                *facet = same;
            }
        }
    }
    Ok(Facets {
        total: found.total,
        facets,
    })
}

/// The query without the terms that choose values of this facet; `None` when it has none. A term
/// under `-` or beside others in parentheses is no choice of the sidebar's and stays.
fn without_own_terms(query: &AlertQuery, field: &str) -> Option<AlertQuery> {
    let terms = match &query.query.as_ref()?.expr {
        Expr::All(terms) => terms.as_slice(),
        one => std::slice::from_ref(one),
    };
    let is_own = |term: &Expr| match term {
        Expr::Test(test) => matches!(
            (field, test),
            ("status", Test::Status(_))
                | ("sev", Test::Severity(_))
                | ("source", Test::Source(_))
                | ("rule", Test::Rule(_))
                | ("verdict", Test::Malice(_))
                | ("says", Test::Says(_))
                | ("tag", Test::Tag(_))
        ),
        _ => false,
    };
    if !terms.iter().any(is_own) {
        return None;
    }
    let mut wider = query.clone();
    if let Some(query) = &mut wider.query {
        let kept = terms.iter().filter(|term| !is_own(term));
        query.expr = Expr::All(kept.cloned().collect());
    }
    Some(wider)
}

/// How what a query finds divides, every field under the whole query.
fn divide(tx: &impl Reads, query: &AlertQuery) -> Result<Facets, StoreError> {
    let most = u32::try_from(COUNT_CAP + 1).unwrap_or(u32::MAX);
    let ids = super::rows(tx, query, None, most)?;
    let total = ids.len() as u64;
    let counted = usize::try_from(COUNT_CAP).unwrap_or(usize::MAX);
    let ids = list(&ids[..ids.len().min(counted)]);
    let parts = parts(tx, &ids)?;
    let says = grouped(
        tx,
        "SELECT f.verdict, count(DISTINCT f.alert_id) FROM json_each(?1) m
         CROSS JOIN finding f ON f.alert_id = m.value WHERE f.verdict IS NOT NULL GROUP BY 1",
        &ids,
    )?;
    let tags = grouped(
        tx,
        "SELECT t.name, count(*) FROM json_each(?1) m
         CROSS JOIN alert_tag l ON l.alert_id = m.value JOIN tag t ON t.id = l.tag_id GROUP BY 1",
        &ids,
    )?;
    let facets = in_order(&parts, &says, tags);
    Ok(Facets { total, facets })
}

fn in_order(
    parts: &[Part],
    says: &BTreeMap<String, u64>,
    tags: BTreeMap<String, u64>,
) -> Vec<Facet> {
    let count = |key: &dyn Fn(&Part) -> Option<String>| {
        let mut counts = BTreeMap::new();
        for part in parts {
            if let Some(name) = key(part) {
                *counts.entry(name).or_insert(0) += part.alerts;
            }
        }
        counts
    };
    let rank = |words: &[&str], rank: usize| words.get(rank).map(|word| (*word).to_owned());
    let severities = count(&|p| rank(Severity::WORDS, p.severity));
    let verdicts = count(&|p| rank(Malice::WORDS, p.verdict));
    let statuses = count(&|p| Some(p.status.clone()));
    let facet = |field, values| Facet { field, values };
    vec![
        facet("status", closed(AlertStatus::WORDS, &statuses)),
        facet("sev", closed(Severity::WORDS, &severities)),
        facet("source", open(count(&|p| Some(p.source.clone())))),
        facet("rule", open(count(&|p| p.rule.clone()))),
        facet("verdict", closed(Malice::WORDS, &verdicts)),
        facet("says", closed(FindingVerdict::WORDS, says)),
        facet("tag", open(tags)),
    ]
}

fn parts(tx: &impl Reads, ids: &str) -> Result<Vec<Part>, StoreError> {
    let mut statement = tx.conn().prepare_cached(
        "SELECT g.status, g.severity, g.source_name, r.name, g.verdict, g.alerts
         FROM (SELECT a.status, a.severity, a.source_name, a.detection_rule_id, a.verdict,
             count(*) AS alerts
           FROM json_each(?1) m CROSS JOIN alert a ON a.id = m.value GROUP BY 1, 2, 3, 4, 5) g
         LEFT JOIN detection_rule r ON r.id = g.detection_rule_id",
    )?;
    let rows = statement.query_map([ids], |row| {
        Ok(Part {
            status: row.get(0)?,
            severity: row.get(1)?,
            source: row.get(2)?,
            rule: row.get(3)?,
            verdict: row.get(4)?,
            alerts: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn grouped(tx: &impl Reads, sql: &str, ids: &str) -> Result<BTreeMap<String, u64>, StoreError> {
    let mut statement = tx.conn().prepare_cached(sql)?;
    let rows = statement.query_map([ids], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Every word with its count: a zero can still be chosen.
fn closed(words: &[&str], counts: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let of = |word: &&str| {
        let count = counts.get(*word).copied().unwrap_or(0);
        ((*word).to_owned(), count)
    };
    words.iter().map(of).collect()
}

/// The most frequent, by name among equals.
fn open(counts: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut all: Vec<_> = counts.into_iter().collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all.truncate(OPEN_VALUES);
    all
}
