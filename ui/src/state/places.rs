//! Where the window can go, by name instead of by path.

use std::rc::Rc;

use calseta_domain::{AgentId, AlertId};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

/// The path of an alert begins with this; the desktop's notifications name such paths.
const ALERT_PREFIX: &str = "/alerts/";

/// The path of a query of the queue.
const QUERY_PREFIX: &str = "/?q=";

type Go = Rc<dyn Fn(&str, NavigateOptions)>;

/// How to get somewhere.
#[derive(Clone, Copy)]
pub(crate) struct Places {
    go: StoredValue<Go, LocalStorage>,
}

impl Places {
    /// Provides the ways; call it inside the router.
    pub(crate) fn provide() -> Self {
        let navigate = use_navigate();
        let places = Self {
            go: StoredValue::new_local(Rc::new(move |path, how| navigate(path, how))),
        };
        provide_context(places);
        places
    }

    /// The provided ways.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// The queue, with nothing open.
    pub(crate) fn queue(self) {
        self.to("/", false);
    }

    /// Where the window was before.
    pub(crate) fn back() {
        Self::turn(web_sys::History::back);
    }

    /// Where the window was before it went back.
    pub(crate) fn forward() {
        Self::turn(web_sys::History::forward);
    }

    fn turn(turn: fn(&web_sys::History) -> Result<(), wasm_bindgen::JsValue>) {
        if let Ok(history) = window().history() {
            // At its end the history stays where it is.
            let _ = turn(&history);
        }
    }

    /// An alert, as a place to come back from.
    pub(crate) fn alert(self, id: AlertId) {
        self.to(&alert_path(id), false);
    }

    /// An alert in the place of the one that is open.
    pub(crate) fn next_alert(self, id: AlertId) {
        self.to(&alert_path(id), true);
    }

    /// The list of agents.
    pub(crate) fn agents(self) {
        self.to("/agents", false);
    }

    /// The form that registers an agent.
    pub(crate) fn new_agent(self) {
        self.to("/agents/new", false);
    }

    /// One agent.
    pub(crate) fn agent(self, id: AgentId) {
        self.to(&agent_path(id), false);
    }

    fn to(self, path: &str, replace: bool) {
        let go = self.go.get_value();
        go(
            path,
            NavigateOptions {
                replace,
                scroll: false,
                ..NavigateOptions::default()
            },
        );
    }
}

/// An alert's path.
pub(crate) fn alert_path(id: AlertId) -> String {
    format!("{ALERT_PREFIX}{id}")
}

/// An agent's path.
pub(crate) fn agent_path(id: AgentId) -> String {
    format!("/agents/{id}")
}

/// The query that a path from outside asks the queue for.
pub(crate) fn query_of_path(path: &str) -> Option<String> {
    let q = path.strip_prefix(QUERY_PREFIX)?;
    decoded(q)
}

/// Percent-decoded; `None` when that is no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The alert that a path from outside names; anything else is refused.
pub(crate) fn alert_of_path(path: &str) -> Option<AlertId> {
    path.strip_prefix(ALERT_PREFIX)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_s_path_is_decoded_and_nothing_else_is_one() {
        let read = |path| query_of_path(path);
        assert_eq!(
            read("/?q=sev%3A%3E%3Dhigh%20tag:vpn").as_deref(),
            Some("sev:>=high tag:vpn")
        );
        assert_eq!(read("/?q=%zz"), None);
        assert_eq!(read("/agents?q=x"), None);
    }

    #[test]
    fn only_an_alert_s_path_is_followed() {
        let id = "018f2f6e-0000-7000-8000-000000000001";
        assert!(alert_of_path(&format!("/alerts/{id}")).is_some());
        for path in [
            "/agents/new",
            "/alerts/",
            "/alerts/../agents",
            "https://evil.tld/alerts/",
        ] {
            assert_eq!(alert_of_path(path), None, "{path}");
        }
        assert_eq!(alert_of_path(&format!("/alerts/{id}/../../agents")), None);
    }
}
