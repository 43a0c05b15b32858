//! Indicators with what each provider said, and what it could not say.

use calseta_contract::alert::{EnrichmentResultView, IndicatorView};
use calseta_domain::{IndicatorId, IndicatorType};
use leptos::prelude::*;
use serde_json::{Map, Value};

use super::indicator_add::AddIndicators;
use super::indicator_evidence::Evidence;
use super::indicator_verdict::Override;
use super::open_alert::OpenAlert;
use crate::components::{Button, ButtonKind, Indicator, ProviderChip, Section, VerdictChip};
use crate::text::{capital, visible};

/// A value that at most so many alerts have is rare; the backend's relations say the same.
const RARE_ALERTS: u64 = 5;
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
                        <IndicatorRow open id indicator=find(id) />
                    </For>
                </ul>
            </Show>
            <AddIndicators open />
        </Section>
    }
}

#[component]
fn IndicatorRow(
    open: OpenAlert,
    id: IndicatorId,
    indicator: Memo<Option<IndicatorView>>,
) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let overriding = RwSignal::new(false);
    view! {
        <li id=format!("indicator-{id}") class="indicators__item" tabindex="-1">
            {move || indicator.get().map(|indicator| view! { <Line indicator is_open overriding /> })}
            <Show when=move || is_open.get()>
                <Evidence id indicator />
            </Show>
            <Show when=move || overriding.get()>
                <Override indicator on_done=move |changed: bool| {
                    overriding.set(false);
                    if changed {
                        open.reload();
                    }
                } />
            </Show>
        </li>
    }
}

#[component]
fn Line(
    indicator: IndicatorView,
    is_open: RwSignal<bool>,
    overriding: RwSignal<bool>,
) -> impl IntoView {
    let results = indicator.enrichment_results.clone();
    let chips = results.clone().into_iter().map(chip).collect_view();
    let by = indicator.malice_override_source.clone();
    let overridden = by.map(|by| {
        let who = if by == "agent" {
            "an agent"
        } else {
            "an analyst"
        };
        format!("set by {who}")
    });
    view! {
        <div class="indicators__line">
            <span class="indicators__kind">{kind_word(indicator.kind)}</span>
            <Indicator value=indicator.value.clone() />
            <span class="indicators__verdict">
                <VerdictChip mark=indicator.malice word=indicator.malice.as_str() />
                {overridden.map(|said| view! { <span class="indicators__override">{said}</span> })}
            </span>
            <span class="indicators__chips">
                {seen(&indicator)}
                {chips}
            </span>
            <span class="indicators__verbs">
                <Unfold is_open />
                <Button label="Verdict…" kind=ButtonKind::Quiet on_press=move |()| overriding.set(true) />
            </span>
        </div>
        <Failures results=results.into_iter().collect() />
    }
}

/// `in 12 alerts`; a value that few alerts have is worth a second look.
fn seen(indicator: &IndicatorView) -> Option<impl IntoView + use<>> {
    let count = indicator.alert_count;
    (count > 0).then(|| {
        let said = match count {
            1 => "only here".to_owned(),
            count => format!("in {count} alerts"),
        };
        let rare = (2..=RARE_ALERTS).contains(&count);
        view! {
            <span class="chip chip--quiet" class:indicators__rare=rare title="Alerts that have this value">
                {said}
            </span>
        }
    })
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
            {move || if is_open.get() { "Hide evidence" } else { "Evidence" }}
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

/// The type in a narrow column: a hash is known by its algorithm.
fn kind_word(kind: IndicatorType) -> &'static str {
    let word = kind.as_str();
    word.strip_prefix("hash_").unwrap_or(word)
}

/// A provider's name as its makers write it.
pub(super) fn provider_title(name: &str) -> String {
    match name {
        "virustotal" => "VirusTotal".to_owned(),
        "abuseipdb" => "AbuseIPDB".to_owned(),
        "okta" => "Okta".to_owned(),
        "entra" => "Entra ID".to_owned(),
        other => capital(&visible(other).replace('_', " ")),
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
