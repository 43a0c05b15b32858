//! Reads the contract page: its commands and its payload, exactly as printed.

use calseta_tests::world::repository_text;
use serde_json::Value;

/// The page.
pub(crate) fn text() -> String {
    repository_text("docs/agent-webhooks.txt")
}

/// The commands in the page's order, each on one logical line: `\` at a line's end is joined, and
/// a quoted text keeps its line breaks.
pub(crate) fn commands() -> Vec<String> {
    let page = text();
    let mut lines = page.lines();
    let mut commands = Vec::new();
    while let Some(line) = lines.find(|line| line.starts_with("curl ")) {
        let mut command = String::new();
        let mut line = line;
        loop {
            let continued = line.strip_suffix('\\');
            command.push_str(continued.unwrap_or(line));
            let quote_open = command.matches('\'').count() % 2 == 1;
            if continued.is_none() && !quote_open {
                break;
            }
            command.push_str(if quote_open { "\n" } else { " " });
            line = lines.next().expect("a command ends before the page does");
        }
        commands.push(command);
    }
    commands
}

/// The payload that the page prints, keys in its order.
pub(crate) fn payload() -> Value {
    let page = text();
    let (_, rest) = page
        .split_once("to each matching agent:")
        .expect("the page introduces its payload");
    let mut stream = serde_json::Deserializer::from_str(rest).into_iter();
    let first = stream.next().expect("the page prints a payload");
    first.expect("the page's payload is JSON")
}

/// Where an object's keys are data (providers' names, extracted fields), not contract.
fn is_free(path: &str) -> bool {
    path.ends_with("enrichment_results") || path.ends_with(".extracted")
}

/// What differs from the page: `problems` must be empty, `additions` are keys the page lacks.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    pub(crate) problems: Vec<String>,
    pub(crate) additions: std::collections::BTreeSet<String>,
}

impl Difference {
    /// Compares a value with the page's, all the way down.
    pub(crate) fn between(page: &Value, actual: &Value) -> Self {
        let mut difference = Self::default();
        difference.walk("", page, actual);
        difference
    }

    fn walk(&mut self, path: &str, page: &Value, actual: &Value) {
        match (page, actual) {
            (Value::Object(_), Value::Object(_)) if path.ends_with("raw_payload") => {}
            (Value::Object(page), Value::Object(actual)) => self.objects(path, page, actual),
            (Value::Array(page), Value::Array(actual)) => {
                let Some(page) = page.first() else { return };
                for one in actual {
                    self.walk(&format!("{path}[]"), page, one);
                }
            }
            (Value::String(_), Value::String(_))
            | (Value::Number(_), Value::Number(_))
            | (Value::Bool(_), Value::Bool(_))
            | (Value::Null, Value::Null) => {}
            _ => self.problems.push(format!(
                "{path}: the page has {page}, the payload has {actual}"
            )),
        }
    }

    fn objects(
        &mut self,
        path: &str,
        page: &serde_json::Map<String, Value>,
        actual: &serde_json::Map<String, Value>,
    ) {
        let at = |key: &str| match path {
            "" => key.to_owned(),
            results if results.ends_with("enrichment_results") => format!("{path}.*"),
            _ => format!("{path}.{key}"),
        };
        let of_page: Vec<&String> = actual
            .keys()
            .filter(|key| page.contains_key(*key))
            .collect();
        // A provider that was not asked is absent; those that were keep the page's order.
        let may_lack = path.ends_with("enrichment_results");
        let keys: Vec<&String> = page
            .keys()
            .filter(|key| !may_lack || actual.contains_key(*key))
            .collect();
        if of_page != keys {
            self.problems.push(format!(
                "{path}: the page's keys in order are {keys:?}, the payload's {of_page:?}"
            ));
        }
        if !is_free(path) {
            let first: Vec<&String> = actual.keys().take(of_page.len()).collect();
            if first != of_page {
                self.problems
                    .push(format!("{path}: an addition stands before the page's keys"));
            }
        }
        for (key, value) in actual {
            match page.get(key) {
                Some(expected) => self.walk(&at(key), expected, value),
                None if is_free(path) => {}
                None => drop(self.additions.insert(at(key))),
            }
        }
    }
}

#[test]
fn the_page_has_three_commands_and_a_payload() {
    let commands = commands();
    assert_eq!(commands.len(), 3, "the parser must not lose one");
    for (command, word) in commands.iter().zip(["agents", "findings", "Triaging"]) {
        assert!(command.contains(word), "{command}");
        assert!(!command.contains('\\'), "lines are joined: {command}");
    }
    assert_eq!(payload()["event"], "alert.enriched");
}

#[test]
fn the_comparison_sees_a_missing_a_moved_and_an_added_key() {
    let page = payload();
    assert!(Difference::between(&page, &page).problems.is_empty());
    let mut moved = page.clone();
    let alert = moved["alert"].as_object_mut().expect("an object");
    let uuid = alert.shift_remove("uuid").expect("there");
    alert.insert("uuid".to_owned(), uuid);
    assert_eq!(Difference::between(&page, &moved).problems.len(), 1);
    let mut missing = page.clone();
    drop(
        missing["indicators"][0]
            .as_object_mut()
            .expect("an object")
            .remove("malice"),
    );
    assert_eq!(Difference::between(&page, &missing).problems.len(), 1);
    let mut other_type = page.clone();
    other_type["alert"]["_metadata"]["indicator_count"] = "3".into();
    assert_eq!(Difference::between(&page, &other_type).problems.len(), 1);
    let mut added = page.clone();
    added["indicators"][0]["colour"] = 1.into();
    let difference = Difference::between(&page, &added);
    assert!(difference.problems.is_empty());
    assert!(difference.additions.contains("indicators[].colour"));
}
