//! One operation of the document.

use serde_json::{Map, Value, json};

use super::examples::example;
use super::failures;
use crate::limits::Class;
use crate::operation::{
    BodyFacts, Content, Facts, Needs, Operation, Parameter, ReplyFacts, path_parameter,
};

/// What the document says of it.
pub(super) fn said(operation: &Operation, facts: &Facts, schemas: &Map<String, Value>) -> Value {
    let mut said = json!({
        "operationId": operation.id,
        "tags": [operation.noun.slug()],
        "summary": operation.summary,
        "description": description(operation, facts),
    });
    let parameters = parameters(operation, facts);
    if !parameters.is_empty() {
        said["parameters"] = json!(parameters);
    }
    if let Some(body) = &facts.body {
        said["requestBody"] = request_body(operation, body, schemas);
    }
    said["responses"] = responses(operation, facts, schemas);
    said["security"] = match facts.needs {
        Needs::Nothing => json!([]),
        Needs::AnyKey | Needs::Scope(_) => json!([{"api_key": []}]),
        Needs::Analyst => json!([{"session": []}]),
    };
    if let Needs::Scope(scope) = facts.needs {
        said["x-required-scope"] = json!(scope.as_str());
    }
    said["x-human-only"] = json!(facts.human_only);
    if let Some(class) = facts.class {
        said["x-rate-limit"] = json!(class_name(class));
    }
    said
}

/// The name of a rate class.
pub(crate) const fn class_name(class: Class) -> &'static str {
    match class {
        Class::Ingest => "ingest",
        Class::Other => "other",
        Class::Enrichment => "enrichment",
    }
}

/// Who may call it, as a sentence.
pub(crate) fn who(facts: &Facts) -> String {
    let scope = match facts.needs {
        Needs::Nothing => return "No key is needed.".to_owned(),
        Needs::Analyst => return "For the window only; no API key opens it.".to_owned(),
        Needs::AnyKey => "Any key.".to_owned(),
        Needs::Scope(scope) => format!("Scope `{scope}`."),
    };
    if facts.human_only {
        format!("{scope} A human's key only.")
    } else {
        scope
    }
}

fn description(operation: &Operation, facts: &Facts) -> String {
    format!("{}\n\n{}", operation.description, who(facts))
}

fn parameters(operation: &Operation, facts: &Facts) -> Vec<Value> {
    let path = operation
        .path_names()
        .map(|name| (path_parameter(name), "path"));
    let query = facts.query.iter().map(|parameter| (*parameter, "query"));
    let headers = operation.headers.iter().map(|header| (*header, "header"));
    path.chain(query)
        .chain(headers)
        .map(|(parameter, place)| one(parameter, place))
        .collect()
}

fn one(parameter: Parameter, place: &str) -> Value {
    let mut said = json!({
        "name": parameter.name,
        "in": place,
        "required": place == "path" || parameter.is_required,
        "description": parameter.text,
        "schema": parameter.kind.schema(),
    });
    if parameter.kind.has_commas() {
        said["style"] = json!("form");
        said["explode"] = json!(false);
    }
    said
}

fn request_body(operation: &Operation, body: &BodyFacts, schemas: &Map<String, Value>) -> Value {
    let mut content = Map::new();
    for (kind, schema) in &body.content {
        let given = operation.example.filter(|_| *kind == "application/json");
        let shown = given
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_else(|| example(schema, schemas));
        content.insert(
            (*kind).to_owned(),
            json!({"schema": schema, "example": shown}),
        );
    }
    json!({"required": body.is_required, "content": content})
}

fn responses(operation: &Operation, facts: &Facts, schemas: &Map<String, Value>) -> Value {
    let mut all: Vec<(u16, Value)> = facts
        .replies
        .iter()
        .map(|reply| (reply.status, success(reply, facts, schemas)))
        .collect();
    for (status, codes) in failures(operation, facts) {
        if all.iter().all(|(taken, _)| *taken != status) {
            let codes: Vec<_> = codes.into_iter().collect();
            all.push((status, failure(status, &codes)));
        }
    }
    all.sort_by_key(|(status, _)| *status);
    let named = all
        .into_iter()
        .map(|(status, said)| (status.to_string(), said));
    Value::Object(named.collect())
}

fn success(reply: &ReplyFacts, facts: &Facts, schemas: &Map<String, Value>) -> Value {
    let mut said = json!({"description": reply.text});
    let mut headers = Map::new();
    if facts.class.is_some() {
        for (name, text) in RATE_HEADERS {
            headers.insert((*name).to_owned(), header(text, "integer"));
        }
    }
    headers.insert(
        "X-Request-ID".to_owned(),
        header("The request's id, as given or made.", "string"),
    );
    said["headers"] = Value::Object(headers);
    let json_content =
        |schema: &Value| json!({"schema": schema, "example": example(schema, schemas)});
    match &reply.content {
        Content::Empty => {}
        Content::Json(schema) => said["content"]["application/json"] = json_content(schema),
        Content::JsonOrStream(schema) => {
            said["content"]["application/json"] = json_content(schema);
            said["content"]["text/event-stream"] = json!({"schema": {"type": "string"}});
        }
        Content::Text(kinds) => {
            for kind in *kinds {
                said["content"][*kind] = json!({"schema": {"type": "string"}});
            }
        }
    }
    said
}

/// The headers of every answer that is counted against a limit; absent when it is off.
const RATE_HEADERS: &[(&str, &str)] = &[
    ("X-RateLimit-Limit", "Requests that fit at once."),
    ("X-RateLimit-Remaining", "Requests that fit now."),
    ("X-RateLimit-Reset", "Seconds until all fit again."),
];

fn header(text: &str, kind: &str) -> Value {
    json!({"description": text, "schema": {"type": kind}})
}

fn failure(status: u16, codes: &[&str]) -> Value {
    let mut said = json!({
        "description": codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", "),
        "content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/ErrorBody"},
            "example": {"error": {
                "code": codes.first(),
                "message": "What is wrong, and what to do about it.",
                "details": {},
            }},
        }},
    });
    if status == 429 || status == 503 {
        said["headers"] = json!({
            "Retry-After": header("Seconds after which another try is worth it.", "integer"),
        });
    }
    said
}
