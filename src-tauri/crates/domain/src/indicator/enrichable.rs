//! The gate before enrichment: what is not public is not sent to anybody.
//!
//! It keeps internal names and addresses inside, and saves the quota of providers that could
//! say nothing about them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::IndicatorType;

/// Why an indicator is not enriched. Its `Display` goes into the pseudo-result's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Skip {
    /// RFC 1918 or unique local.
    #[error("the address is private")]
    Private,
    /// 127/8 or `::1`.
    #[error("the address is loopback")]
    Loopback,
    /// 169.254/16 or `fe80::/10`.
    #[error("the address is link-local")]
    LinkLocal,
    /// 100.64/10, carrier-grade NAT.
    #[error("the address is shared address space (carrier-grade NAT)")]
    Shared,
    /// 192.0.2/24, 198.51.100/24, 203.0.113/24, `2001:db8::/32`, `3fff::/20`.
    #[error("the address is reserved for documentation")]
    Documentation,
    /// Multicast or broadcast.
    #[error("the address is multicast or broadcast")]
    Multicast,
    /// Anything else that is not globally routed.
    #[error("the address is not globally routable")]
    Reserved,
    /// `localhost`, `.internal`, `.lan` …
    #[error("the name is internal")]
    InternalName,
    /// A host name without a domain.
    #[error("the name has no domain, so it is internal")]
    SingleLabel,
    /// A URL without a host, or a value that is not of its type.
    #[error("the value has no host to judge")]
    NoHost,
}

/// Endings of names that no public provider knows.
const INTERNAL_ENDINGS: &[&str] = &[
    "internal",
    "local",
    "localhost",
    "home",
    "lan",
    "corp",
    "test",
    "example",
    "invalid",
    "arpa",
];

/// Whether a canonical value may be sent to providers.
pub fn enrichable(kind: IndicatorType, value: &str) -> Result<(), Skip> {
    match kind {
        IndicatorType::Ip => judge_ip(value.parse().map_err(|_| Skip::NoHost)?),
        IndicatorType::Domain => judge_name(value),
        IndicatorType::Url => {
            let url = Url::parse(value).map_err(|_| Skip::NoHost)?;
            match url.host() {
                Some(Host::Domain(name)) => judge_name(name),
                Some(Host::Ipv4(v4)) => judge_v4(v4),
                Some(Host::Ipv6(v6)) => judge_ip(IpAddr::V6(v6)),
                None => Err(Skip::NoHost),
            }
        }
        IndicatorType::HashMd5
        | IndicatorType::HashSha1
        | IndicatorType::HashSha256
        | IndicatorType::Email
        | IndicatorType::Account => Ok(()),
    }
}

fn judge_name(name: &str) -> Result<(), Skip> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or_default();
    if INTERNAL_ENDINGS
        .iter()
        .any(|ending| last.eq_ignore_ascii_case(ending))
    {
        Err(Skip::InternalName)
    } else if name.contains('.') {
        Ok(())
    } else {
        Err(Skip::SingleLabel)
    }
}

fn judge_ip(ip: IpAddr) -> Result<(), Skip> {
    match ip.to_canonical() {
        IpAddr::V4(v4) => judge_v4(v4),
        IpAddr::V6(v6) => judge_v6(v6),
    }
}

/// By the IANA special-purpose registry.
fn judge_v4(ip: Ipv4Addr) -> Result<(), Skip> {
    let [a, b, c, _] = ip.octets();
    if ip.is_private() {
        Err(Skip::Private)
    } else if ip.is_loopback() {
        Err(Skip::Loopback)
    } else if ip.is_link_local() {
        Err(Skip::LinkLocal)
    } else if a == 100 && b & 0xC0 == 64 {
        Err(Skip::Shared)
    } else if ip.is_documentation() {
        Err(Skip::Documentation)
    } else if ip.is_multicast() || ip.is_broadcast() {
        Err(Skip::Multicast)
    } else if a == 0
        || a >= 240
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && b & 0xFE == 18)
    {
        Err(Skip::Reserved)
    } else {
        Ok(())
    }
}

/// Only `2000::/3` is routed, and not all of it.
fn judge_v6(ip: Ipv6Addr) -> Result<(), Skip> {
    let [a, b, ..] = ip.segments();
    if ip.is_loopback() {
        Err(Skip::Loopback)
    } else if a & 0xFE00 == 0xFC00 {
        Err(Skip::Private)
    } else if a & 0xFFC0 == 0xFE80 {
        Err(Skip::LinkLocal)
    } else if ip.is_multicast() {
        Err(Skip::Multicast)
    } else if (a == 0x2001 && b == 0x0DB8) || (a == 0x3FFF && b < 0x1000) {
        Err(Skip::Documentation)
    } else if a & 0xE000 != 0x2000 || a == 0x2002 || (a == 0x2001 && b < 0x0200) {
        Err(Skip::Reserved)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use IndicatorType::{Account, Domain, Ip, Url as Link};

    #[test]
    fn only_public_addresses_leave() {
        let cases = [
            ("8.8.8.8", Ok(())),
            ("172.32.0.1", Ok(())),
            ("100.128.0.1", Ok(())),
            ("2606:4700:4700::1111", Ok(())),
            ("10.1.2.3", Err(Skip::Private)),
            ("172.16.0.1", Err(Skip::Private)),
            ("192.168.1.1", Err(Skip::Private)),
            ("fd00::1", Err(Skip::Private)),
            ("127.0.0.1", Err(Skip::Loopback)),
            ("::1", Err(Skip::Loopback)),
            ("169.254.169.254", Err(Skip::LinkLocal)),
            ("fe80::1", Err(Skip::LinkLocal)),
            ("100.64.0.1", Err(Skip::Shared)),
            ("192.0.2.1", Err(Skip::Documentation)),
            ("198.51.100.7", Err(Skip::Documentation)),
            ("203.0.113.9", Err(Skip::Documentation)),
            ("2001:db8::1", Err(Skip::Documentation)),
            ("224.0.0.1", Err(Skip::Multicast)),
            ("255.255.255.255", Err(Skip::Multicast)),
            ("ff02::1", Err(Skip::Multicast)),
            ("0.0.0.0", Err(Skip::Reserved)),
            ("240.0.0.1", Err(Skip::Reserved)),
            ("198.18.0.1", Err(Skip::Reserved)),
            ("::", Err(Skip::Reserved)),
            ("64:ff9b::a00:1", Err(Skip::Reserved)),
            ("2002:a00:1::", Err(Skip::Reserved)),
            ("2001::1", Err(Skip::Reserved)),
            ("::ffff:10.0.0.1", Err(Skip::Private)),
            ("no address", Err(Skip::NoHost)),
        ];
        for (value, expected) in cases {
            assert_eq!(enrichable(Ip, value), expected, "{value}");
        }
    }

    #[test]
    fn internal_names_stay_inside() {
        for name in [
            "localhost",
            "dc01.corp",
            "x.internal",
            "a.b.lan",
            "printer.home",
            "x.test.",
        ] {
            assert_eq!(enrichable(Domain, name), Err(Skip::InternalName), "{name}");
        }
        assert_eq!(enrichable(Domain, "wks-042"), Err(Skip::SingleLabel));
        for name in ["evil.com", "mylocal.com", "corp.com"] {
            assert_eq!(enrichable(Domain, name), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_url_is_judged_by_its_host_and_the_rest_passes() {
        assert_eq!(enrichable(Link, "http://10.0.0.1/x"), Err(Skip::Private));
        assert_eq!(enrichable(Link, "http://[::1]/"), Err(Skip::Loopback));
        assert_eq!(
            enrichable(Link, "https://wiki.internal/"),
            Err(Skip::InternalName)
        );
        assert_eq!(enrichable(Link, "https://evil.com/a"), Ok(()));
        assert_eq!(enrichable(Link, "nothing"), Err(Skip::NoHost));
        assert_eq!(enrichable(Account, "alice"), Ok(()));
    }
}
