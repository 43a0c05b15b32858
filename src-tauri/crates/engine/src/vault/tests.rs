//! Sealing, losing the key, and rotations that were cut off. The desktop's keychain itself is
//! tested with a real Secret Service beside the program as a whole.

use std::path::Path;

use calseta_domain::Timestamp;

use super::*;
use calseta_store::tables::secret;

use crate::{Clock, Engine, EngineConfig, Principal};

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

async fn vault(dir: &Path) -> Vault {
    Vault::open(dir, KeyStore::File, now()).await.unwrap()
}

#[tokio::test]
async fn a_sealed_value_opens_only_where_it_was_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let sealed = vault(dir.path())
        .await
        .seal("agent:1", "auth_header", "Bearer very-secret-value-x9f2")
        .unwrap();
    let again = vault(dir.path()).await;
    let opened = again.unseal("agent:1", "auth_header", &sealed).unwrap();
    assert_eq!(*opened, "Bearer very-secret-value-x9f2");
    assert!(
        again.unseal("agent:2", "auth_header", &sealed).is_err(),
        "rows must not be swapped"
    );
    assert!(!String::from_utf8_lossy(&sealed.ciphertext).contains("secret"));
    assert_eq!(sealed.hint, "…x9f2");
}

#[tokio::test]
async fn another_directory_s_key_does_not_open_it() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let sealed = vault(one.path()).await.seal("a", "b", "c").unwrap();
    assert!(vault(other.path()).await.unseal("a", "b", &sealed).is_err());
    assert!(vault(one.path()).await.unseal("a", "b", &sealed).is_ok());
}

#[tokio::test]
async fn a_lost_key_file_opens_nothing_and_its_version_is_not_given_again() {
    let dir = tempfile::tempdir().unwrap();
    let sealed = vault(dir.path()).await.seal("a", "b", "c").unwrap();
    std::fs::remove_file(dir.path().join("master.key")).unwrap();
    let again = vault(dir.path()).await;
    assert!(again.unseal("a", "b", &sealed).is_err());
    let anew = again.seal("a", "b", "entered again").unwrap();
    assert_ne!(anew.key_version, sealed.key_version);
    assert_eq!(*again.unseal("a", "b", &anew).unwrap(), "entered again");
}

#[tokio::test]
async fn the_key_of_the_first_program_goes_on_opening() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("master.key"), [7; 32]).unwrap();
    let vault = vault(dir.path()).await;
    assert_eq!(vault.view().state, "file");
    assert_eq!(vault.seal("a", "b", "c").unwrap().key_version, 1);
}

#[cfg(unix)]
#[tokio::test]
async fn the_key_file_is_its_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let _made = vault(dir.path()).await;
    for file in ["master.key", "key-store.json"] {
        let mode = dir
            .path()
            .join(file)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let note = std::fs::read_to_string(dir.path().join("key-store.json")).unwrap();
    let key = std::fs::read_to_string(dir.path().join("master.key")).unwrap();
    let key = key.trim().split(' ').next_back().unwrap();
    assert!(!note.contains(key), "the note holds nothing secret");
}

async fn engine(dir: &Path) -> Engine {
    Engine::open(EngineConfig {
        data_dir: dir.to_owned(),
        demo: false,
        clock: Clock::standing(now()),
        key_store: KeyStore::File,
    })
    .await
    .unwrap()
}

async fn put(engine: &Engine, value: &'static str) {
    let inner = std::sync::Arc::clone(&engine.inner);
    let stored = engine.inner.store.write(move |tx| {
        let sealed = inner.vault.seal("provider:1", "api_key", value)?;
        secret::put(tx, ("provider:1", "api_key"), &sealed, now())?;
        Ok::<_, Problem>(())
    });
    stored.await.unwrap();
}

async fn get(engine: &Engine) -> (u32, Result<String, DoesNotOpen>) {
    let sealed = engine
        .inner
        .store
        .read(|tx| Ok::<_, Problem>(secret::get(tx, "provider:1", "api_key")?))
        .await
        .unwrap()
        .unwrap();
    let opened = engine.inner.vault.unseal("provider:1", "api_key", &sealed);
    (sealed.key_version, opened.map(|value| value.to_string()))
}

fn key_file(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("master.key")).unwrap()
}

#[tokio::test]
async fn after_a_rotation_the_new_key_alone_opens_everything() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(dir.path()).await;
    put(&engine, "a-key").await;
    let old = key_file(dir.path());
    let view = engine
        .rotate_master_key(&Principal::analyst())
        .await
        .unwrap();
    assert_eq!((view.version, view.rotated_at), (2, Some(now())));
    assert_eq!(get(&engine).await, (2, Ok("a-key".to_owned())));
    engine.stop().await;
    drop(engine);
    let new = key_file(dir.path());
    assert_eq!(new.lines().count(), 1, "the old key is gone");
    assert_ne!(new, old);
    let again = self::engine(dir.path()).await;
    assert_eq!(get(&again).await, (2, Ok("a-key".to_owned())));
    again.stop().await;
    drop(again);
    // The control: with the old key nothing opens.
    std::fs::write(dir.path().join("master.key"), old).unwrap();
    let control = self::engine(dir.path()).await;
    assert!(get(&control).await.1.is_err());
}

/// Dies after the new key was stored and before anything was sealed with it.
#[tokio::test]
async fn a_rotation_cut_off_before_its_transaction_is_finished_by_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(dir.path()).await;
    put(&engine, "a-key").await;
    let next = engine.inner.vault.with_ring(Ring::with_next).unwrap();
    engine.inner.vault.store(next).await.unwrap();
    assert_eq!(get(&engine).await, (1, Ok("a-key".to_owned())));
    engine.stop().await;
    drop(engine);
    let again = self::engine(dir.path()).await;
    assert_eq!(get(&again).await, (2, Ok("a-key".to_owned())));
    assert_eq!(key_file(dir.path()).lines().count(), 1);
}

/// Dies after the transaction and before the old key was let go.
#[tokio::test]
async fn a_rotation_cut_off_after_its_transaction_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(dir.path()).await;
    put(&engine, "a-key").await;
    let next = engine.inner.vault.with_ring(Ring::with_next).unwrap();
    engine.inner.vault.store(next).await.unwrap();
    let inner = std::sync::Arc::clone(&engine.inner);
    let resealed = engine
        .inner
        .store
        .write(move |tx| inner.vault.reseal(tx, now()));
    assert_eq!(resealed.await.unwrap(), 1);
    engine.stop().await;
    drop(engine);
    let again = self::engine(dir.path()).await;
    assert_eq!(get(&again).await, (2, Ok("a-key".to_owned())));
    assert_eq!(key_file(dir.path()).lines().count(), 1);
}

#[tokio::test]
async fn a_shut_keychain_lets_the_app_open_and_refuses_new_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let note = serde_json::json!({
        "kept_in": "keychain", "entry": uuid::Uuid::nil(), "version": 1,
        "since": now(), "rotated_at": null,
    });
    std::fs::write(dir.path().join("key-store.json"), note.to_string()).unwrap();
    let home = Home::new(dir.path());
    let opened = home.open(KeyStore::Auto, now()).await;
    // Without a Secret Service the keychain refuses at once; with one, the entry is not there.
    let opened = opened.unwrap();
    if opened.ring.is_none() {
        let engine = engine(dir.path()).await;
        assert_eq!(engine.key_store().state, "unavailable");
        let refused = engine.inner.vault.seal("a", "b", "c").unwrap_err();
        assert_eq!(Problem::from(refused).status(), 503);
        assert!(
            !dir.path().join("master.key").exists(),
            "a shut keychain must not lead to a second key"
        );
    } else {
        assert_eq!(opened.note.version, 2, "a lost key's number is not lent");
    }
}
