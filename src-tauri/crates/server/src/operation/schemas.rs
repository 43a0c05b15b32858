//! The named schemas of the document, collected while the table is read.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

/// Schemas by name.
#[derive(Debug, Default)]
pub(crate) struct Schemas(BTreeMap<String, Value>);

/// A reference to a named schema.
pub(crate) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn as_json(schema: &RefOr<Schema>) -> Value {
    serde_json::to_value(schema).expect("a schema is made of texts and numbers")
}

impl Schemas {
    /// A reference to a type's schema, which is kept with those it refers to.
    pub(crate) fn of<T: ToSchema>(&mut self) -> Value {
        let name = T::name();
        if !self.0.contains_key(&*name) {
            let mut found = vec![(name.to_string(), T::schema())];
            T::schemas(&mut found);
            for (name, schema) in found {
                self.0.entry(name).or_insert_with(|| as_json(&schema));
            }
        }
        reference(&name)
    }

    /// A schema made up from others, kept under a name.
    pub(crate) fn named(&mut self, name: String, make: impl FnOnce(&mut Self) -> Value) -> Value {
        let reference = reference(&name);
        if !self.0.contains_key(&name) {
            let schema = make(self);
            self.0.insert(name, schema);
        }
        reference
    }

    /// All of them, by name in alphabetical order.
    pub(crate) fn into_inner(self) -> BTreeMap<String, Value> {
        self.0
    }
}
