//! `/v1/egress/grants`.

use axum::extract::State;
use calseta_contract::grant::{GrantRequest, GrantView};
use uuid::Uuid;

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{Admin, App, Human};
use crate::operation::{Noun, Operation, about, delete, get, post};
use crate::page::Id;
use crate::reply::{Created, NoContent, Rows};

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Egress,
        [
            get("/v1/egress/grants", "list_grants", list)
                .says("List grants", "Loopback and private addresses that a human has allowed, and for what."),
            post("/v1/egress/grants", "create_grant", create)
                .says("Allow an address", "For agents, providers or workflows. Cloud metadata, link-local addresses and the console's own port can never be allowed.")
                .example(r#"{"scheme":"http","host":"127.0.0.1","port":9000,"for":"agent"}"#),
            delete("/v1/egress/grants/{uuid}", "delete_grant", remove)
                .says("Take a grant back", "The next request to that address is refused."),
        ],
    )
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
