//! The switcher of views: `v`, then a number. Each says how many alerts it has now.

use calseta_contract::search::SavedView;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{Button, ButtonKind, CommandKeys, Glyph, Icon, Popover};
use crate::state::commands::{Command, Commands, Group};
use crate::state::prompts::{Prompt, Prompts};
use crate::state::queue::Total;
use crate::state::toasts::Toasts;
use crate::state::views::Views;
use crate::text::visible;

/// Views that have a number.
const NUMBERED: usize = 9;

/// The button with the view's name, and the list below it.
#[component]
pub(super) fn ViewsMenu() -> impl IntoView {
    let views = Views::expect();
    let prompts = Prompts::expect();
    let is_open = RwSignal::new(false);
    Commands::expect().register(vec![
        Command::new(
            "view.switch",
            "Switch view",
            Group::List,
            &["v"],
            move || {
                is_open.update(|open| *open = !*open);
            },
        ),
        Command::new(
            "view.save",
            "Save this view…",
            Group::List,
            &["V"],
            move || {
                prompts.open(Prompt::SaveView);
            },
        ),
    ]);
    let name = move || {
        views.current().map_or_else(
            || "Own filter".to_owned(),
            |view| visible(&view.name).into_owned(),
        )
    };
    view! {
        <div class="menu">
            <button
                type="button"
                class="button view-button"
                data-command="view.switch"
                aria-haspopup="menu"
                aria-expanded=move || is_open.get().to_string()
                on:click=move |_| is_open.update(|open| *open = !*open)
            >
                <Icon glyph=Glyph::View />
                <span class="view-button__name">{name}</span>
                <CommandKeys id="view.switch" />
            </button>
            <Show when=move || is_open.get()>
                <Popover label="Views" on_close=move |()| is_open.set(false)>
                    <List is_open />
                </Popover>
            </Show>
        </div>
    }
}

#[component]
fn List(is_open: RwSignal<bool>) -> impl IntoView {
    let views = Views::expect();
    let prompts = Prompts::expect();
    let show = move |view: &SavedView| {
        is_open.set(false);
        views.show(view);
    };
    let by_number = move |event: KeyboardEvent| {
        let number = event
            .key()
            .parse::<usize>()
            .ok()
            .filter(|n| (1..=NUMBERED).contains(n));
        let view = number.and_then(|number| untrack(|| views.all()).into_iter().nth(number - 1));
        if let Some(view) = view {
            event.prevent_default();
            event.stop_propagation();
            show(&view);
        }
    };
    let item = move |(index, view): (usize, SavedView)| {
        let stored = StoredValue::new(view.clone());
        let is_here = move || views.current().is_some_and(|now| now.uuid == view.uuid);
        let count = move || views.count(view.uuid).map(badge);
        view! {
            <div class="menu__line">
                <button
                    type="button"
                    class="menu__item"
                    role="menuitemradio"
                    autofocus=index == 0
                    aria-checked=move || is_here().to_string()
                    title=visible(&view.q).into_owned()
                    on:click=move |_| stored.with_value(|view| show(view))
                >
                    <kbd>{(index < NUMBERED).then_some(index + 1)}</kbd>
                    <span class="menu__word">{visible(&view.name).into_owned()}</span>
                    <span class="menu__count">{count}</span>
                </button>
                {(!view.is_builtin).then(|| view! { <Delete view=view.clone() /> })}
            </div>
        }
    };
    view! {
        <div class="menu__list" role="menu" aria-label="Views" on:keydown=by_number>
            {move || views.all().into_iter().enumerate().map(item).collect_view()}
        </div>
        <div class="menu__foot">
            <Button
                label="Save what is shown as a view…"
                kind=ButtonKind::Quiet
                glyph=Glyph::Plus
                on_press=move |()| {
                    is_open.set(false);
                    prompts.open(Prompt::SaveView);
                }
            />
            <CommandKeys id="view.save" />
        </div>
    }
}

#[component]
fn Delete(view: SavedView) -> impl IntoView {
    let (views, toasts) = (Views::expect(), Toasts::expect());
    let label = format!("Delete the view {}", visible(&view.name));
    let remove = move |()| {
        spawn_local(async move {
            match views.delete(view.uuid).await {
                Ok(()) => toasts.say("The view was deleted; its alerts stay"),
                Err(failure) => toasts.fail("The view was not deleted", &failure),
            }
        });
    };
    view! {
        <Button label kind=ButtonKind::Quiet glyph=Glyph::Close icon_only=true on_press=remove />
    }
}

/// A count as a badge says it.
pub(super) fn badge(total: Total) -> String {
    let more = if total.is_capped { "+" } else { "" };
    format!("{}{more}", total.count)
}
