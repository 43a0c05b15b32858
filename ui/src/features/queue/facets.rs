//! The facets: how what is found divides. A press puts a value into the query or takes it out;
//! values that nothing has stay, because that is an answer too.

use calseta_contract::search::{Facet, FacetValue, FacetsView};
use calseta_domain::Timestamp;
use calseta_domain::query::{Field, has_value, toggled};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

use crate::api::{self, Failure};
use crate::components::FailureBanner;
use crate::state::clock::now_ms;
use crate::state::queue::Queue;
use crate::text::visible;

/// Facets are counted anew at most so often.
const COUNT_EVERY: Duration = Duration::from_millis(600);

/// The column beside the list.
#[component]
pub(super) fn Facets() -> impl IntoView {
    let queue = Queue::expect();
    let found = RwSignal::new(None::<FacetsView>);
    let failure = RwSignal::new(None::<Failure>);
    let waits = StoredValue::new(false);
    let read = move || {
        let q = queue.peek_q();
        spawn_local(async move {
            let outcome = api::facets(&q).await;
            if queue.peek_q() != q {
                return;
            }
            match outcome {
                Ok(facets) => {
                    failure.try_set(None);
                    found.try_set(Some(facets));
                }
                Err(reason) => {
                    failure.try_set(Some(reason));
                }
            }
        });
    };
    Effect::new(move |_| {
        queue.q();
        read();
    });
    Effect::new(move |_| {
        queue.total();
        if waits.get_value() {
            return;
        }
        waits.set_value(true);
        let later = move || {
            if waits.try_set_value(false).is_none() {
                read();
            }
        };
        set_timeout(later, COUNT_EVERY);
    });
    view! {
        <aside class="facets" aria-label="Facets">
            {move || {
                failure
                    .get()
                    .map(|failure| {
                        view! {
                            <FailureBanner
                                failure
                                what="The facets could not be counted"
                                on_retry=move |()| read()
                            />
                        }
                    })
            }}
            {move || found.get().map(|found| found.facets.into_iter().map(group).collect_view())}
        </aside>
    }
}

fn group(facet: Facet) -> impl IntoView {
    let field = Field::named(&facet.field);
    let title = match facet.field.as_str() {
        "sev" => "Severity",
        "status" => "Status",
        "source" => "Source",
        "rule" => "Rule",
        "verdict" => "Verdict",
        "says" => "Agents say",
        "tag" => "Tag",
        _ => "Other",
    };
    view! {
        <section class="facets__group">
            <h2 class="facets__title">{title}</h2>
            <ul>
                {facet.values.into_iter().map(|value| one(field, value)).collect_view()}
            </ul>
        </section>
    }
}

fn one(field: Option<Field>, value: FacetValue) -> impl IntoView {
    let queue = Queue::expect();
    let now = || Timestamp::from_millis(now_ms());
    let word = StoredValue::new(value.value);
    let is_on = move || {
        field.is_some_and(|field| word.with_value(|word| has_value(&queue.q(), field, word, now())))
    };
    let toggle = move |_| {
        if let Some(field) = field {
            let q = word.with_value(|word| toggled(&queue.peek_q(), field, word, now()));
            // A value of a facet makes a query of a query.
            let _ = queue.set_q(&q);
        }
    };
    let label = visible(&value.label).into_owned();
    view! {
        <li>
            <button
                type="button"
                class="facets__value"
                class:facets__value--zero=value.count == 0
                aria-pressed=move || is_on().to_string()
                title=label.clone()
                on:click=toggle
            >
                <span class="facets__label">{label.clone()}</span>
                <span class="facets__count">{value.count}</span>
            </button>
        </li>
    }
}
