//! Work that ends the process, breaks off or hangs.

use calseta_domain::{AlertId, EnrichmentStatus, ErrorCode};
use calseta_store::WriteTx;
use calseta_store::tables::job::{self, JobKind};
use serde_json::json;

use super::{World, world};
use crate::stage::{lease, matching, suspects};
use crate::{DeliveryListQuery, Problem};

impl World {
    /// Takes every due match in hand and does nothing about it.
    async fn take_all(&self) -> Vec<job::JobRow> {
        let inner = &self.engine.inner;
        let (lease, now) = (
            inner.lease(std::time::Duration::from_mins(1)),
            self.clock.now(),
        );
        let taken = inner.store.write(move |tx: &WriteTx<'_>| {
            Ok::<_, Problem>(job::claim_of(tx, (JobKind::Match, 0), lease, 50, now)?)
        });
        taken.await.unwrap()
    }
}

async fn is_enriched(world: &World, alert: AlertId) -> bool {
    let (view, _) = world.engine.alert(alert).await.unwrap();
    view.summary.enrichment_status != EnrichmentStatus::Pending
}

#[tokio::test]
async fn a_job_that_ends_the_process_three_times_is_quarantined_and_the_rest_drains() {
    let mut world = world().await;
    let mut alerts = Vec::new();
    for title in ["innocent", "poison", "later"] {
        alerts.push(world.ingest("generic", &json!({"title": title})).await);
    }
    for _ in 0..2 {
        assert_eq!(world.take_all().await.len(), 3, "all are in hand");
        world = world.crashed().await;
    }
    // From now on each is in hand alone. The second one ends the process.
    let inner = world.engine.inner.clone();
    let first = suspects::next(&inner).await.unwrap().unwrap();
    matching::one(&inner, first).await;
    let poison = suspects::next(&inner).await.unwrap().unwrap();
    drop(inner);
    world = world.crashed().await;
    let jobs = world.engine.quarantined_jobs().await.unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].subject.as_deref(), Some("poison"));
    assert_eq!(jobs[0].crashes, 3);
    let inner = world.engine.inner.clone();
    while let Some(job) = suspects::next(&inner).await.unwrap() {
        assert_ne!(job.id, poison.id);
        matching::one(&inner, job).await;
    }
    assert!(is_enriched(&world, alerts[0]).await);
    assert!(is_enriched(&world, alerts[2]).await);
    assert!(!is_enriched(&world, alerts[1]).await);
    let told = world.events(&world.analyst).await;
    let told = told.iter().find(|(kind, _)| kind == "job.updated").unwrap();
    assert_eq!(told.1["subject"], "poison");
    // A person has it tried once more; an agent's key may not.
    let agent = world.key("agent", &["admin"]).await;
    let refused = world.engine.release_job(&agent, jobs[0].uuid).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::HumanKeyRequired);
    let released = world.engine.release_job(&world.analyst, jobs[0].uuid).await;
    assert_eq!(released.unwrap().uuid, jobs[0].uuid);
    assert!(world.engine.quarantined_jobs().await.unwrap().is_empty());
    assert_eq!(
        matching::step(&inner).await.unwrap(),
        matching::Step::Worked
    );
    assert!(is_enriched(&world, alerts[1]).await);
    let gone = world.engine.release_job(&world.analyst, jobs[0].uuid).await;
    assert_eq!(gone.unwrap_err().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn work_that_hangs_is_taken_back_by_the_awake_clock_and_its_late_end_refused() {
    let world = world().await;
    world.ingest("generic", &json!({"title": "hung"})).await;
    let inner = world.engine.inner.clone();
    let taken = world.take_all().await.remove(0);
    // Nine days of sleep are no reason.
    world.clock.sleep_millis(9 * 24 * 3_600_000);
    let next = lease::step(&inner).await.unwrap();
    assert_eq!(next, Some(world.clock.now().plus_millis(60_000)));
    assert!(world.take_all().await.is_empty(), "it is still in hand");
    world.clock.advance_millis(60_000);
    lease::step(&inner).await.unwrap();
    let again = world.take_all().await.remove(0);
    assert!(again.token > taken.token);
    let boot = inner.store.boot();
    let late = inner
        .store
        .write(move |tx: &WriteTx<'_>| Ok::<_, Problem>(job::finish(tx, &taken, boot)?));
    assert!(!late.await.unwrap(), "who hung finishes nothing");
    assert_eq!(
        lease::step(&inner).await.unwrap(),
        Some(world.clock.now().plus_millis(60_000))
    );
    let none = world
        .engine
        .deliveries(DeliveryListQuery::default(), super::PAGE)
        .await;
    assert!(none.unwrap().rows.is_empty());
}
