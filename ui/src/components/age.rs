//! A point in time as its age, with both zones in the tooltip.

use calseta_domain::Timestamp;
use leptos::prelude::*;

use crate::state::clock::{Clock, offset_minutes};
use crate::text::{age, ago, stamp};

/// `4m`, or `4 m ago` in a sentence.
#[component]
pub(crate) fn Age(
    /// The point in time.
    at: Timestamp,
    /// Whether it stands in a sentence.
    #[prop(optional)]
    sentence: bool,
) -> impl IntoView {
    let clock = Clock::expect();
    let text = Memo::new(move |_| {
        if sentence {
            ago(clock.now(), at)
        } else {
            age(clock.now(), at)
        }
    });
    view! {
        <time class="age" datetime=at.to_string() title=stamp(at, offset_minutes(at))>
            {text}
        </time>
    }
}
