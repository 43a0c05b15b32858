//! `POST /v1/enrichments`: what the providers say of an indicator, for somebody who waits.
//!
//! Answers that are fresh are taken from where alerts' lookups left them, or from what was asked
//! here before; nothing is stored on any indicator.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use calseta_contract::enrichment::{EnrichmentRequest, EnrichmentView, OnDemandResult};
use calseta_domain::{Indicator, Malice, Timestamp};
use calseta_store::tables::enrichment::EnrichmentRow;
use calseta_store::tables::{enrichment, indicator};
use tokio::task::JoinSet;

use crate::providers::lookup::{Lookup, Needs, look_up_now};
use crate::providers::trace::Trace;
use crate::providers::{Provider, parse_indicator};
use crate::start::Inner;
use crate::{Engine, Problem};

/// Answers of one provider that are kept for the next question; more empties the cache.
const KEPT_ANSWERS: usize = 1_000;

/// Answers to questions about indicators that no alert has.
#[derive(Debug, Default)]
pub(crate) struct KnownAnswers(Mutex<HashMap<Indicator, (Timestamp, OnDemandResult)>>);

impl KnownAnswers {
    fn get(&self, indicator: &Indicator, now: Timestamp) -> Option<OnDemandResult> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (expires_at, answer) = known.get(indicator)?;
        (*expires_at > now).then(|| answer.clone())
    }

    fn put(&self, indicator: Indicator, expires_at: Timestamp, answer: OnDemandResult) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT_ANSWERS {
            known.clear();
        }
        known.insert(indicator, (expires_at, answer));
    }
}

fn failed(status: &str, error: String) -> OnDemandResult {
    OnDemandResult {
        status: status.to_owned(),
        success: false,
        extracted: None,
        malice: Malice::Pending,
        enriched_at: None,
        error_message: Some(error),
        cache_hit: false,
        demo: false,
    }
}

fn stored(row: EnrichmentRow) -> OnDemandResult {
    OnDemandResult {
        status: "success".to_owned(),
        success: true,
        extracted: Some(row.extracted),
        malice: row.malice,
        enriched_at: row.enriched_at,
        error_message: None,
        cache_hit: true,
        demo: row.is_demo,
    }
}

fn asked(lookup: Lookup, now: Timestamp) -> OnDemandResult {
    match lookup {
        Lookup::Answered {
            extracted,
            malice,
            demo,
            ..
        } => OnDemandResult {
            status: "success".to_owned(),
            success: true,
            extracted: Some(extracted),
            malice,
            enriched_at: Some(now),
            error_message: None,
            cache_hit: false,
            demo,
        },
        Lookup::Again { error, .. } | Lookup::Failed { error, .. } => failed("failed", error),
    }
}

/// What alerts' lookups left, and what a lookup needs, by provider row.
type Found = (HashMap<i64, EnrichmentRow>, Vec<(Arc<Provider>, Needs)>);

impl Engine {
    /// Asks every provider that can say something about the indicator.
    pub async fn enrich_now(&self, request: EnrichmentRequest) -> Result<EnrichmentView, Problem> {
        let kind = request.kind.or(request.indicator_type).unwrap_or_default();
        let value = request
            .value
            .or(request.indicator_value)
            .unwrap_or_default();
        let indicator = parse_indicator(&kind, &value)?;
        let now = self.inner.clock.now();
        let set = self.inner.provider_set();
        let providers: Vec<_> = set
            .all()
            .filter(|provider| provider.answers(indicator.kind))
            .cloned()
            .collect();
        let mut results = BTreeMap::new();
        let mut message = providers.is_empty().then(|| {
            let kind = indicator.kind;
            format!("no provider that can say something about {kind} is active and configured")
        });
        match calseta_domain::indicator::enrichable(indicator.kind, &indicator.value) {
            Ok(()) => {
                let (known, asked) = self.known(&indicator, providers, now).await?;
                results = ask_all(&self.inner, &indicator, known, asked).await;
            }
            Err(reason) => {
                message = Some(format!("Enrichment skipped: {reason}"));
                for provider in providers {
                    let skipped = failed("skipped", format!("Enrichment skipped: {reason}"));
                    results.insert(provider.row.name.clone(), skipped);
                }
            }
        }
        Ok(EnrichmentView {
            malice: Malice::worst(results.values().map(|result| result.malice)),
            kind: indicator.kind,
            value: indicator.value,
            results,
            message,
            enriched_at: now,
        })
    }

    async fn known(
        &self,
        indicator: &Indicator,
        providers: Vec<Arc<Provider>>,
        now: Timestamp,
    ) -> Result<Found, Problem> {
        let indicator = indicator.clone();
        self.inner
            .store
            .read(move |tx| {
                let row = indicator::find(tx, &indicator)?;
                let rows = row.map(|row| enrichment::of_indicators(tx, &[row.id]));
                let fresh = rows.transpose()?.unwrap_or_default().into_iter();
                let fresh = fresh.filter(|row| row.success && row.expires_at > now);
                let fresh = fresh.map(|row| (row.provider, row)).collect();
                let needs = providers.into_iter().map(|provider| {
                    let needs = Needs::read(tx, &provider)?;
                    Ok::<_, Problem>((provider, needs))
                });
                Ok((fresh, needs.collect::<Result<Vec<_>, _>>()?))
            })
            .await
    }
}

async fn ask_all(
    inner: &Arc<Inner>,
    indicator: &Indicator,
    mut fresh: HashMap<i64, EnrichmentRow>,
    providers: Vec<(Arc<Provider>, Needs)>,
) -> BTreeMap<String, OnDemandResult> {
    let mut results = BTreeMap::new();
    let mut asking = JoinSet::new();
    for (provider, needs) in providers {
        let now = inner.clock.now();
        if let Some(row) = fresh.remove(&provider.row.id) {
            results.insert(provider.row.name.clone(), stored(row));
        } else if let Some(mut answer) = provider.known.get(indicator, now) {
            answer.cache_hit = true;
            results.insert(provider.row.name.clone(), answer);
        } else {
            let (inner, indicator) = (Arc::clone(inner), indicator.clone());
            asking.spawn(async move {
                let mut trace = Trace::default();
                let lookup = look_up_now(&inner, &provider, &indicator, &needs, &mut trace).await;
                let now = inner.clock.now();
                let answer = asked(lookup, now);
                if answer.success {
                    let expires_at = now.plus_millis(provider.ttl_ms(indicator.kind));
                    provider.known.put(indicator, expires_at, answer.clone());
                }
                (provider.row.name.clone(), answer)
            });
        }
    }
    while let Some(answered) = asking.join_next().await {
        match answered {
            Ok((name, answer)) => drop(results.insert(name, answer)),
            Err(error) => tracing::error!(error = %error, "a lookup on demand broke off"),
        }
    }
    results
}
