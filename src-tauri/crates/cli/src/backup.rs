//! `calseta backup`, `calseta restore` and `calseta recover`: a data directory as a whole.
//!
//! A backup is made whether or not an app runs, because it only reads. The other two want the
//! directory for themselves.

use std::path::PathBuf;

use calseta_engine::{BackupError, Clock, CopyError, OpenError, RestoreRequest, StartError};
use serde_json::json;

use crate::arguments::{Backup, Recover, Restore};
use crate::failure::{FAILED, Failure, IN_USE, REFUSED};
use crate::{output, running};

/// Where backups go in the data directory.
const DIRECTORY: &str = "backups";

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let open = match &error {
            BackupError::Open(open)
            | BackupError::Copy(CopyError::Open(open))
            | BackupError::Start(StartError::Open(open)) => Some(open),
            _ => None,
        };
        let (exit, code) = match open {
            Some(OpenError::InUse(_)) => (IN_USE, "IN_USE"),
            Some(OpenError::Newer { .. } | OpenError::Foreign(_)) => (REFUSED, "REFUSED"),
            Some(OpenError::Damaged { .. }) => (FAILED, "DAMAGED"),
            _ => match &error {
                BackupError::Occupied(_)
                | BackupError::NotEmpty(_)
                | BackupError::Changed(_)
                | BackupError::Copy(CopyError::Exists(_)) => (REFUSED, "REFUSED"),
                _ => (FAILED, "FAILED"),
            },
        };
        Self::new(exit, code, error.to_string())
    }
}

/// Runs on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| Failure::failed(error.to_string()))?;
    Ok(done?)
}

pub(crate) async fn make(arguments: Backup) -> Result<(), Failure> {
    let data = running::data_dir(&arguments.data)?;
    let into = arguments.to.unwrap_or_else(|| data.join(DIRECTORY));
    let made =
        blocking(move || calseta_engine::backup_directory(&data, &into, &Clock::system())).await?;
    output::line(&json!(made));
    output::say(&format!("{}: {} alerts", made.path, made.alerts));
    Ok(())
}

pub(crate) async fn restore(arguments: Restore) -> Result<(), Failure> {
    let request = RestoreRequest {
        data_dir: running::data_dir(&arguments.data)?,
        backup: arguments.backup,
        replace: arguments.replace,
        key_store: running::key_store()?,
    };
    let report = calseta_engine::restore_directory(request, Clock::system()).await?;
    output::line(&json!(report));
    output::say(&format!(
        "{} holds the backup's {} alerts now",
        report.data_dir.display(),
        report.alerts
    ));
    if let Some(aside) = &report.aside {
        output::say(&format!("what was there before is in {}", aside.display()));
    }
    if report.secrets_to_enter > 0 {
        output::say(&format!(
            "{} stored secrets were sealed with another master key: enter them again, or put that \
             key's master.key and key-store.json into the data directory",
            report.secrets_to_enter
        ));
    }
    Ok(())
}

pub(crate) async fn recover(arguments: Recover) -> Result<(), Failure> {
    let (data, into): (PathBuf, PathBuf) = (running::data_dir(&arguments.data)?, arguments.into);
    let found =
        blocking(move || calseta_engine::recover_directory(&data, &into, &Clock::system())).await?;
    let contents = found.salvaged.contents;
    for table in &found.salvaged.tables {
        output::line(&json!({
            "table": table.name, "kept": table.kept, "refused": table.refused, "gaps": table.gaps,
        }));
    }
    output::line(&json!({
        "into": found.into, "alerts": contents.alerts, "events": contents.events,
    }));
    let broken = |table: &&calseta_engine::SalvagedTable| table.gaps > 0 || table.refused > 0;
    let names: Vec<_> = found.salvaged.tables.iter().filter(broken).collect();
    for table in &names {
        output::say(&format!(
            "{}: reading broke off at {} places, {} rows did not fit",
            table.name, table.gaps, table.refused
        ));
    }
    if names.is_empty() {
        output::say("every row could be read");
    }
    output::say(&format!(
        "{} alerts are in {}; the damaged directory was left as it is",
        contents.alerts,
        found.into.display()
    ));
    Ok(())
}
