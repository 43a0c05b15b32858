//! What happened to the alert, newest first, with what people noted.

use calseta_contract::alert::ActivityView;
use calseta_contract::triage::NoteView;
use calseta_domain::Timestamp;
use leptos::prelude::*;

use super::open_alert::OpenAlert;
use crate::api;
use crate::components::{Age, Button, FailureBanner, Section};
use crate::hooks::use_action;
use crate::text::{event_facts, event_title, visible, visible_lines};

/// Whose entries are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Everybody,
    People,
    Agents,
    Calseta,
}

impl Whose {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Everybody, "Everybody"),
        (Self::People, "People"),
        (Self::Agents, "Agents"),
        (Self::Calseta, "Calseta"),
    ];

    fn includes(self, actor: &str) -> bool {
        match self {
            Self::Everybody => true,
            Self::People => matches!(actor, "analyst" | "human_key"),
            Self::Agents => matches!(actor, "agent" | "mcp"),
            Self::Calseta => actor == "system",
        }
    }
}

/// Notes, then the event log's entries about this alert.
#[component]
pub(super) fn Timeline(open: OpenAlert) -> impl IntoView {
    let whose = RwSignal::new(Whose::Everybody);
    let shown = Memo::new(move |_| {
        let mut entries = open.activity();
        entries.retain(|entry| whose.get().includes(&entry.actor_kind));
        entries
    });
    // Above the newest entry that the analyst had seen; none while nothing is new.
    let divider = Memo::new(move |_| {
        let looked = open.looked_before()?;
        shown.with(|entries| {
            let first_seen = entries.iter().position(|e| e.created_at <= looked)?;
            (first_seen > 0).then(|| (entries[first_seen].seq, looked))
        })
    });
    let choice = move |(one, word): (Whose, &'static str)| {
        view! {
            <button
                type="button"
                class="toggle"
                aria-pressed=move || (whose.get() == one).to_string()
                on:click=move |_| whose.set(one)
            >
                {word}
            </button>
        }
    };
    view! {
        <Section number=7 title="Timeline">
            <Notes open />
            <div class="raw__bar">
                <span class="filters__group" role="group" aria-label="Whose entries">
                    {Whose::ALL.map(choice).into_iter().collect_view()}
                </span>
            </div>
            <Show
                when=move || !shown.with(Vec::is_empty)
                fallback=move || {
                    let said = if open.activity().is_empty() {
                        "Nothing has happened yet."
                    } else {
                        "None of them did anything here."
                    };
                    view! { <p class="section__none">{said}</p> }
                }
            >
                <ol class="timeline">
                    <For each=move || shown.get() key=|entry| entry.seq let:entry>
                        <Divider seq=entry.seq at=divider />
                        <Entry entry />
                    </For>
                </ol>
            </Show>
        </Section>
    }
}

/// Says where the news ends.
#[component]
fn Divider(seq: i64, at: Memo<Option<(i64, Timestamp)>>) -> impl IntoView {
    let here = Memo::new(move |_| at.get().filter(|(other, _)| *other == seq));
    move || {
        here.get().map(|(_, looked)| {
            view! {
                <li class="timeline__divider">"You last looked "<Age at=looked sentence=true /></li>
            }
        })
    }
}

#[component]
fn Entry(entry: ActivityView) -> impl IntoView {
    let facts = event_facts(&entry.references).join(" · ");
    view! {
        <li class="timeline__entry" data-actor=entry.actor_kind.clone()>
            <Age at=entry.created_at />
            <span class="timeline__what">
                <strong>{event_title(&entry.kind, &entry.references)}</strong>
                {(!facts.is_empty()).then(|| view! { <span class="timeline__facts">{facts}</span> })}
            </span>
            <span class="timeline__who">
                {visible(&entry.actor_name).into_owned()}
                {entry.actor_key_prefix.map(|prefix| view! { <code>{prefix}"…"</code> })}
            </span>
        </li>
    }
}

/// What people noted, and a place to note more. A draft stays while events come in.
#[component]
fn Notes(open: OpenAlert) -> impl IntoView {
    let notes = open.slice(|detail| detail.view.notes.clone());
    let draft = RwSignal::new(String::new());
    let action = use_action();
    let is_empty = Signal::derive(move || draft.with(|draft| draft.trim().is_empty()));
    let add = move || {
        let text = draft.get_untracked();
        let Some(alert) = untrack(|| open.id()) else {
            return;
        };
        if text.trim().is_empty() {
            return;
        }
        let work = async move { api::add_note(alert, &text).await };
        action.start(work, move |_| {
            draft.set(String::new());
            open.reload();
        });
    };
    view! {
        <ul class="notes">
            <For each=move || notes.get().unwrap_or_default() key=|note| note.uuid let:note>
                <Note note />
            </For>
        </ul>
        <form
            class="notes__form"
            on:submit=move |event| {
                event.prevent_default();
                add();
            }
        >
            <textarea
                class="field__input notes__draft"
                aria-label="New note"
                placeholder="Add a note"
                rows="2"
                maxlength="10000"
                prop:value=move || draft.get()
                on:input=move |event| draft.set(event_target_value(&event))
                on:keydown=move |event: leptos::ev::KeyboardEvent| {
                    if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
                        event.prevent_default();
                        add();
                    }
                }
            ></textarea>
            <Button
                label="Add note"
                submit=true
                busy=Signal::derive(move || action.busy())
                disabled=is_empty
            />
        </form>
        {move || {
            action.failure().map(|failure| view! { <FailureBanner failure what="The note was not kept" /> })
        }}
    }
}

#[component]
fn Note(note: NoteView) -> impl IntoView {
    view! {
        <li class="notes__note">
            <p class="notes__head">
                <strong>{visible(&note.author).into_owned()}</strong>
                <Age at=note.created_at sentence=true />
            </p>
            <p class="notes__text">{visible_lines(&note.text).into_owned()}</p>
        </li>
    }
}
