//! What an IP address is to us: somewhere anybody may send to, somewhere a human must allow, or nowhere at all.
//!
//! IPv6 is judged by what is admitted, not by what is refused: outside `2000::/3` only `::1` and the unique local range
//! are anything but forbidden, so a range assigned tomorrow is refused today. The ranges are those of IANA's
//! special-purpose registries, plus the addresses where clouds answer metadata requests.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::target::UnknownWord;

/// Class of an address. The order is from harmless to never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AddressClass {
    /// Globally reachable unicast.
    Public,
    /// 127.0.0.0/8 and `::1`: this machine.
    Loopback,
    /// RFC 1918, shared address space (100.64.0.0/10) and unique local IPv6: the local network.
    Private,
    /// 169.254.0.0/16 and `fe80::/10`: never reachable.
    LinkLocal,
    /// Metadata services, multicast, translation and tunnel prefixes, reserved ranges: never reachable.
    Forbidden,
}

impl AddressClass {
    /// The word used on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::LinkLocal => "link_local",
            Self::Forbidden => "forbidden",
        }
    }

    /// Whether a human may allow this class at all. Link-local and forbidden addresses cannot be granted.
    pub const fn can_be_granted(self) -> bool {
        matches!(self, Self::Public | Self::Loopback | Self::Private)
    }
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AddressClass {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        [
            Self::Public,
            Self::Loopback,
            Self::Private,
            Self::LinkLocal,
            Self::Forbidden,
        ]
        .into_iter()
        .find(|class| class.as_str() == word)
        .ok_or_else(|| UnknownWord(word.to_owned()))
    }
}

/// Addresses at which a cloud hands credentials to whoever asks, outside the ranges refused anyway.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(100, 100, 100, 200), // Alibaba, inside the shared address space
    Ipv4Addr::new(168, 63, 129, 16),   // Azure's wire server, inside public space
];

/// The same for IPv6: AWS, Google and Scaleway answer inside the unique local range.
const METADATA_V6: [Ipv6Addr; 4] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x253), // AWS's name server
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
];

/// IPv4 ranges that are never a destination, as network and prefix length.
const FORBIDDEN_V4: [(Ipv4Addr, u8); 9] = [
    (Ipv4Addr::UNSPECIFIED, 8), // "this network"; 0.0.0.0 connects to loopback
    (Ipv4Addr::new(192, 0, 0, 0), 24), // IETF protocol assignments, Oracle's metadata
    (Ipv4Addr::new(192, 0, 2, 0), 24), // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24), // 6to4 relays
    (Ipv4Addr::new(198, 18, 0, 0), 15), // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24), // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4), // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4), // class E and broadcast
];

/// IPv4 ranges of local networks.
const PRIVATE_V4: [(Ipv4Addr, u8); 4] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
];

/// Ranges inside `2000::/3` that are never a destination.
const FORBIDDEN_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments: Teredo, benchmarks, ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: carries any IPv4 address
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const UNIQUE_LOCAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7);
const LINK_LOCAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10);

/// The class of `ip`. An IPv4 address wrapped in IPv6 (`::ffff:a.b.c.d`) is judged as the IPv4 address it is.
pub fn classify(ip: IpAddr) -> AddressClass {
    match ip.to_canonical() {
        IpAddr::V4(v4) => classify_v4(v4),
        IpAddr::V6(v6) => classify_v6(v6),
    }
}

fn classify_v4(ip: Ipv4Addr) -> AddressClass {
    if METADATA_V4.contains(&ip) || FORBIDDEN_V4.iter().any(|range| in_v4(ip, *range)) {
        AddressClass::Forbidden
    } else if ip.is_loopback() {
        AddressClass::Loopback
    } else if ip.is_link_local() {
        AddressClass::LinkLocal
    } else if PRIVATE_V4.iter().any(|range| in_v4(ip, *range)) {
        AddressClass::Private
    } else {
        AddressClass::Public
    }
}

fn classify_v6(ip: Ipv6Addr) -> AddressClass {
    if METADATA_V6.contains(&ip) || FORBIDDEN_V6.iter().any(|range| in_v6(ip, *range)) {
        AddressClass::Forbidden
    } else if ip.is_loopback() {
        AddressClass::Loopback
    } else if in_v6(ip, LINK_LOCAL_V6) {
        AddressClass::LinkLocal
    } else if in_v6(ip, UNIQUE_LOCAL_V6) {
        AddressClass::Private
    } else if in_v6(ip, GLOBAL_V6) {
        AddressClass::Public
    } else {
        AddressClass::Forbidden
    }
}

fn in_v4(ip: Ipv4Addr, (network, prefix): (Ipv4Addr, u8)) -> bool {
    (ip.to_bits() ^ network.to_bits()).leading_zeros() >= u32::from(prefix)
}

fn in_v6(ip: Ipv6Addr, (network, prefix): (Ipv6Addr, u8)) -> bool {
    (ip.to_bits() ^ network.to_bits()).leading_zeros() >= u32::from(prefix)
}
