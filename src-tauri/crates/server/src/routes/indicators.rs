//! `/v1/indicators`.

use axum::extract::State;
use calseta_contract::indicator::{IndicatorDetail, IndicatorPatch, IndicatorSummary};
use calseta_domain::{IndicatorId, IndicatorType, Malice};
use calseta_engine::{IndicatorFilter, IndicatorSort};

use super::alerts::SORT_ORDER;
use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{AlertsWrite, App, Caller, EnrichmentsRead};
use crate::operation::{
    Kind, Noun, Operation, PAGE, Parameter, about, get, list_parameters, patch,
};
use crate::page::{Id, Query};
use crate::reply::{One, Page};

const SORTS: &[(&str, IndicatorSort)] = &[
    ("last_seen", IndicatorSort::LastSeen),
    ("first_seen", IndicatorSort::FirstSeen),
    ("value", IndicatorSort::Value),
    ("malice", IndicatorSort::Malice),
];

list_parameters! {
    /// `GET /v1/indicators`.
    Indicators => [PAGE, &[
        Parameter::new("type", Kind::Words(IndicatorType::WORDS), "Any of these."),
        Parameter::new("malice", Kind::Words(Malice::WORDS), "Any of these."),
        Parameter::new("value", Kind::Text, "Part of the value, in any case."),
        Parameter::new("is_enriched", Kind::Bool, "Whether a provider has answered."),
        Parameter::new("sort_by", Kind::Word(&["last_seen", "first_seen", "value", "malice"]), "`last_seen` when nothing is said."),
        SORT_ORDER,
    ]];
}

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Indicators,
        [
            get("/v1/indicators", "list_indicators", list)
                .says("List indicators", "Latest seen first unless sorted otherwise. The total is counted up to 10,000."),
            get("/v1/indicators/{uuid}", "get_indicator", show)
                .says("Read an indicator", "With every provider's answer, raw too."),
            patch("/v1/indicators/{uuid}", "update_indicator", change)
                .says("Judge an indicator", "A verdict overrides the providers'; `null` goes back to theirs. An agent's verdict never outranks the analyst's. An empty body changes nothing.")
                .example(r#"{"malice":"Malicious"}"#),
        ],
    )
}

async fn list(
    State(app): State<App>,
    _: Caller<EnrichmentsRead>,
    query: Query<Indicators>,
) -> Answer<Page<IndicatorSummary>> {
    let number = query.page()?;
    let filter = IndicatorFilter {
        kind: query.words("type")?,
        malice: query.words("malice")?,
        value: query.get("value").map(str::to_owned),
        is_enriched: query.parsed("is_enriched", "true or false")?,
    };
    let sort = query
        .word("sort_by", SORTS)?
        .unwrap_or(IndicatorSort::LastSeen);
    let order = (sort, query.direction()?);
    let listed = app.engine.indicators(filter, order, number).await?;
    Ok(Page::numbered(listed, number, &query))
}

async fn show(
    State(app): State<App>,
    _: Caller<EnrichmentsRead>,
    Id(id): Id<IndicatorId>,
) -> Answer<One<IndicatorDetail>> {
    Ok(One::new(app.engine.indicator(id).await?))
}

async fn change(
    State(app): State<App>,
    caller: Caller<AlertsWrite>,
    Id(id): Id<IndicatorId>,
    body: Json<IndicatorPatch>,
) -> Answer<One<IndicatorDetail>> {
    let indicator = app
        .engine
        .patch_indicator(&caller.0, id, body.value)
        .await?;
    Ok(One::noting(indicator, &body.ignored))
}
