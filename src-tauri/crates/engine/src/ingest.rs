//! Ingest: from the sender's bytes to a stored alert with its first job, in one transaction.
//!
//! Everything that can be decided without the store is decided before it. The transaction holds
//! dedup check, alert, rule, indicators, links, event and jobs, so a 202 promises all of them.

use std::sync::{Arc, PoisonError};

use calseta_contract::ingest::{IngestStatus, IngestView};
use calseta_domain::normalise::verbatim;
use calseta_domain::{
    AlertId, AlertStatus, ErrorCode, ExtractedIndicator, Indicator, JsonRefusal, NormalisedAlert,
    Pass, RejectId, Timestamp, extract, fingerprint, json, normalise,
};
use calseta_store::WriteTx;
use calseta_store::tables::alert::{self, DedupHead, NewAlert};
use calseta_store::tables::event::{self, Actor, NewEvent};
use calseta_store::tables::job::{self, JobKind};
use calseta_store::tables::{detection_rule, enrichment, indicator, reject};
use http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::clock::Ids;
use crate::idempotency::{self, Once};
use crate::providers::ProviderSet;
use crate::sources::Source;
use crate::start::Inner;
use crate::{Engine, Principal, Problem, RequestKey, rejects, signed, suppressions};

/// Seconds after which a paused source is worth another try.
const PAUSED_RETRY_SECS: u64 = 60;
/// Alerts in one body, as vendors bundle them.
const MAX_ALERTS_PER_BODY: usize = 500;

/// An alert that is ready to be stored.
struct Prepared {
    uuid: AlertId,
    source_name: String,
    alert: NormalisedAlert,
    indicators: Vec<ExtractedIndicator>,
    fingerprint: [u8; 32],
    raw: String,
    now: Timestamp,
}

/// What the transaction needs besides the alert.
struct Around {
    actor: Actor,
    providers: Arc<ProviderSet>,
    dedup_window_ms: i64,
    budget_ms: i64,
    ids: Ids,
    inner: Arc<Inner>,
}

/// A refused body in our words.
pub(crate) fn refused(error: &JsonRefusal) -> Problem {
    match error {
        JsonRefusal::Syntax { .. } => Problem::new(
            ErrorCode::InvalidJson,
            format!("the body is no JSON: {error}"),
        ),
        JsonRefusal::TooDeep { max } => {
            Problem::new(ErrorCode::PayloadTooDeep, error.to_string()).with("max_depth", *max)
        }
        JsonRefusal::Nul | JsonRefusal::NotAnObject => {
            Problem::new(ErrorCode::InvalidPayload, error.to_string())
        }
    }
}

impl Engine {
    /// Accepts a payload of a source: one view an alert in it, nearly always one. The flag says
    /// whether the answer is a replay of the first.
    pub async fn ingest(
        &self,
        by: &Principal,
        source_name: &str,
        body: &[u8],
        key: Option<RequestKey>,
    ) -> Result<(Vec<IngestView>, bool), Problem> {
        self.receive(by, source_name, body, (key, None)).await
    }

    /// As [`Engine::ingest`], from the source itself: its signature is checked too.
    pub async fn ingest_signed(
        &self,
        by: &Principal,
        source_name: &str,
        body: &[u8],
        key: Option<RequestKey>,
        headers: &HeaderMap,
    ) -> Result<(Vec<IngestView>, bool), Problem> {
        self.receive(by, source_name, body, (key, Some(headers)))
            .await
    }

    async fn receive(
        &self,
        by: &Principal,
        source_name: &str,
        body: &[u8],
        (key, headers): (Option<RequestKey>, Option<&HeaderMap>),
    ) -> Result<(Vec<IngestView>, bool), Problem> {
        self.known_source(source_name)?;
        by.need_source(source_name)?;
        let source = self.open_source(source_name)?;
        let signed = headers.map_or(Ok(()), |headers| {
            signed::check(&self.inner, &source, body, headers)
        });
        let accepted = match signed {
            Ok(()) => self.accept(by, &source, body, key, None).await,
            Err(problem) => Err(problem),
        };
        if let Err(problem) = &accepted
            && rejects::is_kept(problem.code)
        {
            self.keep_reject(by, &source, body, problem).await;
        }
        accepted
    }

    /// The pipeline behind every way in. A reject that is accepted now goes in the same transaction.
    pub(crate) async fn accept(
        &self,
        by: &Principal,
        source: &Source,
        body: &[u8],
        key: Option<RequestKey>,
        replayed: Option<RejectId>,
    ) -> Result<(Vec<IngestView>, bool), Problem> {
        let now = self.inner.clock.now();
        let prepared = self.prepare(source, body, now)?;
        let around = Around {
            actor: self.actor(by),
            providers: self.inner.provider_set(),
            dedup_window_ms: self.inner.dedup_window_ms(),
            budget_ms: self.inner.budget_ms(),
            ids: self.inner.ids,
            inner: Arc::clone(&self.inner),
        };
        let by = by.clone();
        let once = self
            .inner
            .store
            .write_at("ingest", move |tx: &WriteTx<'_>| {
                if let Some(first) = idempotency::replay(tx, &by, key.as_ref(), now)? {
                    return Ok::<_, Problem>(Once::Replayed(first));
                }
                let views = prepared
                    .iter()
                    .map(|alert| store(tx, alert, &around))
                    .collect::<Result<Vec<_>, _>>()?;
                idempotency::remember(tx, &by, key.as_ref(), (202, &views), now)?;
                if let Some(reject) = replayed {
                    reject::delete(tx, reject)?;
                }
                Ok(Once::Fresh(views))
            })
            .await?;
        Ok(match once {
            Once::Fresh(views) => (views, false),
            Once::Replayed(views) => (views, true),
        })
    }

    /// A source that takes alerts now.
    pub(crate) fn open_source(&self, source_name: &str) -> Result<Arc<Source>, Problem> {
        let source = self.known_source(source_name)?;
        let why = if self.inner.is_paused() {
            "taking in alerts is paused in the settings; send again later"
        } else if source.is_active {
            return Ok(source);
        } else {
            "this source is switched off; send again when it is on"
        };
        Err(Problem::new(ErrorCode::IngestPaused, why).after(PAUSED_RETRY_SECS))
    }

    fn known_source(&self, source_name: &str) -> Result<Arc<Source>, Problem> {
        self.inner.source(source_name).ok_or_else(|| {
            let known = self.inner.source_names();
            Problem::new(
                ErrorCode::UnknownSource,
                format!(
                    "there is no source {source_name:?}; known: {}",
                    known.join(", ")
                ),
            )
            .with("known_sources", known)
        })
    }

    fn prepare(
        &self,
        source: &Source,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Vec<Prepared>, Problem> {
        let plugin = source.plugin;
        let raw = json::text(body).map_err(|error| refused(&error))?;
        let payload: Value =
            serde_json::from_str(raw).map_err(|error| refused(&json::from_serde(&error)))?;
        if !(payload.is_object() || payload.is_array()) {
            return Err(refused(&JsonRefusal::NotAnObject));
        }
        let documents = normalise::split(plugin, &payload);
        if documents.len() > MAX_ALERTS_PER_BODY {
            return Err(Problem::new(
                ErrorCode::InvalidPayload,
                format!(
                    "the body carries {} alerts; send at most {MAX_ALERTS_PER_BODY} at once",
                    documents.len()
                ),
            ));
        }
        if let [_] | [] = documents[..] {
            let one = self.prepare_one(source, &payload, raw.to_owned(), now)?;
            return Ok(vec![one]);
        }
        // A vendor's bundle: nothing of it may be lost, so each becomes an alert of its own.
        let texts = verbatim::entries(plugin, raw).unwrap_or_default();
        documents
            .into_iter()
            .enumerate()
            .map(|(n, document)| {
                let text = texts.get(n).map(|text| text.get());
                let text = own_text(document, text);
                self.prepare_one(source, document, text, now)
            })
            .collect()
    }

    fn prepare_one(
        &self,
        source: &Source,
        payload: &Value,
        raw: String,
        now: Timestamp,
    ) -> Result<Prepared, Problem> {
        let source_name = source.name.as_str();
        let alert = source
            .normalise(payload)
            .map_err(|error| Problem::new(ErrorCode::InvalidPayload, error.message))?;
        let mappings = Arc::clone(
            &self
                .inner
                .mappings
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        );
        let indicators = extract::extract(source_name, &alert, payload, &mappings);
        let values: Vec<Indicator> = indicators.iter().map(|i| i.indicator.clone()).collect();
        Ok(Prepared {
            uuid: self.inner.ids.next(),
            fingerprint: fingerprint(&alert.title, source_name, &values),
            source_name: source_name.to_owned(),
            alert,
            indicators,
            raw,
            now,
        })
    }
}

/// The sender's text of a document, when it is that document's; else the document written anew.
fn own_text(document: &Value, text: Option<&str>) -> String {
    text.filter(|text| serde_json::from_str::<Value>(text).is_ok_and(|value| value == *document))
        .map_or_else(|| document.to_string(), str::to_owned)
}

fn store(tx: &WriteTx<'_>, new: &Prepared, around: &Around) -> Result<IngestView, Problem> {
    let head = alert::dedup_head(tx, new.fingerprint)?;
    let repeated = head.filter(|head| repeats(head, new.now, around.dedup_window_ms));
    if let Some(head) = repeated {
        return count_duplicate(tx, new, &head, around);
    }
    if let Some(head) = head {
        alert::retire_head(tx, head.id)?;
    }
    let recurrence_of = head.filter(|head| head.status == AlertStatus::Closed);
    let row = insert(tx, new, recurrence_of.map(|head| head.id), around)?;
    let waits = link_and_enqueue(tx, new, row, around)?;
    let run_at = if waits {
        new.now.plus_millis(around.budget_ms)
    } else {
        new.now
    };
    job::insert(tx, JobKind::Match, (row, 0), run_at, new.now)?;
    let mut detail = Map::new();
    detail.insert("source_name".to_owned(), json!(new.source_name));
    detail.insert("severity".to_owned(), json!(new.alert.severity));
    detail.insert("title".to_owned(), json!(new.alert.title));
    if let Some(head) = recurrence_of {
        detail.insert("duplicate_of".to_owned(), json!(head.uuid));
    }
    if let Some(hidden_by) = suppressions::hide(tx, &around.inner.suppressing, row, new.now)? {
        detail.insert("suppressed_by".to_owned(), json!([null, hidden_by]));
    }
    append(tx, new, around, ("alert.created", new.uuid), detail)?;
    Ok(IngestView {
        alert_uuid: new.uuid,
        status: IngestStatus::Queued,
        is_duplicate: false,
        duplicate_count: None,
    })
}

/// The window runs from the last sighting; a closed alert never swallows a recurrence.
fn repeats(head: &DedupHead, now: Timestamp, window_ms: i64) -> bool {
    head.status != AlertStatus::Closed && head.last_seen_at.plus_millis(window_ms) > now
}

fn count_duplicate(
    tx: &WriteTx<'_>,
    new: &Prepared,
    head: &DedupHead,
    around: &Around,
) -> Result<IngestView, Problem> {
    alert::count_duplicate(tx, head.id, new.alert.severity, new.now)?;
    let count = head.duplicate_count + 1;
    let mut detail = Map::new();
    detail.insert("duplicate_count".to_owned(), json!(count));
    append(tx, new, around, ("alert.duplicated", head.uuid), detail)?;
    if new.alert.severity > head.severity {
        let mut detail = Map::new();
        detail.insert(
            "severity".to_owned(),
            json!([head.severity, new.alert.severity]),
        );
        let raised = alert::by_row(tx, head.id)?;
        // What hid the less severe one may not hide this.
        let was = raised.as_ref().and_then(|row| row.suppressed_by);
        let suppressing = &around.inner.suppressing;
        let hidden_by = suppressions::judge_again(tx, suppressing, (head.id, was), new.now)?;
        if hidden_by != was {
            detail.insert("suppressed_by".to_owned(), json!([was, hidden_by]));
        }
        append(tx, new, around, ("alert.updated", head.uuid), detail)?;
        // A filter with min_severity may match now: agents are told of the raised alert.
        if raised.is_some_and(|alert| alert.enriched_at.is_some()) {
            alert::next_generation(tx, head.id)?;
            job::insert(tx, JobKind::Match, (head.id, 0), new.now, new.now)?;
        }
    }
    Ok(IngestView {
        alert_uuid: head.uuid,
        status: IngestStatus::Deduplicated,
        is_duplicate: true,
        duplicate_count: Some(count),
    })
}

fn insert(
    tx: &WriteTx<'_>,
    new: &Prepared,
    duplicate_of: Option<i64>,
    around: &Around,
) -> Result<i64, Problem> {
    let rule = match &new.alert.rule {
        Some(rule) => {
            let id = around.ids.next();
            Some(detection_rule::link(
                tx,
                id,
                &new.source_name,
                rule,
                new.now,
            )?)
        }
        None => None,
    };
    Ok(alert::insert(
        tx,
        &NewAlert {
            uuid: new.uuid,
            title: &new.alert.title,
            description: new.alert.description.as_deref(),
            severity: new.alert.severity,
            source_name: &new.source_name,
            source_url: new.alert.source_url.as_deref(),
            occurred_at: new.alert.occurred_at.unwrap_or(new.now),
            ingested_at: new.now,
            fingerprint: new.fingerprint,
            duplicate_of,
            rule,
            tags: &new.alert.tags,
            raw_payload: &new.raw,
        },
    )?)
}

/// Stores the indicators and asks the providers that have no fresh answer. Whether any was asked.
fn link_and_enqueue(
    tx: &WriteTx<'_>,
    new: &Prepared,
    row: i64,
    around: &Around,
) -> Result<bool, Problem> {
    let mut waits = false;
    for found in &new.indicators {
        let indicator = indicator::upsert(tx, around.ids.next(), &found.indicator, new.now)?;
        indicator::link(tx, row, indicator, pass_word(found.pass), &found.path)?;
        for provider in around.providers.applicable(&found.indicator) {
            if enrichment::is_fresh(tx, indicator, provider, new.now)? {
                continue;
            }
            waits = true;
            job::insert(tx, JobKind::Enrich, (indicator, provider), new.now, new.now)?;
        }
    }
    Ok(waits)
}

pub(crate) const fn pass_word(pass: Pass) -> &'static str {
    match pass {
        Pass::SourcePlugin => "source_plugin",
        Pass::NormalisedMapping => "normalized_mappings",
        Pass::RawPayloadMapping => "raw_payload_mappings",
    }
}

fn append(
    tx: &WriteTx<'_>,
    new: &Prepared,
    around: &Around,
    (kind, alert): (&str, AlertId),
    detail: Map<String, Value>,
) -> Result<(), Problem> {
    event::append(
        tx,
        NewEvent {
            at: new.now,
            actor: &around.actor,
            kind,
            object: ("alert", Some(alert.uuid())),
            alert: Some(alert),
            detail,
        },
    )?;
    Ok(())
}
