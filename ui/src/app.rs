//! The window from its first byte to its first view: admitted, told what the backend is, running.

use calseta_contract::health::BootView;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::path;

use crate::api::{self, Admission, Failure};
use crate::components::{Empty, menu_commands};
use crate::features::agents::{AgentPage, AgentsPage, NewAgentPage};
use crate::features::alert::{self, AlertPage};
use crate::features::queue::{self, QueuePage};
use crate::features::setup::{FirstKeyDialog, SignInPage, StartFailedPage};
use crate::shell::Shell;
use crate::state::agent_times::AgentTimes;
use crate::state::alert_actions::AlertActions;
use crate::state::clock::Clock;
use crate::state::commands::Commands;
use crate::state::live::Live;
use crate::state::places::Places;
use crate::state::preferences::Preferences;
use crate::state::prompts::Prompts;
use crate::state::queue::Queue;
use crate::state::recents::Recents;
use crate::state::session::Session;
use crate::state::snippets::Snippets;
use crate::state::theme::Theme;
use crate::state::toasts::Toasts;
use crate::state::views::Views;

/// How far the start has come.
#[derive(Clone)]
enum Start {
    Connecting,
    SignedOut(Option<Failure>),
    Failed(Failure),
    Running(BootView),
}

/// The whole window.
#[component]
pub(crate) fn App() -> impl IntoView {
    if let Some(placeholder) = document().get_element_by_id("boot") {
        placeholder.remove();
    }
    Toasts::provide();
    Theme::provide();
    let start = RwSignal::new(Start::Connecting);
    let connect = move || spawn_local(async move { start.set(connected().await) });
    connect();
    move || match start.get() {
        Start::Connecting => view! { <p class="boot" role="status">"Starting…"</p> }.into_any(),
        Start::SignedOut(why) => view! { <SignInPage why /> }.into_any(),
        Start::Failed(failure) => {
            view! { <StartFailedPage failure on_retry=move |()| connect() /> }.into_any()
        }
        Start::Running(boot) => view! { <Running boot /> }.into_any(),
    }
}

async fn connected() -> Start {
    match api::admission().await {
        Admission::NoLink => return Start::SignedOut(None),
        Admission::Refused(failure) => return Start::SignedOut(Some(failure)),
        Admission::Admitted => {}
    }
    match api::boot().await {
        Ok(boot) => Start::Running(boot),
        Err(failure) if failure.status == Some(401) => {
            // The backend has restarted since: its bearers died with it.
            api::forget_session();
            Start::SignedOut(None)
        }
        Err(failure) => Start::Failed(failure),
    }
}

/// The window once the backend is known.
#[component]
fn Running(boot: BootView) -> impl IntoView {
    let first_key = RwSignal::new(boot.first_key_waiting);
    Session::provide(boot);
    Clock::provide();
    Live::provide();
    Preferences::provide();
    Prompts::provide();
    Commands::provide();
    Queue::provide();
    Views::provide();
    Recents::provide();
    AgentTimes::provide();
    Snippets::provide();
    view! {
        <Router>
            <Inside first_key />
        </Router>
    }
}

#[component]
fn Inside(first_key: RwSignal<bool>) -> impl IntoView {
    Places::provide();
    AlertActions::provide();
    Commands::expect().declare(alert::commands());
    Commands::expect().declare(queue::commands());
    Commands::expect().declare(menu_commands());
    view! {
        <Shell>
            <Routes fallback=NotFound>
                <ParentRoute path=path!("") view=QueuePage>
                    <Route path=path!("") view=|| () />
                    <Route path=path!("alerts/:uuid") view=AlertPage />
                </ParentRoute>
                <Route path=path!("agents") view=AgentsPage />
                <Route path=path!("agents/new") view=NewAgentPage />
                <Route path=path!("agents/:uuid") view=AgentPage />
                <Route path=path!("__gallery") view=Gallery />
            </Routes>
        </Shell>
        <Show when=move || first_key.get()>
            <FirstKeyDialog on_done=move |()| first_key.set(false) />
        </Show>
    }
}

/// The components on one page; a shipped window has no such page.
#[cfg(debug_assertions)]
use crate::features::gallery::GalleryPage as Gallery;
#[cfg(not(debug_assertions))]
use NotFound as Gallery;

#[component]
fn NotFound() -> impl IntoView {
    view! {
        <Empty title="There is nothing here" text="The address names no page of this window.">
            <a class="button" href="/">"Go to the queue"</a>
        </Empty>
    }
}
