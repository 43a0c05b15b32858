//! Saved views: named queries with how many alerts each has now.

use std::collections::HashMap;
use std::time::Duration;

use calseta_contract::search::{SavedView, SavedViewRequest};
use calseta_domain::ViewId;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::columns::Column;
use super::live::Live;
use super::preferences::{Density, Preferences};
use super::queue::{Queue, Total};
use crate::api::{self, Failure};

/// Counting every view is work for the backend; a burst of events is counted once.
const COUNT_EVERY: Duration = Duration::from_secs(2);

/// The views, live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Views {
    all: RwSignal<Vec<SavedView>>,
    counts: RwSignal<HashMap<ViewId, Total>>,
    is_counting: StoredValue<bool>,
    queue: Queue,
    preferences: Preferences,
}

impl Views {
    /// Reads them, opens the default one, and provides itself.
    pub(crate) fn provide() -> Self {
        let views = Self {
            all: RwSignal::new(Vec::new()),
            counts: RwSignal::new(HashMap::new()),
            is_counting: StoredValue::new(false),
            queue: Queue::expect(),
            preferences: Preferences::expect(),
        };
        provide_context(views);
        spawn_local(async move { views.read(OpenDefault::Yes).await });
        Live::expect().listen(move |_| views.count_soon());
        views
    }

    /// The provided views.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// All of them, in the order of their numbers.
    pub(crate) fn all(self) -> Vec<SavedView> {
        self.all.get()
    }

    /// How many alerts one has.
    pub(crate) fn count(self, id: ViewId) -> Option<Total> {
        self.counts.with(|counts| counts.get(&id).copied())
    }

    /// The view whose query is shown now.
    pub(crate) fn current(self) -> Option<SavedView> {
        let q = self.queue.q();
        self.all
            .with(|all| all.iter().find(|view| view.q.trim() == q).cloned())
    }

    /// Shows a view, with its columns and density.
    pub(crate) fn show(self, view: &SavedView) {
        let columns: Vec<Column> = view
            .columns
            .iter()
            .filter_map(|word| Column::from_word(word))
            .collect();
        if !view.is_builtin {
            let density = Density::from_word(&view.density);
            self.preferences.change(|choices| {
                choices.columns = columns;
                choices.density = density;
            });
        }
        // A stored view's query was checked when it was saved.
        let _ = self.queue.set_q(&view.q);
    }

    /// Saves what is shown under a name.
    pub(crate) async fn save(self, name: String) -> Result<(), Failure> {
        let (columns, density) = self.preferences.peek(|choices| {
            let words = choices
                .columns
                .iter()
                .map(|column| column.word().to_owned());
            (words.collect(), choices.density.word().to_owned())
        });
        let request = SavedViewRequest {
            name,
            q: self.queue.peek_q(),
            columns,
            density: Some(density),
            ..SavedViewRequest::default()
        };
        api::create_view(&request).await?;
        self.read(OpenDefault::No).await;
        Ok(())
    }

    /// Deletes an own view.
    pub(crate) async fn delete(self, id: ViewId) -> Result<(), Failure> {
        api::delete_view(id).await?;
        self.read(OpenDefault::No).await;
        Ok(())
    }

    async fn read(self, open: OpenDefault) {
        // Without the views the queue shows what waits; the next gap of events reads them again.
        let Ok(all) = api::list_views().await else {
            return;
        };
        let default = all.iter().find(|view| view.is_default).cloned();
        self.all.set(all);
        self.count_soon();
        if open == OpenDefault::Yes
            && let Some(view) = default
            && self.queue.peek_q() == super::queue::WAITING
        {
            self.show(&view);
        }
    }

    fn count_soon(self) {
        if self.is_counting.get_value() {
            return;
        }
        self.is_counting.set_value(true);
        set_timeout(move || spawn_local(self.read_counts()), COUNT_EVERY);
    }

    async fn read_counts(self) {
        self.is_counting.set_value(false);
        // A count that fails leaves the last one.
        if let Ok(counts) = api::view_counts().await {
            let by_id = counts.into_iter().map(|one| {
                let total = Total {
                    count: one.count,
                    is_capped: one.is_capped,
                };
                (one.uuid, total)
            });
            self.counts.set(by_id.collect());
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenDefault {
    Yes,
    No,
}
