//! Indicators, what is asked about an alert, and who is told.

use calseta_contract::Patch;
use calseta_contract::agent::{AgentPatch, AgentRequest};
use calseta_contract::indicator::{AlertIndicatorsRequest, IndicatorInput, IndicatorPatch};
use calseta_domain::{AgentId, ErrorCode, Malice};
use serde_json::json;

use super::{PAGE, World, world};
use crate::{DeliveryListQuery, Direction, IndicatorFilter, IndicatorSort};

fn input(kind: &str, value: &str) -> IndicatorInput {
    IndicatorInput {
        kind: kind.to_owned(),
        value: value.to_owned(),
    }
}

async fn agent(world: &World, filter: serde_json::Value) -> AgentId {
    let request = AgentRequest {
        name: "agent".to_owned(),
        webhook_url: Some("http://127.0.0.1:9/webhook".to_owned()),
        trigger_filter: Some(filter),
        ..AgentRequest::default()
    };
    world
        .engine
        .create_agent(&world.analyst, request)
        .await
        .unwrap()
        .uuid
}

async fn set(world: &World, by: &crate::Principal, malice: Patch<String>) -> (Malice, String) {
    let found = world
        .engine
        .indicators(
            IndicatorFilter::default(),
            (IndicatorSort::Value, Direction::Ascending),
            PAGE,
        )
        .await
        .unwrap();
    let patch = IndicatorPatch { malice };
    let view = world
        .engine
        .patch_indicator(by, found.rows[0].uuid, patch)
        .await
        .unwrap();
    (view.malice, view.malice_source)
}

#[tokio::test]
async fn an_agent_s_verdict_never_outranks_the_analyst_s() {
    let world = world().await;
    let alert = world
        .ingest("generic", &json!({"title": "T", "src_ip": "203.0.113.9"}))
        .await;
    // Its own enrichment is over: from now on it follows its indicators.
    crate::stage::matching::step(&world.engine.inner)
        .await
        .unwrap();
    let agent = world.key("agent", &["alerts:write"]).await;
    let word = |word: &str| Patch::Set(word.to_owned());
    let by_agent = set(&world, &agent, word("Suspicious")).await;
    assert_eq!(by_agent, (Malice::Suspicious, "agent".to_owned()));
    let by_analyst = set(&world, &world.analyst, word("Malicious")).await;
    assert_eq!(by_analyst, (Malice::Malicious, "analyst".to_owned()));
    assert_eq!(set(&world, &agent, word("Benign")).await, by_analyst);
    assert_eq!(set(&world, &agent, Patch::Clear).await, by_analyst);
    assert_eq!(set(&world, &world.analyst, Patch::Keep).await, by_analyst);
    let (view, _) = world.engine.alert(alert).await.unwrap();
    assert_eq!(view.summary.malice, Malice::Malicious, "the alert follows");
    let reset = set(&world, &world.analyst, Patch::Clear).await;
    assert_eq!(reset, (Malice::Pending, "enrichment".to_owned()));
    let (view, _) = world.engine.alert(alert).await.unwrap();
    assert_eq!(view.summary.malice, Malice::Pending);
}

#[tokio::test]
async fn added_indicators_are_counted_truthfully() {
    let world = world().await;
    let alert = world
        .ingest("generic", &json!({"title": "T", "src_ip": "203.0.113.9"}))
        .await;
    let request = AlertIndicatorsRequest {
        indicators: vec![
            input("ip", "203.0.113.9"),
            input("domain", "Evil[.]example"),
            input("domain", "evil.example"),
        ],
    };
    let view = world
        .engine
        .add_indicators(&world.analyst, alert, request, false)
        .await
        .unwrap();
    assert_eq!((view.added_count, view.already_linked_count), (1, 1));
    assert_eq!(view.indicators.len(), 2);
    let bad = AlertIndicatorsRequest {
        indicators: vec![input("ip", "not an address"), input("colour", "red")],
    };
    let refused = world
        .engine
        .add_indicators(&world.analyst, alert, bad, false)
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::ValidationError);
    assert_eq!(refused.details["errors"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn agents_are_told_again_under_a_new_generation() {
    let world = world().await;
    let matching = agent(&world, json!({"min_severity": "High"})).await;
    let other = agent(&world, json!({"min_severity": "Critical"})).await;
    let alert = world
        .ingest("generic", &json!({"title": "T", "severity": "High"}))
        .await;
    let told = world
        .engine
        .trigger_agents(&world.analyst, alert)
        .await
        .unwrap();
    assert_eq!(told.queued_agent_count, 1);
    world
        .engine
        .dispatch_agent(&world.analyst, alert, other)
        .await
        .unwrap();
    let explained = world.engine.dispatch_explanation(alert).await.unwrap();
    let of = |id| explained.iter().find(|e| e.agent_uuid == id).unwrap();
    assert!(of(matching).matched);
    assert!(!of(other).matched);
    assert!(of(other).trace.iter().any(|clause| !clause.holds));
    let off = AgentPatch {
        is_active: Patch::Set(false),
        ..AgentPatch::default()
    };
    world
        .engine
        .patch_agent(&world.analyst, other, off)
        .await
        .unwrap();
    let refused = world
        .engine
        .dispatch_agent(&world.analyst, alert, other)
        .await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::AgentInactive);
    let all = world
        .engine
        .deliveries(DeliveryListQuery::default(), PAGE)
        .await
        .unwrap();
    let mut generations: Vec<u32> = all.rows.iter().map(|row| row.generation).collect();
    generations.sort_unstable();
    assert_eq!(generations, [2, 3]);
}

#[tokio::test]
async fn an_alert_that_is_enriched_again_takes_new_mappings_in() {
    let world = world().await;
    let body = json!({"title": "T", "nested": [{"remote": "198.51.100.7"}]});
    let alert = world.ingest("generic", &body).await;
    let count = |view: &calseta_contract::alert::AlertView| view.indicators.len();
    let (view, _) = world.engine.alert(alert).await.unwrap();
    assert_eq!(count(&view), 0);
    let mapping = calseta_contract::mapping::MappingRequest {
        field_path: "nested.remote".to_owned(),
        indicator_type: "ip".to_owned(),
        extraction_target: Some("raw_payload".to_owned()),
        ..Default::default()
    };
    world
        .engine
        .create_mapping(&world.analyst, mapping.clone())
        .await
        .unwrap();
    let again = world.engine.create_mapping(&world.analyst, mapping).await;
    assert_eq!(again.unwrap_err().code, ErrorCode::DuplicateMapping);
    world
        .engine
        .enrich_alert(&world.analyst, alert)
        .await
        .unwrap();
    let (view, _) = world.engine.alert(alert).await.unwrap();
    assert_eq!(count(&view), 1);
}

#[tokio::test]
async fn neighbours_are_counted_without_the_alert_itself() {
    let world = world().await;
    let of = |title: &str| json!({"title": title, "src_ip": "203.0.113.9"});
    let first = world.ingest("generic", &of("one")).await;
    for title in ["two", "three", "four"] {
        world.clock.advance_millis(1000);
        world.ingest("generic", &of(title)).await;
    }
    let graph = world.engine.relationship_graph(first, 2).await.unwrap();
    let indicator = &graph.indicators[0];
    assert_eq!(indicator.total_alert_count, 3);
    let titles: Vec<&str> = indicator
        .sibling_alerts
        .iter()
        .map(|alert| alert.title.as_str())
        .collect();
    assert_eq!(titles, ["four", "three"], "newest first, as many as asked");
    assert!(world.engine.relationship_graph(first, 51).await.is_err());
}

#[tokio::test]
async fn a_deleted_alert_is_gone_and_its_events_stay() {
    let world = world().await;
    let alert = world.ingest("generic", &json!({"title": "T"})).await;
    let agent = world.key("agent", &["admin"]).await;
    let refused = world.engine.delete_alert(&agent, alert).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::HumanKeyRequired);
    world
        .engine
        .delete_alert(&world.analyst, alert)
        .await
        .unwrap();
    assert!(world.engine.alert(alert).await.is_err());
    let kinds: Vec<String> = world
        .events(&world.analyst)
        .await
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert!(kinds.contains(&"alert.created".to_owned()));
    assert!(kinds.contains(&"alert.deleted".to_owned()));
}
