//! The event log as it grows: one long poll for the whole page, many listeners.
//!
//! A listener gets every event once and in order, and is told when the log cannot be resumed
//! (`Change::Gap`): then it compares its rows with the backend's, and never reloads blindly.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use calseta_contract::event::EventView;
use gloo_timers::future::sleep;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::clock::now_ms;
use crate::api;

/// First pause after a failed poll; it doubles from there.
const RETRY_FIRST: Duration = Duration::from_millis(500);
/// Longest pause between polls that fail.
const RETRY_MAX: Duration = Duration::from_secs(10);

/// What a listener hears.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change<'a> {
    /// These happened, oldest first.
    Events(&'a [EventView]),
    /// Something was missed.
    Gap,
}

/// How the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// The first call is on its way.
    Connecting,
    /// Events come in.
    Live,
    /// The last poll failed; it is tried again.
    Reconnecting,
}

type Listener = Rc<dyn Fn(Change<'_>)>;

/// The page's event stream.
#[derive(Clone, Copy)]
pub(crate) struct Live {
    link: RwSignal<Link>,
    last_event: RwSignal<Option<i64>>,
    listeners: StoredValue<Rc<RefCell<Listeners>>, LocalStorage>,
}

#[derive(Default)]
struct Listeners {
    next_id: u64,
    by_id: Vec<(u64, Listener)>,
}

impl Live {
    /// Starts listening and provides itself.
    pub(crate) fn provide() {
        let live = Self {
            link: RwSignal::new(Link::Connecting),
            last_event: RwSignal::new(None),
            listeners: StoredValue::new_local(Rc::default()),
        };
        provide_context(live);
        spawn_local(live.follow());
    }

    /// The provided stream.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// How the connection is.
    pub(crate) fn link(self) -> Link {
        self.link.get()
    }

    /// When something happened last, in milliseconds since 1970.
    pub(crate) fn last_event(self) -> Option<i64> {
        self.last_event.get()
    }

    /// Calls `listener` for every change until the calling view goes away.
    pub(crate) fn listen(self, listener: impl Fn(Change<'_>) + 'static) {
        let listeners = self.listeners.get_value();
        let id = {
            let mut all = listeners.borrow_mut();
            let id = all.next_id;
            all.next_id += 1;
            all.by_id.push((id, Rc::new(listener)));
            id
        };
        on_cleanup(move || {
            if let Some(listeners) = self.listeners.try_get_value() {
                listeners
                    .borrow_mut()
                    .by_id
                    .retain(|(other, _)| *other != id);
            }
        });
    }

    async fn follow(self) {
        let mut pause = RETRY_FIRST;
        let mut after = None;
        loop {
            let outcome = match after {
                None => api::latest_event().await.map(|seq| (seq, None)),
                Some(seq) => api::wait_for_events(seq)
                    .await
                    .map(|b| (b.next_after, Some(b))),
            };
            let (seq, batch) = match outcome {
                Ok(read) => read,
                Err(failure) if failure.status == Some(401) => return start_again(),
                Err(_) => {
                    self.set_link(Link::Reconnecting);
                    sleep(pause).await;
                    pause = (pause * 2).min(RETRY_MAX);
                    continue;
                }
            };
            pause = RETRY_FIRST;
            if self.link.get_untracked() == Link::Reconnecting {
                // What failed meanwhile is tried again, and its banner goes.
                self.tell(Change::Gap);
            }
            self.set_link(Link::Live);
            // A log that went backwards is another log: a restored backup, a new data directory.
            let gap = after.is_some_and(|before| seq < before);
            match batch {
                Some(batch) if batch.reset || gap => self.tell(Change::Gap),
                Some(batch) if !batch.events.is_empty() => {
                    self.last_event.set(Some(now_ms()));
                    self.tell(Change::Events(&batch.events));
                }
                // Views may have read before the log's place was known.
                None => self.tell(Change::Gap),
                Some(_) => {}
            }
            after = Some(seq);
        }
    }

    fn set_link(self, link: Link) {
        if self.link.get_untracked() != link {
            self.link.set(link);
        }
    }

    fn tell(self, change: Change<'_>) {
        // Copied first: a listener may add or drop listeners.
        let all: Vec<Listener> = self
            .listeners
            .get_value()
            .borrow()
            .by_id
            .iter()
            .map(|(_, listener)| Rc::clone(listener))
            .collect();
        for listener in all {
            listener(change);
        }
    }
}

/// The backend has restarted and knows this page no longer: only its new link admits.
fn start_again() {
    api::forget_session();
    // A page that cannot be reloaded shows its failures where they happen.
    let _ = window().location().reload();
}
