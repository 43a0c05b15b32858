//! What agents and people concluded. Shown as it was sent; a verdict is never read out of prose.

use calseta_contract::finding::{FindingView, ProposedAction, Usage};
use calseta_domain::FindingId;
use leptos::prelude::*;
use serde_json::Value;

use super::open_alert::OpenAlert;
use crate::components::{Age, Glyph, Icon, JsonView, Section, VerdictChip, verdict_of};
use crate::text::{clip, visible, visible_lines};

/// A summary longer than this is folded.
const SUMMARY_CHARS: usize = 1_200;

/// Every finding, newest first.
#[component]
pub(super) fn Findings(open: OpenAlert) -> impl IntoView {
    let all = open.slice(|detail| {
        let mut findings = detail.view.agent_findings.clone();
        findings.reverse();
        findings
    });
    let count = Signal::derive(move || all.with(|all| all.as_ref().map(Vec::len)));
    let waiting = move || open.deliveries().iter().any(|d| d.state == "delivered");
    // A finding never changes: its id is all that decides whether its card is painted.
    let key = |finding: &FindingView| -> FindingId { finding.uuid };
    view! {
        <Section number=3 title="Agent findings" count>
            <Show
                when=move || { count.get().unwrap_or(0) > 0 }
                fallback=move || {
                    view! {
                        <p class="section__none">
                            {if waiting() {
                                "Delivered; no finding has come back yet."
                            } else {
                                "No agent has posted a finding."
                            }}
                        </p>
                    }
                }
            >
                <div class="findings" aria-live="polite">
                    <For each=move || all.get().unwrap_or_default() key=key let:finding>
                        <Card finding />
                    </For>
                </div>
            </Show>
        </Section>
    }
}

#[component]
fn Card(finding: FindingView) -> impl IntoView {
    let details = (!finding.details.is_empty()).then(|| Value::Object(finding.details.clone()));
    view! {
        <article class="finding" aria-label=format!("Finding of {}", visible(&finding.author.name))>
            <Head finding=finding.clone() />
            <Verdict finding=finding.clone() />
            <Summary text=finding.summary.clone() />
            <Words title="Recommended" items=finding.recommended_actions.clone() ordered=true />
            <Proposed actions=finding.proposed_actions.clone() />
            <Citations finding=finding.clone() />
            {details
                .map(|details| {
                    view! {
                        <h3 class="finding__title">"Details"</h3>
                        <JsonView value=details />
                    }
                })}
            <Words title="Not checked" items=finding.not_checked.clone() ordered=false />
            <p class="finding__origin">"Content written by the author of this finding, not checked by Calseta."</p>
        </article>
    }
}

#[component]
fn Head(finding: FindingView) -> impl IntoView {
    let author = finding.author;
    let claimed = finding
        .claimed_agent_name
        .filter(|name| *name != author.name);
    view! {
        <header class="finding__head">
            <Icon glyph=Glyph::Agent />
            <strong class="finding__author">{visible(&author.name).into_owned()}</strong>
            {author
                .key_prefix
                .map(|prefix| {
                    view! { <code class="finding__key" title="The API key it was posted with">{prefix}"…"</code> }
                })}
            {claimed
                .map(|name| {
                    view! {
                        <span class="finding__claim" title="The name in the body; the key decides who it was">
                            {format!("says it is “{}”", clip(&visible(&name), 40))}
                        </span>
                    }
                })}
            <span class="finding__space"></span>
            {finding.usage.as_ref().map(|usage| view! { <span class="finding__usage">{spent(usage)}</span> })}
            <Age at=finding.posted_at sentence=true />
        </header>
    }
}

/// `gpt-4o · 6.1 s · 2487 → 793 tokens · $0.014`, as far as it was sent.
fn spent(usage: &Usage) -> String {
    let mut parts = Vec::new();
    if let Some(model) = &usage.model {
        parts.push(clip(&visible(model), 40));
    }
    if let Some(ms) = usage.duration_ms {
        parts.push(format!("{}.{} s", ms / 1000, ms % 1000 / 100));
    }
    match (usage.input_tokens, usage.output_tokens) {
        (Some(read), Some(written)) => parts.push(format!("{read} → {written} tokens")),
        (Some(tokens), None) | (None, Some(tokens)) => parts.push(format!("{tokens} tokens")),
        (None, None) => {}
    }
    if let Some(dollars) = usage.cost_usd {
        parts.push(format!("${dollars:.3}"));
    }
    parts.join(" · ")
}

#[component]
fn Verdict(finding: FindingView) -> impl IntoView {
    let verdict = finding.verdict.clone();
    view! {
        <p class="finding__verdict">
            {match &verdict {
                Some(word) => {
                    let mark = verdict_of(Some(word));
                    view! { <VerdictChip mark word=capital(word) /> }.into_any()
                }
                None => view! { <span class="finding__none">"No verdict sent"</span> }.into_any(),
            }}
            <Confidence number=finding.confidence level=finding.confidence_level.clone() />
            {finding
                .proposed_classification
                .map(|class| view! { <span>{format!("proposes: {}", visible(&class))}</span> })}
        </p>
    }
}

#[component]
fn Confidence(number: Option<f64>, level: Option<String>) -> impl IntoView {
    let Some(level) = level else {
        return view! { <span class="finding__none">"No confidence sent"</span> }.into_any();
    };
    let filled = match level.as_str() {
        "high" => 3,
        "medium" => 2,
        _ => 1,
    };
    let segment = move |n: usize| {
        view! { <span class="confidence__segment" class:confidence__segment--on=n < filled></span> }
    };
    view! {
        <span class="confidence">
            "Confidence "
            <strong>{level}</strong>
            <span class="confidence__bar" aria-hidden="true">{(0..3).map(segment).collect_view()}</span>
            {number.map(|number| view! { <span class="mono">{format!("{number:.2}")}</span> })}
        </span>
    }
    .into_any()
}

#[component]
fn Summary(text: String) -> impl IntoView {
    let shown = visible_lines(&text).into_owned();
    let short = clip(&shown, SUMMARY_CHARS);
    let is_cut = short != shown;
    let open = RwSignal::new(false);
    view! {
        <p class="finding__summary">
            {move || if open.get() { shown.clone() } else { short.clone() }}
        </p>
        {is_cut
            .then(|| {
                view! {
                    <button
                        type="button"
                        class="button button--quiet"
                        on:click=move |_| open.update(|open| *open = !*open)
                    >
                        {move || if open.get() { "Show less" } else { "Show all" }}
                    </button>
                }
            })}
    }
}

#[component]
fn Words(title: &'static str, items: Vec<String>, ordered: bool) -> impl IntoView {
    (!items.is_empty()).then(|| {
        let item = |text: String| view! { <li>{visible(&text).into_owned()}</li> };
        let items = items.into_iter().map(item).collect_view();
        view! {
            <h3 class="finding__title">{title}</h3>
            {if ordered {
                view! { <ol class="finding__list">{items}</ol> }.into_any()
            } else {
                view! { <ul class="finding__list">{items}</ul> }.into_any()
            }}
        }
    })
}

#[component]
fn Proposed(actions: Vec<ProposedAction>) -> impl IntoView {
    let label = |action: ProposedAction| {
        let by = if action.workflow_uuid.is_some() {
            "workflow"
        } else {
            "by hand"
        };
        format!("{} ({by})", action.label)
    };
    view! { <Words title="Proposed" items=actions.into_iter().map(label).collect() ordered=false /> }
}

#[component]
fn Citations(finding: FindingView) -> impl IntoView {
    let line = |citation: calseta_contract::finding::Citation| {
        let place = citation.reference.and_then(|r| r.raw_pointer.or(r.path));
        match (place, citation.expected) {
            (Some(place), Some(value)) => format!("{} — {place} = {value}", citation.claim),
            (Some(place), None) => format!("{} — {place}", citation.claim),
            (None, _) => citation.claim,
        }
    };
    let items = finding.citations.into_iter().map(line).collect();
    view! { <Words title="Evidence cited" items ordered=false /> }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_says_only_what_was_sent() {
        assert_eq!(spent(&Usage::default()), "");
        let usage = Usage {
            model: Some("gpt-4o".to_owned()),
            duration_ms: Some(6_140),
            input_tokens: Some(2_487),
            output_tokens: Some(793),
            cost_usd: Some(0.0142),
        };
        assert_eq!(spent(&usage), "gpt-4o · 6.1 s · 2487 → 793 tokens · $0.014");
    }
}
