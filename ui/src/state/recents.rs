//! What was taken from the box lately, so that it is offered first when nothing is typed. It lives
//! as long as the window: titles of alerts are not written to the disk a second time.

use calseta_contract::palette::PaletteItem;
use leptos::prelude::*;

/// So many are remembered.
const MAX_RECENT: usize = 6;

/// Something that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recent {
    /// A command, by its id.
    Command(&'static str),
    /// Something that was found.
    Found {
        /// What kind of thing, as the backend calls it.
        kind: String,
        /// The thing.
        item: PaletteItem,
    },
    /// A query of the queue.
    Filter(String),
}

/// The latest first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recents(RwSignal<Vec<Recent>>);

impl Recents {
    /// Provides none.
    pub(crate) fn provide() {
        provide_context(Self(RwSignal::new(Vec::new())));
    }

    /// The provided ones.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// All of them.
    pub(crate) fn all(self) -> Vec<Recent> {
        self.0.get()
    }

    /// Puts one first.
    pub(crate) fn note(self, recent: Recent) {
        self.0.update(|all| {
            all.retain(|one| *one != recent);
            all.insert(0, recent);
            all.truncate(MAX_RECENT);
        });
    }
}
