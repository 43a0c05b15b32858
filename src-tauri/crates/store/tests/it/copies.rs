//! Backups are whole and hold what was answered before they began; damaged files stay untouched and
//! give back what can be read of them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use calseta_store::tables::integrity;
use calseta_store::{BackupFiles, CopyError, DataDir, Depth, OpenError, Store, StoreError};
use rusqlite::Connection;
use tokio::task::JoinSet;

use crate::world::{append_event, fresh, insert_alert, now, open, write};

/// Tasks that write while a copy is made.
const WRITERS: u64 = 4;
/// Alerts that must be answered before the copy begins.
const BEFORE: u64 = 200;
/// Damaged files that are tried.
const DAMAGED: u64 = 120;

fn alerts(path: &Path) -> i64 {
    let conn = Connection::open(path).expect("it opens");
    conn.query_row("SELECT count(*) FROM alert", [], |row| row.get(0))
        .expect("alerts can be counted")
}

fn files(backup: &Path) -> BackupFiles {
    let anchors = backup.join("anchors.jsonl");
    BackupFiles {
        database: backup.join("calseta.db"),
        anchors: anchors.is_file().then_some(anchors),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_made_under_writes_is_whole_and_holds_what_was_answered_before() {
    let (dir, store) = fresh();
    let store = Arc::new(store);
    let (answered, stop) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let (store, answered, stop) = (store.clone(), answered.clone(), stop.clone());
        tasks.spawn(async move {
            for n in 0_u64.. {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                write(&store, move |tx| insert_alert(tx, n * WRITERS + writer)).await;
                answered.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    while answered.load(Ordering::SeqCst) < BEFORE {
        tokio::task::yield_now().await;
    }
    let before = i64::try_from(answered.load(Ordering::SeqCst)).expect("few");
    let (from, to) = (dir.path().join("calseta.db"), dir.path().join("copy.db"));
    // The control: the database file alone lacks what is in its log.
    let naive = dir.path().join("naive.db");
    std::fs::copy(&from, &naive).expect("it is copied");
    let made = {
        let (from, to) = (from.clone(), to.clone());
        tokio::task::spawn_blocking(move || calseta_store::copy(&from, &to)).await
    };
    let made = made.expect("no panic").expect("it is copied");
    stop.store(true, Ordering::SeqCst);
    while let Some(done) = tasks.join_next().await {
        done.expect("writers do not panic");
    }
    assert!(made.alerts >= before, "{} of {before}", made.alerts);
    assert_eq!(alerts(&to), made.alerts);
    let looked = calseta_store::inspect(&to, Depth::Everything).expect("it is whole");
    assert_eq!(looked, made);
    let lost = calseta_store::inspect(&naive, Depth::Everything)
        .map_or(before, |naive| before - naive.alerts);
    assert!(lost > 0, "the control must lose something");
    let again = calseta_store::copy(&from, &to).unwrap_err();
    assert!(matches!(again, CopyError::Exists(_)), "{again}");
    assert_eq!(alerts(&to), made.alerts, "nothing was overwritten");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_directory_is_the_backup_and_the_old_files_are_aside() {
    let (dir, store) = fresh();
    for n in 0..5 {
        write(&store, move |tx| insert_alert(tx, n)).await;
    }
    let backup = tempfile::tempdir().expect("a directory");
    let from = dir.path().join("calseta.db");
    calseta_store::copy(&from, &backup.path().join("calseta.db")).expect("it is copied");
    std::fs::write(backup.path().join("anchors.jsonl"), "{}\n").expect("anchors");
    for n in 5..9 {
        write(&store, move |tx| insert_alert(tx, n)).await;
    }
    store.close(now()).await;
    drop(store);
    let taken = DataDir::take(dir.path()).expect("nobody runs on it");
    let restored =
        calseta_store::restore(&taken, &files(backup.path()), now()).expect("it is restored");
    drop(taken);
    assert_eq!(restored.contents.alerts, 5);
    assert_eq!(alerts(&from), 5);
    let aside = restored.aside.expect("there was something before");
    assert_eq!(
        alerts(&aside.join("calseta.db")),
        9,
        "nothing is thrown away"
    );
    let store = open(dir.path());
    let complaints = store
        .read(|tx| integrity::complaints(tx))
        .await
        .expect("it can be checked");
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[tokio::test]
async fn a_backup_of_a_newer_version_is_refused() {
    let (dir, store) = fresh();
    let backup = tempfile::tempdir().expect("a directory");
    let newer = backup.path().join("calseta.db");
    calseta_store::copy(&dir.path().join("calseta.db"), &newer).expect("it is copied");
    let conn = Connection::open(&newer).expect("it opens");
    conn.execute_batch("PRAGMA user_version = 999")
        .expect("it is marked");
    drop(conn);
    store.close(now()).await;
    drop(store);
    let taken = DataDir::take(dir.path()).expect("nobody runs on it");
    let refused = calseta_store::restore(&taken, &files(backup.path()), now()).unwrap_err();
    assert!(
        matches!(
            refused,
            CopyError::Open(OpenError::Newer { found: 999, .. })
        ),
        "{refused}"
    );
    assert_eq!(
        alerts(&dir.path().join("calseta.db")),
        0,
        "it is the old one"
    );
}

/// A database of about a megabyte, closed in order.
async fn filled() -> Vec<u8> {
    let (dir, store) = fresh();
    for n in 0..700_u64 {
        write(&store, move |tx| {
            insert_alert(tx, n)?;
            append_event(tx, usize::try_from(n).unwrap_or(0))?;
            Ok::<_, StoreError>(())
        })
        .await;
    }
    store.close(now()).await;
    std::fs::read(dir.path().join("calseta.db")).expect("it can be read")
}

/// A next pseudo-random number: the same damage each time (Knuth's MMIX generator).
fn next(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

fn damage(whole: &[u8], seed: u64) -> Vec<u8> {
    let (mut bytes, mut state) = (whole.to_vec(), seed + 1);
    let place =
        |state: &mut u64, len: usize| usize::try_from(next(state)).unwrap_or(0) % len.max(1);
    match seed % 4 {
        0 => bytes.truncate(place(&mut state, whole.len())),
        1 => {
            // A whole page, as a bad sector leaves it.
            let from = place(&mut state, whole.len() / 4096) * 4096;
            bytes[from..from + 4096].fill(0);
        }
        _ => {
            for _ in 0..=place(&mut state, 64) {
                let at = place(&mut state, whole.len());
                bytes[at] ^= u8::try_from(next(&mut state) % 255 + 1).unwrap_or(1);
            }
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_is_refused_untouched_or_opens_and_gives_back_what_can_be_read() {
    let whole = filled().await;
    let (mut refused, mut opened, mut salvaged, mut kept) = (0, 0, 0, 0);
    for seed in 0..DAMAGED {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, to) = (dir.path().join("calseta.db"), dir.path().join("new.db"));
        let bytes = damage(&whole, seed);
        std::fs::write(&path, &bytes).expect("it is written");
        match calseta_store::salvage(&path, &to, now()) {
            Ok(found) => {
                salvaged += 1;
                kept += found.contents.alerts;
            }
            Err(CopyError::Open(OpenError::Damaged { .. } | OpenError::Foreign(_))) => {}
            Err(other) => assert!(bytes.is_empty(), "seed {seed}: {other}"),
        }
        let taken = DataDir::take(dir.path()).expect("nobody runs on it");
        match Store::open(taken, now()) {
            Ok(store) => {
                opened += 1;
                store.close(now()).await;
                continue;
            }
            Err(OpenError::Damaged { .. } | OpenError::Foreign(_) | OpenError::Newer { .. }) => {
                refused += 1;
            }
            Err(other) => panic!("seed {seed}: {other}"),
        }
        let after = std::fs::read(&path).expect("it can be read");
        assert!(after == bytes, "seed {seed}: a refused file was changed");
    }
    println!(
        "{DAMAGED} damaged files: {refused} refused untouched, {opened} opened, {salvaged} read out with {kept} alerts"
    );
    assert!(refused > DAMAGED / 2, "{refused} of {DAMAGED} were noticed");
    assert!(
        salvaged > DAMAGED / 4,
        "{salvaged} of {DAMAGED} gave anything"
    );
    // The control: opened for writing as it is, a damaged file does not stay as it was.
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("calseta.db");
    let bytes = damage(&whole, 1);
    std::fs::write(&path, &bytes).expect("it is written");
    let conn = Connection::open(&path).expect("it opens");
    drop(conn.execute_batch("PRAGMA user_version = 3"));
    drop(conn);
    assert!(std::fs::read(&path).expect("it can be read") != bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_page_costs_its_own_rows_and_the_rest_is_a_store_like_any_other() {
    let whole = filled().await;
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("calseta.db");
    std::fs::write(&path, &whole).expect("it is written");
    // A leaf of the alerts' own table, in the middle.
    let conn = Connection::open(&path).expect("it opens");
    let page: usize = conn
        .query_row(
            "SELECT pageno FROM dbstat WHERE name = 'alert' AND pagetype = 'leaf'
             ORDER BY pageno LIMIT 1 OFFSET 5",
            [],
            |row| row.get(0),
        )
        .expect("the table has leaves");
    drop(conn);
    let mut bytes = whole.clone();
    bytes[(page - 1) * 4096..page * 4096].fill(0xff);
    std::fs::write(&path, &bytes).expect("it is written");
    let new = tempfile::tempdir().expect("a directory");
    let found = calseta_store::salvage(&path, &new.path().join("calseta.db"), now())
        .expect("it is read out");
    let table = found.tables.iter().find(|table| table.name == "alert");
    let table = table.expect("alerts were found");
    assert_eq!(table.gaps, 1, "{table:?}");
    assert!((600..700).contains(&table.kept), "{table:?}");
    let events = found.tables.iter().find(|table| table.name == "event");
    assert_eq!(events.map(|table| (table.kept, table.gaps)), Some((700, 0)));
    let store = open(new.path());
    write(&store, |tx| insert_alert(tx, 100_000)).await;
    let total: i64 = {
        let conn = Connection::open(new.path().join("calseta.db")).expect("another connection");
        conn.query_row("SELECT alerts FROM alert_total", [], |row| row.get(0))
            .expect("the counter")
    };
    assert_eq!(
        u64::try_from(total),
        Ok(table.kept + 1),
        "counters were made anew"
    );
}
