//! A numbered section of a document, foldable; what was folded stays folded in the next one.

use leptos::prelude::*;
use web_sys::HtmlDetailsElement;

use crate::state::preferences::Preferences;

/// A section with its number, as the keys `1`–`9` name it.
#[component]
pub(crate) fn Section(
    /// From 1.
    number: u8,
    /// Its heading.
    title: &'static str,
    /// How many things it holds.
    #[prop(optional, into)]
    count: Signal<Option<usize>>,
    /// Its content.
    children: Children,
) -> impl IntoView {
    let preferences = Preferences::expect();
    let open = !preferences.peek(|choices| choices.folded.contains(title));
    let remember = move |event: leptos::ev::Event| {
        let is_open = event_target::<HtmlDetailsElement>(&event).open();
        // A section that comes into the page open says so too.
        if preferences.peek(|choices| choices.folded.contains(title)) != is_open {
            return;
        }
        preferences.change(|choices| {
            if is_open {
                choices.folded.remove(title);
            } else {
                choices.folded.insert(title.to_owned());
            }
        });
    };
    view! {
        <section id=format!("section-{number}") class="section" tabindex="-1" aria-label=title>
            <details open=open on:toggle=remember>
                <summary class="section__head">
                    <h2 class="section__title">{title}</h2>
                    {move || {
                        count.get().map(|count| view! { <span class="section__count">{count}</span> })
                    }}
                    <kbd class="section__number" aria-hidden="true">{number}</kbd>
                </summary>
                <div class="section__body">{children()}</div>
            </details>
        </section>
    }
}
