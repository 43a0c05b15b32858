//! What stays out of the queue, for how long, and how much that has hidden.

use calseta_contract::Patch;
use calseta_contract::suppression::{SuppressionPatch, SuppressionView};
use calseta_domain::Timestamp;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{self, Failure};
use crate::components::{Button, ButtonKind, Dialog, Empty, FailureBanner};
use crate::state::clock::now_ms;
use crate::state::prompts::Prompts;
use crate::state::queue::Queue;
use crate::state::toasts::Toasts;
use crate::text::visible;

/// A week, in milliseconds.
const WEEK_MS: i64 = 7 * 24 * 3_600_000;

#[component]
pub(super) fn SuppressionsDialog() -> impl IntoView {
    let (prompts, toasts, queue) = (Prompts::expect(), Toasts::expect(), Queue::expect());
    let read = RwSignal::new(None::<Result<Vec<SuppressionView>, Failure>>);
    let load = move || {
        spawn_local(async move {
            let outcome = api::list_suppressions().await;
            read.try_set(Some(outcome));
        });
    };
    load();
    let end = Callback::new(move |one: SuppressionView| {
        spawn_local(async move {
            match api::delete_suppression(one.uuid).await {
                Ok(()) => toasts.say("The suppression has ended; its alerts come back"),
                Err(failure) => toasts.fail("The suppression was not ended", &failure),
            }
            queue.touch_all();
            load();
        });
    });
    let extend = Callback::new(move |one: SuppressionView| {
        let from = one.expires_at.millis().max(now_ms());
        let patch = SuppressionPatch {
            expires_at: Patch::Set(Timestamp::from_millis(from).plus_millis(WEEK_MS)),
            ..SuppressionPatch::default()
        };
        spawn_local(async move {
            match api::patch_suppression(one.uuid, &patch).await {
                Ok(_) => toasts.say("Suppressed for a week longer"),
                Err(failure) => toasts.fail("The suppression was not changed", &failure),
            }
            load();
        });
    });
    let show = move |()| {
        prompts.close();
        // It is a query.
        let _ = queue.set_q("is:suppressed");
    };
    view! {
        <Dialog title="Suppressions" on_close=move |()| prompts.close() class="wide-dialog">
            {move || {
                read.with(|read| match read {
                    None => view! { <p>"Reading…"</p> }.into_any(),
                    Some(Err(failure)) => {
                        view! {
                            <FailureBanner failure=failure.clone() what="The suppressions could not be read" />
                        }
                            .into_any()
                    }
                    Some(Ok(all)) if all.is_empty() => {
                        view! {
                            <Empty
                                title="Nothing is suppressed"
                                text="Suppress alerts like one of the queue from its menu; each suppression ends by itself."
                            />
                        }
                            .into_any()
                    }
                    Some(Ok(all)) => {
                        let line = |one: &SuppressionView| line(one.clone(), end, extend);
                        view! { <ul class="lines">{all.iter().map(line).collect_view()}</ul> }
                            .into_any()
                    }
                })
            }}
            <div class="dialog__actions">
                <Button label="Show suppressed alerts" on_press=show />
                <Button label="Close" kind=ButtonKind::Primary on_press=move |()| prompts.close() />
            </div>
        </Dialog>
    }
}

fn line(
    one: SuppressionView,
    end: Callback<SuppressionView>,
    extend: Callback<SuppressionView>,
) -> impl IntoView {
    let state = if one.is_expired {
        "over".to_owned()
    } else {
        let until = one.expires_at.to_string();
        format!(
            "until {}",
            until.get(..16).unwrap_or(&until).replace('T', " ")
        )
    };
    let hidden = match one.hidden_count {
        1 => "1 alert hidden".to_owned(),
        many => format!("{many} alerts hidden"),
    };
    let reason = one.reason.as_deref().map(|text| visible(text).into_owned());
    let stored = StoredValue::new(one.clone());
    view! {
        <li class="lines__line">
            <div class="lines__text">
                <strong>{visible(&one.name).into_owned()}</strong>
                <code>{visible(&one.q).into_owned()}</code>
                {reason.map(|reason| view! { <span>{reason}</span> })}
                <span class="lines__quiet">{format!("{state} · {hidden} · by {}", visible(&one.created_by))}</span>
            </div>
            <Button
                label="A week longer"
                kind=ButtonKind::Quiet
                on_press=move |()| extend.run(stored.get_value())
            />
            <Button
                label=if one.is_expired { "Remove" } else { "End now" }
                kind=ButtonKind::Quiet
                on_press=move |()| end.run(stored.get_value())
            />
        </li>
    }
}
