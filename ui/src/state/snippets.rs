//! Where the words of the filter stand in an alert, when its row does not show them: the field's
//! name and the words around. What a row's own facts do not tell is read from the alert, a few at a
//! time, and only for rows that are painted.

use std::collections::{HashMap, HashSet};

use calseta_contract::alert::AlertSummary;
use calseta_domain::query::{Expr, Query, Test};
use calseta_domain::{AlertId, Timestamp};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::clock::now_ms;
use super::queue::Queue;
use crate::api::{self, AlertDetail};
use crate::text::visible;

/// Alerts that are read at once for their snippet.
const MAX_AT_ONCE: usize = 4;
/// Snippets that are kept for a filter; more rows are on no screen.
const MAX_KEPT: usize = 600;
/// Characters before a hit.
const BEFORE_CHARS: usize = 18;
/// Characters after it.
const AFTER_CHARS: usize = 60;

/// A hit with what stands around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Where it is.
    pub(crate) field: &'static str,
    /// What stands before it.
    pub(crate) before: String,
    /// The word as it is written there.
    pub(crate) word: String,
    /// What stands after it.
    pub(crate) after: String,
}

/// The snippets of the rows that are on the screen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Snippets {
    queue: Queue,
    words: Memo<Vec<String>>,
    read: RwSignal<HashMap<AlertId, Option<Hit>>>,
    wanted: StoredValue<Wanted>,
}

/// Alerts that are to be read.
#[derive(Debug, Default)]
struct Wanted {
    waiting: Vec<AlertId>,
    under_way: HashSet<AlertId>,
}

impl Snippets {
    /// Follows the queue's filter and provides itself.
    pub(crate) fn provide() {
        let queue = Queue::expect();
        let words = Memo::new(move |_| free_words(&queue.q()));
        let snippets = Self {
            queue,
            words,
            read: RwSignal::new(HashMap::new()),
            wanted: StoredValue::new(Wanted::default()),
        };
        Effect::new(move |_| {
            words.track();
            snippets
                .wanted
                .update_value(|wanted| wanted.waiting.clear());
            snippets.read.set(HashMap::new());
        });
        provide_context(snippets);
    }

    /// The provided snippets.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// Where an alert has the words of the filter; nothing when its title shows one of them, or
    /// while that is read.
    pub(crate) fn of(self, id: AlertId) -> Option<Hit> {
        let words = self.words.get();
        if words.is_empty() {
            return None;
        }
        let row = self.queue.row(id)?;
        if words
            .iter()
            .any(|word| find(&row.alert.title, word).is_some())
        {
            return None;
        }
        if let Some(hit) = in_row(&row.alert, &words) {
            return Some(hit);
        }
        let known = self.read.with(|all| all.get(&id).cloned());
        known.unwrap_or_else(|| {
            self.ask(id);
            None
        })
    }

    fn ask(self, id: AlertId) {
        self.wanted.update_value(|wanted| {
            if !wanted.under_way.contains(&id) && !wanted.waiting.contains(&id) {
                wanted.waiting.push(id);
            }
        });
        self.go_on();
    }

    fn go_on(self) {
        let next = self.wanted.try_update_value(|wanted| {
            if wanted.under_way.len() >= MAX_AT_ONCE {
                return None;
            }
            let id = wanted.waiting.pop()?;
            wanted.under_way.insert(id);
            Some(id)
        });
        let Some(id) = next.flatten() else { return };
        let words = self.words.get_untracked();
        spawn_local(async move {
            let detail = api::get_alert(id).await.ok();
            self.wanted.update_value(|wanted| {
                wanted.under_way.remove(&id);
            });
            // Read for another filter it says nothing about this one.
            if self.words.get_untracked() == words {
                let hit = detail.and_then(|detail| in_detail(&detail, &words));
                self.read.update(|all| {
                    if all.len() < MAX_KEPT {
                        all.insert(id, hit);
                    }
                });
            }
            self.go_on();
        });
    }
}

/// The plain words of a query that must be there.
fn free_words(q: &str) -> Vec<String> {
    fn collect(expr: &Expr, words: &mut Vec<String>) {
        match expr {
            Expr::All(members) | Expr::Any(members) => {
                for one in members {
                    collect(one, words);
                }
            }
            Expr::Test(Test::Text(text)) => words.push(text.text.clone()),
            Expr::Test(_) | Expr::Not(_) => {}
        }
    }
    let mut words = Vec::new();
    if let Ok(query) = Query::parse(q, Timestamp::from_millis(now_ms())) {
        collect(&query.expr, &mut words);
    }
    words
}

fn in_row(alert: &AlertSummary, words: &[String]) -> Option<Hit> {
    let indicators = alert.key_indicators.iter();
    let fields = [
        ("description", alert.description.as_deref()),
        ("rule", alert.detection_rule_name.as_deref()),
        ("source", Some(alert.source_name.as_str())),
    ];
    let fields = fields
        .into_iter()
        .filter_map(|(field, text)| Some((field, text?)))
        .chain(alert.tags.iter().map(|tag| ("tag", tag.as_str())))
        .chain(indicators.map(|one| ("indicator", one.value.as_str())));
    first_hit(fields, words)
}

fn in_detail(detail: &AlertDetail, words: &[String]) -> Option<Hit> {
    let view = &detail.view;
    let indicators = view.indicators.iter();
    let findings = view.agent_findings.iter();
    let fields = indicators
        .map(|one| ("indicator", one.value.as_str()))
        .chain(findings.map(|one| ("finding", one.summary.as_str())))
        .chain([("payload", view.raw_payload.get())]);
    first_hit(fields, words)
}

fn first_hit<'a>(
    fields: impl Iterator<Item = (&'static str, &'a str)>,
    words: &[String],
) -> Option<Hit> {
    let mut fields = fields;
    fields.find_map(|(field, text)| {
        let (start, end) = words.iter().find_map(|word| find(text, word))?;
        Some(hit(field, text, start, end))
    })
}

/// Where a word is in a text, whatever its case: by bytes.
fn find(text: &str, word: &str) -> Option<(usize, usize)> {
    let (lower, word) = (text.to_lowercase(), word.to_lowercase());
    // Few letters are longer in lower case; a place among them could not be found again.
    let start = lower.find(&word).filter(|_| lower.len() == text.len())?;
    let end = start + word.len();
    (text.is_char_boundary(start) && text.is_char_boundary(end)).then_some((start, end))
}

fn hit(field: &'static str, text: &str, start: usize, end: usize) -> Hit {
    let head = text.get(..start).unwrap_or_default();
    let tail = text.get(end..).unwrap_or_default();
    let skipped = head.chars().count().saturating_sub(BEFORE_CHARS);
    let before: String = head.chars().skip(skipped).collect();
    let after: String = tail.chars().take(AFTER_CHARS).collect();
    let one_line = |text: &str| visible(text).replace(['\n', '\r', '\t'], " ");
    Hit {
        field,
        before: if skipped > 0 {
            format!("…{}", one_line(&before))
        } else {
            one_line(&before)
        },
        word: one_line(text.get(start..end).unwrap_or_default()),
        after: if tail.chars().nth(AFTER_CHARS).is_some() {
            format!("{}…", one_line(&after))
        } else {
            one_line(&after)
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::alert_list::tests::alert;

    #[test]
    fn a_hit_is_shown_with_its_field_and_what_stands_around() {
        let row = AlertSummary {
            description: Some("A scheduled task ran PowerShell -enc JABz at night".to_owned()),
            ..alert(1)
        };
        let found = in_row(&row, &["powershell".to_owned()]).expect("a hit");
        assert_eq!(
            (found.field, found.word.as_str()),
            ("description", "PowerShell")
        );
        assert_eq!(found.before, "…cheduled task ran ");
        assert!(found.after.starts_with(" -enc"));
        assert_eq!(in_row(&row, &["nothing".to_owned()]), None);
    }

    #[test]
    fn places_are_never_inside_a_letter() {
        assert_eq!(find("aÄb", "äB"), Some((1, 4)));
        // The capital I with a dot is longer in lower case.
        assert_eq!(find("İx", "x"), None);
    }
}
