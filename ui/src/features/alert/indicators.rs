//! Indicators with what each provider said, and what it could not say.

use calseta_contract::alert::{EnrichmentResultView, IndicatorView};
use calseta_domain::{IndicatorId, IndicatorType};
use leptos::prelude::*;
use serde_json::{Map, Value};

use super::open_alert::OpenAlert;
use crate::components::{Age, Indicator, JsonView, ProviderChip, Section, VerdictChip};
use crate::text::visible;

/// Extracted fields whose number says most, best first.
const TELLING: [&str; 6] = [
    "malicious_count",
    "abuse_confidence_score",
    "risk_score",
    "score",
    "reputation",
    "status",
];

/// Every indicator of the alert.
#[component]
pub(super) fn Indicators(open: OpenAlert) -> impl IntoView {
    let all = open.slice(|detail| detail.view.indicators.clone());
    let ids = Memo::new(move |_| {
        all.with(|all| {
            all.iter()
                .flatten()
                .map(|i| i.uuid)
                .collect::<Vec<IndicatorId>>()
        })
    });
    let pending = open.slice(|detail| detail.metadata.enrichment.pending.clone());
    let find = move |id: IndicatorId| {
        Memo::new(move |_| all.with(|all| all.iter().flatten().find(|i| i.uuid == id).cloned()))
    };
    view! {
        <Section number=2 title="Indicators" count=Signal::derive(move || Some(ids.with(Vec::len)))>
            {move || {
                pending
                    .get()
                    .filter(|names| !names.is_empty())
                    .map(|names| {
                        let names: Vec<String> = names.iter().map(|n| provider_title(n)).collect();
                        view! {
                            <p class="section__note" role="status">
                                {format!("Waiting for {}", names.join(", "))}
                            </p>
                        }
                    })
            }}
            <Show
                when=move || ids.with(|ids| !ids.is_empty())
                fallback=|| {
                    view! {
                        <p class="section__none">
                            "None were found in the payload. Indicators come from the source's fields and its mappings."
                        </p>
                    }
                }
            >
                <ul class="indicators">
                    <For each=move || ids.get() key=|id| *id let:id>
                        <IndicatorRow indicator=find(id) />
                    </For>
                </ul>
            </Show>
        </Section>
    }
}

#[component]
fn IndicatorRow(indicator: Memo<Option<IndicatorView>>) -> impl IntoView {
    let is_open = RwSignal::new(false);
    move || {
        indicator.get().map(|indicator| {
            let results = indicator.enrichment_results.clone();
            let has_more = !results.is_empty();
            let chips = results.clone().into_iter().map(chip).collect_view();
            view! {
                <li class="indicators__item">
                    <div class="indicators__line">
                        <span class="indicators__kind">{kind_word(indicator.kind)}</span>
                        <Indicator value=indicator.value.clone() />
                        <span class="indicators__verdict">
                            <VerdictChip mark=indicator.malice word=indicator.malice.as_str() />
                        </span>
                        <span class="indicators__chips">{chips}</span>
                        {has_more.then(|| view! { <Unfold is_open /> })}
                    </div>
                    <Failures results=results.clone().into_iter().collect() />
                    {move || is_open.get().then(|| results.clone().into_iter().map(evidence).collect_view())}
                </li>
            }
        })
    }
}

#[component]
fn Unfold(is_open: RwSignal<bool>) -> impl IntoView {
    view! {
        <button
            type="button"
            class="button button--quiet indicators__unfold"
            aria-expanded=move || is_open.get().to_string()
            on:click=move |_| is_open.update(|open| *open = !*open)
        >
            {move || if is_open.get() { "Hide fields" } else { "Fields" }}
        </button>
    }
}

fn chip((name, result): (String, EnrichmentResultView)) -> impl IntoView {
    let figure = figure(&result.extracted);
    view! { <ProviderChip name=provider_title(&name) figure result /> }
}

/// Failures are evidence too: who could not say anything, and why.
#[component]
fn Failures(results: Vec<(String, EnrichmentResultView)>) -> impl IntoView {
    results
        .into_iter()
        .filter(|(_, result)| !result.success)
        .map(|(name, result)| {
            let why = result.error.unwrap_or_else(|| "no reason given".to_owned());
            view! {
                <p class="indicators__failure">
                    {format!("{}: {}", provider_title(&name), visible(&why))}
                </p>
            }
        })
        .collect_view()
}

fn evidence((name, result): (String, EnrichmentResultView)) -> impl IntoView {
    let at = result.enriched_at;
    view! {
        <div class="evidence">
            <p class="evidence__head">
                <strong>{provider_title(&name)}</strong>
                {at.map(|at| view! { <Age at sentence=true /> })}
                {result.demo.then(|| view! { <span class="chip chip--warn">"demo answer"</span> })}
            </p>
            {if result.extracted.is_empty() {
                view! { <p class="section__none">"It answered without any field."</p> }.into_any()
            } else {
                view! { <JsonView value=Value::Object(result.extracted) /> }.into_any()
            }}
        </div>
    }
}

/// The type in a narrow column: a hash is known by its algorithm.
fn kind_word(kind: IndicatorType) -> &'static str {
    let word = kind.as_str();
    word.strip_prefix("hash_").unwrap_or(word)
}

/// A provider's name as its makers write it.
fn provider_title(name: &str) -> String {
    match name {
        "virustotal" => "VirusTotal".to_owned(),
        "abuseipdb" => "AbuseIPDB".to_owned(),
        "okta" => "Okta".to_owned(),
        "entra" => "Entra ID".to_owned(),
        other => visible(other).into_owned(),
    }
}

/// The most telling number or word among the extracted fields.
fn figure(extracted: &Map<String, Value>) -> Option<String> {
    TELLING
        .iter()
        .find_map(|field| match extracted.get(*field)? {
            Value::Number(number) => Some(number.to_string()),
            Value::String(word) if !word.is_empty() => Some(word.clone()),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_most_telling_field_is_chosen() {
        let extracted = json!({ "country": "DE", "abuse_confidence_score": 97 });
        let extracted = extracted.as_object().expect("an object");
        assert_eq!(figure(extracted).as_deref(), Some("97"));
        assert_eq!(figure(&Map::new()), None);
    }
}
