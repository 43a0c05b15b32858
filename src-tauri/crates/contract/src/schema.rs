//! Schemas of requests' texts that only the engine judges: what it takes is said here, so that the
//! OpenAPI document promises neither more nor less.
//!
//! The types are names for the document; no value of one exists. A fuzzer that asks for everything
//! the document allows holds them against the engine.

use std::borrow::Cow;

use utoipa::openapi::schema::{KnownFormat, OneOf, Schema, SchemaFormat, Type};
use utoipa::openapi::{ObjectBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// The longest tag, in characters.
const TAG_MAX: usize = 100;
/// The longest credential of a provider, in characters.
const CREDENTIAL_MAX: usize = 4_096;
/// The longest sentence in a finding's lists, in characters.
const SENTENCE_MAX: usize = 5_000;

/// A text without control characters that is more than white space.
const ONE_LINE: &str = r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$";

fn one_of(description: &str, words: &'static [&'static str]) -> RefOr<Schema> {
    let object = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(words.iter().copied()))
        .build();
    object.into()
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
}

macro_rules! schemas {
    ($($(#[doc = $doc:literal])+ $name:ident => $schema:expr;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )+};
}

schemas! {
    /// A tag of an alert.
    Tag => text("A tag; white space around it is dropped")
        .min_length(Some(1))
        .max_length(Some(TAG_MAX))
        .pattern(Some(r"\S"))
        .build()
        .into();
    /// One entry of a finding's lists.
    Sentence => text("A sentence for people").max_length(Some(SENTENCE_MAX)).build().into();
    /// A credential of a provider.
    Credential => text("A credential: written, never read")
        .min_length(Some(1))
        .max_length(Some(CREDENTIAL_MAX))
        .pattern(Some(ONE_LINE))
        .build()
        .into();
    /// The id of a workflow.
    WorkflowUuid => text("Id of a workflow")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
        .build()
        .into();
    /// An agent's verdict.
    Verdict => one_of(
        "What an agent takes the alert for",
        &["malicious", "suspicious", "benign", "inconclusive"],
    );
    /// A confidence, also in v1.1.0's words.
    Confidence => confidence();
    /// What a context document is.
    DocumentType => one_of(
        "What a context document is",
        &["runbook", "ir_plan", "sop", "playbook", "detection_guide", "other"],
    );
    /// What a granted address speaks.
    GrantScheme => one_of("What is spoken to a granted address", &["http", "https"]);
    /// Whom an address is granted to.
    Audience => one_of("Whom an address is granted to", &["agent", "provider", "workflow"]);
    /// How a provider is asked.
    ProviderMode => one_of(
        "Whether a provider is asked, answered from canned data, or neither",
        &["live", "mock", "off"],
    );
    /// How a provider's requests are authenticated.
    ProviderAuth => one_of(
        "How a provider's requests are authenticated",
        &[
            "no_auth",
            "api_key",
            "api_token",
            "bearer_token",
            "basic_auth",
            "oauth2_client_credentials",
        ],
    );
    /// What a delivery is sent again with.
    RedeliverMode => one_of(
        "The same bytes under the same id, or what is known now under a new one",
        &["as_sent", "current"],
    );
    /// The type of an extracted field.
    ExtractedType => one_of(
        "What an extracted field is read as",
        &["string", "int", "float", "number", "bool", "list", "dict", "any"],
    );
    /// What is done to many alerts at once.
    BulkKind => one_of(
        "What is done to the alerts",
        &[
            "status", "close", "severity", "tags", "note", "snooze", "flags", "dispatch", "enrich",
            "suppress", "delete",
        ],
    );
    /// What the analyst says of a finding.
    ReviewDecision => one_of("Whether the analyst agrees", &["accept", "disagree"]);
    /// Why the analyst disagrees.
    ReviewReason => one_of(
        "Why the analyst disagrees; with `disagree` it is needed",
        &[
            "wrong_verdict", "wrong_fact", "missing_evidence", "bad_action", "out_of_scope", "other",
        ],
    );
    /// How close the queue's rows are.
    Density => one_of("How close the rows are", &["compact", "cosy", "comfortable"]);
}

fn confidence() -> RefOr<Schema> {
    let number = ObjectBuilder::new()
        .schema_type(Type::Number)
        .minimum(Some(0.0))
        .maximum(Some(1.0));
    let mut either = OneOf::new();
    either.description = Some("A confidence: a number, or v1.1.0's word".to_owned());
    either.items.push(number.build().into());
    either
        .items
        .push(one_of("v1.1.0's word", &["low", "medium", "high"]));
    Schema::OneOf(either).into()
}
