//! What the analyst says of a finding. The agent reads it.

use calseta_contract::finding::{FindingView, ReviewRequest, ReviewView};
use calseta_domain::FindingId;
use leptos::prelude::*;

use super::super::open_alert::OpenAlert;
use crate::api;
use crate::components::{Age, Button, ButtonKind, Dialog, FailureBanner, Field, SelectField};
use crate::hooks::use_action;
use crate::text::visible;

/// Why an analyst may disagree: the wire's word, and what it means.
const REASONS: [(&str, &str); 6] = [
    ("wrong_verdict", "The verdict is wrong"),
    ("wrong_fact", "A fact is wrong"),
    ("missing_evidence", "Evidence is missing"),
    ("bad_action", "The proposed action is bad"),
    ("out_of_scope", "Not what was asked"),
    ("other", "Something else"),
];

/// What was said.
#[component]
pub(super) fn Reviewed(review: ReviewView) -> impl IntoView {
    let agreed = review.decision == "accept";
    let word = if agreed { "Accepted" } else { "Disagreed" };
    let reason = review.reason.as_deref().map(reason);
    let comment = review.comment.map(|text| visible(&text).into_owned());
    view! {
        <p class="finding__review" class:finding__review--disagree=!agreed>
            <strong>{word}</strong>
            {reason.map(|reason| format!(": {reason}"))}
            {comment.map(|comment| view! { <q>{comment}</q> })}
            <span class="finding__none">
                {format!("{} ", visible(&review.reviewed_by))}<Age at=review.reviewed_at sentence=true />
            </span>
        </p>
    }
}

fn reason(word: &str) -> &'static str {
    let known = REASONS.iter().find(|(wire, _)| *wire == word);
    known.map_or("Something else", |(_, said)| said)
}

/// Accept, disagree, ask again, fold away.
#[component]
pub(super) fn Verbs(open: OpenAlert, finding: FindingView) -> impl IntoView {
    let id = finding.uuid;
    let disagreeing = RwSignal::new(false);
    let action = use_action();
    let accept = move |()| {
        let request = ReviewRequest {
            decision: "accept".to_owned(),
            ..ReviewRequest::default()
        };
        let work = async move { api::review_finding(id, &request).await };
        action.start(work, move |_| open.reload());
    };
    let hidden = finding.is_hidden;
    let hide = move |()| {
        action.start(api::hide_finding(id, !hidden), move |_| open.reload());
    };
    let is_closable = open.slice(|d| d.view.summary.status != calseta_domain::AlertStatus::Closed);
    let agent = finding.author.agent_uuid;
    let ask_again = move |()| {
        if let (Some(agent), Some(alert)) = (agent, untrack(|| open.id())) {
            action.start(api::dispatch_agent(alert, agent), move |_| open.reload());
        }
    };
    let busy = Signal::derive(move || action.busy());
    let label = if hidden { "Unfold" } else { "Fold away" };
    view! {
        <div class="finding__verbs">
            <Show when=move || is_closable.get().is_some()>
                <Button label="Accept verdict" busy on_press=accept />
                <Button label="Disagree…" busy on_press=move |()| disagreeing.set(true) />
            </Show>
            {agent.map(|_| view! { <Button label="Ask again" kind=ButtonKind::Quiet busy on_press=ask_again /> })}
            <Button label=label kind=ButtonKind::Quiet busy on_press=hide />
        </div>
        {move || {
            action
                .failure()
                .map(|failure| view! { <FailureBanner failure what="That was not done" /> })
        }}
        <Show when=move || disagreeing.get()>
            <Disagree id on_done=move |said: bool| {
                disagreeing.set(false);
                if said {
                    open.reload();
                }
            } />
        </Show>
    }
}

/// Asks for the reason.
#[component]
fn Disagree(id: FindingId, #[prop(into)] on_done: Callback<bool>) -> impl IntoView {
    let reason = RwSignal::new(REASONS[0].0.to_owned());
    let comment = RwSignal::new(String::new());
    let action = use_action();
    let options = REASONS
        .iter()
        .map(|(wire, said)| ((*wire).to_owned(), (*said).to_owned()))
        .collect::<Vec<_>>();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let comment = comment.get_untracked();
        let request = ReviewRequest {
            decision: "disagree".to_owned(),
            reason: Some(reason.get_untracked()),
            comment: (!comment.trim().is_empty()).then_some(comment),
        };
        let work = async move { api::review_finding(id, &request).await };
        action.start(work, move |_| on_done.run(true));
    };
    view! {
        <Dialog title="Disagree with this finding" on_close=move |()| on_done.run(false)>
            <form class="dialog__form" on:submit=submit>
                <SelectField id="disagree-reason" label="Why" value=reason options />
                <Field
                    id="disagree-comment"
                    label="Comment"
                    value=comment
                    help="Optional. The agent reads it."
                    error=Signal::derive(move || action.field("comment"))
                />
                {move || {
                    action
                        .failure()
                        .filter(|failure| failure.fields().is_empty())
                        .map(|failure| view! { <FailureBanner failure what="The review was not kept" /> })
                }}
                <div class="dialog__actions">
                    <Button label="Cancel" on_press=move |()| on_done.run(false) />
                    <Button
                        label="Disagree"
                        kind=ButtonKind::Primary
                        submit=true
                        busy=Signal::derive(move || action.busy())
                    />
                </div>
            </form>
        </Dialog>
    }
}
