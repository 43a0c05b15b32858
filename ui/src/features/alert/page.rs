//! The alert's page: a sticky head and numbered sections.

use calseta_domain::AlertId;
use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement};

use super::context::Context;
use super::findings::Findings;
use super::glance::Glance;
use super::header::Header;
use super::indicators::Indicators;
use super::open_alert::OpenAlert;
use super::raw::Raw;
use super::related::{Related, Relations};
use super::timeline::Timeline;
use super::told::AgentsTold;
use super::workflows::Workflows;
use crate::components::{CommandButton, Empty, FailureBanner, Skeleton};
use crate::state::commands::{Command, Commands, Group};

/// The sections in order: title, and the key that jumps there.
const SECTIONS: [(&str, &str, &[&str]); 9] = [
    ("alert.section-1", "At a glance", &["1"]),
    ("alert.section-2", "Indicators", &["2"]),
    ("alert.section-3", "Agent findings", &["3"]),
    ("alert.section-4", "Context", &["4"]),
    ("alert.section-5", "Workflows and approvals", &["5"]),
    ("alert.section-6", "Related alerts", &["6"]),
    ("alert.section-7", "Timeline", &["7"]),
    ("alert.section-8", "Agents told", &["8"]),
    ("alert.section-9", "Raw payload", &["9"]),
];

/// Below this width the page covers the list; the stylesheet has the same number.
const COVERS_LIST: &str = "(max-width: 1199px)";

/// One alert, beside the list, over it, or in its place: by the window's width.
#[component]
pub(crate) fn AlertPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| {
        params.with(|params| {
            params
                .get("uuid")
                .and_then(|uuid| uuid.parse::<AlertId>().ok())
        })
    });
    let open = OpenAlert::follow(id);
    let node = NodeRef::<html::Section>::new();
    register();
    Effect::new(move |_| {
        id.track();
        if let Some(page) = node.get_untracked() {
            page.set_scroll_top(0);
        }
    });
    take_focus_when_alone(node);
    view! {
        <section node_ref=node class="detail" aria-label="Alert" tabindex="-1" data-arrows="scroll">
            {move || match open.id() {
                Some(_) => view! { <Body open /> }.into_any(),
                None => {
                    view! {
                        <Empty title="No such alert" text="The address names no alert.">
                            <CommandButton id="queue.back" />
                        </Empty>
                    }
                        .into_any()
                }
            }}
        </section>
    }
}

/// Where the page covers the list, the focus comes along; beside it, the list keeps the focus.
fn take_focus_when_alone(node: NodeRef<html::Section>) {
    Effect::new(move |_| {
        let Some(page) = node.get() else { return };
        let covers = window().match_media(COVERS_LIST).ok().flatten();
        if covers.is_some_and(|query| query.matches()) {
            // The router puts the page into the document only after this.
            request_animation_frame(move || {
                // A page that takes no focus is still read from its beginning.
                let _ = page.focus();
            });
        }
    });
}

#[component]
fn Body(open: OpenAlert) -> impl IntoView {
    let is_read = Memo::new(move |_| open.detail().is_some());
    let relations = Relations::follow(open);
    view! {
        <Header open />
        {move || open.failure().map(|failure| view! { <Failed open failure /> })}
        <Show
            when=move || is_read.get()
            fallback=move || {
                open.failure().is_none().then(|| view! { <Skeleton lines=10 /> })
            }
        >
            <div class="detail__sections">
                <Glance open relations />
                <Indicators open />
                <Findings open />
                <Context open />
                <Workflows />
                <Related relations />
                <Timeline open />
                <AgentsTold open />
                <Raw open />
            </div>
        </Show>
    }
}

#[component]
fn Failed(open: OpenAlert, failure: crate::api::Failure) -> impl IntoView {
    if failure.is_not_found() {
        return view! {
            <Empty title="This alert is gone" text="It was deleted, or never existed here.">
                <CommandButton id="queue.back" />
            </Empty>
        }
        .into_any();
    }
    view! {
        <FailureBanner
            failure
            what="The alert could not be read"
            on_retry=move |()| open.reload()
        />
    }
    .into_any()
}

/// What the page registers while it is on the screen, for whoever lists all commands.
pub(crate) fn commands() -> Vec<Command> {
    let compare = Command::elsewhere("alert.compare", "Compare findings", Group::Act, &["C"]);
    let sections = SECTIONS
        .iter()
        .map(|(id, title, keys)| Command::elsewhere(id, title, Group::Move, keys));
    sections.chain([compare]).collect()
}

fn register() {
    let jump = |number: usize| {
        move || {
            let section = document().get_element_by_id(&format!("section-{number}"));
            let Some(section) = section.and_then(|s| s.dyn_into::<HtmlElement>().ok()) else {
                return;
            };
            if let Ok(Some(details)) = section.query_selector("details") {
                // An attribute of the page's own element can always be set.
                let _ = details.set_attribute("open", "");
            }
            section.scroll_into_view();
            let _ = section.focus();
        }
    };
    let numbered = SECTIONS
        .iter()
        .enumerate()
        .map(|(index, (id, title, keys))| {
            Command::new(id, title, Group::Move, keys, jump(index + 1))
        });
    let next = move || jump((here() + 1).min(SECTIONS.len()))();
    let previous = move || jump(here().saturating_sub(1).max(1))();
    let beside = [
        Command::new(
            "alert.section-next",
            "Next section",
            Group::Move,
            &["l"],
            next,
        ),
        Command::new(
            "alert.section-previous",
            "Previous section",
            Group::Move,
            &["h"],
            previous,
        ),
    ];
    Commands::expect().register(numbered.chain(beside).collect());
}

/// The section that has the focus; without one, the first that is in sight under the head.
fn here() -> usize {
    let document = document();
    let number = |element: &Element| {
        let id = element.id();
        id.strip_prefix("section-")
            .and_then(|number| number.parse().ok())
    };
    let focused = document.active_element();
    let focused = focused.and_then(|element| element.closest(".section").ok().flatten());
    if let Some(found) = focused.as_ref().and_then(number) {
        return found;
    }
    let head = document.query_selector(".alert-head").ok().flatten();
    let edge = head.map_or(0.0, |head| head.get_bounding_client_rect().bottom());
    (1..=SECTIONS.len())
        .find(|number| {
            let section = document.get_element_by_id(&format!("section-{number}"));
            section.is_some_and(|one| one.get_bounding_client_rect().bottom() > edge)
        })
        .unwrap_or(0)
}
