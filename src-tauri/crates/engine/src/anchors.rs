//! Anchors: signed heads of the event log, kept outside the database.
//!
//! Whoever can write the database can rewrite the log and its hashes. What they cannot do without
//! the master key is to sign: every [`EVENTS_PER_ANCHOR`] events, every hour and at an orderly
//! stop, a line with the log's head is appended to `anchors.jsonl`, on disk before anybody relies
//! on it, signed with a key derived from the master key, and holding the digest of the line before
//! it. `verify` compares the log with them. What happened after the newest line, and a rewriting
//! of both by somebody who has the master key, cannot be seen: copy the file away to narrow that.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use calseta_domain::{ErrorCode, Timestamp};
use calseta_store::ChainHead;
use calseta_store::tables::event;
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Problem;
use crate::start::Inner;

/// Events after which the log is anchored again.
const EVENTS_PER_ANCHOR: i64 = 1_000;
/// How long events stay without an anchor, in milliseconds.
const MAX_UNANCHORED_MS: i64 = 3600 * 1000;
/// How often the stage looks although nothing happened.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// The file in the data directory.
const FILE: &str = "anchors.jsonl";
/// The largest file that is read: some 200,000 anchors.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// What the signing key is derived for.
pub(crate) const PURPOSE: &str = "calseta-anchor-key-v1";
/// What every signature begins with.
const DOMAIN: &[u8] = b"calseta-anchor-v1";

/// One line of the file. Hashes, keys and signatures are lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Anchor {
    pub(crate) seq: i64,
    pub(crate) hash: String,
    /// Unix milliseconds.
    pub(crate) at: i64,
    /// SHA-256 of the line before, without its line feed; zeroes in the first.
    pub(crate) prev: String,
    pub(crate) key: String,
    pub(crate) sig: String,
}

impl Anchor {
    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = DOMAIN.to_vec();
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(self.hash.as_bytes());
        bytes.extend_from_slice(&self.at.to_be_bytes());
        bytes.extend_from_slice(self.prev.as_bytes());
        bytes
    }

    /// Whether its own key signed it.
    pub(crate) fn is_signed(&self) -> bool {
        let key: Option<[u8; 32]> = bytes(&self.key);
        let sig: Option<[u8; 64]> = bytes(&self.sig);
        let (Some(key), Some(sig)) = (key, sig) else {
            return false;
        };
        VerifyingKey::from_bytes(&key).is_ok_and(|key| {
            key.verify(&self.signed_bytes(), &Signature::from_bytes(&sig))
                .is_ok()
        })
    }
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// The public key that belongs to a derived one.
pub(crate) fn public_key(derived: &[u8; 32]) -> String {
    hex::encode(SigningKey::from_bytes(derived).verifying_key().as_bytes())
}

pub(crate) fn file(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// The digest that the next line names.
pub(crate) fn digest(line: &str) -> String {
    hex::encode(Sha256::digest(line.as_bytes()))
}

/// The whole lines of the file; an unfinished last one, which a power cut may leave, is no anchor.
pub(crate) fn lines(dir: &Path) -> std::io::Result<Vec<String>> {
    let file = match File::open(file(dir)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut text = Vec::new();
    file.take(MAX_FILE_BYTES).read_to_end(&mut text)?;
    let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    Ok(String::from_utf8_lossy(&text[..whole])
        .lines()
        .map(str::to_owned)
        .collect())
}

/// What was anchored last, and when this process looked.
#[derive(Debug, Default)]
pub(crate) struct Anchored {
    last: Option<Last>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    seq: i64,
    at: i64,
}

/// Anchors the log's head now, unless it is anchored already or there is no key to sign with.
pub(crate) async fn cast(inner: &Arc<Inner>) -> Result<(), Problem> {
    let mut anchored = inner.anchored.lock().await;
    let head = inner
        .store
        .read(|tx| Ok::<_, Problem>(event::chain_head(tx)?))
        .await?;
    let Some(derived) = inner.vault.derive(PURPOSE) else {
        return Ok(());
    };
    let (dir, now) = (inner.store.dir().path().to_owned(), inner.clock.now());
    let key = SigningKey::from_bytes(&derived);
    let written = tokio::task::spawn_blocking(move || append(&dir, &key, head, now)).await;
    let last = written
        .map_err(|error| failed(&error.to_string()))?
        .map_err(|error| failed(&error.to_string()))?;
    anchored.last = last.or(anchored.last);
    Ok(())
}

fn failed(why: &str) -> Problem {
    tracing::error!(error = why, "the event log could not be anchored");
    Problem::new(
        ErrorCode::Internal,
        "the event log could not be anchored; the log has the details",
    )
}

fn append(
    dir: &Path,
    key: &SigningKey,
    head: ChainHead,
    now: Timestamp,
) -> std::io::Result<Option<Last>> {
    let lines = lines(dir)?;
    let public = hex::encode(key.verifying_key().as_bytes());
    let newest = lines
        .last()
        .and_then(|line| serde_json::from_str::<Anchor>(line).ok());
    let known = newest
        .as_ref()
        .is_some_and(|last| last.seq == head.seq && last.key == public);
    if known || head.seq == 0 {
        return Ok(newest.map(|last| Last {
            seq: last.seq,
            at: last.at,
        }));
    }
    let mut anchor = Anchor {
        seq: head.seq,
        hash: hex::encode(head.hash),
        at: now.millis(),
        prev: lines
            .last()
            .map_or_else(|| hex::encode([0; 32]), |line| digest(line)),
        key: public,
        sig: String::new(),
    };
    anchor.sig = hex::encode(key.sign(&anchor.signed_bytes()).to_bytes());
    write_line(dir, &serde_json::to_string(&anchor)?)?;
    Ok(Some(Last {
        seq: anchor.seq,
        at: anchor.at,
    }))
}

fn write_line(dir: &Path, line: &str) -> std::io::Result<()> {
    let path = file(dir);
    let is_new = !path.exists();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&path)?;
    let mut text = Vec::new();
    Read::by_ref(&mut file)
        .take(MAX_FILE_BYTES)
        .read_to_end(&mut text)?;
    // An unfinished line of a power cut is written over.
    let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    file.set_len(whole as u64)?;
    file.seek(SeekFrom::End(0))?;
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_all()?;
    #[cfg(unix)]
    if is_new {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// Anchors when enough has happened or enough time has passed.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut changes = inner.store.event_seq();
    while !inner.stop.is_cancelled() {
        let newest = *changes.borrow_and_update();
        let last = inner.anchored.lock().await.last;
        // The first event is anchored at once: a log without any anchor looks like a removed one.
        let step = if last.is_none() && newest == 0 {
            1
        } else {
            EVENTS_PER_ANCHOR
        };
        let due = is_due(last, newest, inner.clock.now());
        if due && cast(&inner).await.is_err() && !pause(&inner).await {
            return;
        }
        tokio::select! {
            () = inner.stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {},
            changed = enough(&mut changes, newest + step) => if changed.is_err() { return },
        }
    }
}

/// Resolves when the log has grown to where it asks for an anchor.
async fn enough(
    changes: &mut tokio::sync::watch::Receiver<i64>,
    until: i64,
) -> Result<(), tokio::sync::watch::error::RecvError> {
    changes
        .wait_for(|newest| *newest >= until)
        .await
        .map(|_| ())
}

async fn pause(inner: &Inner) -> bool {
    tokio::select! {
        () = inner.stop.cancelled() => false,
        () = tokio::time::sleep(LOOK_EVERY) => true,
    }
}

fn is_due(last: Option<Last>, newest: i64, now: Timestamp) -> bool {
    match last {
        None => newest > 0,
        Some(last) => {
            let events = newest - last.seq;
            events >= EVENTS_PER_ANCHOR
                || (events > 0 && now.millis() - last.at >= MAX_UNANCHORED_MS)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_line_is_no_anchor_and_is_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let key = SigningKey::from_bytes(&[1; 32]);
        let head = |seq| ChainHead { seq, hash: [2; 32] };
        let now = Timestamp::from_millis(5);
        append(dir.path(), &key, head(1), now).unwrap();
        let mut file = OpenOptions::new()
            .append(true)
            .open(file(dir.path()))
            .unwrap();
        file.write_all(b"{\"seq\":2,\"ha").unwrap();
        assert_eq!(lines(dir.path()).unwrap().len(), 1);
        append(dir.path(), &key, head(3), now).unwrap();
        let lines = lines(dir.path()).unwrap();
        assert_eq!(lines.len(), 2);
        let second: Anchor = serde_json::from_str(&lines[1]).unwrap();
        assert_eq!(second.prev, digest(&lines[0]));
        assert!(second.is_signed());
        let forged = Anchor {
            seq: 2,
            ..second.clone()
        };
        assert!(!forged.is_signed(), "a changed line must not pass");
    }
}
