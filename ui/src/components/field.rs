//! Form fields: label above, help and error below, tied together for screen readers.

use leptos::prelude::*;

/// A line of text.
#[component]
pub(crate) fn Field(
    /// Its id; unique on the page.
    id: &'static str,
    /// What it is.
    label: &'static str,
    /// What is typed.
    value: RwSignal<String>,
    /// What was refused about it.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// What to type.
    #[prop(optional, into)]
    help: Option<String>,
    /// An example.
    #[prop(optional)]
    placeholder: &'static str,
    /// Whether it is a secret: shown as dots, never filled in by the browser.
    #[prop(optional)]
    secret: bool,
    /// Whether it is an address or another thing to be read letter by letter.
    #[prop(optional)]
    mono: bool,
    /// Whether it has the focus first.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    let help_id = format!("{id}-help");
    let described = help_id.clone();
    view! {
        <div class="field">
            <label class="field__label" for=id>{label}</label>
            <input
                id=id
                class="field__input"
                class:mono=mono
                type=if secret { "password" } else { "text" }
                autocomplete=if secret { "new-password" } else { "off" }
                spellcheck="false"
                autofocus=autofocus
                placeholder=placeholder
                aria-describedby=described
                aria-invalid=move || error.get().is_some().then_some("true")
                prop:value=move || value.get()
                on:input=move |event| value.set(event_target_value(&event))
            />
            <Hint id=help_id help error />
        </div>
    }
}

#[component]
fn Hint(
    id: String,
    help: Option<String>,
    #[prop(into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let help = StoredValue::new(help);
    view! {
        <p id=id class="field__hint" class:field__hint--error=move || error.get().is_some()>
            {move || error.get().or_else(|| help.get_value())}
        </p>
    }
}

/// One of a few words.
#[component]
pub(crate) fn SelectField(
    /// Its id; unique on the page.
    id: &'static str,
    /// What it is.
    label: &'static str,
    /// The value that is chosen.
    value: RwSignal<String>,
    /// Value and word, in order.
    options: Vec<(String, String)>,
    /// What was refused about it.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// What it decides.
    #[prop(optional, into)]
    help: Option<String>,
) -> impl IntoView {
    let help_id = format!("{id}-help");
    let described = help_id.clone();
    view! {
        <div class="field">
            <label class="field__label" for=id>{label}</label>
            <select
                id=id
                class="field__input"
                aria-describedby=described
                prop:value=move || value.get()
                on:change=move |event| value.set(event_target_value(&event))
            >
                {options
                    .into_iter()
                    .map(|(word, title)| view! { <option value=word>{title}</option> })
                    .collect_view()}
            </select>
            <Hint id=help_id help error />
        </div>
    }
}

/// On or off, at once.
#[component]
pub(crate) fn Switch(
    /// What it switches.
    #[prop(into)]
    label: String,
    /// Whether it is on.
    #[prop(into)]
    on: Signal<bool>,
    /// Whether it cannot be pressed now.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// Called with what is wanted.
    #[prop(into)]
    on_change: Callback<bool>,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class="switch"
            role="switch"
            aria-checked=move || on.get().to_string()
            disabled=move || busy.get()
            on:click=move |_| on_change.run(!on.get_untracked())
        >
            <span class="switch__track" aria-hidden="true"></span>
            <span>{label}</span>
        </button>
    }
}
