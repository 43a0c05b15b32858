//! Every action of the window, once: buttons, keys and the shortcut sheet are views of this list.
//!
//! A view registers its commands while it is on the screen; the sheet also lists those of views
//! that were there before. A key is a sequence of `event.key` words (`"j"`, `"G"`, `"g g"`,
//! `"Ctrl+k"`); single letters rest while somebody types, or altogether when they are switched off.

use std::collections::BTreeMap;
use std::sync::Arc;

use leptos::prelude::*;

use super::clock::now_ms;
use super::preferences::{Choices, Preferences};

/// How long a sequence may pause between its keys.
const SEQUENCE_MS: i64 = 1_200;

/// Where the shortcut sheet lists a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    /// Getting somewhere.
    Move,
    /// Selecting and showing.
    List,
    /// Acting on the focused or open alert, or on the selected ones.
    Act,
    /// Pages.
    Go,
    /// The window itself.
    Window,
}

impl Group {
    /// Every group, in the order of the sheet.
    pub(crate) const ALL: [Self; 5] = [Self::Move, Self::List, Self::Act, Self::Go, Self::Window];

    /// Its heading.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::List => "List",
            Self::Act => "Act on alerts",
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

    /// An action of a view that is not on the screen: there to be listed and remapped.
    pub(crate) fn elsewhere(
        id: &'static str,
        title: &'static str,
        group: Group,
        keys: &'static [&'static str],
    ) -> Self {
        Self::new(id, title, group, keys, || {}).when(|| false)
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
    /// Every command that was ever registered, by its id: what there is to remap.
    seen: StoredValue<BTreeMap<&'static str, Command>, LocalStorage>,
    preferences: Preferences,
    /// Grows with every change of the list, so that views of it are painted again.
    version: RwSignal<u64>,
    pending: StoredValue<(String, i64)>,
}

impl Commands {
    /// Provides an empty registry.
    pub(crate) fn provide() -> Self {
        let commands = Self {
            all: StoredValue::new_local(Vec::new()),
            seen: StoredValue::new_local(BTreeMap::new()),
            preferences: Preferences::expect(),
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
        self.seen
            .update_value(|seen| seen.extend(commands.iter().map(|c| (c.id, c.clone()))));
        self.all
            .update_value(|all| all.extend(commands.into_iter().map(|c| (owner, c))));
        self.version.set(owner);
        on_cleanup(move || {
            self.all
                .try_update_value(|all| all.retain(|(other, _)| *other != owner));
            self.version.try_update(|version| *version += 1);
        });
    }

    /// Says which commands views that were not on the screen yet will register.
    pub(crate) fn declare(self, commands: impl IntoIterator<Item = Command>) {
        self.seen.update_value(|seen| {
            for command in commands {
                seen.entry(command.id).or_insert(command);
            }
        });
    }

    /// Every command that is registered now.
    pub(crate) fn list(self) -> Vec<Command> {
        self.version.track();
        self.all
            .with_value(|all| all.iter().map(|(_, command)| command.clone()).collect())
    }

    /// Every command that the window has, whether its view is on the screen or not.
    pub(crate) fn catalogue(self) -> Vec<Command> {
        self.version.track();
        self.seen
            .with_value(|seen| seen.values().cloned().collect())
    }

    /// The key sequences that run a command now, the one that is shown first.
    pub(crate) fn keys(self, command: &Command) -> Vec<String> {
        self.preferences
            .with(|choices| effective_keys(choices, command.id, command.keys))
    }

    /// Gives a command another key sequence; answers the commands that had it and lose it.
    pub(crate) fn remap(self, id: &'static str, sequence: &str) -> Vec<&'static str> {
        let taken = self.conflicts(id, sequence);
        self.preferences.change(|choices| {
            for other in &taken {
                choices.unbound.insert((*other).to_owned());
                choices.keys.remove(*other);
            }
            choices.unbound.remove(id);
            choices.keys.insert(id.to_owned(), sequence.to_owned());
        });
        taken
    }

    /// The commands that a sequence already runs, or whose own begins with it.
    pub(crate) fn conflicts(self, id: &str, sequence: &str) -> Vec<&'static str> {
        let choices = self.preferences.peek(Choices::clone);
        self.seen.with_value(|seen| {
            let others = seen.values().filter(|command| command.id != id);
            others
                .filter(|command| {
                    effective_keys(&choices, command.id, command.keys)
                        .iter()
                        .any(|keys| begins(keys, sequence) || begins(sequence, keys))
                })
                .map(|command| command.id)
                .collect()
        })
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
        let choices = self.preferences.peek(Choices::clone);
        let keys = |command: &Command| effective_keys(&choices, command.id, command.keys);
        let possible: Vec<Command> = self.all.with_value(|all| {
            let newest_first = all.iter().rev().map(|(_, command)| command);
            newest_first
                .filter(|c| keys(c).iter().any(|k| begins(k, typed)))
                .cloned()
                .collect()
        });
        let mut possible = possible
            .into_iter()
            .filter(|c| untrack(|| c.is_possible()))
            .peekable();
        let longer = possible.peek().is_some();
        (
            possible.find(|command| keys(command).iter().any(|k| k == typed)),
            longer,
        )
    }
}

/// The sequences of a command, with what was remapped and what is switched off.
fn effective_keys(choices: &Choices, id: &str, keys: &[&str]) -> Vec<String> {
    let chosen: Vec<String> = match choices.keys.get(id) {
        _ if choices.unbound.contains(id) => Vec::new(),
        Some(sequence) => vec![sequence.clone()],
        None => keys.iter().map(|keys| (*keys).to_owned()).collect(),
    };
    chosen
        .into_iter()
        .filter(|sequence| choices.single_keys || !is_single(sequence))
        .collect()
}

/// Whether a sequence begins with a letter, digit or sign alone: what somebody who dictates, or
/// whose hand slips, types without meaning it (WCAG 2.2, 2.1.4).
fn is_single(sequence: &str) -> bool {
    let first = sequence.split(' ').next().unwrap_or_default();
    // The space key is spelled as a space, and is no letter.
    first.chars().count() == 1
}

/// Whether `typed` is the whole sequence or its first keys.
fn begins(sequence: &str, typed: &str) -> bool {
    sequence == typed
        || sequence
            .strip_prefix(typed)
            .is_some_and(|rest| rest.starts_with(' '))
}

/// A sequence as the caps that are pressed: `Ctrl+k` is two, `g g` is two, too.
pub(crate) fn key_caps(sequence: &str) -> Vec<String> {
    let cap = |key: &str, has_modifier: bool| match key {
        "ArrowUp" => "↑".to_owned(),
        "ArrowDown" => "↓".to_owned(),
        "ArrowLeft" => "←".to_owned(),
        "ArrowRight" => "→".to_owned(),
        "Escape" => "Esc".to_owned(),
        letter if has_modifier => letter.to_uppercase(),
        other => other.to_owned(),
    };
    let caps = |chord: &str| {
        let (modifiers, key) = chord
            .rsplit_once('+')
            .filter(|(modifiers, _)| !modifiers.is_empty())
            .map_or(("", chord), |(modifiers, key)| (modifiers, key));
        let mut all: Vec<String> = modifiers
            .split('+')
            .filter(|one| !one.is_empty())
            .map(str::to_owned)
            .collect();
        let has_modifier = !all.is_empty() && key.chars().count() == 1;
        all.push(cap(key, has_modifier));
        all
    };
    sequence.split(' ').flat_map(caps).collect()
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
    fn letters_can_be_switched_off_and_named_keys_stay() {
        let off = Choices {
            single_keys: false,
            ..Choices::default()
        };
        assert!(effective_keys(&off, "a", &["j", "g g", "?"]).is_empty());
        assert_eq!(
            effective_keys(&off, "a", &["j", "ArrowDown", "Ctrl+k"]),
            ["ArrowDown", "Ctrl+k"]
        );
    }

    #[test]
    fn a_remapped_command_has_its_new_keys_only() {
        let mut choices = Choices::default();
        choices.keys.insert("a".to_owned(), "Ctrl+j".to_owned());
        choices.unbound.insert("b".to_owned());
        assert_eq!(effective_keys(&choices, "a", &["j"]), ["Ctrl+j"]);
        assert!(effective_keys(&choices, "b", &["k"]).is_empty());
    }

    #[test]
    fn arrows_are_shown_as_arrows() {
        assert_eq!(key_caps("g ArrowDown"), ["g", "↓"]);
        assert_eq!(key_caps("Ctrl+k"), ["Ctrl", "K"]);
        assert_eq!(key_caps("Ctrl+Shift+ArrowLeft"), ["Ctrl", "Shift", "←"]);
        assert_eq!(key_caps("g ,"), ["g", ","]);
    }
}
