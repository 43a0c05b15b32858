//! The one box: commands, and what the backend finds by a few characters.
//!
//! `>` is commands only, `#` tags, `@` agents; without a prefix everything. What is pasted, an
//! address, a hash or a list of them, fanged or not, is recognised by the backend.

use std::time::Duration;

use calseta_contract::palette::{PaletteGroup, PaletteItem, PaletteView};
use calseta_domain::{AgentId, AlertId};
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api;
use crate::components::{Dialog, Glyph, Icon, Keys};
use crate::state::commands::{Command, Commands};
use crate::state::places::Places;
use crate::state::prompts::Prompts;
use crate::state::queue::Queue;
use crate::text::{clip, fuzzy, visible};

/// Keys that follow each other faster are asked about once.
const GATHER: Duration = Duration::from_millis(60);
/// Commands that are shown.
const MAX_COMMANDS: usize = 8;
/// A label is cut to this many characters.
const LABEL_CHARS: usize = 90;
/// The list's id in the page.
const LIST_ID: &str = "palette-options";

/// One line of the list.
#[derive(Clone)]
enum Entry {
    Heading(&'static str),
    Run(Command),
    Find { kind: String, item: PaletteItem },
    Filter(String),
}

/// The box with what it finds.
#[component]
pub(super) fn Palette() -> impl IntoView {
    let (commands, prompts, queue, places) = (
        Commands::expect(),
        Prompts::expect(),
        Queue::expect(),
        Places::expect(),
    );
    let text = RwSignal::new(String::new());
    let found = RwSignal::new(PaletteView::default());
    let failure = RwSignal::new(None::<String>);
    let chosen = RwSignal::new(0_usize);
    ask_as_typed(text, found, failure, chosen);
    let entries = Memo::new_with_compare(
        move |_| listed(&text.get(), &commands.list(), &found.get()),
        |_, _| true,
    );
    let choices = move || {
        entries.with(|all| {
            all.iter()
                .filter(|one| !matches!(one, Entry::Heading(_)))
                .count()
        })
    };
    let take = move |index: usize| {
        let entry = entries.with_untracked(|all| {
            all.iter()
                .filter(|one| !matches!(one, Entry::Heading(_)))
                .nth(index)
                .cloned()
        });
        let Some(entry) = entry else { return };
        prompts.close();
        // The dialog leaves the page first: what runs may open another or move the focus.
        request_animation_frame(move || follow(entry, commands, queue, places));
    };
    let pressed = move |event: KeyboardEvent| {
        let count = untrack(choices).max(1);
        match event.key().as_str() {
            "ArrowDown" => chosen.update(|at| *at = (*at + 1) % count),
            "ArrowUp" => chosen.update(|at| *at = (*at + count - 1) % count),
            "Enter" => take(chosen.get_untracked()),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let list = move || {
        let mut index = 0;
        let shown = entries.get().into_iter().map(|entry| {
            let is_heading = matches!(entry, Entry::Heading(_));
            let shown = line(entry, index, chosen, take, commands);
            index += usize::from(!is_heading);
            shown
        });
        shown.collect_view()
    };
    let note = move || {
        let text = failure.get();
        text.map(|text| view! { <p class="palette__note" role="status">{text}</p> })
    };
    view! {
        <Dialog title="Search and commands" on_close=move |()| prompts.close() class="palette">
            <SearchInput text chosen on_key=pressed />
            <div id=LIST_ID class="palette__list" role="listbox" aria-label="Results">
                {list}
            </div>
            {note}
            <p class="palette__note">"> commands   # tags   @ agents   ↑↓ choose   Enter take"</p>
        </Dialog>
    }
}

/// What is typed; the list has its focus by name only.
#[component]
fn SearchInput(
    text: RwSignal<String>,
    chosen: RwSignal<usize>,
    on_key: impl Fn(KeyboardEvent) + 'static,
) -> impl IntoView {
    view! {
        <div class="palette__box">
            <Icon glyph=Glyph::Search />
            <input
                class="palette__input"
                type="text"
                role="combobox"
                aria-label="Search or run a command"
                aria-expanded="true"
                aria-controls=LIST_ID
                aria-autocomplete="list"
                aria-activedescendant=move || format!("{LIST_ID}-{}", chosen.get())
                autocomplete="off"
                spellcheck="false"
                autofocus=true
                placeholder="Search, paste an indicator, or > for commands"
                prop:value=move || text.get()
                on:input=move |event| text.set(event_target_value(&event))
                on:keydown=on_key
            />
        </div>
    }
}

/// Asks the backend what is typed, a moment after the last key.
fn ask_as_typed(
    text: RwSignal<String>,
    found: RwSignal<PaletteView>,
    failure: RwSignal<Option<String>>,
    chosen: RwSignal<usize>,
) {
    let generation = StoredValue::new(0_u64);
    let read = move |wanted: String, now: u64| async move {
        if generation.try_get_value() != Some(now) {
            return;
        }
        let outcome = api::search(&wanted).await;
        if generation.try_get_value() != Some(now) {
            return;
        }
        match outcome {
            Ok(view) => {
                failure.try_set(None);
                found.try_set(view);
            }
            Err(reason) => {
                failure.try_set(Some(reason.message));
            }
        }
    };
    Effect::new(move |_| {
        let typed = text.get();
        let now = generation.get_value() + 1;
        generation.set_value(now);
        chosen.set(0);
        let wanted = wanted(&typed);
        if wanted.is_empty() {
            found.set(PaletteView::default());
            return;
        }
        set_timeout(move || spawn_local(read(wanted, now)), GATHER);
    });
}

/// What the backend is asked about; nothing for commands only.
fn wanted(typed: &str) -> String {
    let typed = typed.trim();
    if typed.starts_with('>') {
        String::new()
    } else {
        typed.trim_start_matches(['#', '@']).trim().to_owned()
    }
}

/// The list: what was found, the commands that fit, and the text as a filter of the queue.
fn listed(typed: &str, commands: &[Command], found: &PaletteView) -> Vec<Entry> {
    let typed = typed.trim();
    let prefix = typed.chars().next();
    let only = match prefix {
        Some('#') => Some("tags"),
        Some('@') => Some("agents"),
        _ => None,
    };
    let mut all = Vec::new();
    let groups = found
        .groups
        .iter()
        .filter(|group| only.is_none_or(|kind| group.kind == kind));
    let (first, last): (Vec<_>, Vec<_>) =
        groups.partition(|group| matches!(group.kind.as_str(), "indicators" | "open_alerts"));
    for group in first {
        put_group(&mut all, group);
    }
    if only.is_none() {
        let fitting = fitting(typed.trim_start_matches('>').trim(), commands);
        if !fitting.is_empty() {
            all.push(Entry::Heading("Commands"));
            all.extend(fitting.into_iter().map(Entry::Run));
        }
    }
    for group in last {
        put_group(&mut all, group);
    }
    if only.is_none() && prefix != Some('>') && !typed.is_empty() {
        all.push(Entry::Heading("Queue"));
        all.push(Entry::Filter(typed.to_owned()));
    }
    all
}

fn put_group(all: &mut Vec<Entry>, group: &PaletteGroup) {
    all.push(Entry::Heading(match group.kind.as_str() {
        "indicators" => "Indicators",
        "open_alerts" => "Open alerts",
        "closed_alerts" => "Closed alerts",
        "agents" => "Agents",
        "rules" => "Rules",
        "documents" => "Documents",
        "views" => "Views",
        "tags" => "Tags",
        _ => "Others",
    }));
    all.extend(group.items.iter().map(|item| Entry::Find {
        kind: group.kind.clone(),
        item: item.clone(),
    }));
}

/// The possible commands that fit, the best first.
fn fitting(typed: &str, commands: &[Command]) -> Vec<Command> {
    let mut scored: Vec<(i32, &Command)> = commands
        .iter()
        .filter(|command| untrack(|| command.is_possible()) && command.id != "window.palette")
        .filter_map(|command| fuzzy(typed, command.title).map(|score| (score, command)))
        .collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored
        .into_iter()
        .take(if typed.is_empty() {
            usize::MAX
        } else {
            MAX_COMMANDS
        })
        .map(|(_, command)| command.clone())
        .collect()
}

fn line(
    entry: Entry,
    index: usize,
    chosen: RwSignal<usize>,
    take: impl Fn(usize) + Copy + 'static,
    commands: Commands,
) -> AnyView {
    let (label, detail, keys, command) = match entry {
        Entry::Heading(title) => {
            return view! { <p class="palette__heading" role="presentation">{title}</p> }
                .into_any();
        }
        Entry::Run(command) => {
            let keys = untrack(|| commands.keys(&command)).into_iter().next();
            (
                command.title.to_owned(),
                String::new(),
                keys,
                Some(command.id),
            )
        }
        Entry::Find { item, .. } => (
            visible(&item.label).into_owned(),
            visible(&item.detail).into_owned(),
            None,
            None,
        ),
        Entry::Filter(text) => (
            format!("Filter the queue by {}", visible(&text)),
            String::new(),
            None,
            None,
        ),
    };
    let is_chosen = move || chosen.get() == index;
    view! {
        <div
            id=format!("{LIST_ID}-{index}")
            class="palette__option"
            role="option"
            aria-selected=move || is_chosen().to_string()
            data-command=command
            on:pointermove=move |_| {
                if chosen.get_untracked() != index {
                    chosen.set(index);
                }
            }
            on:click=move |_| take(index)
        >
            <span class="palette__label" title=label.clone()>{clip(&label, LABEL_CHARS)}</span>
            <span class="palette__detail">{detail}</span>
            {keys.map(|keys| view! { <Keys sequence=keys /> })}
        </div>
    }
    .into_any()
}

fn follow(entry: Entry, commands: Commands, queue: Queue, places: Places) {
    let filter = |q: &str| {
        places.queue();
        // What the backend calls a query is one; typed text that is none stays in the bar's place.
        let _ = queue.set_q(q);
    };
    match entry {
        Entry::Heading(_) => {}
        Entry::Run(command) => {
            commands.run(command.id);
        }
        Entry::Filter(text) => filter(&text),
        Entry::Find { kind, item } => match (kind.as_str(), item.uuid, item.q) {
            ("open_alerts" | "closed_alerts", Some(id), _) => places.alert(AlertId::new(id)),
            ("agents", Some(id), _) => places.agent(AgentId::new(id)),
            (_, _, Some(q)) => filter(&q),
            (_, _, None) => {}
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::commands::Group;

    fn command(id: &'static str, title: &'static str) -> Command {
        Command::new(id, title, Group::Act, &[], || {})
    }

    fn words(entries: &[Entry]) -> Vec<String> {
        entries
            .iter()
            .map(|entry| match entry {
                Entry::Heading(title) => format!("[{title}]"),
                Entry::Run(command) => command.id.to_owned(),
                Entry::Find { item, .. } => item.label.clone(),
                Entry::Filter(text) => format!("filter {text}"),
            })
            .collect()
    }

    #[test]
    fn indicators_come_before_commands_and_closed_alerts_after() {
        let group = |kind: &str, label: &str| PaletteGroup {
            kind: kind.to_owned(),
            items: vec![PaletteItem {
                label: label.to_owned(),
                detail: String::new(),
                uuid: None,
                q: None,
            }],
        };
        let found = PaletteView {
            groups: vec![
                group("closed_alerts", "old"),
                group("indicators", "1.2.3.4"),
            ],
        };
        let commands = [
            command("alert.close", "Close as…"),
            command("go.agents", "Agents"),
        ];
        assert_eq!(
            words(&listed("cl", &commands, &found)),
            [
                "[Indicators]",
                "1.2.3.4",
                "[Commands]",
                "alert.close",
                "[Closed alerts]",
                "old",
                "[Queue]",
                "filter cl"
            ]
        );
        assert_eq!(
            words(&listed("> agents", &commands, &PaletteView::default())),
            ["[Commands]", "go.agents"]
        );
        assert!(words(&listed("#x", &commands, &found)).is_empty());
        assert_eq!(wanted(">close"), "");
        assert_eq!(wanted("# vpn"), "vpn");
    }
}
