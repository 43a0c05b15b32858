//! Indicators that somebody pastes: one a line, of whatever type, defanged or not.

use calseta_contract::indicator::IndicatorInput;
use calseta_domain::{Indicator, IndicatorType};
use leptos::prelude::*;

use super::open_alert::OpenAlert;
use crate::api;
use crate::components::{Button, FailureBanner};
use crate::hooks::use_action;
use crate::state::toasts::Toasts;

/// Indicators that are added at once.
const MAX_AT_ONCE: usize = 100;

/// What a pasted text holds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Pasted {
    found: Vec<Indicator>,
    /// Lines that are no indicator.
    unknown: usize,
}

impl Pasted {
    fn read(text: &str) -> Self {
        let mut pasted = Self::default();
        let lines = text.split(['\n', ',', ';', '\t']).map(str::trim);
        for line in lines.filter(|line| !line.is_empty()) {
            match recognised(line) {
                Some(one) if pasted.found.contains(&one) => {}
                Some(one) if pasted.found.len() < MAX_AT_ONCE => pasted.found.push(one),
                Some(_) | None => pasted.unknown += 1,
            }
        }
        pasted
    }

    /// `ip 8.8.8.8 · url http://…`, and how much was not understood.
    fn said(&self) -> String {
        let known = match self.found.len() {
            0 => return "Nothing of it is an indicator.".to_owned(),
            1 => format!("1 indicator ({})", self.found[0].kind.as_str()),
            count => format!("{count} indicators"),
        };
        match self.unknown {
            0 => known,
            1 => format!("{known}, 1 line is none"),
            lines => format!("{known}, {lines} lines are none"),
        }
    }
}

/// The type that a value has by its looks, the most particular first.
fn recognised(text: &str) -> Option<Indicator> {
    use IndicatorType::{Account, Domain, Email, HashMd5, HashSha1, HashSha256, Ip, Url};
    let as_kind = |kind| Indicator::new(kind, text);
    let particular = [Ip, HashSha256, HashSha1, HashMd5, Email, Url];
    let found = particular.into_iter().find_map(as_kind);
    // A single word may be a host or an account: only a dot makes it a domain.
    let domain = || as_kind(Domain).filter(|one| one.value.contains('.'));
    let account = || text.contains('\\').then(|| as_kind(Account)).flatten();
    found.or_else(domain).or_else(account)
}

/// The form; folded until somebody wants it.
#[component]
pub(super) fn AddIndicators(open: OpenAlert) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let pasted = Memo::new(move |_| text.with(|text| Pasted::read(text)));
    let action = use_action();
    let toasts = Toasts::expect();
    let none = Signal::derive(move || pasted.with(|pasted| pasted.found.is_empty()));
    let add = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let Some(alert) = untrack(|| open.id()) else {
            return;
        };
        let inputs: Vec<IndicatorInput> = pasted.with_untracked(|pasted| {
            let found = pasted.found.iter();
            found.map(input).collect()
        });
        action.start(api::add_indicators(alert, inputs, true), move |_| {
            text.set(String::new());
            toasts.say("Added and looked up.");
            open.reload();
        });
    };
    view! {
        <details class="indicators__add">
            <summary>"Add indicators"</summary>
            <form on:submit=add>
                <textarea
                    class="field__input mono"
                    rows="3"
                    aria-label="Indicators, one a line"
                    placeholder="185.220.101[.]47, hxxps://evil[.]tld/x, user@corp.example"
                    spellcheck="false"
                    prop:value=move || text.get()
                    on:input=move |event| text.set(event_target_value(&event))
                ></textarea>
                <p class="section__note" role="status">
                    {move || text.with(|text| !text.trim().is_empty()).then(|| pasted.with(Pasted::said))}
                </p>
                <Button label="Add and look up" submit=true busy=Signal::derive(move || action.busy()) disabled=none />
                {move || {
                    action
                        .failure()
                        .map(|failure| view! { <FailureBanner failure what="They were not added" /> })
                }}
            </form>
        </details>
    }
}

fn input(one: &Indicator) -> IndicatorInput {
    IndicatorInput {
        kind: one.kind.as_str().to_owned(),
        value: one.value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_list_is_typed_by_its_looks() {
        let pasted = Pasted::read(
            "185.220.101[.]47\nhxxps://evil[.]example/x, user@corp.example\nCORP\\n.hathaway\n\
             d41d8cd98f00b204e9800998ecf8427e; evil[.]example\n185.220.101.47\nsome words",
        );
        let kinds: Vec<&str> = pasted.found.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(
            kinds,
            ["ip", "url", "email", "account", "hash_md5", "domain"]
        );
        assert_eq!(pasted.unknown, 1);
        assert_eq!(pasted.said(), "6 indicators, 1 line is none");
    }
}
