//! A URL, taken apart and judged without asking anybody: syntax, literal addresses and names with a fixed meaning.
//!
//! This is what registration of an agent calls. Names are not looked up here, because what a name resolves to at
//! registration says nothing about the next send.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::{Host, Url};

use crate::class::{AddressClass, classify};
use crate::refusal::Refusal;
use crate::rules::Network;

/// Longest URL accepted, in bytes. Provider URLs carry an indicator, which is at most 2 KiB before encoding.
pub(crate) const MAX_URL_BYTES: usize = 8 * 1024;

/// Longest host name (RFC 1035).
const MAX_HOST_BYTES: usize = 253;
/// Longest label of a host name (RFC 1035).
const MAX_LABEL_BYTES: usize = 63;

/// Names under which clouds serve metadata; a name below one of them counts too.
const METADATA_NAMES: [&str; 11] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata.azure.internal",
    "metadata.azure.com",
    "metadata.tencentyun.com",
    "metadata.platformequinix.com",
    "metadata.packet.net",
    "api.metadata.cloud.ibm.com",
];

/// Ports of services that take commands from whoever connects: container and cluster control, databases, caches,
/// debuggers. A loopback grant for one of them deserves a question of its own (reliability: the denied list).
const SENSITIVE_PORTS: [u16; 16] = [
    22, 25, 111, 2375, 2376, 2379, 3306, 5432, 6379, 6443, 9200, 9222, 9229, 10250, 11211, 27017,
];

/// On whose behalf a request goes out. A grant for one does not serve the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Audience {
    /// Webhooks to the user's agents.
    Agent,
    /// Enrichment lookups.
    Provider,
    /// Steps of an approved workflow.
    Workflow,
}

impl Audience {
    /// The word used on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Provider => "provider",
            Self::Workflow => "workflow",
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no [`Audience`] or [`AddressClass`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown word {0:?}")]
pub struct UnknownWord(pub String);

impl FromStr for Audience {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        [Self::Agent, Self::Provider, Self::Workflow]
            .into_iter()
            .find(|audience| audience.as_str() == word)
            .ok_or_else(|| UnknownWord(word.to_owned()))
    }
}

/// A human's permission for one origin. It opens exactly this scheme, host and port, for one audience, and only
/// while the host stands for an address of this class: a grant for a LAN name does not follow it to loopback.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    /// `http` or `https`.
    pub scheme: String,
    /// As in the URL, lower case, without brackets or trailing dot; or a [`Network`], all of whose private addresses
    /// are meant, under whatever name.
    pub host: String,
    /// Explicit or the scheme's own.
    pub port: u16,
    /// What the host may stand for. `Public` permits plain http to a public address and nothing else.
    pub class: AddressClass,
    /// Who may use it.
    pub audience: Audience,
}

impl Grant {
    /// The network that it is for, when it is not for one host.
    pub fn network(&self) -> Option<Network> {
        self.host.contains('/').then(|| self.host.parse().ok())?
    }

    /// `scheme://host:port`, with brackets around an IPv6 address.
    pub fn origin(&self) -> String {
        origin_text(&self.scheme, &self.host, self.port)
    }
}

/// A URL that passed [`judge`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
    host: String,
    port: u16,
    audience: Audience,
    place: Place,
}

/// What is known about the host without a lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// An address, canonical.
    Literal(IpAddr),
    /// `localhost` or a name below it: this machine by definition (RFC 6761), never looked up.
    Localhost,
    /// A name to be resolved at each send.
    Name,
}

impl Target {
    /// The class of a literal or of `localhost`; `None` for a name, which is judged at every send.
    pub fn class(&self) -> Option<AddressClass> {
        match self.place {
            Place::Literal(ip) => Some(classify(ip)),
            Place::Localhost => Some(AddressClass::Loopback),
            Place::Name => None,
        }
    }

    /// Whether it is already known that a human has to allow this: loopback, the local network, or plain http to
    /// what is or may be a public address (workflows excepted: their approval shows the warning). A name over
    /// https may turn out at the send to need one.
    pub fn needs_grant(&self) -> bool {
        match self.class() {
            Some(AddressClass::Public) | None => {
                self.is_plain_public_http() && self.audience != Audience::Workflow
            }
            Some(_) => true,
        }
    }

    /// The grant for this target as far as the URL tells. For a name the class is `Public`, which permits plain
    /// http; a name of the local network wants [`Target::grant_as`].
    pub fn grant(&self, audience: Audience) -> Grant {
        self.grant_as(audience, self.class().unwrap_or(AddressClass::Public))
    }

    /// The grant for this target standing for an address of `class`.
    pub fn grant_as(&self, audience: Audience, class: AddressClass) -> Grant {
        Grant {
            scheme: self.scheme().to_owned(),
            host: self.host.clone(),
            port: self.port,
            class,
            audience,
        }
    }

    /// Whether the request may cross the internet unencrypted: http to a public literal, or to a name that may be one.
    pub fn is_plain_public_http(&self) -> bool {
        self.scheme() == "http" && matches!(self.class(), Some(AddressClass::Public) | None)
    }

    /// Whether the port usually belongs to a service that obeys whoever connects (a database, a container engine, a
    /// debugger). Registration should ask before it grants one of these on loopback or the local network.
    pub fn is_sensitive_port(&self) -> bool {
        SENSITIVE_PORTS.contains(&self.port)
    }

    /// Whether `grant` is known to open this target: it is for its host, or for a network that has its literal
    /// address. What a name stands for is not known here.
    pub fn is_granted_by(&self, grant: &Grant) -> bool {
        let same_door = grant.audience == self.audience
            && grant.scheme == self.scheme()
            && grant.port == self.port;
        let in_network = || match self.place {
            Place::Literal(ip) => grant.network().is_some_and(|network| network.contains(ip)),
            Place::Localhost | Place::Name => false,
        };
        same_door && (grant.host == self.host || in_network())
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &str {
        self.url.scheme()
    }

    /// Lower case, without brackets or trailing dot.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Explicit or the scheme's own, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// For whom it was judged.
    pub fn audience(&self) -> Audience {
        self.audience
    }

    /// The URL as it will be requested: without fragment.
    pub fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }
}

pub(crate) fn origin_text(scheme: &str, host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("{scheme}://[{host}]:{port}")
    } else {
        format!("{scheme}://{host}:{port}")
    }
}

/// Judges a URL by its syntax and, if its host is an address or a name with a fixed meaning, by that. Grants and the
/// product's own ports are not looked at: they may change before the send, which checks them every time.
///
/// # Errors
/// The [`Refusal`] that no grant can lift.
pub fn judge(url: &str, audience: Audience) -> Result<Target, Refusal> {
    let mut url = parse(url)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Refusal::Scheme {
            scheme: url.scheme().to_owned(),
        });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::Userinfo);
    }
    let port = url.port_or_known_default().ok_or(Refusal::PortZero)?;
    if port == 0 {
        return Err(Refusal::PortZero);
    }
    url.set_fragment(None);
    let (host, place) = match url.host() {
        Some(Host::Ipv4(ip)) => literal(IpAddr::V4(ip))?,
        Some(Host::Ipv6(ip)) => literal(IpAddr::V6(ip))?,
        Some(Host::Domain(name)) => named(name)?,
        None => return Err(malformed("it has no host")),
    };
    if url.host_str().is_some_and(|written| written.ends_with('.')) {
        url.set_host(Some(&host))
            .map_err(|_| malformed("its host cannot be written without the final dot"))?;
    }
    Ok(Target {
        url,
        host,
        port,
        audience,
        place,
    })
}

fn malformed(reason: &str) -> Refusal {
    Refusal::Malformed {
        reason: reason.to_owned(),
    }
}

/// Parses strictly: the URL standard repairs backslashes, missing slashes and line breaks, each of which another
/// parser on the way would read as a different host.
fn parse(text: &str) -> Result<Url, Refusal> {
    if text.len() > MAX_URL_BYTES {
        return Err(Refusal::TooLong {
            bytes: text.len(),
            limit: MAX_URL_BYTES,
        });
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(malformed("it contains white space or control characters"));
    }
    if text.contains('\\') {
        return Err(malformed("it contains a backslash"));
    }
    let url = Url::parse(text).map_err(|error| malformed(&error.to_string()))?;
    let after_scheme = text.split_once(':').map_or("", |(_, rest)| rest);
    if matches!(url.scheme(), "http" | "https")
        && (!after_scheme.starts_with("//") || after_scheme.starts_with("///"))
    {
        return Err(malformed(
            "the scheme is not followed by exactly two slashes",
        ));
    }
    Ok(url)
}

fn literal(ip: IpAddr) -> Result<(String, Place), Refusal> {
    let written = ip.to_string();
    let ip = ip.to_canonical();
    let class = classify(ip);
    if class.can_be_granted() {
        Ok((written, Place::Literal(ip)))
    } else {
        Err(Refusal::NeverReachable {
            host: written,
            ip,
            class,
        })
    }
}

fn named(written: &str) -> Result<(String, Place), Refusal> {
    let host = written
        .strip_suffix('.')
        .unwrap_or(written)
        .to_ascii_lowercase();
    let bad = |reason| Refusal::BadHost {
        host: written.to_owned(),
        reason,
    };
    if host.is_empty() || host.split('.').any(str::is_empty) {
        return Err(bad("it has an empty label"));
    }
    if host.len() > MAX_HOST_BYTES || host.split('.').any(|label| label.len() > MAX_LABEL_BYTES) {
        return Err(bad("it is too long"));
    }
    if !host
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    {
        return Err(bad(
            "only letters, digits, hyphens and dots make a host name",
        ));
    }
    if is_or_below(&host, "localhost") {
        return Ok((host, Place::Localhost));
    }
    if METADATA_NAMES.iter().any(|name| is_or_below(&host, name)) {
        return Err(Refusal::MetadataName { host });
    }
    Ok((host, Place::Name))
}

fn is_or_below(host: &str, name: &str) -> bool {
    host.strip_suffix(name)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
