//! A numbered section of a document, foldable.

use leptos::prelude::*;

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
    /// Whether it is open at first.
    #[prop(default = true)]
    open: bool,
    /// Its content.
    children: Children,
) -> impl IntoView {
    view! {
        <section id=format!("section-{number}") class="section" tabindex="-1" aria-label=title>
            <details open=open>
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
