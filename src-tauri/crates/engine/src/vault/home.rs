//! Where the master key lives: the desktop's keychain, or a 0600 file beside the database.
//!
//! A note beside the database says which, so that a start never has to guess: a keychain that does
//! not answer today must not lead to a second key. The note holds nothing secret.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use calseta_domain::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::keychain::{self, KeychainError, OPEN_DEADLINE, PROBE_DEADLINE};
use super::ring::Ring;
use crate::clock::Ids;

/// The key file in the data directory.
const KEY_FILE: &str = "master.key";
/// The note in the data directory.
const NOTE_FILE: &str = "key-store.json";
/// The largest key file or note that is read, in bytes.
const MAX_FILE_BYTES: u64 = 16 * 1024;

/// Where a new data directory's master key is to be kept. An existing one stays where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyStore {
    /// The desktop's keychain when it answers, else a file.
    #[default]
    Auto,
    /// A 0600 file in the data directory.
    File,
    /// The desktop's keychain or no start.
    Keychain,
}

impl std::str::FromStr for KeyStore {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "auto" => Ok(Self::Auto),
            "file" => Ok(Self::File),
            "keychain" => Ok(Self::Keychain),
            _ => Err(format!(
                "unknown key store {word:?}; allowed: auto, file, keychain"
            )),
        }
    }
}

/// Why the key could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HomeError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Unreadable(#[from] super::ring::Unreadable),
    #[error(transparent)]
    Keychain(#[from] KeychainError),
}

/// Where the key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    Keychain,
    File,
}

/// What the note says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) kept_in: Place,
    /// The keychain's entry; this installation's own.
    pub(super) entry: Uuid,
    /// The newest version that was ever made: a key that was lost must not lend its number.
    pub(super) version: u32,
    pub(super) since: Timestamp,
    pub(super) rotated_at: Option<Timestamp>,
}

/// A data directory's key store.
#[derive(Debug, Clone)]
pub(super) struct Home {
    dir: PathBuf,
}

/// What was found or made; no ring when the keychain does not give it out.
pub(super) struct Opened {
    pub(super) note: Note,
    pub(super) ring: Option<Ring>,
}

impl Home {
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    /// Reads the key, making it first when there is none.
    pub(super) async fn open(&self, choice: KeyStore, now: Timestamp) -> Result<Opened, HomeError> {
        match self.note(now)? {
            None => self.begin(choice, now).await,
            Some(note) => self.read(note, now).await,
        }
    }

    /// Reads the key, making nothing.
    pub(super) async fn look(&self, now: Timestamp) -> Result<Option<Ring>, HomeError> {
        let Some(note) = self.note(now)? else {
            return Ok(None);
        };
        match note.kept_in {
            Place::File => match self.read_file() {
                Err(HomeError::Io(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
                other => Ok(Some(other?)),
            },
            Place::Keychain => {
                let stored = keychain::get(note.entry, OPEN_DEADLINE).await?;
                Ok(stored.map(|bytes| Ring::from_stored(&bytes)).transpose()?)
            }
        }
    }

    /// Stores a ring where the key lives.
    pub(super) async fn save(&self, note: &Note, ring: &Ring) -> Result<(), HomeError> {
        match note.kept_in {
            Place::File => Ok(replace(&self.dir.join(KEY_FILE), &ring.to_text())?),
            Place::Keychain => Ok(keychain::put(note.entry, ring.to_text(), OPEN_DEADLINE).await?),
        }
    }

    /// Stores the note.
    pub(super) fn write_note(&self, note: &Note) -> Result<(), HomeError> {
        let text = serde_json::to_vec(note).unwrap_or_default();
        Ok(replace(&self.dir.join(NOTE_FILE), &text)?)
    }

    async fn begin(&self, choice: KeyStore, now: Timestamp) -> Result<Opened, HomeError> {
        let ring = Ring::new(1);
        let mut note = Note {
            kept_in: Place::Keychain,
            entry: Ids.next(),
            version: 1,
            since: now,
            rotated_at: None,
        };
        if choice != KeyStore::File {
            match keychain::put(note.entry, ring.to_text(), PROBE_DEADLINE).await {
                Ok(()) => {
                    self.write_note(&note)?;
                    return Ok(Opened {
                        note,
                        ring: Some(ring),
                    });
                }
                Err(error) if choice == KeyStore::Keychain => return Err(error.into()),
                Err(error) => {
                    tracing::info!(error = %error, "no keychain; the master key is kept in a file");
                }
            }
        }
        note.kept_in = Place::File;
        self.save(&note, &ring).await?;
        self.write_note(&note)?;
        Ok(Opened {
            note,
            ring: Some(ring),
        })
    }

    async fn read(&self, mut note: Note, now: Timestamp) -> Result<Opened, HomeError> {
        let found = match note.kept_in {
            Place::File => match self.read_file() {
                Err(HomeError::Io(error)) if error.kind() == ErrorKind::NotFound => None,
                other => Some(other?),
            },
            Place::Keychain => match keychain::get(note.entry, OPEN_DEADLINE).await {
                Ok(stored) => stored.map(|bytes| Ring::from_stored(&bytes)).transpose()?,
                Err(error) => {
                    tracing::error!(error = %error, "the keychain does not give out the master key; stored secrets cannot be used until it does");
                    return Ok(Opened { note, ring: None });
                }
            },
        };
        if let Some(ring) = found {
            note.version = note.version.max(ring.newest());
            return Ok(Opened {
                note,
                ring: Some(ring),
            });
        }
        tracing::error!("the master key is gone; stored secrets have to be entered again");
        note.version += 1;
        note.since = now;
        let ring = Ring::new(note.version);
        self.write_note(&note)?;
        self.save(&note, &ring).await?;
        Ok(Opened {
            note,
            ring: Some(ring),
        })
    }

    /// The note; one made up for a directory of the first program, which had a key file alone.
    fn note(&self, now: Timestamp) -> Result<Option<Note>, HomeError> {
        match read_small(&self.dir.join(NOTE_FILE)) {
            Ok(text) => {
                let note = serde_json::from_slice(&text).map_err(|error| {
                    std::io::Error::new(ErrorKind::InvalidData, format!("{NOTE_FILE}: {error}"))
                })?;
                return Ok(Some(note));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        if !self.dir.join(KEY_FILE).exists() {
            return Ok(None);
        }
        Ok(Some(Note {
            kept_in: Place::File,
            entry: Ids.next(),
            version: 1,
            since: made_at(&self.dir.join(KEY_FILE)).unwrap_or(now),
            rotated_at: None,
        }))
    }

    fn read_file(&self) -> Result<Ring, HomeError> {
        Ok(Ring::from_stored(&read_small(&self.dir.join(KEY_FILE))?)?)
    }
}

/// When a file was written last.
fn made_at(path: &Path) -> Option<Timestamp> {
    let at = path.metadata().ok()?.modified().ok()?;
    let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(
        i64::try_from(since.as_millis()).ok()?,
    ))
}

fn read_small(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    OpenOptions::new()
        .read(true)
        .open(path)?
        .take(MAX_FILE_BYTES)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Replaces a file that only its owner can read, and has it on disk before it is used: a secret
/// sealed with a key that a power cut takes away would be lost.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    #[cfg(unix)]
    if let Some(dir) = path.parent() {
        std::fs::File::open(dir)?.sync_all()?;
    }
    Ok(())
}
