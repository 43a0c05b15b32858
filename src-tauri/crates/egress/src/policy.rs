//! May this origin be reached at this address? The one place where classes, grants and own ports meet.
//!
//! | class | agents and providers | workflows |
//! |---|---|---|
//! | public, https | yes | yes |
//! | public, http | with a grant of class public | yes: the approval showed the warning |
//! | loopback, private | with a grant of that class | with a grant of that class |
//! | link-local, forbidden, own port | never | never |

use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::class::{AddressClass, classify};
use crate::refusal::Refusal;
use crate::target::{Audience, Grant, Target};

/// What applies to one send.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Permissions given by humans; the caller passes those that are in force now.
    pub grants: Vec<Grant>,
    /// Ports on which this application listens. Refused on every address of this machine, whatever was granted.
    pub own_ports: Vec<u16>,
}

impl Policy {
    /// Judges a target's literal address again and one that its name resolved to for the first time.
    ///
    /// # Errors
    /// The [`Refusal`] for this address; `NeedsGrant` if a human could lift it.
    pub fn admit(&self, target: &Target, ip: IpAddr) -> Result<(), Refusal> {
        Origin::of(target, &self.grants).admit(ip, &self.own_ports)
    }
}

/// A scheme, host and port as seen by one audience, with the classes its grants open: all that a connection is
/// judged by, and the key under which its pool is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) audience: Audience,
    pub(crate) scheme: Scheme,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) granted: Granted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The classes that grants open for one origin, a bit per class. Link-local and forbidden have no bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Granted(u8);

impl Granted {
    const fn bit(class: AddressClass) -> u8 {
        match class {
            AddressClass::Public => 1,
            AddressClass::Loopback => 1 << 1,
            AddressClass::Private => 1 << 2,
            AddressClass::LinkLocal | AddressClass::Forbidden => 0,
        }
    }

    const fn has(self, class: AddressClass) -> bool {
        self.0 & Self::bit(class) != 0
    }
}

impl Origin {
    /// The target's origin with what `grants` open for exactly it.
    pub(crate) fn of(target: &Target, grants: &[Grant]) -> Self {
        let granted = grants
            .iter()
            .filter(|grant| {
                grant.audience == target.audience()
                    && grant.scheme == target.scheme()
                    && grant.host == target.host()
                    && grant.port == target.port()
            })
            .fold(0, |bits, grant| bits | Granted::bit(grant.class));
        Self {
            audience: target.audience(),
            scheme: if target.scheme() == "https" {
                Scheme::Https
            } else {
                Scheme::Http
            },
            host: target.host().to_owned(),
            port: target.port(),
            granted: Granted(granted),
        }
    }

    /// Whether the two differ at most in what is granted.
    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        self.audience == other.audience
            && self.scheme == other.scheme
            && self.port == other.port
            && self.host == other.host
    }

    pub(crate) fn admit(&self, ip: IpAddr, own_ports: &[u16]) -> Result<(), Refusal> {
        let ip = ip.to_canonical();
        let class = classify(ip);
        if !class.can_be_granted() {
            return Err(Refusal::NeverReachable {
                host: self.host.clone(),
                ip,
                class,
            });
        }
        if own_ports.contains(&self.port) && is_this_machine(ip, class) {
            return Err(Refusal::OwnPort {
                host: self.host.clone(),
                port: self.port,
            });
        }
        if self.is_open(class) {
            return Ok(());
        }
        Err(Refusal::NeedsGrant {
            grant: Grant {
                scheme: self.scheme.as_str().to_owned(),
                host: self.host.clone(),
                port: self.port,
                class,
                audience: self.audience,
            },
        })
    }

    fn is_open(&self, class: AddressClass) -> bool {
        let without_asking = class == AddressClass::Public
            && (self.scheme == Scheme::Https || self.audience == Audience::Workflow);
        without_asking || self.granted.has(class)
    }
}

/// Whether `ip` is an address of this machine. A socket can only be bound to an own address, which spares listing
/// the interfaces; asked only for the few requests that name one of our port numbers.
fn is_this_machine(ip: IpAddr, class: AddressClass) -> bool {
    class == AddressClass::Loopback || UdpSocket::bind(SocketAddr::new(ip, 0)).is_ok()
}
