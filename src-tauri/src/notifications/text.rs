//! What a notification says. Titles and summaries are written by attackers and by agents, and a
//! notification's body is markup: they are made plain, short and inert here.

use calseta_contract::event::EventView;
use calseta_domain::AlertId;

use crate::output;

/// Characters of a notification's body, before escaping.
const MAX_BODY_CHARS: usize = 200;
/// Characters of its first line.
const MAX_SUMMARY_CHARS: usize = 80;
/// Characters of the alert's title in the body, so that the agent's words have room.
const MAX_TITLE_CHARS: usize = 90;
/// Characters of an agent's name in the first line.
const MAX_NAME_CHARS: usize = 30;
/// How our own secrets begin.
const SECRET_PREFIXES: [&str; 2] = ["cai_", "whsec_"];
/// From this many characters on, what follows such a prefix is a secret.
const SECRET_CHARS: usize = 8;

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    /// The first line, escaped.
    pub(super) summary: String,
    /// The text, escaped.
    pub(super) body: String,
    /// The alert that an activation opens.
    pub(super) alert: Option<AlertId>,
}

/// The notification for a `finding.created` event.
pub(super) fn of_finding(event: &EventView) -> Note {
    let text = |name: &str| event.changed.get(name).and_then(|value| value.as_str());
    let agent = text("agent_name").unwrap_or("an agent");
    let headline = match text("verdict") {
        Some(verdict) => match text("confidence_level") {
            Some(level) => format!("Finding: {verdict} ({level} confidence)"),
            None => format!("Finding: {verdict}"),
        },
        None => format!("Finding: {agent}"),
    };
    let title = clamped(
        &plain(text("alert_title").unwrap_or_default()),
        MAX_TITLE_CHARS,
    );
    let said = plain(text("summary").unwrap_or_default());
    let body = format!("{title}\n{agent}: {said}", agent = plain(agent));
    Note {
        summary: output::escaped(&clamped(&plain(&headline), MAX_SUMMARY_CHARS)),
        body: output::escaped(&clamped(&body, MAX_BODY_CHARS)),
        alert: event.alert_uuid,
    }
}

/// The notification for an agent that its breaker paused or that was given up; `None` for any other
/// event.
pub(super) fn of_stopped_agent(event: &EventView) -> Option<Note> {
    let text = |name: &str| event.changed.get(name).and_then(|value| value.as_str());
    let stands = event.changed.get("health")?.as_array()?.last()?.as_str()?;
    let what = match stands {
        "open" => "is paused: its alerts wait until it answers",
        "disabled" => "is switched off: enable it to send what waits",
        _ => return None,
    };
    if event.kind != "agent.updated" {
        return None;
    }
    let headline = format!("{} {what}", clamped(&plain(text("name")?), MAX_NAME_CHARS));
    let body = plain(text("reason").unwrap_or_default());
    Some(Note {
        summary: output::escaped(&clamped(&headline, MAX_SUMMARY_CHARS)),
        body: output::escaped(&clamped(&body, MAX_BODY_CHARS)),
        alert: None,
    })
}

/// The notification for findings that came too fast for one each.
pub(super) fn digest(count: u32) -> Note {
    let noun = if count == 1 { "finding" } else { "findings" };
    Note {
        summary: format!("{count} more {noun}"),
        body: "The queue shows them.".to_owned(),
        alert: None,
    }
}

/// One line without invisible or reordering characters, links or our own secrets.
fn plain(text: &str) -> String {
    let spaced = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c });
    let visible: String = spaced.filter(|c| !is_hidden(*c)).collect();
    let words = visible.split(' ').filter(|word| !word.is_empty());
    words
        .map(|word| without_link(&without_secret(word)))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Control, formatting, bidirectional, zero-width, variation and tag characters.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Daemons make links of addresses; nobody should follow one from an alert.
fn without_link(word: &str) -> String {
    word.replace("http://", "hxxp://")
        .replace("https://", "hxxps://")
        .replace("://", "[:]//")
}

fn without_secret(word: &str) -> String {
    for prefix in SECRET_PREFIXES {
        if let Some((before, after)) = word.split_once(prefix)
            && after.chars().count() >= SECRET_CHARS
        {
            return format!("{before}{prefix}…");
        }
    }
    word.to_owned()
}

fn clamped(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max - 1).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn event(changed: &Value) -> EventView {
        let event = json!({
            "seq": 1, "type": "finding.created", "at": "2025-01-15T10:28:00Z",
            "actor": {"kind": "agent", "name": "a", "key_prefix": null},
            "object": {"kind": "finding", "uuid": null},
            "alert_uuid": "01890000-0000-7000-8000-000000000001",
            "changed": changed,
        });
        serde_json::from_value(event).expect("an event")
    }

    #[test]
    fn an_agent_that_stops_is_told_and_one_that_is_back_is_not() {
        let agent = |health: Value| {
            let changed = json!({"name": "a & <b>", "health": health, "reason": "refused <i>"});
            let mut event = event(&changed);
            "agent.updated".clone_into(&mut event.kind);
            of_stopped_agent(&event)
        };
        let note = agent(json!(["closed", "open"])).expect("it is told");
        assert!(note.summary.starts_with("a &amp; &lt;b&gt; is paused"));
        assert_eq!(note.body, "refused &lt;i&gt;");
        assert!(agent(json!(["open", "disabled"])).is_some());
        assert_eq!(agent(json!(["open", "closed"])), None);
        assert_eq!(agent(Value::Null), None);
        let finding = event(&json!({"name": "a", "health": ["closed", "open"]}));
        assert_eq!(of_stopped_agent(&finding), None);
    }

    #[test]
    fn a_finding_says_verdict_alert_and_who_found_it() {
        let note = of_finding(&event(&json!({
            "agent_name": "triage-bot", "summary": "Two countries in ten minutes.",
            "verdict": "malicious", "confidence": 0.9, "confidence_level": "high",
            "alert_title": "Impossible travel",
        })));
        assert_eq!(note.summary, "Finding: malicious (high confidence)");
        assert_eq!(
            note.body,
            "Impossible travel\ntriage-bot: Two countries in ten minutes."
        );
        assert_eq!(
            note.alert,
            Some("01890000-0000-7000-8000-000000000001".parse().unwrap())
        );
    }

    #[test]
    fn without_a_verdict_the_agent_is_named() {
        let note = of_finding(&event(&json!({
            "agent_name": "a & <b>", "summary": "s", "verdict": null, "alert_title": "t",
        })));
        assert_eq!(note.summary, "Finding: a &amp; &lt;b&gt;");
    }

    #[test]
    fn hostile_text_becomes_inert() {
        let note = of_finding(&event(&json!({
            "agent_name": "bot\u{202e}\r\n\u{1b}[31m", "verdict": "benign",
            "summary": "see https://evil.tld/a?k=cai_AAAAAAAAAAAAAAAA \u{e0041}now\u{200b}",
            "alert_title": "<img src=x> <a href=\"http://evil.tld\">\u{0}click</a>",
        })));
        assert_eq!(
            note.body,
            "&lt;img src=x&gt; &lt;a href=&quot;hxxp[:]//evil.tld&quot;&gt;click&lt;/a&gt;\n\
             bot [31m: see hxxps[:]//evil.tld/a?k=cai_… now"
        );
    }

    #[test]
    fn long_text_is_cut_before_it_is_escaped() {
        let note = of_finding(&event(&json!({
            "agent_name": "b", "verdict": "benign",
            "summary": "&".repeat(500), "alert_title": "<".repeat(500),
        })));
        let shown = note.body.replace("&lt;", "<").replace("&amp;", "&");
        assert_eq!(shown.chars().count(), MAX_BODY_CHARS);
        assert!(shown.ends_with('…'), "no entity is cut in half: {shown}");
    }

    #[test]
    fn the_digest_counts() {
        assert_eq!(digest(1).summary, "1 more finding");
        assert_eq!(digest(5).summary, "5 more findings");
        assert!(digest(5).alert.is_none());
    }
}
