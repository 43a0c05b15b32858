//! Schemas as tables of fields.

use serde_json::{Map, Value};

use super::html::{escape, prose, table};

/// How deep the fields of fields are shown; deeper ones are named by their type.
const MAX_DEPTH: usize = 3;

/// The type of a schema in a few words.
pub(super) fn type_name(schema: &Value) -> String {
    if let Some(path) = schema["$ref"].as_str() {
        return path.rsplit('/').next().unwrap_or_default().to_owned();
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        if let Some(options) = schema[choice].as_array() {
            let names: Vec<_> = options.iter().map(type_name).collect();
            return names.join(if choice == "allOf" { " & " } else { " | " });
        }
    }
    let name = match &schema["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            let kinds: Vec<_> = kinds.iter().filter_map(Value::as_str).collect();
            kinds.join(" | ")
        }
        _ => "anything".to_owned(),
    };
    if name.starts_with("array") {
        return name.replacen("array", &format!("[{}]", type_name(&schema["items"])), 1);
    }
    match schema["format"].as_str() {
        Some(format) => format!("{name} ({format})"),
        None => name,
    }
}

/// What a value may be, where that is a short list or a range.
fn bounds(schema: &Value) -> String {
    let mut said = Vec::new();
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<_> = words
            .iter()
            .filter_map(Value::as_str)
            .map(|w| format!("`{w}`"))
            .collect();
        said.push(format!("One of {}.", words.join(", ")));
    }
    for (name, text) in [
        ("minimum", "at least"),
        ("maximum", "at most"),
        ("minLength", "characters, at least"),
        ("maxLength", "characters, at most"),
        ("minItems", "entries, at least"),
        ("maxItems", "entries, at most"),
        ("default", "by default"),
    ] {
        if let Some(value) = schema.get(name) {
            said.push(format!("{text} {value}"));
        }
    }
    said.join(" · ")
}

/// The fields of a schema, those of its parts indented.
pub(super) fn fields(schema: &Value, schemas: &Map<String, Value>) -> String {
    let mut rows = Vec::new();
    collect("", schema, schemas, 0, &mut rows);
    if rows.is_empty() {
        return format!("<p>{}</p>", escape(&type_name(schema)));
    }
    table(&["Field", "Type", "Meaning"], &rows)
}

/// The named schema behind a reference, the entries behind a list, the object behind a choice.
fn resolved<'a>(schema: &'a Value, schemas: &'a Map<String, Value>) -> &'a Value {
    let mut schema = schema;
    for _ in 0..MAX_DEPTH * 2 {
        if let Some(path) = schema["$ref"].as_str() {
            let name = path.rsplit('/').next().unwrap_or_default();
            let Some(found) = schemas.get(name) else {
                break;
            };
            schema = found;
        } else if schema.get("items").is_some() {
            schema = &schema["items"];
        } else if let Some(options) = schema["oneOf"].as_array() {
            let Some(some) = options.iter().find(|option| option["type"] != "null") else {
                break;
            };
            schema = some;
        } else {
            break;
        }
    }
    schema
}

fn collect(
    prefix: &str,
    schema: &Value,
    schemas: &Map<String, Value>,
    depth: usize,
    rows: &mut Vec<Vec<String>>,
) {
    let schema = resolved(schema, schemas);
    for part in schema["allOf"].as_array().into_iter().flatten() {
        collect(prefix, part, schemas, depth, rows);
    }
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    let required: Vec<_> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    for (name, property) in properties {
        let path = format!("{prefix}{name}");
        let inner = resolved(property, schemas);
        let mark = if required.iter().any(|known| *known == name) {
            ""
        } else {
            " <span class=\"may\">may be absent</span>"
        };
        let text = property["description"]
            .as_str()
            .or_else(|| inner["description"].as_str());
        let text = format!(
            "{} {}",
            prose(text.unwrap_or_default()),
            prose(&bounds(inner))
        );
        rows.push(vec![
            format!("<code>{}</code>{mark}", escape(&path)),
            escape(&type_name(property)),
            text,
        ]);
        if depth < MAX_DEPTH {
            let is_list = type_name(property).starts_with('[');
            let next = format!("{path}{}.", if is_list { "[]" } else { "" });
            collect(&next, property, schemas, depth + 1, rows);
        }
    }
}
