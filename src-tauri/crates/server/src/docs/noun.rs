//! A page per noun: every route with its scope, parameters, body, answers, errors and a command.

use std::fmt::Write as _;

use http::Method;
use serde_json::Value;

use super::Source;
use super::html::{code, escape, frame, prose, table};
use super::schema::{fields, type_name};
use crate::openapi::{class_name, example, failures, who};
use crate::operation::{
    Content, Facts, Kind, Needs, Noun, Operation, Parameter, ReplyFacts, path_parameter,
};

/// The page of a noun; `None` when no route is about it.
pub(super) fn page(source: &Source, noun: Noun) -> Option<String> {
    let ours: Vec<_> = source
        .operations
        .iter()
        .filter(|(operation, _)| operation.noun == noun)
        .collect();
    if ours.is_empty() {
        return None;
    }
    let mut body = format!(
        "<p class=\"lead\">{}</p>\n<ul class=\"routes\">",
        prose(noun.text())
    );
    for (operation, _) in &ours {
        let (id, route) = (operation.id, title(operation));
        writeln!(
            body,
            "<li><a href=\"#{id}\">{route}</a> {}</li>",
            escape(operation.summary)
        )
        .expect("writing to a String cannot fail");
    }
    body.push_str("</ul>\n");
    for (operation, facts) in ours {
        body.push_str(&section(source, operation, facts));
    }
    Some(frame(noun.slug(), noun.title(), &body))
}

/// Method and path.
pub(super) fn title(operation: &Operation) -> String {
    let method = operation.method.as_str();
    let (class, path) = (method.to_ascii_lowercase(), escape(operation.path));
    format!("<span class=\"method {class}\">{method}</span> <code>{path}</code>")
}

fn section(source: &Source, operation: &Operation, facts: &Facts) -> String {
    let mut html = format!(
        "<section id=\"{}\"><h2>{}</h2>\n<p class=\"summary\">{}</p>\n<p>{}</p>\n<p class=\"who\">{}{}</p>\n",
        operation.id,
        title(operation),
        escape(operation.summary),
        prose(operation.description),
        prose(&who(facts)),
        facts
            .class
            .map(|class| format!(
                " Rate class <a href=\"/docs/limits\">{}</a>.",
                class_name(class)
            ))
            .unwrap_or_default(),
    );
    html.push_str(&parameters(operation, facts));
    if let Some(body) = &facts.body {
        html.push_str("<h3>Body</h3>\n");
        for (kind, schema) in &body.content {
            let shown = escape(kind);
            write!(
                html,
                "<p><code>{shown}</code> {}</p>\n{}",
                escape(&type_name(schema)),
                fields(schema, &source.schemas)
            )
            .expect("writing to a String cannot fail");
        }
    }
    for reply in &facts.replies {
        html.push_str(&answer(source, reply));
    }
    html.push_str(&errors(operation, facts));
    write!(
        html,
        "<h3>Try it</h3>\n{}</section>\n",
        code(&command(operation, facts))
    )
    .expect("writing to a String cannot fail");
    html
}

fn parameters(operation: &Operation, facts: &Facts) -> String {
    let path = operation
        .path_names()
        .map(|name| (path_parameter(name), "path"));
    let query = facts.query.iter().map(|parameter| (*parameter, "query"));
    let headers = operation.headers.iter().map(|header| (*header, "header"));
    let rows: Vec<_> = path
        .chain(query)
        .chain(headers)
        .map(|(parameter, place)| row(parameter, place))
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<h3>Parameters</h3>\n{}",
        table(&["Name", "In", "Value", "Meaning"], &rows)
    )
}

fn row(parameter: Parameter, place: &str) -> Vec<String> {
    let words = |words: &[&str]| {
        let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
        words.join(", ")
    };
    let value = match parameter.kind {
        Kind::Text => "text".to_owned(),
        Kind::ShortText(max) => format!("text, at most {max} characters"),
        Kind::Word(all) => format!("one of {}", words(all)),
        Kind::Words(all) => format!("some of {}, with commas", words(all)),
        Kind::Texts => "texts, with commas".to_owned(),
        Kind::Repeated => "text, repeatable".to_owned(),
        Kind::Uuid => "uuid".to_owned(),
        Kind::Time => "time (RFC 3339)".to_owned(),
        Kind::Bool => "`true` or `false`".to_owned(),
        Kind::Number { default, min, max } => {
            let default = default
                .map(|n| format!(", by default {n}"))
                .unwrap_or_default();
            format!("number from {min} to {max}{default}")
        }
    };
    let must = if parameter.is_required {
        " (required)"
    } else {
        ""
    };
    let name = format!("<code>{}</code>{must}", escape(parameter.name));
    vec![name, place.to_owned(), prose(&value), prose(parameter.text)]
}

fn answer(source: &Source, reply: &ReplyFacts) -> String {
    let mut html = format!(
        "<h3>Answer {}</h3>\n<p>{}</p>\n",
        reply.status,
        prose(reply.text)
    );
    let shape = |schema: &Value| {
        let shown = example(schema, &source.schemas);
        let shown = serde_json::to_string_pretty(&shown).unwrap_or_default();
        format!(
            "{}<details><summary>Example</summary>{}</details>\n",
            fields(schema, &source.schemas),
            code(&shown)
        )
    };
    match &reply.content {
        Content::Empty => {}
        Content::Json(schema) => html.push_str(&shape(schema)),
        Content::JsonOrStream(schema) => {
            html.push_str("<p>As JSON, or as <code>text/event-stream</code>.</p>\n");
            html.push_str(&shape(schema));
        }
        Content::Text(kinds) => {
            let kinds: Vec<_> = kinds
                .iter()
                .map(|kind| format!("<code>{kind}</code>"))
                .collect();
            writeln!(html, "<p>{}</p>", kinds.join(", ")).expect("writing to a String cannot fail");
        }
    }
    html
}

fn errors(operation: &Operation, facts: &Facts) -> String {
    let rows: Vec<_> = failures(operation, facts)
        .into_iter()
        .map(|(status, codes)| {
            let links: Vec<_> = codes
                .into_iter()
                .map(|code| format!("<a href=\"/docs/errors#{code}\"><code>{code}</code></a>"))
                .collect();
            vec![status.to_string(), links.join(" ")]
        })
        .collect();
    format!(
        "<details><summary>Errors</summary>{}</details>\n",
        table(&["Status", "Code"], &rows)
    )
}

fn command(operation: &Operation, facts: &Facts) -> String {
    let mut path = operation.path.to_owned();
    for name in operation.path_names() {
        let value = match name {
            "source" => "generic",
            "page" => "alerts",
            "version" => "1",
            _ => "01890a5d-ac96-774b-bcce-b302099a8057",
        };
        path = path.replace(&format!("{{{name}}}"), value);
    }
    let method = if operation.method == Method::GET {
        String::new()
    } else {
        format!(" -X {}", operation.method)
    };
    let key = match facts.needs {
        Needs::Nothing => "",
        Needs::AnyKey | Needs::Scope(_) => " \\\n  -H \"Authorization: Bearer $CALSETA_KEY\"",
        Needs::Analyst => " \\\n  -H \"Authorization: Bearer $SESSION\"",
    };
    let body = operation.example.map_or_else(String::new, |body| {
        // A quote inside single quotes of a shell.
        let body = body.replace('\'', "'\\''");
        format!(" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{body}'")
    });
    format!("curl{method} http://127.0.0.1:8000{path}{key}{body}")
}
