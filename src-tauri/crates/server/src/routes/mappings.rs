//! `/v1/indicator-mappings`.

use axum::extract::State;
use calseta_contract::mapping::{
    ExtractionTest, ExtractionTestRequest, MappingPatch, MappingRequest, MappingView,
};
use calseta_domain::{ErrorCode, ExtractionTarget, MappingId};
use calseta_engine::{Engine, MappingFilter};

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{Admin, App, Caller, Human};
use crate::operation::{
    Kind, Noun, Operation, PAGE, Parameter, about, delete, get, list_parameters, patch, post,
};
use crate::page::{Id, Query};
use crate::reply::{Created, NoContent, One, Page, Rows};

const MAPPING: &str = r#"{"source_name":"generic","field_path":"user.principal.name","indicator_type":"account","extraction_target":"raw_payload","description":"The account that signed in"}"#;
const PATCH: &str = r#"{"is_active":false}"#;
const TEST: &str = r#"{"source_name":"generic","raw_payload":{"title":"t","severity":"High","src_ip":"203.0.113.7"}}"#;

list_parameters! {
    /// `GET /v1/indicator-mappings`.
    Mappings => [PAGE, &[
        Parameter::new("source_name", Kind::Text, "Only of this source; those of all sources are not meant."),
        Parameter::new("is_system", Kind::Bool, "Whether it came with the product."),
        Parameter::new("is_active", Kind::Bool, "Whether it is used."),
        Parameter::new("extraction_target", Kind::Word(ExtractionTarget::WORDS), "Where it reads from."),
    ]];
}

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::IndicatorMappings,
        [
            get("/v1/indicator-mappings", "list_mappings", list)
                .says("List indicator mappings", "Which fields are read as indicators, besides those that a source's own form names."),
            post("/v1/indicator-mappings", "create_mapping", create)
                .says("Add an indicator mapping", "Holds from the next alert on. Lists and keys with dots in them can be reached.")
                .example(MAPPING)
                .fails(&[ErrorCode::DuplicateMapping]),
            get("/v1/indicator-mappings/source-plugin-fields", "list_plugin_fields", plugin_fields)
                .says("List the fields of the sources' own forms", "Read-only: they are read in any case."),
            post("/v1/indicator-mappings/test-extraction", "test_extraction", test)
                .says("Try a payload", "What would be extracted from it, pass by pass. Nothing is stored.")
                .example(TEST)
                .fails(&[ErrorCode::InvalidPayload, ErrorCode::PayloadTooDeep]),
            get("/v1/indicator-mappings/{uuid}", "get_mapping", show)
                .says("Read an indicator mapping", "One mapping."),
            patch("/v1/indicator-mappings/{uuid}", "update_mapping", change)
                .says("Change an indicator mapping", "Of one that came with the product only `is_active` can be changed.")
                .example(PATCH)
                .fails(&[ErrorCode::SystemMappingReadonly, ErrorCode::DuplicateMapping]),
            delete("/v1/indicator-mappings/{uuid}", "delete_mapping", remove)
                .says("Delete an indicator mapping", "Own ones only.")
                .fails(&[ErrorCode::SystemMappingReadonly]),
        ],
    )
}

async fn list(
    State(app): State<App>,
    _: Caller<Admin>,
    query: Query<Mappings>,
) -> Answer<Page<MappingView>> {
    let number = query.page()?;
    let filter = MappingFilter {
        source_name: query.get("source_name").map(str::to_owned),
        is_system: query.parsed("is_system", "true or false")?,
        is_active: query.parsed("is_active", "true or false")?,
        target: query.one("extraction_target")?,
    };
    let listed = app.engine.mappings(filter, number).await?;
    Ok(Page::numbered(listed, number, &query))
}

async fn create(
    State(app): State<App>,
    caller: Human<Admin>,
    body: Json<MappingRequest>,
) -> Answer<Created<MappingView>> {
    let mapping = app.engine.create_mapping(&caller.0, body.value).await?;
    Ok(Created::noting(mapping, &body.ignored))
}

async fn plugin_fields(State(_): State<App>, _: Caller<Admin>) -> Answer<Rows<MappingView>> {
    Ok(Rows(Engine::source_plugin_fields()))
}

async fn test(
    State(app): State<App>,
    _: Caller<Admin>,
    body: Json<ExtractionTestRequest>,
) -> Answer<One<ExtractionTest>> {
    Ok(One::noting(
        app.engine.test_extraction(&body.value)?,
        &body.ignored,
    ))
}

async fn show(
    State(app): State<App>,
    _: Caller<Admin>,
    Id(id): Id<MappingId>,
) -> Answer<One<MappingView>> {
    Ok(One::new(app.engine.mapping(id).await?))
}

async fn change(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<MappingId>,
    body: Json<MappingPatch>,
) -> Answer<One<MappingView>> {
    let mapping = app.engine.patch_mapping(&caller.0, id, body.value).await?;
    Ok(One::noting(mapping, &body.ignored))
}

async fn remove(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<MappingId>,
) -> Answer<NoContent> {
    app.engine.delete_mapping(&caller.0, id).await?;
    Ok(NoContent)
}
