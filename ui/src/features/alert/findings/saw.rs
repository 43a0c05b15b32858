//! What an agent was sent when it concluded what it did: the stored bytes of that delivery.

use calseta_domain::{DeliveryId, Timestamp};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;

use super::super::open_alert::OpenAlert;
use crate::api::{self, Failure};
use crate::components::{
    Button, ButtonKind, CopyButton, Dialog, FailureBanner, JsonView, Notice, Skeleton,
};

/// The button, and what it opens.
#[component]
pub(super) fn WhatItSaw(
    open: OpenAlert,
    delivery: DeliveryId,
    posted_at: Timestamp,
) -> impl IntoView {
    let shown = RwSignal::new(false);
    let enriched_at = open.slice(|detail| detail.view.enriched_at);
    // What came in after the agent had answered, it cannot have known.
    let is_older = move || enriched_at.get().flatten().is_some_and(|at| at > posted_at);
    view! {
        <Button label="What it saw" kind=ButtonKind::Quiet on_press=move |()| shown.set(true) />
        <Show when=move || shown.get()>
            <Body delivery is_older=is_older() on_close=move |()| shown.set(false) />
        </Show>
    }
}

#[component]
fn Body(
    delivery: DeliveryId,
    is_older: bool,
    #[prop(into)] on_close: Callback<()>,
) -> impl IntoView {
    let read = RwSignal::new(None::<Result<String, Failure>>);
    spawn_local(async move {
        let body = api::delivery_body(delivery).await;
        read.try_set(Some(body));
    });
    view! {
        <Dialog title="What the agent was sent" class="dialog--wide" on_close>
            {is_older
                .then(|| {
                    view! { <Notice warn=true text="Enrichment ended after the agent had answered: it did not know what is shown on this page now." /> }
                })}
            {move || match read.get() {
                None => view! { <Skeleton lines=6 /> }.into_any(),
                Some(Err(failure)) => {
                    view! { <FailureBanner failure what="The delivery could not be read" /> }.into_any()
                }
                Some(Ok(text)) => sent(text).into_any(),
            }}
            <div class="dialog__actions">
                <Button label="Close" on_press=move |()| on_close.run(()) />
            </div>
        </Dialog>
    }
}

fn sent(text: String) -> impl IntoView {
    let value = serde_json::from_str::<Value>(&text).unwrap_or(Value::String(text.clone()));
    view! {
        <div class="raw__bar">
            <span class="section__note">{format!("{} bytes, exactly as sent", text.len())}</span>
            <CopyButton text=text what="Payload" worded=true />
        </div>
        <div class="dialog__scroll" tabindex="0">
            <JsonView value />
        </div>
    }
}
