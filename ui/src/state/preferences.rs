//! What the analyst has set about the window: kept in the browser's storage, never on the wire.

use std::collections::{BTreeMap, BTreeSet};

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast as _;

use super::columns::Column;

/// Where they are kept.
const STORAGE_KEY: &str = "calseta.preferences";
/// The list's share of a split view, in percent: the default and its bounds.
const SPLIT: u32 = 46;
/// The size of ordinary text, in CSS pixels: the default and its bounds (product's own 12 to 18).
const FONT_PX: u32 = 14;
/// Smaller than this nobody reads for a shift.
pub(crate) const FONT_MIN_PX: u32 = 12;
/// Larger than this a row's text leaves its row; the desktop's zoom goes on from there.
pub(crate) const FONT_MAX_PX: u32 = 18;
/// Narrower than this the list says nothing.
pub(crate) const SPLIT_MIN: u32 = 25;
/// Wider than this the alert says nothing.
pub(crate) const SPLIT_MAX: u32 = 75;

/// How high a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Density {
    /// 28 pixels.
    #[default]
    Compact,
    /// 36 pixels.
    Cosy,
    /// 44 pixels, with the description on a second line.
    Comfortable,
}

impl Density {
    /// All of them, tightest first.
    pub(crate) const ALL: [Self; 3] = [Self::Compact, Self::Cosy, Self::Comfortable];

    /// The wire's word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::Cosy => "cosy",
            Self::Comfortable => "comfortable",
        }
    }

    /// The menu's word.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Compact => "Compact",
            Self::Cosy => "Cosy",
            Self::Comfortable => "Comfortable",
        }
    }

    /// From the wire's word; anything else is compact.
    pub(crate) fn from_word(word: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|density| density.word() == word)
            .unwrap_or_default()
    }

    /// A row's height in CSS pixels; the stylesheet's `--row` says the same.
    pub(crate) const fn row_px(self) -> f64 {
        match self {
            Self::Compact => 28.0,
            Self::Cosy => 36.0,
            Self::Comfortable => 44.0,
        }
    }
}

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own in the settings"
)]
pub(crate) struct Choices {
    /// Rows.
    pub(crate) density: Density,
    /// Columns, in order; empty for the default ones.
    pub(crate) columns: Vec<Column>,
    /// Widths that were set by hand, in CSS pixels.
    pub(crate) widths: BTreeMap<Column, u32>,
    /// The list's share of a split view, in percent.
    pub(crate) split: u32,
    /// The size of ordinary text, in CSS pixels; everything else is in proportion.
    pub(crate) font_px: u32,
    /// Whether the rail shows its words beside its icons.
    pub(crate) rail_wide: bool,
    /// Whether the facets are shown.
    pub(crate) facets: bool,
    /// Whether times are UTC; else the desktop's own zone.
    pub(crate) utc: bool,
    /// Whether the focus goes on to the next alert after one was handled.
    pub(crate) auto_advance: bool,
    /// Whether a single letter is a shortcut (WCAG 2.2, 2.1.4).
    pub(crate) single_keys: bool,
    /// Shortcuts that were changed, by the command's id.
    pub(crate) keys: BTreeMap<String, String>,
    /// Commands whose shortcut was taken away.
    pub(crate) unbound: BTreeSet<String>,
    /// Sections of the alert's page that were folded, by their titles.
    pub(crate) folded: BTreeSet<String>,
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            density: Density::Compact,
            columns: Vec::new(),
            widths: BTreeMap::new(),
            split: SPLIT,
            font_px: FONT_PX,
            rail_wide: false,
            facets: false,
            utc: false,
            auto_advance: true,
            single_keys: true,
            keys: BTreeMap::new(),
            unbound: BTreeSet::new(),
            folded: BTreeSet::new(),
        }
    }
}

/// The choices, live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Preferences(RwSignal<Choices>);

impl Preferences {
    /// Reads what is stored, keeps the page in step with it, and provides itself.
    pub(crate) fn provide() -> Self {
        let stored = storage().and_then(|storage| storage.get_item(STORAGE_KEY).ok().flatten());
        // Choices of another version are worth less than a window that starts.
        let choices = stored
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let preferences = Self(RwSignal::new(choices));
        let density = preferences.part(|choices| choices.density);
        Effect::new(move |_| {
            if let Some(root) = document().document_element() {
                // An element of the page always takes an attribute.
                let _ = root.set_attribute("data-density", density.get().word());
            }
        });
        let font = preferences.part(|choices| choices.font_px);
        Effect::new(move |_| {
            let root = document().document_element();
            if let Some(root) = root.and_then(|root| root.dyn_into::<web_sys::HtmlElement>().ok()) {
                let scale = f64::from(font.get()) / f64::from(FONT_PX);
                // An element of the page always takes a property.
                let _ = root.style().set_property("--type", &scale.to_string());
            }
        });
        provide_context(preferences);
        preferences
    }

    /// The provided choices.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// A part of them; its readers run again only when this part changes.
    pub(crate) fn part<T>(self, part: impl Fn(&Choices) -> T + Send + Sync + 'static) -> Memo<T>
    where
        T: PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| self.0.with(&part))
    }

    /// Reads them, and runs again when any changes.
    pub(crate) fn with<T>(self, read: impl FnOnce(&Choices) -> T) -> T {
        self.0.with(read)
    }

    /// Reads them once.
    pub(crate) fn peek<T>(self, read: impl FnOnce(&Choices) -> T) -> T {
        self.0.with_untracked(read)
    }

    /// Changes them, and remembers it.
    pub(crate) fn change(self, change: impl FnOnce(&mut Choices)) {
        let mut choices = self.0.get_untracked();
        change(&mut choices);
        if let (Some(storage), Ok(text)) = (storage(), serde_json::to_string(&choices)) {
            // Storage may be off; the choice then lasts as long as the page.
            let _ = storage.set_item(STORAGE_KEY, &text);
        }
        self.0.set(choices);
    }

    /// Makes the text larger or smaller by so many pixels.
    pub(crate) fn resize_text(self, by: i32) {
        self.change(|choices| {
            choices.font_px = choices
                .font_px
                .saturating_add_signed(by)
                .clamp(FONT_MIN_PX, FONT_MAX_PX);
        });
    }

    /// Moves the border of a split view by so many percent.
    pub(crate) fn move_split(self, by: i32) {
        self.change(|choices| {
            choices.split = choices
                .split
                .saturating_add_signed(by)
                .clamp(SPLIT_MIN, SPLIT_MAX);
        });
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_of_an_earlier_version_keep_what_they_say() {
        let read: Choices =
            serde_json::from_str(r#"{"density":"cosy","gone":1}"#).expect("readable");
        assert_eq!(read.density, Density::Cosy);
        assert!(read.auto_advance && read.single_keys);
        assert_eq!(read.split, SPLIT);
    }

    #[test]
    fn words_of_densities_come_back() {
        for density in Density::ALL {
            assert_eq!(Density::from_word(density.word()), density);
        }
        assert_eq!(Density::from_word("huge"), Density::Compact);
    }
}
