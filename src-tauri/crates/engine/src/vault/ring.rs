//! The master key's versions: nearly always one, two while a rotation is under way.
//!
//! A rotation that was cut off leaves both: what was sealed with either still opens, and the next
//! start finishes the work. The newest version seals.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::clock::random_bytes;

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;
/// Versions a stored ring may hold; a rotation needs two.
const MAX_VERSIONS: usize = 8;

/// One key.
pub(super) type Key = Zeroizing<[u8; KEY_BYTES]>;

/// The keys by version. Never empty. Has no `Debug`: it holds what opens every secret.
#[derive(Clone)]
pub(super) struct Ring(BTreeMap<u32, Key>);

/// A stored ring that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the master key cannot be read: it must be 32 bytes, or lines of version and key")]
pub(crate) struct Unreadable;

impl Ring {
    /// A new random key of this version alone.
    pub(super) fn new(version: u32) -> Self {
        Self(BTreeMap::from([(version, Zeroizing::new(random_bytes()))]))
    }

    /// The newest version.
    pub(super) fn newest(&self) -> u32 {
        self.0.keys().next_back().copied().unwrap_or(0)
    }

    /// The key of a version.
    pub(super) fn key(&self, version: u32) -> Option<&Key> {
        self.0.get(&version)
    }

    /// The key that seals.
    pub(super) fn newest_key(&self) -> &Key {
        let (_, key) = self.0.last_key_value().expect("a ring is never empty");
        key
    }

    /// Whether a rotation was begun and not finished.
    pub(super) fn is_turning(&self) -> bool {
        self.0.len() > 1
    }

    /// With a newer key beside the others.
    pub(super) fn with_next(&self) -> Self {
        let mut keys = self.0.clone();
        keys.insert(self.newest() + 1, Zeroizing::new(random_bytes()));
        Self(keys)
    }

    /// With the newest key alone.
    pub(super) fn newest_alone(&self) -> Self {
        let newest = self.newest();
        let mut keys = self.0.clone();
        keys.retain(|version, _| *version == newest);
        Self(keys)
    }

    /// As it is stored: a line `version hex` a key.
    pub(super) fn to_text(&self) -> Zeroizing<Vec<u8>> {
        let mut text = Zeroizing::new(Vec::new());
        for (version, key) in &self.0 {
            let key = Zeroizing::new(hex::encode(**key));
            text.extend_from_slice(version.to_string().as_bytes());
            text.push(b' ');
            text.extend_from_slice(key.as_bytes());
            text.push(b'\n');
        }
        text
    }

    /// Reads what [`Ring::to_text`] wrote, or the 32 bytes that the first version of this program
    /// kept.
    pub(super) fn from_stored(stored: &[u8]) -> Result<Self, Unreadable> {
        if let Ok(key) = <[u8; KEY_BYTES]>::try_from(stored) {
            return Ok(Self(BTreeMap::from([(1, Zeroizing::new(key))])));
        }
        let text = std::str::from_utf8(stored).map_err(|_| Unreadable)?;
        let mut keys = BTreeMap::new();
        for line in text.lines().take(MAX_VERSIONS) {
            let (version, key) = line.split_once(' ').ok_or(Unreadable)?;
            let version = version.parse().map_err(|_| Unreadable)?;
            let mut bytes = Zeroizing::new([0; KEY_BYTES]);
            hex::decode_to_slice(key, &mut *bytes).map_err(|_| Unreadable)?;
            keys.insert(version, bytes);
        }
        if keys.is_empty() {
            return Err(Unreadable);
        }
        Ok(Self(keys))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_comes_back_as_it_was_stored() {
        let ring = Ring::new(3).with_next();
        let again = Ring::from_stored(&ring.to_text()).unwrap();
        assert_eq!(again.newest(), 4);
        assert_eq!(again.key(3), ring.key(3));
        assert_eq!(again.key(4), ring.key(4));
        assert!(again.is_turning());
        assert!(!again.newest_alone().is_turning());
    }

    #[test]
    fn the_first_program_s_bare_key_is_version_one() {
        let ring = Ring::from_stored(&[7; KEY_BYTES]).unwrap();
        assert_eq!(ring.newest(), 1);
        assert_eq!(**ring.newest_key(), [7; KEY_BYTES]);
    }

    #[test]
    fn half_a_key_is_refused() {
        assert!(Ring::from_stored(&[7; 31]).is_err());
        assert!(Ring::from_stored(b"").is_err());
        assert!(Ring::from_stored(b"1 abcd\n").is_err());
    }
}
