//! What the window asks beside the queue: checked findings, reviews, groups, the search box, what an
//! agent would be sent.

use calseta_contract::agent::AgentRequest;
use calseta_contract::alert::DispatchExplanation;
use calseta_contract::finding::{FindingRequest, FindingView, HiddenRequest, ReviewRequest};
use calseta_domain::query::Group;
use calseta_domain::{AlertId, ErrorCode, Malice};
use calseta_store::tables::enrichment::{self, Answer};
use calseta_store::tables::{alert, indicator};
use calseta_store::{StoreError, WriteTx};
use serde_json::{Value, json};

use super::{World, world};
use crate::{AlertFilter, AlertListQuery, AlertSort, Counting, Paging, PostedWith, Principal};

async fn travel(world: &World) -> AlertId {
    let body = json!({"title": "Impossible travel", "severity": "High", "src_ip": "203.0.113.9",
                      "rule_name": "Impossible travel", "user": "n.hathaway", "count": 47});
    world.ingest("generic", &body).await
}

/// Stores what a provider said of the alert's address.
async fn answered(world: &World, alert: AlertId, provider: &str, extracted: Value) {
    let name = provider.to_owned();
    let set = world.engine.inner.provider_set();
    let provider = set
        .find(|provider| provider.row.name == name)
        .unwrap()
        .row
        .id;
    let now = world.clock.now();
    let stored = world.engine.inner.store.write(move |tx: &WriteTx<'_>| {
        let row = alert::by_uuid(tx, alert)?.unwrap();
        let rows = indicator::of_alert(tx, row.id)?;
        let ip = rows
            .iter()
            .find(|row| row.value == "203.0.113.9")
            .unwrap()
            .id;
        let answer = Answer {
            extracted: extracted.as_object().unwrap(),
            malice: Malice::Malicious,
            raw: None,
            expires_at: now.plus_millis(1_000_000),
            is_demo: false,
        };
        enrichment::store(tx, (ip, provider), &answer, now)?;
        Ok::<_, StoreError>(())
    });
    stored.await.unwrap();
}

async fn post(world: &World, by: &Principal, alert: AlertId, body: Value) -> FindingView {
    let request: FindingRequest = serde_json::from_value(body).unwrap();
    let posted = PostedWith {
        key: None,
        webhook_id: None,
        body: Vec::new(),
    };
    let posted = world.engine.post_finding(by, alert, request, posted).await;
    posted.unwrap().0
}

async fn address(world: &World, alert: AlertId) -> calseta_domain::IndicatorId {
    let indicators = world.engine.alert_indicators(alert).await.unwrap();
    let mut found = indicators.iter().filter(|one| one.value == "203.0.113.9");
    found.next().unwrap().uuid
}

fn cite(reference: &Value, expected: &Value) -> Value {
    json!({"claim": "a claim", "ref": reference, "expected": expected})
}

/// The states of a finding's citations.
fn states(finding: &FindingView) -> Vec<&str> {
    let checks = finding.citation_checks.iter();
    checks.map(|check| check.state.as_str()).collect()
}

#[tokio::test]
async fn what_a_finding_cites_is_compared_with_what_is_stored() {
    let world = world().await;
    let alert = travel(&world).await;
    let other = world
        .ingest(
            "generic",
            &json!({"title": "Other", "src_ip": "198.51.100.7"}),
        )
        .await;
    let foreign = world.engine.alert_indicators(other).await.unwrap()[0].uuid;
    answered(
        &world,
        alert,
        "virustotal",
        json!({"malicious": 14, "total": 94}),
    )
    .await;
    let ip = address(&world, alert).await;
    let agent = world.key("agent", &["alerts:write"]).await;
    let finding = post(
        &world,
        &agent,
        alert,
        json!({"summary": "Malicious", "verdict": "malicious", "citations": [
            cite(&json!({"indicator_uuid": ip, "path": "virustotal.malicious"}), &json!(47)),
            cite(&json!({"indicator_uuid": ip, "path": "virustotal.total"}), &json!(94)),
            cite(&json!({"indicator_uuid": foreign, "path": "value"}), &json!("198.51.100.7")),
            cite(&json!({"raw_pointer": "/user"}), &json!("n.hathaway")),
            cite(&json!({"alert_uuid": other, "path": "title"}), &json!("Other")),
            {"claim": "it looks bad"},
        ]}),
    )
    .await;
    assert_eq!(
        states(&finding),
        [
            "differs",
            "matches",
            "not_found",
            "matches",
            "matches",
            "not_verifiable"
        ],
        "{:?}",
        finding.citation_checks
    );
    assert_eq!(finding.citation_checks[0].stored, Some(json!(14)));
    let counts = finding.verification;
    assert_eq!(
        (
            counts.matches,
            counts.differs,
            counts.not_found,
            counts.not_verifiable
        ),
        (3, 1, 1, 1)
    );
    // An answer that comes later counts: it is compared when it is read.
    answered(
        &world,
        alert,
        "virustotal",
        json!({"malicious": 47, "total": 94}),
    )
    .await;
    let read = world.engine.findings(alert).await.unwrap();
    assert_eq!(read[0].verification.matches, 4);
    let (view, _) = world.engine.alert(alert).await.unwrap();
    assert_eq!(view.agent_findings[0].verification.matches, 4);
}

#[tokio::test]
async fn a_citation_is_short_or_refused() {
    let world = world().await;
    let alert = travel(&world).await;
    let long = json!({"summary": "s", "citations": [
        {"claim": "x".repeat(5_001)},
        {"claim": "c", "ref": {"raw_pointer": "/x".repeat(600)}},
        {"claim": "c", "expected": "y".repeat(17_000)},
    ]});
    let request: FindingRequest = serde_json::from_value(long).unwrap();
    let posted = PostedWith {
        key: None,
        webhook_id: None,
        body: Vec::new(),
    };
    let refused = world
        .engine
        .post_finding(&world.analyst, alert, request, posted)
        .await
        .unwrap_err();
    let errors = refused.details["errors"].as_array().unwrap();
    let paths: Vec<&str> = errors
        .iter()
        .map(|error| error["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        paths,
        [
            "citations.0.claim",
            "citations.1.ref.raw_pointer",
            "citations.2.expected"
        ]
    );
}

#[tokio::test]
async fn a_review_is_the_analyst_s_and_its_agent_reads_it() {
    let world = world().await;
    let alert = travel(&world).await;
    let agent = world.key("agent", &["alerts:read", "alerts:write"]).await;
    let first = post(&world, &agent, alert, json!({"summary": "one"})).await;
    let second = json!({"summary": "two", "supersedes": first.uuid});
    let second = post(&world, &agent, alert, second).await;
    let request = || ReviewRequest {
        decision: "disagree".to_owned(),
        reason: Some("wrong_fact".to_owned()),
        comment: Some("the score is 14".to_owned()),
    };
    let refused = world.engine.review_finding(&agent, first.uuid, request());
    assert_eq!(refused.await.unwrap_err().code, ErrorCode::HumanKeyRequired);
    let reason = ReviewRequest {
        reason: None,
        ..request()
    };
    let refused = world
        .engine
        .review_finding(&world.analyst, first.uuid, reason);
    assert_eq!(refused.await.unwrap_err().code, ErrorCode::ValidationError);

    for _ in 0..2 {
        let reviewed = world
            .engine
            .review_finding(&world.analyst, first.uuid, request());
        let review = reviewed.await.unwrap().review.unwrap();
        assert_eq!(review.reason.as_deref(), Some("wrong_fact"));
    }
    let hidden = HiddenRequest { hidden: true };
    world
        .engine
        .hide_finding(&world.analyst, second.uuid, hidden)
        .await
        .unwrap();
    let events = world.events(&agent).await;
    let kinds: Vec<&str> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    assert!(
        kinds.ends_with(&["finding.reviewed", "finding.reviewed"]),
        "{kinds:?}"
    );
    let read = world.engine.findings(alert).await.unwrap();
    assert_eq!(read[0].superseded_by, Some(second.uuid));
    assert_eq!(read[0].review.as_ref().unwrap().decision, "disagree");
    assert!(read[1].is_hidden && !read[0].is_hidden);
}

#[tokio::test]
async fn what_an_agent_would_be_sent_weighs_what_its_parts_weigh() {
    let world = world().await;
    let alert = travel(&world).await;
    let payload = world.engine.agent_payload(alert, None).await.unwrap();
    let body: Value = serde_json::from_str(payload.body.get()).unwrap();
    assert_eq!(body["alert"]["uuid"], json!(alert));
    let sections = payload.tokens_by_section.iter();
    assert_eq!(
        sections.clone().map(|one| one.tokens).sum::<u64>(),
        payload.tokens
    );
    let names: Vec<&str> = sections.map(|one| one.section.as_str()).collect();
    for key in body.as_object().unwrap().keys() {
        assert!(names.contains(&key.as_str()), "{key}");
    }
    let nobody = calseta_domain::AgentId::new(alert.uuid());
    let refused = world.engine.agent_payload(alert, Some(nobody)).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn the_search_box_finds_what_is_meant_and_only_what_the_caller_reads() {
    let world = world().await;
    let alert = travel(&world).await;
    index(&world).await;
    let groups = |by: Principal, text: &'static str| {
        let engine = world.engine.clone();
        async move {
            let found = engine.palette(&by, text).await.unwrap().groups;
            let named = found.into_iter();
            named
                .map(|group| (group.kind, group.items))
                .collect::<Vec<_>>()
        }
    };
    let found = groups(world.analyst.clone(), "203[.]0[.]113[.]9").await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "indicators");
    assert_eq!(found[0].1[0].detail, "ip · 1 alert · Pending");
    assert_eq!(found[0].1[0].q.as_deref(), Some("ip:203.0.113.9"));
    let list = groups(
        world.analyst.clone(),
        "203.0.113.9\nhxxp://evil[.]example/x",
    )
    .await;
    let labels: Vec<&str> = list[0].1.iter().map(|item| item.label.as_str()).collect();
    assert_eq!(
        labels,
        ["Any of 2 values", "203.0.113.9", "http://evil.example/x"]
    );
    for item in &list[0].1 {
        let q = item.q.clone().unwrap();
        world.engine.parse_query(&q).expect("every q is a query");
    }
    let titled = groups(world.analyst.clone(), "impossible").await;
    assert_eq!(titled[0].0, "open_alerts");
    assert_eq!(titled[0].1[0].uuid, Some(alert.uuid()));
    let views = groups(world.analyst.clone(), "crithigh").await;
    assert!(
        views.iter().any(|(kind, _)| kind == "views"),
        "loosely: {views:?}"
    );

    let blind = world.key("agent", &["workflows:read"]).await;
    assert_eq!(groups(blind.clone(), "impossible").await, []);
    assert_eq!(groups(blind, "203.0.113.9").await, []);
}

/// Reads the words of what came in.
async fn index(world: &World) {
    let store = &world.engine.inner.store;
    let read = |tx: &WriteTx<'_>| calseta_store::tables::search::index_pending(tx, 64);
    while store.write(read).await.unwrap() {}
}

#[tokio::test]
async fn a_group_s_query_finds_its_members() {
    let world = world().await;
    for n in 0..3 {
        let body = json!({"title": format!("T{n}"), "severity": "Low", "src_ip": "203.0.113.9"});
        world.ingest("generic", &body).await;
    }
    let elastic = json!({"title": "Other", "severity": "High"});
    world.ingest("generic", &elastic).await;
    let query = |q: &str| AlertListQuery {
        query: Some(world.engine.parse_query(q).unwrap()),
        filter: AlertFilter::default(),
        sort: AlertSort::CreatedAt,
        descending: true,
        paging: Paging::After(None),
        limit: 100,
        counting: Counting::Exact,
        include_suppressed: false,
    };
    for by in [Group::Entity, Group::Source, Group::Rule] {
        let grouped = world.engine.alert_groups(query("status:open"), by).await;
        let grouped = grouped.unwrap();
        assert_eq!(grouped.total, 4);
        for group in grouped.groups {
            let members = world.engine.alerts(query(&group.q)).await.unwrap();
            assert_eq!(members.total, Some(group.count), "{by:?} {}", group.q);
        }
    }
}

#[tokio::test]
async fn related_alerts_come_by_what_is_rare() {
    let world = world().await;
    let alert = travel(&world).await;
    let body = json!({"title": "Same address", "severity": "Low", "src_ip": "203.0.113.9"});
    let near = world.ingest("generic", &body).await;
    let body = json!({"title": "Nothing in common", "src_ip": "198.51.100.7"});
    let far = world.ingest("generic", &body).await;
    let related = world.engine.related(alert, 10).await.unwrap();
    let found: Vec<AlertId> = related.related.iter().map(|one| one.alert.uuid).collect();
    assert_eq!(found, [near]);
    assert!(!found.contains(&far));
    let one = &related.related[0];
    assert!(one.score > 0.0);
    let values: Vec<&str> = one
        .shared
        .iter()
        .map(|value| value.value.as_str())
        .collect();
    assert_eq!(values, ["203.0.113.9"]);
    assert!(one.shared[0].is_rare && one.shared[0].alert_count == 2);
    let refused = world.engine.related(alert, 0).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::ValidationError);
}

#[tokio::test]
async fn an_explanation_names_everything_that_keeps_an_agent_from_being_told() {
    let world = world().await;
    let alert = travel(&world).await;
    let agent = |name: &str, url: &str| AgentRequest {
        name: name.to_owned(),
        webhook_url: Some(url.to_owned()),
        trigger_filter: Some(json!({"min_severity": "High"})),
        ..AgentRequest::default()
    };
    let local = agent("local", "http://127.0.0.1:9/webhook");
    let local = world.engine.create_agent(&world.analyst, local).await;
    let local = local.unwrap().uuid;
    // An agent's key may not allow an address: it waits for a person.
    let by = world.key("agent", &["agents:write"]).await;
    let waiting = agent("waiting", "http://127.0.0.1:10/webhook");
    world.engine.create_agent(&by, waiting).await.unwrap();
    let told = |explained: &[DispatchExplanation], name: &str| {
        let one = explained.iter().find(|one| one.agent_name == name);
        let trace = one.unwrap().trace.iter();
        let words: Vec<String> = trace
            .map(|clause| format!("{}: {}", clause.holds, clause.text))
            .collect();
        words.join("; ")
    };
    let before = world.engine.dispatch_explanation(alert).await.unwrap();
    let words = told(&before, "local");
    assert!(
        words.contains("false: its enrichment is not over"),
        "{words}"
    );
    let words = told(&before, "waiting");
    assert!(
        words.contains("false: the agent is switched off"),
        "{words}"
    );
    assert!(words.contains("waits for a person to allow it"), "{words}");
    let sent = world.engine.dispatch_agent(&world.analyst, alert, local);
    sent.await.unwrap();
    let after = world.engine.dispatch_explanation(alert).await.unwrap();
    let words = told(&after, "local");
    assert!(words.contains("true: it is being sent"), "{words}");
}
