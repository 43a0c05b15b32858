//! The log of outgoing requests: every decision of the outbound client, kept in rows, bounded.
//!
//! Decisions fall while requests are under way and must not wait for the disk. They are gathered here
//! and written in idle moments, at most a second later; who reads the log has them written first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use calseta_contract::egress::EgressView;
use calseta_domain::Scope;
use calseta_egress::{Decision, DecisionLog};
use calseta_store::tables::Slice;
use calseta_store::tables::egress_log::{self, EgressFilter, EgressRow};
use calseta_store::{StoreError, WriteTx};

use crate::start::Inner;
use crate::{Clock, Engine, Listed, PageNumber, Principal, Problem};

/// Decisions that wait to be written; the oldest are dropped beyond this.
const MAX_WAITING: usize = 10_000;
/// Rows that one commit writes: a few milliseconds of the writer.
const TOGETHER: usize = 500;
/// How long a decision waits.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// Decisions that are not written yet.
#[derive(Debug)]
pub(crate) struct Waiting {
    clock: Clock,
    rows: Mutex<VecDeque<EgressRow>>,
}

impl Waiting {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            rows: Mutex::default(),
        }
    }

    fn take(&self) -> Vec<EgressRow> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let some = rows.len().min(TOGETHER);
        rows.drain(..some).collect()
    }

    /// Puts back what could not be written.
    fn put_back(&self, taken: Vec<EgressRow>) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        for row in taken.into_iter().rev() {
            if rows.len() < MAX_WAITING {
                rows.push_front(row);
            }
        }
    }
}

impl DecisionLog for Waiting {
    fn note(&self, decision: Decision) {
        let row = row(decision, &self.clock);
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.len() >= MAX_WAITING {
            rows.pop_front();
        }
        rows.push_back(row);
    }
}

fn row(decision: Decision, clock: &Clock) -> EgressRow {
    EgressRow {
        id: 0,
        at: clock.now(),
        audience: decision.audience.as_str().to_owned(),
        method: decision.method,
        scheme: decision.scheme,
        host: decision.host,
        port: decision.port,
        is_allowed: decision.is_allowed,
        outcome: decision.outcome.to_owned(),
        reason: decision.reason,
        ip: decision.ip.map(|ip| ip.to_string()),
        class: decision.class.map(|class| class.as_str().to_owned()),
        by_proxy: decision.by_proxy,
        status: decision.status,
        sent_bytes: decision.sent_bytes as u64,
        received_bytes: decision.received_bytes as u64,
        elapsed_ms: u64::try_from(decision.elapsed.as_millis()).unwrap_or(u64::MAX),
    }
}

fn view(row: EgressRow) -> EgressView {
    EgressView {
        id: row.id,
        at: row.at,
        audience: row.audience,
        method: row.method,
        scheme: row.scheme,
        host: row.host,
        port: row.port,
        allowed: row.is_allowed,
        outcome: row.outcome,
        reason: row.reason,
        ip: row.ip,
        class: row.class,
        by_proxy: row.by_proxy,
        status_code: row.status,
        sent_bytes: row.sent_bytes,
        received_bytes: row.received_bytes,
        duration_ms: row.elapsed_ms,
    }
}

/// Writes what waits until the engine stops.
pub(crate) async fn run(inner: Arc<Inner>) {
    loop {
        tokio::select! {
            () = inner.stop.cancelled() => return,
            () = tokio::time::sleep(WRITE_EVERY) => {},
        }
        if let Err(error) = write(&inner).await {
            tracing::debug!(error = %error, "outgoing requests are noted later");
        }
    }
}

/// Writes what waits now.
pub(crate) async fn write(inner: &Inner) -> Result<(), StoreError> {
    loop {
        let taken = inner.egress_waiting.take();
        if taken.is_empty() {
            return Ok(());
        }
        let rows = taken.clone();
        let written = inner
            .store
            .write_when_idle(move |tx: &WriteTx<'_>| egress_log::append(tx, &rows))
            .await;
        if let Err(error) = written {
            inner.egress_waiting.put_back(taken);
            return Err(error);
        }
    }
}

impl Engine {
    /// `GET /v1/egress`: newest first. Where an analyst's machine may send is not for agents.
    pub async fn egress_log(
        &self,
        by: &Principal,
        filter: EgressFilter,
        page: PageNumber,
    ) -> Result<Listed<EgressView>, Problem> {
        by.need(Scope::Admin)?;
        by.need_human("reading the log of outgoing requests")?;
        if let Err(error) = write(&self.inner).await {
            // A full disk: what was written before is answered.
            tracing::debug!(error = %error, "outgoing requests are noted later");
        }
        let slice = Slice {
            limit: page.page_size,
            offset: page.offset(),
        };
        let (rows, total) = self
            .inner
            .store
            .read(move |tx| Ok::<_, Problem>(egress_log::page(tx, &filter, slice)?))
            .await?;
        Ok(Listed::counted(rows.into_iter().map(view).collect(), total))
    }
}
