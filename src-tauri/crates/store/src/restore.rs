//! Putting a backup in the place of a data directory's files, so that a crash leaves the old ones or
//! the new ones and never a mixture.
//!
//! The new files are gathered in `restoring-N.part`. Renaming that to `restoring-N` is the decision:
//! from then on whoever takes the directory's lock finishes the exchange, however often it is cut
//! off. The old files are moved into `before-restore-N` and stay there until a person removes them.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use calseta_domain::Timestamp;

use crate::backup::{self, Contents, CopyError, Depth};
use crate::open::DataDir;

/// What a backup brings, in the order in which it is put in place: the database is last, because its
/// presence says that there is still something to do.
const FILES: [&str; 2] = ["anchors.jsonl", DATABASE];
/// What makes way. The write-ahead log belongs to the old database: left behind, it would be played
/// into the new one.
const OLD: [&str; 3] = ["calseta.db-wal", "calseta.db-shm", DATABASE];
const DATABASE: &str = "calseta.db";
const STAGED: &str = "restoring-";
const UNFINISHED: &str = ".part";
const ASIDE: &str = "before-restore-";

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What is in place now.
    pub contents: Contents,
    /// Where the files are that were there before.
    pub aside: Option<PathBuf>,
}

/// Where a backup's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupFiles {
    /// The database.
    pub database: PathBuf,
    /// The anchors of its event log, when there are any.
    pub anchors: Option<PathBuf>,
}

/// Puts a backup in the place of what `dir` holds.
///
/// # Errors
/// [`CopyError`], and then nothing in `dir` has changed: the copy is checked as a whole before the
/// exchange begins.
pub fn restore(dir: &DataDir, from: &BackupFiles, now: Timestamp) -> Result<Restored, CopyError> {
    let staged = dir.path().join(format!("{STAGED}{}", now.millis()));
    let part = dir
        .path()
        .join(format!("{STAGED}{}{UNFINISHED}", now.millis()));
    if staged.exists() {
        return Err(CopyError::Exists(staged));
    }
    let contents = match gather(from, &part) {
        Ok(contents) => contents,
        Err(error) => {
            drop(std::fs::remove_dir_all(&part));
            return Err(error);
        }
    };
    let io = |path: &Path, source| CopyError::Io {
        path: path.to_owned(),
        source,
    };
    std::fs::rename(&part, &staged).map_err(|source| io(&part, source))?;
    finish(dir.path()).map_err(|source| io(&staged, source))?;
    let aside = aside(&staged);
    Ok(Restored {
        contents,
        aside: aside.filter(|aside| aside.is_dir()),
    })
}

fn gather(from: &BackupFiles, part: &Path) -> Result<Contents, CopyError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source: std::io::Error| match source.kind() {
            ErrorKind::StorageFull => CopyError::Full(path),
            _ => CopyError::Io { path, source },
        }
    };
    make_private_dir(part).map_err(io(part))?;
    for name in FILES {
        let target = part.join(name);
        let mut file = backup::new_private_file(&target).map_err(io(&target))?;
        let source = if name == DATABASE {
            Some(&from.database)
        } else {
            from.anchors.as_ref()
        };
        // Without anchors the list of them is empty.
        if let Some(source) = source {
            let mut read = File::open(source).map_err(io(source))?;
            std::io::copy(&mut read, &mut file).map_err(io(&target))?;
        }
        file.sync_all().map_err(io(&target))?;
    }
    let contents = backup::inspect(&part.join(DATABASE), Depth::Everything)?;
    sync(part).map_err(io(part))?;
    Ok(contents)
}

/// Finishes what a restore decided and removes what one left half gathered. Called with the lock held.
pub(crate) fn finish(dir: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(name) = name.filter(|name| name.starts_with(STAGED) && path.is_dir()) else {
            continue;
        };
        if name.ends_with(UNFINISHED) {
            std::fs::remove_dir_all(&path)?;
        } else {
            exchange(dir, &path)?;
        }
    }
    Ok(())
}

fn exchange(dir: &Path, staged: &Path) -> std::io::Result<()> {
    let aside = aside(staged).ok_or(ErrorKind::InvalidInput)?;
    if staged.join(DATABASE).exists() {
        for name in OLD {
            put_aside(dir, &aside, name)?;
        }
    }
    for name in FILES {
        let new = staged.join(name);
        if new.exists() {
            put_aside(dir, &aside, name)?;
            // What was moved away is on disk before its place is taken.
            sync(dir)?;
            std::fs::rename(new, dir.join(name))?;
        }
    }
    sync(dir)?;
    std::fs::remove_dir_all(staged)
}

fn put_aside(dir: &Path, aside: &Path, name: &str) -> std::io::Result<()> {
    let old = dir.join(name);
    if !old.exists() {
        return Ok(());
    }
    if !aside.is_dir() {
        make_private_dir(aside)?;
    }
    std::fs::rename(old, aside.join(name))?;
    sync(aside)
}

fn aside(staged: &Path) -> Option<PathBuf> {
    let number = staged.file_name()?.to_str()?.strip_prefix(STAGED)?;
    Some(staged.with_file_name(format!("{ASIDE}{number}")))
}

fn make_private_dir(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    fn now() -> Timestamp {
        Timestamp::from_millis(7)
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A directory in which an exchange was decided: old files in place, new ones staged.
    fn decided() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in ["calseta.db", "calseta.db-wal", "anchors.jsonl"] {
            std::fs::write(dir.path().join(name), format!("old {name}")).unwrap();
        }
        let staged = dir.path().join("restoring-7");
        std::fs::create_dir(&staged).unwrap();
        for name in FILES {
            std::fs::write(staged.join(name), format!("new {name}")).unwrap();
        }
        dir
    }

    fn is_exchanged(dir: &Path) {
        let text = |path: PathBuf| std::fs::read_to_string(path).unwrap();
        assert_eq!(
            names(dir),
            ["anchors.jsonl", "before-restore-7", "calseta.db"]
        );
        assert_eq!(text(dir.join("calseta.db")), "new calseta.db");
        assert_eq!(text(dir.join("anchors.jsonl")), "new anchors.jsonl");
        let aside = dir.join("before-restore-7");
        assert_eq!(
            names(&aside),
            ["anchors.jsonl", "calseta.db", "calseta.db-wal"]
        );
        assert_eq!(text(aside.join("calseta.db")), "old calseta.db");
        assert_eq!(text(aside.join("anchors.jsonl")), "old anchors.jsonl");
    }

    #[test]
    fn an_exchange_that_was_cut_off_anywhere_is_finished() {
        // Each prefix of the exchange's own moves, then the whole of it again.
        let moves = [
            ("calseta.db-wal", "before-restore-7/calseta.db-wal"),
            ("calseta.db", "before-restore-7/calseta.db"),
            ("anchors.jsonl", "before-restore-7/anchors.jsonl"),
            ("restoring-7/anchors.jsonl", "anchors.jsonl"),
            ("restoring-7/calseta.db", "calseta.db"),
        ];
        for done in 0..=moves.len() {
            let dir = decided();
            if done > 0 {
                std::fs::create_dir(dir.path().join("before-restore-7")).unwrap();
            }
            for (from, to) in &moves[..done] {
                std::fs::rename(dir.path().join(from), dir.path().join(to)).unwrap();
            }
            finish(dir.path()).unwrap();
            is_exchanged(dir.path());
            finish(dir.path()).unwrap();
            is_exchanged(dir.path());
        }
    }

    #[test]
    fn what_was_only_gathered_is_thrown_away() {
        let dir = decided();
        let staged = dir.path().join("restoring-7");
        std::fs::rename(&staged, dir.path().join("restoring-7.part")).unwrap();
        finish(dir.path()).unwrap();
        assert_eq!(
            names(dir.path()),
            ["anchors.jsonl", "calseta.db", "calseta.db-wal"]
        );
    }

    #[tokio::test]
    async fn a_file_that_is_no_backup_changes_nothing() {
        let (data, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let taken = DataDir::take(data.path()).unwrap();
        let store = Store::open(taken, now()).unwrap();
        store.close(now()).await;
        drop(store);
        let before = std::fs::read(data.path().join(DATABASE)).unwrap();
        std::fs::write(
            from.path().join(DATABASE),
            "not a database, but long enough".repeat(40),
        )
        .unwrap();
        let taken = DataDir::take(data.path()).unwrap();
        let files = BackupFiles {
            database: from.path().join(DATABASE),
            anchors: None,
        };
        let refused = restore(&taken, &files, now()).unwrap_err();
        assert!(
            matches!(refused, CopyError::Open(crate::OpenError::Damaged { .. })),
            "{refused}"
        );
        assert_eq!(std::fs::read(data.path().join(DATABASE)).unwrap(), before);
        assert_eq!(names(data.path()), ["calseta.db", "lock"]);
    }
}
