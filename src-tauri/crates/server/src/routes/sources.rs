//! `/v1/sources`.

use axum::extract::State;
use calseta_contract::source::SourceView;

use crate::answer::Answer;
use crate::caller::{AlertsRead, App, Caller};
use crate::operation::{Noun, Operation, about, get};
use crate::page::{Paged, Query};
use crate::reply::Page;

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Sources,
        [get("/v1/sources", "list_sources", list)
            .says("List sources", "Where alerts may come from.")],
    )
}

async fn list(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    query: Query<Paged>,
) -> Answer<Page<SourceView>> {
    let number = query.page()?;
    Ok(Page::of_all(app.engine.sources().await?, number, &query))
}
