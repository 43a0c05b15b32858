//! Examples made from schemas: plausible, valid, and the same at every making.

use serde_json::{Map, Value, json};

/// How deep an example goes: schemas may refer to themselves.
const MAX_DEPTH: usize = 20;

/// An example of a schema.
pub(crate) fn example(schema: &Value, schemas: &Map<String, Value>) -> Value {
    made("", schema, schemas, 0)
}

fn made(name: &str, schema: &Value, schemas: &Map<String, Value>, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    if let Some(given) = schema.get("example").or_else(|| schema["examples"].get(0)) {
        return given.clone();
    }
    if let Some(named) = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    {
        return schemas
            .get(named)
            .map_or(Value::Null, |schema| made(name, schema, schemas, depth + 1));
    }
    if let Some(word) = schema["enum"].get(0) {
        return word.clone();
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return merged(name, parts, schemas, depth);
    }
    for choice in ["oneOf", "anyOf"] {
        let Some(options) = schema[choice].as_array() else {
            continue;
        };
        let some = options.iter().find(|option| option["type"] != "null");
        return some.map_or(Value::Null, |option| made(name, option, schemas, depth + 1));
    }
    match kind(schema) {
        "object" => object(schema, schemas, depth),
        "array" => json!([made(name, &schema["items"], schemas, depth + 1)]),
        "integer" => json!(schema["minimum"].as_i64().unwrap_or(1).max(1)),
        "number" => json!(0.9),
        "boolean" => json!(true),
        "string" => json!(text(name, schema)),
        _ => Value::Null,
    }
}

/// The type, of several the first that is not null.
fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => {
            let some = kinds.iter().find(|kind| **kind != "null");
            some.and_then(Value::as_str).unwrap_or_default()
        }
        _ if schema.get("properties").is_some() => "object",
        _ => "",
    }
}

fn object(schema: &Value, schemas: &Map<String, Value>, depth: usize) -> Value {
    let mut all = Map::new();
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            if name != "ignored_fields" && name != "ignored_parameters" {
                all.insert(name.clone(), made(name, property, schemas, depth + 1));
            }
        }
    }
    Value::Object(all)
}

fn merged(name: &str, parts: &[Value], schemas: &Map<String, Value>, depth: usize) -> Value {
    let mut all = Map::new();
    for part in parts {
        if let Value::Object(fields) = made(name, part, schemas, depth + 1) {
            all.extend(fields);
        }
    }
    Value::Object(all)
}

fn text(name: &str, schema: &Value) -> String {
    let by_format = match schema["format"].as_str() {
        Some("uuid") => Some("01890a5d-ac96-774b-bcce-b302099a8057"),
        Some("date-time") => Some("2025-01-15T10:28:00Z"),
        Some("date") => Some("2025-01-15"),
        Some("uri") => Some("http://127.0.0.1:9000/webhook"),
        _ => None,
    };
    let by_name = || match name {
        "title" | "alert_title" => "Impossible travel",
        "source_name" | "alert_source" => "generic",
        "key_prefix" | "actor_key_prefix" => "cai_Zm9vYmFy",
        "webhook_url" | "endpoint_url" | "base_url" => "http://127.0.0.1:9000/webhook",
        "webhook_id" => "msg_01890a5dac96774bbcceb302099a8057",
        "body_sha256" | "fingerprint" => {
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        }
        "version" => "0.1.0",
        _ => "text",
    };
    by_format.unwrap_or_else(by_name).to_owned()
}
