//! `POST /v1/enrichment-providers/{uuid}/test`: what is sent and answered, step by step. The cache
//! and the gate for private addresses are passed by; the quota and the outbound rules are not.

use calseta_contract::provider::{ProviderTestRequest, ProviderTestView};
use calseta_domain::{Indicator, IndicatorType, ProviderId};

use super::lookup::{Lookup, Needs, look_up_now};
use super::trace::Trace;
use crate::{Engine, Principal, Problem};

impl Engine {
    /// Asks a provider for a person, whether it is active or not. Nothing is stored.
    pub async fn test_provider(
        &self,
        by: &Principal,
        id: ProviderId,
        request: ProviderTestRequest,
    ) -> Result<ProviderTestView, Problem> {
        by.need_human("testing an enrichment provider")?;
        let provider = self.parsed_provider(id)?;
        let indicator = indicator(&request.indicator_type, &request.indicator_value)?;
        let asked = std::sync::Arc::clone(&provider);
        let needs = self
            .inner
            .store
            .read(move |tx| Needs::read(tx, &asked))
            .await?;
        let started = self.inner.clock.now();
        let mut trace = Trace::on();
        let lookup = look_up_now(&self.inner, &provider, &indicator, &needs, &mut trace).await;
        let took = self.inner.clock.now().millis() - started.millis();
        let mut view = ProviderTestView {
            success: false,
            provider_name: provider.row.name.clone(),
            indicator_type: indicator.kind,
            indicator_value: indicator.value.clone(),
            extracted: None,
            malice: None,
            raw_response: None,
            error_message: None,
            duration_ms: u64::try_from(took).unwrap_or(0),
            steps: Vec::new(),
        };
        match lookup {
            Lookup::Answered {
                extracted,
                malice,
                raw,
                ..
            } => {
                view.success = true;
                let extracted = trace.masked(&extracted.into());
                view.extracted = extracted.as_object().cloned();
                view.malice = Some(malice);
                let raw = raw.and_then(|raw| serde_json::from_str(&raw).ok());
                view.raw_response = raw.map(|raw| trace.masked(&raw));
            }
            Lookup::Again { error, .. } | Lookup::Failed { error, .. } => {
                view.error_message = Some(error);
            }
        }
        view.steps = trace.into_steps(&indicator.value);
        Ok(view)
    }
}

/// An indicator of a request, in its canonical form.
pub(crate) fn indicator(kind: &str, value: &str) -> Result<Indicator, Problem> {
    let kind: IndicatorType = kind
        .parse()
        .map_err(|_| Problem::word("type", "indicator type", kind, IndicatorType::WORDS))?;
    Indicator::new(kind, value)
        .ok_or_else(|| Problem::field("value", format!("is no indicator of type {kind}")))
}
