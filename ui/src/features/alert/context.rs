//! The matched rule and the documents that apply, as plain text.

use calseta_contract::context_document::DocumentView;
use calseta_contract::detection_rule::RuleView;
use leptos::prelude::*;

use super::open_alert::OpenAlert;
use crate::components::Section;
use crate::text::{visible, visible_lines};

/// Rule first, then the documents.
#[component]
pub(super) fn Context(open: OpenAlert) -> impl IntoView {
    let rule = open.slice(|detail| detail.view.detection_rule.clone());
    let documents = open.slice(|detail| detail.view.context_documents.clone());
    let count = Signal::derive(move || documents.with(|d| d.as_ref().map(Vec::len)));
    view! {
        <Section number=5 title="Context" count>
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
                    documents.into_iter().map(document).collect_view().into_any()
                }
            }}
        </Section>
    }
}

#[component]
fn Rule(rule: RuleView) -> impl IntoView {
    let techniques = [
        ("Tactic", rule.mitre_tactics.clone()),
        ("Technique", rule.mitre_techniques.clone()),
        ("Sub-technique", rule.mitre_subtechniques.clone()),
    ];
    let chips = techniques.into_iter().flat_map(|(what, ids)| {
        ids.into_iter().map(move |id| {
            view! { <span class="chip" title=what>{visible(&id).into_owned()}</span> }
        })
    });
    let text = rule.documentation.filter(|text| !text.trim().is_empty());
    view! {
        <div class="context">
            <p class="context__head">
                <strong>{visible(&rule.name).into_owned()}</strong>
                <span class="chip chip--quiet">"Rule"</span>
                {chips.collect_view()}
            </p>
            {match text {
                Some(text) => {
                    view! { <pre class="context__text">{visible_lines(&text).into_owned()}</pre> }
                        .into_any()
                }
                None => {
                    view! { <p class="section__none">"Nobody has documented this rule yet."</p> }
                        .into_any()
                }
            }}
        </div>
    }
}

fn document(document: DocumentView) -> impl IntoView {
    let kind = visible(&document.document_type).replace('_', " ");
    view! {
        <details class="context" open=true>
            <summary class="context__head">
                <strong>{visible(&document.title).into_owned()}</strong>
                <span class="chip chip--quiet">{kind}</span>
                {document.is_global.then(|| view! { <span class="chip chip--quiet">"every alert"</span> })}
            </summary>
            <pre class="context__text">{visible_lines(&document.content).into_owned()}</pre>
        </details>
    }
}
