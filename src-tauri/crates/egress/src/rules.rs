//! What holds for every request until it is changed: air gap, proxy, additional authorities. And networks, which
//! are what a grant can be for besides one host.
//!
//! They come from settings that only a human changes and are replaced as a whole. Replacing them drops every idle
//! connection, so that nothing goes on over one that was opened under other rules.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::target::{Audience, Place, UnknownWord};

/// Authorities taken from one file; a company has a handful.
const MAX_AUTHORITIES: usize = 200;
/// Largest file of authorities that is read, in bytes.
pub const MAX_CA_FILE_BYTES: u64 = 1024 * 1024;

/// The rules of all requests.
#[derive(Clone, Default)]
pub struct Rules {
    /// Nothing leaves this machine: only loopback addresses and `localhost` are reached, and no name is looked up.
    pub is_air_gapped: bool,
    /// The way out of providers and workflows to what is not on a granted address.
    pub proxy: Option<Proxy>,
    /// Trusted besides the platform's authorities, by providers and workflows.
    pub authorities: Authorities,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("is_air_gapped", &self.is_air_gapped)
            .field("proxy", &self.proxy)
            .field("authorities", &self.authorities.0.len())
            .finish()
    }
}

/// An HTTP proxy. It sees where requests go, resolves their names itself, and may be anywhere but on a forbidden
/// address: naming it is the human's grant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    host: String,
    port: u16,
    place: Place,
}

impl Proxy {
    /// From `http://host:port`.
    ///
    /// # Errors
    /// [`UnknownWord`] with the text when it is none, or names an address that is never contacted.
    pub fn parse(text: &str) -> Result<Self, UnknownWord> {
        let bad = || UnknownWord(text.to_owned());
        let target = crate::judge(text, Audience::Provider).map_err(|_| bad())?;
        let is_bare = target.url().path() == "/" && target.url().query().is_none();
        if target.scheme() != "http" || !is_bare {
            return Err(bad());
        }
        Ok(Self {
            host: target.host().to_owned(),
            port: target.port(),
            place: target.place(),
        })
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    pub(crate) fn url(&self) -> String {
        crate::target::origin_text("http", &self.host, self.port)
    }
}

/// Additional certificate authorities.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Authorities(pub(crate) Vec<CertificateDer<'static>>);

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({})", self.0.len())
    }
}

/// A text that holds no certificates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAuthorities {
    /// No certificate at all.
    #[error("there is no certificate in it; a PEM file begins with -----BEGIN CERTIFICATE-----")]
    Empty,
    /// Too many.
    #[error("there are more than {MAX_AUTHORITIES} certificates in it")]
    TooMany,
    /// A block that is no certificate.
    #[error("it cannot be read as PEM: {0}")]
    Malformed(String),
}

impl Authorities {
    /// From a PEM text.
    ///
    /// # Errors
    /// [`NoAuthorities`] says what is wrong with it.
    pub fn from_pem(pem: &[u8]) -> Result<Self, NoAuthorities> {
        let mut found = Vec::new();
        for one in CertificateDer::pem_slice_iter(pem) {
            let one = one.map_err(|error| NoAuthorities::Malformed(error.to_string()))?;
            if found.len() == MAX_AUTHORITIES {
                return Err(NoAuthorities::TooMany);
            }
            found.push(one);
        }
        // What cannot be an authority is found out now, and not at the first request.
        let mut roots = rustls::RootCertStore::empty();
        for one in &found {
            roots
                .add(one.clone())
                .map_err(|error| NoAuthorities::Malformed(error.to_string()))?;
        }
        if found.is_empty() {
            return Err(NoAuthorities::Empty);
        }
        Ok(Self(found))
    }
}

/// A part of the local network, such as `10.1.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

/// A text that is no network which can be granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotANetwork {
    /// Not `ADDRESS/LENGTH`.
    #[error("write it as ADDRESS/LENGTH, such as 10.1.0.0/16 or fd12:3456::/48")]
    Form,
    /// Bits beyond the prefix are set: is the address meant, or its network?
    #[error("bits after the prefix are set; perhaps {0} is meant")]
    HostBits(String),
    /// Not inside the local network's ranges.
    #[error(
        "only parts of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10 and fc00::/7 can be allowed as a whole"
    )]
    NotPrivate,
}

impl Network {
    /// Whether `ip` is in it.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.base, ip.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => {
                (base.to_bits() ^ ip.to_bits()).leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(base), IpAddr::V6(ip)) => {
                (base.to_bits() ^ ip.to_bits()).leading_zeros() >= u32::from(self.prefix)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (base, prefix) = text.split_once('/').ok_or(NotANetwork::Form)?;
        let base: IpAddr = base.parse().map_err(|_| NotANetwork::Form)?;
        let prefix: u8 = prefix.parse().map_err(|_| NotANetwork::Form)?;
        let (first, last) = match base {
            IpAddr::V4(ip) if prefix <= 32 => {
                let host = u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
                let first = ip.to_bits() & !host;
                (
                    IpAddr::V4(Ipv4Addr::from_bits(first)),
                    IpAddr::V4(Ipv4Addr::from_bits(first | host)),
                )
            }
            // An IPv4 network in IPv6's clothes would never match: addresses are compared undressed.
            IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some() => return Err(NotANetwork::NotPrivate),
            IpAddr::V6(ip) if prefix <= 128 => {
                let host = u128::MAX.checked_shr(prefix.into()).unwrap_or(0);
                let first = ip.to_bits() & !host;
                (
                    IpAddr::V6(Ipv6Addr::from_bits(first)),
                    IpAddr::V6(Ipv6Addr::from_bits(first | host)),
                )
            }
            _ => return Err(NotANetwork::Form),
        };
        if first != base {
            return Err(NotANetwork::HostBits(format!("{first}/{prefix}")));
        }
        // The private ranges are whole, so both ends in the same one is all of it in one.
        if !in_one_private_range(first, last) {
            return Err(NotANetwork::NotPrivate);
        }
        Ok(Self { base, prefix })
    }
}

/// Whether both ends, and so everything between them, are in one range of local networks. Single addresses inside
/// that are never contacted (metadata services) stay refused at each send.
fn in_one_private_range(first: IpAddr, last: IpAddr) -> bool {
    let ranges = [
        Network {
            base: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)),
            prefix: 8,
        },
        Network {
            base: IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)),
            prefix: 12,
        },
        Network {
            base: IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)),
            prefix: 16,
        },
        Network {
            base: IpAddr::V4(Ipv4Addr::new(100, 64, 0, 0)),
            prefix: 10,
        },
        Network {
            base: IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)),
            prefix: 7,
        },
    ];
    ranges
        .iter()
        .any(|range| range.contains(first) && range.contains(last))
}

/// What every address is judged by besides its origin.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    /// Ports on which this application listens. Refused on every address of this machine.
    pub(crate) own_ports: Vec<u16>,
    /// The rules in force.
    pub(crate) rules: Rules,
}

/// The same, shared with every resolver so that a change counts at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared(Arc<RwLock<Arc<Standing>>>);

impl Shared {
    pub(crate) fn of(own_ports: Vec<u16>) -> Self {
        let shared = Self::default();
        shared.change(|standing| standing.own_ports = own_ports);
        shared
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Standing)) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = Standing::clone(&kept);
        change(&mut next);
        *kept = Arc::new(next);
    }

    pub(crate) fn current(&self) -> Arc<Standing> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_a_part_of_the_local_one() {
        for good in [
            "10.0.0.0/8",
            "10.1.2.0/24",
            "192.168.7.9/32",
            "100.64.0.0/10",
            "fd12:3456::/48",
            "fc00::/7",
        ] {
            let network: Network = good.parse().unwrap();
            assert_eq!(network.to_string(), good);
        }
        for (bad, why) in [
            ("0.0.0.0/0", NotANetwork::NotPrivate),
            ("::/0", NotANetwork::NotPrivate),
            ("10.0.0.0/7", NotANetwork::NotPrivate),
            ("127.0.0.0/8", NotANetwork::NotPrivate),
            ("169.254.0.0/16", NotANetwork::NotPrivate),
            ("8.8.8.0/24", NotANetwork::NotPrivate),
            ("fe80::/10", NotANetwork::NotPrivate),
            ("::ffff:10.0.0.0/104", NotANetwork::NotPrivate),
            ("10.0.0.0", NotANetwork::Form),
            ("10.0.0.0/33", NotANetwork::Form),
            ("a/8", NotANetwork::Form),
            (
                "10.1.2.3/24",
                NotANetwork::HostBits("10.1.2.0/24".to_owned()),
            ),
        ] {
            assert_eq!(bad.parse::<Network>(), Err(why), "{bad}");
        }
        let network: Network = "10.1.0.0/16".parse().unwrap();
        for (ip, is_in) in [
            ("10.1.0.0", true),
            ("10.1.255.255", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.0.0", false),
            ("fd00::1", false),
        ] {
            assert_eq!(network.contains(ip.parse().unwrap()), is_in, "{ip}");
        }
    }

    #[test]
    fn a_proxy_is_a_host_and_a_port_that_may_be_contacted() {
        assert!(Proxy::parse("http://10.0.0.1:3128").is_ok());
        assert!(Proxy::parse("http://proxy.lan:3128/").is_ok());
        for bad in [
            "https://proxy:1",
            "http://u:p@proxy:1",
            "http://169.254.169.254:80",
            "http://proxy:1/x",
            "proxy:1",
        ] {
            assert!(Proxy::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        assert_eq!(Authorities::from_pem(b""), Err(NoAuthorities::Empty));
        assert_eq!(Authorities::from_pem(b"hello"), Err(NoAuthorities::Empty));
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(
            Authorities::from_pem(broken),
            Err(NoAuthorities::Malformed(_))
        ));
    }
}
