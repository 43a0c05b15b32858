//! The master key and the event log's chain: what a person checks, and renews.

use axum::extract::State;
use calseta_domain::Timestamp;
use calseta_engine::{KeyStoreView, Verified};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::caller::{Admin, App, Caller, Human};
use crate::operation::{Noun, Operation, about, get, post};
use crate::reply::One;

pub(super) fn operations() -> Vec<Operation> {
    let mut all = about(
        Noun::Events,
        [get("/v1/activity/verify", "verify_activity", verify)
            .says("Verify the event log", "Walks the log's hash chain and compares it with the anchors that are kept outside the database.")],
    );
    all.extend(about(
        Noun::Settings,
        [post(
            "/v1/settings/master-key/rotate",
            "rotate_master_key",
            rotate,
        )
        .says(
            "Renew the master key",
            "Makes a new key and seals every stored secret with it, all or none.",
        )],
    ));
    all
}

/// What a walk along the event log came to.
#[derive(Debug, Serialize, ToSchema)]
struct VerifiedView {
    /// Whether nothing is wrong.
    ok: bool,
    /// Events that were walked.
    #[schema(minimum = 0)]
    events: i64,
    /// The chain's last hash, in hex.
    head: String,
    /// Anchors that were compared.
    anchors: usize,
    /// The last event that an anchor vouches for.
    #[schema(minimum = 0)]
    anchored_until: i64,
    /// What is wrong, in sentences.
    faults: Vec<String>,
}

impl From<Verified> for VerifiedView {
    fn from(found: Verified) -> Self {
        Self {
            ok: found.ok,
            events: found.events,
            head: found.head,
            anchors: found.anchors,
            anchored_until: found.anchored_until,
            faults: found.faults,
        }
    }
}

/// Where the master key is kept.
#[derive(Debug, Serialize, ToSchema)]
struct MasterKeyView {
    /// keychain or file.
    state: String,
    /// Grows with every rotation.
    version: u32,
    /// Since when this key is in force.
    since: Timestamp,
    /// When it was renewed last.
    rotated_at: Option<Timestamp>,
}

impl From<KeyStoreView> for MasterKeyView {
    fn from(view: KeyStoreView) -> Self {
        Self {
            state: view.state.to_owned(),
            version: view.version,
            since: view.since,
            rotated_at: view.rotated_at,
        }
    }
}

async fn verify(State(app): State<App>, caller: Caller<Admin>) -> Answer<One<VerifiedView>> {
    Ok(One::new(app.engine.verify(&caller.0).await?.into()))
}

async fn rotate(State(app): State<App>, caller: Human<Admin>) -> Answer<One<MasterKeyView>> {
    Ok(One::new(
        app.engine.rotate_master_key(&caller.0).await?.into(),
    ))
}
