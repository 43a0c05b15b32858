//! Jobs in quarantine: work that three times in a row ended the process, broke off or hung. It is kept
//! from being tried again by itself, shown, and tried once more when a person says so.

use std::sync::Arc;

use calseta_contract::job::{JobKindWord, JobView};
use calseta_domain::{JobId, Scope};
use calseta_store::WriteTx;
use calseta_store::tables::enrichment;
use calseta_store::tables::event::Actor;
use calseta_store::tables::job::{self, JobKind, JobRow, Quarantined};
use serde_json::{Map, json};

use crate::changes::Change;
use crate::start::Inner;
use crate::{Engine, Principal, Problem};

/// How long alerts are told that a lookup in quarantine failed: a day. Asking again is a person's.
const FAILED_FOR_MS: i64 = 24 * 3600 * 1000;
/// What is said of such a lookup.
const LOOKUP_QUARANTINED: &str =
    "this lookup ended the program or hung three times; it is in quarantine";

fn view(job: Quarantined) -> JobView {
    JobView {
        uuid: job.uuid,
        kind: match job.kind {
            JobKind::Enrich => JobKindWord::Enrich,
            JobKind::Match => JobKindWord::Match,
        },
        alert_uuid: job.alert,
        subject: job.what,
        provider: job.provider,
        crashes: job.crashes,
        last_error: job.last_error,
        quarantined_at: job.quarantined_at,
        created_at: job.created_at,
    }
}

/// The event of a job that came into quarantine or left it.
fn told(
    tx: &WriteTx<'_>,
    job: &Quarantined,
    (change, state): (&Change, [&str; 2]),
) -> Result<(), Problem> {
    let mut detail = Map::new();
    detail.insert("state".to_owned(), json!(state));
    detail.insert("kind".to_owned(), json!(job.kind.as_str()));
    detail.insert("subject".to_owned(), json!(job.what));
    detail.insert("provider".to_owned(), json!(job.provider));
    detail.insert("crashes".to_owned(), json!(job.crashes));
    detail.insert("reason".to_owned(), json!(job.last_error));
    let object = ("job", Some(job.uuid.uuid()));
    change.append_to(tx, "job.updated", object, job.alert, detail)
}

/// Gives the jobs that came into quarantine an id and an event. A lookup counts as failed, so that
/// its alerts go on without it.
pub(crate) async fn note_new(inner: &Arc<Inner>) -> Result<(), Problem> {
    let (ids, now) = (inner.ids, inner.clock.now());
    inner
        .store
        .write_at("quarantine", move |tx: &WriteTx<'_>| {
            let change = Change {
                actor: Actor::system(),
                at: now,
            };
            for job in job::name_new(tx, || ids.next())? {
                tracing::error!(
                    job.kind = job.kind.as_str(),
                    job.crashes,
                    "a job is in quarantine"
                );
                if job.kind == JobKind::Enrich {
                    let until = now.plus_millis(FAILED_FOR_MS);
                    let key = (job.subject, job.object);
                    enrichment::store_failure(tx, key, LOOKUP_QUARANTINED, until)?;
                    job::release_matches(tx, job.subject, now)?;
                }
                told(tx, &job, (&change, ["ready", "quarantined"]))?;
            }
            Ok::<_, Problem>(())
        })
        .await
}

/// Puts a job back whose work broke off, or into quarantine.
pub(crate) async fn broke_off(inner: &Arc<Inner>, job: JobRow, wait_ms: i64, why: String) {
    tracing::error!(
        job.kind = job.kind.as_str(),
        error = why,
        "a job broke off; trying again"
    );
    let (boot, now) = (inner.store.boot(), inner.clock.now());
    let times = (now.plus_millis(wait_ms), now);
    let stored = inner
        .store
        .write(move |tx: &WriteTx<'_>| {
            Ok::<_, Problem>(job::broke_off(tx, &job, boot, times, &why)?)
        })
        .await;
    let noted = match stored {
        Ok(_) => note_new(inner).await,
        Err(problem) => Err(problem),
    };
    if let Err(problem) = noted {
        tracing::error!(
            error = problem.message,
            "a job that broke off could not be put back; it is after its lease"
        );
    }
}

impl Engine {
    /// `GET /v1/jobs`: what is in quarantine, the newest first.
    pub async fn quarantined_jobs(&self) -> Result<Vec<JobView>, Problem> {
        self.inner
            .store
            .read(|tx| {
                let jobs = job::quarantined(tx)?;
                Ok::<_, Problem>(jobs.into_iter().map(view).collect())
            })
            .await
    }

    /// `POST /v1/jobs/{uuid}/release`: tried once more, now.
    pub async fn release_job(&self, by: &Principal, id: JobId) -> Result<JobView, Problem> {
        by.need(Scope::Admin)?;
        by.need_human("releasing a job from quarantine")?;
        let change = self.change(by);
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let job = job::release(tx, id, change.at)?;
                let job = job.ok_or_else(|| Problem::not_found("job"))?;
                told(tx, &job, (&change, ["quarantined", "ready"]))?;
                Ok::<_, Problem>(view(job))
            })
            .await
    }
}
