//! Deliveries against real sockets, on a standing clock, step by step.

use std::time::Duration;

use calseta_contract::Patch;
use calseta_contract::agent::{AgentPatch, AgentRequest, AgentView, EnableRequest};
use calseta_contract::delivery::DeliveryView;
use calseta_domain::breaker::{Cause, Health};
use calseta_domain::{AgentId, ErrorCode};
use serde_json::json;

use super::peer::Peer;
use super::{PAGE, World, world};
use crate::stage::{deliver, matching};
use crate::{Backlog, DeliveryListQuery, Waits};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Tenfold what a loopback answer takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);
const DEAD: Backlog = Backlog {
    state: Waits::Dead,
    from: None,
    to: None,
};

impl World {
    async fn agent_at(&self, peer: &Peer, change: impl FnOnce(&mut AgentRequest)) -> AgentId {
        let mut request = AgentRequest {
            name: "agent".to_owned(),
            webhook_url: Some(peer.url.clone()),
            ..AgentRequest::default()
        };
        change(&mut request);
        let made = self.engine.create_agent(&self.analyst, request).await;
        made.unwrap().uuid
    }

    /// The holder of a new key of an agent.
    async fn key_of(&self, agent: AgentId) -> crate::Principal {
        let request = calseta_contract::api_key::ApiKeyRequest {
            name: "its key".to_owned(),
            scopes: vec!["alerts:read".to_owned(), "alerts:write".to_owned()],
            agent_uuid: Some(agent),
            ..Default::default()
        };
        let made = self.engine.create_api_key(&self.analyst, request).await;
        let key = made.unwrap().key.unwrap();
        self.engine.authenticate(&key).await.unwrap()
    }

    async fn alerts(&self, names: impl IntoIterator<Item = u32>) {
        for n in names {
            let body = json!({"title": format!("alert {n}"), "severity": "High"});
            self.ingest("generic", &body).await;
        }
        let inner = &self.engine.inner;
        while matching::step(inner).await.unwrap() == matching::Step::Worked {}
    }

    /// Does all that can be done now; waits for every attempt's end.
    async fn deliver(&self) {
        let inner = &self.engine.inner;
        while deliver::step(inner).await.unwrap() == deliver::Step::Worked {
            self.until("every attempt has ended", || inner.deliveries.is_idle())
                .await;
        }
    }

    async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let until = tokio::time::Instant::now() + DEADLINE;
        while !holds() {
            assert!(tokio::time::Instant::now() < until, "waited for: {what}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn agent_view(&self, id: AgentId) -> AgentView {
        self.engine.agent(id).await.unwrap()
    }

    async fn listed(&self, agent: AgentId) -> Vec<DeliveryView> {
        let query = DeliveryListQuery {
            agent: Some(agent),
            ..DeliveryListQuery::default()
        };
        let mut rows = self.engine.deliveries(query, PAGE).await.unwrap().rows;
        rows.reverse();
        rows
    }

    async fn states(&self, agent: AgentId) -> Vec<String> {
        let listed = self.listed(agent).await;
        listed.into_iter().map(|delivery| delivery.state).collect()
    }

    /// What the log says became of agents.
    async fn told_of_agents(&self) -> Vec<String> {
        let events = self.events(&self.analyst).await;
        let agents = events.iter().filter(|(kind, _)| kind == "agent.updated");
        agents
            .map(|(_, detail)| detail["what"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

fn titles(range: impl IntoIterator<Item = u32>) -> Vec<String> {
    range.into_iter().map(|n| format!("alert {n}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_agents_messages_wait_and_follow_in_order_when_it_is_back() {
    let world = world().await;
    let peer = Peer::answering("500 Oops");
    let agent = world.agent_at(&peer, |_| {}).await;
    world.alerts(1..=10).await;
    world.deliver().await;
    let view = world.agent_view(agent).await;
    let breaker = view.breaker.unwrap();
    assert_eq!(breaker.state, Health::Open);
    assert_eq!(breaker.cause, Some(Cause::Failures));
    let due = world.clock.now().plus_millis(5_000);
    assert_eq!(breaker.next_probe_at, Some(due), "the first probe is soon");
    assert_eq!(view.backlog.unwrap().parked, 10);
    let tried = peer.received().len();
    assert!(
        (5..=8).contains(&tried),
        "the cap bounds what is tried: {tried}"
    );
    // Alerts that come meanwhile wait too, and are not tried.
    world.alerts(11..=12).await;
    world.deliver().await;
    assert_eq!(peer.received().len(), tried);
    // The oldest message is the probe; each failed one waits longer, and costs the message nothing.
    for (n, wait) in [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]
        .into_iter()
        .enumerate()
    {
        world.clock.advance_millis(wait - 1);
        world.deliver().await;
        assert_eq!(peer.received().len(), tried + n, "not before its time");
        world.clock.advance_millis(1);
        world.deliver().await;
        assert_eq!(
            peer.received().len(),
            tried + n + 1,
            "one message is the probe"
        );
    }
    // Alerts that come together are matched together: the order is that of their deliveries.
    let listed = world.listed(agent).await;
    let made: Vec<String> = listed.into_iter().filter_map(|d| d.alert_title).collect();
    let probes = &peer.titles()[tried..];
    assert!(
        probes[..3].iter().all(|title| *title == made[0]),
        "{probes:?}"
    );
    assert!(
        probes[3..].iter().all(|title| *title == made[1]),
        "then the next: {probes:?}"
    );
    let world = world.crashed().await;
    assert_eq!(
        world.agent_view(agent).await.health,
        "open",
        "a crash changes nothing"
    );
    peer.answer("200 OK");
    let before = peer.received().len();
    world.clock.advance_millis(MINUTE_MS);
    world.deliver().await;
    let delivered = peer.titles().split_off(before);
    assert_eq!(delivered.len(), 12, "every message once: {delivered:?}");
    assert_eq!(delivered[0], made[2], "the probe");
    let (mut sorted, mut all) = (delivered.clone(), made.clone());
    sorted.sort();
    all.sort();
    assert_eq!(sorted, all);
    let view = world.agent_view(agent).await;
    assert_eq!(view.breaker.unwrap().state, Health::Closed);
    assert_eq!(world.states(agent).await, vec!["delivered"; 12]);
    for delivery in world.listed(agent).await {
        let mine = |r: &&super::peer::Received| r.header("webhook-id") == delivery.webhook_id;
        let received = peer.received();
        let bodies: Vec<_> = received.iter().filter(mine).map(|r| &r.body).collect();
        assert!(
            bodies.windows(2).all(|pair| pair[0] == pair[1]),
            "the same bytes"
        );
        assert_eq!(bodies.len(), delivery.attempts.len());
    }
    let told = world.told_of_agents().await;
    assert_eq!(
        told,
        [
            "registered",
            "paused by its circuit breaker",
            "back: what was parked is sent"
        ],
        "one word when it stops, one when it is back"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn with_one_place_a_backlog_follows_in_the_order_of_its_making() {
    let world = world().await;
    let peer = Peer::answering("503 Busy");
    let agent = world
        .agent_at(&peer, |request| request.max_in_flight = Some(1))
        .await;
    world.alerts(1..=8).await;
    // One attempt at a time: the fifth failure in a row opens the breaker.
    world.deliver().await;
    assert_eq!(peer.titles(), titles(1..=5));
    peer.answer("200 OK");
    world.clock.advance_millis(5_000);
    world.deliver().await;
    assert_eq!(
        peer.titles().split_off(5),
        titles(1..=8),
        "those tried before too"
    );
    assert_eq!(world.states(agent).await, vec!["delivered"; 8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_gone_is_disabled_and_misses_nothing_once_it_is_enabled() {
    let world = world().await;
    let peer = Peer::answering("410 Gone");
    let agent = world
        .agent_at(&peer, |request| request.max_in_flight = Some(1))
        .await;
    world.alerts(1..=3).await;
    world.deliver().await;
    assert_eq!(peer.received().len(), 1, "it was asked once");
    let view = world.agent_view(agent).await;
    assert_eq!((view.is_active, &*view.health), (false, "disabled"));
    world.alerts(4..=5).await;
    world.clock.advance_millis(9 * DAY_MS);
    world.deliver().await;
    assert_eq!(peer.received().len(), 1);
    assert_eq!(
        world.states(agent).await,
        ["dead", "parked", "parked", "parked", "parked"]
    );
    let parked = Backlog {
        state: Waits::Parked,
        ..DEAD
    };
    let refused = world
        .engine
        .recover_deliveries(&world.analyst, agent, parked)
        .await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::AgentInactive);
    peer.answer("204 No Content");
    let request = EnableRequest { recover: true };
    let enabled = world
        .engine
        .enable_agent(&world.analyst, agent, request)
        .await;
    assert_eq!(enabled.unwrap().health, "closed");
    world.deliver().await;
    assert_eq!(world.states(agent).await, vec!["delivered"; 5]);
    let mut delivered = peer.titles().split_off(1);
    delivered.sort();
    assert_eq!(delivered, titles(1..=5));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_switches_a_disabled_agent_off_keeps_nothing_more_for_it() {
    let world = world().await;
    let peer = Peer::answering("410 Gone");
    let agent = world.agent_at(&peer, |_| {}).await;
    world.alerts([1]).await;
    world.deliver().await;
    let off = AgentPatch {
        is_active: Patch::Set(false),
        ..AgentPatch::default()
    };
    let view = world.engine.patch_agent(&world.analyst, agent, off).await;
    assert_eq!(view.unwrap().health, "closed");
    world.alerts([2]).await;
    assert_eq!(world.states(agent).await, ["dead"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_awake_time_gives_an_agent_up() {
    let world = world().await;
    let peer = Peer::answering("500 Oops");
    let agent = world.agent_at(&peer, |_| {}).await;
    world.alerts(1..=6).await;
    world.deliver().await;
    // Thirty probes, each after nine days of sleep.
    for _ in 0..30 {
        world.clock.sleep_millis(9 * DAY_MS);
        let before = peer.received().len();
        world.deliver().await;
        assert_eq!(peer.received().len(), before + 1, "one probe, no burst");
    }
    let view = world.agent_view(agent).await;
    assert_eq!((view.is_active, &*view.health), (true, "open"));
    for _ in 0..23 {
        world.clock.advance_millis(HOUR_MS);
        world.deliver().await;
    }
    assert_eq!(world.agent_view(agent).await.health, "open");
    world.clock.advance_millis(HOUR_MS);
    world.deliver().await;
    let view = world.agent_view(agent).await;
    assert_eq!((view.is_active, &*view.health), (false, "disabled"));
    let breaker = view.breaker.unwrap();
    assert_eq!(breaker.cause, Some(Cause::Silent));
    assert_eq!(
        world.states(agent).await,
        vec!["parked"; 6],
        "nothing is given up"
    );
    peer.answer("200 OK");
    let request = EnableRequest::default();
    world
        .engine
        .enable_agent(&world.analyst, agent, request)
        .await
        .unwrap();
    world.deliver().await;
    assert_eq!(world.states(agent).await, vec!["delivered"; 6]);
}

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
async fn refused_credentials_pause_at_once_and_new_ones_are_tried_at_once() {
    let world = world().await;
    let peer = Peer::answering("401 Unauthorized");
    let agent = world
        .agent_at(&peer, |request| request.max_in_flight = Some(1))
        .await;
    world.alerts(1..=3).await;
    world.deliver().await;
    assert_eq!(
        peer.received().len(),
        1,
        "the second is not sent into the same wall"
    );
    let breaker = world.agent_view(agent).await.breaker.unwrap();
    assert_eq!(breaker.cause, Some(Cause::Credentials));
    peer.answer("200 OK");
    let header = AgentPatch {
        auth_header: Patch::Set("Bearer another".to_owned()),
        ..AgentPatch::default()
    };
    world
        .engine
        .patch_agent(&world.analyst, agent, header)
        .await
        .unwrap();
    world.deliver().await;
    assert_eq!(world.states(agent).await, vec!["delivered"; 3]);
    assert_eq!(peer.received()[1].header("authorization"), "Bearer another");
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
