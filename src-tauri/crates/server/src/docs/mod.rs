//! The pages of `/docs`, rendered on the server from the same table as the router: no script, no
//! inline style, nothing from a network, so that they work under a policy that allows only one
//! stylesheet.
//!
//! Pages are made once, at their first reading. `noun` renders a page per noun, `schema` the tables
//! of fields, `topics` what is true of all routes, `html` escapes.

mod html;
mod noun;
mod schema;
#[cfg(test)]
mod tests;
mod topics;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::openapi;
use crate::operation::{Facts, Noun, Operation, Schemas};
use crate::routes;

/// The pages' policy.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// The media types of pages.
pub(crate) const KINDS: &[&str] = &["text/html", "text/plain", "text/css"];

/// The contract that agents are written against.
const AGENT_WEBHOOKS: &str = include_str!("../../../../../docs/agent-webhooks.txt");
const STYLE: &str = include_str!("style.css");

/// A page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) kind: &'static str,
    pub(crate) text: &'static str,
}

/// What the pages are made from.
#[derive(Debug)]
struct Source {
    operations: Vec<(Operation, Facts)>,
    schemas: Map<String, Value>,
}

static PAGES: LazyLock<BTreeMap<String, (&'static str, String)>> = LazyLock::new(made);

/// The page of a name, if there is one.
pub(crate) fn page(name: &str) -> Option<Page> {
    PAGES.get(name).map(|(kind, text)| Page { kind, text })
}

fn source() -> Source {
    let mut collected = Schemas::default();
    let operations = routes::table()
        .into_iter()
        .map(|operation| {
            let facts = (operation.facts)(&mut collected);
            (operation, facts)
        })
        .collect();
    let document = openapi::document();
    let schemas = document
        .pointer("/components/schemas")
        .and_then(Value::as_object);
    Source {
        operations,
        schemas: schemas.cloned().unwrap_or_default(),
    }
}

fn made() -> BTreeMap<String, (&'static str, String)> {
    let source = source();
    let mut pages = BTreeMap::new();
    pages.insert("index".to_owned(), (HTML, topics::index(&source)));
    pages.insert("conventions".to_owned(), (HTML, topics::conventions()));
    pages.insert("errors".to_owned(), (HTML, topics::errors()));
    pages.insert("limits".to_owned(), (HTML, topics::limits()));
    pages.insert("events-and-types".to_owned(), (HTML, topics::events()));
    for noun in Noun::ALL {
        if let Some(text) = noun::page(&source, *noun) {
            pages.insert(noun.slug().to_owned(), (HTML, text));
        }
    }
    pages.insert("style.css".to_owned(), (CSS, STYLE.to_owned()));
    pages.insert(
        "agent-webhooks.txt".to_owned(),
        (PLAIN, AGENT_WEBHOOKS.to_owned()),
    );
    pages
}
