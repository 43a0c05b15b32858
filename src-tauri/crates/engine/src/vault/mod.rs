//! Sealed secrets: what an agent's header or a provider's key is stored as.
//!
//! XChaCha20-Poly1305 with a random nonce a value; the associated data names owner, field and key
//! version, so that a sealed value moved to another row does not open. `home` says where the key
//! lives, `ring` what versions of it there are. A secret never has `Debug` or `Serialize`.
//!
//! Seal inside the write closure that stores the value: closures run one after another, so none
//! can store something sealed with a key that a rotation has just retired.

mod home;
mod keychain;
mod ring;
mod rotate;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{PoisonError, RwLock};

use calseta_domain::{ErrorCode, Timestamp};
use calseta_store::tables::secret::SealedSecret;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use serde::Serialize;
use sha2::Sha256;
use zeroize::Zeroizing;

use self::home::{Home, Note, Place};
use self::ring::Ring;
use crate::Problem;
use crate::clock::random_bytes;

pub(crate) use self::home::HomeError;
pub use self::home::KeyStore;
pub(crate) use self::rotate::resume;

/// Characters of a value that its hint shows, at the end, and only of long values.
const HINT_CHARS: usize = 4;
/// Shorter values show nothing.
const HINT_MIN_CHARS: usize = 20;
/// Seconds after which sealing is worth another try when the keychain is shut.
const SHUT_RETRY_SECS: u64 = 30;

/// A value in the clear. Wiped when dropped.
pub(crate) type Secret = Zeroizing<String>;

/// Where the master key is and whether it can be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyStoreView {
    /// keychain, file, or unavailable when the keychain does not give the key out.
    pub state: &'static str,
    /// Which key it is; grows with every rotation.
    pub version: u32,
    /// Since when the key is where it is.
    pub since: Timestamp,
    /// When it was replaced last.
    pub rotated_at: Option<Timestamp>,
}

/// Seals and opens secrets.
pub(crate) struct Vault {
    home: Home,
    note: RwLock<Note>,
    ring: RwLock<Option<Ring>>,
    /// One rotation at a time.
    turning: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(..)")
    }
}

/// A sealed value that does not open: the key file is another one, or the row was tampered with.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored secret does not open with this data directory's key; enter it again")]
pub(crate) struct DoesNotOpen;

/// The keychain is shut: nothing can be sealed.
#[derive(Debug, thiserror::Error)]
#[error(
    "the keychain does not give out the master key, so nothing secret can be stored; unlock it and start the app again"
)]
pub(crate) struct Shut;

impl From<Shut> for Problem {
    fn from(shut: Shut) -> Self {
        Self::new(ErrorCode::Busy, shut.to_string()).after(SHUT_RETRY_SECS)
    }
}

impl Vault {
    /// Reads the data directory's key, making it first when there is none.
    pub(crate) async fn open(
        dir: &Path,
        choice: KeyStore,
        now: Timestamp,
    ) -> Result<Self, HomeError> {
        let home = Home::new(dir);
        let opened = home.open(choice, now).await?;
        Ok(Self {
            home,
            note: RwLock::new(opened.note),
            ring: RwLock::new(opened.ring),
            turning: tokio::sync::Mutex::new(()),
        })
    }

    /// Where the key is.
    pub(crate) fn view(&self) -> KeyStoreView {
        let note = self.note.read().unwrap_or_else(PoisonError::into_inner);
        let has_key = self.with_ring(|_| ()).is_some();
        KeyStoreView {
            state: match (has_key, note.kept_in) {
                (false, _) => "unavailable",
                (true, Place::Keychain) => "keychain",
                (true, Place::File) => "file",
            },
            version: note.version,
            since: note.since,
            rotated_at: note.rotated_at,
        }
    }

    fn with_ring<T>(&self, work: impl FnOnce(&Ring) -> T) -> Option<T> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        ring.as_ref().map(work)
    }

    /// A key of its own for another purpose, derived from the newest master key.
    pub(crate) fn derive(&self, purpose: &str) -> Option<Zeroizing<[u8; 32]>> {
        self.with_ring(|ring| derived(ring, purpose))
    }

    /// Seals a value for its owner's field.
    pub(crate) fn seal(&self, owner: &str, field: &str, value: &str) -> Result<SealedSecret, Shut> {
        self.with_ring(|ring| {
            let nonce = random_bytes::<24>();
            let version = ring.newest();
            let aad = associated(owner, field, version);
            let payload = Payload {
                msg: value.as_bytes(),
                aad: aad.as_bytes(),
            };
            let ciphertext = cipher(ring.newest_key())
                .encrypt(&XNonce::from(nonce), payload)
                .expect("a value in memory is shorter than the cipher's limit of 256 GiB");
            SealedSecret {
                key_version: version,
                nonce,
                ciphertext,
                hint: hint(value),
            }
        })
        .ok_or(Shut)
    }

    /// Opens what [`Vault::seal`] sealed for the same owner and field.
    pub(crate) fn unseal(
        &self,
        owner: &str,
        field: &str,
        sealed: &SealedSecret,
    ) -> Result<Secret, DoesNotOpen> {
        let aad = associated(owner, field, sealed.key_version);
        let payload = Payload {
            msg: &sealed.ciphertext,
            aad: aad.as_bytes(),
        };
        let plain = self
            .with_ring(|ring| {
                let key = ring.key(sealed.key_version)?;
                cipher(key)
                    .decrypt(&XNonce::from(sealed.nonce), payload)
                    .ok()
            })
            .flatten()
            .ok_or(DoesNotOpen)?;
        String::from_utf8(plain)
            .map(Zeroizing::new)
            .map_err(|_| DoesNotOpen)
    }
}

/// The key for another purpose that belongs to a data directory, without making anything there.
pub(crate) async fn look(
    dir: &Path,
    purpose: &str,
    now: Timestamp,
) -> Result<Option<Zeroizing<[u8; 32]>>, HomeError> {
    let ring = Home::new(dir).look(now).await?;
    Ok(ring.map(|ring| derived(&ring, purpose)))
}

fn derived(ring: &Ring, purpose: &str) -> Zeroizing<[u8; 32]> {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&**ring.newest_key())
        .expect("an HMAC key may have any length");
    mac.update(purpose.as_bytes());
    Zeroizing::new(mac.finalize().into_bytes().into())
}

fn cipher(key: &ring::Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(**key))
}

fn associated(owner: &str, field: &str, version: u32) -> String {
    format!("v1|{owner}|{field}|{version}")
}

fn hint(value: &str) -> String {
    let count = value.chars().count();
    if count < HINT_MIN_CHARS {
        return "…".to_owned();
    }
    let tail: String = value.chars().skip(count - HINT_CHARS).collect();
    format!("…{tail}")
}
