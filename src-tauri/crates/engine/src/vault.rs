//! Sealed secrets: what an agent's header or a provider's key is stored as.
//!
//! XChaCha20-Poly1305 with a random nonce a value; the associated data names owner, field and key
//! version, so that a sealed value moved to another row does not open. The key lives in a 0600 file
//! beside the database. A secret never has `Debug` or `Serialize`.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::Path;

use calseta_store::tables::secret::SealedSecret;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::clock::random_bytes;

/// The only key version so far.
const KEY_VERSION: u32 = 1;
/// The key file in the data directory.
const KEY_FILE: &str = "master.key";
/// Characters of a value that its hint shows, at the end, and only of long values.
const HINT_CHARS: usize = 4;
/// Shorter values show nothing.
const HINT_MIN_CHARS: usize = 20;

/// A value in the clear. Wiped when dropped.
pub(crate) type Secret = Zeroizing<String>;

/// Seals and opens secrets.
pub(crate) struct Vault(XChaCha20Poly1305);

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(..)")
    }
}

/// A sealed value that does not open: the key file is another one, or the row was tampered with.
#[derive(Debug, thiserror::Error)]
#[error("a stored secret does not open with this data directory's key; enter it again")]
pub(crate) struct DoesNotOpen;

impl Vault {
    /// Reads the data directory's key, making it first when there is none.
    pub(crate) fn open(dir: &Path) -> std::io::Result<Self> {
        let path = dir.join(KEY_FILE);
        let key = match read_key(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_key(&path)?,
            other => other?,
        };
        Ok(Self(XChaCha20Poly1305::new(&Key::from(*key))))
    }

    /// Seals a value for its owner's field.
    pub(crate) fn seal(&self, owner: &str, field: &str, value: &str) -> SealedSecret {
        let nonce = random_bytes::<24>();
        let aad = associated(owner, field, KEY_VERSION);
        let payload = Payload {
            msg: value.as_bytes(),
            aad: aad.as_bytes(),
        };
        let ciphertext = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a value in memory is shorter than the cipher's limit of 256 GiB");
        SealedSecret {
            key_version: KEY_VERSION,
            nonce,
            ciphertext,
            hint: hint(value),
        }
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
            .0
            .decrypt(&XNonce::from(sealed.nonce), payload)
            .map_err(|_| DoesNotOpen)?;
        String::from_utf8(plain)
            .map(Zeroizing::new)
            .map_err(|_| DoesNotOpen)
    }
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

fn read_key(path: &Path) -> std::io::Result<Zeroizing<[u8; 32]>> {
    let mut file = OpenOptions::new().read(true).open(path)?;
    let mut key = Zeroizing::new([0; 32]);
    file.read_exact(&mut *key)?;
    Ok(key)
}

/// Makes the key in a file that only its owner can read, and on disk before it is used: a secret
/// sealed with a key that a power cut takes away would be lost.
fn make_key(path: &Path) -> std::io::Result<Zeroizing<[u8; 32]>> {
    let key = Zeroizing::new(random_bytes::<32>());
    let temporary = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&temporary)?;
    file.write_all(&*key)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    if let Some(dir) = path.parent() {
        #[cfg(unix)]
        std::fs::File::open(dir)?.sync_all()?;
        #[cfg(not(unix))]
        let _ = dir;
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_where_it_was_sealed() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::open(dir.path()).unwrap();
        let sealed = vault.seal("agent:1", "auth_header", "Bearer very-secret-value-x9f2");
        let again = Vault::open(dir.path()).unwrap();
        let opened = again.unseal("agent:1", "auth_header", &sealed).unwrap();
        assert_eq!(*opened, "Bearer very-secret-value-x9f2");
        assert!(
            again.unseal("agent:2", "auth_header", &sealed).is_err(),
            "rows must not be swapped"
        );
        assert!(!String::from_utf8_lossy(&sealed.ciphertext).contains("secret"));
        assert_eq!(sealed.hint, "…x9f2");
    }

    #[test]
    fn another_directory_s_key_does_not_open_it() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let sealed = Vault::open(one.path()).unwrap().seal("a", "b", "c");
        assert!(
            Vault::open(other.path())
                .unwrap()
                .unseal("a", "b", &sealed)
                .is_err()
        );
    }
}
