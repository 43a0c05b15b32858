//! Alerts with everything that a query can ask for, by chance.

use calseta_domain::{
    AlertId, AlertStatus, CloseClassification, DeliveryId, DetectionRuleId, DocumentId,
    EnrichmentStatus, FindingId, Indicator, IndicatorId, IndicatorType, Malice, NoteId,
    RuleReference, Severity, SuppressionId, Timestamp,
};
use calseta_store::tables::alert::{self, NewAlert};
use calseta_store::tables::delivery::{self, AttemptOutcome, NewDelivery, Settled};
use calseta_store::tables::document::{self, DocumentRow};
use calseta_store::tables::finding::{self, NewFinding};
use calseta_store::tables::note::{self, NewNote};
use calseta_store::tables::suppression::{self, SuppressionRow};
use calseta_store::tables::{detection_rule, indicator, triage};
use calseta_store::{StoreError, WriteTx};
use serde_json::{Map, json};
use uuid::Uuid;

use crate::world::{insert_agent, lease, now};

/// A small generator: the same numbers from the same seed everywhere.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or(0) % n
    }

    pub(crate) fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Some of them, each once.
    pub(crate) fn some<T: Clone>(&mut self, all: &[T], percent: usize) -> Vec<T> {
        all.iter()
            .filter(|_| self.chance(percent))
            .cloned()
            .collect()
    }
}

pub(crate) const WORDS: &[&str] = &[
    "impossible",
    "travel",
    "Straße",
    "ÉVIL",
    "powershell",
    "encoded",
    "log-on",
    "dns_tunnel",
    "exfil",
    "100%",
    "a\\b",
    "\"quoted\"",
    "admin",
    "4625",
    "Evil.example",
];
pub(crate) const SOURCES: &[&str] = &["sentinel", "Elastic", "my-siem"];
pub(crate) const TAGS: &[&str] = &["VIP", "vpn", "prod-eu", "a_b%c", "Über"];
pub(crate) const AGENTS: &[&str] = &["triage-bot", "Second Opinion", "bot"];
pub(crate) const INDICATORS: &[(IndicatorType, &str)] = &[
    (IndicatorType::Ip, "185.220.101.47"),
    (IndicatorType::Ip, "185.220.102.1"),
    (IndicatorType::Ip, "10.0.0.7"),
    (IndicatorType::Ip, "2001:db8::7"),
    (IndicatorType::Domain, "evil.example.org"),
    (IndicatorType::Domain, "cdn.evil.example.org"),
    (IndicatorType::Url, "https://evil.example.org/a_b"),
    (IndicatorType::Email, "ann@example.org"),
    (IndicatorType::Account, "DOMAIN\\ann"),
    (IndicatorType::HashMd5, "d41d8cd98f00b204e9800998ecf8427e"),
];
pub(crate) const TITLES: &[&str] = &["Phishing runbook", "VIP handling", "Everything"];
pub(crate) const MITRE: &[&str] = &["TA0001", "T1078", "T1078.004", "T1059", "Initial Access"];

const MINUTE_MS: i64 = 60_000;

pub(crate) fn sentence(dice: &mut Dice) -> String {
    let words: Vec<&str> = (0..=dice.below(3)).map(|_| dice.of(WORDS)).collect();
    words.join(" ")
}

pub(crate) fn ingested(n: usize) -> Timestamp {
    now().plus_millis(i64::try_from(n).unwrap_or(0) * MINUTE_MS)
}

fn payload(dice: &mut Dice) -> String {
    let mut event = json!({
        "action": dice.of(&["logon", "Log Off", "deny"]),
        "code": dice.of(&[4624, 4625, 7]),
        "ok": dice.chance(50),
    });
    if dice.chance(40) {
        event["list"] = json!([{"name": sentence(dice)}, {"name": "x"}]);
    }
    if dice.chance(20) {
        event["note"] = json!(null);
    }
    json!({"event": event, "count": dice.of(&["3", "12"]), "score": dice.of(&[0.5, 7.25])})
        .to_string()
}

fn rules(tx: &WriteTx<'_>) -> Result<Vec<i64>, StoreError> {
    let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
    let mut rows = Vec::new();
    for (n, (name, tactics, techniques, sub)) in [
        ("Impossible travel", vec!["TA0001"], vec!["T1078"], vec![]),
        ("Cloud accounts", vec![], vec![], vec!["T1078.004"]),
        ("Script", vec!["Initial Access"], vec!["T1059"], vec![]),
    ]
    .into_iter()
    .enumerate()
    {
        let rule = RuleReference {
            source_rule_id: format!("rule-{n}"),
            name: name.to_owned(),
            severity: None,
            mitre_tactics: own(&tactics),
            mitre_techniques: own(&techniques),
            mitre_subtechniques: own(&sub),
            documentation: None,
        };
        let id = DetectionRuleId::new(Uuid::from_u128(n as u128 + 1));
        rows.push(detection_rule::link(tx, id, "sentinel", &rule, now())?);
    }
    Ok(rows)
}

fn documents(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    let rules = [
        json!({"match_any": [{"field": "tags", "op": "contains", "value": "vpn"}]}),
        json!({"match_all": [{"field": "severity", "op": "in", "value": ["High", "Critical"]}]}),
    ];
    for (n, title) in TITLES.iter().enumerate() {
        let row = DocumentRow {
            id: 0,
            uuid: DocumentId::new(Uuid::from_u128(n as u128 + 1)),
            title: (*title).to_owned(),
            document_type: "runbook".to_owned(),
            description: None,
            is_global: n == 2,
            tags: Vec::new(),
            targeting_rules: rules.get(n).cloned(),
            content: "text".to_owned(),
            version: 1,
            created_at: now(),
            updated_at: now(),
        };
        document::put(tx, &row, "ann")?;
    }
    Ok(())
}

fn insert(tx: &WriteTx<'_>, dice: &mut Dice, n: usize, rules: &[i64]) -> Result<i64, StoreError> {
    let mut fingerprint = [0; 32];
    fingerprint[..8].copy_from_slice(&(n as u64).to_be_bytes());
    let (title, description) = (sentence(dice), sentence(dice));
    let tags = dice.some(TAGS, 25);
    let tags: Vec<String> = tags.into_iter().map(str::to_owned).collect();
    let occurred = i64::try_from(dice.below(9)).unwrap_or(0) * 6 * 3_600_000;
    alert::insert(
        tx,
        &NewAlert {
            uuid: AlertId::new(Uuid::from_u128(n as u128 + 1)),
            title: &title,
            description: dice.chance(60).then_some(description.as_str()),
            severity: dice.of(Severity::ALL),
            source_name: dice.of(SOURCES),
            source_url: None,
            occurred_at: now().plus_millis(-occurred),
            ingested_at: ingested(n),
            fingerprint,
            duplicate_of: None,
            rule: dice.chance(60).then(|| dice.of(rules)),
            tags: &tags,
            raw_payload: &payload(dice),
        },
    )
}

fn evidence(tx: &WriteTx<'_>, dice: &mut Dice, n: usize, row: i64) -> Result<(), StoreError> {
    for (k, (kind, value)) in INDICATORS.iter().enumerate() {
        if dice.chance(12) {
            let one = Indicator {
                kind: *kind,
                value: (*value).to_owned(),
            };
            let id = IndicatorId::new(Uuid::from_u128(k as u128 + 1));
            let indicator = indicator::upsert(tx, id, &one, now())?;
            indicator::link(tx, row, indicator, "source_plugin", "x")?;
        }
    }
    for k in 0..dice.of(&[0, 0, 1, 2, 3]) {
        let summary = sentence(dice);
        let words = ["malicious", "suspicious", "benign", "inconclusive"];
        finding::insert(
            tx,
            &NewFinding {
                uuid: FindingId::new(Uuid::from_u128((n * 10 + k) as u128)),
                alert: row,
                key: None,
                agent: None,
                author_name: dice.of(AGENTS),
                key_prefix: None,
                summary: &summary,
                confidence: dice.of(&[None, Some(0.3), Some(0.5), Some(0.95)]),
                confidence_level: dice.of(&[None, Some("low"), Some("medium"), Some("high")]),
                verdict: dice.chance(80).then(|| dice.of(&words)),
                content: &Map::new(),
                delivery: None,
                repeat_key: None,
                posted_at: now(),
            },
        )?;
    }
    Ok(())
}

fn life(tx: &WriteTx<'_>, dice: &mut Dice, n: usize, row: i64) -> Result<(), StoreError> {
    let mut alert = alert::by_row(tx, row)?.expect("it was just added");
    alert.status = dice.of(AlertStatus::ALL);
    if alert.status == AlertStatus::Closed {
        alert.close_classification = Some(dice.of(CloseClassification::ALL));
        alert.closed_at = Some(ingested(n + dice.below(500)));
    }
    if dice.chance(15) {
        alert.malice_override = Some(dice.of(Malice::ALL));
    }
    if dice.chance(20) {
        alert.tags = dice.some(TAGS, 40).into_iter().map(str::to_owned).collect();
    }
    alert.updated_at = ingested(n + dice.below(300));
    alert::update(tx, &alert)?;
    if dice.chance(70) {
        let (status, worst) = (dice.of(EnrichmentStatus::ALL), dice.of(Malice::ALL));
        alert::settle_enrichment(tx, row, status, worst, alert.updated_at)?;
    }
    for _ in 0..dice.of(&[0, 0, 0, 1, 4]) {
        alert::count_duplicate(tx, row, Severity::Pending, alert.updated_at)?;
    }
    Ok(())
}

/// What an analyst did with an alert.
fn marks(tx: &WriteTx<'_>, dice: &mut Dice, n: usize, row: i64) -> Result<(), StoreError> {
    if dice.chance(60) {
        triage::note_viewed(tx, row, ingested(n))?;
    }
    if dice.chance(10) {
        triage::set_unread(tx, row, true)?;
    }
    if dice.chance(15) {
        triage::set_flagged(tx, row, dice.chance(80))?;
    }
    if dice.chance(25) {
        triage::snooze(tx, row, dice.chance(90).then(|| ingested(dice.below(600))))?;
    }
    for k in 0..dice.of(&[0, 0, 0, 1, 2]) {
        let uuid = NoteId::new(Uuid::from_u128((n * 10 + k) as u128));
        let (author, author_kind) = ("ann", "analyst");
        let new = NewNote {
            uuid,
            alert: row,
            text: "seen before",
            author,
            author_kind,
            created_at: ingested(n),
        };
        note::insert(tx, &new)?;
    }
    Ok(())
}

/// A suppression; its row.
pub(crate) fn suppression(tx: &WriteTx<'_>, n: u128) -> Result<i64, StoreError> {
    let row = SuppressionRow {
        id: 0,
        uuid: SuppressionId::new(Uuid::from_u128(n)),
        name: format!("noise {n}"),
        q: "rule:script".to_owned(),
        reason: None,
        expires_at: ingested(10),
        hidden_count: 0,
        created_by: "ann".to_owned(),
        created_at: now(),
        updated_at: now(),
    };
    suppression::insert(tx, &row)
}

/// Brings a delivery that is due into another state.
fn brought_to(tx: &WriteTx<'_>, id: i64, state: &str) -> Result<(), StoreError> {
    let settled = match state {
        "due" => return Ok(()),
        "cancelled" => return delivery::cancel(tx, id).map(drop),
        "parked" => Settled::Parked,
        "delivered" => Settled::Delivered,
        _ => Settled::Dead("gave up".to_owned()),
    };
    let claimed = delivery::take(tx, id, (lease(1), false), now())?;
    let outcome = AttemptOutcome {
        outcome: "unknown",
        status_code: None,
        remote_ip: None,
        duration_ms: 1,
        response_excerpt: None,
        error: None,
    };
    delivery::settle(tx, &claimed, 1, (&outcome, &settled, 1), now()).map(drop)
}

/// Fills a store with `n` alerts.
pub(crate) fn fill(tx: &WriteTx<'_>, dice: &mut Dice, n: usize) -> Result<(), StoreError> {
    let rules = rules(tx)?;
    let noise = suppression(tx, 1)?;
    documents(tx)?;
    let agent = insert_agent(tx)?;
    for n in 0..n {
        let row = insert(tx, dice, n, &rules)?;
        evidence(tx, dice, n, row)?;
        life(tx, dice, n, row)?;
        marks(tx, dice, n, row)?;
        if dice.chance(12) {
            suppression::hide(tx, noise, row)?;
        }
        if dice.chance(30) {
            let payload = delivery::put_payload(tx, [3; 32], b"{}")?;
            let state = dice.of(&["due", "parked", "delivered", "dead", "cancelled"]);
            let new = NewDelivery {
                uuid: DeliveryId::new(Uuid::from_u128(n as u128 + 1)),
                alert: Some(row),
                agent,
                generation: 1,
                trigger: dice.of(&["enriched", "enriched", "replay"]),
                payload,
                created_at: now(),
            };
            if let Some(id) = delivery::insert(tx, &new)? {
                brought_to(tx, id, state)?;
            }
        }
    }
    // Not everything that came in is still there.
    let gone = dice.below(n) + 1;
    alert::delete(tx, i64::try_from(gone).unwrap_or(1))?;
    Ok(())
}
