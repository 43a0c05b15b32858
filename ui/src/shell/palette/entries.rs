//! The lines of the box: what stands in which order, without a page around it.

use calseta_contract::palette::{PaletteGroup, PaletteItem, PaletteView};
use calseta_domain::Indicator;
use calseta_domain::indicator::pasted;
use leptos::prelude::untrack;

use crate::state::commands::{Command, Group};
use crate::state::recents::Recent;
use crate::text::{fuzzy, visible};

/// Commands that are shown for what is typed.
const MAX_COMMANDS: usize = 8;
/// Alerts that wait for a decision about a workflow.
const PENDING_APPROVALS: &str = "approval:pending";

/// One line of the list.
#[derive(Clone)]
pub(super) enum Entry {
    /// What the lines below have in common.
    Heading(String),
    /// Does something.
    Run(Command),
    /// Goes to something that was found.
    Find {
        /// What kind of thing.
        kind: String,
        /// The thing.
        item: PaletteItem,
    },
    /// Asks the providers about values, whether any alert has them or not.
    LookUp(Vec<Indicator>),
    /// Begins an alert about values.
    Create(Vec<Indicator>),
    /// Shows the alerts that a query finds.
    Filter {
        /// What it is called here.
        label: String,
        /// The query.
        q: String,
    },
}

impl Entry {
    /// Whether it can be taken.
    pub(super) const fn is_choice(&self) -> bool {
        !matches!(self, Self::Heading(_))
    }

    /// As it is remembered; `None` for what makes no sense a second time.
    pub(super) fn recent(&self) -> Option<Recent> {
        match self {
            Self::Heading(_) | Self::LookUp(_) | Self::Create(_) => None,
            Self::Run(command) => Some(Recent::Command(command.id)),
            Self::Find { kind, item } => Some(Recent::Found {
                kind: kind.clone(),
                item: item.clone(),
            }),
            Self::Filter { q, .. } => Some(Recent::Filter(q.clone())),
        }
    }
}

/// What the list is made from.
pub(super) struct Asked<'a> {
    /// What stands in the box.
    pub(super) typed: &'a str,
    /// The registered commands.
    pub(super) commands: &'a [Command],
    /// What the backend found.
    pub(super) found: &'a PaletteView,
    /// What was taken lately.
    pub(super) recents: &'a [Recent],
    /// How many alerts are selected.
    pub(super) selected: u64,
}

/// What the backend is asked about; nothing for commands and approvals.
pub(super) fn wanted(typed: &str) -> String {
    let typed = typed.trim();
    if typed.starts_with(['>', '!']) {
        String::new()
    } else {
        typed.trim_start_matches(['#', '@']).trim().to_owned()
    }
}

/// The list: what is selected and what was found first, then the commands that fit, what is closed,
/// and the text as a filter of the queue.
pub(super) fn listed(asked: &Asked<'_>) -> Vec<Entry> {
    let typed = asked.typed.trim();
    let mut all = Vec::new();
    match typed.chars().next() {
        None => {
            put_actions(&mut all, asked, "");
            put_recents(&mut all, asked);
            put_commands(&mut all, asked, "");
        }
        Some('>') => {
            let typed = typed.trim_start_matches('>').trim();
            put_actions(&mut all, asked, typed);
            put_commands(&mut all, asked, typed);
        }
        Some('#') => put_groups(&mut all, asked, |kind| kind == "tags"),
        Some('@') => put_groups(&mut all, asked, |kind| kind == "agents"),
        Some('!') => {
            all.push(Entry::Heading("Approvals".to_owned()));
            all.push(Entry::Filter {
                label: "Alerts whose workflow waits for a decision".to_owned(),
                q: PENDING_APPROVALS.to_owned(),
            });
        }
        Some(_) => put_everything(&mut all, asked, typed),
    }
    all
}

fn put_everything(all: &mut Vec<Entry>, asked: &Asked<'_>, typed: &str) {
    let values = pasted(typed);
    put_groups(all, asked, |kind| kind == "indicators");
    if !values.is_empty() {
        all.push(Entry::LookUp(values.clone()));
        all.push(Entry::Create(values));
    }
    put_actions(all, asked, typed);
    put_groups(all, asked, |kind| kind == "open_alerts");
    put_commands(all, asked, typed);
    put_groups(all, asked, |kind| {
        !matches!(kind, "indicators" | "open_alerts")
    });
    all.push(Entry::Heading("Queue".to_owned()));
    all.push(Entry::Filter {
        label: format!("Filter the queue by {}", visible(typed)),
        q: typed.to_owned(),
    });
}

fn put_groups(all: &mut Vec<Entry>, asked: &Asked<'_>, wanted: impl Fn(&str) -> bool) {
    for group in asked.found.groups.iter().filter(|one| wanted(&one.kind)) {
        all.push(Entry::Heading(title(group).to_owned()));
        all.extend(group.items.iter().map(|item| Entry::Find {
            kind: group.kind.clone(),
            item: item.clone(),
        }));
    }
}

fn title(group: &PaletteGroup) -> &'static str {
    match group.kind.as_str() {
        "indicators" => "Indicators",
        "open_alerts" => "Open alerts",
        "closed_alerts" => "Closed alerts",
        "agents" => "Agents",
        "rules" => "Rules",
        "documents" => "Documents",
        "views" => "Views",
        "tags" => "Tags",
        _ => "Others",
    }
}

/// What can be done to the selected alerts.
fn put_actions(all: &mut Vec<Entry>, asked: &Asked<'_>, typed: &str) {
    if asked.selected > 0 {
        let fits = |command: &Command| command.group == Group::Act;
        let heading = format!("Act on {} selected…", asked.selected);
        put_fitting(all, asked, typed, heading, fits);
    }
}

fn put_commands(all: &mut Vec<Entry>, asked: &Asked<'_>, typed: &str) {
    // What is listed for the selection is not listed twice.
    let fits = |command: &Command| asked.selected == 0 || command.group != Group::Act;
    put_fitting(all, asked, typed, "Commands".to_owned(), fits);
}

fn put_fitting(
    all: &mut Vec<Entry>,
    asked: &Asked<'_>,
    typed: &str,
    heading: String,
    fits: impl Fn(&Command) -> bool,
) {
    let fitting = fitting(typed, asked.commands.iter().filter(|one| fits(one)));
    if !fitting.is_empty() {
        all.push(Entry::Heading(heading));
        all.extend(fitting.into_iter().map(Entry::Run));
    }
}

fn put_recents(all: &mut Vec<Entry>, asked: &Asked<'_>) {
    let entry = |recent: &Recent| match recent {
        Recent::Command(id) => {
            let command = asked.commands.iter().rev().find(|one| one.id == *id);
            command
                .filter(|one| untrack(|| one.is_possible()))
                .cloned()
                .map(Entry::Run)
        }
        Recent::Found { kind, item } => Some(Entry::Find {
            kind: kind.clone(),
            item: item.clone(),
        }),
        Recent::Filter(q) => Some(Entry::Filter {
            label: format!("Filter the queue by {}", visible(q)),
            q: q.clone(),
        }),
    };
    let recent: Vec<Entry> = asked.recents.iter().filter_map(entry).collect();
    if !recent.is_empty() {
        all.push(Entry::Heading("Recent".to_owned()));
        all.extend(recent);
    }
}

/// The possible commands that fit, the best first.
fn fitting<'a>(typed: &str, commands: impl Iterator<Item = &'a Command>) -> Vec<Command> {
    let mut scored: Vec<(i32, &Command)> = commands
        .filter(|command| untrack(|| command.is_possible()) && command.id != "window.palette")
        .filter_map(|command| fuzzy(typed, command.title).map(|score| (score, command)))
        .collect();
    if !typed.is_empty() {
        scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        scored.truncate(MAX_COMMANDS);
    }
    scored
        .into_iter()
        .map(|(_, command)| command.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(id: &'static str, title: &'static str, group: Group) -> Command {
        Command::new(id, title, group, &[], || {})
    }

    fn commands() -> Vec<Command> {
        vec![
            command("alert.close", "Close as…", Group::Act),
            command("go.agents", "Agents", Group::Go),
        ]
    }

    fn words(typed: &str, found: &PaletteView, recents: &[Recent], selected: u64) -> Vec<String> {
        let asked = Asked {
            typed,
            commands: &commands(),
            found,
            recents,
            selected,
        };
        let word = |entry: &Entry| match entry {
            Entry::Heading(title) => format!("[{title}]"),
            Entry::Run(command) => command.id.to_owned(),
            Entry::Find { item, .. } => item.label.clone(),
            Entry::LookUp(values) => format!("look up {}", values.len()),
            Entry::Create(values) => format!("create with {}", values.len()),
            Entry::Filter { q, .. } => format!("filter {q}"),
        };
        listed(&asked).iter().map(word).collect()
    }

    fn found(all: &[(&str, &str)]) -> PaletteView {
        let group = |(kind, label): &(&str, &str)| PaletteGroup {
            kind: (*kind).to_owned(),
            items: vec![PaletteItem {
                label: (*label).to_owned(),
                detail: String::new(),
                uuid: None,
                q: None,
            }],
        };
        PaletteView {
            groups: all.iter().map(group).collect(),
        }
    }

    #[test]
    fn indicators_come_before_commands_and_closed_alerts_after() {
        let found = found(&[("closed_alerts", "old"), ("indicators", "1.2.3.4")]);
        assert_eq!(
            words("cl", &found, &[], 0),
            [
                "[Indicators]",
                "1.2.3.4",
                "[Commands]",
                "alert.close",
                "[Closed alerts]",
                "old",
                "[Queue]",
                "filter cl"
            ]
        );
        let nothing = PaletteView::default();
        assert_eq!(
            words("> agents", &nothing, &[], 0),
            ["[Commands]", "go.agents"]
        );
        assert!(words("#x", &found, &[], 0).is_empty());
        assert_eq!(wanted(">close"), "");
        assert_eq!(wanted("# vpn"), "vpn");
        assert_eq!(
            words("!", &nothing, &[], 0),
            ["[Approvals]", "filter approval:pending"]
        );
    }

    #[test]
    fn a_pasted_value_is_followed_by_what_can_be_done_with_it() {
        let found = found(&[("indicators", "185.220.101.47")]);
        let shown = words("185[.]220[.]101[.]47", &found, &[], 0);
        assert_eq!(
            shown[..4],
            [
                "[Indicators]",
                "185.220.101.47",
                "look up 1",
                "create with 1"
            ]
        );
        let list = words("10.0.0.1 evil[.]example", &PaletteView::default(), &[], 0);
        assert_eq!(list[..2], ["look up 2", "create with 2"]);
    }

    #[test]
    fn what_is_selected_and_what_was_taken_lately_come_first() {
        let nothing = PaletteView::default();
        let recents = [
            Recent::Filter("sev:high".to_owned()),
            Recent::Command("gone"),
        ];
        assert_eq!(
            words("", &nothing, &recents, 3),
            [
                "[Act on 3 selected…]",
                "alert.close",
                "[Recent]",
                "filter sev:high",
                "[Commands]",
                "go.agents"
            ]
        );
    }
}
