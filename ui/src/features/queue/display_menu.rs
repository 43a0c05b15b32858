//! How the list is shown: groups, order, density, columns and their widths. Everything that can
//! be dragged elsewhere can be set here by keys (WCAG 2.2, 2.5.7).

use calseta_domain::query::{Group, with_group};
use leptos::prelude::*;

use super::orders::Orders;
use crate::components::{
    Button, ButtonKind, CommandButton, CommandKeys, Glyph, Icon, Popover, Switch,
};
use crate::state::columns::{Column, MAX_PX, MIN_PX};
use crate::state::commands::{Command, Commands, Group as Listed};
use crate::state::preferences::{Density, Preferences};
use crate::state::prompts::{Prompt, Prompts};
use crate::state::queue::Queue;

/// How much a press makes a column wider or narrower, in CSS pixels.
const STEP_PX: u32 = 20;

/// The button and what it opens.
#[component]
pub(super) fn DisplayMenu() -> impl IntoView {
    let is_open = RwSignal::new(false);
    Commands::expect().register(vec![Command::new(
        "queue.display",
        "Display",
        Listed::List,
        &["d"],
        move || is_open.update(|open| *open = !*open),
    )]);
    view! {
        <div class="menu">
            <button
                type="button"
                class="button button--quiet"
                data-command="queue.display"
                title="Display"
                aria-haspopup="dialog"
                aria-expanded=move || is_open.get().to_string()
                on:click=move |_| is_open.update(|open| *open = !*open)
            >
                <Icon glyph=Glyph::Display />
                <span>"Display"</span>
                <CommandKeys id="queue.display" />
            </button>
            <Show when=move || is_open.get()>
                <Popover label="Display" at_end=true on_close=move |()| is_open.set(false)>
                    <div class="display">
                        <Groups />
                        <Orders />
                        <Densities />
                        <Columns />
                        <Others is_open />
                    </div>
                </Popover>
            </Show>
        </div>
    }
}

#[component]
fn Groups() -> impl IntoView {
    let queue = Queue::expect();
    let option = move |group: Group| {
        let choose = move |_| {
            let wanted = (group != Group::None).then_some(group);
            // A query with another grouping is a query.
            let _ = queue.set_q(&with_group(&queue.peek_q(), wanted));
        };
        view! {
            <button
                type="button"
                class="toggle"
                aria-pressed=move || (queue.group() == group).to_string()
                data-command=format!("queue.group-{group}")
                autofocus=group == Group::None
                on:click=choose
            >
                {group_title(group)}
            </button>
        }
    };
    view! {
        <fieldset class="display__part">
            <legend>"Group by"</legend>
            <div class="display__choices">
                {Group::ALL.iter().copied().map(option).collect_view()}
            </div>
        </fieldset>
    }
}

/// A grouping as a person reads it.
pub(super) fn group_title(group: Group) -> &'static str {
    match group {
        Group::None => "Nothing",
        Group::Rule => "Rule",
        Group::Entity => "Key indicator",
        Group::Source => "Source",
        Group::Duplicate => "Recurrence",
    }
}

#[component]
fn Densities() -> impl IntoView {
    let preferences = Preferences::expect();
    let density = preferences.part(|choices| choices.density);
    let option = move |one: Density| {
        view! {
            <button
                type="button"
                class="toggle"
                aria-pressed=move || (density.get() == one).to_string()
                on:click=move |_| preferences.change(|choices| choices.density = one)
            >
                {one.title()}
            </button>
        }
    };
    view! {
        <fieldset class="display__part">
            <legend>"Density"</legend>
            <div class="display__choices">{Density::ALL.map(option).collect_view()}</div>
        </fieldset>
    }
}

#[component]
fn Columns() -> impl IntoView {
    let preferences = Preferences::expect();
    let shown = preferences.part(|choices| shown(&choices.columns));
    let change = move |change: fn(&mut Vec<Column>, Column), column: Column| {
        preferences.change(|choices| {
            let mut all = self::shown(&choices.columns);
            change(&mut all, column);
            choices.columns = if all == Column::SHOWN {
                Vec::new()
            } else {
                all
            };
        });
    };
    let resize = move |column: Column, wider: bool| {
        preferences.change(|choices| {
            let now = choices
                .widths
                .get(&column)
                .copied()
                .unwrap_or(column_px(column));
            let px = if wider {
                now + STEP_PX
            } else {
                now.saturating_sub(STEP_PX)
            };
            choices.widths.insert(column, px.clamp(MIN_PX, MAX_PX));
        });
    };
    let line = move |column: Column| {
        let is_on = move || shown.with(|all| all.contains(&column));
        let title = column.title();
        let fixed = column == Column::Title;
        view! {
            <li class="display__column">
                <label class="check">
                    <input
                        type="checkbox"
                        disabled=fixed
                        prop:checked=is_on
                        on:change=move |_| change(toggle, column)
                    />
                    {title}
                </label>
                <Button label=format!("Move {title} to the left") kind=ButtonKind::Quiet glyph=Glyph::Back
                    icon_only=true disabled=Signal::derive(move || !is_on())
                    on_press=move |()| change(|all, column| earlier(all, column), column) />
                <Button label=format!("Make {title} narrower") kind=ButtonKind::Quiet glyph=Glyph::Minus
                    icon_only=true disabled=Signal::derive(move || fixed || !is_on())
                    on_press=move |()| resize(column, false) />
                <Button label=format!("Make {title} wider") kind=ButtonKind::Quiet glyph=Glyph::Plus
                    icon_only=true disabled=Signal::derive(move || fixed || !is_on())
                    on_press=move |()| resize(column, true) />
            </li>
        }
    };
    let reset = move |()| {
        preferences.change(|choices| {
            choices.columns.clear();
            choices.widths.clear();
        });
    };
    view! {
        <fieldset class="display__part">
            <legend>"Columns"</legend>
            <ul class="display__columns">
                {move || {
                    let on = shown.get();
                    let off = Column::ALL.into_iter().filter(|one| !on.contains(one)).collect::<Vec<_>>();
                    on.into_iter().chain(off).map(line).collect_view()
                }}
            </ul>
            <Button label="Default columns" kind=ButtonKind::Quiet on_press=reset />
        </fieldset>
    }
}

fn shown(chosen: &[Column]) -> Vec<Column> {
    if chosen.is_empty() {
        Column::SHOWN.to_vec()
    } else {
        chosen.to_vec()
    }
}

fn toggle(all: &mut Vec<Column>, column: Column) {
    if all.contains(&column) {
        all.retain(|one| *one != column);
    } else {
        all.push(column);
    }
}

fn earlier(all: &mut [Column], column: Column) {
    if let Some(at) = all.iter().position(|one| *one == column)
        && at > 0
    {
        all.swap(at - 1, at);
    }
}

fn column_px(column: Column) -> u32 {
    crate::state::columns::fit(&[column], &std::collections::BTreeMap::new(), u32::MAX)
        .first()
        .map_or(MIN_PX, |one| one.px)
}

#[component]
fn Others(is_open: RwSignal<bool>) -> impl IntoView {
    let preferences = Preferences::expect();
    let prompts = Prompts::expect();
    let advance = preferences.part(|choices| choices.auto_advance);
    view! {
        <fieldset class="display__part">
            <legend>"Triage"</legend>
            <Switch
                label="Go on to the next alert after closing one"
                on=advance
                on_change=move |on| preferences.change(|choices| choices.auto_advance = on)
            />
            <p class="display__choices">
                <CommandButton id="queue.export-csv" />
                <CommandButton id="queue.export-ndjson" />
            </p>
            <Button
                label="Suppressions…"
                on_press=move |()| {
                    is_open.set(false);
                    prompts.open(Prompt::Suppressions);
                }
            />
        </fieldset>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_goes_off_and_comes_back_last_and_moves() {
        let mut all = Column::SHOWN.to_vec();
        toggle(&mut all, Column::Age);
        assert!(!all.contains(&Column::Age));
        toggle(&mut all, Column::Age);
        assert_eq!(all.last(), Some(&Column::Age));
        earlier(&mut all, Column::Age);
        assert_eq!(all.last(), Some(&Column::Status));
        earlier(&mut all, Column::Severity);
        assert_eq!(all.first(), Some(&Column::Severity));
    }
}
