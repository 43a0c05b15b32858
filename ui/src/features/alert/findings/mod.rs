//! What agents and people concluded. Shown as it was sent; a verdict is never read out of prose,
//! and what is cited is held against what is stored.

mod card;
mod compare;
mod evidence;
mod review;
mod saw;

use calseta_contract::finding::FindingView;
use calseta_domain::FindingId;
use leptos::prelude::*;

use self::card::Card;
use self::compare::{Compare, Values};
use super::open_alert::OpenAlert;
use crate::components::{Button, Section};
use crate::state::commands::{Command, Commands, Group};
use crate::text::{delivery_wait, visible};

/// What a finding of v1.1.0's shape says: its text, and no verdict.
const NO_VERDICT: &str = "without a verdict";
/// Verdicts in the order in which they are counted.
const WORST_FIRST: [&str; 5] = [
    "malicious",
    "suspicious",
    "inconclusive",
    "benign",
    NO_VERDICT,
];

/// What decides whether a card is painted again: a finding never changes, what is said of it does.
type Painted = (FindingId, Option<String>, bool, Option<FindingId>, u64);

/// Every finding, newest first.
#[component]
pub(super) fn Findings(open: OpenAlert) -> impl IntoView {
    let all = open.slice(|detail| {
        let mut findings = detail.view.agent_findings.clone();
        findings.reverse();
        findings
    });
    let values = open.slice(|detail| {
        let indicators = detail.view.indicators.iter();
        indicators
            .map(|one| (one.uuid, one.value.clone()))
            .collect::<Values>()
    });
    let count = Signal::derive(move || all.with(|all| all.as_ref().map(Vec::len)));
    let comparing = RwSignal::new(false);
    let can_compare = Memo::new(move |_| all.with(|all| authors(all.iter().flatten()) > 1));
    Commands::expect().register(vec![
        Command::new(
            "alert.compare",
            "Compare findings",
            Group::Act,
            &["C"],
            move || comparing.update(|on| *on = !*on),
        )
        .when(move || can_compare.get()),
    ]);
    view! {
        <Section number=3 title="Agent findings" count>
            <Waiting open />
            <Show
                when=move || { count.get().unwrap_or(0) > 0 }
                fallback=move || {
                    view! { <p class="section__none">"No agent has posted a finding."</p> }
                }
            >
                <Show when=move || can_compare.get()>
                    <p class="findings__bar">
                        <span class="findings__said">{move || said(all.get().iter().flatten())}</span>
                        <Button
                            label=Signal::derive(move || {
                                if comparing.get() { "One below the other" } else { "Side by side" }.to_owned()
                            })
                            on_press=move |()| comparing.update(|on| *on = !*on)
                        />
                    </p>
                </Show>
                {move || {
                    if comparing.get() && can_compare.get() {
                        view! { <Compare findings=all.get().unwrap_or_default() values=values.get().unwrap_or_default() /> }.into_any()
                    } else {
                        view! {
                            <div class="findings" aria-live="polite">
                                <For each=move || all.get().unwrap_or_default() key=painted let:finding>
                                    <Card open finding />
                                </For>
                            </div>
                        }
                            .into_any()
                    }
                }}
            </Show>
        </Section>
    }
}

fn painted(finding: &FindingView) -> Painted {
    let review = finding
        .review
        .as_ref()
        .map(|review| format!("{} {}", review.decision, review.reviewed_at.millis()));
    let checked = &finding.verification;
    let check = checked.matches * 1_000_000 + checked.differs * 1_000 + checked.not_found;
    (
        finding.uuid,
        review,
        finding.is_hidden,
        finding.superseded_by,
        check,
    )
}

/// How many authors have a finding that still stands.
fn authors<'a>(findings: impl Iterator<Item = &'a FindingView>) -> usize {
    let mut names: Vec<&str> = findings
        .filter(|finding| finding.superseded_by.is_none())
        .map(|finding| finding.author.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}

/// How those that stand divide: `1 malicious · 2 benign`, worst first.
fn said<'a>(findings: impl Iterator<Item = &'a FindingView>) -> String {
    let standing: Vec<&str> = findings
        .filter(|finding| finding.superseded_by.is_none() && !finding.is_hidden)
        .map(|finding| finding.verdict.as_deref().unwrap_or(NO_VERDICT))
        .collect();
    counted(&standing)
}

fn counted(standing: &[&str]) -> String {
    WORST_FIRST
        .into_iter()
        .filter_map(|word| {
            let count = standing.iter().filter(|one| **one == word).count();
            (count > 0).then(|| format!("{count} {word}"))
        })
        .collect::<Vec<_>>()
        .join(" · ")
}

/// Who was told and has not answered yet, and how long that usually takes.
#[component]
fn Waiting(open: OpenAlert) -> impl IntoView {
    let lines = move || {
        let answered: Vec<_> = open.deliveries().into_iter().collect();
        answered
            .iter()
            .filter(|delivery| delivery.finding_uuids.is_empty())
            .filter_map(|delivery| {
                let agent = open.agent(delivery.agent_uuid);
                let typical = agent.as_ref().and_then(|agent| agent.time_to_finding);
                let name = open.agent_name(delivery.agent_uuid);
                let said = delivery_wait(delivery, typical)?;
                Some(format!("{}: {said}", visible(&name)))
            })
            .collect::<Vec<String>>()
    };
    move || {
        lines()
            .into_iter()
            .map(|line| view! { <p class="section__note" role="status">{line}</p> })
            .collect_view()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_counted_worst_first() {
        let standing = ["benign", NO_VERDICT, "malicious", "benign"];
        assert_eq!(
            counted(&standing),
            "1 malicious · 2 benign · 1 without a verdict"
        );
        assert_eq!(counted(&[]), "");
    }
}
