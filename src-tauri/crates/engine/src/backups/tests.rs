//! Backups by schedule, their restore with what it keeps, and what is refused.

use std::path::Path;

use calseta_domain::Timestamp;
use serde_json::json;

use super::{BackupError, RestoreRequest, restore_directory, schedule};
use crate::tests::world;
use crate::{Clock, Engine, EngineConfig, KeyStore};

const HOUR_MS: i64 = 3600 * 1000;

async fn settings(engine: &Engine, patch: serde_json::Value) {
    let by = crate::Principal::analyst();
    let patch = patch.as_object().cloned().unwrap();
    engine.patch_settings(&by, &patch).await.unwrap();
}

#[tokio::test]
async fn backups_come_by_the_clock_and_the_oldest_scheduled_ones_go() {
    let world = world().await;
    let inner = &world.engine.inner;
    let step = async || schedule::step(inner, world.clock.now()).await.unwrap();
    assert!(!step().await, "nothing is made until somebody asks for it");
    let asked = world.engine.make_backup(&world.analyst).await.unwrap();
    settings(
        &world.engine,
        json!({"backup": {"every_hours": 6, "keep": 2}}),
    )
    .await;
    let mut made = 0;
    for _ in 0..20 {
        world.clock.advance_millis(HOUR_MS);
        made += i32::from(step().await);
    }
    assert_eq!(made, 4, "at once, and every six hours");
    let there = world.engine.backups(&world.analyst).await.unwrap();
    let kinds: Vec<_> = there.iter().map(|backup| backup.kind.as_str()).collect();
    assert_eq!(kinds, ["scheduled", "scheduled", "manual"]);
    assert_eq!(there[2], asked, "what a person asked for stays");
    assert!(Path::new(&asked.path).join("backup.json").is_file());
}

#[tokio::test]
async fn a_backup_that_cannot_be_made_says_so_and_leaves_nothing() {
    let world = world().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let path = file.join("below").display().to_string();
    settings(&world.engine, json!({"backup": {"directory": path}})).await;
    let problem = world.engine.make_backup(&world.analyst).await.unwrap_err();
    assert!(problem.message.contains("below"), "{}", problem.message);
    let events = world.events(&world.analyst).await;
    assert_eq!(
        events.last().map(|(kind, _)| kind.as_str()),
        Some("backup.failed")
    );
}

fn config(dir: &Path) -> EngineConfig {
    EngineConfig {
        data_dir: dir.to_owned(),
        demo: false,
        clock: Clock::standing(Timestamp::from_millis(1_800_000_000_000)),
        key_store: KeyStore::File,
    }
}

#[tokio::test]
async fn a_restore_brings_the_backup_back_and_the_log_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let (data, elsewhere) = (dir.path().join("data"), dir.path().join("elsewhere"));
    let by = crate::Principal::analyst();
    let engine = Engine::open(config(&data)).await.unwrap();
    settings(&engine, json!({"general": {"analyst_name": "Before"}})).await;
    let backup = engine.make_backup(&by).await.unwrap();
    settings(&engine, json!({"general": {"analyst_name": "After"}})).await;
    let clock = engine.clock().clone();
    let request = |data: &Path, replace| RestoreRequest {
        data_dir: data.to_owned(),
        backup: backup.path.clone().into(),
        replace,
        key_store: KeyStore::File,
    };
    let in_use = restore_directory(request(&data, true), clock.clone()).await;
    assert!(matches!(in_use, Err(BackupError::Open(_))), "the app runs");
    engine.stop().await;
    drop(engine);
    let occupied = restore_directory(request(&data, false), clock.clone()).await;
    assert!(
        matches!(occupied, Err(BackupError::Occupied(_))),
        "not without a word"
    );
    for (target, replace, has_aside) in [(&data, true, true), (&elsewhere, false, false)] {
        let report = restore_directory(request(target, replace), clock.clone())
            .await
            .unwrap();
        assert_eq!(report.aside.is_some(), has_aside);
        let engine = Engine::open(config(target)).await.unwrap();
        assert_eq!(engine.settings().text("general", "analyst_name"), "Before");
        let verified = engine.verify(&by).await.unwrap();
        assert!(verified.ok, "{verified:?}");
        engine.stop().await;
    }
    // The control: one byte of the copy is another.
    let database = Path::new(&backup.path).join("calseta.db");
    let mut bytes = std::fs::read(&database).unwrap();
    let at = bytes.len() - 1;
    bytes[at] ^= 1;
    std::fs::write(&database, bytes).unwrap();
    let changed = restore_directory(request(&data, true), clock).await;
    assert!(
        matches!(changed, Err(BackupError::Changed(_))),
        "{changed:?}"
    );
}
