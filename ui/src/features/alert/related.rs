//! Alerts that have something in common with this one, and what; what meant nothing is said too.

use calseta_contract::related::{RelatedAlert, RelatedView, SharedValue, TrackRecord};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::graph::RelationGraph;
use super::open_alert::OpenAlert;
use crate::api::{self, Failure};
use crate::components::{Age, FailureBanner, Section, SeverityGlyph, StatusChip, VerdictChip};
use crate::state::places::alert_path;
use crate::text::{clip, middle, visible};

/// Related alerts that are asked for.
const LIMIT: u32 = 20;
/// Shared values that a line names.
const SHARED: usize = 3;
/// A shared value is cut in its middle to this many characters.
const VALUE_CHARS: usize = 40;
/// A title is cut to this many characters.
const TITLE_CHARS: usize = 200;

/// What is related, as last read.
#[derive(Clone, Copy)]
pub(super) struct Relations {
    read: RwSignal<Option<RelatedView>>,
    failure: RwSignal<Option<Failure>>,
    open: OpenAlert,
}

impl Relations {
    /// Reads them with the alert, and again when its indicators change.
    pub(super) fn follow(open: OpenAlert) -> Self {
        let relations = Self {
            read: RwSignal::new(None),
            failure: RwSignal::new(None),
            open,
        };
        let decided_by = open.slice(|detail| {
            let indicators = detail.view.indicators.iter();
            let values: Vec<_> = indicators.map(|one| one.uuid).collect();
            (detail.view.summary.uuid, values)
        });
        Effect::new(move |before: Option<Option<calseta_domain::AlertId>>| {
            let alert = decided_by.with(|read| read.as_ref().map(|(alert, _)| *alert));
            if before.flatten() != alert {
                relations.read.set(None);
            }
            if alert.is_some() {
                relations.reload();
            }
            alert
        });
        relations
    }

    fn reload(self) {
        let Some(alert) = untrack(|| self.open.id()) else {
            return;
        };
        spawn_local(async move {
            let outcome = api::related(alert, LIMIT).await;
            if self.open.peek_id() != Some(alert) {
                return;
            }
            match outcome {
                Ok(read) => {
                    self.failure.try_set(None);
                    self.read.try_set(Some(read));
                }
                Err(failure) => drop(self.failure.try_set(Some(failure))),
            }
        });
    }

    /// What the rule has led to lately.
    pub(super) fn track_record(self) -> Option<TrackRecord> {
        self.read
            .with(|read| read.as_ref().and_then(|read| read.track_record.clone()))
    }

    /// How many related alerts still wait for somebody.
    pub(super) fn open_count(self) -> usize {
        use calseta_domain::AlertStatus::Closed;
        self.read.with(|read| {
            let related = read.iter().flat_map(|read| &read.related);
            related.filter(|one| one.alert.status != Closed).count()
        })
    }
}

/// The list, best first.
#[component]
pub(super) fn Related(relations: Relations) -> impl IntoView {
    let count = Signal::derive(move || {
        relations
            .read
            .with(|read| read.as_ref().map(|read| read.related.len()))
    });
    view! {
        <Section number=6 title="Related alerts" count>
            {move || {
                relations
                    .failure
                    .get()
                    .map(|failure| {
                        view! {
                            <FailureBanner
                                failure
                                what="What is related could not be read"
                                on_retry=move |()| relations.reload()
                            />
                        }
                    })
            }}
            {move || relations.read.get().map(|read| view! { <Found read /> })}
            <Show when=move || relations.read.with(|read| read.as_ref().is_some_and(|r| !r.related.is_empty()))>
                <RelationGraph open=relations.open related=Memo::new(move |_| relations.read.get()) />
            </Show>
        </Section>
    }
}

#[component]
fn Found(read: RelatedView) -> impl IntoView {
    let none = read.related.is_empty();
    view! {
        {none
            .then(|| {
                view! {
                    <p class="section__none">
                        "No other alert shares an indicator that means anything, or came from the same rule lately."
                    </p>
                }
            })}
        <ol class="related">{read.related.into_iter().map(line).collect_view()}</ol>
        <Ignored values=read.ignored />
    }
}

fn line(related: RelatedAlert) -> impl IntoView {
    let alert = related.alert;
    let title = visible(&alert.title).into_owned();
    let more = related.shared.len().saturating_sub(SHARED);
    let shared = related.shared.into_iter().take(SHARED).map(why);
    let closed_as = alert
        .close_classification
        .map(calseta_domain::CloseClassification::as_str);
    view! {
        <li class="related__line">
            <SeverityGlyph severity=alert.severity />
            <a class="related__title" href=alert_path(alert.uuid) title=clip(&title, TITLE_CHARS)>
                {clip(&title, TITLE_CHARS)}
            </a>
            <span><VerdictChip mark=alert.malice word=alert.malice.as_str() /></span>
            <span><StatusChip status=alert.status /></span>
            <Age at=alert.occurred_at sentence=true />
            <span class="related__why">
                {closed_as.map(|class| view! { <span class="related__class">{format!("closed as {class}")}</span> })}
                {related.is_same_rule.then(|| view! { <span class="chip chip--quiet">"same rule"</span> })}
                {shared.collect_view()}
                {(more > 0).then(|| format!("and {more} more"))}
            </span>
        </li>
    }
}

/// `ip 185.220.101.47 (rare: 2 alerts)`.
fn why(shared: SharedValue) -> impl IntoView {
    let value = visible(&shared.value).into_owned();
    let alerts = if shared.is_rare {
        format!("rare: {} alerts", shared.alert_count)
    } else {
        format!("{} alerts", shared.alert_count)
    };
    view! {
        <span class="chip related__shared" class:related__shared--rare=shared.is_rare>
            <span class="related__kind">{shared.kind.as_str()}</span>
            <span class="mono" title=value.clone()>{middle(&value, VALUE_CHARS)}</span>
            <span class="related__kind">{alerts}</span>
        </span>
    }
}

#[component]
fn Ignored(values: Vec<SharedValue>) -> impl IntoView {
    (!values.is_empty()).then(|| {
        let named: Vec<String> = values
            .iter()
            .map(|one| {
                let value = visible(&one.value);
                format!("{} in {} alerts", middle(&value, VALUE_CHARS), one.alert_count)
            })
            .collect();
        view! { <p class="section__note">{format!("Ignored as too common: {}.", named.join(", "))}</p> }
    })
}
