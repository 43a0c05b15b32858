//! At a glance: five fixed questions. A slot without an answer says why it has none.

use calseta_contract::alert::{AlertView, IndicatorView};
use calseta_contract::related::TrackRecord;
use calseta_domain::{IndicatorType, Timestamp};
use leptos::prelude::*;

use super::known::about;
use super::open_alert::OpenAlert;
use super::related::Relations;
use crate::components::{Age, Section};
use crate::text::{clip, middle, stamp, visible};

/// A description is cut to this many characters; the payload has the rest.
const DESCRIPTION_CHARS: usize = 400;
/// Values that a slot shows.
const VALUES: usize = 3;
/// A value is cut in its middle to this many characters.
const VALUE_CHARS: usize = 44;

/// One slot's answer, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Text(String),
    /// Each with what enrichment knows of it; and how many more there are.
    Values(Vec<(String, Option<String>)>, usize),
    None(&'static str),
}

/// What, who, where, when, so what.
#[component]
pub(super) fn Glance(open: OpenAlert, relations: Relations) -> impl IntoView {
    let what = open.slice(|detail| what(&detail.view));
    let who = open.slice(|detail| who(&detail.view.indicators));
    let place = open.slice(|detail| place(&detail.view.indicators));
    let times = open.slice(|detail| {
        let alert = &detail.view.summary;
        (
            alert.occurred_at,
            alert.ingested_at,
            detail.view.last_seen_at,
        )
    });
    let so_what = open.slice(|detail| so_what(&detail.view));
    view! {
        <Section number=1 title="At a glance">
            <dl class="glance">
                <Slot title="What">{move || what.get().map(answer)}</Slot>
                <Slot title="Who">{move || who.get().map(answer)}</Slot>
                <Slot title="Where">{move || place.get().map(answer)}</Slot>
                <Slot title="When">
                    {move || {
                        times
                            .get()
                            .map(|(occurred, ingested, last_seen)| {
                                let lag = (ingested.millis() - occurred.millis()) / 1000;
                                view! {
                                    <span class="glance__value mono">{clock_time(occurred)}</span>
                                    <Age at=occurred sentence=true />
                                    {(lag > 0).then(|| format!(", came in {} later", seconds(lag)))}
                                    {last_seen
                                        .map(|at| {
                                            view! { ", last repeated "<Age at sentence=true /> }
                                        })}
                                    {move || {
                                        open.looked_before()
                                            .map(|at| {
                                                view! {
                                                    <span class="glance__more">
                                                        "you last looked "<Age at sentence=true />
                                                    </span>
                                                }
                                            })
                                    }}
                                }
                            })
                    }}
                </Slot>
                <Slot title="So what">
                    {move || so_what.get().map(answer)}
                    {move || related_open(relations.open_count())}
                </Slot>
            </dl>
            {move || relations.track_record().map(record)}
        </Section>
    }
}

fn related_open(count: usize) -> Option<impl IntoView + use<>> {
    let said = match count {
        0 => return None,
        1 => "1 related alert is open".to_owned(),
        count => format!("{count} related alerts are open"),
    };
    Some(view! { <span class="glance__more">{said}</span> })
}

/// `Last 30 days: 24 alerts · 17 of the last 20 closed as false positives · half closed within 3 min`.
fn record(record: TrackRecord) -> impl IntoView + use<> {
    let mut parts = vec![match record.alerts {
        1 => "1 alert of this rule in 30 days".to_owned(),
        count => format!("{count} alerts of this rule in 30 days"),
    }];
    let last: u64 = record.last_closed.iter().map(|one| one.count).sum();
    let false_ones: u64 = record
        .last_closed
        .iter()
        .filter(|one| one.classification.starts_with("False Positive"))
        .map(|one| one.count)
        .sum();
    if last > 0 {
        parts.push(format!(
            "{false_ones} of the last {last} closed as false positives"
        ));
    }
    if let Some(ms) = record.median_close_ms {
        parts.push(format!("half closed within {}", seconds(ms / 1_000)));
    }
    if let Some(most) = record.last_closed.first() {
        parts.push(format!("most often {}", visible(&most.classification)));
    }
    view! { <p class="glance__record">{parts.join(" · ")}</p> }
}

#[component]
fn Slot(title: &'static str, children: Children) -> impl IntoView {
    view! {
        <div class="glance__slot">
            <dt>{title}</dt>
            <dd>{children()}</dd>
        </div>
    }
}

fn answer(answer: Answer) -> AnyView {
    match answer {
        Answer::Text(text) => text.into_any(),
        Answer::None(why) => view! { <span class="glance__none">{why}</span> }.into_any(),
        Answer::Values(values, more) => view! {
            {values
                .into_iter()
                .map(|(value, about)| {
                    let short = middle(&value, VALUE_CHARS);
                    view! {
                        <span class="glance__value mono" title=value>{short}</span>
                        {about.map(|about| view! { <span class="glance__about">{about}</span> })}
                    }
                })
                .collect_view()}
            {(more > 0).then(|| view! { <span class="glance__none">{format!("and {more} more")}</span> })}
        }
        .into_any(),
    }
}

fn what(view: &AlertView) -> Answer {
    let rule = view
        .detection_rule
        .as_ref()
        .map(|rule| visible(&rule.name).into_owned());
    let description = view
        .summary
        .description
        .as_deref()
        .filter(|text| !text.trim().is_empty());
    let description = description.map(|text| clip(&visible(text), DESCRIPTION_CHARS));
    match (rule, description) {
        (Some(rule), Some(text)) => Answer::Text(format!("{rule}: {text}")),
        (Some(text), None) | (None, Some(text)) => Answer::Text(text),
        (None, None) => Answer::None("No rule is linked, and no description was sent."),
    }
}

fn of_kinds(indicators: &[IndicatorView], kinds: &[IndicatorType]) -> Option<Answer> {
    let mut values: Vec<(String, Option<String>)> = indicators
        .iter()
        .filter(|indicator| kinds.contains(&indicator.kind))
        .map(|indicator| (visible(&indicator.value).into_owned(), about(indicator)))
        .collect();
    let more = values.len().saturating_sub(VALUES);
    values.truncate(VALUES);
    (!values.is_empty()).then_some(Answer::Values(values, more))
}

fn who(indicators: &[IndicatorView]) -> Answer {
    of_kinds(indicators, &[IndicatorType::Account, IndicatorType::Email]).unwrap_or(Answer::None(
        "No account or e-mail address in the mapped fields.",
    ))
}

fn place(indicators: &[IndicatorView]) -> Answer {
    of_kinds(
        indicators,
        &[IndicatorType::Ip, IndicatorType::Domain, IndicatorType::Url],
    )
    .unwrap_or(Answer::None(
        "No address, domain or URL in the mapped fields.",
    ))
}

fn so_what(view: &AlertView) -> Answer {
    let mut parts = Vec::new();
    if let Some(rule) = &view.detection_rule {
        let techniques = if rule.mitre_subtechniques.is_empty() {
            &rule.mitre_techniques
        } else {
            &rule.mitre_subtechniques
        };
        let ids = rule.mitre_tactics.iter().chain(techniques);
        parts.extend(ids.map(|id| match rule.mitre_names.get(id) {
            Some(name) => format!("{name} ({id})"),
            None => id.clone(),
        }));
    }
    let tags = view.summary.tags.iter().map(|tag| format!("#{tag}"));
    parts.extend(tags);
    if view.summary.duplicate_of.is_some() {
        parts.push("came back after it was closed".to_owned());
    }
    if parts.is_empty() {
        return Answer::None("No technique on its rule, and no tags.");
    }
    Answer::Text(visible(&parts.join(" · ")).into_owned())
}

/// `2025-01-15 10:28:00 UTC`.
fn clock_time(at: Timestamp) -> String {
    let both = stamp(at, 0);
    both.split(" · ").next().unwrap_or_default().to_owned()
}

/// `45 s`, `3 min`, `2 h`.
fn seconds(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200.. => format!("{} h", seconds / 3_600),
    }
}
