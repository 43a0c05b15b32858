//! Names to addresses, with every answer judged. This closes the gap between checking a name and connecting to it:
//! the addresses that pass here are the ones the connector gets, and there is no second lookup to answer differently.
//!
//! Literal addresses never come here (the HTTP library skips the resolver for them); `client` judges those.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use crate::policy::Origin;
use crate::rules::{Shared, Standing};
use crate::target::Place;

/// Lookups running at once. Each blocks a thread that cannot be interrupted, so a name server that never answers
/// must not take them all.
const MAX_LOOKUPS: usize = 16;

/// Addresses taken from one answer; more are dropped. A peer needs a handful.
const MAX_ADDRESSES: usize = 32;

/// The future of one lookup.
pub type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Looks names up. The system's resolver outside tests; a seam so that a test can answer differently each time.
pub trait NameLookup: Send + Sync + 'static {
    /// All addresses of `name`. An error refuses the request: without an answer there is nothing to judge.
    fn lookup(&self, name: &str) -> Lookup;
}

/// The operating system's resolver.
pub(crate) struct SystemNames {
    running: Arc<Semaphore>,
}

impl SystemNames {
    pub(crate) fn new() -> Self {
        Self {
            running: Arc::new(Semaphore::new(MAX_LOOKUPS)),
        }
    }
}

impl NameLookup for SystemNames {
    fn lookup(&self, name: &str) -> Lookup {
        let running = Arc::clone(&self.running);
        let name = name.to_owned();
        Box::pin(async move {
            let permit = running.acquire_owned().await.map_err(io::Error::other)?;
            let looked_up = tokio::task::spawn_blocking(move || {
                // Moved in: the permit is free when the thread is, not when the caller gives up.
                let _permit = permit;
                (name.as_str(), 0)
                    .to_socket_addrs()
                    .map(|found| found.map(|a| a.ip()).collect())
            });
            looked_up.await.map_err(io::Error::other)?
        })
    }
}

/// The lookup behind a failed one, kept apart from refusals: the name may exist again in a minute.
#[derive(Debug, thiserror::Error)]
#[error("the name {host} could not be looked up")]
pub(crate) struct LookupFailed {
    pub(crate) host: String,
    #[source]
    pub(crate) cause: io::Error,
}

/// The resolver of one origin's connections.
pub(crate) struct JudgedNames {
    pub(crate) origin: Origin,
    pub(crate) place: Place,
    pub(crate) standing: Shared,
    pub(crate) names: Arc<dyn NameLookup>,
}

impl Resolve for JudgedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = match self.place {
            Place::Localhost => this_machine(),
            Place::Literal(ip) => Box::pin(async move { Ok(vec![ip]) }),
            Place::Name => self.names.lookup(name.as_str()),
        };
        let origin = self.origin.clone();
        let standing = self.standing.current();
        Box::pin(async move {
            let found = lookup.await.map_err(|cause| LookupFailed {
                host: origin.host.clone(),
                cause,
            })?;
            let admitted = admitted(&origin, found, &standing)?;
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

/// `localhost` is not asked for: a name server must not be able to move it. IPv4 first, where most agents listen.
fn this_machine() -> Lookup {
    Box::pin(async {
        Ok(vec![
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ])
    })
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The addresses that may be connected to. With none left, the first refusal is the answer.
fn admitted(
    origin: &Origin,
    found: Vec<IpAddr>,
    standing: &Standing,
) -> Result<Vec<SocketAddr>, BoxError> {
    let mut refusal = None;
    let mut open = Vec::new();
    for ip in found.into_iter().take(MAX_ADDRESSES) {
        match origin.admit(ip, standing) {
            Ok(()) => open.push(SocketAddr::new(ip.to_canonical(), origin.port)),
            Err(refused) => {
                tracing::debug!(host = %origin.host, %ip, reason = refused.code(), "address refused");
                refusal.get_or_insert(refused);
            }
        }
    }
    match (open.is_empty(), refusal) {
        (false, _) => Ok(open),
        (true, Some(refused)) => Err(Box::new(refused)),
        (true, None) => Err(Box::new(LookupFailed {
            host: origin.host.clone(),
            cause: io::Error::from(io::ErrorKind::NotFound),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::AddressClass;
    use crate::refusal::Refusal;
    use crate::target::{Audience, Grant, judge};

    fn origin(url: &str, audience: Audience, classes: &[AddressClass]) -> Origin {
        let target = judge(url, audience).unwrap();
        let grants: Vec<Grant> = classes
            .iter()
            .map(|c| target.grant_as(audience, *c))
            .collect();
        Origin::of(&target, &grants)
    }

    fn passing(origin: &Origin, found: &[&str]) -> Result<Vec<String>, BoxError> {
        let found = found.iter().map(|ip| ip.parse().unwrap()).collect();
        let open = admitted(origin, found, &Shared::of(vec![8000]).current())?;
        Ok(open.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn public_answers_pass_and_turning_ones_never_do() {
        let origin = origin("https://agent.example.com", Audience::Agent, &[]);
        for turn in 0..1_000 {
            let outcome = if turn % 2 == 0 {
                passing(&origin, &["8.8.8.8", "127.0.0.1", "2606:4700::1111"])
            } else {
                passing(
                    &origin,
                    &["127.0.0.1", "::ffff:127.0.0.1", "10.0.0.1", "fe80::1"],
                )
            };
            match outcome {
                Ok(open) if turn % 2 == 0 => {
                    assert_eq!(open, ["8.8.8.8:443", "[2606:4700::1111]:443"]);
                }
                Err(refused) if turn % 2 == 1 => {
                    assert!(matches!(
                        refused.downcast_ref(),
                        Some(Refusal::NeedsGrant { .. })
                    ));
                }
                other => panic!("turn {turn}: {other:?}"),
            }
        }
    }

    #[test]
    fn each_grant_opens_its_class_and_no_other() {
        use AddressClass::{Forbidden, LinkLocal, Loopback, Private, Public};
        let all = [
            "8.8.8.8",
            "127.0.0.1",
            "10.0.0.1",
            "169.254.1.1",
            "169.254.169.254",
        ];
        for (class, open) in [
            (Public, Some("8.8.8.8:9000")),
            (Loopback, Some("127.0.0.1:9000")),
            (Private, Some("10.0.0.1:9000")),
            (LinkLocal, None),
            (Forbidden, None),
        ] {
            for audience in [Audience::Agent, Audience::Provider] {
                let origin = origin("http://agent.lan:9000", audience, &[class]);
                let passed = passing(&origin, &all).ok().and_then(|mut open| open.pop());
                assert_eq!(passed.as_deref(), open, "{class} for {audience}");
            }
        }
        let workflow = origin("http://agent.lan:9000", Audience::Workflow, &[]);
        assert_eq!(passing(&workflow, &all).unwrap(), ["8.8.8.8:9000"]);
    }

    #[test]
    fn our_own_port_is_refused_on_every_address_of_this_machine() {
        let origin = origin(
            "http://agent.lan:8000",
            Audience::Agent,
            &[
                AddressClass::Loopback,
                AddressClass::Private,
                AddressClass::Public,
            ],
        );
        for own in ["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"] {
            let refused = passing(&origin, &[own]).unwrap_err();
            assert!(matches!(
                refused.downcast_ref(),
                Some(Refusal::OwnPort { port: 8000, .. })
            ));
        }
        // Somebody else's port 8000 is none of ours.
        assert_eq!(passing(&origin, &["8.8.8.8"]).unwrap(), ["8.8.8.8:8000"]);
    }

    #[test]
    fn an_empty_answer_is_a_failure_and_a_long_one_is_cut() {
        let origin = origin("https://agent.example.com", Audience::Agent, &[]);
        assert!(passing(&origin, &[]).unwrap_err().is::<LookupFailed>());
        let many = vec!["8.8.8.8"; 10 * MAX_ADDRESSES];
        assert_eq!(passing(&origin, &many).unwrap().len(), MAX_ADDRESSES);
    }
}
