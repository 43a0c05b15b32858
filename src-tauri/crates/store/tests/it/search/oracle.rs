//! What a query means, said plainly: every alert is read with simple SQL and judged in memory.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use calseta_domain::query::{
    DeliveryWord, Expr, FlagWord, FreeText, HasWord, IndicatorMatch, Query, RawTest, SortField,
    SortKey, Test, TextMatch, TimeField,
};
use calseta_domain::{AlertStatus, Filter, Malice, Severity, Subject, Timestamp, path};
use calseta_store::StoreError;
use calseta_store::tables::Reads;
use serde_json::Value;

/// A finding.
#[derive(Debug, Clone)]
struct Said {
    author: String,
    summary: String,
    confidence: Option<f64>,
    level: Option<String>,
    verdict: Option<String>,
}

/// An alert with everything that belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) id: i64,
    uuid: Vec<u8>,
    title: String,
    description: Option<String>,
    severity: Severity,
    status: String,
    enrichment: String,
    source: String,
    times: [Option<i64>; 4],
    duplicates: u64,
    classification: Option<String>,
    verdict: Malice,
    tags: Vec<String>,
    raw: Value,
    rule: Option<(String, String, Vec<String>)>,
    indicators: Vec<(String, String)>,
    findings: Vec<Said>,
    /// State and trigger.
    deliveries: Vec<(String, String)>,
    documents: Vec<String>,
    notes: usize,
    is_unread: bool,
    is_flagged: bool,
    snoozed_until: Option<i64>,
    pub(crate) is_suppressed: bool,
}

fn rows<T>(
    tx: &impl Reads,
    sql: &str,
    id: i64,
    map: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = tx.conn().prepare(sql)?;
    let rows = statement.query_map([id], map)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn list(text: &str) -> Vec<String> {
    serde_json::from_str(text).expect("a list")
}

/// Reads every alert.
pub(crate) fn read(tx: &impl Reads) -> Result<Vec<Known>, StoreError> {
    let ids = rows(tx, "SELECT id FROM alert WHERE id > ?1", 0, |row| {
        row.get(0)
    })?;
    let documents = rows(
        tx,
        "SELECT title, is_global, targeting_rules FROM context_document WHERE id > ?1",
        0,
        |row| {
            let rules: Option<String> = row.get(2)?;
            Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?, rules))
        },
    )?;
    ids.into_iter().map(|id| one(tx, id, &documents)).collect()
}

type Document = (String, bool, Option<String>);

fn one(tx: &impl Reads, id: i64, documents: &[Document]) -> Result<Known, StoreError> {
    let rule = rows(
        tx,
        "SELECT r.name, r.source_rule_id, r.mitre_tactics, r.mitre_techniques,
           r.mitre_subtechniques
         FROM alert a JOIN detection_rule r ON r.id = a.detection_rule_id WHERE a.id = ?1",
        id,
        |row| {
            let mut mitre = Vec::new();
            for n in 2..5 {
                mitre.extend(list(&row.get::<_, String>(n)?));
            }
            Ok((row.get(0)?, row.get(1)?, mitre))
        },
    )?;
    let sql = "SELECT uuid, title, description, severity, status, enrichment_status, source_name,
        occurred_at, ingested_at, updated_at, closed_at, duplicate_count, close_classification,
        coalesce(malice_override, malice), tags, raw_payload FROM alert WHERE id = ?1";
    let mut known = rows(tx, sql, id, |row| {
        Ok(Known {
            id,
            uuid: row.get(0)?,
            title: row.get(1)?,
            description: row.get(2)?,
            severity: Severity::ALL[row.get::<_, usize>(3)?],
            status: row.get(4)?,
            enrichment: row.get(5)?,
            source: row.get(6)?,
            times: [row.get(7)?, row.get(8)?, row.get(9)?, row.get(10)?],
            duplicates: row.get(11)?,
            classification: row.get(12)?,
            verdict: Malice::ALL[row.get::<_, usize>(13)?],
            tags: list(&row.get::<_, String>(14)?),
            raw: serde_json::from_str(&row.get::<_, String>(15)?).expect("JSON"),
            rule: None,
            indicators: Vec::new(),
            findings: Vec::new(),
            deliveries: Vec::new(),
            documents: Vec::new(),
            notes: 0,
            is_unread: false,
            is_flagged: false,
            snoozed_until: None,
            is_suppressed: false,
        })
    })?
    .remove(0);
    known.rule = rule.into_iter().next();
    belongings(tx, &mut known)?;
    known.documents = applicable(&known, documents);
    Ok(known)
}

/// Adds what has rows of its own.
fn belongings(tx: &impl Reads, known: &mut Known) -> Result<(), StoreError> {
    let id = known.id;
    known.indicators = rows(
        tx,
        "SELECT i.type, i.value FROM indicator i JOIN alert_indicator l ON l.indicator_id = i.id
         WHERE l.alert_id = ?1",
        id,
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    known.findings = rows(
        tx,
        "SELECT author_name, summary, confidence, confidence_level, verdict FROM finding
         WHERE alert_id = ?1",
        id,
        |row| {
            Ok(Said {
                author: row.get(0)?,
                summary: row.get(1)?,
                confidence: row.get(2)?,
                level: row.get(3)?,
                verdict: row.get(4)?,
            })
        },
    )?;
    let states = "SELECT state, trigger FROM delivery WHERE alert_id = ?1";
    known.deliveries = rows(tx, states, id, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let unread = "SELECT 1 FROM unread WHERE alert_id = ?1";
    known.is_unread = !rows(tx, unread, id, |_| Ok(()))?.is_empty();
    let notes = "SELECT 1 FROM note WHERE alert_id = ?1";
    known.notes = rows(tx, notes, id, |_| Ok(()))?.len();
    let marks = "SELECT is_flagged, snoozed_until, suppression_id FROM triage WHERE alert_id = ?1";
    let marks = rows(tx, marks, id, |row| {
        Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<i64>>(2)?))
    })?;
    if let Some((is_flagged, snoozed_until, suppression)) = marks.into_iter().next() {
        known.is_flagged = is_flagged;
        known.snoozed_until = snoozed_until;
        known.is_suppressed = suppression.is_some();
    }
    Ok(())
}

fn applicable(known: &Known, documents: &[Document]) -> Vec<String> {
    let subject = Subject {
        source_name: &known.source,
        severity: known.severity,
        tags: &known.tags,
    };
    let mut titles = Vec::new();
    for (title, is_global, rules) in documents {
        let holds = rules.as_ref().is_some_and(|rules| {
            let value = serde_json::from_str(rules).expect("JSON");
            Filter::parse_targeting(&value, &[])
                .expect("rules")
                .matches(&subject)
        });
        if *is_global || holds {
            titles.push(title.clone());
        }
    }
    titles
}

/// The alerts that a query finds, in its order: without the suppressed ones, unless it names them.
pub(crate) fn find(all: &[Known], query: &Query, keys: &[SortKey]) -> Vec<i64> {
    let hides = !format!("{:?}", query.expr).contains("Suppressed");
    let mut found: Vec<&Known> = all
        .iter()
        .filter(|alert| !(hides && alert.is_suppressed))
        .filter(|alert| holds(alert, &query.expr, query.now))
        .collect();
    found.sort_by(|a, b| compare(a, b, keys));
    found.into_iter().map(|alert| alert.id).collect()
}

fn compare(a: &Known, b: &Known, keys: &[SortKey]) -> Ordering {
    let mut is_descending = false;
    for key in keys {
        is_descending = key.is_descending;
        let order = match key.field {
            SortField::Ingested => a.id.cmp(&b.id),
            SortField::Occurred => a.times[0].cmp(&b.times[0]),
            SortField::Updated => a.times[2].cmp(&b.times[2]),
            SortField::Severity => a.severity.cmp(&b.severity),
            SortField::Status => a.status.cmp(&b.status),
            SortField::Source => a.source.cmp(&b.source),
            SortField::Title => a.title.cmp(&b.title),
            SortField::Malice => a.verdict.cmp(&b.verdict),
            SortField::Duplicates => a.duplicates.cmp(&b.duplicates),
        };
        let order = if is_descending {
            order.reverse()
        } else {
            order
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    let order = a.id.cmp(&b.id);
    if is_descending {
        order.reverse()
    } else {
        order
    }
}

fn holds(alert: &Known, expr: &Expr, now: Timestamp) -> bool {
    match expr {
        Expr::All(members) => members.iter().all(|member| holds(alert, member, now)),
        Expr::Any(members) => members.iter().any(|member| holds(alert, member, now)),
        Expr::Not(inner) => !holds(alert, inner, now),
        Expr::Test(test) => passes(alert, test, now),
    }
}

fn passes(alert: &Known, test: &Test, now: Timestamp) -> bool {
    let status = |s: &AlertStatus| s.as_str() == alert.status;
    match test {
        Test::Status(any) => any.iter().any(status),
        Test::Severity(wanted) => wanted.severities().contains(&alert.severity),
        Test::Source(any) => text(any, &alert.source),
        Test::Rule(any) => alert
            .rule
            .as_ref()
            .is_some_and(|(name, id, _)| text(any, name) || text(any, id)),
        Test::Mitre(any) => alert.rule.as_ref().is_some_and(|(_, _, ids)| {
            let under = |id: &String| {
                any.iter().any(|wanted| {
                    matches!(wanted, TextMatch::Equal(w) if w.starts_with('T') && !w.contains('.')
                        && id.to_lowercase().starts_with(&format!("{}.", w.to_lowercase())))
                })
            };
            ids.iter().any(|id| text(any, id) || under(id))
        }),
        Test::Tag(any) => alert.tags.iter().any(|tag| text(any, tag)),
        Test::Title(any) => text(any, &alert.title),
        Test::Indicator { field, any } => alert.indicators.iter().any(|(kind, value)| {
            let kinds = field.kinds();
            kinds.iter().any(|k| k.as_str() == kind) && any.iter().any(|m| indicator(m, value))
        }),
        Test::Malice(wanted) => wanted.verdicts().contains(&alert.verdict),
        Test::Findings(wanted) => wanted.holds(&(alert.findings.len() as u64)),
        Test::Agent(any) => alert.findings.iter().any(|f| text(any, &f.author)),
        Test::Says(any) => alert.findings.iter().any(|f| {
            let said = |v: &str| any.iter().any(|wanted| wanted.as_str() == v);
            f.verdict.as_deref().is_some_and(said)
        }),
        Test::ConfidenceLevel(wanted) => alert.findings.iter().any(|f| {
            let level = |v: &str| wanted.levels().iter().any(|l| l.as_str() == v);
            f.level.as_deref().is_some_and(level)
        }),
        Test::Confidence(wanted) => alert
            .findings
            .iter()
            .any(|f| f.confidence.is_some_and(|n| wanted.holds(&n))),
        Test::Disagree(wanted) => {
            let said: BTreeSet<_> = alert
                .findings
                .iter()
                .filter_map(|f| f.verdict.as_ref())
                .collect();
            (said.len() > 1) == *wanted
        }
        Test::Classification(any) => {
            let is = |c: &str| any.iter().any(|wanted| wanted.as_str() == c);
            alert.classification.as_deref().is_some_and(is)
        }
        Test::Enrichment(any) => any.iter().any(|e| e.as_str() == alert.enrichment),
        Test::Delivery(any) => any.iter().any(|word| delivery(alert, *word)),
        Test::Duplicates(wanted) => wanted.holds(&alert.duplicates),
        other => passes_more(alert, other, now),
    }
}

fn passes_more(alert: &Known, test: &Test, now: Timestamp) -> bool {
    match test {
        Test::Time(wanted) => {
            let field = match wanted.field() {
                TimeField::Occurred => 0,
                TimeField::Ingested => 1,
                TimeField::Updated => 2,
                TimeField::Closed => 3,
            };
            let range = wanted.range(now);
            alert.times[field].is_some_and(|at| {
                range.from.is_none_or(|from| at >= from.millis())
                    && range.until.is_none_or(|until| at < until.millis())
            })
        }
        Test::Raw { path, test } => {
            let all = path::lookup_all(&alert.raw, path);
            let single = path::lookup(&alert.raw, path);
            all.into_iter().chain(single).any(|value| raw(test, value))
        }
        Test::Document(any) => alert.documents.iter().any(|title| text(any, title)),
        Test::Id(any) => any
            .iter()
            .any(|id| id.uuid().as_bytes().as_slice() == alert.uuid),
        Test::Text(wanted) => words(alert, wanted) || has_hash_with(alert, &wanted.text),
        Test::Is(any) => any.iter().any(|word| is_marked(alert, *word, now)),
        Test::Has(any) => any.contains(&HasWord::Note) && alert.notes > 0,
        Test::Approval(_) => false,
        other => unreachable!("{other:?} is judged above"),
    }
}

fn is_marked(alert: &Known, word: FlagWord, now: Timestamp) -> bool {
    match word {
        FlagWord::Unread => alert.is_unread,
        FlagWord::Flagged => alert.is_flagged,
        FlagWord::Snoozed => alert.snoozed_until.is_some_and(|at| at > now.millis()),
        FlagWord::Suppressed => alert.is_suppressed,
        FlagWord::Replay => alert.deliveries.iter().any(|(_, why)| why == "replay"),
        FlagWord::Demo => false,
    }
}

fn delivery(alert: &Known, word: DeliveryWord) -> bool {
    let any = |states: &[&str]| {
        alert
            .deliveries
            .iter()
            .any(|(state, _)| states.contains(&state.as_str()))
    };
    match word {
        DeliveryWord::Failed => any(&["dead"]),
        DeliveryWord::Running => any(&["due", "in_flight", "parked"]),
        DeliveryWord::Delivered => any(&["delivered"]),
        DeliveryWord::None => alert.deliveries.is_empty(),
    }
}

fn text(any: &[TextMatch], value: &str) -> bool {
    let value = value.to_lowercase();
    any.iter().any(|wanted| match wanted {
        TextMatch::Equal(whole) => value == whole.to_lowercase(),
        TextMatch::Contains(part) => value.contains(&part.to_lowercase()),
        TextMatch::Like(pattern) => {
            let pieces: Vec<_> = pattern.pieces().iter().map(|p| p.to_lowercase()).collect();
            like(&value, &pieces)
        }
    })
}

/// Whether a text is these pieces with anything between, by trying.
fn like(text: &str, pieces: &[String]) -> bool {
    let Some((first, rest)) = pieces.split_first() else {
        return text.is_empty();
    };
    let Some(left) = text.strip_prefix(first.as_str()) else {
        return false;
    };
    if rest.is_empty() {
        return left.is_empty();
    }
    let mut ends = left.char_indices().map(|(at, _)| at).chain([left.len()]);
    ends.any(|at| like(&left[at..], rest))
}

fn indicator(wanted: &IndicatorMatch, value: &str) -> bool {
    match wanted {
        IndicatorMatch::Exact(exact) => exact == value,
        IndicatorMatch::Wildcard(pattern) => {
            let pieces: Vec<_> = pattern
                .pieces()
                .iter()
                .map(|p| p.to_ascii_lowercase())
                .collect();
            like(&value.to_ascii_lowercase(), &pieces)
        }
        IndicatorMatch::Network(network) => value.parse().is_ok_and(|ip| network.contains(ip)),
    }
}

fn raw(test: &RawTest, value: &Value) -> bool {
    match test {
        RawTest::Number(wanted) => {
            let number = value
                .as_f64()
                .or_else(|| value.as_str()?.trim().parse().ok());
            number.is_some_and(|n| wanted.holds(&n))
        }
        RawTest::Text(any) => {
            let is_anything = |m: &TextMatch| matches!(m, TextMatch::Like(p) if p.is_anything());
            if any.iter().any(is_anything) {
                return true;
            }
            match value {
                Value::String(value) => text(any, value),
                Value::Bool(_) | Value::Number(_) => text(any, &value.to_string()),
                Value::Null | Value::Array(_) | Value::Object(_) => false,
            }
        }
    }
}

fn tokens(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn words(alert: &Known, wanted: &FreeText) -> bool {
    let wanted_words = tokens(&wanted.text);
    let Some((last, before)) = wanted_words.split_last() else {
        return false;
    };
    let mut texts = vec![alert.title.clone()];
    texts.extend(alert.description.clone());
    texts.extend(alert.indicators.iter().map(|(_, value)| value.clone()));
    texts.extend(alert.findings.iter().map(|f| f.summary.clone()));
    leaves(&alert.raw, &mut texts);
    texts.iter().any(|text| {
        tokens(text).windows(wanted_words.len()).any(|window| {
            let (end, start) = window.split_last().expect("as many as are wanted");
            let ends = end == last || (wanted.is_prefix && end.starts_with(last.as_str()));
            start == before && ends
        })
    })
}

/// Four or more hex digits, letters and figures, are found inside hashes.
fn has_hash_with(alert: &Known, text: &str) -> bool {
    let part = text.to_lowercase();
    let count = |digits: &str| part.chars().filter(|c| digits.contains(*c)).count();
    let (letters, figures) = (count("abcdef"), count("0123456789"));
    letters > 0
        && figures > 0
        && letters + figures >= 4
        && letters + figures == part.chars().count()
        && alert
            .indicators
            .iter()
            .any(|(kind, value)| kind.starts_with("hash") && value.contains(&part))
}

fn leaves(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Value::Object(map) => map.values().for_each(|item| leaves(item, texts)),
        Value::String(text) => texts.push(text.clone()),
        Value::Bool(_) | Value::Number(_) => texts.push(value.to_string()),
    }
}
