//! What hangs on an alert: indicators, documents, activity. Its findings are in `findings`.

use axum::extract::State;
use calseta_contract::alert::{ActivityView, IndicatorView};
use calseta_contract::context_document::DocumentView;
use calseta_domain::AlertId;

use crate::answer::Answer;
use crate::caller::{AlertsRead, App, Caller};
use crate::operation::{Noun, Operation, about, get};
use crate::page::{Id, Paged, Query};
use crate::reply::{Page, Rows};

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Alerts,
        [
            get(
                "/v1/alerts/{uuid}/indicators",
                "list_alert_indicators",
                indicators,
            )
            .says(
                "List an alert's indicators",
                "With what every provider said.",
            ),
            get("/v1/alerts/{uuid}/context", "list_alert_context", context).says(
                "List the documents that apply",
                "Whole, as an agent would get them now.",
            ),
            get(
                "/v1/alerts/{uuid}/activity",
                "list_alert_activity",
                activity,
            )
            .says("List an alert's activity", "Newest first."),
        ],
    )
}

async fn indicators(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<AlertId>,
) -> Answer<Rows<IndicatorView>> {
    Ok(Rows(app.engine.alert_indicators(id).await?))
}

async fn context(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<AlertId>,
) -> Answer<Rows<DocumentView>> {
    Ok(Rows(app.engine.alert_context(id).await?))
}

async fn activity(
    State(app): State<App>,
    _: Caller<AlertsRead>,
    Id(id): Id<AlertId>,
    query: Query<Paged>,
) -> Answer<Page<ActivityView>> {
    let number = query.page()?;
    let listed = app.engine.alert_activity(id, number).await?;
    Ok(Page::numbered(listed, number, &query))
}
