//! Keeping everything out of the queue that the shown query finds: what that would have hidden
//! lately is said first, true positives above all.

use calseta_contract::suppression::{SuppressionPreview, SuppressionRequest};
use calseta_domain::Timestamp;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{self, Failure};
use crate::components::{Button, ButtonKind, Dialog, Field, SelectField};
use crate::hooks::use_action;
use crate::state::clock::now_ms;
use crate::state::prompts::Prompts;
use crate::state::queue::Queue;
use crate::state::toasts::Toasts;
use crate::text::visible;

/// How far the preview looks back, in days.
const PREVIEW_DAYS: u32 = 30;
/// A day, in milliseconds.
const DAY_MS: i64 = 24 * 3_600_000;
/// How long, in days.
const SPANS: [&str; 4] = ["1", "7", "30", "90"];

#[component]
pub(super) fn SuppressViewDialog() -> impl IntoView {
    let (prompts, toasts, queue) = (Prompts::expect(), Toasts::expect(), Queue::expect());
    let q = StoredValue::new(queue.peek_q());
    let (name, reason) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let days = RwSignal::new("7".to_owned());
    let preview = RwSignal::new(None::<Result<SuppressionPreview, Failure>>);
    let action = use_action();
    spawn_local(async move {
        let outcome = api::preview_suppression(&q.get_value(), PREVIEW_DAYS).await;
        preview.try_set(Some(outcome));
    });
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        let span: i64 = days.get_untracked().parse().unwrap_or(7);
        let because = reason.get_untracked().trim().to_owned();
        let request = SuppressionRequest {
            name: name.get_untracked().trim().to_owned(),
            q: q.get_value(),
            expires_at: Some(Timestamp::from_millis(now_ms()).plus_millis(span * DAY_MS)),
            reason: (!because.is_empty()).then_some(because),
        };
        action.start(
            async move { api::create_suppression(&request).await },
            move |made| {
                prompts.close();
                toasts.say(format!("Suppressed: {} hidden", made.hidden_count));
                queue.touch_all();
            },
        );
    };
    let span = |days: &str| {
        (
            days.to_owned(),
            if days == "1" {
                "1 day".to_owned()
            } else {
                format!("{days} days")
            },
        )
    };
    let error = move || {
        let field = action.field("name");
        field.or_else(|| action.failure().map(|failure| failure.message))
    };
    view! {
        <Dialog title="Suppress what this view finds" on_close=move |()| prompts.close()>
            <form class="form" on:submit=save>
                <p class="dialog__text">
                    <code>{q.with_value(|q| visible(q).into_owned())}</code>
                </p>
                <Field id="suppress-name" label="Name" value=name autofocus=true error=Signal::derive(error) />
                <Field id="suppress-reason" label="Why" value=reason />
                <SelectField id="suppress-days" label="For" value=days options=SPANS.map(span).to_vec() />
                <div class="consequences" role="status">
                    {move || preview.with(|read| read.as_ref().map(said))}
                </div>
                <div class="dialog__actions">
                    <Button label="Cancel" on_press=move |()| prompts.close() />
                    <Button
                        label="Suppress"
                        kind=ButtonKind::Primary
                        submit=true
                        busy=Signal::derive(move || action.busy())
                        disabled=Signal::derive(move || name.with(|name| name.trim().is_empty()))
                    />
                </div>
            </form>
        </Dialog>
    }
}

fn said(read: &Result<SuppressionPreview, Failure>) -> AnyView {
    match read {
        Err(failure) => {
            let text = failure.message.clone();
            view! { <p class="consequences__failed">{text}</p> }.into_any()
        }
        Ok(preview) => view! { <p>{sentence(preview)}</p> }.into_any(),
    }
}

/// `In the last 30 days this would have hidden 61 of 412 alerts, 2 of them true positives ⚠`.
fn sentence(preview: &SuppressionPreview) -> String {
    let bad = match preview.true_positives {
        0 => "none of them a true positive.".to_owned(),
        1 => "1 of them a true positive ⚠".to_owned(),
        many => format!("{many} of them true positives ⚠"),
    };
    format!(
        "In the last {PREVIEW_DAYS} days this would have hidden {} of {} alerts, {bad}",
        preview.matched, preview.of
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn true_positives_are_named() {
        let preview = SuppressionPreview {
            matched: 61,
            of: 412,
            true_positives: 2,
            examples: Vec::new(),
        };
        assert_eq!(
            sentence(&preview),
            "In the last 30 days this would have hidden 61 of 412 alerts, 2 of them true positives ⚠"
        );
    }
}
