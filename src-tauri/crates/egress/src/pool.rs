//! Connections, kept apart by origin and by what was granted.
//!
//! The resolver is told a bare name, so one HTTP client per origin is what lets it know the port and the grants the
//! name is for. It also means that a withdrawn or narrowed grant takes its idle sockets along: the next send replaces
//! the client. The cache is bounded; the one used longest ago goes first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use reqwest::redirect;

use crate::error::BuildError;
use crate::policy::{Origin, Scheme};
use crate::resolve::{JudgedNames, NameLookup};
use crate::rules::{Authorities, Proxy, Shared};
use crate::target::{Audience, Place};
use crate::tls;

/// Origins whose connections are kept. An installation has some ten providers and twenty agents.
pub(crate) const MAX_ORIGINS: usize = 128;

/// From lookup to the end of the TLS handshake (the delivery rules' connect timeout).
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an unused connection is kept. Most servers close theirs later than this, which avoids races.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

/// Unused connections kept per origin: an agent's most deliveries in flight.
const MAX_IDLE_CONNECTIONS: usize = 32;

/// Header fields accepted in an answer.
const MAX_RESPONSE_HEADERS: usize = 128;
/// The same for HTTP/2, in bytes of the decoded list.
const MAX_RESPONSE_HEADER_BYTES: u32 = 64 * 1024;

/// The bounded cache of clients.
pub(crate) struct Pools {
    user_agent: HeaderValue,
    standing: Shared,
    names: Arc<dyn NameLookup>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_origin: HashMap<Origin, Pool>,
    /// Counts look-ups; the clock by which the longest unused is found.
    uses: u64,
}

struct Pool {
    client: reqwest::Client,
    last_use: u64,
}

impl Pools {
    pub(crate) fn new(
        user_agent: HeaderValue,
        standing: Shared,
        names: Arc<dyn NameLookup>,
    ) -> Self {
        Self {
            user_agent,
            standing,
            names,
            kept: Mutex::default(),
        }
    }

    /// The client for `origin`, whose host is `place`, directly or through a proxy.
    pub(crate) fn client(
        &self,
        origin: &Origin,
        place: Place,
        proxy: Option<&Proxy>,
    ) -> Result<reqwest::Client, BuildError> {
        if let Some(client) = self.kept().used(origin) {
            return Ok(client);
        }
        let resolver = JudgedNames {
            origin: proxy.map_or_else(
                || origin.clone(),
                |proxy| Origin::of_proxy(proxy, origin.audience),
            ),
            // Of the two only the one that is connected to is looked up.
            place: proxy.map_or(place, Proxy::place),
            standing: self.standing.clone(),
            names: Arc::clone(&self.names),
        };
        let standing = self.standing.current();
        let authorities = match origin.audience {
            Audience::Agent => &Authorities::default(),
            Audience::Provider | Audience::Workflow => &standing.rules.authorities,
        };
        let tls = match origin.scheme {
            Scheme::Http => tls::trusting_nobody()?,
            Scheme::Https => tls::verified(authorities)?,
        };
        let client = build(&self.user_agent, tls, resolver, proxy)?;
        self.kept().keep(origin.clone(), client.clone());
        Ok(client)
    }

    /// Drops the connections to a place that may no longer be reached.
    pub(crate) fn forget(&self, origin: &Origin) {
        self.kept()
            .by_origin
            .retain(|kept, _| !kept.is_same_place(origin));
    }

    /// Drops all idle connections, because the rules they were opened under have changed.
    pub(crate) fn forget_all(&self) {
        self.kept().by_origin.clear();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn used(&mut self, origin: &Origin) -> Option<reqwest::Client> {
        self.uses += 1;
        let pool = self.by_origin.get_mut(origin)?;
        pool.last_use = self.uses;
        Some(pool.client.clone())
    }

    fn keep(&mut self, origin: Origin, client: reqwest::Client) {
        self.by_origin
            .retain(|kept, _| !kept.is_same_place(&origin));
        if self.by_origin.len() >= MAX_ORIGINS {
            let oldest = self.by_origin.iter().min_by_key(|(_, pool)| pool.last_use);
            if let Some(oldest) = oldest.map(|(origin, _)| origin.clone()) {
                self.by_origin.remove(&oldest);
            }
        }
        self.by_origin.insert(
            origin,
            Pool {
                client,
                last_use: self.uses,
            },
        );
    }
}

/// A client with everything switched off that could send a request elsewhere than asked, or grow its answer.
pub(crate) fn build(
    user_agent: &HeaderValue,
    tls: rustls::ClientConfig,
    resolver: JudgedNames,
    proxy: Option<&Proxy>,
) -> Result<reqwest::Client, BuildError> {
    let http = |error: reqwest::Error| BuildError::Http(error.without_url().to_string());
    // The environment's proxies are ignored, and so are its exceptions from them.
    let mut builder = reqwest::Client::builder().no_proxy();
    if let Some(proxy) = proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy.url()).map_err(http)?);
    }
    builder
        .user_agent(user_agent.clone())
        .tls_backend_preconfigured(tls)
        .dns_resolver(Arc::new(resolver))
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_CONNECTION)
        .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
        .http1_max_headers(MAX_RESPONSE_HEADERS)
        .http2_max_header_list_size(MAX_RESPONSE_HEADER_BYTES)
        .build()
        .map_err(http)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::SystemNames;
    use crate::target::judge;

    fn pools() -> Pools {
        let names = Arc::new(SystemNames::new());
        Pools::new(HeaderValue::from_static("test"), Shared::default(), names)
    }

    fn keep(pools: &Pools, url: &str, granted: bool) {
        let target = judge(url, Audience::Agent).unwrap();
        let grants = if granted {
            vec![target.grant(Audience::Agent)]
        } else {
            Vec::new()
        };
        pools
            .client(&Origin::of(&target, &grants), target.place(), None)
            .unwrap();
    }

    #[test]
    fn origins_are_bounded_and_the_longest_unused_goes_first() {
        let pools = pools();
        for port in 1..=2 * MAX_ORIGINS {
            keep(&pools, &format!("http://127.0.0.1:{port}"), true);
            keep(&pools, "http://127.0.0.1:60000", true);
        }
        let kept = pools.kept();
        assert_eq!(kept.by_origin.len(), MAX_ORIGINS);
        let ports = kept.by_origin.keys().map(|origin| usize::from(origin.port));
        assert!(
            ports.clone().any(|port| port == 60_000),
            "the one in use stays"
        );
        assert!(
            ports
                .filter(|port| *port != 60_000)
                .all(|port| port > MAX_ORIGINS)
        );
    }

    #[test]
    fn a_changed_grant_replaces_the_pool() {
        let pools = pools();
        keep(&pools, "http://agent.lan", true);
        keep(&pools, "http://agent.lan", false);
        keep(&pools, "https://agent.lan", false);
        assert_eq!(pools.kept().by_origin.len(), 2);
    }
}
