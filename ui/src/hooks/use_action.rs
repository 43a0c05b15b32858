//! One action at a time: a button that is busy cannot be pressed twice.

use std::future::Future;
use std::pin::Pin;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::Failure;

/// What is done once an action is over; gives why it failed.
type Settle = Box<dyn FnOnce() -> Option<Failure>>;

/// An action that may be running and may have failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Action {
    busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
}

/// A new action of the calling view.
pub(crate) fn use_action() -> Action {
    Action {
        busy: RwSignal::new(false),
        failure: RwSignal::new(None),
    }
}

impl Action {
    /// Whether it runs.
    pub(crate) fn busy(self) -> bool {
        self.busy.get()
    }

    /// Why it failed last.
    pub(crate) fn failure(self) -> Option<Failure> {
        self.failure.get()
    }

    /// What was said about one field of the form.
    pub(crate) fn field(self, path: &str) -> Option<String> {
        self.failure
            .with(|failure| failure.as_ref().and_then(|failure| failure.field(path)))
    }

    /// Runs unless it runs already. `done` is not called when the view has gone meanwhile.
    pub(crate) fn start<T: 'static>(
        self,
        work: impl Future<Output = Result<T, Failure>> + 'static,
        done: impl FnOnce(T) + 'static,
    ) {
        self.start_or(work, done, |_| {});
    }

    /// The same, with something to do about a failure.
    pub(crate) fn start_or<T: 'static>(
        self,
        work: impl Future<Output = Result<T, Failure>> + 'static,
        done: impl FnOnce(T) + 'static,
        failed: impl FnOnce(&Failure) + 'static,
    ) {
        // Every caller has types of its own; what is done with them is the same code for all.
        self.run(Box::pin(async move {
            let settle: Settle = match work.await {
                Ok(value) => Box::new(move || {
                    done(value);
                    None
                }),
                Err(failure) => Box::new(move || {
                    failed(&failure);
                    Some(failure)
                }),
            };
            settle
        }));
    }

    fn run(self, work: Pin<Box<dyn Future<Output = Settle>>>) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        spawn_local(async move {
            let settle = work.await;
            if self.busy.try_set(false).is_some() {
                // The view has gone, and its signals with it.
                return;
            }
            let failure = settle();
            self.failure.try_set(failure);
        });
    }
}
