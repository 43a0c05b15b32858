//! How the window looks and behaves: kept on this machine, for this window.

use leptos::prelude::*;

use crate::components::{Button, ButtonKind, CommandButton, Dialog, Switch};
use crate::state::preferences::{Density, Preferences};
use crate::state::prompts::Prompts;
use crate::state::theme::{Choice, Theme};

#[component]
pub(super) fn Settings() -> impl IntoView {
    let (prompts, preferences, theme) = (Prompts::expect(), Preferences::expect(), Theme::expect());
    let density = preferences.part(|choices| choices.density);
    let theme_choice = move |choice: Choice| {
        view! {
            <button
                type="button"
                class="toggle"
                data-command=format!("theme.{}", choice.word())
                aria-pressed=move || (theme.choice() == choice).to_string()
                on:click=move |_| theme.choose(choice)
            >
                {choice.title()}
            </button>
        }
    };
    let density_choice = move |one: Density| {
        view! {
            <button
                type="button"
                class="toggle"
                aria-pressed=move || (density.get() == one).to_string()
                on:click=move |_| preferences.change(|choices| choices.density = one)
            >
                {one.title()}
            </button>
        }
    };
    view! {
        <Dialog title="Settings" on_close=move |()| prompts.close()>
            <div class="form">
                <fieldset class="display__part">
                    <legend>"Theme"</legend>
                    <div class="display__choices">
                        {Choice::ALL.into_iter().map(theme_choice).collect_view()}
                    </div>
                </fieldset>
                <fieldset class="display__part">
                    <legend>"Density of lists"</legend>
                    <div class="display__choices">
                        {Density::ALL.into_iter().map(density_choice).collect_view()}
                    </div>
                </fieldset>
                <TextSize />
                <Behaviour />
            </div>
            <div class="dialog__actions">
                <CommandButton id="window.shortcuts" />
                <Button label="Close" kind=ButtonKind::Primary on_press=move |()| prompts.close() />
            </div>
        </Dialog>
    }
}

#[component]
fn TextSize() -> impl IntoView {
    let font = Preferences::expect().part(|choices| choices.font_px);
    view! {
                <fieldset class="display__part">
                    <legend>"Size of text"</legend>
                    <div class="display__choices">
                        <CommandButton id="window.text-smaller" />
                        <output class="settings__size" aria-live="polite">
                            {move || format!("{} px", font.get())}
                        </output>
                        <CommandButton id="window.text-larger" />
                    </div>
                </fieldset>
    }
}

#[component]
fn Behaviour() -> impl IntoView {
    let preferences = Preferences::expect();
    let advance = preferences.part(|choices| choices.auto_advance);
    let single = preferences.part(|choices| choices.single_keys);
    let utc = preferences.part(|choices| choices.utc);
    view! {
                <fieldset class="display__part">
                    <legend>"Behaviour"</legend>
                    <Switch
                        label="Go on to the next alert after closing one"
                        on=advance
                        on_change=move |on| preferences.change(|choices| choices.auto_advance = on)
                    />
                    <Switch
                        label="Single letters are shortcuts"
                        on=single
                        on_change=move |on| preferences.change(|choices| choices.single_keys = on)
                    />
                    <Switch
                        label="Times are UTC"
                        on=utc
                        on_change=move |on| preferences.change(|choices| choices.utc = on)
                    />
                </fieldset>
    }
}
