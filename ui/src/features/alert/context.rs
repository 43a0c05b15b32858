//! The matched rule and the documents that apply: why they do, what they say, what is done.

use std::collections::HashMap;

use calseta_contract::context_document::DocumentView;
use calseta_contract::detection_rule::RuleView;
use calseta_domain::DocumentId;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::open_alert::OpenAlert;
use crate::api;
use crate::components::{Checklist, MarkdownView, Section};
use crate::state::toasts::Toasts;
use crate::text::{rules_in_words, visible};

/// Ticks by document and item.
type Ticks = HashMap<(DocumentId, u64), bool>;

/// Rule first, then the documents.
#[component]
pub(super) fn Context(open: OpenAlert) -> impl IntoView {
    let rule = open.slice(|detail| detail.view.detection_rule.clone());
    let documents = open.slice(|detail| detail.view.context_documents.clone());
    let count = Signal::derive(move || documents.with(|d| d.as_ref().map(Vec::len)));
    let ticks = open.slice(|detail| {
        let marks = detail.view.checklist.iter();
        marks
            .map(|mark| ((mark.document_uuid, mark.item), mark.done))
            .collect::<Ticks>()
    });
    view! {
        <Section number=4 title="Context" count>
            {move || match rule.get().flatten() {
                Some(rule) => view! { <Rule rule /> }.into_any(),
                None => {
                    view! {
                        <p class="section__none">
                            "No detection rule is linked: the source named none that is known here."
                        </p>
                    }
                        .into_any()
                }
            }}
            {move || {
                let documents = documents.get().unwrap_or_default();
                if documents.is_empty() {
                    view! { <p class="section__none">"No context document applies."</p> }.into_any()
                } else {
                    let shown = documents.into_iter().map(|d| document(open, ticks, d));
                    shown.collect_view().into_any()
                }
            }}
        </Section>
    }
}

#[component]
fn Rule(rule: RuleView) -> impl IntoView {
    let of_attack = [
        ("Tactic", &rule.mitre_tactics),
        ("Technique", &rule.mitre_techniques),
        ("Sub-technique", &rule.mitre_subtechniques),
    ];
    let names = &rule.mitre_names;
    let chips = of_attack.into_iter().flat_map(|(what, ids)| {
        ids.iter().map(move |id| {
            let name = names.get(id).map(|name| visible(name).into_owned());
            view! {
                <span class="chip" title=what>
                    <span class="mono">{visible(id).into_owned()}</span>
                    {name.map(|name| format!(" {name}"))}
                </span>
            }
        })
    });
    let text = rule
        .documentation
        .clone()
        .filter(|text| !text.trim().is_empty());
    view! {
        <article class="context" aria-label="Detection rule">
            <p class="context__head">
                <strong>{visible(&rule.name).into_owned()}</strong>
                <span class="chip chip--quiet">"rule"</span>
                {chips.collect_view()}
            </p>
            {match text {
                Some(text) => view! { <MarkdownView text /> }.into_any(),
                None => {
                    view! { <p class="section__none">"Nobody has documented this rule yet."</p> }
                        .into_any()
                }
            }}
        </article>
    }
}

fn document(open: OpenAlert, ticks: Memo<Option<Ticks>>, document: DocumentView) -> impl IntoView {
    let kind = visible(&document.document_type).replace('_', " ");
    let why = if document.is_global {
        "Applies to every alert".to_owned()
    } else {
        let rules = document.targeting_rules.as_ref().map(rules_in_words);
        format!(
            "Applies because {}",
            rules.unwrap_or_else(|| "its rules match".to_owned())
        )
    };
    let checklist = checklist(open, ticks, document.uuid);
    view! {
        <details class="context" open=true>
            <summary class="context__head">
                <strong>{visible(&document.title).into_owned()}</strong>
                <span class="chip chip--quiet">{kind}</span>
                <span class="context__why">{visible(&why).into_owned()}</span>
            </summary>
            <MarkdownView text=document.content checklist />
        </details>
    }
}

/// Ticks are kept for this alert alone; the document stays as it is.
fn checklist(open: OpenAlert, ticks: Memo<Option<Ticks>>, document: DocumentId) -> Checklist {
    let toasts = Toasts::expect();
    // What somebody has just chosen, until the alert is read again.
    let chosen = RwSignal::new(HashMap::<u64, bool>::new());
    let is_done = move |(item, written): (u64, bool)| {
        let stored = ticks.with(|ticks| ticks.as_ref()?.get(&(document, item)).copied());
        let chosen = chosen.with(|chosen| chosen.get(&item).copied());
        chosen.or(stored).unwrap_or(written)
    };
    let on_tick = move |(item, done): (u64, bool)| {
        let Some(alert) = untrack(|| open.id()) else {
            return;
        };
        chosen.update(|chosen| {
            chosen.insert(item, done);
        });
        spawn_local(async move {
            let outcome = api::set_checklist(alert, document, item, done).await;
            if let Err(failure) = outcome {
                chosen.try_update(|chosen| chosen.insert(item, !done));
                toasts.fail("The item was not ticked", &failure);
            }
        });
    };
    Checklist {
        is_done: Callback::new(is_done),
        on_tick: Callback::new(on_tick),
    }
}
