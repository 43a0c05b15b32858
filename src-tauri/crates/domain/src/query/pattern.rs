//! How texts and addresses are matched.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How a text is matched, always ignoring case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextMatch {
    /// The whole text is this. Trimmed, never empty.
    Equal(String),
    /// The text has this in it. Trimmed, never empty.
    Contains(String),
    /// The whole text is like this.
    Like(Pattern),
}

/// A text with `*`, each standing for any run of characters, also for none.
///
/// The whole value is matched: `evil*` begins with evil, `*evil*` has it somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// What stands before, between and after the stars: always one more than there are stars.
    pieces: Vec<String>,
}

impl Pattern {
    /// From what stands between the stars. `None` when there is no star; empty pieces between two
    /// stars are dropped, because two stars mean what one means.
    pub fn new(mut pieces: Vec<String>) -> Option<Self> {
        let last = pieces.len().checked_sub(1).filter(|last| *last > 0)?;
        let mut n = 0;
        pieces.retain(|piece| {
            let is_edge = n == 0 || n == last;
            n += 1;
            is_edge || !piece.is_empty()
        });
        Some(Self { pieces })
    }

    /// What stands before, between and after the stars; the first and the last may be empty.
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// Whether a text in lower case is matched, ignoring the case of the pattern.
    pub(super) fn holds_lower(&self, text: &str) -> bool {
        let Some((first, rest_of)) = self.pieces.split_first() else {
            return false;
        };
        let Some((last, middle)) = rest_of.split_last() else {
            return text == first.to_lowercase();
        };
        let first = first.to_lowercase();
        let Some(mut rest) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        for piece in middle {
            let piece = piece.to_lowercase();
            let Some(at) = rest.find(piece.as_str()) else {
                return false;
            };
            rest = &rest[at + piece.len()..];
        }
        rest.ends_with(last.to_lowercase().as_str())
    }

    /// Whether it is only a star: any text at all.
    pub fn is_anything(&self) -> bool {
        self.pieces.iter().all(String::is_empty)
    }
}

/// A network of addresses. An IPv4 network holds no IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The first address: every bit after the prefix is zero.
    first: IpAddr,
    /// The length of the prefix in bits, 0 to 32 or 0 to 128.
    prefix_bits: u8,
}

impl Network {
    /// The network that an address is in; `None` when the prefix is too long for it.
    pub fn new(address: IpAddr, prefix_bits: u8) -> Option<Self> {
        let first = match address {
            IpAddr::V4(v4) => {
                let hosts = 32_u32.checked_sub(u32::from(prefix_bits))?;
                let mask = u32::MAX.checked_shl(hosts).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from(u32::from(v4) & mask))
            }
            IpAddr::V6(v6) => {
                let hosts = 128_u32.checked_sub(u32::from(prefix_bits))?;
                let mask = u128::MAX.checked_shl(hosts).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(v6) & mask))
            }
        };
        Some(Self { first, prefix_bits })
    }

    /// The first address.
    pub const fn first(self) -> IpAddr {
        self.first
    }

    /// The last address.
    pub fn last(self) -> IpAddr {
        match self.first {
            IpAddr::V4(v4) => {
                let hosts = u32::MAX
                    .checked_shr(u32::from(self.prefix_bits))
                    .unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from(u32::from(v4) | hosts))
            }
            IpAddr::V6(v6) => {
                let hosts = u128::MAX
                    .checked_shr(u32::from(self.prefix_bits))
                    .unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(v6) | hosts))
            }
        }
    }

    /// The length of the prefix in bits.
    pub const fn prefix_bits(self) -> u8 {
        self.prefix_bits
    }

    /// Whether an address is in it.
    pub fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.first.is_ipv4() && (self.first..=self.last()).contains(&address)
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str, bits: u8) -> Network {
        Network::new(text.parse().expect("an address"), bits).expect("fits")
    }

    #[test]
    fn a_network_holds_exactly_its_addresses() {
        let net = network("185.220.101.47", 24);
        assert_eq!(net.to_string(), "185.220.101.0/24");
        assert_eq!(net.last().to_string(), "185.220.101.255");
        for (address, is_in) in [
            ("185.220.101.0", true),
            ("185.220.101.255", true),
            ("185.220.102.0", false),
            ("185.220.100.255", false),
            ("::ffff:185.220.101.1", false),
        ] {
            assert_eq!(
                net.contains(address.parse().expect("valid")),
                is_in,
                "{address}"
            );
        }
        assert_eq!(network("1.2.3.4", 0).last().to_string(), "255.255.255.255");
        assert_eq!(network("1.2.3.4", 32).last().to_string(), "1.2.3.4");
        let v6 = network("2001:db8::ff", 32);
        assert_eq!(v6.to_string(), "2001:db8::/32");
        assert!(v6.contains("2001:db8:ffff::1".parse().expect("valid")));
        assert!(!v6.contains("2001:db9::".parse().expect("valid")));
        assert!(network("::1", 0).contains("ffff::".parse().expect("valid")));
        assert_eq!(Network::new("1.2.3.4".parse().expect("valid"), 33), None);
    }

    #[test]
    fn a_pattern_needs_a_star_and_keeps_one_of_two() {
        let pieces = |list: &[&str]| list.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
        assert_eq!(Pattern::new(pieces(&["a"])), None);
        let two = Pattern::new(pieces(&["a", "", "b"])).expect("stars");
        assert_eq!(two.pieces(), ["a", "b"]);
        let any = Pattern::new(pieces(&["", "", ""])).expect("stars");
        assert!(any.is_anything() && any.pieces().len() == 2);
    }
}
