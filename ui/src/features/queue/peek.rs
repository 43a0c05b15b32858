//! A look at an alert without opening it: what it says and its indicators, below its row.

use std::sync::Arc;

use calseta_contract::alert::IndicatorView;
use calseta_domain::{AlertId, Malice};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::grid::px;
use crate::api::{self, AlertDetail, Failure};
use crate::components::VerdictChip;
use crate::state::layout::{Line, PEEK_LINES};
use crate::state::queue::Queue;
use crate::text::{clip, middle, visible};

/// Indicators that are shown, the worst first; the alert's page has them all.
const INDICATORS: usize = 12;
/// An indicator is cut in its middle to this many characters.
const INDICATOR_CHARS: usize = 48;
/// The description is cut to this many characters.
const TEXT_CHARS: usize = 400;

/// The lines below a row.
#[component]
pub(super) fn Peek(id: AlertId, row_px: Memo<f64>) -> impl IntoView {
    let queue = Queue::expect();
    let layout = queue.layout();
    let place = Memo::new(move |_| {
        layout
            .with(|layout| layout.place(&Line::Peek(id)))
            .unwrap_or(0)
    });
    let read = RwSignal::new(None::<Result<Arc<AlertDetail>, Failure>>);
    spawn_local(async move {
        let outcome = api::get_alert(id).await;
        read.try_set(Some(outcome));
    });
    let content = move || {
        read.with(|read| match read {
            None => view! { <p class="peek__text">"Reading…"</p> }.into_any(),
            Some(Err(failure)) => {
                view! { <p class="peek__text" role="alert">{failure.message.clone()}</p> }
                    .into_any()
            }
            Some(Ok(detail)) => shown(detail).into_any(),
        })
    };
    view! {
        <div
            class="peek"
            role="row"
            aria-rowindex=move || place.get() + 2
            style:transform=move || format!("translateY({})", px(place.get(), row_px.get()))
            style:height=move || px(PEEK_LINES, row_px.get())
        >
            <div class="peek__cell" role="gridcell">{content}</div>
        </div>
    }
}

fn shown(detail: &AlertDetail) -> impl IntoView + use<> {
    let text = detail
        .view
        .summary
        .description
        .as_deref()
        .unwrap_or_default();
    let text = clip(&visible(text), TEXT_CHARS);
    let mut indicators = detail.view.indicators.clone();
    indicators.sort_by_key(|one| std::cmp::Reverse(one.malice));
    let more = indicators.len().saturating_sub(INDICATORS);
    let nothing = indicators.is_empty();
    view! {
        {(!text.is_empty()).then(|| view! { <p class="peek__text" title=text.clone()>{text.clone()}</p> })}
        <ul class="peek__indicators">
            {indicators.into_iter().take(INDICATORS).map(indicator).collect_view()}
            {(more > 0).then(|| view! { <li class="peek__more">{format!("+{more} more")}</li> })}
            {nothing.then(|| view! { <li class="peek__more">"No indicator was found in it."</li> })}
        </ul>
    }
}

fn indicator(one: IndicatorView) -> impl IntoView {
    let full = visible(&one.value).into_owned();
    let known = one.malice != Malice::Pending;
    view! {
        <li class="peek__indicator" title=full.clone()>
            <span class="peek__kind">{one.kind.as_str()}</span>
            <span class="mono">{middle(&full, INDICATOR_CHARS)}</span>
            {known.then(|| view! { <VerdictChip mark=one.malice word=one.malice.as_str() /> })}
            {(one.alert_count > 1)
                .then(|| view! { <span class="peek__kind">{format!("in {} alerts", one.alert_count)}</span> })}
        </li>
    }
}
