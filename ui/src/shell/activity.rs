//! What goes on in the background, in words: lookups, deliveries and what the providers allow.

use calseta_contract::job::{JobKindWord, JobView};
use calseta_contract::provider::ProviderView;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{self, Failure};
use crate::components::{Button, Mood};
use crate::hooks::use_action;
use crate::state::live::Live;
use crate::state::places::Places;
use crate::state::queue::Queue;
use crate::state::toasts::Toasts;
use crate::text::{clip, visible};

/// A provider's name is cut to this many characters.
const NAME_CHARS: usize = 40;
/// Jobs that are listed; the API has them all.
const MAX_JOBS: usize = 10;
/// The states of deliveries that are not over, or need somebody, with their words.
const DELIVERIES: [(&str, &str, &str); 4] = [
    ("due", "busy", "waiting to be sent"),
    ("in_flight", "busy", "being sent"),
    ("parked", "warn", "parked until their agent answers"),
    ("dead", "bad", "given up"),
];

/// What was read.
#[derive(Clone, Default)]
struct Background {
    deliveries: Vec<u64>,
    jobs: Vec<JobView>,
    providers: Vec<ProviderView>,
}

async fn read() -> Result<Background, Failure> {
    let mut deliveries = Vec::with_capacity(DELIVERIES.len());
    for (state, ..) in DELIVERIES {
        deliveries.push(api::count_deliveries(state).await?);
    }
    Ok(Background {
        deliveries,
        jobs: api::quarantined_jobs().await?,
        providers: api::list_providers().await?,
    })
}

/// The drawer's content; it is read again with every event while it is open.
#[component]
pub(super) fn Activity(
    /// Called when somebody goes elsewhere from here.
    #[prop(into)]
    on_leave: Callback<()>,
) -> impl IntoView {
    let (queue, places) = (Queue::expect(), Places::expect());
    let background = RwSignal::new(None::<Result<Background, Failure>>);
    let is_reading = StoredValue::new(false);
    let again = move || {
        if is_reading.try_set_value(true).is_some() {
            return;
        }
        spawn_local(async move {
            let outcome = read().await;
            background.try_set(Some(outcome));
            is_reading.try_set_value(false);
        });
    };
    again();
    Live::expect().listen(move |_| again());
    let lookups = move || {
        let count = queue.looked_up().map_or(0, |total| total.count);
        let (mood, text) = match count {
            0 => ("ok", "Nothing is being looked up.".to_owned()),
            1 => ("busy", "1 alert is being looked up.".to_owned()),
            many => ("busy", format!("{many} alerts are being looked up.")),
        };
        view! { <Mood mood text /> }
    };
    let rest = move || match background.get() {
        None => view! { <p class="activity__line">"Reading…"</p> }.into_any(),
        Some(Err(failure)) => {
            view! { <p class="activity__line" role="alert">{failure.message}</p> }.into_any()
        }
        Some(Ok(read)) => shown(read).into_any(),
    };
    view! {
        <div class="activity">
            <h2 class="activity__title">"Lookups"</h2>
            <p class="activity__line">{lookups}</p>
            {rest}
            <button
                type="button"
                class="button"
                on:click=move |_| {
                    on_leave.run(());
                    places.agents();
                }
            >
                "Agents and their deliveries"
            </button>
        </div>
    }
}

fn shown(read: Background) -> impl IntoView {
    let some: Vec<_> = DELIVERIES
        .iter()
        .zip(&read.deliveries)
        .filter(|(_, count)| **count > 0)
        .map(|((_, mood, words), count)| (*mood, format!("{count} {words}")))
        .collect();
    let none = some.is_empty();
    view! {
        <h2 class="activity__title">"Deliveries to agents"</h2>
        {none.then(|| view! { <p class="activity__line"><Mood mood="ok" text="None waits, none was given up.".to_owned() /></p> })}
        {some
            .into_iter()
            .map(|(mood, text)| view! { <p class="activity__line"><Mood mood text /></p> })
            .collect_view()}
        {(!read.jobs.is_empty())
            .then(|| {
                view! {
                    <h2 class="activity__title">"Jobs in quarantine"</h2>
                    <ul>{read.jobs.into_iter().take(MAX_JOBS).map(job).collect_view()}</ul>
                }
            })}
        <h2 class="activity__title">"Providers"</h2>
        <ul>{read.providers.into_iter().map(provider).collect_view()}</ul>
    }
}

/// Work that failed in a way that takes the program with it: tried again only by hand.
fn job(job: JobView) -> impl IntoView {
    let toasts = Toasts::expect();
    let action = use_action();
    let id = job.uuid;
    let what = match job.kind {
        JobKindWord::Enrich => "Lookup of",
        JobKindWord::Match => "Matching of",
    };
    let subject = job.subject.as_deref().unwrap_or("something deleted");
    let text = format!("{what} {}", clip(&visible(subject), NAME_CHARS));
    let release = move |()| {
        action.start_or(
            async move { api::release_job(id).await },
            move |_| toasts.say("It is tried once more"),
            move |failure| toasts.fail("It was not tried again", failure),
        );
    };
    view! {
        <li class="activity__line activity__provider">
            <Mood mood="bad" text />
            <span>{format!("broke off {} times", job.crashes)}</span>
            <Button
                label="Try once more"
                busy=Signal::derive(move || action.busy())
                on_press=release
            />
        </li>
    }
}

fn provider(provider: ProviderView) -> impl IntoView {
    let (mood, state) = state(&provider);
    let name = clip(&visible(&provider.display_name), NAME_CHARS);
    view! {
        <li class="activity__line activity__provider">
            <Mood mood text=name />
            <span>{state}</span>
            <span class="activity__quota">{quota(&provider)}</span>
        </li>
    }
}

/// Whether it is asked, and why not.
fn state(provider: &ProviderView) -> (&'static str, String) {
    match () {
        () if !provider.is_active => ("", "switched off".to_owned()),
        () if provider.mode == "mock" => ("ok", "canned demo answers".to_owned()),
        () if provider.mode == "off" => ("", "off".to_owned()),
        () if provider.key_state == "invalid" => ("bad", "its key is refused".to_owned()),
        () if !provider.is_configured => ("warn", "needs a key".to_owned()),
        () => ("ok", "is asked".to_owned()),
    }
}

/// `4 a minute, 500 a day, 2 at once`.
fn quota(provider: &ProviderView) -> String {
    let per = |count: Option<u32>, unit: &str| count.map(|count| format!("{count} {unit}"));
    let parts = [
        per(provider.quota.per_minute, "a minute"),
        per(provider.quota.per_day, "a day"),
        per(Some(provider.max_in_flight), "at once"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
