//! What a person does about an agent, and the log read by filters.

use std::io::{Read, Write};
use std::net::TcpListener;

use calseta_contract::Patch;
use calseta_contract::agent::{AgentRequest, AgentTestRequest, PreviewRequest};
use calseta_contract::alert::AlertPatch;
use calseta_domain::signature::{self, SigningSecret};
use calseta_domain::{AgentId, ErrorCode};
use serde_json::json;

use super::{PAGE, World, world};
use crate::ActivityQuery;

async fn agent(world: &World, url: &str) -> (AgentId, String) {
    let request = AgentRequest {
        name: "agent".to_owned(),
        webhook_url: Some(url.to_owned()),
        auth_header: Some("Bearer a-secret-of-the-agent".to_owned()),
        ..AgentRequest::default()
    };
    let view = world
        .engine
        .create_agent(&world.analyst, request)
        .await
        .unwrap();
    (view.uuid, view.signing_secret.unwrap())
}

/// Answers one request with 200 and gives back what was sent.
fn peer() -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let n = stream.read(&mut piece).unwrap();
            request.extend_from_slice(&piece[..n]);
            let text = String::from_utf8_lossy(&request).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.trim().parse::<usize>().unwrap());
            if body.len() >= length || n == 0 {
                break;
            }
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .unwrap();
        String::from_utf8(request).unwrap()
    });
    (url, served)
}

fn header<'a>(request: &'a str, name: &str) -> &'a str {
    request
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .unwrap()
}

#[tokio::test]
async fn for_a_day_after_a_rotation_both_secrets_sign() {
    let world = world().await;
    let (url, served) = peer();
    let (id, old) = agent(&world, &url).await;
    let rotated = world
        .engine
        .rotate_agent_secret(&world.analyst, id)
        .await
        .unwrap();
    let sent = |served: std::thread::JoinHandle<String>| {
        let (engine, analyst) = (world.engine.clone(), world.analyst.clone());
        async move {
            let tested = engine
                .test_agent(&analyst, id, AgentTestRequest::default())
                .await
                .unwrap();
            assert!(tested.delivered, "{:?}", tested.error);
            (served.join().unwrap(), tested.delivery_uuid)
        }
    };
    let fits = |request: &str, secret: &str| {
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        let stamp = header(request, "webhook-timestamp");
        signature::verify(
            &SigningSecret::parse(secret).unwrap(),
            header(request, "webhook-id"),
            stamp,
            header(request, "webhook-signature"),
            body.as_bytes(),
            stamp.parse().unwrap(),
        )
        .is_ok()
    };
    let (request, delivery) = sent(served).await;
    assert!(fits(&request, &rotated.signing_secret));
    assert!(fits(&request, &old), "the agent may still have the old one");
    let view = world.engine.delivery(delivery).await.unwrap();
    let headers = view.request_headers.unwrap();
    assert_eq!(headers["authorization"], "********");
    assert!(!format!("{headers:?}").contains("a-secret-of-the-agent"));
    // A day later only the new one signs.
    world.clock.advance_millis(24 * 3600 * 1000);
    let (url, served) = peer();
    let moved = calseta_contract::agent::AgentPatch {
        webhook_url: Patch::Set(url),
        ..Default::default()
    };
    world
        .engine
        .patch_agent(&world.analyst, id, moved)
        .await
        .unwrap();
    let (request, _) = sent(served).await;
    assert!(fits(&request, &rotated.signing_secret));
    assert!(!fits(&request, &old));
}

#[tokio::test]
async fn old_clients_change_an_agent_in_their_own_words() {
    let world = world().await;
    let (id, _) = agent(&world, "http://127.0.0.1:9/webhook").await;
    let patch = |body: serde_json::Value| {
        let patch = serde_json::from_value(body).unwrap();
        world.engine.patch_agent(&world.analyst, id, patch)
    };
    let view = patch(json!({
        "auth_header_name": "X-Agent-Key", "auth_header_value": "another-secret",
        "trigger_on_sources": ["sentinel"], "trigger_on_severities": ["High"],
    }))
    .await
    .unwrap();
    assert_eq!(view.auth_header_name.as_deref(), Some("X-Agent-Key"));
    assert_eq!(view.trigger_on_sources, ["sentinel"]);
    let half = patch(json!({"auth_header_name": "X-Other"})).await;
    assert_eq!(half.unwrap_err().code, ErrorCode::ValidationError);
    let view = patch(json!({"auth_header_value": null, "trigger_on_severities": null}))
        .await
        .unwrap();
    assert!(!view.has_auth_header);
    assert!(view.trigger_on_severities.is_empty());
    let unknown = patch(json!({"trigger_on_sources": ["nowhere"]})).await;
    assert_eq!(unknown.unwrap_err().code, ErrorCode::ValidationError);
    let log = serde_json::to_string(&world.events(&world.analyst).await).unwrap();
    assert!(log.contains("X-Agent-Key") || log.contains("auth_header"));
    assert!(!log.contains("another-secret"), "a secret is in no event");
}

#[tokio::test]
async fn a_probe_tells_who_answers_from_who_does_not() {
    let world = world().await;
    let (url, served) = peer();
    let (there, _) = agent(&world, &url).await;
    let probe = world
        .engine
        .probe_agent(&world.analyst, there)
        .await
        .unwrap();
    assert!(probe.reachable, "{:?}", probe.error);
    assert_eq!(probe.class, "loopback");
    assert!(served.join().unwrap().starts_with("HEAD /webhook"));
    // The port was given back with the listener: nobody is there any more.
    let probe = world
        .engine
        .probe_agent(&world.analyst, there)
        .await
        .unwrap();
    assert!(!probe.reachable);
    assert!(probe.error.is_some());
}

#[tokio::test]
async fn a_preview_shows_what_matched_and_what_nearly_did() {
    let world = world().await;
    for (title, severity) in [("a", "High"), ("b", "Critical"), ("c", "Low")] {
        let body = json!({"title": title, "severity": severity});
        world.ingest("generic", &body).await;
    }
    let request = |filter: serde_json::Value| PreviewRequest {
        trigger_filter: Some(filter),
        days: Some(1),
    };
    let view = world
        .engine
        .preview_filter(request(json!({"min_severity": "High"})))
        .await
        .unwrap();
    assert_eq!((view.matched, view.of), (2, 3));
    assert_eq!(view.near_misses.len(), 1);
    assert_eq!(view.near_misses[0].title, "c");
    let all = world
        .engine
        .preview_filter(request(json!({})))
        .await
        .unwrap();
    assert_eq!(all.matched, 3);
    assert_eq!(all.warnings.len(), 1);
    let refused = world
        .engine
        .preview_filter(request(json!({"min_severty": "High"})))
        .await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::ValidationError);
}

#[tokio::test]
async fn the_log_is_read_by_kind_actor_and_alert_and_audit_needs_admin() {
    let world = world().await;
    let agent = world.key("agent", &["alerts:read", "alerts:write"]).await;
    let first = world.ingest("generic", &json!({"title": "one"})).await;
    world.ingest("generic", &json!({"title": "two"})).await;
    let triaging = AlertPatch {
        status: Patch::Set("Triaging".to_owned()),
        ..AlertPatch::default()
    };
    world
        .engine
        .patch_alert(&agent, first, triaging)
        .await
        .unwrap();
    let kinds = |by: &crate::Principal, query: ActivityQuery| {
        let (engine, by) = (world.engine.clone(), by.clone());
        async move {
            let listed = engine.activity(&by, query, PAGE).await?;
            let kinds: Vec<String> = listed.rows.into_iter().map(|event| event.kind).collect();
            Ok::<_, crate::Problem>(kinds)
        }
    };
    let all = ActivityQuery::default();
    let seen = kinds(&world.analyst, all.clone()).await.unwrap();
    assert_eq!(
        seen,
        [
            "alert.updated",
            "alert.created",
            "alert.created",
            "key.created"
        ]
    );
    let seen = kinds(&agent, all).await.unwrap();
    assert_eq!(seen.len(), 3, "a reader of alerts sees no keys");
    let of = |kind: &str| ActivityQuery {
        kinds: vec![kind.to_owned()],
        ..ActivityQuery::default()
    };
    let refused = kinds(&agent, of("key")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Forbidden);
    let typo = kinds(&agent, of("alert.creatd")).await.unwrap_err();
    assert_eq!(typo.code, ErrorCode::ValidationError);
    let by_agent = ActivityQuery {
        actor: Some("agent".to_owned()),
        ..ActivityQuery::default()
    };
    assert_eq!(kinds(&agent, by_agent).await.unwrap(), ["alert.updated"]);
    let of_first = ActivityQuery {
        alert: Some(first),
        ..ActivityQuery::default()
    };
    assert_eq!(kinds(&agent, of_first).await.unwrap().len(), 2);
}
