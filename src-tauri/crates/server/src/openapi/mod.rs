//! The OpenAPI 3.1 document, made from the table of operations.
//!
//! Its bytes are the same at every making, so that the copy at the repository's root can be
//! compared with it. `operation` says one operation, `failures` which errors it may answer with,
//! `examples` makes an example of every answer from its schema.

mod examples;
mod failures;
mod operation;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use calseta_contract::ErrorBody;
use calseta_domain::ErrorCode;
use calseta_engine::Engine;
use serde_json::{Map, Value, json};

pub(crate) use examples::example;
pub(crate) use failures::failures;
pub(crate) use operation::{class_name, who};

use crate::operation::{Noun, Operation, Schemas};
use crate::routes;

/// What the document says about the API as a whole.
const TEXT: &str = "The API of Calseta Console. It listens on this machine only.\n\n\
    Every request but a few carries `Authorization: Bearer cai_…`; a key's scopes say what it may \
    do, and write does not imply read. Objects come as `{data, meta}`, lists with `total`, `page`, \
    `page_size` and `total_pages` in `meta`, errors as `{error: {code, message, details}}`. In a \
    PATCH an absent field keeps its value and `null` clears it. Unknown fields of a body are named \
    in `meta.ignored_fields`, unknown parameters of a list in `meta.ignored_parameters`.";

/// How a key is sent.
const KEY_TEXT: &str = "An API key, `cai_…`. Make one with `POST /v1/api-keys`, in the window, or with \
    `calseta keys create`.";

static TEXT_OF_DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut text = serde_json::to_string_pretty(&document()).expect("a document is plain JSON");
    text.push('\n');
    text
});

/// The document as it is served and checked in.
pub fn openapi() -> &'static str {
    &TEXT_OF_DOCUMENT
}

/// The document.
pub(crate) fn document() -> Value {
    let table = routes::table();
    let mut schemas = Schemas::default();
    schemas.of::<ErrorBody>();
    let mut operations: Vec<_> = table
        .iter()
        .map(|operation| (operation, (operation.facts)(&mut schemas)))
        .collect();
    operations.sort_by_key(|(operation, _)| (operation.path, operation.method.to_string()));
    let mut schemas: Map<String, Value> = schemas.into_inner().into_iter().collect();
    name_the_codes(&mut schemas);
    let mut paths: Map<String, Value> = Map::new();
    for (operation, facts) in &operations {
        let method = operation.method.as_str().to_ascii_lowercase();
        let said = operation::said(operation, facts, &schemas);
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[method] = said;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Calseta Console",
            "version": Engine::version(),
            "description": TEXT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:8000", "description": "This machine"}],
        "tags": tags(&table),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "api_key": {"type": "http", "scheme": "bearer", "description": KEY_TEXT},
                "session": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The bearer of a browser's session, from `POST /ui/session`.",
                },
            },
        },
    })
}

fn tags(table: &[Operation]) -> Vec<Value> {
    let used = |noun: &&Noun| table.iter().any(|operation| operation.noun == **noun);
    let said = |noun: &Noun| json!({"name": noun.slug(), "description": noun.text()});
    Noun::ALL.iter().filter(used).map(said).collect()
}

/// A client branches on codes: the document lists them all.
fn name_the_codes(schemas: &mut Map<String, Value>) {
    let code = schemas
        .get_mut("ErrorObject")
        .and_then(|object| object.pointer_mut("/properties/code"));
    if let Some(code) = code {
        code["enum"] = json!(ErrorCode::WORDS);
    }
}
