//! Buttons, and buttons that are a registered command.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use super::kbd::CommandKeys;
use crate::state::commands::{Commands, key_caps};

/// How much a button asks for attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ButtonKind {
    /// One of several.
    #[default]
    Plain,
    /// The one that is meant.
    Primary,
    /// It destroys something.
    Danger,
    /// Quiet: an icon or a word in a line.
    Quiet,
}

impl ButtonKind {
    const fn class(self) -> &'static str {
        match self {
            Self::Plain => "button",
            Self::Primary => "button button--primary",
            Self::Danger => "button button--danger",
            Self::Quiet => "button button--quiet",
        }
    }
}

/// A button. While `busy` it cannot be pressed again, and says so.
#[component]
pub(crate) fn Button(
    /// What it does, in a word or two.
    #[prop(into)]
    label: Signal<String>,
    /// How much it asks for attention.
    #[prop(optional)]
    kind: ButtonKind,
    /// An icon before the word.
    #[prop(optional, into)]
    glyph: Option<Glyph>,
    /// Whether only the icon is shown; the word is then the tooltip and the accessible name.
    #[prop(optional)]
    icon_only: bool,
    /// Whether its action runs.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// Whether it cannot be pressed for another reason.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// Whether it submits its form.
    #[prop(optional)]
    submit: bool,
    /// What happens.
    #[prop(optional, into)]
    on_press: Option<Callback<()>>,
) -> impl IntoView {
    let class = if icon_only {
        format!("{} button--icon", kind.class())
    } else {
        kind.class().to_owned()
    };
    view! {
        <button
            type=if submit { "submit" } else { "button" }
            class=class
            disabled=move || busy.get() || disabled.get()
            aria-busy=move || busy.get().then_some("true")
            aria-label=move || icon_only.then(|| label.get())
            title=move || icon_only.then(|| label.get())
            on:click=move |_| {
                if let Some(callback) = on_press {
                    callback.run(());
                }
            }
        >
            {glyph.map(|glyph| view! { <Icon glyph /> })}
            {(!icon_only).then(|| view! { <span>{move || label.get()}</span> })}
        </button>
    }
}

/// A button that runs a registered command; gone while the command is not registered, resting
/// while it is not possible.
#[component]
pub(crate) fn CommandButton(
    /// The command's id.
    id: &'static str,
    /// Another word than the command's title; an empty one leaves the icon, with the command's
    /// title and key for its tooltip.
    #[prop(optional)]
    label: Option<&'static str>,
    /// How much it asks for attention.
    #[prop(optional)]
    kind: ButtonKind,
    /// An icon before the word.
    #[prop(optional, into)]
    glyph: Option<Glyph>,
) -> impl IntoView {
    let commands = Commands::expect();
    let found = move || commands.find(id);
    move || {
        found().map(|command| {
            let possible = command.clone();
            let word = label.unwrap_or(command.title);
            let is_icon = word.is_empty();
            let tip = move || match commands.keys(&command).first() {
                Some(keys) if is_icon => {
                    format!("{} ({})", command.title, key_caps(keys).join(" "))
                }
                _ => command.title.to_owned(),
            };
            let class = if is_icon {
                format!("{} button--icon", kind.class())
            } else {
                kind.class().to_owned()
            };
            view! {
                <button
                    type="button"
                    class=class
                    data-command=id
                    title=tip
                    disabled=move || !possible.is_possible()
                    on:click=move |_| {
                        commands.run(id);
                    }
                >
                    {glyph.map(|glyph| view! { <Icon glyph /> })}
                    {(!is_icon)
                        .then(|| {
                            view! {
                                <span>{word}</span>
                                <CommandKeys id />
                            }
                        })}
                </button>
            }
        })
    }
}
