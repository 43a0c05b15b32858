//! Taking changes back, the latest first.

use calseta_domain::ChangeId;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::AlertActions;
use crate::api::{self, Failure};

/// Changes that can be taken back from here; older ones leave the list.
const MAX_UNDO: usize = 50;

/// A change that can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Undoable {
    /// More than one when an action led to another; the last is taken back first.
    changes: Vec<ChangeId>,
    said: String,
}

impl AlertActions {
    /// Remembers a change, so that one key takes it back.
    pub(crate) fn remember(self, change: ChangeId, said: String) {
        self.undoable.update(|all| {
            all.push(Undoable {
                changes: vec![change],
                said,
            });
            if all.len() > MAX_UNDO {
                all.remove(0);
            }
        });
    }

    /// Remembers a change that the latest one led to: both are taken back by one key.
    pub(super) fn remember_beside(self, change: ChangeId) {
        self.undoable.update(|all| {
            if let Some(last) = all.last_mut() {
                last.changes.push(change);
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
            match undo_all(&last.changes).await {
                Ok((restored, left)) => {
                    let rest = if left == 0 {
                        String::new()
                    } else {
                        format!(" · {left} left alone, changed since")
                    };
                    let alerts = if restored == 1 {
                        "1 alert is as it was".to_owned()
                    } else {
                        format!("{restored} alerts are as they were")
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

/// Takes changes back, the last first; how many alerts the first of them restored, and how many
/// were left alone.
async fn undo_all(changes: &[ChangeId]) -> Result<(u64, usize), Failure> {
    let mut outcome = (0, 0);
    for change in changes.iter().rev() {
        let view = api::undo(*change).await?;
        outcome = (view.restored, view.skipped.len());
    }
    Ok(outcome)
}
