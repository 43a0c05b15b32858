//! `/v1/enrichments` and `/v1/enrichment-field-extractions`.

use axum::extract::State;
use calseta_contract::enrichment::{
    EnrichmentRequest, EnrichmentView, ExtractionBulkRequest, ExtractionPatch, ExtractionRequest,
    ExtractionView,
};
use calseta_contract::provider::ProviderBrief;
use calseta_domain::{ErrorCode, ExtractionId, IndicatorType};
use calseta_engine::ExtractionFilter;

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{Admin, App, Caller, EnrichNow, EnrichmentsRead, Human};
use crate::operation::{
    Kind, Noun, Operation, PAGE, Parameter, about, delete, get, list_parameters, patch, post,
};
use crate::page::{Id, Query};
use crate::reply::{Created, NoContent, One, Page, Rows};

const ASK: &str = r#"{"type":"ip","value":"203.0.113.7"}"#;
const EXTRACTION: &str = r#"{"provider_name":"virustotal","indicator_type":"ip","source_path":"data.attributes.country","target_key":"country","value_type":"string"}"#;
const BULK: &str = r#"{"extractions":[{"provider_name":"virustotal","indicator_type":"ip","source_path":"data.attributes.continent","target_key":"continent"}]}"#;
const PATCH: &str = r#"{"is_active":false}"#;

list_parameters! {
    /// `GET /v1/enrichment-field-extractions`.
    Extractions => [PAGE, &[
        Parameter::new("provider_name", Kind::Text, "Only of this provider."),
        Parameter::new("indicator_type", Kind::Word(IndicatorType::WORDS), "Only for this type."),
        Parameter::new("is_system", Kind::Bool, "Whether it came with the product."),
        Parameter::new("is_active", Kind::Bool, "Whether it is used."),
    ]];
}

pub(super) fn operations() -> Vec<Operation> {
    let mut all = about(
        Noun::Enrichments,
        [
            post("/v1/enrichments", "enrich_now", enrich)
                .says("Ask about an indicator", "Asks every provider that knows the type and waits for their answers; kept answers are used while they are fresh. Nothing is stored at an alert.")
                .example(ASK),
            get("/v1/enrichments/providers", "list_provider_briefs", briefs)
                .says("List who can be asked", "Active providers in short."),
        ],
    );
    all.extend(about(
        Noun::FieldExtractions,
        [
            get("/v1/enrichment-field-extractions", "list_extractions", list).says(
                "List field extractions",
                "Which fields of a provider's answer are kept, under which names.",
            ),
            post(
                "/v1/enrichment-field-extractions",
                "create_extraction",
                create,
            )
            .says("Add a field extraction", "One per provider, type and path.")
            .example(EXTRACTION)
            .fails(&[ErrorCode::ProviderNotFound, ErrorCode::DuplicateExtraction]),
            post(
                "/v1/enrichment-field-extractions/bulk",
                "create_extractions",
                create_all,
            )
            .says("Add field extractions", "1 to 100; all of them or none.")
            .example(BULK)
            .fails(&[ErrorCode::ProviderNotFound, ErrorCode::DuplicateExtraction]),
            get(
                "/v1/enrichment-field-extractions/{uuid}",
                "get_extraction",
                show,
            )
            .says("Read a field extraction", "One field extraction."),
            patch(
                "/v1/enrichment-field-extractions/{uuid}",
                "update_extraction",
                change,
            )
            .says(
                "Change a field extraction",
                "Of one that came with the product only `is_active` can be changed.",
            )
            .example(PATCH)
            .fails(&[
                ErrorCode::SystemExtractionRestricted,
                ErrorCode::DuplicateExtraction,
            ]),
            delete(
                "/v1/enrichment-field-extractions/{uuid}",
                "delete_extraction",
                remove,
            )
            .says("Delete a field extraction", "Own ones only.")
            .fails(&[ErrorCode::SystemExtractionRestricted]),
        ],
    ));
    all
}

async fn enrich(
    State(app): State<App>,
    _: Caller<EnrichNow>,
    body: Json<EnrichmentRequest>,
) -> Answer<One<EnrichmentView>> {
    let answer = app.engine.enrich_now(body.value).await?;
    Ok(One::noting(answer, &body.ignored))
}

async fn briefs(State(app): State<App>, _: Caller<EnrichmentsRead>) -> Answer<Rows<ProviderBrief>> {
    Ok(Rows(app.engine.provider_briefs()))
}

async fn list(
    State(app): State<App>,
    _: Caller<EnrichmentsRead>,
    query: Query<Extractions>,
) -> Answer<Page<ExtractionView>> {
    let number = query.page()?;
    let filter = ExtractionFilter {
        provider_name: query.get("provider_name").map(str::to_owned),
        indicator_type: query.one("indicator_type")?,
        is_system: query.parsed("is_system", "true or false")?,
        is_active: query.parsed("is_active", "true or false")?,
    };
    let listed = app.engine.extractions(filter, number).await?;
    Ok(Page::numbered(listed, number, &query))
}

async fn create(
    State(app): State<App>,
    caller: Human<Admin>,
    body: Json<ExtractionRequest>,
) -> Answer<Created<ExtractionView>> {
    let made = app.engine.create_extraction(&caller.0, body.value).await?;
    Ok(Created::noting(made, &body.ignored))
}

async fn create_all(
    State(app): State<App>,
    caller: Human<Admin>,
    body: Json<ExtractionBulkRequest>,
) -> Answer<Rows<ExtractionView, 201>> {
    let engine = &app.engine;
    let made = engine
        .create_extractions_in_bulk(&caller.0, body.value)
        .await?;
    Ok(Rows(made))
}

async fn show(
    State(app): State<App>,
    _: Caller<EnrichmentsRead>,
    Id(id): Id<ExtractionId>,
) -> Answer<One<ExtractionView>> {
    Ok(One::new(app.engine.extraction(id).await?))
}

async fn change(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<ExtractionId>,
    body: Json<ExtractionPatch>,
) -> Answer<One<ExtractionView>> {
    let engine = &app.engine;
    let extraction = engine.patch_extraction(&caller.0, id, body.value).await?;
    Ok(One::noting(extraction, &body.ignored))
}

async fn remove(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<ExtractionId>,
) -> Answer<NoContent> {
    app.engine.delete_extraction(&caller.0, id).await?;
    Ok(NoContent)
}
