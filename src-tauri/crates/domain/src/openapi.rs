//! The OpenAPI schemas of the types whose spelling on the wire is not what a derive would see:
//! ids and times, which are texts with a format, and closed sets of words, which the `words!`
//! macro declares.

use std::borrow::Cow;

use utoipa::openapi::schema::{KnownFormat, Object, Schema, SchemaFormat, Type};
use utoipa::openapi::{ObjectBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::{
    AgentId, AlertId, ApiKeyId, ChangeId, DeliveryId, DetectionRuleId, DocumentId, ExtractionId,
    FindingId, IndicatorId, JobId, MappingId, NoteId, ProviderId, RejectId, SourceId,
    SuppressionId, Timestamp, ViewId,
};

fn text(format: KnownFormat, description: &str, example: &str) -> RefOr<Schema> {
    let object: Object = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(format)))
        .description(Some(description))
        .examples([example])
        .build();
    object.into()
}

/// The schema of a closed set of words: a string enum, described by the lines of its doc comment.
pub(crate) fn words(doc: &[&str], words: &'static [&'static str]) -> RefOr<Schema> {
    let lines: Vec<&str> = doc.iter().map(|line| line.trim()).collect();
    let object: Object = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(lines.join(" ")))
        .enum_values(Some(words.iter().copied()))
        .build();
    object.into()
}

macro_rules! id_schemas {
    ($($name:ident => $description:literal),+ $(,)?) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                text(KnownFormat::Uuid, $description, "01890a5d-ac96-774b-bcce-b302099a8057")
            }
        }
        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )+};
}

id_schemas! {
    AlertId => "Id of an alert (UUIDv7)",
    IndicatorId => "Id of an indicator (UUIDv7), shared by all alerts that name it",
    DetectionRuleId => "Id of a detection rule (UUIDv7)",
    DocumentId => "Id of a context document (UUIDv7)",
    ProviderId => "Id of an enrichment provider (UUIDv7)",
    AgentId => "Id of a registered agent (UUIDv7)",
    DeliveryId => "Id of one delivery of one alert to one agent (UUIDv7)",
    FindingId => "Id of a finding (UUIDv7)",
    JobId => "Id of a job in quarantine (UUIDv7)",
    ApiKeyId => "Id of an API key (UUIDv7), never the key itself",
    SourceId => "Id of an alert source (UUIDv7)",
    RejectId => "Id of a refused payload that was kept (UUIDv7)",
    ViewId => "Id of a saved view of the queue (UUIDv7)",
    MappingId => "Id of an indicator field mapping (UUIDv7)",
    ExtractionId => "Id of a field extraction rule (UUIDv7)",
    NoteId => "Id of a note on an alert (UUIDv7)",
    ChangeId => "Id of a change that can be undone (UUIDv7)",
    SuppressionId => "Id of a suppression (UUIDv7)",
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        text(
            KnownFormat::DateTime,
            "A point in time, RFC 3339 in UTC; milliseconds are written only when not zero",
            "2025-01-15T10:28:00Z",
        )
    }
}

impl ToSchema for Timestamp {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Timestamp")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{FieldError, Scope, Severity};

    fn schema<T: PartialSchema>() -> Value {
        serde_json::to_value(T::schema()).expect("a schema is JSON")
    }

    #[test]
    fn words_list_exactly_the_words_of_the_wire() {
        assert_eq!(schema::<Severity>()["enum"], json!(Severity::WORDS));
        assert_eq!(schema::<Scope>()["enum"], json!(Scope::WORDS));
        assert_eq!(schema::<Scope>()["type"], "string");
        assert_eq!(Severity::name(), "Severity");
        let text = schema::<Severity>()["description"].to_string();
        assert!(
            text.contains("sender"),
            "the doc comment describes it: {text}"
        );
    }

    #[test]
    fn ids_and_times_are_texts_with_a_format() {
        assert_eq!(schema::<AlertId>()["format"], "uuid");
        assert_eq!(schema::<Timestamp>()["format"], "date-time");
        assert_eq!(schema::<Timestamp>()["type"], "string");
        assert_eq!(AlertId::name(), "AlertId");
    }

    #[test]
    fn a_field_error_requires_what_is_always_sent() {
        assert_eq!(
            schema::<FieldError>()["required"],
            json!(["path", "message"])
        );
    }
}
