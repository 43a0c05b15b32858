//! What happened, in words.

use serde_json::{Map, Value};

use super::{clip, visible};

/// Facts of one event that are shown in a line.
const MAX_FACTS: usize = 6;
/// A fact's value is cut to this many characters.
const MAX_VALUE_CHARS: usize = 80;

/// Facts whose name begins so are lists, not a value before and after.
const LIST_PREFIX: &str = "providers_";
/// Facts that the line or the page says already: who it was, and which alert.
const KNOWN: &[&str] = &[
    "agent_name",
    "alert_title",
    "confidence_level",
    "source_name",
    "title",
];
/// Facts that are what somebody wrote: they are quoted, without their name.
const WRITTEN: &[&str] = &["note", "summary", "comment"];
/// The other facts that are lists.
const LISTS: &[&str] = &["indicators", "dispatched_to"];

/// An event's type as a sentence; an unknown type is shown as it is.
pub(crate) fn event_title(kind: &str, changed: &Map<String, Value>) -> String {
    match kind {
        "alert.updated" if changed.contains_key("note") => "Note added",
        "alert.updated" if changed.contains_key("checklist") => "Checklist ticked",
        "alert.updated" if changed.contains_key("snoozed_until") => "Snooze",
        "alert.created" => "Alert received",
        "alert.updated" => "Alert changed",
        "alert.duplicated" => "Seen again",
        "alert.enriched" => "Enrichment over",
        "alert.closed" => "Closed",
        "alert.reopened" => "Reopened",
        "alert.deleted" => "Deleted",
        "indicator.updated" => "Indicator changed",
        "finding.created" => "Finding posted",
        "finding.reviewed" => "Finding reviewed",
        "delivery.updated" => "Delivery to an agent",
        other => return visible(other).into_owned(),
    }
    .to_owned()
}

/// An event's facts: `status Open → Triaging`.
pub(crate) fn event_facts(changed: &Map<String, Value>) -> Vec<String> {
    changed
        .iter()
        .filter(|(field, value)| !is_known(field, value) && !is_half(changed, field))
        .filter_map(|(field, value)| fact(field, value))
        .take(MAX_FACTS)
        .collect()
}

/// A fact that says nothing new; a change of the same field does.
fn is_known(field: &str, value: &Value) -> bool {
    KNOWN.contains(&field) && !value.is_array()
}

/// v1.1.0's `from_status` and `to_status` say again what `status` says.
fn is_half(changed: &Map<String, Value>, field: &str) -> bool {
    let whole = field.strip_prefix("from_").or(field.strip_prefix("to_"));
    whole.is_some_and(|whole| changed.contains_key(whole))
}

fn fact(field: &str, value: &Value) -> Option<String> {
    let name = visible(field).replace('_', " ");
    match value {
        Value::Array(all) if all.is_empty() => None,
        Value::Array(all) if field.starts_with(LIST_PREFIX) || LISTS.contains(&field) => {
            Some(format!(
                "{name} {}",
                all.iter().map(short).collect::<Vec<_>>().join(", ")
            ))
        }
        Value::Array(pair) if pair.len() == 2 && WRITTEN.contains(&field) => {
            pair[1].as_str().map(quoted)
        }
        Value::Array(pair) if pair.len() == 2 => (pair[0] != pair[1])
            .then(|| format!("{name} {} → {}", short(&pair[0]), short(&pair[1]))),
        Value::Null => None,
        Value::String(text) if WRITTEN.contains(&field) => Some(quoted(text)),
        // An id tells nobody anything; the thing itself is on the page.
        _ if field.ends_with("uuid") => None,
        other => Some(format!("{name} {}", short(other))),
    }
}

fn quoted(text: &str) -> String {
    format!("“{}”", short(&Value::String(text.to_owned())))
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        // An indicator is its value; a type beside it says nothing new.
        Value::Object(map) if map.get("value").is_some_and(Value::is_string) => {
            return short(&map["value"]);
        }
        other => other.to_string(),
    };
    // A fact is one line: the end of a line in it is a pause.
    clip(&visible(&text.replace('\n', " ")), MAX_VALUE_CHARS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn a_change_is_shown_from_and_to() {
        let facts = event_facts(&map(
            json!({ "close_classification": [null, "Undetermined"] }),
        ));
        assert_eq!(facts, ["close classification none → Undetermined"]);
    }

    #[test]
    fn hostile_facts_are_visible_and_short() {
        let facts = event_facts(&map(
            json!({ "summary": format!("\u{202e}{}", "x".repeat(500)) }),
        ));
        assert!(facts[0].starts_with("“⟨U+202E⟩x"));
        assert!(facts[0].chars().count() < 100);
    }

    #[test]
    fn a_list_of_two_is_not_taken_for_a_change() {
        let facts = event_facts(&map(json!({
            "providers_succeeded": ["virustotal", "abuseipdb"],
            "providers_failed": [],
            "malice": ["Pending", "Pending"],
        })));
        assert_eq!(facts, ["providers succeeded virustotal, abuseipdb"]);
        let facts = event_facts(&map(json!({
            "indicators": [{"type": "ip", "value": "8.8.8.8"}, {"type": "ip", "value": "1.1.1.1"}],
            "dispatched_to": ["triage", "hunter"],
        })));
        assert_eq!(
            facts,
            [
                "indicators 8.8.8.8, 1.1.1.1",
                "dispatched to triage, hunter"
            ]
        );
    }

    #[test]
    fn what_v1_1_0_says_twice_is_shown_once() {
        let facts = event_facts(&map(json!({
            "status": ["Open", "Closed"], "from_status": "Open", "to_status": "Closed",
            "from_here": 1,
        })));
        assert_eq!(facts, ["status Open → Closed", "from here 1"]);
    }

    #[test]
    fn what_the_page_says_anyway_is_left_out_unless_it_changed() {
        let facts = event_facts(&map(json!({
            "title": "a", "agent_name": "b", "source_name": ["x", "y"],
        })));
        assert_eq!(facts, ["source name x → y"]);
    }

    #[test]
    fn what_somebody_wrote_is_quoted() {
        let note = map(json!({ "note": [null, "Called.\nNot him."] }));
        assert_eq!(event_title("alert.updated", &note), "Note added");
        assert_eq!(event_facts(&note), ["“Called. Not him.”"]);
        assert_eq!(event_title("alert.updated", &Map::new()), "Alert changed");
    }

    #[test]
    fn ids_are_left_out() {
        assert!(event_facts(&map(json!({ "agent_uuid": "018f…" }))).is_empty());
    }
}
