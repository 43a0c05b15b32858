//! One finding as a card: what it concludes, what it rests on, what it leaves open.

use calseta_contract::finding::{FindingView, ProposedAction, Usage};
use leptos::prelude::*;
use serde_json::Value;

use super::super::open_alert::OpenAlert;
use super::evidence::{Evidence, verified};
use super::review::{Reviewed, Verbs};
use super::saw::WhatItSaw;
use crate::components::{Age, Glyph, Icon, JsonView, MarkdownView, VerdictChip, verdict_of};
use crate::text::{capital, clip, visible};

/// A finding. One that was replaced or folded away shows its head only.
#[component]
pub(super) fn Card(open: OpenAlert, finding: FindingView) -> impl IntoView {
    let name = visible(&finding.author.name).into_owned();
    let replaced = finding.superseded_by.is_some();
    let folded = replaced || finding.is_hidden;
    let why = if replaced {
        "Replaced by a later finding of the same author."
    } else {
        "Folded away."
    };
    let head = finding.clone();
    let id = format!("finding-{}", finding.uuid);
    view! {
        <article
            id=id
            class="finding"
            class:finding--folded=folded
            tabindex="-1"
            aria-label=format!("Finding of {name}")
        >
            <Head finding=head />
            {if folded {
                view! {
                    <details class="finding__fold">
                        <summary>{why}</summary>
                        <Content open finding />
                    </details>
                }
                    .into_any()
            } else {
                view! { <Content open finding /> }.into_any()
            }}
        </article>
    }
}

#[component]
fn Content(open: OpenAlert, finding: FindingView) -> impl IntoView {
    let details = (!finding.details.is_empty()).then(|| Value::Object(finding.details.clone()));
    let review = finding.review.clone();
    // An agent's findings come with a key that is bound to it; the analyst's window has no key.
    let by_human_key = finding.author.agent_uuid.is_none() && finding.author.key_uuid.is_some();
    view! {
        {by_human_key
            .then(|| {
                view! {
                    <p class="finding__warning">
                        "Posted with a key that is no agent's: it counts for no agent. Make an agent key for it under "
                        <a href="/agents">"Agents"</a>"."
                    </p>
                }
            })}
        <Verdict finding=finding.clone() />
        <div class="finding__summary">
            <MarkdownView text=finding.summary.clone() />
        </div>
        <Evidence finding=finding.clone() />
        <Words title="Not checked" items=finding.not_checked.clone() ordered=false />
        <Words title="Recommended" items=finding.recommended_actions.clone() ordered=true />
        <Proposed actions=finding.proposed_actions.clone() />
        {details
            .map(|details| {
                view! {
                    <details class="finding__more">
                        <summary class="finding__title">"Details"</summary>
                        <JsonView value=details />
                    </details>
                }
            })}
        {review.map(|review| view! { <Reviewed review /> })}
        <footer class="finding__foot">
            <Verbs open finding=finding.clone() />
            {finding
                .delivery_uuid
                .map(|delivery| view! { <WhatItSaw open delivery posted_at=finding.posted_at /> })}
            <p class="finding__origin">"Written by the author of this finding. Calseta checked the evidence marks and nothing else."</p>
        </footer>
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
                .map(|class| view! { <span>{format!("would close as {}", visible(&class))}</span> })}
            {verified(finding.verification)
                .map(|(said, doubtful)| {
                    view! {
                        <span class="finding__verified" class:finding__verified--doubtful=doubtful>
                            {doubtful.then(|| view! { <Icon glyph=Glyph::Warning /> })}
                            {said}
                        </span>
                    }
                })}
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
