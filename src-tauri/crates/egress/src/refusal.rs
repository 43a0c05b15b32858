//! Why a request was not sent. A refusal is shown to the analyst, so each one says what to do about it.

use std::net::IpAddr;

use crate::class::AddressClass;
use crate::target::{Audience, Grant};

/// A request that the policy does not let out. Nothing was sent to anybody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Not an absolute URL, or one that different parsers read differently.
    #[error("this is not a usable URL ({reason}); write it as https://host[:port]/path")]
    Malformed {
        /// What is wrong with it, in words.
        reason: String,
    },
    /// Longer than the limit of `MAX_URL_BYTES`.
    #[error("the URL is {bytes} bytes long; at most {limit} are allowed")]
    TooLong {
        /// Length of what was given.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Neither http nor https.
    #[error("the scheme {scheme:?} is not supported; use https:// or http://")]
    Scheme {
        /// The scheme as parsed.
        scheme: String,
    },
    /// `user:password@` in the URL: it would end in logs.
    #[error(
        "the URL carries a user name or password; remove it and configure an authentication header instead"
    )]
    Userinfo,
    /// Port 0 is no destination.
    #[error("port 0 cannot be connected to; name the port the service listens on")]
    PortZero,
    /// A host name that cannot be looked up.
    #[error("the host name {host:?} is not valid ({reason})")]
    BadHost {
        /// The host as parsed.
        host: String,
        /// What is wrong with it, in words.
        reason: &'static str,
    },
    /// The name of a cloud's metadata service.
    #[error("{host} is a cloud metadata service; it hands out credentials and is never contacted")]
    MetadataName {
        /// The host as parsed.
        host: String,
    },
    /// An address that no grant can open.
    #[error("{host} is at {ip}, a {class} address that is never contacted; use the service's regular address", class = class_words(*class))]
    NeverReachable {
        /// The host of the URL.
        host: String,
        /// The address it stands for.
        ip: IpAddr,
        /// Its class.
        class: AddressClass,
    },
    /// The product's own API.
    #[error(
        "port {port} on {host} is this application's own API; point the URL at the other service's port"
    )]
    OwnPort {
        /// The host of the URL.
        host: String,
        /// The port that is ours.
        port: u16,
    },
    /// A human has to allow this destination first.
    #[error("{}", missing_grant_words(grant))]
    NeedsGrant {
        /// The grant that is missing; storing exactly this one opens the way.
        grant: Grant,
    },
    /// The air gap is on, and this is not on this machine.
    #[error(
        "{host} is not on this machine and the air gap is on; switch it off in the settings to reach other machines"
    )]
    AirGapped {
        /// The host of the URL.
        host: String,
    },
    /// A header that belongs to the connection, not to the caller.
    #[error(
        "the header {name:?} is set by the connection itself and cannot be configured; remove it"
    )]
    ReservedHeader {
        /// Its name.
        name: String,
    },
    /// [`crate::LocalClient`] was asked for something that is not its application.
    #[error("{url:?} is not inside the application at {base}; give a path that starts with /")]
    ElsewhereThanBase {
        /// What was asked for.
        url: String,
        /// The only base that may be reached.
        base: String,
    },
}

impl Refusal {
    /// Stable word for logs, the delivery's error code and the interface.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "url_malformed",
            Self::TooLong { .. } => "url_too_long",
            Self::Scheme { .. } => "url_scheme",
            Self::Userinfo => "url_userinfo",
            Self::PortZero => "url_port",
            Self::BadHost { .. } => "url_host",
            Self::MetadataName { .. } => "metadata_host",
            Self::NeverReachable { .. } => "address_forbidden",
            Self::OwnPort { .. } => "own_port",
            Self::NeedsGrant { .. } => "grant_needed",
            Self::AirGapped { .. } => "air_gapped",
            Self::ReservedHeader { .. } => "reserved_header",
            Self::ElsewhereThanBase { .. } => "elsewhere",
        }
    }

    /// The grant that would open the way, when a human could give one.
    pub const fn missing_grant(&self) -> Option<&Grant> {
        match self {
            Self::NeedsGrant { grant } => Some(grant),
            _ => None,
        }
    }
}

fn class_words(class: AddressClass) -> &'static str {
    match class {
        AddressClass::LinkLocal => "link-local",
        _ => "metadata or reserved",
    }
}

fn missing_grant_words(grant: &Grant) -> String {
    let origin = grant.origin();
    let who = match grant.audience {
        Audience::Agent => "agents",
        Audience::Provider => "providers",
        Audience::Workflow => "workflows",
    };
    match grant.class {
        AddressClass::Loopback => {
            format!("{origin} is on this machine; a person has to allow {who} to reach it")
        }
        AddressClass::Private => {
            format!("{origin} is on the local network; a person has to allow {who} to reach it")
        }
        _ => format!(
            "{origin} would be reached over plain http across the internet; use https, or a person has to allow it for {who}"
        ),
    }
}
