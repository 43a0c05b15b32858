//! Taking changes back, the latest first.

use calseta_domain::ChangeId;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::AlertActions;
use crate::api;

/// Changes that can be taken back from here; older ones leave the list.
const MAX_UNDO: usize = 50;

/// A change that can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Undoable {
    change: ChangeId,
    said: String,
}

impl AlertActions {
    /// Remembers a change, so that one key takes it back.
    pub(crate) fn remember(self, change: ChangeId, said: String) {
        self.undoable.update(|all| {
            all.push(Undoable { change, said });
            if all.len() > MAX_UNDO {
                all.remove(0);
            }
        });
    }

    /// Whether there is anything to take back.
    pub(super) fn can_undo(self) -> bool {
        self.undoable.with(|all| !all.is_empty())
    }

    /// Takes the latest change back. What has changed again since is left alone and counted.
    pub(super) fn undo(self) {
        let Some(last) = self.undoable.try_update(Vec::pop).flatten() else {
            return;
        };
        self.toasts.withdraw("change.undo");
        spawn_local(async move {
            match api::undo(last.change).await {
                Ok(view) => {
                    let left = view.skipped.len();
                    let rest = if left == 0 {
                        String::new()
                    } else {
                        format!(" · {left} left alone, changed since")
                    };
                    let alerts = if view.restored == 1 {
                        "1 alert is as it was".to_owned()
                    } else {
                        format!("{} alerts are as they were", view.restored)
                    };
                    self.toasts
                        .say(format!("Undone: {} — {alerts}{rest}", last.said));
                }
                Err(failure) => self.toasts.fail("It was not undone", &failure),
            }
            self.queue.touch_all();
        });
    }
}
