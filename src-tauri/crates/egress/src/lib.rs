//! The only way out: every HTTP request the product makes leaves through this crate.
//!
//! Agents, enrichment providers and workflow steps name their own URLs, and an analyst's machine sits inside the
//! network an attacker wants to reach. So a URL is judged by syntax and literal address ([`judge`]), every address a
//! name resolves to is judged again at each send, and what is not public needs a human's [`Grant`] for exactly that
//! scheme, host and port. Metadata services, link-local and reserved ranges, and the product's own port are out of
//! reach whatever was granted. Redirects are not followed, the environment's proxies are ignored (a human may name one
//! in [`Rules`]), answers are capped and the deadline covers everything from the name's lookup to the answer's last byte.
//!
//! The crate stores nothing and knows no database: the caller hands in the grants that apply and takes every
//! [`Decision`]. It never retries; what
//! a failure means for a delivery is the caller's decision.
//!
//! Start at [`Client::send`]; the rules are in `policy`, the address table in `class`.

mod class;
mod client;
mod decision;
mod error;
mod exchange;
mod local;
mod policy;
mod pool;
mod refusal;
mod resolve;
mod rules;
mod target;
mod tls;

pub use class::{AddressClass, classify};
pub use client::{Answer, Client, ClientConfig, Outbound, Overflow};
pub use decision::{Decision, DecisionLog};
pub use error::{BuildError, SendError};
pub use local::LocalClient;
pub use policy::Policy;
pub use refusal::Refusal;
pub use resolve::{Lookup, NameLookup};
pub use rules::{
    Authorities, MAX_CA_FILE_BYTES, Network, NoAuthorities, NotANetwork, Proxy, Rules,
};
pub use target::{Audience, Grant, Target, UnknownWord, judge};
