//! Logs that were rewritten, cut off or edited, and one that was not. The single edits of rows are
//! the store's own tests; here the whole database is exchanged, which its chain cannot see.

use std::path::Path;

use calseta_contract::api_key::ApiKeyRequest;
use calseta_domain::Timestamp;

use super::*;
use crate::{EngineConfig, KeyStore};

fn clock() -> Clock {
    Clock::standing(Timestamp::from_millis(1_800_000_000_000))
}

async fn engine(dir: &Path) -> Engine {
    let config = EngineConfig {
        data_dir: dir.to_owned(),
        demo: false,
        clock: clock(),
        key_store: KeyStore::File,
    };
    Engine::open(config).await.unwrap()
}

/// Starts, does something a few times, and stops in order.
async fn session(dir: &Path, name: &str, times: usize) {
    let engine = engine(dir).await;
    for _ in 0..times {
        let request = ApiKeyRequest {
            name: name.to_owned(),
            scopes: vec!["alerts:read".to_owned()],
            ..ApiKeyRequest::default()
        };
        engine
            .create_api_key(&Principal::analyst(), request)
            .await
            .unwrap();
    }
    engine.stop().await;
}

async fn verified(dir: &Path) -> Verified {
    verify_directory(dir, &clock()).await.unwrap()
}

#[tokio::test]
async fn an_untouched_log_verifies() {
    let dir = tempfile::tempdir().unwrap();
    session(dir.path(), "one", 3).await;
    session(dir.path(), "two", 3).await;
    let verified = verified(dir.path()).await;
    assert!(verified.faults.is_empty(), "{:?}", verified.faults);
    assert!(verified.ok);
    assert_eq!((verified.events, verified.anchors), (6, 2));
    assert_eq!(verified.anchored_until, 6);
}

#[tokio::test]
async fn it_verifies_while_the_app_runs_and_after_a_rotation() {
    let dir = tempfile::tempdir().unwrap();
    session(dir.path(), "one", 2).await;
    let engine = engine(dir.path()).await;
    let analyst = Principal::analyst();
    assert!(engine.verify(&analyst).await.unwrap().ok);
    engine.rotate_master_key(&analyst).await.unwrap();
    let after = engine.verify(&analyst).await.unwrap();
    assert!(after.ok, "{:?}", after.faults);
    engine.stop().await;
    drop(engine);
    let offline = verified(dir.path()).await;
    assert!(offline.ok, "{:?}", offline.faults);
}

#[tokio::test]
async fn a_log_whose_end_was_cut_off_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    session(dir.path(), "one", 3).await;
    let database = dir.path().join("calseta.db");
    let earlier = std::fs::read(&database).unwrap();
    session(dir.path(), "two", 3).await;
    std::fs::write(&database, earlier).unwrap();
    let verified = verified(dir.path()).await;
    assert!(!verified.ok);
    assert!(verified.faults[0].contains("cut off"), "{verified:?}");
}

#[tokio::test]
async fn a_log_that_was_written_anew_with_right_hashes_is_noticed() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    session(dir.path(), "one", 3).await;
    session(other.path(), "another", 3).await;
    let theirs = std::fs::read(other.path().join("calseta.db")).unwrap();
    std::fs::write(dir.path().join("calseta.db"), theirs).unwrap();
    let exchanged = verified(dir.path()).await;
    assert!(
        !exchanged.ok,
        "its own chain is whole, but not what was anchored"
    );
    // With the other's anchors too, the signature is not this directory's.
    let theirs = std::fs::read(other.path().join("anchors.jsonl")).unwrap();
    std::fs::write(dir.path().join("anchors.jsonl"), theirs).unwrap();
    let signed = verified(dir.path()).await;
    assert!(signed.faults[0].contains("not signed with"), "{signed:?}");
}

#[tokio::test]
async fn every_edit_of_the_anchors_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["one", "two", "three"] {
        session(dir.path(), name, 2).await;
    }
    let file = dir.path().join("anchors.jsonl");
    let whole = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let edits: Vec<(&str, Vec<&str>)> = vec![
        ("the first is gone", vec![lines[1], lines[2]]),
        ("one in the middle is gone", vec![lines[0], lines[2]]),
        ("two changed places", vec![lines[1], lines[0], lines[2]]),
        (
            "one is there twice",
            vec![lines[0], lines[0], lines[1], lines[2]],
        ),
        ("all are gone", vec![]),
    ];
    for (what, edited) in edits {
        let mut text = edited.join("\n");
        if !text.is_empty() {
            text.push('\n');
        }
        std::fs::write(&file, text).unwrap();
        assert!(!verified(dir.path()).await.ok, "{what}");
    }
    for at in (0..whole.len()).step_by(29) {
        let mut bytes = whole.clone().into_bytes();
        if !bytes[at].is_ascii_hexdigit() {
            continue;
        }
        bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
        std::fs::write(&file, &bytes).unwrap();
        assert!(!verified(dir.path()).await.ok, "byte {at} was changed");
    }
    std::fs::write(&file, &whole).unwrap();
    assert!(verified(dir.path()).await.ok, "the control: unchanged");
}

#[tokio::test]
async fn an_edited_event_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    session(dir.path(), "name-to-change", 3).await;
    let database = dir.path().join("calseta.db");
    let mut bytes = std::fs::read(&database).unwrap();
    let needle = b"\"name\":\"name-to-change\"";
    let at = bytes
        .windows(needle.len())
        .position(|window| window == needle)
        .expect("the detail stands in the file");
    bytes[at + 9] = b'N';
    std::fs::write(&database, bytes).unwrap();
    let verified = verified(dir.path()).await;
    assert!(!verified.ok);
    assert!(
        verified.faults[0].contains("does not follow"),
        "{verified:?}"
    );
}
