//! The actions as commands: keys, buttons, menus and the palette run these.

use calseta_contract::change::BulkSelect;
use calseta_domain::{AlertStatus, Timestamp};
use leptos::prelude::*;

use super::AlertActions;
use crate::state::alert_action::AlertAction;
use crate::state::clock::now_ms;
use crate::state::commands::{Command, Group};
use crate::state::prompts::Prompt;

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

impl AlertActions {
    pub(super) fn commands(self) -> Vec<Command> {
        let mut all = self.asking();
        all.extend(self.at_once());
        all.extend(self.snoozing());
        all
    }

    /// Those that ask for something first.
    fn asking(self) -> Vec<Command> {
        let ask = move |id, title, keys, prompt| {
            let run = move || {
                if let Some((select, count)) = untrack(|| self.queue.targets()) {
                    self.prompts.open_for(prompt, select, count);
                }
            };
            Command::new(id, title, Group::Act, keys, run).when(move || self.has_target())
        };
        vec![
            ask("alert.close", "Close as…", &["c"], Prompt::Close)
                .when(move || self.may_become(AlertStatus::Closed)),
            ask("alert.severity", "Set severity…", &["s"], Prompt::Severity),
            ask("alert.tag", "Tag…", &["t"], Prompt::Tags),
            ask("alert.note", "Add a note…", &["n"], Prompt::Note),
            ask("alert.snooze", "Snooze…", &["z z"], Prompt::Snooze),
            ask(
                "alert.dispatch",
                "Send to an agent…",
                &["a"],
                Prompt::Dispatch,
            ),
            ask(
                "alert.verdict",
                "Override verdict…",
                &["b"],
                Prompt::Verdict,
            ),
            ask(
                "alert.suppress",
                "Suppress like these…",
                &["S"],
                Prompt::Suppress,
            ),
            ask("alert.enrich", "Look up again…", &["E"], Prompt::Enrich),
        ]
    }

    /// Those that are done at once.
    fn at_once(self) -> Vec<Command> {
        use AlertStatus::{Closed, Escalated, Triaging};
        let act = move |id, title, keys, action: fn(bool) -> AlertAction| {
            let run = move || {
                let is_flagged = untrack(|| self.is_flagged());
                self.act(action(is_flagged));
            };
            Command::new(id, title, Group::Act, keys, run).when(move || self.has_target())
        };
        vec![
            act("alert.acknowledge", "Acknowledge", &["e"], |_| {
                AlertAction::Status(Triaging)
            })
            .when(move || self.may_become(Triaging)),
            act("alert.escalate", "Escalate", &["i"], |_| {
                AlertAction::Status(Escalated)
            })
            .when(move || self.may_become(Escalated)),
            act("alert.reopen", "Reopen", &["O"], |_| AlertAction::Reopen)
                .when(move || self.single_status() == Some(Closed)),
            act("alert.flag", "Flag, or unflag", &["*"], |is_flagged| {
                AlertAction::Flag(!is_flagged)
            }),
            act("alert.unread", "Mark as unread", &["m"], |_| {
                AlertAction::Unread
            }),
            Command::new(
                "change.undo",
                "Undo the last change",
                Group::Act,
                &["U", "Ctrl+z"],
                move || self.undo(),
            )
            .when(move || self.can_undo()),
        ]
    }

    fn snoozing(self) -> Vec<Command> {
        let snooze = move |id, title, keys, hours: i64| {
            let run = move || {
                let until = Timestamp::from_millis(now_ms()).plus_millis(hours * HOUR_MS);
                self.act(AlertAction::Snooze(Some(until)));
            };
            Command::new(id, title, Group::Act, keys, run).when(move || self.has_target())
        };
        vec![
            snooze("alert.snooze-hour", "Snooze for an hour", &["z 1"], 1),
            snooze("alert.snooze-4-hours", "Snooze for 4 hours", &["z 4"], 4),
            snooze("alert.snooze-day", "Snooze for a day", &["z d"], 24),
            snooze("alert.snooze-week", "Snooze for a week", &["z w"], 24 * 7),
            Command::new(
                "alert.wake",
                "Wake from snooze",
                Group::Act,
                &["z 0"],
                move || self.act(AlertAction::Snooze(None)),
            )
            .when(move || self.has_target()),
        ]
    }

    fn act(self, action: AlertAction) {
        if let Some((select, _)) = untrack(|| self.queue.targets()) {
            self.run(select, action);
        }
    }

    fn has_target(self) -> bool {
        self.queue.targets().is_some()
    }

    fn single_status(self) -> Option<AlertStatus> {
        let (select, _) = self.queue.targets()?;
        match select.uuids.as_deref() {
            Some([id]) => self.queue.status_of(*id),
            _ => None,
        }
    }

    fn is_flagged(self) -> bool {
        let Some((BulkSelect { uuids, .. }, _)) = self.queue.targets() else {
            return false;
        };
        let ids = uuids.unwrap_or_default();
        !ids.is_empty()
            && ids
                .iter()
                .all(|id| self.queue.row(*id).is_some_and(|row| row.alert.is_flagged))
    }

    /// Whether the status may follow; of many, each is judged when it is done.
    fn may_become(self, to: AlertStatus) -> bool {
        match self.queue.targets() {
            None => false,
            Some((_, count)) if count > 1 => true,
            Some(_) => self
                .single_status()
                .is_some_and(|from| from.allowed_next().contains(&to)),
        }
    }
}
