//! A backup every so many hours, and the oldest of those removed.
//!
//! When the next is due follows from the newest that is there, so a start, a sleep or a change of the
//! setting needs no bookkeeping.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use calseta_contract::backup::BackupView;
use calseta_domain::Timestamp;

use super::{BackupKind, by_schedule, directory, make};
use crate::start::Inner;

/// Milliseconds an hour.
const HOUR_MS: i64 = 3600 * 1000;
/// How often the stage looks: a laptop that slept catches up within this.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// How long it leaves a directory alone that could not be written to.
const AFTER_FAILURE_MS: i64 = HOUR_MS;

/// Follows the settings until the engine stops.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut settings = inner.settings.subscribe();
    let mut not_before = Timestamp::from_millis(0);
    loop {
        let now = inner.clock.now();
        if now >= not_before && step(&inner, now).await.is_err() {
            not_before = now.plus_millis(AFTER_FAILURE_MS);
        }
        tokio::select! {
            () = inner.stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {},
            // Another directory may work where this one did not.
            changed = settings.changed() => {
                if changed.is_err() { return }
                not_before = now;
            },
        }
    }
}

/// Makes a backup when one is due; whether it made one.
pub(crate) async fn step(inner: &Arc<Inner>, now: Timestamp) -> Result<bool, crate::Problem> {
    let (every, keep) = {
        let settings = inner.settings.borrow();
        (
            settings.number("backup", "every_hours"),
            settings.number("backup", "keep"),
        )
    };
    if every == 0 {
        return Ok(false);
    }
    let directory = inner.backup_directory();
    let there = list(directory.clone()).await;
    if !is_due(&there, every, now) {
        return Ok(false);
    }
    make(inner, BackupKind::Scheduled, &by_schedule(inner)).await?;
    let keep = usize::try_from(keep).unwrap_or(usize::MAX);
    for old in scheduled(&list(directory).await).skip(keep) {
        remove(Path::new(&old.path)).await;
    }
    Ok(true)
}

/// What is there; a directory that cannot be read is found out when the backup is made.
async fn list(directory: std::path::PathBuf) -> Vec<BackupView> {
    let listed = tokio::task::spawn_blocking(move || directory::list(&directory)).await;
    listed.ok().and_then(Result::ok).unwrap_or_default()
}

async fn remove(path: &Path) {
    let path = path.to_owned();
    let removed = tokio::task::spawn_blocking(move || {
        let removed = std::fs::remove_dir_all(&path);
        removed.map_err(|error| format!("{}: {error}", path.display()))
    });
    if let Ok(Err(error)) = removed.await {
        tracing::warn!(error, "an old backup could not be removed");
    }
}

/// Newest first.
fn scheduled(there: &[BackupView]) -> impl Iterator<Item = &BackupView> {
    there
        .iter()
        .filter(|backup| backup.kind == BackupKind::Scheduled.as_str())
}

/// One from the future, made before the clock was set back, counts for nothing.
fn is_due(there: &[BackupView], every_hours: i64, now: Timestamp) -> bool {
    scheduled(there)
        .find(|backup| backup.made_at <= now)
        .is_none_or(|newest| newest.made_at.plus_millis(every_hours * HOUR_MS) <= now)
}
