//! What the providers say of values that were typed or pasted, there in the box: looking something
//! up is no reason to leave the place one is at.

use calseta_contract::enrichment::{EnrichmentView, OnDemandResult};
use calseta_domain::{Indicator, Malice};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{self, Failure};
use crate::components::VerdictChip;
use crate::text::{clip, visible};

/// Values that are asked about at once; each costs every provider's quota.
const MAX_LOOKED_UP: usize = 8;
/// A provider's reason is cut to this many characters.
const REASON_CHARS: usize = 120;

/// A value and what came back.
#[derive(Clone)]
struct Looked {
    value: String,
    answer: Option<Result<EnrichmentView, Failure>>,
}

/// What was looked up in this box.
#[derive(Clone, Copy)]
pub(super) struct LookUps(RwSignal<Vec<Looked>>);

impl LookUps {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self(RwSignal::new(Vec::new()))
    }

    /// Forgets what was looked up before.
    pub(super) fn clear(self) {
        if self.0.with_untracked(|all| !all.is_empty()) {
            self.0.set(Vec::new());
        }
    }

    /// Asks about values, one after the other.
    pub(super) fn ask(self, values: Vec<Indicator>) {
        let values: Vec<Indicator> = values.into_iter().take(MAX_LOOKED_UP).collect();
        let waiting = values.iter().map(|one| Looked {
            value: one.value.clone(),
            answer: None,
        });
        self.0.set(waiting.collect());
        spawn_local(async move {
            for (index, one) in values.into_iter().enumerate() {
                let answer = api::enrich_now(one.kind, &one.value).await;
                self.0.try_update(|all| {
                    // Something else may be asked about by now.
                    if let Some(looked) = all.get_mut(index).filter(|it| it.value == one.value) {
                        looked.answer = Some(answer);
                    }
                });
            }
        });
    }
}

/// The answers, a value a line.
#[component]
pub(super) fn LookedUp(lookups: LookUps) -> impl IntoView {
    view! {
        <div class="palette__looked" role="status">
            {move || lookups.0.get().into_iter().map(line).collect_view()}
        </div>
    }
}

fn line(looked: Looked) -> impl IntoView {
    let said = match looked.answer {
        None => view! { <span class="palette__detail">"asking the providers…"</span> }.into_any(),
        Some(Err(failure)) => {
            view! { <span class="palette__detail">{failure.message}</span> }.into_any()
        }
        Some(Ok(view)) => answers(view).into_any(),
    };
    view! {
        <div class="palette__answer">
            <span class="mono">{visible(&looked.value).into_owned()}</span>
            {said}
        </div>
    }
}

fn answers(view: EnrichmentView) -> impl IntoView {
    let nobody = view.results.is_empty().then(|| {
        view.message
            .unwrap_or_else(|| "no provider knows this type".to_owned())
    });
    view! {
        {view.results.into_iter().map(answer).collect_view()}
        {nobody.map(|why| view! { <span class="palette__detail">{why}</span> })}
    }
}

fn answer((provider, result): (String, OnDemandResult)) -> impl IntoView {
    let demo = if result.demo { " demo" } else { "" };
    let word = match result.error_message {
        Some(why) if !result.success => clip(&visible(&why), REASON_CHARS),
        _ if result.malice == Malice::Pending => "no verdict".to_owned(),
        _ => result.malice.as_str().to_owned(),
    };
    let word = format!("{} {word}{demo}", visible(&provider));
    view! { <VerdictChip mark=result.malice word /> }
}
