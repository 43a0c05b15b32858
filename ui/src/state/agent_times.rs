//! How long agents usually take from being told to their finding, for whoever waits for one.

use calseta_contract::agent::AgentView;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::live::{Change, Live};
use crate::api;

/// What is said of a wait, and is kept up to date.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AgentTimes(RwSignal<Option<i64>>);

impl AgentTimes {
    /// Reads the agents, again whenever one changes or has answered, and provides itself.
    pub(crate) fn provide() {
        let times = Self(RwSignal::new(None));
        provide_context(times);
        times.read();
        Live::expect().listen(move |change| {
            let concerns = match change {
                Change::Gap => true,
                Change::Events(events) => events.iter().any(|event| {
                    matches!(event.kind.as_str(), "agent.updated" | "finding.created")
                }),
            };
            if concerns {
                times.read();
            }
        });
    }

    /// The provided times.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    fn read(self) {
        spawn_local(async move {
            // Without an answer a wait is a wait of unknown length.
            if let Ok(agents) = api::list_agents().await {
                self.0.try_set(longest(&agents));
            }
        });
    }

    /// `Waiting for an agent, usually 40 s`.
    pub(crate) fn said(self) -> String {
        self.0.get().map_or_else(
            || "Waiting for an agent".to_owned(),
            |ms| format!("Waiting for an agent, usually {}", spoken(ms)),
        )
    }
}

/// How long the slowest of the active agents usually takes: which one a row waits for is not said.
fn longest(agents: &[AgentView]) -> Option<i64> {
    let times = agents
        .iter()
        .filter(|agent| agent.is_active)
        .filter_map(|agent| agent.time_to_finding.as_ref());
    times.map(|time| time.p50_ms).max()
}

fn spoken(ms: i64) -> String {
    match ms / 1_000 {
        0 => "under a second".to_owned(),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        assert_eq!(spoken(400), "under a second");
        assert_eq!(spoken(40_900), "40 s");
        assert_eq!(spoken(150_000), "2 min");
    }
}
