//! What a process leaves in hand is nobody's once another has the directory.

use calseta_store::tables::delivery;
use calseta_store::tables::job::{self, JobKind};
use calseta_store::{StoreError, WriteTx};
use rusqlite::Connection;

use crate::world::{fresh, insert_agent, insert_alert, insert_delivery, lease, now, open};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orphans_are_reset_at_once_when_the_store_opens() {
    let (dir, store) = fresh();
    let boot = store.boot();
    let (job, claimed) = store
        .write(move |tx: &WriteTx<'_>| {
            let alert = insert_alert(tx, 1)?;
            let agent = insert_agent(tx)?;
            job::insert(tx, JobKind::Match, (alert, 0), now(), now())?;
            let jobs = job::claim_of(tx, (JobKind::Match, 0), lease(boot), 8, now())?;
            insert_delivery(tx, (alert, agent), 5)?;
            let claimed = delivery::claim(tx, agent, lease(boot), 8, now())?;
            Ok::<_, StoreError>((jobs[0].clone(), claimed[0].clone()))
        })
        .await
        .expect("both are in hand");
    drop(store);
    let store = open(dir.path());
    let again = store.boot();
    assert!(again > boot, "a new process has a new number");
    let (late_finish, late_settle, jobs, retaken, attempts) = store
        .write(move |tx: &WriteTx<'_>| {
            // What the earlier process might still send is refused.
            let late_finish = job::finish(tx, &job, boot)?;
            let outcome = delivery::AttemptOutcome {
                outcome: "ok",
                status_code: Some(200),
                remote_ip: None,
                duration_ms: 1,
                response_excerpt: None,
                error: None,
            };
            let settled = (&outcome, &delivery::Settled::Delivered, 1);
            let late_settle = delivery::settle(tx, &claimed, boot, settled, now())?;
            let jobs = job::claim_of(tx, (JobKind::Match, 0), lease(again), 8, now())?;
            let retaken = delivery::claim(tx, claimed.agent, lease(again), 8, now())?;
            let attempts = delivery::attempts(tx, claimed.id)?;
            Ok::<_, StoreError>((late_finish, late_settle, jobs, retaken, attempts))
        })
        .await
        .expect("the orphans can be looked at");
    assert!(
        !late_finish && !late_settle,
        "an earlier process still holds what it left"
    );
    assert_eq!(jobs.len(), 1, "the job is due again");
    assert_eq!(retaken.len(), 1, "the delivery is due again");
    assert_eq!(retaken[0].attempt, 2);
    assert_eq!(
        attempts[0].outcome.as_deref(),
        Some("unknown"),
        "the agent may have had it"
    );
    assert!(attempts[0].ended_at.is_some());
    let conn = Connection::open(dir.path().join("calseta.db")).expect("another connection");
    let crashes: i64 = conn
        .query_row("SELECT crashes FROM job", [], |row| row.get(0))
        .expect("the job is there");
    assert_eq!(crashes, 1, "a crash is counted apart from an error");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_generation_reaches_an_agent_once() {
    let (_dir, store) = fresh();
    let (first, second) = store
        .write(|tx: &WriteTx<'_>| {
            let alert = insert_alert(tx, 1)?;
            let agent = insert_agent(tx)?;
            let first = insert_delivery(tx, (alert, agent), 5)?;
            Ok::<_, StoreError>((first, insert_delivery(tx, (alert, agent), 6)?))
        })
        .await
        .expect("the write is kept");
    assert!(first.is_some());
    assert_eq!(
        second, None,
        "the same alert, agent and generation are one delivery"
    );
}
