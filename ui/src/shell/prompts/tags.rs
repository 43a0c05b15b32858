//! Tags put on and taken off: `vpn, -test`.

use std::collections::BTreeSet;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::about;
use super::consequences::Consequences;
use crate::components::{Button, ButtonKind, Dialog};
use crate::state::alert_action::AlertAction;
use crate::state::alert_actions::AlertActions;
use crate::state::prompts::{Asked, Prompts};
use crate::state::queue::Queue;
use crate::text::visible;

/// Tags that the alerts have and that are offered to be taken off.
const MAX_OFFERED: usize = 20;

#[component]
pub(super) fn TagsDialog(asked: Asked) -> impl IntoView {
    let (actions, prompts, queue) = (AlertActions::expect(), Prompts::expect(), Queue::expect());
    let text = RwSignal::new(String::new());
    let title = format!("Tags of {}", about(&asked));
    let select = StoredValue::new(asked.select.clone());
    let ids = asked.select.uuids.clone().unwrap_or_default();
    let present: BTreeSet<String> = ids
        .iter()
        .filter_map(|id| untrack(|| queue.row(*id)))
        .flat_map(|row| row.alert.tags.clone())
        .take(MAX_OFFERED)
        .collect();
    let action = move || {
        let (add, remove) = text.with(|text| spelled(text));
        (!add.is_empty() || !remove.is_empty()).then_some(AlertAction::Tags { add, remove })
    };
    let save = move || {
        if let Some(action) = untrack(action) {
            let select = select.get_value();
            prompts.answer(move || actions.run(select, action));
        }
    };
    let pressed = move |event: KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
            save();
        }
    };
    let take_off = move |tag: String| {
        let shown = visible(&tag).into_owned();
        let add = move |_| {
            text.update(|text| {
                if !text.trim().is_empty() {
                    text.push_str(", ");
                }
                text.push('-');
                text.push_str(&tag);
            });
        };
        view! { <button type="button" class="toggle" on:click=add>{format!("− {shown}")}</button> }
    };
    view! {
        <Dialog title on_close=move |()| prompts.close()>
            <div class="field">
                <label class="field__label" for="tags-text">"Tags"</label>
                <input
                    id="tags-text"
                    class="field__input"
                    type="text"
                    autofocus=true
                    autocomplete="off"
                    prop:value=move || text.get()
                    on:input=move |event| text.set(event_target_value(&event))
                    on:keydown=pressed
                />
                <p class="field__hint">"Separated by commas; a minus takes a tag off."</p>
            </div>
            <div class="display__choices">{present.into_iter().map(take_off).collect_view()}</div>
            <Consequences asked action=Signal::derive(action) />
            <div class="dialog__actions">
                <Button label="Cancel" on_press=move |()| prompts.close() />
                <Button
                    label="Tag"
                    kind=ButtonKind::Primary
                    disabled=Signal::derive(move || action().is_none())
                    on_press=move |()| save()
                />
            </div>
        </Dialog>
    }
}

/// Tags to put on, and those with a minus to take off.
fn spelled(text: &str) -> (Vec<String>, Vec<String>) {
    let words = text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    let (off, on): (Vec<&str>, Vec<&str>) = words.partition(|word| word.starts_with('-'));
    let owned = |word: &str| word.trim_start_matches('-').trim().to_owned();
    let some = |words: Vec<&str>| {
        words
            .into_iter()
            .map(owned)
            .filter(|word| !word.is_empty())
            .collect()
    };
    (some(on), some(off))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minus_takes_off() {
        let (on, off) = spelled(" vpn, -test , , -");
        assert_eq!((on, off), (vec!["vpn".to_owned()], vec!["test".to_owned()]));
    }
}
