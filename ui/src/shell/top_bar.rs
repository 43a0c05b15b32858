//! The top bar: the one box, the clock's zone, where the API listens, whether anything leaves.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api;
use crate::components::{ButtonKind, CommandButton, CommandKeys, CopyButton, Glyph, Icon, Popover};
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

/// Where the API listens, and how to call it.
#[component]
fn ApiChip() -> impl IntoView {
    let base_url = Session::expect().base_url();
    let is_open = RwSignal::new(false);
    let shown = without_scheme(&base_url);
    let url = StoredValue::new(base_url);
    view! {
        <div class="menu">
            <button
                type="button"
                class="button button--quiet chip--api"
                aria-haspopup="dialog"
                aria-expanded=move || is_open.get().to_string()
                title="The API listens here, for sources and agents on this machine"
                on:click=move |_| is_open.update(|open| *open = !*open)
            >
                <span class="chip__label">"API"</span>
                <code>{shown}</code>
            </button>
            <Show when=move || is_open.get()>
                <Popover label="The API" at_end=true on_close=move |()| is_open.set(false)>
                    <div class="snippets">
                        {url.with_value(|url| snippets(url))
                            .into_iter()
                            .map(snippet)
                            .collect_view()}
                    </div>
                </Popover>
            </Show>
        </div>
    }
}

fn snippet((what, text): (&'static str, String)) -> impl IntoView {
    view! {
        <section class="snippets__one">
            <h3 class="snippets__title">{what}</h3>
            <pre class="snippet__text mono" tabindex="0">{text.clone()}</pre>
            <CopyButton text what worded=true />
        </section>
    }
}

/// The address, and how to post an alert to it; the key is the reader's own.
fn snippets(base_url: &str) -> Vec<(&'static str, String)> {
    let curl = format!(
        "curl -sX POST {base_url}/v1/alerts \\\n  -H \"Authorization: Bearer $CALSETA_KEY\" \\\n  \
         -H \"Content-Type: application/json\" \\\n  \
         -d '{{\"source_name\":\"generic\",\"payload\":{{\"title\":\"Test\",\"severity\":\"High\"}}}}'"
    );
    let python = format!(
        "import os, requests\nrequests.post(\n    \"{base_url}/v1/alerts\",\n    \
         headers={{\"Authorization\": f\"Bearer {{os.environ['CALSETA_KEY']}}\"}},\n    \
         json={{\"source_name\": \"generic\", \"payload\": {{\"title\": \"Test\", \"severity\": \"High\"}}}},\n)"
    );
    vec![
        ("Address", base_url.to_owned()),
        ("Command", curl),
        ("Python", python),
    ]
}

fn without_scheme(url: &str) -> String {
    url.split_once("://")
        .map_or(url, |(_, rest)| rest)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snippets_name_the_real_address_and_valid_json() {
        let all = snippets("http://localhost:8003");
        assert!(
            all.iter()
                .all(|(_, text)| text.contains("http://localhost:8003"))
        );
        let body = all[1].1.split('\'').nth(1).expect("a quoted body");
        serde_json::from_str::<serde_json::Value>(body).expect("the body is JSON");
    }
}
