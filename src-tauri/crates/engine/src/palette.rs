//! One box for everything: what is meant by a few characters, or by a pasted list of values.
//!
//! Values that are recognised (addresses, hashes, domains, links, mail addresses, ids; written
//! plainly or made harmless) come first and exactly; names are matched loosely, the best first. A
//! caller finds only what its scopes read.

use calseta_contract::palette::{PaletteGroup, PaletteItem, PaletteView};
use calseta_domain::indicator::{pasted, refanged};
use calseta_domain::{AlertId, AlertStatus, Indicator, IndicatorType, Scope};
use calseta_store::tables::alert::{self, AlertRow};
use calseta_store::tables::indicator::IndicatorRow;
use calseta_store::tables::{Reads, palette};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use uuid::Uuid;

use crate::search::quoted;
use crate::{Engine, Principal, Problem};

/// The longest text, in bytes: a pasted list of values.
const MAX_TEXT_BYTES: usize = 16 * 1024;
/// Items of a group.
const SHOWN: usize = 8;
/// [`SHOWN`], for the store.
const SHOWN_ROWS: u32 = 8;
/// Names of one kind that are compared with a text.
const NAMES: u32 = 2_000;
/// Characters from which a text is looked for inside values.
const MIN_FRAGMENT_CHARS: usize = 3;

impl Engine {
    /// `GET /v1/search?q`.
    pub async fn palette(&self, by: &Principal, text: &str) -> Result<PaletteView, Problem> {
        if text.len() > MAX_TEXT_BYTES {
            let message = format!("must not be longer than {MAX_TEXT_BYTES} bytes");
            return Err(Problem::field("q", message));
        }
        let asked = Asked::read(text, by);
        self.inner
            .store
            .read(move |tx| {
                let groups = asked.groups(tx)?.into_iter();
                Ok::<_, Problem>(PaletteView {
                    groups: groups.filter(|group| !group.items.is_empty()).collect(),
                })
            })
            .await
    }
}

/// What is looked for.
struct Asked {
    text: String,
    /// Values that are written in the text, when it is nothing but values.
    values: Vec<Indicator>,
    /// An id.
    id: Option<AlertId>,
    scopes: Vec<Scope>,
    /// `#` asks for tags and `@` for agents only.
    only: Option<char>,
}

impl Asked {
    fn read(text: &str, by: &Principal) -> Self {
        let text = text.trim();
        let only = text.chars().next().filter(|c| "#@>!".contains(*c));
        let text = only.map_or(text, |mark| text.trim_start_matches(mark).trim_start());
        Self {
            id: Uuid::try_parse(text).ok().map(AlertId::new),
            values: pasted(text),
            scopes: [Scope::AlertsRead, Scope::EnrichmentsRead, Scope::AgentsRead]
                .into_iter()
                .filter(|scope| by.has(*scope))
                .collect(),
            text: text.to_owned(),
            only,
        }
    }

    fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    fn groups(&self, tx: &impl Reads) -> Result<Vec<PaletteGroup>, Problem> {
        if self.text.is_empty() || self.only.is_some_and(|mark| ">!".contains(mark)) {
            return Ok(Vec::new());
        }
        let all = self.only.is_none();
        let mut groups = Vec::new();
        let alerts = all && self.may(Scope::AlertsRead);
        if all && self.may(Scope::EnrichmentsRead) {
            groups.push(group("indicators", self.indicators(tx)?));
        }
        if alerts {
            let (open, closed) = self.alerts(tx)?;
            groups.push(group("open_alerts", open));
            groups.push(group("closed_alerts", closed));
        }
        // A pasted list names nothing but its values.
        let has_names = self.values.is_empty() && self.id.is_none();
        if has_names && self.only != Some('#') && self.may(Scope::AgentsRead) {
            groups.push(group("agents", self.agents(tx)?));
        }
        if has_names && alerts {
            groups.push(group("rules", self.rules(tx)?));
            groups.push(group("documents", self.documents(tx)?));
            groups.push(group("views", self.views(tx)?));
        }
        if has_names && self.only != Some('@') && self.may(Scope::AlertsRead) {
            groups.push(group("tags", self.tags(tx)?));
        }
        Ok(groups)
    }

    fn indicators(&self, tx: &impl Reads) -> Result<Vec<PaletteItem>, Problem> {
        let mut items = Vec::new();
        if self.values.len() > 1 {
            let values: Vec<String> = self.values.iter().map(|one| quoted(&one.value)).collect();
            items.push(PaletteItem {
                label: format!("Any of {} values", values.len()),
                detail: "alerts that have one of them".to_owned(),
                uuid: None,
                q: Some(format!("ind:{}", values.join(","))),
            });
        }
        for value in self.values.iter().take(SHOWN) {
            let known = palette::indicators(tx, &value.value, 1)?.into_iter();
            let mut known = known.filter(|row| row.kind == value.kind && row.value == value.value);
            items.push(
                known
                    .next()
                    .map_or_else(|| unknown(value), |row| seen(&row)),
            );
        }
        if self.values.is_empty() && self.text.chars().count() >= MIN_FRAGMENT_CHARS {
            let text = refanged(&self.text);
            let found = palette::indicators(tx, &text, SHOWN_ROWS)?;
            items.extend(found.iter().map(seen));
        }
        items.truncate(SHOWN);
        Ok(items)
    }

    fn alerts(&self, tx: &impl Reads) -> Result<(Vec<PaletteItem>, Vec<PaletteItem>), Problem> {
        if let Some(id) = self.id {
            let row = alert::by_uuid(tx, id)?;
            let (closed, open): (Vec<_>, Vec<_>) = row
                .into_iter()
                .partition(|row| row.status == AlertStatus::Closed);
            return Ok((rows(&open), rows(&closed)));
        }
        if !self.values.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let found = palette::alerts(tx, &self.text, SHOWN_ROWS)?;
        Ok((rows(&found.open), rows(&found.closed)))
    }

    fn agents(&self, tx: &impl Reads) -> Result<Vec<PaletteItem>, Problem> {
        let named = palette::agents(tx, "", NAMES)?.into_iter();
        let items = named.map(|agent| PaletteItem {
            detail: "agent".to_owned(),
            uuid: Some(agent.uuid.uuid()),
            q: Some(format!("agent:={}", quoted(&agent.name))),
            label: agent.name,
        });
        Ok(self.best(items.collect()))
    }

    /// Rules are found by a part of their name: counting the alerts of all of them takes too long.
    fn rules(&self, tx: &impl Reads) -> Result<Vec<PaletteItem>, Problem> {
        let named = palette::rules(tx, &self.text, SHOWN_ROWS)?.into_iter();
        let items = named.map(|(rule, count)| PaletteItem {
            detail: counted(count),
            uuid: Some(rule.uuid.uuid()),
            q: Some(format!("rule:={}", quoted(&rule.name))),
            label: rule.name,
        });
        Ok(self.best(items.collect()))
    }

    fn documents(&self, tx: &impl Reads) -> Result<Vec<PaletteItem>, Problem> {
        let named = palette::documents(tx, "", NAMES)?.into_iter();
        let items = named.map(|(document, kind)| PaletteItem {
            detail: kind,
            uuid: Some(document.uuid.uuid()),
            q: None,
            label: document.name,
        });
        Ok(self.best(items.collect()))
    }

    fn views(&self, tx: &impl Reads) -> Result<Vec<PaletteItem>, Problem> {
        let named = palette::views(tx, "", NAMES)?.into_iter();
        let items = named.map(|(view, q)| PaletteItem {
            detail: q.clone(),
            uuid: Some(view.uuid.uuid()),
            q: Some(q),
            label: view.name,
        });
        Ok(self.best(items.collect()))
    }

    fn tags(&self, tx: &impl Reads) -> Result<Vec<PaletteItem>, Problem> {
        let named = palette::tags(tx, "", NAMES)?.into_iter();
        let items = named.map(|(tag, count)| PaletteItem {
            detail: counted(count),
            uuid: None,
            q: Some(format!("tag:{}", quoted(&tag))),
            label: tag,
        });
        Ok(self.best(items.collect()))
    }

    /// The items whose names match loosely, the best first.
    fn best(&self, items: Vec<PaletteItem>) -> Vec<PaletteItem> {
        let pattern = Pattern::parse(&self.text, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut scored: Vec<(u32, PaletteItem)> = items
            .into_iter()
            .filter_map(|item| {
                let name = Utf32Str::new(&item.label, &mut buffer);
                let score = pattern.score(name, &mut matcher)?;
                Some((score, item))
            })
            .collect();
        scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.label.cmp(&b.1.label)));
        scored.truncate(SHOWN);
        scored.into_iter().map(|(_, item)| item).collect()
    }
}

fn group(kind: &str, mut items: Vec<PaletteItem>) -> PaletteGroup {
    items.truncate(SHOWN);
    PaletteGroup {
        kind: kind.to_owned(),
        items,
    }
}

fn counted(count: u64) -> String {
    match count {
        0 => "no alerts".to_owned(),
        1 => "1 alert".to_owned(),
        more => format!("{more} alerts"),
    }
}

/// The field of a query that finds an indicator of a type.
const fn field(kind: IndicatorType) -> &'static str {
    match kind {
        IndicatorType::Ip => "ip",
        IndicatorType::Domain => "domain",
        IndicatorType::HashMd5 | IndicatorType::HashSha1 | IndicatorType::HashSha256 => "hash",
        IndicatorType::Url => "url",
        IndicatorType::Email => "email",
        IndicatorType::Account => "account",
    }
}

fn seen(row: &IndicatorRow) -> PaletteItem {
    PaletteItem {
        label: row.value.clone(),
        detail: format!(
            "{} · {} · {}",
            row.kind,
            counted(row.alert_count),
            row.malice
        ),
        uuid: Some(row.uuid.uuid()),
        q: Some(format!("{}:{}", field(row.kind), quoted(&row.value))),
    }
}

fn unknown(value: &Indicator) -> PaletteItem {
    PaletteItem {
        label: value.value.clone(),
        detail: format!("{} · in no alert", value.kind),
        uuid: None,
        q: Some(format!("{}:{}", field(value.kind), quoted(&value.value))),
    }
}

fn rows(rows: &[AlertRow]) -> Vec<PaletteItem> {
    let item = |row: &AlertRow| PaletteItem {
        label: row.title.clone(),
        detail: format!("{} · {} · {}", row.severity, row.status, row.source_name),
        uuid: Some(row.uuid.uuid()),
        q: Some(format!("id:{}", row.uuid)),
    };
    rows.iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_values_and_a_sentence_is_not() {
        let by = Principal::analyst();
        let list = Asked::read("10.0.0.1\nevil[.]example\n10.0.0.1", &by);
        assert_eq!(list.values.len(), 2);
        let sentence = Asked::read("travel from 10.0.0.1 seen again", &by);
        assert!(sentence.values.is_empty());
    }
}
