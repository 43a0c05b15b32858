//! The hash chain of the event log.
//!
//! `hash = SHA-256("calseta-event-v1" ‖ prev ‖ field…)`, every field with its length before it, so
//! that no two events share an encoding. The hash covers a digest of the detail, not the detail,
//! so that retention may drop details and leave the chain whole.

use sha2::{Digest, Sha256};

const DOMAIN: &[u8] = b"calseta-event-v1";

/// The newest event's place and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// Its sequence number; 0 before the first event.
    pub seq: i64,
    /// Its hash; zeroes before the first event.
    pub hash: [u8; 32],
}

impl ChainHead {
    /// Before the first event.
    pub const EMPTY: Self = Self {
        seq: 0,
        hash: [0; 32],
    };

    /// The head after an event made of `fields` in order.
    pub(crate) fn extend(self, fields: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(DOMAIN);
        hasher.update(self.hash);
        for field in fields {
            hasher.update((field.len() as u64).to_be_bytes());
            hasher.update(field);
        }
        Self {
            seq: self.seq + 1,
            hash: hasher.finalize().into(),
        }
    }
}

/// SHA-256 of an event's detail.
pub(crate) fn digest(detail: &str) -> [u8; 32] {
    Sha256::digest(detail.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_a_byte_between_fields_changes_the_hash() {
        let one = ChainHead::EMPTY.extend(&[b"ab", b"c"]);
        let other = ChainHead::EMPTY.extend(&[b"a", b"bc"]);
        assert_ne!(one.hash, other.hash, "fields must not run into each other");
    }
}
