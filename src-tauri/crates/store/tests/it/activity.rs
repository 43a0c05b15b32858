//! The log by filters, and work that waits for idle moments.

use calseta_domain::{AlertId, Timestamp};
use calseta_store::tables::Slice;
use calseta_store::tables::event::{self, Actor, EventFilter, NewEvent};
use calseta_store::{StoreError, WriteTx};
use serde_json::Map;
use uuid::Uuid;

use crate::world::{append_event, fresh, now};

const KINDS: &[&str] = &[
    "alert.created",
    "key.created",
    "auth.failed",
    "finding.created",
];
const EVENTS: usize = 60;

fn at(n: usize) -> Timestamp {
    now().plus_millis(i64::try_from(n).unwrap_or(0) * 1_000)
}

fn append(tx: &WriteTx<'_>, n: usize) -> Result<i64, StoreError> {
    let actor = Actor {
        kind: if n.is_multiple_of(3) {
            "agent"
        } else {
            "analyst"
        }
        .to_owned(),
        name: format!("name {}", n % 5),
        key_prefix: n.is_multiple_of(2).then(|| "cai_abcdefgh".to_owned()),
    };
    event::append(
        tx,
        NewEvent {
            at: at(n),
            actor: &actor,
            kind: KINDS[n % KINDS.len()],
            object: ("alert", None),
            alert: Some(AlertId::new(Uuid::from_u128((n % 7) as u128))),
            detail: Map::new(),
        },
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_the_log_has_what_its_filter_says_newest_first() {
    let (_dir, store) = fresh();
    let add = |tx: &WriteTx<'_>| (0..EVENTS).try_for_each(|n| append(tx, n).map(drop));
    store.write(add).await.expect("events are kept");
    let filter = EventFilter {
        kinds: vec!["key.created".to_owned(), "auth.failed".to_owned()],
        actor_kind: Some("analyst".to_owned()),
        actor_prefix: Some("cai_abcdefgh".to_owned()),
        from: Some(at(4)),
        to: Some(at(50)),
        ..EventFilter::default()
    };
    let expected: Vec<i64> = (4..=50)
        .rev()
        .filter(|n| matches!(n % 4, 1 | 2) && n % 3 != 0 && n % 2 == 0)
        .map(|n| n + 1)
        .collect();
    let slice = |limit, offset| Slice { limit, offset };
    let page = |filter: EventFilter, slice| {
        store.read(move |tx| {
            let (rows, total) = event::page(tx, &filter, slice)?;
            let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
            Ok::<_, StoreError>((seqs, total))
        })
    };
    let (seen, total) = page(filter.clone(), slice(3, 2)).await.unwrap();
    assert_eq!(seen, expected[2..5]);
    assert_eq!(total, expected.len() as u64);
    let before = EventFilter {
        before: Some(expected[4]),
        ..filter
    };
    assert_eq!(page(before, slice(99, 0)).await.unwrap().0, expected[5..]);
    let alert = EventFilter {
        alert: Some(AlertId::new(Uuid::from_u128(6))),
        actor_name: Some("name 3".to_owned()),
        ..EventFilter::default()
    };
    assert_eq!(page(alert, slice(99, 0)).await.unwrap().0, [49, 14]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_for_idle_moments_is_done_and_does_not_go_before_others() {
    let (_dir, store) = fresh();
    let store = std::sync::Arc::new(store);
    let idle = store.write_when_idle(|tx: &WriteTx<'_>| append_event(tx, 1));
    assert_eq!(idle.await.unwrap(), 1, "nobody else writes");
    let refused: Result<i64, StoreError> = store
        .write_when_idle(|_: &WriteTx<'_>| Err(StoreError::Conflict))
        .await;
    assert!(refused.is_err(), "an error is its own");
    // The writer is held up until both have been asked for; then the others go first.
    let (ready, go) = std::sync::mpsc::channel::<()>();
    let (begun, has_begun) = tokio::sync::oneshot::channel::<()>();
    let mut tasks = tokio::task::JoinSet::new();
    let held = std::sync::Arc::clone(&store);
    tasks.spawn(async move {
        let hold = move |tx: &WriteTx<'_>| {
            begun.send(()).map_err(|()| StoreError::Closed)?;
            go.recv().map_err(|_| StoreError::Closed)?;
            append_event(tx, 2)
        };
        held.write(hold).await
    });
    has_begun.await.expect("the writer begins");
    let (mut late, mut soon) = (
        Box::pin(store.write_when_idle(|tx: &WriteTx<'_>| append_event(tx, 3))),
        Box::pin(store.write(|tx: &WriteTx<'_>| append_event(tx, 4))),
    );
    // Polled once each, so that both stand in their lanes.
    assert!(is_pending(&mut late).await, "the writer is held up");
    assert!(is_pending(&mut soon).await, "the writer is held up");
    ready.send(()).expect("the writer waits");
    let (late, soon) = (late.await.unwrap(), soon.await.unwrap());
    assert!(soon < late, "{soon} was to come before {late}");
    store.close(now()).await;
    let closed = store.write_when_idle(|tx: &WriteTx<'_>| append_event(tx, 9));
    assert!(matches!(closed.await, Err(StoreError::Closed)));
}

/// Polls once; whether it is still pending.
async fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
    std::future::poll_fn(|cx| {
        let polled = std::pin::Pin::new(&mut *future).poll(cx);
        std::task::Poll::Ready(polled.is_pending())
    })
    .await
}
