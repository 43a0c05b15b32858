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
    let mut schema = serde_json::to_value(schema).expect("a schema is made of texts and numbers");
    say_free(&mut schema);
    schema
}

/// Says of objects without properties that they may hold anything. A schema that is silent means
/// the same, but generators of typed clients take it for an object that is always empty.
fn say_free(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let is_object = match members.get("type") {
                Some(Value::Array(types)) => types.iter().any(|kind| kind == "object"),
                Some(kind) => kind == "object",
                None => false,
            };
            if is_object && !members.contains_key("properties") {
                let any = members.entry("additionalProperties");
                any.or_insert(Value::Bool(true));
            }
            members.values_mut().for_each(say_free);
        }
        Value::Array(items) => items.iter_mut().for_each(say_free),
        _ => {}
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_that_says_nothing_of_its_members_is_said_to_be_free() {
        let mut schema = json!({
            "type": "object",
            "properties": {
                "free": {"type": ["object", "null"]},
                "typed": {"type": "object", "additionalProperties": {"type": "string"}},
                "text": {"type": "string"},
            },
        });
        say_free(&mut schema);
        assert_eq!(schema["properties"]["free"]["additionalProperties"], true);
        assert_eq!(
            schema["properties"]["typed"]["additionalProperties"],
            json!({"type": "string"})
        );
        assert_eq!(schema["additionalProperties"], Value::Null);
        assert_eq!(schema["properties"]["text"], json!({"type": "string"}));
    }
}
