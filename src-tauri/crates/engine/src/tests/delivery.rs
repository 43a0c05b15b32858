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
use crate::stage::{deliver, lease, matching};
use crate::{Backlog, DeliveryListQuery, Waits};

pub(super) const MINUTE_MS: i64 = 60_000;
pub(super) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;
/// Tenfold what a loopback answer takes on a busy machine.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);
pub(super) const DEAD: Backlog = Backlog {
    state: Waits::Dead,
    from: None,
    to: None,
};

impl World {
    pub(super) async fn agent_at(
        &self,
        peer: &Peer,
        change: impl FnOnce(&mut AgentRequest),
    ) -> AgentId {
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
    pub(super) async fn key_of(&self, agent: AgentId) -> crate::Principal {
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

    pub(super) async fn alerts(&self, names: impl IntoIterator<Item = u32>) {
        for n in names {
            let body = json!({"title": format!("alert {n}"), "severity": "High"});
            self.ingest("generic", &body).await;
        }
        let inner = &self.engine.inner;
        while matching::step(inner).await.unwrap() == matching::Step::Worked {}
    }

    /// Does all that can be done now; waits for every attempt's end.
    pub(super) async fn deliver(&self) {
        let inner = &self.engine.inner;
        while deliver::step(inner).await.unwrap() == deliver::Step::Worked {
            self.until("every attempt has ended", || inner.deliveries.is_idle())
                .await;
        }
    }

    pub(super) async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let until = tokio::time::Instant::now() + DEADLINE;
        while !holds() {
            assert!(tokio::time::Instant::now() < until, "waited for: {what}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub(super) async fn agent_view(&self, id: AgentId) -> AgentView {
        self.engine.agent(id).await.unwrap()
    }

    pub(super) async fn listed(&self, agent: AgentId) -> Vec<DeliveryView> {
        let query = DeliveryListQuery {
            agent: Some(agent),
            ..DeliveryListQuery::default()
        };
        let mut rows = self.engine.deliveries(query, PAGE).await.unwrap().rows;
        rows.reverse();
        rows
    }

    pub(super) async fn states(&self, agent: AgentId) -> Vec<String> {
        let listed = self.listed(agent).await;
        listed.into_iter().map(|delivery| delivery.state).collect()
    }

    /// What the log says became of agents.
    pub(super) async fn told_of_agents(&self) -> Vec<String> {
        let events = self.events(&self.analyst).await;
        let agents = events.iter().filter(|(kind, _)| kind == "agent.updated");
        agents
            .map(|(_, detail)| detail["what"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

pub(super) fn titles(range: impl IntoIterator<Item = u32>) -> Vec<String> {
    range.into_iter().map(|n| format!("alert {n}")).collect()
}

/// The oldest message is the probe; each failed one waits longer, and costs the message nothing.
/// The alerts' titles in the order of their deliveries.
async fn probe_six_times(world: &World, peer: &Peer, agent: AgentId) -> Vec<String> {
    let tried = peer.received().len();
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
    made
}

/// Every attempt of a delivery sent the same bytes under the same id.
async fn same_message_each_time(world: &World, peer: &Peer, agent: AgentId) {
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
    let made = probe_six_times(&world, &peer, agent).await;
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
    same_message_each_time(&world, &peer, agent).await;
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
async fn a_clock_that_is_set_back_strands_nothing() {
    let world = world().await;
    let (away, other) = (Peer::answering("500 Oops"), Peer::answering("500 Oops"));
    let agent = world.agent_at(&away, |_| {}).await;
    world.alerts(1..=6).await;
    world.deliver().await;
    // The clock runs nine days ahead while a probe is made and an attempt fails.
    world.clock.sleep_millis(9 * DAY_MS);
    let late = world.agent_at(&other, |_| {}).await;
    world.alerts([7]).await;
    world.deliver().await;
    assert_eq!(world.states(late).await, ["due"]);
    world.clock.sleep_millis(-9 * DAY_MS);
    away.answer("200 OK");
    other.answer("200 OK");
    world.deliver().await;
    assert_eq!(world.states(late).await, ["due"], "it is days away");
    lease::step(&world.engine.inner).await.unwrap();
    world.deliver().await;
    assert_eq!(world.states(late).await, ["delivered"]);
    assert_eq!(world.states(agent).await, vec!["delivered"; 7]);
    // What was put off by a clock that is right stays where it is.
    away.answer("503 Later\r\nRetry-After: 3600");
    world.alerts([8]).await;
    world.deliver().await;
    let before = world.listed(agent).await.pop().unwrap().next_attempt_at;
    lease::step(&world.engine.inner).await.unwrap();
    assert_eq!(
        world.listed(agent).await.pop().unwrap().next_attempt_at,
        before
    );
}
