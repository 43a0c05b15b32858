//! What becomes of single messages: refused, put off, hanging, given up, replayed, answered.

use std::time::Duration;

use serde_json::json;

use super::delivery::{DAY_MS, DEAD, DEADLINE, HOUR_MS, MINUTE_MS};
use super::peer::Peer;
use super::world;
use crate::Backlog;
use crate::stage::deliver;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_refused_dies_alone() {
    for status in ["400 Bad", "413 Large", "415 Media", "422 No"] {
        let world = world().await;
        let peer = Peer::answering(status);
        let agent = world.agent_at(&peer, |_| {}).await;
        world.alerts(1..=6).await;
        for wait in [0, 6_000, 36_000, HOUR_MS] {
            world.clock.advance_millis(wait);
            world.deliver().await;
        }
        assert_eq!(peer.received().len(), 18, "{status}: three attempts each");
        assert_eq!(world.states(agent).await, vec!["dead"; 6], "{status}");
        assert_eq!(world.agent_view(agent).await.health, "closed", "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_kept_between_the_schedule_and_an_hour() {
    for (named, waits) in [("1", 5_000), ("120", 120_000), ("86400", HOUR_MS)] {
        for status in [503, 429] {
            let world = world().await;
            let peer = Peer::answering(&format!("{status} Later\r\nRetry-After: {named}"));
            let agent = world.agent_at(&peer, |_| {}).await;
            world.alerts([1]).await;
            world.deliver().await;
            let delivery = &world.listed(agent).await[0];
            let wait = delivery.next_attempt_at.unwrap().millis() - world.clock.now().millis();
            // 429 is a sign of overload: a minute at least. Jitter moves the schedule by a fifth.
            let least = if status == 429 {
                waits.max(MINUTE_MS)
            } else {
                waits
            };
            let fits = (least * 4 / 5..=least * 6 / 5).contains(&wait);
            assert!(fits, "{status}, {named}: {wait}");
            peer.answer("200 OK");
            world.clock.advance_millis(wait);
            world.deliver().await;
            assert_eq!(peer.received().len(), 2, "one extra attempt");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let world = world().await;
    let elsewhere = Peer::answering("200 OK");
    let peer = Peer::answering(&format!("302 Found\r\nLocation: {}", elsewhere.url));
    let agent = world.agent_at(&peer, |_| {}).await;
    world.alerts([1]).await;
    world.deliver().await;
    assert_eq!(world.states(agent).await, ["due"]);
    assert!(elsewhere.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_agent_that_hangs_keeps_its_own_places_and_no_others() {
    let world = world().await;
    let hung = Peer::answering("200 OK");
    hung.hold();
    let slow = world
        .agent_at(&hung, |request| request.max_in_flight = Some(2))
        .await;
    let healthy: Vec<Peer> = (0..5).map(|_| Peer::answering("200 OK")).collect();
    for peer in &healthy {
        world.agent_at(peer, |_| {}).await;
    }
    world.alerts(1..=6).await;
    let inner = &world.engine.inner;
    let all = || healthy.iter().all(|peer| peer.received().len() == 6);
    let until = tokio::time::Instant::now() + DEADLINE;
    while !all() {
        assert!(tokio::time::Instant::now() < until, "the healthy ones wait");
        if deliver::step(inner).await.unwrap() != deliver::Step::Worked {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    world
        .until("the hung agent has its two", || hung.received().len() == 2)
        .await;
    let states = world.states(slow).await;
    let in_flight = states.iter().filter(|state| *state == "in_flight");
    assert_eq!(in_flight.count(), 2, "its cap, not one more");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_replayed_once_under_its_own_id() {
    let world = world().await;
    let peer = Peer::answering("422 No");
    let agent = world.agent_at(&peer, |_| {}).await;
    world.alerts(1..=3).await;
    for wait in [0, 6_000, 36_000] {
        world.clock.advance_millis(wait);
        world.deliver().await;
    }
    assert_eq!(world.states(agent).await, vec!["dead"; 3]);
    let first = peer.received();
    peer.answer("200 OK");
    world.clock.advance_millis(DAY_MS);
    let made = world.listed(agent).await[0].created_at;
    let none = Backlog {
        from: Some(made.plus_millis(1)),
        ..DEAD
    };
    let recover = |backlog| {
        world
            .engine
            .recover_deliveries(&world.analyst, agent, backlog)
    };
    assert_eq!(recover(none).await.unwrap(), 0, "made before the range");
    assert_eq!(recover(DEAD).await.unwrap(), 3);
    assert_eq!(
        recover(DEAD).await.unwrap(),
        0,
        "pressed twice changes nothing"
    );
    world.deliver().await;
    assert_eq!(recover(DEAD).await.unwrap(), 0);
    world.deliver().await;
    let again = peer.received().split_off(first.len());
    assert_eq!(again.len(), 3, "each once");
    for one in &again {
        let id = one.header("webhook-id");
        let known = first.iter().find(|r| r.header("webhook-id") == id).unwrap();
        assert_eq!(known.body, one.body);
        let seconds =
            |r: &super::peer::Received| r.header("webhook-timestamp").parse::<i64>().unwrap();
        assert!(
            seconds(one) >= seconds(known) + DAY_MS / 1_000,
            "a new timestamp"
        );
        assert_ne!(
            known.header("webhook-signature"),
            one.header("webhook-signature")
        );
    }
    let fresh = world.listed(agent).await;
    assert!(fresh.iter().all(|delivery| delivery.state == "delivered"));
    // One that is replayed and fails has its schedule before it again, not one attempt.
    peer.answer("500 Oops");
    let delivery = fresh[0].uuid;
    world
        .engine
        .redeliver_as_sent(&world.analyst, delivery)
        .await
        .unwrap();
    world.deliver().await;
    assert_eq!(world.engine.delivery(delivery).await.unwrap().state, "due");
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_now_behind_an_open_breaker_is_the_probe() {
    let world = world().await;
    let peer = Peer::answering("500 Oops");
    let agent = world.agent_at(&peer, |_| {}).await;
    world.alerts(1..=6).await;
    world.deliver().await;
    let delivery = world.listed(agent).await[5].uuid;
    let tried = peer.received().len();
    peer.answer("200 OK");
    world
        .engine
        .redeliver_as_sent(&world.analyst, delivery)
        .await
        .unwrap();
    world.deliver().await;
    assert_eq!(peer.received().len(), tried + 6, "the clock did not move");
    assert_eq!(world.states(agent).await, vec!["delivered"; 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_posted_again_for_the_same_delivery_is_one() {
    let world = world().await;
    let peer = Peer::answering("200 OK");
    let agent = world.agent_at(&peer, |_| {}).await;
    let other = world.agent_at(&peer, |_| {}).await;
    world.alerts([1]).await;
    world.deliver().await;
    let delivery = world.listed(agent).await.remove(0);
    let alert = delivery.alert_uuid.unwrap();
    let again = world
        .engine
        .redeliver_current(&world.analyst, delivery.uuid)
        .await
        .unwrap();
    world.deliver().await;
    let post = |by: crate::Principal, webhook_id: String, text: &str| {
        let body = json!({"summary": text, "confidence": 0.5});
        let request = serde_json::from_value(body.clone()).unwrap();
        let posted = crate::PostedWith {
            key: None,
            webhook_id: Some(webhook_id),
            body: body.to_string().into_bytes(),
        };
        let engine = world.engine.clone();
        async move {
            engine
                .post_finding(&by, alert, request, posted)
                .await
                .unwrap()
                .0
        }
    };
    let first_key = world.key_of(agent).await;
    let first = post(first_key.clone(), delivery.webhook_id.clone(), "seen").await;
    // Its next key is still the agent.
    for key in [first_key.clone(), world.key_of(agent).await] {
        let same = post(key, delivery.webhook_id.clone(), "seen").await;
        assert_eq!(same.uuid, first.uuid);
    }
    assert_eq!(first.delivery_uuid, Some(delivery.uuid));
    // A late one about the earlier delivery, and one about the later: both are kept and linked.
    let late = post(first_key.clone(), delivery.webhook_id.clone(), "seen, late").await;
    assert_eq!(late.delivery_uuid, Some(delivery.uuid));
    let newer = post(first_key, again.webhook_id.clone(), "seen").await;
    assert_eq!(newer.delivery_uuid, Some(again.uuid));
    let stranger = post(
        world.key_of(other).await,
        delivery.webhook_id.clone(),
        "seen",
    )
    .await;
    assert_eq!(
        stranger.delivery_uuid, None,
        "it answers what it was not sent"
    );
    assert_eq!(world.engine.findings(alert).await.unwrap().len(), 4);
}
