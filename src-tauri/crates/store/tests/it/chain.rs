//! The event log: whatever is done to it behind the store's back is noticed.

use std::path::Path;

use calseta_store::tables::event;
use calseta_store::{StoreError, WriteTx};
use rusqlite::Connection;

use crate::world::{append_event, fresh, open};

/// Events of the log that is tampered with.
const EVENTS: usize = 60;
/// Tamperings.
const ROUNDS: usize = 100;

/// A small deterministic generator.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap_or(0) % end
    }
}

/// One change that the triggers would have refused; what it was.
fn tamper(conn: &Connection, dice: &mut Dice) -> String {
    let last = i64::try_from(EVENTS).unwrap_or(1);
    let seq = 1 + dice.below(last - 1);
    let other = 1 + (seq + dice.below(last - 2)) % (last - 1);
    let edits = [
        "at = at + 1",
        "actor_kind = 'agent'",
        "actor_name = actor_name || ' '",
        "actor_prefix = 'cai_'",
        "kind = 'alert.closed'",
        "object_kind = 'agent'",
        "object_uuid = zeroblob(16)",
        "object_uuid = NULL",
        "alert_uuid = zeroblob(16)",
        "alert_uuid = NULL",
        "detail = '{}'",
        "detail = detail || ' '",
        "detail_sha256 = zeroblob(32)",
        "prev = zeroblob(32)",
        "hash = zeroblob(32)",
    ];
    let edit = edits[usize::try_from(dice.below(15)).unwrap_or(0)];
    // The very first event's `prev` is zeroes already.
    let seq = if edit.starts_with("prev") {
        seq.max(2)
    } else {
        seq
    };
    let sql = match dice.below(5) {
        0 => format!("DELETE FROM event WHERE seq = {seq}"),
        1 if seq != other => format!(
            "UPDATE event SET seq = -1 WHERE seq = {seq};
             UPDATE event SET seq = {seq} WHERE seq = {other};
             UPDATE event SET seq = {other} WHERE seq = -1"
        ),
        2 => format!(
            "UPDATE event SET seq = -seq - 1 WHERE seq > {seq};
             UPDATE event SET seq = -seq WHERE seq < 0;
             INSERT INTO event SELECT {seq} + 1, at, actor_kind, actor_name, actor_prefix, kind,
               object_kind, object_uuid, alert_uuid, detail, detail_sha256, prev, hash
             FROM event WHERE seq = {seq}"
        ),
        _ => format!("UPDATE event SET {edit} WHERE seq = {seq}"),
    };
    conn.execute_batch(&sql).expect("the change can be made");
    sql
}

async fn verified(dir: &Path) -> Result<i64, i64> {
    let store = open(dir);
    let seen = store
        .read(|tx| event::verify(tx))
        .await
        .expect("the log can be read");
    seen.map(|head| head.seq)
}

async fn original() -> tempfile::TempDir {
    let (dir, store) = fresh();
    for n in 0..EVENTS {
        let append = move |tx: &WriteTx<'_>| append_event(tx, n);
        store.write(append).await.expect("an event is kept");
    }
    store.close(crate::world::now()).await;
    dir
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_tampering_is_noticed() {
    let from = original().await;
    let mut dice = Dice(0x0bad_5eed);
    for round in 0..ROUNDS {
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::copy(
            from.path().join("calseta.db"),
            dir.path().join("calseta.db"),
        )
        .expect("the log can be copied");
        let conn = Connection::open(dir.path().join("calseta.db")).expect("it opens");
        conn.execute_batch(
            "DROP TRIGGER event_no_delete; DROP TRIGGER event_no_update;
             DROP TRIGGER event_only_drop_detail;",
        )
        .expect("the triggers can be dropped");
        let what = tamper(&conn, &mut dice);
        drop(conn);
        assert!(
            verified(dir.path()).await.is_err(),
            "round {round} was not noticed: {what}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_untouched_log_and_one_without_details_verify() {
    let dir = original().await;
    let all = i64::try_from(EVENTS).unwrap_or(0);
    assert_eq!(verified(dir.path()).await, Ok(all));
    let conn = Connection::open(dir.path().join("calseta.db")).expect("it opens");
    conn.execute("UPDATE event SET detail = NULL WHERE seq < 30", [])
        .expect("retention may drop details");
    drop(conn);
    assert_eq!(
        verified(dir.path()).await,
        Ok(all),
        "a dropped detail breaks nothing"
    );
}

#[tokio::test]
async fn the_triggers_refuse_changes() {
    let dir = original().await;
    let conn = Connection::open(dir.path().join("calseta.db")).expect("it opens");
    for sql in [
        "DELETE FROM event WHERE seq = 3",
        "UPDATE event SET actor_name = 'x' WHERE seq = 3",
        "UPDATE event SET hash = zeroblob(32) WHERE seq = 3",
        "UPDATE event SET detail = '{}' WHERE seq = 3",
    ] {
        let refused: Result<usize, StoreError> = conn.execute(sql, []).map_err(StoreError::from);
        assert!(refused.is_err(), "{sql}");
    }
}
