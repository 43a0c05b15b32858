//! What a row's cells show, and how a row is said.

use std::sync::Arc;

use calseta_contract::alert::{AlertSummary, FindingSummary, KeyIndicator};
use calseta_domain::{AlertId, CloseClassification, EnrichmentStatus, Malice, Timestamp};
use leptos::prelude::*;

use crate::components::{
    Age, AgentChip, Glyph, Icon, SeverityGlyph, StatusChip, VerdictChip, verdict_of,
};
use crate::state::agent_times::AgentTimes;
use crate::state::alert_list::AlertRow;
use crate::state::clock::{Clock, now_ms, offset_minutes};
use crate::state::columns::Column;
use crate::state::preferences::Preferences;
use crate::state::queue::Queue;
use crate::state::snippets::Snippets;
use crate::text::{clip, middle, moment, spoken_age, stamp, visible};

/// Tags that a row shows; the alert's page has them all.
const TAGS: usize = 2;
/// A tag is cut to this many characters.
const TAG_CHARS: usize = 16;
/// An indicator is cut in its middle to this many characters.
const INDICATOR_CHARS: usize = 22;
/// Agents' chips that fit; more are counted.
const AGENTS: usize = 3;
/// A title is cut to this many characters; no screen is wider.
const TITLE_CHARS: usize = 300;
/// A description on a row's second line is cut to this many characters.
const LINE_CHARS: usize = 240;

/// One cell.
pub(super) fn cell(
    column: Column,
    id: AlertId,
    row: &AlertRow,
    is_selected: Memo<bool>,
) -> AnyView {
    let alert = &row.alert;
    let class = format!("row__{}", column.word());
    let mut hint = None;
    let content = match column {
        Column::Severity => severity(id, alert, is_selected).into_any(),
        Column::Age => {
            let at = alert.occurred_at;
            view! { <Age at /> }.into_any()
        }
        Column::Title => title(id, alert).into_any(),
        Column::Indicators => alert
            .key_indicators
            .iter()
            .map(indicator)
            .collect_view()
            .into_any(),
        Column::Verdict => verdict(alert.malice).into_any(),
        Column::Agents => agents(alert).into_any(),
        Column::Rule => {
            let name = alert
                .detection_rule_name
                .as_deref()
                .map(|name| visible(name).into_owned());
            hint.clone_from(&name);
            name.into_any()
        }
        Column::Source => {
            let name = visible(&alert.source_name).into_owned();
            hint = Some(name.clone());
            view! { <span class="mono">{name}</span> }.into_any()
        }
        Column::Status => status(row).into_any(),
        Column::Enrichment => enrichment(alert.enrichment_status).into_any(),
        Column::Classification => {
            let word = alert.close_classification.map(CloseClassification::as_str);
            hint = word.map(str::to_owned);
            word.into_any()
        }
        Column::Occurred => time(alert.occurred_at).into_any(),
        Column::Updated => time(alert.updated_at).into_any(),
    };
    view! { <span role="gridcell" class=class title=hint>{content}</span> }.into_any()
}

/// The glyph; under the pointer or once something is selected, the box that selects.
fn severity(id: AlertId, alert: &AlertSummary, is_selected: Memo<bool>) -> impl IntoView + use<> {
    let queue = Queue::expect();
    view! {
        <SeverityGlyph severity=alert.severity />
        <span
            class="row__select"
            class:row__select--on=move || is_selected.get()
            aria-hidden="true"
            title="Select (x)"
            on:click=move |event| {
                event.stop_propagation();
                queue.select(|selection| selection.toggle(id));
                queue.focus(Some(id));
            }
        >
            <Icon glyph=Glyph::Check />
        </span>
    }
}

/// Why a row no longer belongs here, else its status.
fn status(row: &AlertRow) -> impl IntoView + use<> {
    match row.gone.clone() {
        Some(why) => {
            view! { <span class="row__gone" title=why.clone()>{why.clone()}</span> }.into_any()
        }
        None => view! { <StatusChip status=row.alert.status /> }.into_any(),
    }
}

fn enrichment(status: EnrichmentStatus) -> impl IntoView {
    let mood = match status {
        EnrichmentStatus::Pending => "busy",
        EnrichmentStatus::Enriched => "ok",
        EnrichmentStatus::Partial => "warn",
        EnrichmentStatus::Failed => "bad",
    };
    view! { <span class="mood" data-mood=mood>{status.as_str()}</span> }
}

/// A point in time in the zone that is chosen.
fn time(at: Timestamp) -> impl IntoView {
    let utc = Preferences::expect().part(|choices| choices.utc);
    let text = move || moment(at, if utc.get() { 0 } else { offset_minutes(at) });
    view! {
        <time class="mono" datetime=at.to_string() title=stamp(at, offset_minutes(at))>
            {text}
        </time>
    }
}

fn title(id: AlertId, alert: &Arc<AlertSummary>) -> impl IntoView + use<> {
    let queue = Queue::expect();
    let text = clip(&visible(&alert.title), TITLE_CHARS);
    let line = clip(
        &visible(alert.description.as_deref().unwrap_or_default()),
        LINE_CHARS,
    );
    let repeats = alert.duplicate_count;
    let tag = |tag: &String| {
        view! { <span class="tag" title=visible(tag).into_owned()>{clip(&visible(tag), TAG_CHARS)}</span> }
    };
    view! {
        {mark(alert.is_unread, Glyph::Unread, "Not read yet", "row__unread")}
        <span class="row__text" title=text.clone()>{text.clone()}</span>
        {(!line.is_empty())
            .then(|| view! { <span class="row__line" title=line.clone()>{line.clone()}</span> })}
        {(repeats > 0)
            .then(|| {
                let times = repeats + 1;
                view! {
                    <span class="repeats" title=format!("Seen {times} times")>{format!("×{times}")}</span>
                }
            })}
        {alert.tags.iter().take(TAGS).map(tag).collect_view()}
        {mark(alert.is_flagged, Glyph::Flag, "Flagged", "row__flag")}
        {mark(alert.snoozed_until.is_some(), Glyph::Snooze, "Snoozed", "row__mark")}
        {mark(alert.note_count > 0, Glyph::Note, "Has notes", "row__mark")}
        {move || {
            (queue.last_viewed() == Some(id) && queue.open() != Some(id))
                .then(|| view! { <span class="row__viewed" title="The alert that was open last">"last viewed"</span> })
        }}
        <Snippet id />
    }
}

/// A mark with its word; not there when it does not hold.
fn mark(holds: bool, glyph: Glyph, word: &'static str, class: &'static str) -> impl IntoView {
    holds.then(|| {
        view! {
            <span class=class role="img" aria-label=word title=word>
                <Icon glyph />
            </span>
        }
    })
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

fn agents(alert: &AlertSummary) -> impl IntoView + use<> {
    let findings = alert.finding_summary.clone();
    let more = findings.len().saturating_sub(AGENTS);
    let disagree = alert.disagree || disagrees(&findings);
    let delivery = alert.delivery_state.as_deref();
    let (running, failed) = (delivery == Some("running"), delivery == Some("failed"));
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
        {running.then(|| view! { <Waiting /> })}
        {mark(failed, Glyph::Close, "An agent could not be told", "row__failed")}
    }
}

/// An agent has it in hand; the tooltip says how long that usually takes.
#[component]
fn Waiting() -> impl IntoView {
    let waits = AgentTimes::expect();
    let said = move || waits.said();
    view! {
        <span class="row__mark" role="img" aria-label=said title=said>
            <Icon glyph=Glyph::Hourglass />
        </span>
    }
}

/// Where the words of the filter are, when the title does not show them.
#[component]
fn Snippet(id: AlertId) -> impl IntoView {
    let snippets = Snippets::expect();
    let found = Memo::new(move |_| snippets.of(id));
    move || {
        found.get().map(|hit| {
            let whole = format!("{}: {}{}{}", hit.field, hit.before, hit.word, hit.after);
            view! {
                <span class="row__snippet" title=whole>
                    <span class="row__field">{hit.field}</span>
                    " "
                    {hit.before}
                    <mark>{hit.word}</mark>
                    {hit.after}
                </span>
            }
        })
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
pub(super) fn label(alert: &AlertSummary) -> String {
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
    for (holds, word) in [
        (alert.is_unread, "unread"),
        (alert.is_flagged, "flagged"),
        (alert.snoozed_until.is_some(), "snoozed"),
    ] {
        said.extend(holds.then(|| word.to_owned()));
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
