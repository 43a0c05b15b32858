//! Backups as directories of plain files, whether or not an app runs on the data.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use calseta_contract::backup::BackupView;
use calseta_domain::Timestamp;
use calseta_store::tables::event::Actor;
use calseta_store::tables::secret;
use calseta_store::{BackupFiles, CopyError, DataDir, OpenError, Salvaged, WriteTx};
use serde_json::{Map, json};
use sha2::{Digest, Sha256};

use super::BackupKind;
use crate::changes::Change;
use crate::{Clock, Engine, EngineConfig, KeyStore, Problem, StartError, anchors};

const DATABASE: &str = "calseta.db";
const ANCHORS: &str = "anchors.jsonl";
const MANIFEST: &str = "backup.json";
/// What a backup's name begins with.
const PREFIX: &str = "calseta-";
/// What an unfinished one is called: `.calseta-MILLIS.part`.
const UNFINISHED: (&str, &str) = (".calseta-", ".part");
/// After how many milliseconds nobody is working on an unfinished one any more.
const ABANDONED_MS: i64 = 24 * 3600 * 1000;
/// The largest manifest that is read, in bytes.
const MAX_MANIFEST_BYTES: u64 = 64 * 1024;
/// Backups that are listed.
const MAX_LISTED: usize = 1_000;
/// Bytes that are hashed at once.
const PIECE_BYTES: usize = 1024 * 1024;
/// Files that a recovered directory takes along: who signs and what is sealed depends on them.
const KEPT: [&str; 3] = [ANCHORS, "master.key", "key-store.json"];

/// A backup, restore or recovery that did not happen.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The copy itself.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The data directory.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The restored data could not be opened.
    #[error("the files are in place, but the app does not start on them: {0}")]
    Start(#[from] StartError),
    /// A file.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something would be overwritten.
    #[error(
        "{0} holds a database already; say --replace to put the backup in its place (what is there is kept aside)"
    )]
    Occupied(PathBuf),
    /// A directory that should be new.
    #[error("{0} is not empty; choose a new directory")]
    NotEmpty(PathBuf),
    /// No backup.
    #[error("{0} is no backup: there is no calseta.db in it")]
    NoBackup(PathBuf),
    /// The database is not the one that was backed up.
    #[error("{0} is not what was backed up: its checksum differs from the one in backup.json")]
    Changed(PathBuf),
    /// The work ended before its time.
    #[error("the work was interrupted: {0}")]
    Interrupted(String),
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> BackupError + '_ {
    |source| match source.kind() {
        ErrorKind::StorageFull => CopyError::Full(path.to_owned()).into(),
        _ => BackupError::Io {
            path: path.to_owned(),
            source,
        },
    }
}

/// Makes a backup of `data` in a new directory of `into`. An app may run on `data`.
pub fn backup_directory(
    data: &Path,
    into: &Path,
    clock: &Clock,
) -> Result<BackupView, BackupError> {
    if !data.join(DATABASE).is_file() {
        return Err(BackupError::NoBackup(data.to_owned()));
    }
    make(data, into, BackupKind::Manual, clock.now())
}

pub(super) fn make(
    data: &Path,
    into: &Path,
    kind: BackupKind,
    now: Timestamp,
) -> Result<BackupView, BackupError> {
    make_private(into)?;
    remove_abandoned(into, now);
    let stamp: String = now.to_string().replace(['-', ':'], "");
    let name = format!("{PREFIX}{stamp}");
    let (whole, part) = (
        into.join(&name),
        into.join(format!("{}{}{}", UNFINISHED.0, now.millis(), UNFINISHED.1)),
    );
    if whole.exists() || part.exists() {
        return Err(CopyError::Exists(whole).into());
    }
    make_private(&part)?;
    let made = gather(data, &part, (name, &whole), (kind, now));
    let made = made.and_then(|view| {
        std::fs::rename(&part, &whole).map_err(io(&whole))?;
        sync(into).map_err(io(into))?;
        Ok(view)
    });
    if made.is_err() {
        drop(std::fs::remove_dir_all(&part));
    }
    made
}

fn gather(
    data: &Path,
    part: &Path,
    (name, whole): (String, &Path),
    (kind, now): (BackupKind, Timestamp),
) -> Result<BackupView, BackupError> {
    // First: an anchor of an event that is not in the copy would make its log look cut short.
    let lines = anchors::lines(data).map_err(io(data))?;
    let text: String = lines
        .iter()
        .flat_map(|line| [line.as_str(), "\n"])
        .collect();
    write_private(&part.join(ANCHORS), text.as_bytes())?;
    let database = part.join(DATABASE);
    let contents = calseta_store::copy(&data.join(DATABASE), &database)?;
    let view = BackupView {
        name,
        path: whole.display().to_string(),
        kind: kind.as_str().to_owned(),
        made_at: now,
        version: Engine::version().to_owned(),
        schema: contents.schema,
        bytes: contents.bytes,
        sha256: checksum(&database)?,
        alerts: contents.alerts,
        events: contents.events,
    };
    let manifest = serde_json::to_vec_pretty(&view).expect("a view of texts and numbers is JSON");
    write_private(&part.join(MANIFEST), &manifest)?;
    sync(part).map_err(io(part))?;
    Ok(view)
}

/// The backups in a directory, newest first; none when there is no such directory.
pub(super) fn list(directory: &Path) -> Result<Vec<BackupView>, BackupError> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(io(directory))?,
    };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if let Some(mut view) = is_ours.then(|| manifest(&entry.path())).flatten() {
            // It may have been moved since.
            view.path = entry.path().display().to_string();
            found.push(view);
        }
    }
    found.sort_by(|a, b| b.made_at.cmp(&a.made_at).then_with(|| b.name.cmp(&a.name)));
    found.truncate(MAX_LISTED);
    Ok(found)
}

fn manifest(backup: &Path) -> Option<BackupView> {
    let file = File::open(backup.join(MANIFEST)).ok()?;
    let mut text = Vec::new();
    file.take(MAX_MANIFEST_BYTES).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

fn remove_abandoned(directory: &Path, now: Timestamp) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let begun = name
            .to_str()
            .and_then(|name| name.strip_prefix(UNFINISHED.0))
            .and_then(|rest| rest.strip_suffix(UNFINISHED.1))
            .and_then(|millis| millis.parse::<i64>().ok());
        if begun.is_some_and(|begun| begun < now.millis() - ABANDONED_MS) {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

/// What to put back, and where.
#[derive(Debug, Clone)]
pub struct RestoreRequest {
    /// The data directory; nobody may run on it.
    pub data_dir: PathBuf,
    /// A backup's directory, or a database file alone.
    pub backup: PathBuf,
    /// Whether a database that is there may be put aside.
    pub replace: bool,
    /// Where the master key goes when the data directory has none.
    pub key_store: KeyStore,
}

/// What a restore came to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RestoreReport {
    /// The data directory.
    pub data_dir: PathBuf,
    /// What was put back.
    pub backup: PathBuf,
    /// Alerts in it.
    pub alerts: i64,
    /// Its newest event.
    pub events: i64,
    /// Where the files are that were there before.
    pub aside: Option<PathBuf>,
    /// Stored secrets that this directory's master key does not open: they are to be entered again.
    pub secrets_to_enter: usize,
}

/// Puts a backup in place, starts the engine on it once and notes the restore in its event log.
pub async fn restore_directory(
    request: RestoreRequest,
    clock: Clock,
) -> Result<RestoreReport, BackupError> {
    let (now, wanted) = (clock.now(), request.clone());
    let placed = tokio::task::spawn_blocking(move || place(&wanted, now)).await;
    let restored = placed.map_err(|error| BackupError::Interrupted(error.to_string()))??;
    let engine = Engine::open(EngineConfig {
        data_dir: request.data_dir.clone(),
        demo: false,
        clock,
        key_store: request.key_store,
    })
    .await?;
    let secrets_to_enter = note(&engine, &request.backup).await;
    engine.stop().await;
    let secrets_to_enter =
        secrets_to_enter.map_err(|problem| BackupError::Interrupted(problem.message))?;
    Ok(RestoreReport {
        data_dir: request.data_dir,
        backup: request.backup,
        alerts: restored.contents.alerts,
        events: restored.contents.events,
        aside: restored.aside,
        secrets_to_enter,
    })
}

fn place(request: &RestoreRequest, now: Timestamp) -> Result<calseta_store::Restored, BackupError> {
    let files = files(&request.backup)?;
    if let Some(expected) = manifest(&request.backup)
        && checksum(&files.database)? != expected.sha256
    {
        return Err(BackupError::Changed(files.database));
    }
    let dir = DataDir::take(&request.data_dir)?;
    let there = std::fs::metadata(dir.database()).map_or(0, |found| found.len());
    if there > 0 && !request.replace {
        return Err(BackupError::Occupied(request.data_dir.clone()));
    }
    Ok(calseta_store::restore(&dir, &files, now)?)
}

fn files(backup: &Path) -> Result<BackupFiles, BackupError> {
    if backup.is_file() {
        return Ok(BackupFiles {
            database: backup.to_owned(),
            anchors: None,
        });
    }
    let (database, anchors) = (backup.join(DATABASE), backup.join(ANCHORS));
    if !database.is_file() {
        return Err(BackupError::NoBackup(backup.to_owned()));
    }
    Ok(BackupFiles {
        database,
        anchors: anchors.is_file().then_some(anchors),
    })
}

/// Writes the event; how many secrets do not open.
async fn note(engine: &Engine, backup: &Path) -> Result<usize, Problem> {
    let (inner, from) = (engine.inner.clone(), backup.display().to_string());
    let change = Change {
        actor: Actor::system(),
        at: inner.clock.now(),
    };
    let sealed = inner
        .store
        .read(|tx| Ok::<_, Problem>(secret::all(tx)?))
        .await?;
    let closed = sealed
        .iter()
        .filter(|(owner, field, sealed)| inner.vault.unseal(owner, field, sealed).is_err())
        .count();
    inner
        .store
        .write(move |tx: &WriteTx<'_>| {
            let mut detail = Map::new();
            detail.insert("path".to_owned(), json!(from));
            change.append(tx, "backup.restored", ("backup", None), detail)
        })
        .await?;
    Ok(closed)
}

/// What a recovery came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The new data directory.
    pub into: PathBuf,
    /// What could be read, table by table.
    pub salvaged: Salvaged,
}

/// Reads what can be read of a damaged data directory into a new one; the damaged one stays as it is.
pub fn recover_directory(
    data: &Path,
    into: &Path,
    clock: &Clock,
) -> Result<Recovered, BackupError> {
    let database = data.join(DATABASE);
    if !database.is_file() {
        return Err(BackupError::NoBackup(data.to_owned()));
    }
    // Nobody may write it meanwhile.
    let _ours = DataDir::take(data)?;
    let is_taken = std::fs::read_dir(into).is_ok_and(|mut entries| entries.next().is_some());
    if is_taken {
        return Err(BackupError::NotEmpty(into.to_owned()));
    }
    make_private(into)?;
    let salvaged = calseta_store::salvage(&database, &into.join(DATABASE), clock.now())?;
    for name in KEPT {
        match std::fs::read(data.join(name)) {
            Ok(bytes) => write_private(&into.join(name), &bytes)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(io(&data.join(name))(error)),
        }
    }
    Ok(Recovered {
        into: into.to_owned(),
        salvaged,
    })
}

fn checksum(path: &Path) -> Result<String, BackupError> {
    let mut file = File::open(path).map_err(io(path))?;
    let (mut hash, mut piece) = (Sha256::new(), vec![0; PIECE_BYTES]);
    loop {
        let read = file.read(&mut piece).map_err(io(path))?;
        if read == 0 {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(&piece[..read]);
    }
}

fn make_private(path: &Path) -> Result<(), BackupError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(io(path))
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(io(path))?;
    file.write_all(bytes).map_err(io(path))?;
    file.sync_all().map_err(io(path))
}

#[cfg(unix)]
fn sync(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Elsewhere a directory cannot be opened to be flushed; the file system orders its own renames.
#[cfg(not(unix))]
fn sync(_dir: &Path) -> std::io::Result<()> {
    Ok(())
}
