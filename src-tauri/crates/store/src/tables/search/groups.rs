//! Groups of what a query finds: by rule, by who or what it is about, by source, by repetition.
//! Counted over the newest [`COUNT_CAP`] alerts, like facets.

use std::collections::HashMap;

use calseta_domain::query::{
    Expr, Group, IndicatorField, IndicatorMatch, MAX_VALUES, Pattern, Test, TextMatch,
};
use calseta_domain::{AlertId, Malice, Severity, Timestamp};
use rusqlite::Row;

use crate::StoreError;
use crate::tables::alert_list::{AlertQuery, COUNT_CAP};
use crate::tables::{Reads, list, malice, related, severity, time, uuid};

/// Groups that are given: the largest.
const GROUPS: usize = 200;

/// How alerts are grouped.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    /// Alerts found, up to [`COUNT_CAP`] and one.
    pub total: u64,
    /// The largest first; among equals the one with the newest alert.
    pub groups: Vec<GroupRow>,
}

/// Alerts that share a value.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRow {
    /// What tells it from the others; empty for alerts that have no such value.
    pub key: String,
    /// As a person reads it.
    pub label: String,
    /// What its members pass and, of what the query finds, the others do not. Only a group of more
    /// than [`MAX_VALUES`] repetitions or of an entity that more others have, too, may find more.
    pub own: Expr,
    /// How many members it has.
    pub count: u64,
    /// The highest severity of a member.
    pub worst: Severity,
    /// The worst effective verdict of a member.
    pub malice: Malice,
    /// When its oldest member came in.
    pub oldest: Timestamp,
    /// When its newest member came in.
    pub newest: Timestamp,
    /// Of a rule: how many of its last 20 closed alerts were false positives, and how many were
    /// looked at.
    pub last_closed: Option<(u64, u64)>,
}

/// An alert, as far as groups need it.
struct Line {
    alert: AlertId,
    severity: Severity,
    ingested_at: Timestamp,
    key: String,
    label: String,
    rule: Option<i64>,
    source: String,
    malice: Malice,
}

fn line(row: &Row<'_>) -> rusqlite::Result<Line> {
    Ok(Line {
        alert: uuid(row, 0)?,
        severity: severity(row, 1)?,
        ingested_at: time(row, 2)?,
        key: row.get(3)?,
        label: row.get(4)?,
        rule: row.get(5)?,
        source: row.get(6)?,
        malice: malice(row, 7)?,
    })
}

/// An account before an address, the worst before the rest, the rarest of them: who an alert is about.
const ENTITY: &str = "SELECT e.id FROM alert_indicator l JOIN indicator e ON e.id = l.indicator_id \
    WHERE l.alert_id = a.id AND e.type IN ('account', 'ip') \
    ORDER BY e.type = 'ip', e.malice DESC, e.alert_count, e.id LIMIT 1";

/// Key, label and rule of a group's alerts, and what they are read from beside the alert `a`.
fn columns(by: Group) -> (&'static str, String) {
    match by {
        Group::None => ("'', '', NULL", String::new()),
        Group::Rule => (
            "fold(coalesce(r.name, '')), coalesce(r.name, ''), r.id",
            "LEFT JOIN detection_rule r ON r.id = a.detection_rule_id".to_owned(),
        ),
        Group::Source => ("fold(a.source_name), a.source_name, NULL", String::new()),
        // A recurrence has the fingerprint of what it repeats.
        Group::Duplicate => ("lower(hex(a.fingerprint)), a.title, NULL", String::new()),
        Group::Entity => (
            "coalesce(i.type || ':' || i.value, ''), coalesce(i.value, ''), NULL",
            format!("LEFT JOIN indicator i ON i.id = ({ENTITY})"),
        ),
    }
}

fn lines(tx: &impl Reads, ids: &[i64], by: Group) -> Result<Vec<Line>, StoreError> {
    let (columns, joins) = columns(by);
    let sql = format!(
        "SELECT a.uuid, a.severity, a.ingested_at, {columns}, a.source_name, a.verdict
         FROM json_each(?1) g CROSS JOIN alert a ON a.id = g.value {joins}"
    );
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map([list(ids)], line)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A group that grows.
struct Growing {
    row: GroupRow,
    members: Vec<AlertId>,
    /// Rules of the same name, by members.
    rules: HashMap<i64, u64>,
    source: String,
}

/// Groups what a query finds. Its paging and order do not matter.
pub fn groups(tx: &impl Reads, query: &AlertQuery, by: Group) -> Result<Groups, StoreError> {
    let mut ids = newest(tx, query)?;
    let total = ids.len() as u64;
    ids.truncate(usize::try_from(COUNT_CAP).unwrap_or(usize::MAX));
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut found: Vec<Growing> = Vec::new();
    for line in lines(tx, &ids, by)? {
        let place = *places.entry(line.key.clone()).or_insert(found.len());
        if place == found.len() {
            found.push(Growing::of(&line));
        }
        found[place].add(&line);
    }
    found.sort_by_key(|group| std::cmp::Reverse((group.row.count, group.row.newest)));
    found.truncate(GROUPS);
    let others = match by {
        Group::Entity => others(tx, &ids)?,
        Group::None | Group::Rule | Group::Source | Group::Duplicate => HashMap::new(),
    };
    let mut groups = Vec::with_capacity(found.len());
    for mut group in found {
        if let Some((rule, _)) = group.rules.iter().max_by_key(|(_, count)| **count) {
            group.row.last_closed = Some(related::last_closed(tx, *rule)?);
        }
        group.row.own = own(by, &group, others.get(&group.row.key));
        groups.push(group.row);
    }
    Ok(Groups { total, groups })
}

/// Members of one group of what a query finds, the newest first.
pub fn group_members(
    tx: &impl Reads,
    query: &AlertQuery,
    (by, key): (Group, &str),
    limit: u32,
) -> Result<Vec<AlertId>, StoreError> {
    let ids = newest(tx, query)?;
    let all = lines(tx, &ids, by)?;
    let members = all.into_iter().filter(|line| line.key == key);
    Ok(members
        .map(|line| line.alert)
        .take(limit as usize)
        .collect())
}

fn newest(tx: &impl Reads, query: &AlertQuery) -> Result<Vec<i64>, StoreError> {
    super::rows(
        tx,
        query,
        None,
        u32::try_from(COUNT_CAP + 1).unwrap_or(u32::MAX),
    )
}

impl Growing {
    fn of(line: &Line) -> Self {
        Self {
            row: GroupRow {
                key: line.key.clone(),
                label: line.label.clone(),
                own: Expr::All(Vec::new()),
                count: 0,
                worst: line.severity,
                malice: line.malice,
                oldest: line.ingested_at,
                newest: line.ingested_at,
                last_closed: None,
            },
            members: Vec::new(),
            rules: HashMap::new(),
            source: line.source.clone(),
        }
    }

    fn add(&mut self, line: &Line) {
        self.row.count += 1;
        if line.severity.rank() > self.row.worst.rank() {
            self.row.worst = line.severity;
        }
        self.row.malice = self.row.malice.max(line.malice);
        self.row.oldest = self.row.oldest.min(line.ingested_at);
        self.row.newest = self.row.newest.max(line.ingested_at);
        // One more than a list takes says that there are too many.
        if self.members.len() <= MAX_VALUES {
            self.members.push(line.alert);
        }
        if let Some(rule) = line.rule {
            *self.rules.entry(rule).or_default() += 1;
        }
    }
}

/// Alerts that have an entity and are about another one, by the entity's key.
fn others(tx: &impl Reads, ids: &[i64]) -> Result<HashMap<String, Vec<AlertId>>, StoreError> {
    let sql = format!(
        "SELECT x.type || ':' || x.value, a.uuid FROM json_each(?1) g
         CROSS JOIN alert a ON a.id = g.value
         CROSS JOIN alert_indicator k ON k.alert_id = a.id
         CROSS JOIN indicator x ON x.id = k.indicator_id
         WHERE x.type IN ('account', 'ip') AND x.id != ({ENTITY})"
    );
    let mut statement = tx.conn().prepare_cached(&sql)?;
    let rows = statement.query_map([list(ids)], |row| Ok((row.get(0)?, uuid(row, 1)?)))?;
    let mut others: HashMap<String, Vec<AlertId>> = HashMap::new();
    for row in rows {
        let (key, alert) = row?;
        others.entry(key).or_default().push(alert);
    }
    Ok(others)
}

/// What tells a group's members from the others.
fn own(by: Group, group: &Growing, others: Option<&Vec<AlertId>>) -> Expr {
    let label = || vec![TextMatch::Equal(group.row.label.clone())];
    let is_few = group.members.len() <= MAX_VALUES;
    let ids = || Expr::Test(Test::Id(group.members.clone()));
    match by {
        Group::None => Expr::All(Vec::new()),
        Group::Rule if group.row.key.is_empty() => anything()
            .map_or(Expr::All(Vec::new()), |any| {
                Expr::Test(Test::Rule(vec![TextMatch::Like(any)])).negate()
            }),
        Group::Rule => Expr::Test(Test::Rule(label())),
        Group::Source => Expr::Test(Test::Source(label())),
        Group::Duplicate if is_few => ids(),
        Group::Duplicate => Expr::all(vec![
            Expr::Test(Test::Title(label())),
            Expr::Test(Test::Source(vec![TextMatch::Equal(group.source.clone())])),
        ]),
        Group::Entity => entity(group, others, is_few.then(ids)),
    }
}

fn anything() -> Option<Pattern> {
    Pattern::new(vec![String::new(), String::new()])
}

fn entity(group: &Growing, others: Option<&Vec<AlertId>>, ids: Option<Expr>) -> Expr {
    let has = |field, wanted| {
        Expr::Test(Test::Indicator {
            field,
            any: vec![wanted],
        })
    };
    let Some((kind, _)) = group.row.key.split_once(':') else {
        let none = |field| Some(has(field, IndicatorMatch::Wildcard(anything()?)).negate());
        let both = [none(IndicatorField::Account), none(IndicatorField::Ip)];
        return Expr::all(both.into_iter().flatten().collect());
    };
    let field = if kind == "ip" {
        IndicatorField::Ip
    } else {
        IndicatorField::Account
    };
    let named = has(field, IndicatorMatch::Exact(group.row.label.clone()));
    match (others, ids) {
        (Some(others), _) if others.len() <= MAX_VALUES => {
            let not = Expr::Test(Test::Id(others.clone())).negate();
            Expr::all(vec![named, not])
        }
        (Some(_), Some(ids)) => ids,
        (None, _) | (Some(_), None) => named,
    }
}
