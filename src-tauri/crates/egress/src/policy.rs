//! May this origin be reached at this address? The one place where classes, grants and own ports meet.
//!
//! | class | agents and providers | workflows |
//! |---|---|---|
//! | public, https | yes | yes |
//! | public, http | with a grant of class public | yes: the approval showed the warning |
//! | loopback, private | with a grant of that class | with a grant of that class |
//! | link-local, forbidden, own port | never | never |
//!
//! A grant for a network of the local network opens every private address in it. In an air gap only loopback is left.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::class::{AddressClass, classify};
use crate::refusal::Refusal;
use crate::rules::{Network, Proxy, Rules, Standing};
use crate::target::{Audience, Grant, Place, Target};

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
        let standing = Standing {
            own_ports: self.own_ports.clone(),
            rules: Rules::default(),
        };
        Origin::of(target, &self.grants).admit(ip, &standing)
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
    /// Granted networks; each opens its private addresses.
    pub(crate) networks: Vec<Network>,
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
        let same_door = |grant: &&Grant| {
            grant.audience == target.audience()
                && grant.scheme == target.scheme()
                && grant.port == target.port()
        };
        let granted = grants
            .iter()
            .filter(same_door)
            .filter(|grant| grant.host == target.host())
            .fold(0, |bits, grant| bits | Granted::bit(grant.class));
        let networks = grants
            .iter()
            .filter(same_door)
            .filter(|grant| grant.class == AddressClass::Private)
            .filter_map(Grant::network)
            .collect();
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
            networks,
        }
    }

    /// Whether the two differ at most in what is granted.
    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        self.audience == other.audience
            && self.scheme == other.scheme
            && self.port == other.port
            && self.host == other.host
    }

    /// The origin of a proxy that a human has named, which is a grant for wherever it is.
    pub(crate) fn of_proxy(proxy: &Proxy, audience: Audience) -> Self {
        let all = [
            AddressClass::Public,
            AddressClass::Loopback,
            AddressClass::Private,
        ];
        Self {
            audience,
            scheme: Scheme::Http,
            host: proxy.host().to_owned(),
            port: proxy.port(),
            granted: Granted(all.into_iter().fold(0, |bits, c| bits | Granted::bit(c))),
            networks: Vec::new(),
        }
    }

    /// The proxy that this origin is reached through. Agents are reached directly, and so is whatever a human has
    /// allowed on this machine or the local network: a proxy would be asked for something it cannot know.
    pub(crate) fn proxy<'a>(&self, place: Place, rules: &'a Rules) -> Option<&'a Proxy> {
        let is_near = match place {
            Place::Localhost => true,
            Place::Literal(ip) => classify(ip) != AddressClass::Public,
            Place::Name => {
                self.granted.has(AddressClass::Loopback) || self.granted.has(AddressClass::Private)
            }
        };
        let proxy = rules.proxy.as_ref()?;
        (self.audience != Audience::Agent && !is_near).then_some(proxy)
    }

    /// Judges what is known before anything is looked up: a name that a proxy will resolve counts as public.
    pub(crate) fn admit_unseen(
        &self,
        place: Place,
        proxy: Option<&Proxy>,
        standing: &Standing,
    ) -> Result<(), Refusal> {
        if standing.rules.is_air_gapped && place == Place::Name {
            // Asking a name server would already leave the machine.
            return Err(self.air_gapped());
        }
        match place {
            Place::Literal(ip) => self.admit(ip, standing),
            Place::Name if proxy.is_some() && !self.is_open(AddressClass::Public) => {
                Err(self.needs_grant(AddressClass::Public))
            }
            Place::Name | Place::Localhost => Ok(()),
        }
    }

    fn air_gapped(&self) -> Refusal {
        Refusal::AirGapped {
            host: self.host.clone(),
        }
    }

    fn needs_grant(&self, class: AddressClass) -> Refusal {
        Refusal::NeedsGrant {
            grant: Grant {
                scheme: self.scheme.as_str().to_owned(),
                host: self.host.clone(),
                port: self.port,
                class,
                audience: self.audience,
            },
        }
    }

    pub(crate) fn admit(&self, ip: IpAddr, standing: &Standing) -> Result<(), Refusal> {
        let ip = ip.to_canonical();
        let class = classify(ip);
        if !class.can_be_granted() {
            return Err(Refusal::NeverReachable {
                host: self.host.clone(),
                ip,
                class,
            });
        }
        if standing.own_ports.contains(&self.port) && is_this_machine(ip, class) {
            return Err(Refusal::OwnPort {
                host: self.host.clone(),
                port: self.port,
            });
        }
        if standing.rules.is_air_gapped && class != AddressClass::Loopback {
            return Err(self.air_gapped());
        }
        if self.is_open(class) || self.is_in_granted_network(ip, class) {
            return Ok(());
        }
        Err(self.needs_grant(class))
    }

    fn is_in_granted_network(&self, ip: IpAddr, class: AddressClass) -> bool {
        class == AddressClass::Private && self.networks.iter().any(|network| network.contains(ip))
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
