//! The fingerprint by which a repeated alert is recognised.
//!
//! SHA-256 (design.md §4.11) over `title NUL source NUL type:value|type:value…`, the pairs sorted,
//! so that the order in which a source lists its entities does not matter.

use sha2::{Digest, Sha256};

use crate::Indicator;

/// The fingerprint of an alert. Two alerts with the same one, within the dedup window, are one.
pub fn fingerprint(title: &str, source_name: &str, indicators: &[Indicator]) -> [u8; 32] {
    let mut pairs: Vec<String> = indicators
        .iter()
        .map(|i| format!("{}:{}", i.kind, i.value))
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut hash = Sha256::new();
    hash.update(title.as_bytes());
    hash.update([0]);
    hash.update(source_name.as_bytes());
    hash.update([0]);
    for (n, pair) in pairs.iter().enumerate() {
        if n > 0 {
            hash.update(b"|");
        }
        hash.update(pair.as_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IndicatorType;

    fn ip(value: &str) -> Indicator {
        Indicator {
            kind: IndicatorType::Ip,
            value: value.to_owned(),
        }
    }

    #[test]
    fn it_is_sha256_over_the_documented_text() {
        let expected = Sha256::digest(b"T\0sentinel\0domain:evil.com|ip:1.2.3.4");
        let domain = Indicator {
            kind: IndicatorType::Domain,
            value: "evil.com".to_owned(),
        };
        assert_eq!(
            fingerprint("T", "sentinel", &[ip("1.2.3.4"), domain])[..],
            expected[..]
        );
    }

    #[test]
    fn order_and_repetition_do_not_matter_but_title_and_source_do() {
        let (a, b) = (ip("1.1.1.1"), ip("8.8.8.8"));
        let base = fingerprint("T", "s", &[a.clone(), b.clone()]);
        assert_eq!(
            base,
            fingerprint("T", "s", &[b.clone(), a.clone(), b.clone()])
        );
        assert_ne!(base, fingerprint("T", "s", std::slice::from_ref(&a)));
        assert_ne!(base, fingerprint("U", "s", &[a.clone(), b.clone()]));
        assert_ne!(base, fingerprint("T", "t", &[a, b]));
    }
}
