//! Rotation: a new master key, and every secret sealed again with it.
//!
//! The order makes it safe to die anywhere: the new key is stored beside the old one first, then
//! all secrets are sealed again in one transaction, then the log is anchored with the new key, and
//! only then is the old key let go. A start that finds both keys goes on from there.

use std::sync::{Arc, PoisonError};

use calseta_domain::Scope;
use calseta_store::WriteTx;
use calseta_store::tables::event::{self, Actor, NewEvent};
use calseta_store::tables::secret;
use serde_json::{Map, json};

use super::{HomeError, KeyStoreView, Shut, Vault};
use crate::start::Inner;
use crate::{Engine, Principal, Problem, anchors};

impl From<HomeError> for Problem {
    fn from(error: HomeError) -> Self {
        Self::new(
            calseta_domain::ErrorCode::Busy,
            format!("the master key could not be stored: {error}"),
        )
        .after(super::SHUT_RETRY_SECS)
    }
}

impl Engine {
    /// Where the master key is and since when.
    pub fn key_store(&self) -> KeyStoreView {
        self.inner.vault.view()
    }

    /// Replaces the master key and seals every stored secret again with the new one.
    pub async fn rotate_master_key(&self, by: &Principal) -> Result<KeyStoreView, Problem> {
        by.need(Scope::Admin)?;
        by.need_human("replacing the master key")?;
        let vault = &self.inner.vault;
        let _alone = vault.turning.lock().await;
        let next = vault.with_ring(super::Ring::with_next).ok_or(Shut)?;
        vault.store(next).await?;
        finish(&self.inner, self.actor(by)).await?;
        Ok(vault.view())
    }
}

impl Vault {
    /// Stores a ring where the key lives, and seals with its newest key from then on.
    pub(super) async fn store(&self, ring: super::Ring) -> Result<(), HomeError> {
        let mut note = self
            .note
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        // First the note: a version must not be given twice, even if the key is lost meanwhile.
        note.version = note.version.max(ring.newest());
        self.home.write_note(&note)?;
        self.home.save(&note, &ring).await?;
        *self.note.write().unwrap_or_else(PoisonError::into_inner) = note;
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Some(ring);
        Ok(())
    }

    /// Whether an earlier rotation was cut off.
    fn is_turning(&self) -> bool {
        self.with_ring(super::Ring::is_turning).unwrap_or(false)
    }

    /// Seals everything that an older key sealed with the newest one. What does not open is left:
    /// it has to be entered again, with or without a rotation.
    pub(super) fn reseal(
        &self,
        tx: &WriteTx<'_>,
        now: calseta_domain::Timestamp,
    ) -> Result<u64, Problem> {
        let newest = self.with_ring(super::Ring::newest).ok_or(Shut)?;
        let mut resealed = 0;
        for (owner, field, sealed) in secret::all(tx)? {
            if sealed.key_version == newest {
                continue;
            }
            let Ok(value) = self.unseal(&owner, &field, &sealed) else {
                tracing::warn!(
                    secret.owner = owner,
                    "a secret does not open; it is not rotated"
                );
                continue;
            };
            let again = self.seal(&owner, &field, &value)?;
            secret::put(tx, (&owner, &field), &again, now)?;
            resealed += 1;
        }
        Ok(resealed)
    }
}

/// Goes on with a rotation that an earlier process began.
pub(crate) async fn resume(inner: &Arc<Inner>) -> Result<(), Problem> {
    let _alone = inner.vault.turning.lock().await;
    if inner.vault.is_turning() {
        finish(inner, Actor::system()).await?;
    }
    Ok(())
}

async fn finish(inner: &Arc<Inner>, actor: Actor) -> Result<(), Problem> {
    let now = inner.clock.now();
    let rotated_before = inner.vault.view().rotated_at;
    let writer = Arc::clone(inner);
    inner
        .store
        .write(move |tx: &WriteTx<'_>| {
            let resealed = writer.vault.reseal(tx, now)?;
            let mut detail = Map::new();
            detail.insert(
                "security.key_rotated_at".to_owned(),
                json!([rotated_before, now]),
            );
            detail.insert("secrets".to_owned(), json!(resealed));
            event::append(
                tx,
                NewEvent {
                    at: now,
                    actor: &actor,
                    kind: "settings.updated",
                    object: ("settings", None),
                    alert: None,
                    detail,
                },
            )?;
            Ok::<_, Problem>(())
        })
        .await?;
    inner.reload_sources().await?;
    // The new key vouches for every earlier anchor before the old one is gone.
    anchors::cast(inner).await?;
    let alone = inner
        .vault
        .with_ring(super::Ring::newest_alone)
        .ok_or(Shut)?;
    inner.vault.store(alone).await?;
    let mut note = inner
        .vault
        .note
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    note.rotated_at = Some(now);
    inner.vault.home.write_note(&note)?;
    *inner
        .vault
        .note
        .write()
        .unwrap_or_else(PoisonError::into_inner) = note;
    Ok(())
}
