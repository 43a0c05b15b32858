//! Every action of the window, once: buttons, keys and the shortcut sheet are views of this list.
//!
//! A view registers its commands while it is on the screen. A key is a sequence of `event.key`
//! words (`"j"`, `"G"`, `"g g"`, `"Ctrl+k"`); single letters rest while somebody types.

use std::sync::Arc;

use leptos::prelude::*;

use super::clock::now_ms;

/// How long a sequence may pause between its keys.
const SEQUENCE_MS: i64 = 1_200;

/// Where the shortcut sheet lists a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    /// Getting somewhere.
    Move,
    /// Acting on the focused or open alert.
    Act,
    /// Pages.
    Go,
    /// The window itself.
    Window,
}

impl Group {
    /// Every group, in the order of the sheet.
    pub(crate) const ALL: [Self; 4] = [Self::Move, Self::Act, Self::Go, Self::Window];

    /// Its heading.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Act => "Act on the alert",
            Self::Go => "Go to",
            Self::Window => "Window",
        }
    }
}

/// One action.
#[derive(Clone)]
pub(crate) struct Command {
    /// Stable, dotted, for remapping: `alert.acknowledge`.
    pub(crate) id: &'static str,
    /// What a button or the sheet calls it.
    pub(crate) title: &'static str,
    /// Where the sheet lists it.
    pub(crate) group: Group,
    /// Key sequences; the first is the one that is shown.
    pub(crate) keys: &'static [&'static str],
    when: Arc<dyn Fn() -> bool + Send + Sync>,
    run: Arc<dyn Fn() + Send + Sync>,
}

impl Command {
    /// An action that is always possible while its view is on the screen.
    pub(crate) fn new(
        id: &'static str,
        title: &'static str,
        group: Group,
        keys: &'static [&'static str],
        run: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self {
            id,
            title,
            group,
            keys,
            when: Arc::new(|| true),
            run: Arc::new(run),
        }
    }

    /// Possible only while `when` holds; it may read signals.
    #[must_use]
    pub(crate) fn when(mut self, when: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.when = Arc::new(when);
        self
    }

    /// Whether it is possible now.
    pub(crate) fn is_possible(&self) -> bool {
        (self.when)()
    }
}

/// What a key press led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Press {
    /// A command ran.
    Ran,
    /// A sequence began.
    Waiting,
    /// Nobody wanted it.
    Unknown,
}

/// The registry.
#[derive(Clone, Copy)]
pub(crate) struct Commands {
    all: StoredValue<Vec<(u64, Command)>, LocalStorage>,
    /// Grows with every change of the list, so that views of it are painted again.
    version: RwSignal<u64>,
    pending: StoredValue<(String, i64)>,
}

impl Commands {
    /// Provides an empty registry.
    pub(crate) fn provide() -> Self {
        let commands = Self {
            all: StoredValue::new_local(Vec::new()),
            version: RwSignal::new(0),
            pending: StoredValue::new((String::new(), 0)),
        };
        provide_context(commands);
        commands
    }

    /// The provided registry.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// Registers commands until the calling view goes away.
    pub(crate) fn register(self, commands: Vec<Command>) {
        let owner = self.version.get_untracked() + 1;
        self.all
            .update_value(|all| all.extend(commands.into_iter().map(|c| (owner, c))));
        self.version.set(owner);
        on_cleanup(move || {
            self.all
                .try_update_value(|all| all.retain(|(other, _)| *other != owner));
            self.version.try_update(|version| *version += 1);
        });
    }

    /// Every command that is registered now.
    pub(crate) fn list(self) -> Vec<Command> {
        self.version.track();
        self.all
            .with_value(|all| all.iter().map(|(_, command)| command.clone()).collect())
    }

    /// One of them.
    pub(crate) fn find(self, id: &str) -> Option<Command> {
        self.version.track();
        self.find_now(id)
    }

    fn find_now(self, id: &str) -> Option<Command> {
        self.all.with_value(|all| {
            all.iter()
                .rev()
                .find(|(_, c)| c.id == id)
                .map(|(_, c)| c.clone())
        })
    }

    /// Runs a command if it is there and possible.
    pub(crate) fn run(self, id: &str) -> bool {
        let found = self
            .find_now(id)
            .filter(|command| untrack(|| command.is_possible()));
        found
            .inspect(|command| untrack(|| (command.run)()))
            .is_some()
    }

    /// Takes one key: runs what it completes, or remembers it as the beginning of a sequence.
    pub(crate) fn press(self, key: &str) -> Press {
        let now = now_ms();
        let (begun, at) = self.pending.get_value();
        let begun = if now - at > SEQUENCE_MS {
            String::new()
        } else {
            begun
        };
        let typed = if begun.is_empty() {
            key.to_owned()
        } else {
            format!("{begun} {key}")
        };
        let (hit, longer) = self.candidates(&typed);
        if let Some(command) = hit {
            self.pending.set_value((String::new(), now));
            untrack(|| (command.run)());
            return Press::Ran;
        }
        if longer {
            self.pending.set_value((typed, now));
            return Press::Waiting;
        }
        self.pending.set_value((String::new(), now));
        // A sequence that led nowhere does not eat a key that means something by itself.
        if begun.is_empty() {
            Press::Unknown
        } else {
            self.press(key)
        }
    }

    fn candidates(self, typed: &str) -> (Option<Command>, bool) {
        let possible: Vec<Command> = self.all.with_value(|all| {
            let newest_first = all.iter().rev().map(|(_, command)| command);
            newest_first
                .filter(|c| c.keys.iter().any(|k| begins(k, typed)))
                .cloned()
                .collect()
        });
        let mut possible = possible
            .into_iter()
            .filter(|c| untrack(|| c.is_possible()))
            .peekable();
        let longer = possible.peek().is_some();
        (
            possible.find(|command| command.keys.contains(&typed)),
            longer,
        )
    }
}

/// Whether `typed` is the whole sequence or its first keys.
fn begins(sequence: &str, typed: &str) -> bool {
    sequence == typed
        || sequence
            .strip_prefix(typed)
            .is_some_and(|rest| rest.starts_with(' '))
}

/// A key as a sheet shows it.
pub(crate) fn key_caps(sequence: &str) -> Vec<String> {
    let cap = |key: &str| match key {
        "ArrowUp" => "↑".to_owned(),
        "ArrowDown" => "↓".to_owned(),
        "ArrowLeft" => "←".to_owned(),
        "ArrowRight" => "→".to_owned(),
        "Escape" => "Esc".to_owned(),
        " " => "Space".to_owned(),
        other => other.to_owned(),
    };
    sequence.split(' ').map(cap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_begins_with_whole_keys() {
        assert!(begins("g g", "g"));
        assert!(begins("g g", "g g"));
        assert!(
            !begins("Enter", "E"),
            "a word is one key, not a sequence of letters"
        );
    }

    #[test]
    fn arrows_are_shown_as_arrows() {
        assert_eq!(key_caps("g ArrowDown"), ["g", "↓"]);
    }
}
