//! One alert in one line.

use std::sync::Arc;

use calseta_contract::alert::{AlertSummary, FindingSummary, KeyIndicator};
use calseta_domain::{AlertId, Malice};
use leptos::prelude::*;

use super::grid::{px, row_id};
use crate::components::{Age, AgentChip, SeverityGlyph, StatusChip, VerdictChip, verdict_of};
use crate::state::alert_list::AlertRow;
use crate::state::clock::{Clock, now_ms};
use crate::state::places::Places;
use crate::state::queue::Queue;
use crate::text::{clip, middle, spoken_age, visible};

/// Tags that a row shows; the alert's page has them all.
const TAGS: usize = 2;
/// A tag is cut to this many characters.
const TAG_CHARS: usize = 16;
/// An indicator is cut in its middle to this many characters.
const INDICATOR_CHARS: usize = 22;
/// Agents' chips that fit; more are counted.
const AGENTS: usize = 4;
/// A title is cut to this many characters; no screen is wider.
const TITLE_CHARS: usize = 300;

/// A row, absolutely placed by its index.
#[component]
pub(super) fn Row(id: AlertId, row_px: RwSignal<f64>) -> impl IntoView {
    let queue = Queue::expect();
    let places = Places::expect();
    let index = Memo::new(move |_| queue.with(|list| list.index_of(id)).unwrap_or(0));
    let row = Memo::new(move |_| queue.row(id));
    let is_focused = Memo::new(move |_| queue.focused() == Some(id));
    let is_open = Memo::new(move |_| queue.open() == Some(id));
    // One stop for the Tab key: the focused row, else the first.
    let is_stop = move || is_focused.get() || (queue.focused().is_none() && index.get() == 0);
    let changes = Memo::new(move |_| row.with(|row| row.as_ref().map_or(0, |row| row.changes)));
    let gone = Memo::new(move |_| row.with(|row| row.as_ref().is_some_and(|r| r.gone.is_some())));
    view! {
        <div
            id=row_id(id)
            class="row grid__row"
            class:row--tint-odd=move || changes.get() % 2 == 1
            class:row--tint-even=move || { changes.get() > 0 && changes.get() % 2 == 0 }
            class:row--gone=move || gone.get()
            class:row--open=move || is_open.get()
            role="row"
            tabindex=move || if is_stop() { "0" } else { "-1" }
            aria-rowindex=move || index.get() + 2
            aria-selected=move || (is_focused.get() || is_open.get()).to_string()
            aria-label=move || row.with(|row| row.as_ref().map(|row| label(&row.alert)))
            style:transform=move || format!("translateY({})", px(index.get(), row_px.get()))
            on:focus=move |_| queue.focus(Some(id))
            on:click=move |_| {
                queue.focus(Some(id));
                places.alert(id);
            }
        >
            {move || row.get().map(cells)}
        </div>
    }
}

fn cells(row: AlertRow) -> impl IntoView {
    let alert = row.alert;
    let at = alert.occurred_at;
    view! {
        <span role="gridcell" class="row__sev">
            <SeverityGlyph severity=alert.severity />
        </span>
        <span role="gridcell" class="row__age"><Age at /></span>
        <span role="gridcell" class="row__title">{title(&alert)}</span>
        <span role="gridcell" class="row__indicators">
            {alert.key_indicators.iter().map(indicator).collect_view()}
        </span>
        <span role="gridcell" class="row__verdict">{verdict(alert.malice)}</span>
        <span role="gridcell" class="row__agents">{agents(alert.finding_summary.clone())}</span>
        <span role="gridcell" class="row__rule">
            {alert.detection_rule_name.as_deref().map(|name| visible(name).into_owned())}
        </span>
        <span role="gridcell" class="row__source mono">
            {visible(&alert.source_name).into_owned()}
        </span>
        <span role="gridcell" class="row__status">
            {match row.gone {
                Some(why) => view! { <span class="row__gone">{why}</span> }.into_any(),
                None => view! { <StatusChip status=alert.status /> }.into_any(),
            }}
        </span>
    }
}

fn title(alert: &Arc<AlertSummary>) -> impl IntoView + use<> {
    let text = clip(&visible(&alert.title), TITLE_CHARS);
    let repeats = alert.duplicate_count;
    let tag = |tag: &String| {
        view! { <span class="tag">{clip(&visible(tag), TAG_CHARS)}</span> }
    };
    view! {
        <span class="row__text" title=text.clone()>{text.clone()}</span>
        {(repeats > 0)
            .then(|| {
                let times = repeats + 1;
                view! {
                    <span class="repeats" title=format!("Seen {times} times")>{format!("×{times}")}</span>
                }
            })}
        {alert.tags.iter().take(TAGS).map(tag).collect_view()}
    }
}

fn indicator(indicator: &KeyIndicator) -> impl IntoView + use<> {
    let full = visible(&indicator.value).into_owned();
    let bad = matches!(indicator.malice, Malice::Malicious | Malice::Suspicious);
    view! {
        <span
            class="row__indicator mono"
            class:row__indicator--bad=bad
            data-verdict=indicator.malice.as_str()
            title=format!("{} · {} · {full}", indicator.kind, indicator.malice)
        >
            {middle(&full, INDICATOR_CHARS)}
        </span>
    }
}

fn verdict(malice: Malice) -> impl IntoView {
    // Nothing known is the normal state of a new alert: it should not look like a finding.
    (malice != Malice::Pending).then(|| view! { <VerdictChip mark=malice word=malice.as_str() /> })
}

fn agents(findings: Vec<FindingSummary>) -> impl IntoView {
    let more = findings.len().saturating_sub(AGENTS);
    let disagree = disagrees(&findings);
    view! {
        {findings
            .into_iter()
            .take(AGENTS)
            .map(|finding| view! { <AgentChip finding /> })
            .collect_view()}
        {(more > 0).then(|| view! { <span class="row__more">{format!("+{more}")}</span> })}
        {disagree
            .then(|| {
                view! { <span class="row__disagree" role="img" aria-label="Agents disagree" title="Agents disagree">"≠"</span> }
            })}
    }
}

fn disagrees(findings: &[FindingSummary]) -> bool {
    let mut verdicts = findings
        .iter()
        .filter(|f| f.verdict.is_some())
        .map(|f| verdict_of(f.verdict.as_deref()));
    verdicts
        .next()
        .is_some_and(|first| verdicts.any(|other| other != first))
}

/// The row as a screen reader says it: `High, Open, Impossible travel, 4 minutes ago, …`.
fn label(alert: &AlertSummary) -> String {
    let clock = use_context::<Clock>();
    let now = clock.map_or_else(now_ms, |clock| untrack(|| clock.now()));
    let mut said = vec![
        alert.severity.as_str().to_owned(),
        alert.status.as_str().to_owned(),
        clip(&visible(&alert.title), TITLE_CHARS),
        spoken_age(now, alert.occurred_at),
    ];
    if alert.malice != Malice::Pending {
        said.push(format!("verdict {}", alert.malice));
    }
    match alert.finding_summary.as_slice() {
        [] => {}
        [one] => said.push(format!("{}: {}", visible(&one.agent), word(one))),
        many => {
            said.push(format!("{} findings", many.len()));
            said.extend(many.iter().map(|finding| word(finding).to_owned()));
            said.extend(disagrees(many).then(|| "disagree".to_owned()));
        }
    }
    said.join(", ")
}

fn word(finding: &FindingSummary) -> &str {
    finding.verdict.as_deref().unwrap_or("no verdict sent")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(verdict: Option<&str>) -> FindingSummary {
        FindingSummary {
            agent: "a".to_owned(),
            verdict: verdict.map(str::to_owned),
        }
    }

    #[test]
    fn agents_disagree_only_by_verdicts_that_were_sent() {
        assert!(disagrees(&[
            finding(Some("malicious")),
            finding(Some("benign"))
        ]));
        assert!(!disagrees(&[finding(Some("malicious")), finding(None)]));
        assert!(!disagrees(&[]));
    }
}
