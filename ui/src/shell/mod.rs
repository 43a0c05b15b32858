//! The frame around every page: rail, top bar, status bar, toasts, dialogs that any page may need.

mod close_dialog;
mod rail;
mod shortcut_sheet;
mod status_bar;
mod top_bar;

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

use crate::components::{Notice, ToastStack};
use crate::hooks::use_shortcuts;
use crate::state::commands::{Command, Commands, Group};
use crate::state::places::{Places, alert_of_path};
use crate::state::queue::Queue;
use crate::state::session::Session;
use close_dialog::CloseDialog;
use rail::Rail;
use shortcut_sheet::ShortcutSheet;
use status_bar::StatusBar;
use top_bar::TopBar;

/// The event by which the desktop asks to open an alert: a notification was activated.
const OPEN_EVENT: &str = "calseta:open";

/// The frame, with a page in it.
#[component]
pub(crate) fn Shell(children: Children) -> impl IntoView {
    let commands = Commands::expect();
    let queue = Queue::expect();
    let sheet = RwSignal::new(false);
    use_shortcuts(commands, move || queue.note_key());
    register(commands, sheet);
    open_on_request();
    let notice = Session::expect().boot().notice;
    view! {
        <button type="button" class="skip" on:click=|_| focus_main()>
            "Skip to content"
        </button>
        <div class="shell">
            <Rail />
            <div class="shell__body">
                <TopBar sheet />
                {notice.map(|text| view! { <Notice text warn=true /> })}
                <main id="main" class="shell__main" tabindex="-1">{children()}</main>
                <StatusBar />
            </div>
        </div>
        <CloseDialog />
        <Show when=move || sheet.get()>
            <ShortcutSheet on_close=move |()| sheet.set(false) />
        </Show>
        <ToastStack />
    }
}

/// Past the rail and the bars, for those who walk by Tab.
fn focus_main() {
    let main = document().get_element_by_id("main");
    if let Some(main) = main.and_then(|main| main.dyn_into::<web_sys::HtmlElement>().ok()) {
        // The page's own element takes the focus; nothing depends on it.
        let _ = main.focus();
    }
}

fn register(commands: Commands, sheet: RwSignal<bool>) {
    let places = Places::expect();
    commands.register(vec![
        Command::new("go.queue", "Queue", Group::Go, &["g q"], move || {
            places.queue();
        }),
        Command::new("go.agents", "Agents", Group::Go, &["g n"], move || {
            places.agents();
        }),
        Command::new(
            "go.new-agent",
            "Register an agent",
            Group::Go,
            &["g N"],
            move || {
                places.new_agent();
            },
        ),
        Command::new(
            "window.shortcuts",
            "Keyboard shortcuts",
            Group::Window,
            &["?"],
            move || {
                sheet.set(true);
            },
        ),
    ]);
}

/// Follows the desktop's request, to an alert and nowhere else.
fn open_on_request() {
    let places = Places::expect();
    let event = leptos::ev::Custom::<web_sys::CustomEvent>::new(OPEN_EVENT);
    let handle = window_event_listener(event, move |event| {
        let event: &web_sys::CustomEvent = event.unchecked_ref();
        let path = event.detail().as_string().unwrap_or_default();
        if let Some(id) = alert_of_path(&path) {
            places.alert(id);
        }
    });
    on_cleanup(move || handle.remove());
}
