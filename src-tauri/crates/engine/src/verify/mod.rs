//! Verifying the event log: its own chain first, then the chain against the anchors.
//!
//! The chain shows any change by somebody who did not recompute the hashes; the anchors show the
//! changes of somebody who did, and a log that ends before its newest anchor.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use calseta_domain::Timestamp;
use calseta_store::tables::event;
use calseta_store::{ChainHead, DataDir, Store};
use serde::Serialize;

use crate::anchors::{self, Anchor};
use crate::{Clock, Engine, Principal, Problem, StartError, vault};

/// Events a read of the walk: well within a reader's deadline.
const PIECE: u32 = 20_000;
/// Faults that are named; a log that was rewritten has one at every later anchor.
const MAX_FAULTS: usize = 50;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Whether nothing is wrong.
    pub ok: bool,
    /// Events whose chain was walked.
    pub events: i64,
    /// The newest event's hash, in hex: note it down to compare later.
    pub head: String,
    /// Anchors that were compared.
    pub anchors: usize,
    /// The newest anchored event; what came after it is held together by the chain alone.
    pub anchored_until: i64,
    /// What is wrong, in sentences; empty when nothing is.
    pub faults: Vec<String>,
}

impl Engine {
    /// Verifies the event log while the app runs.
    pub async fn verify(&self, by: &Principal) -> Result<Verified, Problem> {
        by.need(calseta_domain::Scope::Admin)?;
        // Asked before the first anchor is written, a whole log would look like one without anchors.
        if anchors::lines(self.data_dir()).is_ok_and(|lines| lines.is_empty()) {
            anchors::cast(&self.inner).await?;
        }
        let key = self.inner.vault.derive(anchors::PURPOSE);
        check(
            &self.inner.store,
            self.data_dir(),
            key.map(|key| anchors::public_key(&key)),
        )
        .await
    }
}

/// Verifies a data directory that no app has open.
pub async fn verify_directory(dir: &Path, clock: &Clock) -> Result<Verified, StartError> {
    let now = clock.now();
    let taken = DataDir::take(dir)?;
    let key = vault::look(dir, anchors::PURPOSE, now)
        .await
        .map_err(|error| StartError::Key {
            path: dir.to_owned(),
            reason: error.to_string(),
        })?;
    let store = Arc::new(Store::open(taken, now)?);
    let verified = check(&store, dir, key.map(|key| anchors::public_key(&key))).await;
    store.close(clock.now()).await;
    verified.map_err(|problem| StartError::Verify(problem.message))
}

async fn check(store: &Store, dir: &Path, key: Option<String>) -> Result<Verified, Problem> {
    let mut faults = Vec::new();
    let head = walk(store, &mut faults).await?;
    let lines = anchors::lines(dir).map_err(|error| {
        Problem::new(
            calseta_domain::ErrorCode::Internal,
            format!("the anchors cannot be read: {error}"),
        )
    })?;
    let anchors = read_anchors(&lines, &mut faults);
    if let (Some(newest), Some(key)) = (anchors.last(), &key)
        && newest.key != *key
    {
        faults.push(format!(
            "the newest anchor, of event {}, was not signed with this data directory's key",
            newest.seq
        ));
    }
    if key.is_none() && !anchors.is_empty() {
        faults.push(
            "the master key cannot be read, so nobody can say who signed the anchors".to_owned(),
        );
    }
    if anchors.is_empty() && head.seq > 0 {
        faults.push("there is no anchor although there are events; anchors.jsonl was removed or never written".to_owned());
    }
    compare(store, &anchors, head, &mut faults).await?;
    faults.truncate(MAX_FAULTS);
    Ok(Verified {
        ok: faults.is_empty(),
        events: head.seq,
        head: hex::encode(head.hash),
        anchors: anchors.len(),
        anchored_until: anchors.last().map_or(0, |anchor| anchor.seq),
        faults,
    })
}

/// Walks the chain in pieces; stops at the first event that does not fit.
async fn walk(store: &Store, faults: &mut Vec<String>) -> Result<ChainHead, Problem> {
    let mut head = ChainHead::EMPTY;
    loop {
        let from = head;
        let walked = store
            .read(move |tx| Ok::<_, Problem>(event::verify_from(tx, from, PIECE)?))
            .await?;
        match walked {
            Ok(next) if next.seq == head.seq => return Ok(head),
            Ok(next) => head = next,
            Err(seq) => {
                faults.push(format!(
                    "event {seq} does not follow from the one before it: it, or one before it, was changed, removed or put in"
                ));
                return Ok(head);
            }
        }
    }
}

/// The anchors, each compared with the line before it.
fn read_anchors(lines: &[String], faults: &mut Vec<String>) -> Vec<Anchor> {
    let mut anchors: Vec<Anchor> = Vec::with_capacity(lines.len());
    let mut prev = hex::encode([0; 32]);
    for (n, line) in lines.iter().enumerate() {
        let number = n + 1;
        let Ok(anchor) = serde_json::from_str::<Anchor>(line) else {
            faults.push(format!("line {number} of the anchors cannot be read"));
            continue;
        };
        let before = anchors.last().map_or(0, |last| last.seq);
        if anchor.prev != prev || anchor.seq < before {
            faults.push(format!(
                "line {number} of the anchors does not follow the one before it"
            ));
        }
        if !anchor.is_signed() {
            faults.push(format!(
                "line {number} of the anchors is not signed by its key"
            ));
        }
        prev = anchors::digest(line);
        anchors.push(anchor);
    }
    anchors
}

/// Whether the log holds what was anchored.
async fn compare(
    store: &Store,
    anchors: &[Anchor],
    head: ChainHead,
    faults: &mut Vec<String>,
) -> Result<(), Problem> {
    for piece in anchors.chunks(PIECE as usize) {
        let seqs: Vec<i64> = piece.iter().map(|anchor| anchor.seq).collect();
        let heads = store
            .read(move |tx| {
                seqs.into_iter()
                    .map(|seq| Ok(event::head_at(tx, seq)?))
                    .collect::<Result<Vec<_>, Problem>>()
            })
            .await?;
        for (anchor, stored) in piece.iter().zip(heads) {
            match stored {
                Some(stored) if hex::encode(stored.hash) == anchor.hash => {}
                Some(_) => faults.push(format!(
                    "event {} is not the one that was anchored at {}",
                    anchor.seq,
                    Timestamp::from_millis(anchor.at)
                )),
                None => faults.push(format!(
                    "the log ends at event {} but was anchored at event {}: its end was cut off",
                    head.seq, anchor.seq
                )),
            }
        }
    }
    Ok(())
}
