//! Which alerts a bulk change is about, as rows, newest first.

use std::collections::HashSet;

use calseta_contract::change::{BulkSelect, Skipped};
use calseta_domain::AlertId;
use calseta_store::tables::alert;
use calseta_store::tables::alert_list::{AlertFilter, AlertQuery, AlertSort, Counting, Paging};
use calseta_store::tables::search;

use crate::search::read_at;
use crate::{Engine, Problem};

/// Alerts that are named one by one.
const MAX_NAMED: usize = 10_000;
/// Alerts that a query may find: what one person answers for at once.
const MAX_FOUND: usize = 100_000;
/// Rows that are looked for at once, within a reader's deadline.
const FOUND_AT_ONCE: u32 = 5_000;

/// The alerts, and those that were named and are not there.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) rows: Vec<i64>,
    pub(super) missing: Vec<Skipped>,
}

fn too_many(path: &str, max: usize) -> Problem {
    Problem::field(path, format!("must not be more than {max}"))
}

impl Engine {
    pub(super) async fn selected(&self, select: &BulkSelect) -> Result<Selected, Problem> {
        if select.except.len() > MAX_NAMED {
            return Err(too_many("select.except", MAX_NAMED));
        }
        match (&select.uuids, &select.q) {
            (Some(uuids), None) => {
                if !select.except.is_empty() {
                    return Err(Problem::field("select.except", "goes with q only"));
                }
                self.named(uuids.clone()).await
            }
            (None, Some(q)) => {
                let except = self.rows_of(select.except.clone()).await?;
                let except: HashSet<i64> = except.into_iter().map(|(_, row)| row).collect();
                let mut rows = self.found(q).await?;
                rows.retain(|row| !except.contains(row));
                Ok(Selected {
                    rows,
                    missing: Vec::new(),
                })
            }
            _ => Err(Problem::field(
                "select",
                "must have either uuids or q, and not both",
            )),
        }
    }

    async fn named(&self, mut uuids: Vec<AlertId>) -> Result<Selected, Problem> {
        if uuids.is_empty() {
            return Err(Problem::field("select.uuids", "must name an alert"));
        }
        if uuids.len() > MAX_NAMED {
            return Err(too_many("select.uuids", MAX_NAMED));
        }
        let mut seen = HashSet::new();
        uuids.retain(|uuid| seen.insert(*uuid));
        let known = self.rows_of(uuids.clone()).await?;
        let there: HashSet<AlertId> = known.iter().map(|(uuid, _)| *uuid).collect();
        let missing = uuids
            .into_iter()
            .filter(|uuid| !there.contains(uuid))
            .map(|uuid| Skipped {
                uuid,
                reason: "there is no such alert".to_owned(),
            })
            .collect();
        let rows = known.into_iter().map(|(_, row)| row).collect();
        Ok(Selected { rows, missing })
    }

    async fn rows_of(&self, uuids: Vec<AlertId>) -> Result<Vec<(AlertId, i64)>, Problem> {
        if uuids.is_empty() {
            return Ok(Vec::new());
        }
        self.inner
            .store
            .read(move |tx| Ok::<_, Problem>(alert::rows_of(tx, &uuids)?))
            .await
    }

    async fn found(&self, q: &str) -> Result<Vec<i64>, Problem> {
        let query = read_at("select.q", q, self.inner.clock.now())?;
        let wanted = AlertQuery {
            include_suppressed: false,
            query: Some(query),
            filter: AlertFilter::default(),
            sort: AlertSort::CreatedAt,
            descending: true,
            paging: Paging::After(None),
            limit: FOUND_AT_ONCE,
            counting: Counting::None,
        };
        let mut rows: Vec<i64> = Vec::new();
        loop {
            let (wanted, before) = (wanted.clone(), rows.last().copied());
            let some = self
                .inner
                .store
                .read(move |tx| Ok::<_, Problem>(search::rows(tx, &wanted, before, FOUND_AT_ONCE)?))
                .await?;
            let is_last = some.len() < FOUND_AT_ONCE as usize;
            rows.extend(some);
            if rows.len() > MAX_FOUND {
                let message = format!("finds more than {MAX_FOUND} alerts; say more of which");
                return Err(Problem::field("select.q", message));
            }
            if is_last {
                return Ok(rows);
            }
        }
    }
}
