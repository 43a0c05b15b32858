//! A look at an alert without opening it: what it says, its indicators and what agents found,
//! below its row. It is as many rows high as that needs, so that rows stay where arithmetic has them.

use std::sync::Arc;

use calseta_contract::alert::IndicatorView;
use calseta_contract::finding::FindingView;
use calseta_domain::{AlertId, Malice};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::grid::px;
use crate::api::{self, AlertDetail, Failure};
use crate::components::{VerdictChip, verdict_of};
use crate::state::layout::Line;
use crate::state::queue::Queue;
use crate::text::{clip, middle, visible};

/// Indicators that are shown, the worst first; the alert's page has them all.
const INDICATORS: usize = 12;
/// An indicator is cut in its middle to this many characters.
const INDICATOR_CHARS: usize = 48;
/// The description is cut to this many characters.
const TEXT_CHARS: usize = 400;
/// Findings that are shown, each in one line.
const FINDINGS: usize = 4;
/// A finding's summary is cut to this many characters.
const SUMMARY_CHARS: usize = 200;
/// An agent's name is cut to this many characters.
const AGENT_CHARS: usize = 32;

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
    let inner = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        read.track();
        let row_px = row_px.get();
        // What was read is in the page by the next frame, and has its height.
        request_animation_frame(move || {
            if let Some(inner) = inner.try_get_untracked().flatten() {
                queue.measure_peek(id, lines_of(f64::from(inner.offset_height()), row_px));
            }
        });
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
            style:height=move || px(queue.peek_lines(), row_px.get())
        >
            <div node_ref=inner class="peek__cell" role="gridcell">{content}</div>
        </div>
    }
}

/// So many rows hold so many pixels.
fn lines_of(height_px: f64, row_px: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a page's heights are small and not negative"
    )]
    let lines = (height_px / row_px).ceil() as usize;
    lines
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
    let findings: Vec<FindingView> = detail
        .view
        .agent_findings
        .iter()
        .filter(|one| !one.is_hidden && one.superseded_by.is_none())
        .cloned()
        .collect();
    let unshown = findings.len().saturating_sub(FINDINGS);
    view! {
        {(!text.is_empty()).then(|| view! { <p class="peek__text" title=text.clone()>{text.clone()}</p> })}
        <ul class="peek__indicators">
            {indicators.into_iter().take(INDICATORS).map(indicator).collect_view()}
            {(more > 0).then(|| view! { <li class="peek__more">{format!("+{more} more")}</li> })}
            {nothing.then(|| view! { <li class="peek__more">"No indicator was found in it."</li> })}
        </ul>
        {findings.into_iter().take(FINDINGS).map(finding).collect_view()}
        {(unshown > 0).then(|| view! { <p class="peek__more">{format!("+{unshown} more findings")}</p> })}
    }
}

/// Who says what, in one line.
fn finding(one: FindingView) -> impl IntoView {
    let verdict = one.verdict.as_deref();
    let word = verdict.unwrap_or("no verdict").to_owned();
    let summary = visible(&one.summary).into_owned();
    view! {
        <p class="peek__finding" title=clip(&summary, TEXT_CHARS)>
            <VerdictChip mark=verdict_of(verdict) word />
            <span class="peek__kind">{clip(&visible(&one.author.name), AGENT_CHARS)}</span>
            <span class="peek__summary">{clip(&summary, SUMMARY_CHARS)}</span>
        </p>
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peek_is_whole_rows_high() {
        assert_eq!(lines_of(40.0, 28.0), 2);
        assert_eq!(lines_of(56.0, 28.0), 2);
        assert_eq!(lines_of(57.0, 28.0), 3);
    }
}
