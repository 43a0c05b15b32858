//! Indicators: their types, their verdict scale and their canonical spelling.

mod canonical;
mod enrichable;
mod recognise;

pub use canonical::{MAX_VALUE_BYTES, canonical, hash_kind, refanged};
pub use enrichable::{Skip, enrichable};
pub use recognise::{pasted, recognised};

use crate::words;

words! {
    /// What kind of value an indicator is.
    IndicatorType, "indicator type" {
        Ip => "ip",
        Domain => "domain",
        HashMd5 => "hash_md5",
        HashSha1 => "hash_sha1",
        HashSha256 => "hash_sha256",
        Url => "url",
        Email => "email",
        Account => "account",
    }
}

words! {
    /// The verdict on an indicator or an alert; the worst wins, so the order matters.
    Malice, "malice" {
        Pending => "Pending",
        Benign => "Benign",
        Suspicious => "Suspicious",
        Malicious => "Malicious",
    }
}

impl Malice {
    /// The worst of many; `Pending` when there is none.
    pub fn worst(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().max().unwrap_or(Self::Pending)
    }
}

/// A canonical (type, value) pair. Two indicators are the same exactly when these are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Indicator {
    /// What kind of value it is.
    pub kind: IndicatorType,
    /// The canonical value, at most [`MAX_VALUE_BYTES`] long.
    pub value: String,
}

impl Indicator {
    /// The canonical indicator for a raw value; `None` when the value is none of that kind.
    pub fn new(kind: IndicatorType, raw: &str) -> Option<Self> {
        canonical(kind, raw).map(|value| Self { kind, value })
    }
}
