//! Which theme the window wears. `boot.js` sets the first one before the first paint.

use leptos::prelude::*;

/// Where the choice is kept; `boot.js` reads it too.
const STORAGE_KEY: &str = "calseta.theme";

/// What a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// As the desktop has it.
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
    /// Dark, with the strongest contrast.
    ContrastDark,
    /// Light, with the strongest contrast.
    ContrastLight,
}

impl Choice {
    /// Every choice, in the order of the menu.
    pub(crate) const ALL: [Self; 5] = [
        Self::System,
        Self::Dark,
        Self::Light,
        Self::ContrastDark,
        Self::ContrastLight,
    ];

    /// The word in storage and in `data-theme`.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Dark => "dark",
            Self::Light => "light",
            Self::ContrastDark => "contrast-dark",
            Self::ContrastLight => "contrast-light",
        }
    }

    /// The word in the menu.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Dark => "Dark",
            Self::Light => "Light",
            Self::ContrastDark => "High contrast, dark",
            Self::ContrastLight => "High contrast, light",
        }
    }

    /// From a stored word; anything unknown is the desktop's own.
    pub(crate) fn from_word(word: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|choice| choice.word() == word)
            .unwrap_or(Self::System)
    }
}

/// The chosen theme.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Theme(RwSignal<Choice>);

impl Theme {
    /// Reads the stored choice, keeps the page in step with it, and provides itself.
    pub(crate) fn provide() {
        let stored = storage().and_then(|storage| storage.get_item(STORAGE_KEY).ok().flatten());
        let theme = Self(RwSignal::new(Choice::from_word(
            stored.as_deref().unwrap_or("system"),
        )));
        Effect::new(move |_| wear(theme.0.get()));
        provide_context(theme);
    }

    /// The provided theme.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// What is chosen.
    pub(crate) fn choice(self) -> Choice {
        self.0.get()
    }

    /// Chooses, and remembers it.
    pub(crate) fn choose(self, choice: Choice) {
        if let Some(storage) = storage() {
            // Storage may be off; the choice then lasts as long as the page.
            let _ = storage.set_item(STORAGE_KEY, choice.word());
        }
        self.0.set(choice);
    }
}

fn wear(choice: Choice) {
    let word = match choice {
        Choice::System => match (prefers("contrast: more"), prefers("color-scheme: light")) {
            (true, true) => Choice::ContrastLight,
            (true, false) => Choice::ContrastDark,
            (false, true) => Choice::Light,
            (false, false) => Choice::Dark,
        },
        chosen => chosen,
    }
    .word();
    if let Some(root) = document().document_element() {
        // An element of the page always takes an attribute.
        let _ = root.set_attribute("data-theme", word);
    }
}

fn prefers(what: &str) -> bool {
    let query = format!("(prefers-{what})");
    window()
        .match_media(&query)
        .ok()
        .flatten()
        .is_some_and(|list| list.matches())
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok()?
}
