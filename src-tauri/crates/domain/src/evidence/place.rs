//! Where a citation points to.

use serde_json::{Map, Value};

use super::{CitedKind, cut};
use crate::path;

/// How many names of what is there instead an answer lists.
const MAX_NAMES: usize = 8;
/// The longest path or pointer that is followed, in bytes: each level looks at what is left of it.
const MAX_PATH_BYTES: usize = 1_024;

/// A datum that is there.
#[derive(Debug)]
pub(super) struct Place<'a> {
    /// The datum.
    pub(super) value: &'a Value,
    /// What stands beside it, when it is a member of an object that was reached by its name.
    pub(super) siblings: Option<&'a Map<String, Value>>,
    /// What the datum is called in sentences.
    pub(super) name: String,
}

/// Follows pointer and path; else says in a sentence what is missing.
pub(super) fn find<'a>(
    kind: CitedKind,
    object: &'a Value,
    pointer: Option<&str>,
    path: Option<&str>,
) -> Result<Place<'a>, String> {
    let path = path.map(str::trim).unwrap_or_default();
    let pointer = match kind {
        CitedKind::RawPayload => pointer.map(str::trim).unwrap_or_default(),
        CitedKind::Indicator | CitedKind::Document | CitedKind::Alert => "",
    };
    if path.len().max(pointer.len()) > MAX_PATH_BYTES {
        return Err(format!(
            "The path is longer than {MAX_PATH_BYTES} bytes and was not followed."
        ));
    }
    let whole = if pointer.starts_with('/') {
        object.pointer(pointer)
    } else {
        path::lookup(object, pointer)
    };
    let whole = whole.ok_or_else(|| format!("The raw payload has nothing at {}.", cut(pointer)))?;
    match kind {
        CitedKind::Indicator => indicator(whole, path),
        CitedKind::Document if path.is_empty() => {
            let text = whole.get("content").unwrap_or(whole);
            Ok(place(text, None, "the document's text".to_owned()))
        }
        CitedKind::Document | CitedKind::Alert | CitedKind::RawPayload => {
            let name = match (pointer, path) {
                ("", "") => noun(kind).to_owned(),
                (pointer, "") => cut(pointer),
                ("", path) => cut(path),
                (pointer, path) => cut(&format!("{pointer} {path}")),
            };
            dotted(whole, path, name)
                .ok_or_else(|| missing(&format!("The {} has", noun(kind)), path, whole))
        }
    }
}

const fn noun(kind: CitedKind) -> &'static str {
    match kind {
        CitedKind::Indicator => "indicator",
        CitedKind::Document => "document",
        CitedKind::Alert => "alert",
        CitedKind::RawPayload => "raw payload",
    }
}

fn place<'a>(
    value: &'a Value,
    siblings: Option<&'a Map<String, Value>>,
    name: String,
) -> Place<'a> {
    Place {
        value,
        siblings,
        name,
    }
}

/// A datum and the object that it is a member of.
fn dotted<'a>(object: &'a Value, path: &str, name: String) -> Option<Place<'a>> {
    let value = path::lookup(object, path)?;
    let parent = match path.rsplit_once('.') {
        Some((parent, _)) => path::lookup(object, parent),
        None => Some(object),
    };
    // A key with a dot in it has no parent of that name.
    Some(place(value, parent.and_then(Value::as_object), name))
}

/// A field of the indicator itself, or `<provider>.<field>`.
fn indicator<'a>(object: &'a Value, path: &str) -> Result<Place<'a>, String> {
    let value = object.get("value").and_then(Value::as_str).unwrap_or("?");
    if path.is_empty() {
        let own = object.get("value").unwrap_or(object);
        return Ok(place(own, None, "the indicator's value".to_owned()));
    }
    let name = format!("{} of {}", cut(path), cut(value));
    if let Some(found) = dotted(object, path, name.clone()) {
        return Ok(found);
    }
    let path = path.strip_prefix("enrichment_results.").unwrap_or(path);
    let results = object.get("enrichment_results").and_then(Value::as_object);
    let results = results.into_iter().flatten();
    let answer = results.clone().find_map(|(provider, answer)| {
        let head = path.get(..provider.len())?;
        let rest = path.get(provider.len()..)?;
        let is_it = head.eq_ignore_ascii_case(provider);
        let field = rest
            .strip_prefix('.')
            .or_else(|| rest.is_empty().then_some(""))?;
        is_it.then_some((provider, answer, field))
    });
    let Some((provider, answer, field)) = answer else {
        let providers = names(results.map(|(provider, _)| provider.as_str()));
        return Err(format!(
            "{} has neither a field nor a provider's answer at {}{}",
            cut(value),
            cut(path),
            if providers.is_empty() {
                "; no provider has answered.".to_owned()
            } else {
                format!("; there are answers of {providers}.")
            }
        ));
    };
    let extracted = answer.get("extracted").unwrap_or(&Value::Null);
    // What the provider said comes before what we noted about its answer.
    let in_extracted = (!field.is_empty()).then(|| dotted(extracted, field, name.clone()));
    let found = in_extracted
        .flatten()
        .or_else(|| dotted(answer, field, name));
    found.ok_or_else(|| {
        if answer.get("success") == Some(&Value::Bool(false)) {
            let why = answer.get("error").and_then(Value::as_str);
            let why = why.map(|why| format!(": {}", cut(why))).unwrap_or_default();
            return format!("{} gave no answer for {}{why}.", cut(provider), cut(value));
        }
        missing(
            &format!("The answer of {} has", cut(provider)),
            field,
            extracted,
        )
    })
}

fn missing(who: &str, path: &str, object: &Value) -> String {
    let members = object.as_object().into_iter().flat_map(Map::keys);
    let there = names(members.map(String::as_str));
    let there = match there.as_str() {
        "" => String::new(),
        there => format!("; there are {there}"),
    };
    format!("{who} nothing at {}{there}.", cut(path))
}

fn names<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let mut all = all;
    let mut listed: Vec<String> = all.by_ref().take(MAX_NAMES).map(cut).collect();
    if all.next().is_some() {
        listed.push("…".to_owned());
    }
    listed.join(", ")
}
