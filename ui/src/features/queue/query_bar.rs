//! The filter bar: one text of the filter grammar, its terms as chips while nobody writes in it.
//!
//! While somebody writes, every text that is a query is asked at once and the last valid result
//! stays; a text that is none is underlined where it is wrong, with what was probably meant.

use std::time::Duration;

use calseta_contract::search::{Candidate, CompletionView};
use calseta_domain::query::{self, Chip, Query, QueryError};
use calseta_domain::{AlertId, Timestamp};
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::query_text::{chars_of_units, pieces, taken, units_of_chars};
use crate::api;
use crate::components::{Glyph, Icon};
use crate::state::clock::now_ms;
use crate::state::queue::Queue;
use crate::state::views::Views;
use crate::text::visible;

/// Keys that follow each other faster are asked about once.
const GATHER: Duration = Duration::from_millis(70);
/// The input's id in the page, for commands that give it the focus.
pub(super) const INPUT_ID: &str = "filter";
/// The list of completions.
const LIST_ID: &str = "filter-completions";

/// What the bar holds while somebody writes.
#[derive(Clone, Copy)]
struct Draft {
    queue: Queue,
    input: NodeRef<html::Input>,
    text: RwSignal<String>,
    is_written: RwSignal<bool>,
    error: RwSignal<Option<QueryError>>,
    completion: RwSignal<Option<CompletionView>>,
    chosen: RwSignal<Option<usize>>,
    /// The text and the focused row as they were when somebody began to write.
    before: StoredValue<(String, Option<AlertId>)>,
    /// Grows with every key, so that an answer to an earlier one is dropped.
    generation: StoredValue<u64>,
}

/// The input with its chips, its completions and what is wrong.
#[component]
pub(super) fn QueryBar() -> impl IntoView {
    let queue = Queue::expect();
    let draft = Draft {
        queue,
        input: NodeRef::new(),
        text: RwSignal::new(queue.peek_q()),
        is_written: RwSignal::new(false),
        error: RwSignal::new(None),
        completion: RwSignal::new(None),
        chosen: RwSignal::new(None),
        before: StoredValue::default(),
        generation: StoredValue::new(0),
    };
    Effect::new(move |_| {
        let q = queue.q();
        // Whoever writes keeps the own text: it may end in the space before the next term.
        if draft.text.with_untracked(|text| text.trim() != q) {
            draft.text.set(q);
            draft.error.set(None);
        }
    });
    let views = Views::expect();
    let view = Memo::new(move |_| views.current().map(|view| visible(&view.name).into_owned()));
    let active = move || draft.chosen.get().map(option_id);
    let is_wrong = move || draft.error.with(Option::is_some).then_some("true");
    view! {
        <div class="query" role="search" aria-label="Filter" class:query--written=move || draft.is_written.get() class:query--wrong=move || draft.error.with(Option::is_some) class:query--view=move || view.with(Option::is_some)>
            <Icon glyph=Glyph::Search />
            <div class="query__box">
                <Mirror draft />
                <input
                    node_ref=draft.input
                    id=INPUT_ID
                    class="query__input"
                    type="text"
                    role="combobox"
                    aria-label="Filter"
                    aria-autocomplete="list"
                    aria-expanded=move || draft.completion.with(Option::is_some).to_string()
                    aria-controls=LIST_ID
                    aria-activedescendant=active
                    aria-invalid=is_wrong
                    aria-errormessage="filter-error"
                    autocomplete="off"
                    spellcheck="false"
                    placeholder="Filter: status:open sev:>=high 185.220.101.47 …"
                    prop:value=move || draft.text.get()
                    on:input=move |event| draft.written(event_target_value(&event))
                    on:focus=move |_| draft.begin()
                    on:blur=move |_| draft.end()
                    on:keydown=move |event| draft.pressed(&event)
                />
                <Chips draft />
                <span class="query__hint" aria-hidden="true">
                    {move || view.get().map(|name| format!("Filter {name}…"))}
                </span>
            </div>
            <Clear draft />
            <Completions draft />
            <Wrong draft />
        </div>
    }
}

impl Draft {
    fn begin(self) {
        self.is_written.set(true);
        self.before
            .set_value((self.text.get_untracked(), self.queue.peek_focused()));
        self.complete_soon();
    }

    fn end(self) {
        self.is_written.set(false);
        self.completion.set(None);
        self.chosen.set(None);
        if self.error.with_untracked(Option::is_none) {
            self.text.update(|text| *text = text.trim().to_owned());
        }
    }

    fn written(self, text: String) {
        let now = Timestamp::from_millis(now_ms());
        self.error.set(Query::parse(text.trim(), now).err());
        self.text.set(text);
        self.ask_soon();
        self.complete_soon();
    }

    /// Writes a text and shows what it finds at once.
    fn put(self, text: String) {
        if let Some(input) = self.input.get_untracked() {
            input.set_value(&text);
        }
        self.written(text);
    }

    fn ask_soon(self) {
        let generation = self.generation.get_value() + 1;
        self.generation.set_value(generation);
        let ask = move || {
            if self.generation.try_get_value() == Some(generation) {
                let text = self.text.get_untracked();
                if let Err(error) = self.queue.set_q(&text) {
                    self.error.set(Some(error));
                }
            }
        };
        set_timeout(ask, GATHER);
    }

    fn complete_soon(self) {
        let text = self.text.get_untracked();
        let at = self.cursor();
        let generation = self.generation.get_value();
        spawn_local(async move {
            // Without completions the bar still filters.
            let found = api::complete(&text, at).await.ok();
            let is_current = self.generation.try_get_value() == Some(generation)
                && self.is_written.try_get_untracked() == Some(true);
            if is_current {
                self.chosen.set(None);
                self.completion
                    .set(found.filter(|found| !found.candidates.is_empty()));
            }
        });
    }

    /// Where the cursor is, in characters.
    fn cursor(self) -> usize {
        let text = self.text.get_untracked();
        let units = self
            .input
            .get_untracked()
            .and_then(|input| input.selection_start().ok().flatten())
            .and_then(|at| usize::try_from(at).ok());
        units.map_or_else(
            || text.chars().count(),
            |units| chars_of_units(&text, units),
        )
    }

    fn pressed(self, event: &KeyboardEvent) {
        let count = self
            .completion
            .with_untracked(|one| one.as_ref().map_or(0, |one| one.candidates.len()));
        match event.key().as_str() {
            "ArrowDown" if count > 0 => {
                self.choose(event, |at| at.map_or(0, |at| (at + 1) % count));
            }
            "ArrowUp" if count > 0 => {
                self.choose(event, |at| {
                    at.map_or(count - 1, |at| (at + count - 1) % count)
                });
            }
            "Tab" if count > 0 && !event.shift_key() => {
                event.prevent_default();
                self.take(self.chosen.get_untracked().unwrap_or(0));
            }
            "Enter" => {
                event.prevent_default();
                event.stop_propagation();
                match self.chosen.get_untracked() {
                    Some(at) => self.take(at),
                    None => self.leave(),
                }
            }
            "Escape" => {
                event.prevent_default();
                event.stop_propagation();
                if self.completion.with_untracked(Option::is_some) {
                    self.completion.set(None);
                } else {
                    self.take_back();
                    self.leave();
                }
            }
            "ArrowDown" => {
                event.prevent_default();
                event.stop_propagation();
                self.leave();
            }
            _ => {}
        }
    }

    fn choose(self, event: &KeyboardEvent, next: impl FnOnce(Option<usize>) -> usize) {
        event.prevent_default();
        event.stop_propagation();
        self.chosen.set(Some(next(self.chosen.get_untracked())));
    }

    /// Puts a candidate where the cursor is.
    fn take(self, index: usize) {
        let text = self.text.get_untracked();
        let Some((completion, candidate)) = self.completion.with_untracked(|one| {
            let one = one.as_ref()?;
            Some((one.clone(), one.candidates.get(index)?.clone()))
        }) else {
            return;
        };
        let (text, at) = taken(&text, &completion, &candidate);
        self.put(text.clone());
        if let Some(input) = self.input.get_untracked() {
            let units = u32::try_from(units_of_chars(&text, at)).unwrap_or(u32::MAX);
            // A selection that is refused leaves the cursor at the end.
            let _ = input.set_selection_range(units, units);
        }
        self.complete_soon();
    }

    /// What was written since the field got the focus was not meant.
    fn take_back(self) {
        let (text, focused) = self.before.get_value();
        if self.text.with_untracked(|now| now.trim() != text.trim()) {
            self.put(text);
            self.queue.focus(focused);
        }
    }

    /// Back to the list; what is wrong stays until it is mended.
    fn leave(self) {
        self.completion.set(None);
        if let Some(input) = self.input.get_untracked() {
            // An input that keeps the focus does no harm.
            let _ = input.blur();
        }
        let queue = self.queue;
        if let Some(id) = queue.peek_focused() {
            super::grid::focus_row(id);
        } else if let Some(id) = queue.peek(|list| list.ids().first().copied()) {
            queue.focus(Some(id));
        }
    }

    /// Gives the input the focus with a term selected.
    fn edit(self, chip: &Chip) {
        let text = self.text.get_untracked();
        if let Some(input) = self.input.get_untracked() {
            let units = |at| u32::try_from(units_of_chars(&text, at)).unwrap_or(u32::MAX);
            // A selection that is refused leaves the cursor at the end.
            let _ = input.focus();
            let _ =
                input.set_selection_range(units(chip.span.start_char), units(chip.span.end_char));
        }
    }
}

/// The text behind the input's own, letter below letter: terms have a ground, what is wrong is
/// underlined.
#[component]
fn Mirror(draft: Draft) -> impl IntoView {
    let pieces = move || {
        draft.is_written.get().then(|| {
            let text = draft.text.get();
            let wrong = draft
                .error
                .get()
                .map(|error| (error.span.start, error.span.end));
            pieces(&text, wrong)
                .into_iter()
                .map(|(kind, text)| view! { <span class=kind>{text}</span> })
                .collect_view()
        })
    };
    view! { <div class="query__mirror" aria-hidden="true">{pieces}</div> }
}

/// The terms as buttons: a press edits, the cross takes away.
#[component]
fn Chips(draft: Draft) -> impl IntoView {
    let chips = Memo::new(move |_| query::chips(&draft.text.get()));
    let chip = move |chip: Chip| {
        let shown = visible(&chip.text).into_owned();
        let (edited, span) = (chip.clone(), chip.span);
        let remove = move |_| {
            let text = query::without(&draft.text.get_untracked(), span);
            draft.put(text);
        };
        view! {
            <span class="query__chip" class:query__chip--not=chip.is_negated>
                <button
                    type="button"
                    class="query__term"
                    title=format!("Edit {shown}")
                    on:click=move |_| draft.edit(&edited)
                >
                    {shown.clone()}
                </button>
                <button
                    type="button"
                    class="query__remove"
                    aria-label=format!("Remove {shown}")
                    title="Remove"
                    on:click=remove
                >
                    <Icon glyph=Glyph::Close />
                </button>
            </span>
        }
    };
    view! {
        <Show when=move || !draft.is_written.get()>
            <div class="query__chips" role="group" aria-label="Terms">
                {move || chips.get().into_iter().map(chip).collect_view()}
            </div>
        </Show>
    }
}

#[component]
fn Clear(draft: Draft) -> impl IntoView {
    view! {
        <Show when=move || draft.text.with(|text| !text.is_empty())>
            <button
                type="button"
                class="button button--quiet button--icon"
                aria-label="Clear the filter"
                title="Clear the filter"
                on:click=move |_| draft.put(String::new())
            >
                <Icon glyph=Glyph::Close />
            </button>
        </Show>
    }
}

#[component]
fn Completions(draft: Draft) -> impl IntoView {
    let option = move |(index, candidate): (usize, Candidate)| {
        let selected = move || (draft.chosen.get() == Some(index)).to_string();
        view! {
            <li
                id=option_id(index)
                class="query__option"
                role="option"
                aria-selected=selected
                on:pointerdown=move |event| {
                    // The input keeps the focus.
                    event.prevent_default();
                    draft.take(index);
                }
            >
                <span class="mono query__word">{visible(&candidate.text).into_owned()}</span>
                <span class="query__about">{visible(&candidate.label).into_owned()}</span>
                <span class="query__count">{candidate.count}</span>
            </li>
        }
    };
    view! {
        <ul
            id=LIST_ID
            class="query__options"
            role="listbox"
            aria-label="Completions"
            hidden=move || draft.completion.with(Option::is_none)
        >
            {move || {
                let all = draft.completion.get().map(|one| one.candidates).unwrap_or_default();
                all.into_iter().enumerate().map(option).collect_view()
            }}
        </ul>
    }
}

/// What is wrong, and a button that mends it.
#[component]
fn Wrong(draft: Draft) -> impl IntoView {
    view! {
        <div id="filter-error" role="alert">
            {move || {
                draft
                    .error
                    .get()
                    .filter(|_| draft.is_written.get())
                    .map(|error| {
                        let mended = query::corrected(&draft.text.get_untracked(), &error);
                        let mend = mended
                            .map(|text| {
                                let word = error.did_you_mean.clone().unwrap_or_default();
                                view! {
                                    <button
                                        type="button"
                                        class="button"
                                        on:pointerdown=move |event| event.prevent_default()
                                        on:click=move |_| draft.put(text.clone())
                                    >
                                        {format!("Did you mean {}?", visible(&word))}
                                    </button>
                                }
                            });
                        view! {
                            <p class="query__wrong">
                                <Icon glyph=Glyph::Warning />
                                <span>{format!("{error}. The last result stays.")}</span>
                                {mend}
                            </p>
                        }
                    })
            }}
        </div>
    }
}

fn option_id(index: usize) -> String {
    format!("{LIST_ID}-{index}")
}
