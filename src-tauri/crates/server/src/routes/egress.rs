//! `/v1/egress`: what went out, and what a human has allowed.

use axum::extract::State;
use calseta_contract::egress::EgressView;
use calseta_contract::grant::{GrantRequest, GrantView};
use calseta_engine::EgressFilter;
use uuid::Uuid;

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{Admin, App, Human};
use crate::operation::{
    Kind, Noun, Operation, PAGE, Parameter, about, delete, get, list_parameters, post,
};
use crate::page::{Id, Query};
use crate::reply::{Created, NoContent, Page, Rows};

/// For whom, as it is asked for.
const AUDIENCES: &[(&str, &str)] = &[
    ("agent", "agent"),
    ("provider", "provider"),
    ("workflow", "workflow"),
];
const YES_OR_NO: &[(&str, bool)] = &[("true", true), ("false", false)];

list_parameters! {
    /// `GET /v1/egress`.
    Egress => [PAGE, &[
        Parameter::new("for", Kind::Word(&["agent", "provider", "workflow"]), "Only those on behalf of these."),
        Parameter::new("allowed", Kind::Bool, "Only those that were let out, or only those that were refused."),
        Parameter::new("host", Kind::Text, "Only those to this host."),
    ]];
}

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Egress,
        [
            get("/v1/egress", "list_egress", log)
                .says("List outgoing requests", "Every request that left the machine or was refused, newest first: where it wanted to go, whether it was let out and what came of it. Never its path, headers or body. The newest 20,000 are kept."),
            get("/v1/egress/grants", "list_grants", list)
                .says("List grants", "Loopback and private addresses that a human has allowed, and for what."),
            post("/v1/egress/grants", "create_grant", create)
                .says("Allow an address", "For agents, providers or workflows: one host, or with `host` such as 10.1.0.0/16 all private addresses of a network, at this scheme and port. Cloud metadata, link-local addresses and the console's own port can never be allowed.")
                .example(r#"{"scheme":"http","host":"127.0.0.1","port":9000,"for":"agent"}"#),
            delete("/v1/egress/grants/{uuid}", "delete_grant", remove)
                .says("Take a grant back", "The next request to that address is refused."),
        ],
    )
}

async fn log(
    State(app): State<App>,
    caller: Human<Admin>,
    query: Query<Egress>,
) -> Answer<Page<EgressView>> {
    let number = query.page()?;
    let filter = EgressFilter {
        audience: query.word("for", AUDIENCES)?.map(str::to_owned),
        is_allowed: query.word("allowed", YES_OR_NO)?,
        host: query.get("host").map(str::to_owned),
    };
    let listed = app.engine.egress_log(&caller.0, filter, number).await?;
    Ok(Page::numbered(listed, number, &query))
}

async fn list(State(app): State<App>, caller: Human<Admin>) -> Answer<Rows<GrantView>> {
    Ok(Rows(app.engine.grants(&caller.0).await?))
}

async fn create(
    State(app): State<App>,
    caller: Human<Admin>,
    body: Json<GrantRequest>,
) -> Answer<Created<GrantView>> {
    let grant = app.engine.create_grant(&caller.0, body.value).await?;
    Ok(Created::noting(grant, &body.ignored))
}

async fn remove(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<Uuid>,
) -> Answer<NoContent> {
    app.engine.delete_grant(&caller.0, id).await?;
    Ok(NoContent)
}
