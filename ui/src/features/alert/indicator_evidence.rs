//! What each provider said of an indicator: fields, the rule behind the verdict, and its whole answer.

use calseta_contract::alert::{EnrichmentResultView, IndicatorView};
use calseta_contract::indicator::IndicatorDetail;
use calseta_domain::IndicatorId;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;

use super::indicators::provider_title;
use crate::api::{self, Failure};
use crate::components::{Age, FailureBanner, JsonView, Skeleton};
use crate::state::clock::Clock;
use crate::text::visible;

/// Where it was found, then a panel per provider.
#[component]
pub(super) fn Evidence(id: IndicatorId, indicator: Memo<Option<IndicatorView>>) -> impl IntoView {
    let panels = move || {
        let results = indicator
            .get()
            .map(|one| one.enrichment_results)
            .unwrap_or_default();
        if results.is_empty() {
            return view! {
                <p class="section__none evidence__none">
                    "No provider was asked about it: none is active for its type, or it is a private address."
                </p>
            }
            .into_any();
        }
        let panels = results
            .into_iter()
            .map(|(name, result)| panel(id, &name, result));
        panels.collect_view().into_any()
    };
    view! {
        {move || indicator.get().and_then(|one| found_by(&one)).map(|said| {
            view! { <p class="section__note evidence__none">{said}</p> }
        })}
        {panels}
    }
}

/// Why it is an indicator of this alert at all.
fn found_by(indicator: &IndicatorView) -> Option<String> {
    let from = indicator
        .extracted_from
        .as_deref()
        .filter(|from| !from.is_empty())
        .map(|from| format!(" at {}", visible(from)))
        .unwrap_or_default();
    let said = match indicator.extracted_by.as_deref()? {
        "source_plugin" => "Found by the source's own reader",
        "normalized_mappings" => "Found by a mapping of the normalised fields",
        "raw_payload_mappings" => "Found by a mapping of the raw payload",
        "manual" => "Added by hand",
        other => return Some(format!("Found by {}{from}.", visible(other))),
    };
    Some(format!("{said}{from}."))
}

fn panel(id: IndicatorId, name: &str, result: EnrichmentResultView) -> impl IntoView + use<> {
    let title = provider_title(name);
    let clock = Clock::expect();
    let expires_at = result.expires_at;
    let is_stale = move || expires_at.is_some_and(|at| at.millis() < clock.now());
    let raw = RwSignal::new(false);
    let provider = StoredValue::new(name.to_owned());
    view! {
        <div class="evidence">
            <p class="evidence__head">
                <strong>{title}</strong>
                {result.enriched_at.map(|at| view! { <Age at sentence=true /> })}
                {move || is_stale().then(|| view! { <span class="chip chip--warn">"out of date"</span> })}
                {result.demo.then(|| view! { <span class="chip chip--warn">"demo answer"</span> })}
                <span class="alert-head__space"></span>
                <button
                    type="button"
                    class="toggle"
                    aria-pressed=move || raw.get().to_string()
                    on:click=move |_| raw.update(|raw| *raw = !*raw)
                >
                    "Whole answer"
                </button>
            </p>
            {result
                .malice_rule
                .map(|rule| {
                    view! {
                        <p class="evidence__rule">
                            {format!("{}: {}", result.malice.as_str(), visible(&rule))}
                        </p>
                    }
                })}
            {if result.extracted.is_empty() {
                view! { <p class="section__none">"It answered without any field."</p> }.into_any()
            } else {
                view! { <JsonView value=Value::Object(result.extracted) /> }.into_any()
            }}
            <Show when=move || raw.get()>
                <Whole id provider=provider.get_value() />
            </Show>
        </div>
    }
}

/// The provider's answer as it came; read when somebody asks for it.
#[component]
fn Whole(id: IndicatorId, provider: String) -> impl IntoView {
    let read = RwSignal::new(None::<Result<IndicatorDetail, Failure>>);
    spawn_local(async move {
        let outcome = api::indicator(id).await;
        read.try_set(Some(outcome));
    });
    move || match &*read.read() {
        None => view! { <Skeleton lines=3 /> }.into_any(),
        Some(Err(failure)) => {
            let failure = failure.clone();
            view! { <FailureBanner failure what="The answer could not be read" /> }.into_any()
        }
        Some(Ok(detail)) => {
            let raw = detail
                .enrichment_results
                .get(&provider)
                .and_then(|one| one.raw.clone());
            match raw {
                Some(value) => view! { <JsonView value /> }.into_any(),
                None => {
                    view! { <p class="section__none">"It was not kept: it was too large, or the lookup failed."</p> }
                        .into_any()
                }
            }
        }
    }
}
