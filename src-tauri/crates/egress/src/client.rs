//! The client that agents' deliveries, enrichment lookups and workflow steps go through.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};

use crate::decision::{DecisionLog, Pending};
use crate::error::{BuildError, SendError};
use crate::exchange;
use crate::policy::Origin;
use crate::pool::Pools;
use crate::refusal::Refusal;
use crate::resolve::{NameLookup, SystemNames};
use crate::rules::{Proxy, Rules, Shared};
use crate::target::{Audience, Grant, Target, judge, origin_text};

/// What a [`Client`] is made with.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Sent with every request that does not set its own.
    pub user_agent: String,
    /// Ports this application listens on; see [`Client::set_own_ports`].
    pub own_ports: Vec<u16>,
}

/// What happens to an answer longer than `max_response_bytes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// Keep the beginning, close the connection, set [`Answer::truncated`]. For deliveries, whose answer is a note.
    Truncate,
    /// [`SendError::TooLarge`]. For lookups, whose answer is parsed.
    Fail,
}

/// A request to be sent.
#[derive(Clone)]
pub struct Outbound {
    /// On whose behalf; grants for others do not count.
    pub audience: Audience,
    /// The method.
    pub method: Method,
    /// Absolute http or https URL, judged at each send.
    pub url: String,
    /// The caller marks secret values with `set_sensitive`. Headers of the connection are refused.
    pub headers: HeaderMap,
    /// Sent as it is, not compressed.
    pub body: Bytes,
    /// The grants in force now; those for other origins are ignored.
    pub grants: Vec<Grant>,
    /// For everything: lookup, connecting, sending, and reading the answer to its end.
    pub deadline: Duration,
    /// Most bytes of the answer's body that are kept.
    pub max_response_bytes: usize,
    /// What happens beyond that.
    pub overflow: Overflow,
}

impl Outbound {
    /// A delivery's total deadline unless the agent sets another.
    pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);
    /// How much of an answer to a delivery is read.
    pub const DEFAULT_RESPONSE_BYTES: usize = 64 * 1024;

    /// A request without headers, body and grants, with a delivery's limits.
    pub fn new(audience: Audience, method: Method, url: impl Into<String>) -> Self {
        Self {
            audience,
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            grants: Vec::new(),
            deadline: Self::DEFAULT_DEADLINE,
            max_response_bytes: Self::DEFAULT_RESPONSE_BYTES,
            overflow: Overflow::Truncate,
        }
    }
}

impl fmt::Debug for Outbound {
    /// Without the URL's path and query, the headers' values and the body: they carry keys and evidence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = judge(&self.url, self.audience);
        let origin = target.map(|t| origin_text(t.scheme(), t.host(), t.port()));
        f.debug_struct("Outbound")
            .field("audience", &self.audience)
            .field("method", &self.method)
            .field("origin", &origin)
            .field("body_bytes", &self.body.len())
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// What the peer answered. A redirect is an answer like any other; it is not followed.
#[derive(Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, untrusted.
    pub headers: HeaderMap,
    /// At most `max_response_bytes`, as received: not decompressed, untrusted.
    pub body: Bytes,
    /// The address that answered.
    pub remote: Option<SocketAddr>,
    /// Whether the body was longer.
    pub truncated: bool,
    /// From the call to the answer's last byte.
    pub elapsed: Duration,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .field("remote", &self.remote)
            .field("truncated", &self.truncated)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}

/// The outbound client. Clones share connections and settings.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    standing: Shared,
    pools: Pools,
    log: OnceLock<Arc<dyn DecisionLog>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("standing", &self.inner.standing)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client that looks names up with the system's resolver.
    ///
    /// # Errors
    /// If the user agent cannot be a header value.
    pub fn new(config: ClientConfig) -> Result<Self, BuildError> {
        Self::with_names(config, Arc::new(SystemNames::new()))
    }

    /// A client with another source of addresses. They are judged like the system's.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_names(
        config: ClientConfig,
        names: Arc<dyn NameLookup>,
    ) -> Result<Self, BuildError> {
        let user_agent = HeaderValue::from_str(&config.user_agent)
            .map_err(|_| BuildError::UserAgent(config.user_agent))?;
        let standing = Shared::of(config.own_ports);
        let pools = Pools::new(user_agent, standing.clone(), names);
        Ok(Self {
            inner: Arc::new(Inner {
                standing,
                pools,
                log: OnceLock::new(),
            }),
        })
    }

    /// Replaces the ports this application listens on, once they are known or have changed. They are refused on
    /// every address of this machine, whatever was granted: a delivery to ourselves would run with our own trust.
    pub fn set_own_ports(&self, ports: Vec<u16>) {
        self.inner.standing.change(|kept| kept.own_ports = ports);
        self.inner.pools.forget_all();
    }

    /// Replaces the rules of all requests; idle connections that were opened under others are dropped.
    pub fn set_rules(&self, rules: Rules) {
        self.inner.standing.change(|kept| kept.rules = rules);
        self.inner.pools.forget_all();
    }

    /// Says where decisions are noted. Only the first call counts.
    pub fn note_decisions(&self, log: Arc<dyn DecisionLog>) {
        drop(self.inner.log.set(log));
    }

    /// Sends one request and reads the answer, all within its deadline.
    ///
    /// Dropping the future abandons the request and closes its connection.
    ///
    /// # Errors
    /// [`SendError`]; with `Blocked`, `Connect` and `Tls` nothing was sent.
    pub async fn send(&self, request: Outbound) -> Result<Answer, SendError> {
        let deadline = request.deadline;
        let mut pending = Pending::of(&request, self.inner.log.get().cloned());
        let exchanged = self.exchange(request, &mut pending);
        let outcome = match tokio::time::timeout(deadline, exchanged).await {
            Ok(outcome) => outcome,
            Err(_) => Err(SendError::Timeout),
        };
        pending.ended(&outcome);
        outcome
    }

    async fn exchange(
        &self,
        request: Outbound,
        pending: &mut Pending,
    ) -> Result<Answer, SendError> {
        let started = Instant::now();
        let target = judge(&request.url, request.audience)?;
        exchange::check_headers(&request.headers)?;
        let origin = Origin::of(&target, &request.grants);
        let standing = self.inner.standing.current();
        let proxy = origin.proxy(target.place(), &standing.rules);
        self.admit_unseen(&target, &origin, proxy)?;
        // What is connected to: the origin itself, or the proxy.
        let connected = match proxy {
            None => origin.clone(),
            Some(proxy) => {
                pending.by_proxy();
                self.admit_proxy(proxy, &origin)?
            }
        };
        let client = self
            .inner
            .pools
            .client(&origin, target.place(), proxy)
            .map_err(|error| SendError::Tls(error.to_string()))?;
        let response = exchange::start(
            &client,
            &target,
            request.method,
            request.headers,
            request.body,
        )
        .await?;
        let remote = response.remote_addr();
        if let Some(remote) = remote {
            // The resolver let only admitted addresses through; this notices if that ever stops being true.
            connected.admit(remote.ip(), &self.inner.standing.current())?;
        }
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let (body, truncated) = exchange::read(
            response,
            &target,
            request.max_response_bytes,
            request.overflow,
        )
        .await?;
        Ok(Answer {
            status,
            headers,
            body,
            remote,
            truncated,
            elapsed: started.elapsed(),
        })
    }

    /// Judges what the resolver is never asked about.
    fn admit_unseen(
        &self,
        target: &Target,
        origin: &Origin,
        proxy: Option<&Proxy>,
    ) -> Result<(), Refusal> {
        let standing = self.inner.standing.current();
        origin
            .admit_unseen(target.place(), proxy, &standing)
            .inspect_err(|_| {
                self.inner.pools.forget(origin);
            })
    }

    /// The proxy as an origin, judged as far as its URL tells; the resolver judges its name.
    fn admit_proxy(&self, proxy: &Proxy, origin: &Origin) -> Result<Origin, Refusal> {
        let connected = Origin::of_proxy(proxy, origin.audience);
        let standing = self.inner.standing.current();
        connected.admit_unseen(proxy.place(), None, &standing)?;
        Ok(connected)
    }
}
