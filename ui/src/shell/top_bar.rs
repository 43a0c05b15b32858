//! The top bar: the one box, the clock's zone, where the API listens, whether anything leaves.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::api_chip::ApiChip;
use crate::api;
use crate::components::{ButtonKind, CommandButton, CommandKeys, Glyph, Icon};
use crate::state::commands::Commands;
use crate::state::live::{Change, Live};
use crate::state::preferences::Preferences;
use crate::state::session::Session;

/// One line above every page.
#[component]
pub(super) fn TopBar() -> impl IntoView {
    let session = Session::expect();
    let commands = Commands::expect();
    let demo = session.boot().demo;
    let utc = Preferences::expect().part(|choices| choices.utc);
    view! {
        <header class="top-bar">
            <span class="top-bar__name">"Calseta"</span>
            <button
                type="button"
                class="search-box"
                data-command="window.palette"
                aria-haspopup="dialog"
                title="Search or run a command"
                on:click=move |_| {
                    commands.run("window.palette");
                }
            >
                <Icon glyph=Glyph::Search />
                <span class="search-box__text">"Search or run a command"</span>
                <CommandKeys id="window.palette" />
            </button>
            <span class="top-bar__space"></span>
            {demo
                .then(|| {
                    view! {
                        <span class="chip chip--warn top-bar__demo" title="Enrichment answers come from canned demo data">
                            "Demo answers"
                        </span>
                    }
                })}
            <button
                type="button"
                class="button button--quiet"
                data-command="window.zone"
                title="Times are shown in this zone; press to change"
                on:click=move |_| {
                    commands.run("window.zone");
                }
            >
                <Icon glyph=Glyph::Snooze />
                <span>{move || if utc.get() { "UTC" } else { "Local" }}</span>
            </button>
            <ApiChip />
            <EgressChip />
            <CommandButton id="alert.new" label="New alert" kind=ButtonKind::Quiet glyph=Glyph::Plus />
            <CommandButton id="window.settings" label="" kind=ButtonKind::Quiet glyph=Glyph::Settings />
            <CommandButton id="window.shortcuts" label="" kind=ButtonKind::Quiet glyph=Glyph::Keyboard />
        </header>
    }
}

/// Whether anything may leave this machine.
#[component]
fn EgressChip() -> impl IntoView {
    let gapped = RwSignal::new(None::<bool>);
    let read = move || {
        spawn_local(async move {
            // Without an answer the chip says nothing rather than something wrong.
            let known = api::is_air_gapped().await.ok();
            gapped.try_set(known);
        });
    };
    read();
    Live::expect().listen(move |change| {
        let concerns = match change {
            Change::Gap => true,
            Change::Events(events) => events.iter().any(|event| event.kind == "settings.updated"),
        };
        if concerns {
            read();
        }
    });
    move || {
        gapped.get().map(|gapped| {
            let (word, title) = if gapped {
                (
                    "Air-gapped",
                    "Nothing leaves this machine: lookups and agents elsewhere wait",
                )
            } else {
                (
                    "Online",
                    "Lookups, agents and workflows may leave this machine, each as it was allowed",
                )
            };
            view! {
                <span class="chip chip--quiet top-bar__egress" title=title>
                    <Icon glyph=Glyph::Shield />
                    {word}
                </span>
            }
        })
    }
}
