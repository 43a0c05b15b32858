//! Egress grants: addresses on this machine or the local network that a human has allowed.

use calseta_contract::grant::{GrantRequest, GrantView};
use calseta_domain::{FieldError, Timestamp};
use calseta_egress::{AddressClass, Audience, Grant, Network, Target};
use calseta_store::WriteTx;
use calseta_store::tables::Reads;
use calseta_store::tables::grant::{self, GrantRow};
use uuid::Uuid;

use crate::changes::named;
use crate::clock::Ids;
use crate::{Engine, Principal, Problem};

/// Whether an address may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GrantState {
    NoneNeeded,
    Granted,
    Pending,
}

impl GrantState {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NoneNeeded => "none_needed",
            Self::Granted => "granted",
            Self::Pending => "pending",
        }
    }
}

fn view(row: GrantRow) -> GrantView {
    GrantView {
        uuid: row.uuid,
        scheme: row.scheme,
        host: row.host,
        port: row.port,
        class: row.class,
        audience: row.audience,
        created_at: row.created_at,
    }
}

/// The grants of an audience, as the outbound client takes them.
pub(crate) fn of(tx: &impl Reads, audience: Audience) -> Result<Vec<Grant>, Problem> {
    Ok(grant::all(tx)?
        .into_iter()
        .filter(|row| row.audience == audience.as_str())
        .filter_map(|row| {
            Some(Grant {
                class: row.class.parse().ok()?,
                scheme: row.scheme,
                host: row.host,
                port: row.port,
                audience,
            })
        })
        .collect())
}

/// Whether a judged URL may be reached, given the grants.
pub(crate) fn state(target: &Target, grants: &[Grant]) -> GrantState {
    if grants.iter().any(|grant| target.is_granted_by(grant)) {
        GrantState::Granted
    } else if target.needs_grant() {
        GrantState::Pending
    } else {
        GrantState::NoneNeeded
    }
}

/// Stores a grant for a judged URL.
pub(crate) fn allow(
    tx: &WriteTx<'_>,
    target: &Target,
    class: Option<AddressClass>,
    now: Timestamp,
) -> Result<(), Problem> {
    let audience = target.audience();
    let grant = match class {
        Some(class) => target.grant_as(audience, class),
        None => target.grant(audience),
    };
    keep(tx, grant, now)
}

fn keep(tx: &WriteTx<'_>, grant: Grant, now: Timestamp) -> Result<(), Problem> {
    grant::insert(
        tx,
        &GrantRow {
            uuid: Ids.next(),
            audience: grant.audience.as_str().to_owned(),
            scheme: grant.scheme,
            host: grant.host,
            port: grant.port,
            class: grant.class.as_str().to_owned(),
            created_at: now,
        },
    )?;
    Ok(())
}

/// What is to be allowed: one host, or a network of the local one.
fn wanted(request: &GrantRequest, audience: Audience) -> Result<Grant, Problem> {
    if request.host.contains('/') {
        return network(request, audience);
    }
    let host = if request.host.contains(':') && !request.host.starts_with('[') {
        format!("[{}]", request.host)
    } else {
        request.host.clone()
    };
    let url = format!("{}://{host}:{}/", request.scheme, request.port);
    let target = judge("host", &url, audience).map_err(|error| Problem::fields(&[error]))?;
    if target.class().is_some_and(|class| !class.can_be_granted()) {
        return Err(Problem::field(
            "host",
            "addresses of this kind can never be allowed",
        ));
    }
    // A name of the local network is granted as private: it may resolve there and nowhere else.
    let class = target.class().unwrap_or(AddressClass::Private);
    Ok(target.grant_as(audience, class))
}

fn network(request: &GrantRequest, audience: Audience) -> Result<Grant, Problem> {
    if !matches!(request.scheme.as_str(), "http" | "https") {
        let schemes = &["http", "https"];
        return Err(Problem::word("scheme", "scheme", &request.scheme, schemes));
    }
    if request.port == 0 {
        return Err(Problem::field("port", "must be a port from 1 to 65535"));
    }
    let network: Network = request
        .host
        .parse()
        .map_err(|error: calseta_egress::NotANetwork| Problem::field("host", error.to_string()))?;
    Ok(Grant {
        scheme: request.scheme.clone(),
        host: network.to_string(),
        port: request.port,
        class: AddressClass::Private,
        audience,
    })
}

/// Judges a URL by its syntax and literals; a refusal becomes a field error.
pub(crate) fn judge(path: &str, url: &str, audience: Audience) -> Result<Target, FieldError> {
    calseta_egress::judge(url, audience)
        .map_err(|refusal| FieldError::new(path, format!("{refusal} ({})", refusal.code())))
}

impl Engine {
    /// `GET /v1/egress/grants`.
    pub async fn grants(&self, by: &Principal) -> Result<Vec<GrantView>, Problem> {
        by.need_human("reading egress grants")?;
        let rows = self
            .inner
            .store
            .read(|tx| Ok::<_, Problem>(grant::all(tx)?))
            .await?;
        Ok(rows.into_iter().map(view).collect())
    }

    /// `POST /v1/egress/grants`.
    pub async fn create_grant(
        &self,
        by: &Principal,
        request: GrantRequest,
    ) -> Result<GrantView, Problem> {
        by.need_human("allowing an address")?;
        let audience: Audience = request.audience.parse().map_err(|_| {
            Problem::word(
                "for",
                "audience",
                &request.audience,
                &["agent", "provider", "workflow"],
            )
        })?;
        let grant = wanted(&request, audience)?;
        let (now, change) = (self.inner.clock.now(), self.change(by));
        let stored = grant.clone();
        let rows = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let detail = named(&stored.origin(), "allowed");
                keep(tx, stored, now)?;
                change.append(tx, "grant.updated", ("grant", None), detail)?;
                Ok::<_, Problem>(grant::all(tx)?)
            })
            .await?;
        rows.into_iter()
            .find(|row| {
                row.audience == audience.as_str()
                    && row.host == grant.host
                    && row.port == grant.port
                    && row.scheme == grant.scheme
            })
            .map(view)
            .ok_or_else(|| Problem::not_found("grant"))
    }

    /// `DELETE /v1/egress/grants/{uuid}`: refused from the next request on.
    pub async fn delete_grant(&self, by: &Principal, id: Uuid) -> Result<(), Problem> {
        by.need_human("taking a grant back")?;
        let change = self.change(by);
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row = grant::all(tx)?
                    .into_iter()
                    .find(|row| row.uuid == id)
                    .ok_or_else(|| Problem::not_found("grant"))?;
                grant::delete(tx, id)?;
                let origin = format!("{}://{}:{}", row.scheme, row.host, row.port);
                let detail = named(&origin, "taken back");
                change.append(tx, "grant.updated", ("grant", Some(id)), detail)
            })
            .await
    }
}
