//! The top bar: where the API listens, which theme, which keys.

use leptos::prelude::*;

use crate::components::{Button, ButtonKind, CopyButton, Glyph};
use crate::state::session::Session;
use crate::state::theme::{Choice, Theme};

/// One line above every page.
#[component]
pub(super) fn TopBar(sheet: RwSignal<bool>) -> impl IntoView {
    let session = Session::expect();
    let base_url = session.base_url();
    let demo = session.boot().demo;
    view! {
        <header class="top-bar">
            <span class="top-bar__name">"Calseta"</span>
            {demo
                .then(|| {
                    view! {
                        <span class="chip chip--warn" title="Enrichment answers come from canned demo data">
                            "Demo answers"
                        </span>
                    }
                })}
            <span class="top-bar__space"></span>
            <span class="chip chip--api" title="The API listens here, for sources and agents on this machine">
                <span class="chip__label">"API"</span>
                <code>{without_scheme(&base_url)}</code>
                <CopyButton text=base_url.clone() what="Address" />
            </span>
            <ThemeSelect />
            <Button
                label="Keyboard shortcuts (?)"
                kind=ButtonKind::Quiet
                glyph=Glyph::Keyboard
                icon_only=true
                on_press=move |()| sheet.set(true)
            />
        </header>
    }
}

#[component]
fn ThemeSelect() -> impl IntoView {
    let theme = Theme::expect();
    let option = |choice: Choice| view! { <option value=choice.word()>{choice.title()}</option> };
    view! {
        <select
            class="top-bar__theme"
            aria-label="Theme"
            title="Theme"
            prop:value=move || theme.choice().word()
            on:change=move |event| theme.choose(Choice::from_word(&event_target_value(&event)))
        >
            {Choice::ALL.map(option).collect_view()}
        </select>
    }
}

fn without_scheme(url: &str) -> String {
    url.split_once("://")
        .map_or(url, |(_, rest)| rest)
        .to_owned()
}
