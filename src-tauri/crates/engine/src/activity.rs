//! `GET /v1/activity`: the event log by filters, newest first, for those who may read each kind.

use calseta_contract::event::EventView;
use calseta_domain::{AlertId, Scope, Timestamp};
use calseta_store::tables::alert_list::COUNT_CAP;
use calseta_store::tables::event::{self, EventFilter};

use crate::events::NOUNS;
use crate::indicators::slice;
use crate::{Engine, Listed, PageNumber, Principal, Problem, views};

/// Every type of event there is. Adding one here is part of adding one.
pub(crate) const KINDS: &[&str] = &[
    "alert.created",
    "alert.updated",
    "alert.duplicated",
    "alert.enriched",
    "alert.closed",
    "alert.reopened",
    "alert.deleted",
    "alert.purged",
    "indicator.updated",
    "finding.created",
    "finding.reviewed",
    "delivery.updated",
    "agent.updated",
    "approval.requested",
    "approval.decided",
    "approval.expired",
    "approval.stale",
    "run.updated",
    "provider.updated",
    "source.updated",
    "rule.updated",
    "document.updated",
    "mapping.updated",
    "view.updated",
    "suppression.updated",
    "grant.updated",
    "settings.updated",
    "key.created",
    "key.updated",
    "key.revoked",
    "auth.failed",
    "backup.created",
    "backup.failed",
    "backup.restored",
    "storage.freed",
    "storage.log_over",
    "storage.log_emptied",
    "retention.applied",
    "retention.delete_all",
    "retention.all_deleted",
];
/// The kinds of actors.
const ACTORS: &[&str] = &["analyst", "agent", "human_key", "mcp", "system"];
/// Every key begins with this.
const KEY_PREFIX: &str = "cai_";

/// Which events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityQuery {
    /// Of this alert.
    pub alert: Option<AlertId>,
    /// Types (`key.revoked`) or nouns (`key`); none is all that the caller may read.
    pub kinds: Vec<String>,
    /// A kind of actor, the first characters of a key, or a name.
    pub actor: Option<String>,
    /// At or after.
    pub from: Option<Timestamp>,
    /// At or before.
    pub to: Option<Timestamp>,
    /// Before this event: `next_cursor` of the page before.
    pub before: Option<i64>,
}

/// The scope that reads a type of event.
fn scope_of(kind: &str) -> Scope {
    let noun = kind.split('.').next().unwrap_or_default();
    NOUNS
        .iter()
        .find(|(known, _)| *known == noun)
        .map_or(Scope::Admin, |(_, scope)| *scope)
}

/// The types that a query asks for; one that the caller may not read is refused, not left out.
fn wanted(by: &Principal, asked: &[String]) -> Result<Vec<String>, Problem> {
    let mut kinds: Vec<String> = Vec::new();
    for word in asked {
        let named: Vec<&&str> = KINDS
            .iter()
            .filter(|kind| *kind == word || kind.split('.').next() == Some(word))
            .collect();
        if named.is_empty() {
            return Err(Problem::word("kind", "kind of event", word, KINDS));
        }
        for kind in named {
            by.need(scope_of(kind))?;
            kinds.push((*kind).to_owned());
        }
    }
    if asked.is_empty() && !by.has(Scope::Admin) {
        let readable = KINDS.iter().filter(|kind| by.has(scope_of(kind)));
        kinds.extend(readable.map(|kind| (*kind).to_owned()));
    }
    Ok(kinds)
}

impl Engine {
    /// Every type of event with the scope that reads it.
    pub fn event_kinds() -> Vec<(&'static str, Scope)> {
        KINDS.iter().map(|kind| (*kind, scope_of(kind))).collect()
    }

    /// `GET /v1/activity`.
    pub async fn activity(
        &self,
        by: &Principal,
        query: ActivityQuery,
        page: PageNumber,
    ) -> Result<Listed<EventView>, Problem> {
        let kinds = wanted(by, &query.kinds)?;
        if kinds.is_empty() && !by.has(Scope::Admin) {
            return Ok(Listed::counted(Vec::new(), 0));
        }
        let mut filter = EventFilter {
            alert: query.alert,
            kinds,
            actor_kind: None,
            actor_name: None,
            actor_prefix: None,
            from: query.from,
            to: query.to,
            before: query.before,
        };
        match query.actor {
            Some(word) if ACTORS.contains(&&*word) => filter.actor_kind = Some(word),
            Some(word) if word.starts_with(KEY_PREFIX) => filter.actor_prefix = Some(word),
            other => filter.actor_name = other,
        }
        let (rows, total) = self
            .inner
            .store
            .read(move |tx| Ok::<_, Problem>(event::page(tx, &filter, slice(page))?))
            .await?;
        let full = u64::try_from(rows.len()).unwrap_or(u64::MAX) == page.page_size;
        let next_cursor = rows
            .last()
            .filter(|_| full)
            .map(|last| last.seq.to_string());
        Ok(Listed {
            rows: rows.into_iter().map(views::event).collect(),
            total: Some(total.min(COUNT_CAP)),
            total_is_capped: total > COUNT_CAP,
            next_cursor,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_noun_that_somebody_may_read() {
        for kind in KINDS {
            let noun = kind.split('.').next().unwrap();
            assert!(NOUNS.iter().any(|(known, _)| *known == noun), "{kind}");
        }
    }
}
