//! The shortcut sheet: the registry as a table, so that it cannot be out of date. Every command
//! that the window has had is in it, and each can be given another key here.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use crate::components::{Button, ButtonKind, Dialog, Keys, Switch};
use crate::hooks::spelled;
use crate::state::commands::{Command, Commands, Group};
use crate::state::preferences::Preferences;
use crate::state::prompts::Prompts;

/// What is being remapped, and what was said about it.
#[derive(Clone, Copy)]
struct Remap {
    commands: Commands,
    id: RwSignal<Option<&'static str>>,
    said: RwSignal<String>,
}

/// Every command by group.
#[component]
pub(super) fn ShortcutSheet() -> impl IntoView {
    let (prompts, preferences) = (Prompts::expect(), Preferences::expect());
    let remap = Remap {
        commands: Commands::expect(),
        id: RwSignal::new(None),
        said: RwSignal::new(String::new()),
    };
    let all = untrack(|| remap.commands.catalogue());
    let here = untrack(|| remap.commands.list());
    let group = move |group: Group| {
        let rows: Vec<Command> = all.iter().filter(|c| c.group == group).cloned().collect();
        let here = here.clone();
        (!rows.is_empty()).then(|| {
            let row = |command: Command| {
                let is_possible = here
                    .iter()
                    .any(|one| one.id == command.id && untrack(|| one.is_possible()));
                row(remap, command, is_possible)
            };
            view! {
                <section class="sheet__group">
                    <h3 class="sheet__title">{group.title()}</h3>
                    <ul class="sheet__list">{rows.into_iter().map(row).collect_view()}</ul>
                </section>
            }
        })
    };
    let single = preferences.part(|choices| choices.single_keys);
    let reset = move |()| {
        preferences.change(|choices| {
            choices.keys.clear();
            choices.unbound.clear();
        });
        remap.said.set("Every key is as it was".to_owned());
    };
    view! {
        <Dialog title="Keyboard shortcuts" on_close=move |()| prompts.close() class="sheet">
            <div class="sheet__groups" on:keydown=move |event| remap.pressed(&event)>
                {Group::ALL.into_iter().map(group).collect_view()}
            </div>
            <div class="sheet__foot">
                <Switch
                    label="Single letters are shortcuts"
                    on=single
                    on_change=move |on| preferences.change(|choices| choices.single_keys = on)
                />
                <Button label="All keys as they were" kind=ButtonKind::Quiet on_press=reset />
                <span class="sheet__said" role="status">{move || remap.said.get()}</span>
                <Button label="Close" kind=ButtonKind::Primary on_press=move |()| prompts.close() />
            </div>
        </Dialog>
    }
}

impl Remap {
    /// Takes the next key for the command that waits for one.
    fn pressed(self, event: &KeyboardEvent) {
        let Some(id) = self.id.get_untracked() else {
            return;
        };
        let Some(sequence) = spelled(event) else {
            return;
        };
        event.prevent_default();
        event.stop_propagation();
        self.id.set(None);
        if sequence == "Escape" {
            self.said.set("The key stays as it is".to_owned());
            return;
        }
        let taken = self.commands.remap(id, &sequence);
        self.said.set(if taken.is_empty() {
            format!("{id} has {sequence} now")
        } else {
            format!("{id} has {sequence} now; {} lost it", taken.join(", "))
        });
    }
}

fn row(remap: Remap, command: Command, is_possible: bool) -> impl IntoView {
    let (id, title) = (command.id, command.title);
    let keys = move || {
        remap
            .commands
            .keys(&command)
            .into_iter()
            .map(|sequence| view! { <Keys sequence /> })
            .collect_view()
    };
    let waits = move || remap.id.get() == Some(id);
    view! {
        <li class="sheet__row" data-shortcut=id aria-disabled=(!is_possible).to_string()>
            <span>{title}</span>
            <button
                type="button"
                class="sheet__keys"
                aria-label=format!("Change the key of {title}")
                title="Change the key"
                on:click=move |_| {
                    remap.id.set(Some(id));
                    remap.said.set(format!("Press the new key for {title}, or Escape"));
                }
            >
                {move || if waits() { "…".into_any() } else { keys().into_any() }}
            </button>
        </li>
    }
}
