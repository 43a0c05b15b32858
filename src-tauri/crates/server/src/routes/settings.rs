//! `/v1/settings`.

use std::borrow::Cow;

use axum::extract::State;
use calseta_contract::settings::{ApprovalDefaults, SettingSchema, SettingsView};
use calseta_engine::Engine;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Object, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::answer::Answer;
use crate::body::Json;
use crate::caller::{Admin, App, Caller, Human};
use crate::operation::{Noun, Operation, about, get, patch};
use crate::reply::{One, Rows};

const PATCH: &str = r#"{"general":{"analyst_name":"Ada"},"ingest":{"dedup_window_hours":12}}"#;

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Settings,
        [
            get("/v1/settings", "get_settings", show)
                .says("Read the settings", "Every group with its values. `security` says where the master key is kept; it is never shown."),
            patch("/v1/settings", "update_settings", change)
                .says("Change settings", "`{group: {key: value}}`: what is absent stays, `null` goes back to the default. All of it or nothing. Limits hold at once.")
                .example(PATCH),
            get("/v1/settings/schema", "list_setting_schemas", schema)
                .says("Read what can be set", "Every setting with its type, default, range and meaning."),
            get("/v1/settings/approval-defaults", "get_approval_defaults", approval_defaults)
                .says("Read the approvals' defaults", "As v1.1.0 answers."),
        ],
    )
}

/// Body of `PATCH /v1/settings`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct SettingsPatch(Map<String, Value>);

impl ToSchema for SettingsPatch {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("SettingsPatch")
    }
}

fn kind(name: &str) -> Type {
    match name {
        "integer" | "number" => Type::Integer,
        "boolean" => Type::Boolean,
        _ => Type::String,
    }
}

/// One setting, as what it takes; `null` is the default again.
fn takes(setting: &SettingSchema) -> Object {
    let kind = kind(&setting.kind);
    let bound = |number: Option<i64>| number.filter(|_| kind == Type::Integer);
    let words = setting.allowed.clone().map(|words| {
        let mut all: Vec<Value> = words.into_iter().map(Value::from).collect();
        all.push(Value::Null);
        all
    });
    let chars = |number: Option<i64>| {
        let number = number.filter(|_| kind == Type::String)?;
        usize::try_from(number).ok()
    };
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([kind.clone(), Type::Null]))
        .description(Some(setting.text.clone()))
        .minimum(bound(setting.minimum))
        .maximum(bound(setting.maximum))
        .min_length(chars(setting.minimum))
        .max_length(chars(setting.maximum))
        .enum_values(words)
        .build()
}

impl PartialSchema for SettingsPatch {
    /// From the settings themselves: a group or key that is not there is refused.
    fn schema() -> RefOr<Schema> {
        let closed = || {
            ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(false)))
        };
        let mut groups: Vec<(String, ObjectBuilder)> = Vec::new();
        for setting in Engine::settings_schema() {
            if groups.last().is_none_or(|(name, _)| *name != setting.group) {
                groups.push((setting.group.clone(), closed()));
            }
            if let Some((_, group)) = groups.last_mut() {
                *group = std::mem::take(group).property(setting.key.clone(), takes(&setting));
            }
        }
        let whole = groups
            .into_iter()
            .fold(closed(), |whole, (name, group)| whole.property(name, group));
        whole.build().into()
    }
}

async fn show(State(app): State<App>, _: Caller<Admin>) -> Answer<One<SettingsView>> {
    Ok(One::new(app.engine.settings_view()))
}

async fn change(
    State(app): State<App>,
    caller: Human<Admin>,
    body: Json<SettingsPatch>,
) -> Answer<One<SettingsView>> {
    let settings = app.engine.patch_settings(&caller.0, &body.value.0).await?;
    Ok(One::new(settings))
}

async fn schema(State(_): State<App>, _: Caller<Admin>) -> Answer<Rows<SettingSchema>> {
    Ok(Rows(Engine::settings_schema()))
}

async fn approval_defaults(
    State(app): State<App>,
    _: Caller<Admin>,
) -> Answer<One<ApprovalDefaults>> {
    Ok(One::new(app.engine.approval_defaults()))
}
