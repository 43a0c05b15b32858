//! Backups: a whole copy of the database beside the anchors of its event log, made while everything
//! runs, kept as a directory of plain files, put back with the app stopped.
//!
//! A backup does not hold the master key: who steals one must not get the secrets in it. Put back on
//! the machine where it was made its secrets open as before; elsewhere they are entered again, or
//! `master.key` is copied beside the database by a person who decides that. `directory` has what works
//! on files alone, with or without a running app; `schedule` makes one every so many hours.

mod directory;
mod schedule;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use calseta_contract::backup::BackupView;
use calseta_domain::{ErrorCode, Scope};
use calseta_store::CopyError;
use calseta_store::WriteTx;
use calseta_store::tables::event::Actor;
use serde_json::{Map, json};

pub(crate) use self::schedule::run;

pub use self::directory::{
    BackupError, Recovered, RestoreReport, RestoreRequest, backup_directory, recover_directory,
    restore_directory,
};

use crate::changes::Change;
use crate::start::Inner;
use crate::{Engine, Principal, Problem};

/// The directory in the data directory, when the settings name none.
const DEFAULT_DIRECTORY: &str = "backups";
/// Seconds after which a second backup may be asked for while one is being made.
const BUSY_RETRY_SECS: u64 = 10;

/// Why a backup is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupKind {
    /// A person asked for it.
    Manual,
    /// Its time had come.
    Scheduled,
}

impl BackupKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Scheduled => "scheduled",
        }
    }
}

impl From<BackupError> for Problem {
    fn from(error: BackupError) -> Self {
        let code = match &error {
            BackupError::Copy(CopyError::Full(_)) => ErrorCode::StorageFull,
            _ => ErrorCode::Internal,
        };
        tracing::error!(error = %error, "a backup failed");
        let problem = Self::new(code, format!("the backup was not made: {error}"));
        if code == ErrorCode::StorageFull {
            problem.after(crate::problem::FULL_RETRY_SECS)
        } else {
            problem
        }
    }
}

impl Engine {
    /// `GET /v1/backups`: those in the directory of the settings, newest first.
    pub async fn backups(&self, by: &Principal) -> Result<Vec<BackupView>, Problem> {
        by.need(Scope::Admin)?;
        let directory = self.inner.backup_directory();
        let listed = tokio::task::spawn_blocking(move || directory::list(&directory)).await;
        listed
            .map_err(|error| BackupError::Interrupted(error.to_string()))?
            .map_err(Problem::from)
    }

    /// `POST /v1/backups`: makes one now.
    pub async fn make_backup(&self, by: &Principal) -> Result<BackupView, Problem> {
        by.need(Scope::Admin)?;
        by.need_human("making a backup")?;
        let change = self.change(by);
        make(&self.inner, BackupKind::Manual, &change).await
    }
}

impl Inner {
    /// Where backups go now.
    fn backup_directory(&self) -> PathBuf {
        let named = self.settings.borrow().text("backup", "directory");
        if named.is_empty() {
            self.store.dir().path().join(DEFAULT_DIRECTORY)
        } else {
            PathBuf::from(named)
        }
    }
}

/// Makes a backup and notes what came of it.
async fn make(
    inner: &Arc<Inner>,
    kind: BackupKind,
    change: &Change,
) -> Result<BackupView, Problem> {
    let Ok(_one) = inner.backing_up.try_lock() else {
        return Err(Problem::new(
            ErrorCode::Busy,
            "a backup is being made; wait until it is there",
        )
        .after(BUSY_RETRY_SECS));
    };
    let (data, into) = (
        inner.store.dir().path().to_owned(),
        inner.backup_directory(),
    );
    let now = inner.clock.now();
    let made = tokio::task::spawn_blocking(move || directory::make(&data, &into, kind, now)).await;
    let made = made
        .map_err(|error| BackupError::Interrupted(error.to_string()))
        .and_then(|made| made);
    let (event, detail) = match &made {
        Ok(view) => ("backup.created", said(view)),
        Err(error) => {
            let mut detail = Map::new();
            detail.insert("kind".to_owned(), json!(kind.as_str()));
            detail.insert("reason".to_owned(), json!(error.to_string()));
            ("backup.failed", detail)
        }
    };
    let change = change.clone();
    let noted: Result<(), Problem> = inner
        .store
        .write(move |tx: &WriteTx<'_>| change.append(tx, event, ("backup", None), detail))
        .await;
    // The copy is there, or is not, whatever became of the note about it.
    if let Err(problem) = noted {
        tracing::warn!(error = problem.message, "a backup could not be noted");
    }
    made.map_err(Problem::from)
}

fn said(view: &BackupView) -> Map<String, serde_json::Value> {
    let mut detail = Map::new();
    detail.insert("name".to_owned(), json!(view.name));
    detail.insert("kind".to_owned(), json!(view.kind));
    detail.insert("path".to_owned(), json!(view.path));
    detail.insert("bytes".to_owned(), json!(view.bytes));
    detail.insert("alerts".to_owned(), json!(view.alerts));
    detail
}

/// The pipeline itself, now.
fn by_schedule(inner: &Inner) -> Change {
    Change {
        actor: Actor::system(),
        at: inner.clock.now(),
    }
}
