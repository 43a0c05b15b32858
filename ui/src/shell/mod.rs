//! The frame around every page: rail, top bar, status bar, toasts, dialogs that any page may need.

mod activity;
mod api_chip;
mod palette;
mod prompts;
mod rail;
mod settings;
mod shortcut_sheet;
mod status_bar;
mod top_bar;

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

use crate::api::encoded;
use crate::components::{Notice, ToastStack, copy_text};
use crate::hooks::use_shortcuts;
use crate::state::commands::{Command, Commands, Group};
use crate::state::places::{Places, alert_of_path, query_of_path};
use crate::state::preferences::{Density, Preferences};
use crate::state::prompts::{Prompt, Prompts};
use crate::state::queue::Queue;
use crate::state::session::Session;
use crate::state::theme::{Choice, Theme};
use crate::state::toasts::Toasts;
use prompts::PromptHost;
use rail::Rail;
use status_bar::StatusBar;
use top_bar::TopBar;

/// The event by which the desktop asks to open an alert: a notification was activated.
const OPEN_EVENT: &str = "calseta:open";

/// How much a key moves the border of a split view, in percent.
const SPLIT_STEP: i32 = 4;

/// The frame, with a page in it.
#[component]
pub(crate) fn Shell(children: Children) -> impl IntoView {
    let commands = Commands::expect();
    let queue = Queue::expect();
    use_shortcuts(commands, move || queue.note_key());
    register(commands);
    open_on_request();
    show_asked(queue);
    let notice = Session::expect().boot().notice;
    view! {
        <button type="button" class="skip" on:click=|_| focus_main()>
            "Skip to content"
        </button>
        <div class="shell">
            <Rail />
            <div class="shell__body">
                <TopBar />
                {notice.map(|text| view! { <Notice text warn=true /> })}
                <main id="main" class="shell__main" tabindex="-1">{children()}</main>
                <StatusBar />
            </div>
        </div>
        <PromptHost />
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

fn register(commands: Commands) {
    let places = Places::expect();
    let go = |id, title, keys, run: fn(Places)| {
        Command::new(id, title, Group::Go, keys, move || run(places))
    };
    commands.register(vec![
        go("go.queue", "Queue", &["g q"], Places::queue),
        go("go.agents", "Agents", &["g n"], Places::agents),
        go(
            "go.new-agent",
            "Register an agent",
            &["g N"],
            Places::new_agent,
        ),
        go("go.back", "Back", &["Alt+ArrowLeft"], |_| Places::back()),
        go("go.forward", "Forward", &["Alt+ArrowRight"], |_| {
            Places::forward();
        }),
    ]);
    commands.register(window_commands());
    commands.register(appearance_commands());
    commands.register(theme_commands());
}

fn window_commands() -> Vec<Command> {
    let (prompts, queue, toasts) = (Prompts::expect(), Queue::expect(), Toasts::expect());
    let window = Group::Window;
    let ask = move |id, title, keys, prompt: Prompt| {
        Command::new(id, title, window, keys, move || prompts.open(prompt))
    };
    vec![
        ask(
            "window.palette",
            "Search and commands",
            &["Ctrl+k"],
            Prompt::Palette,
        ),
        ask(
            "window.shortcuts",
            "Keyboard shortcuts",
            &["?"],
            Prompt::Shortcuts,
        ),
        ask("window.settings", "Settings", &["g ,"], Prompt::Settings),
        ask("alert.new", "New alert…", &["N"], Prompt::NewAlert),
        ask(
            "queue.suppress-view",
            "Suppress what this view finds…",
            &[],
            Prompt::SuppressView,
        ),
        ask(
            "queue.suppressions",
            "Suppressions",
            &[],
            Prompt::Suppressions,
        ),
        Command::new(
            "window.copy-link",
            "Copy a link to this",
            window,
            &["Ctrl+l"],
            move || {
                let open = untrack(|| queue.open());
                let link = open.map_or_else(
                    || format!("calseta://queue?q={}", encoded(&queue.peek_q())),
                    |id| format!("calseta://alerts/{id}"),
                );
                copy_text(toasts, link, "Link");
            },
        ),
    ]
}

fn appearance_commands() -> Vec<Command> {
    let preferences = Preferences::expect();
    let window = Group::Window;
    let density = move |id, title, density: Density| {
        Command::new(id, title, window, &[], move || {
            preferences.change(|choices| choices.density = density);
        })
    };
    vec![
        Command::new(
            "window.zone",
            "UTC or local time",
            window,
            &["u"],
            move || {
                preferences.change(|choices| choices.utc = !choices.utc);
            },
        ),
        Command::new(
            "window.rail",
            "Widen or narrow the rail",
            window,
            &[],
            move || {
                preferences.change(|choices| choices.rail_wide = !choices.rail_wide);
            },
        ),
        Command::new(
            "window.split-left",
            "Less list, more alert",
            window,
            &["Ctrl+Shift+ArrowLeft"],
            move || preferences.move_split(-SPLIT_STEP),
        ),
        Command::new(
            "window.split-right",
            "More list, less alert",
            window,
            &["Ctrl+Shift+ArrowRight"],
            move || preferences.move_split(SPLIT_STEP),
        ),
        Command::new(
            "window.text-larger",
            "Larger text",
            window,
            &[],
            move || {
                preferences.resize_text(1);
            },
        ),
        Command::new(
            "window.text-smaller",
            "Smaller text",
            window,
            &[],
            move || {
                preferences.resize_text(-1);
            },
        ),
        density("density.compact", "Compact rows", Density::Compact),
        density("density.cosy", "Cosy rows", Density::Cosy),
        density(
            "density.comfortable",
            "Comfortable rows",
            Density::Comfortable,
        ),
    ]
}

fn theme_commands() -> Vec<Command> {
    let theme = Theme::expect();
    let wear = move |id, title, choice: Choice| {
        Command::new(id, title, Group::Window, &[], move || theme.choose(choice))
    };
    vec![
        wear("theme.system", "Theme of the desktop", Choice::System),
        wear("theme.dark", "Dark theme", Choice::Dark),
        wear("theme.light", "Light theme", Choice::Light),
        wear(
            "theme.contrast-dark",
            "High contrast, dark",
            Choice::ContrastDark,
        ),
        wear(
            "theme.contrast-light",
            "High contrast, light",
            Choice::ContrastLight,
        ),
    ]
}

/// Shows the query that the window's own address names, once, at its start.
fn show_asked(queue: Queue) {
    let location = window().location();
    let path = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    if let Some(q) = query_of_path(&path) {
        // An address whose query is none shows the queue as it is.
        let _ = queue.set_q(&q);
    }
}

/// Follows the desktop's request, to an alert and nowhere else.
fn open_on_request() {
    let (places, queue) = (Places::expect(), Queue::expect());
    let event = leptos::ev::Custom::<web_sys::CustomEvent>::new(OPEN_EVENT);
    let handle = window_event_listener(event, move |event| {
        let event: &web_sys::CustomEvent = event.unchecked_ref();
        let path = event.detail().as_string().unwrap_or_default();
        if let Some(id) = alert_of_path(&path) {
            places.alert(id);
        } else if let Some(q) = query_of_path(&path) {
            places.queue();
            // A link whose query is none shows the queue as it is.
            let _ = queue.set_q(&q);
        }
    });
    on_cleanup(move || handle.remove());
}
