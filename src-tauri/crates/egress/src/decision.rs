//! What became of every request, for a log that a human reads: where it wanted to go, whether it was let out, and what
//! came back. Never its path, headers or body, which carry keys and evidence.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::class::{AddressClass, classify};
use crate::client::{Answer, Outbound};
use crate::error::SendError;
use crate::refusal::Refusal;
use crate::target::{Audience, judge};

/// Characters of a host that was not even a host.
const MAX_HOST_CHARS: usize = 255;

/// One request and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// On whose behalf.
    pub audience: Audience,
    /// The method.
    pub method: String,
    /// `http` or `https`; empty when the URL was not understood.
    pub scheme: String,
    /// The host; empty when the URL was not understood.
    pub host: String,
    /// The port; 0 when the URL was not understood.
    pub port: u16,
    /// Whether the policy let it out.
    pub is_allowed: bool,
    /// `answered`, a refusal's code, or the code of what went wrong; `abandoned` when the caller gave up.
    pub outcome: &'static str,
    /// Why it was refused or failed, for a person.
    pub reason: Option<String>,
    /// The address that was connected to, or that it was refused for.
    pub ip: Option<IpAddr>,
    /// Its class.
    pub class: Option<AddressClass>,
    /// Whether it went through the proxy.
    pub by_proxy: bool,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Bytes of the request's body.
    pub sent_bytes: usize,
    /// Bytes of the answer's body that were kept.
    pub received_bytes: usize,
    /// From the call to its end.
    pub elapsed: Duration,
}

/// Takes decisions as they fall. Called on the sender's task: it must not block.
pub trait DecisionLog: Send + Sync + 'static {
    /// One more.
    fn note(&self, decision: Decision);
}

/// A decision that is being taken. Dropped before its end, the caller has given up.
pub(crate) struct Pending {
    log: Option<Arc<dyn DecisionLog>>,
    decision: Decision,
    started: Instant,
}

impl Pending {
    pub(crate) fn of(request: &Outbound, log: Option<Arc<dyn DecisionLog>>) -> Self {
        let target = judge(&request.url, request.audience).ok();
        let text = |text: &str| text.chars().take(MAX_HOST_CHARS).collect::<String>();
        let parts = target
            .as_ref()
            .map(|target| {
                (
                    target.scheme().to_owned(),
                    text(target.host()),
                    target.port(),
                )
            })
            .or_else(|| parts_of_refused(&request.url));
        let (scheme, host, port) = parts.unwrap_or_default();
        Self {
            log,
            started: Instant::now(),
            decision: Decision {
                audience: request.audience,
                method: request.method.to_string(),
                scheme,
                host,
                port,
                is_allowed: true,
                outcome: "abandoned",
                reason: None,
                ip: None,
                class: None,
                by_proxy: false,
                status: None,
                sent_bytes: request.body.len(),
                received_bytes: 0,
                elapsed: Duration::ZERO,
            },
        }
    }

    pub(crate) fn by_proxy(&mut self) {
        self.decision.by_proxy = true;
    }

    pub(crate) fn ended(mut self, outcome: &Result<Answer, SendError>) {
        let decision = &mut self.decision;
        match outcome {
            Ok(answer) => {
                decision.outcome = "answered";
                decision.status = Some(answer.status);
                decision.received_bytes = answer.body.len();
                decision.ip = answer.remote.map(|remote| remote.ip().to_canonical());
            }
            Err(error) => {
                decision.outcome = error.code();
                decision.reason = Some(error.to_string());
                decision.is_allowed = !matches!(error, SendError::Blocked(_));
                decision.ip = match error {
                    SendError::Blocked(Refusal::NeverReachable { ip, .. }) => Some(*ip),
                    _ => None,
                };
            }
        }
        let class = match outcome {
            Err(SendError::Blocked(Refusal::NeedsGrant { grant })) => Some(grant.class),
            _ => self.decision.ip.map(classify),
        };
        self.decision.class = class.filter(|_| !self.decision.by_proxy);
    }
}

/// Where a URL that was refused by its own form wanted to go, as far as that can be told.
fn parts_of_refused(url: &str) -> Option<(String, String, u16)> {
    let url = url::Url::parse(url).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']);
    let host: String = host.chars().take(MAX_HOST_CHARS).collect();
    let port = url.port_or_known_default().unwrap_or(0);
    Some((url.scheme().to_owned(), host, port))
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(log) = &self.log {
            self.decision.elapsed = self.started.elapsed();
            log.note(self.decision.clone());
        }
    }
}
