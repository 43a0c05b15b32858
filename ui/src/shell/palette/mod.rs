//! The one box: commands, and what the backend finds by a few characters.
//!
//! `>` is commands only, `#` tags, `@` agents, `!` approvals; without a prefix everything. What is
//! pasted, an address, a hash or a list of them, fanged or not, is recognised, can be looked up and
//! can begin an alert. What stands in which order is in [`entries`].

mod entries;
mod lookup;

use std::time::Duration;

use calseta_contract::palette::{PaletteItem, PaletteView};
use calseta_domain::{AgentId, AlertId, Indicator, IndicatorType, Malice, Severity, Timestamp};
use leptos::ev::{ClipboardEvent, KeyboardEvent};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::json;
use uuid::Uuid;
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

use self::entries::{Asked, Entry, listed, wanted};
use self::lookup::{LookUps, LookedUp};
use crate::api;
use crate::components::{Age, Dialog, Glyph, Icon, Keys, SeverityGlyph, VerdictChip};
use crate::state::commands::Commands;
use crate::state::places::Places;
use crate::state::prompts::{Prompt, Prompts};
use crate::state::queue::Queue;
use crate::state::recents::Recents;
use crate::state::selection::Selection;
use crate::text::{clip, visible};

/// Keys that follow each other faster are asked about once.
const GATHER: Duration = Duration::from_millis(60);
/// A label is cut to this many characters.
const LABEL_CHARS: usize = 90;
/// The list's id in the page.
const LIST_ID: &str = "palette-options";

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
    let (recents, lookups) = (Recents::expect(), LookUps::new());
    let entries = entries_of(text, found);
    let choices = move || entries.with(|all| all.iter().filter(|one| one.is_choice()).count());
    let take = move |index: usize| {
        let entry = entries.with_untracked(|all| {
            let mut choices = all.iter().filter(|one| one.is_choice());
            choices.nth(index).cloned()
        });
        let Some(entry) = entry else { return };
        if let Entry::LookUp(values) = entry {
            lookups.ask(values);
            return;
        }
        prompts.close();
        if let Some(recent) = entry.recent() {
            recents.note(recent);
        }
        // The dialog leaves the page first: what runs may open another or move the focus.
        request_animation_frame(move || follow(entry, commands, queue, places, prompts));
    };
    Effect::new(move |_| {
        text.track();
        lookups.clear();
    });
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
        show_line(chosen.get_untracked());
    };
    let list = move || {
        let mut index = 0;
        let shown = entries.get().into_iter().map(|entry| {
            let is_choice = entry.is_choice();
            let shown = line(entry, index, chosen, take, commands);
            index += usize::from(is_choice);
            shown
        });
        shown.collect_view()
    };
    view! {
        <Dialog title="Search and commands" on_close=move |()| prompts.close() class="palette">
            <SearchInput text chosen on_key=pressed />
            <div id=LIST_ID class="palette__list" role="listbox" aria-label="Results">
                {list}
            </div>
            <LookedUp lookups />
            <Reason failure />
            <p class="palette__note">"> commands   # tags   @ agents   ! approvals   ↑↓ choose   Enter take"</p>
        </Dialog>
    }
}

/// The list, whenever anything that it is made from changes.
fn entries_of(text: RwSignal<String>, found: RwSignal<PaletteView>) -> Memo<Vec<Entry>> {
    let (commands, queue, recents) = (Commands::expect(), Queue::expect(), Recents::expect());
    let list = move |_: Option<&Vec<Entry>>| {
        listed(&Asked {
            typed: &text.get(),
            commands: &commands.list(),
            found: &found.get(),
            recents: &recents.all(),
            selected: queue.with_selection(Selection::count),
        })
    };
    Memo::new_with_compare(list, |_, _| true)
}

/// Why nothing was found.
#[component]
fn Reason(failure: RwSignal<Option<String>>) -> impl IntoView {
    move || {
        let text = failure.get();
        text.map(|text| view! { <p class="palette__note" role="status">{text}</p> })
    }
}

/// Scrolls the list so far that a line is seen.
fn show_line(index: usize) {
    let line = document().get_element_by_id(&format!("{LIST_ID}-{index}"));
    if let Some(line) = line {
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Nearest);
        line.scroll_into_view_with_scroll_into_view_options(&options);
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
                on:paste=move |event| paste_list(&event, text)
                on:keydown=on_key
            />
        </div>
    }
}

/// A line of text drops the breaks of what is pasted and makes one word of a list: spaces keep
/// its values apart.
fn paste_list(event: &ClipboardEvent, text: RwSignal<String>) {
    let pasted = event
        .clipboard_data()
        .and_then(|clipboard| clipboard.get_data("text").ok())
        .unwrap_or_default();
    let lines: Vec<&str> = pasted.split_whitespace().collect();
    if pasted.trim().contains(['\n', '\r']) {
        event.prevent_default();
        text.update(|text| text.push_str(&lines.join(" ")));
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

/// How a line looks.
struct Looks {
    label: String,
    detail: AnyView,
    keys: Option<String>,
    command: Option<&'static str>,
}

impl Looks {
    fn plain(label: String, detail: impl IntoView + 'static) -> Self {
        Self {
            label,
            detail: detail.into_any(),
            keys: None,
            command: None,
        }
    }

    fn of(entry: Entry, commands: Commands) -> Self {
        match entry {
            Entry::Heading(title) => Self::plain(title, ()),
            Entry::Run(command) => Self {
                keys: untrack(|| commands.keys(&command)).into_iter().next(),
                command: Some(command.id),
                ..Self::plain(command.title.to_owned(), ())
            },
            Entry::Find { kind, item } => found(&kind, &item),
            Entry::LookUp(values) => Self::plain(
                format!("Enrich {} now", these(&values)),
                "asks every provider that knows the type",
            ),
            Entry::Create(values) => {
                Self::plain(format!("Create an alert with {}", these(&values)), ())
            }
            Entry::Filter { label, .. } => Self::plain(label, ()),
        }
    }
}

/// Something that the backend found, with the marks that it has in the queue, too.
fn found(kind: &str, item: &PaletteItem) -> Looks {
    let label = visible(&item.label).into_owned();
    let words: Vec<&str> = item.detail.split(" · ").collect();
    let detail = visible(&item.detail).into_owned();
    match kind {
        "indicators" => {
            let verdict = words.last().and_then(|word| word.parse::<Malice>().ok());
            let known = verdict.filter(|verdict| *verdict != Malice::Pending);
            // The chip says what the last word said.
            let detail = known.map_or(detail.clone(), |_| {
                let words = words.split_last().map_or(&words[..], |(_, rest)| rest);
                visible(&words.join(" · ")).into_owned()
            });
            let is_value = words
                .first()
                .is_some_and(|word| word.parse::<IndicatorType>().is_ok());
            let label = if is_value {
                format!("Indicator {label}")
            } else {
                label
            };
            let detail = view! {
                <span>{detail}</span>
                {known.map(|mark| view! { <VerdictChip mark word=mark.as_str() /> })}
            };
            Looks::plain(label, detail)
        }
        "open_alerts" | "closed_alerts" => {
            let severity = words.first().and_then(|word| word.parse::<Severity>().ok());
            let at = item.uuid.and_then(made_at);
            let detail = view! {
                {severity.map(|severity| view! { <SeverityGlyph severity /> })}
                <span>{detail}</span>
                {at.map(|at| view! { <Age at /> })}
            };
            Looks::plain(label, detail)
        }
        _ => Looks::plain(label, detail),
    }
}

/// When something was made: its id begins with the time.
fn made_at(id: Uuid) -> Option<Timestamp> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    let millis = i64::try_from(seconds).ok()?.checked_mul(1_000)?;
    Some(Timestamp::from_millis(
        millis + i64::from(nanos / 1_000_000),
    ))
}

/// A value, or how many.
fn these(values: &[Indicator]) -> String {
    match values {
        [one] => visible(&one.value).into_owned(),
        many => format!("{} values", many.len()),
    }
}

fn line(
    entry: Entry,
    index: usize,
    chosen: RwSignal<usize>,
    take: impl Fn(usize) + Copy + 'static,
    commands: Commands,
) -> AnyView {
    if let Entry::Heading(title) = entry {
        return view! { <p class="palette__heading" role="presentation">{title}</p> }.into_any();
    }
    let looks = Looks::of(entry, commands);
    let label = looks.label;
    let is_chosen = move || chosen.get() == index;
    view! {
        <div
            id=format!("{LIST_ID}-{index}")
            class="palette__option"
            role="option"
            aria-selected=move || is_chosen().to_string()
            data-command=looks.command
            on:pointermove=move |_| {
                if chosen.get_untracked() != index {
                    chosen.set(index);
                }
            }
            on:click=move |_| take(index)
        >
            <span class="palette__label" title=label.clone()>{clip(&label, LABEL_CHARS)}</span>
            <span class="palette__detail">{looks.detail}</span>
            {looks.keys.map(|keys| view! { <Keys sequence=keys /> })}
        </div>
    }
    .into_any()
}

fn follow(entry: Entry, commands: Commands, queue: Queue, places: Places, prompts: Prompts) {
    let filter = |q: &str| {
        places.queue();
        // What the backend calls a query is one; typed text that is none stays in the bar's place.
        let _ = queue.set_q(q);
    };
    match entry {
        Entry::Heading(_) | Entry::LookUp(_) => {}
        Entry::Create(values) => prompts.open_with(Prompt::NewAlert, draft(&values)),
        Entry::Run(command) => {
            commands.run(command.id);
        }
        Entry::Filter { q, .. } => filter(&q),
        Entry::Find { kind, item } => match (kind.as_str(), item.uuid, item.q) {
            ("open_alerts" | "closed_alerts", Some(id), _) => places.alert(AlertId::new(id)),
            ("agents", Some(id), _) => places.agent(AgentId::new(id)),
            (_, _, Some(q)) => filter(&q),
            (_, _, None) => {}
        },
    }
}

/// An alert's JSON with these values in it.
fn draft(values: &[Indicator]) -> String {
    let indicators: Vec<_> = values
        .iter()
        .map(|one| json!({ "type": one.kind.as_str(), "value": one.value }))
        .collect();
    let alert = json!({
        "title": format!("Look into {}", these(values)),
        "severity": "Medium",
        "description": "",
        "indicators": indicators,
    });
    serde_json::to_string_pretty(&alert).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_about_values_names_each_with_its_type() {
        let values = calseta_domain::indicator::pasted("10.0.0.1 evil[.]example");
        let text = draft(&values);
        let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read["title"], "Look into 2 values");
        assert_eq!(read["indicators"][1]["type"], "domain");
        assert_eq!(read["indicators"][1]["value"], "evil.example");
    }

    #[test]
    fn an_id_says_when_it_was_made() {
        let id = Uuid::parse_str("018f2f6e-0000-7000-8000-000000000001").expect("an id");
        assert_eq!(made_at(id).map(Timestamp::millis), Some(0x018f_2f6e_0000));
    }
}
