//! The master key and the event log's chain: what a person checks, and renews.

use axum::extract::State;
use calseta_contract::event::EventView;
use calseta_domain::Timestamp;
use calseta_engine::{ActivityQuery, KeyStoreView, Verified};
use serde::Serialize;
use utoipa::ToSchema;

use super::events::MAX_SEQ;
use crate::answer::Answer;
use crate::caller::{Admin, AnyKey, App, Caller, Human};
use crate::operation::{Kind, Noun, Operation, PAGE, Parameter, about, get, list_parameters, post};
use crate::page::Query;
use crate::reply::{One, Page};

list_parameters! {
    /// `GET /v1/activity`.
    Activity => [PAGE, &[
        Parameter::new("cursor", Kind::Number { default: None, min: 1, max: MAX_SEQ }, "From `meta.next_cursor`: what happened before that."),
        Parameter::new("alert_uuid", Kind::Uuid, "Only of this alert."),
        Parameter::new("kind", Kind::Texts, "Types such as `key.revoked`, or nouns such as `key`; any of them."),
        Parameter::new("actor", Kind::Text, "A kind of actor (analyst, agent, human_key, mcp, system), the first characters of a key, or a name."),
        Parameter::new("from_time", Kind::Time, "Then or later."),
        Parameter::new("to_time", Kind::Time, "Then or earlier."),
    ]];
}

pub(super) fn operations() -> Vec<Operation> {
    let mut all = about(
        Noun::Events,
        [
            get("/v1/activity", "list_activity", activity)
                .says("List what happened", "The whole log, newest first, as far as the key's scopes may read it: alerts and findings, and for the scope `admin` also configuration, keys and refused requests. Pass `meta.next_cursor` as `cursor` for older ones; the total is counted up to 10,000."),
            get("/v1/activity/verify", "verify_activity", verify)
            .says("Verify the event log", "Walks the log's hash chain and compares it with the anchors that are kept outside the database."),
        ],
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

async fn activity(
    State(app): State<App>,
    caller: Caller<AnyKey>,
    query: Query<Activity>,
) -> Answer<Page<EventView>> {
    let number = query.page()?;
    let before = query.optional_number("cursor", 1, MAX_SEQ)?;
    let wanted = ActivityQuery {
        alert: query.parsed("alert_uuid", "a uuid")?,
        kinds: query.list("kind"),
        actor: query.get("actor").map(str::to_owned),
        from: query.time("from_time")?,
        to: query.time("to_time")?,
        before: before.map(|seq| i64::try_from(seq).unwrap_or(i64::MAX)),
    };
    let by_number = wanted.before.is_none().then_some(number.page);
    let listed = app.engine.activity(&caller.0, wanted, number).await?;
    Ok(Page::new(listed, by_number, number.page_size, &query))
}

async fn verify(State(app): State<App>, caller: Caller<Admin>) -> Answer<One<VerifiedView>> {
    Ok(One::new(app.engine.verify(&caller.0).await?.into()))
}

async fn rotate(State(app): State<App>, caller: Human<Admin>) -> Answer<One<MasterKeyView>> {
    Ok(One::new(
        app.engine.rotate_master_key(&caller.0).await?.into(),
    ))
}
