//! The sticky head: what it is in one line, what can be done in another.

use calseta_contract::alert::AlertSummary;
use calseta_domain::{AlertStatus, Malice};
use leptos::ev::Event;
use leptos::prelude::*;
use web_sys::HtmlSelectElement;

use super::header_menu::HeaderMenu;
use super::open_alert::OpenAlert;
use crate::components::{
    Age, Button, ButtonKind, CommandButton, CopyButton, Glyph, SeverityChip, VerdictChip,
};
use crate::state::alert_actions::AlertActions;
use crate::state::commands::Commands;
use crate::text::{clip, stamp, visible};

/// A title is cut to this many characters; the tooltip has twice as many, the payload all.
const TITLE_CHARS: usize = 240;

/// Severity, title, status, verdict, age, source, repeats, actions.
#[component]
pub(super) fn Header(open: OpenAlert) -> impl IntoView {
    let summary = open.summary();
    let commands = Commands::expect();
    view! {
        <header class="alert-head">
            <div class="alert-head__line">
                <Button
                    label="Back to the list (Esc)"
                    kind=ButtonKind::Quiet
                    glyph=Glyph::Back
                    icon_only=true
                    on_press=move |()| {
                        commands.run("queue.back");
                    }
                />
                {move || summary.get().map(heading)}
            </div>
            <div class="alert-head__line">
                {move || summary.get().map(facts)}
                <span class="alert-head__space"></span>
                <Actions open />
            </div>
        </header>
    }
}

fn heading(alert: AlertSummary) -> impl IntoView {
    let title = visible(&alert.title).into_owned();
    view! {
        <SeverityChip severity=alert.severity />
        <h1 class="alert-head__title" title=clip(&title, 2 * TITLE_CHARS)>
            {clip(&title, TITLE_CHARS)}
        </h1>
        {(alert.duplicate_count > 0)
            .then(|| {
                let times = alert.duplicate_count + 1;
                view! {
                    <span class="repeats" title=format!("Seen {times} times")>{format!("×{times}")}</span>
                }
            })}
    }
}

fn facts(alert: AlertSummary) -> impl IntoView {
    view! {
        {(alert.malice != Malice::Pending)
            .then(|| view! { <VerdictChip mark=alert.malice word=alert.malice.as_str() /> })}
        {alert
            .close_classification
            .filter(|_| alert.status == AlertStatus::Closed)
            .map(|class| view! { <span class="alert-head__fact">{class.as_str()}</span> })}
        {alert
            .snoozed_until
            .map(|until| {
                view! {
                    <span class="chip chip--warn" title=stamp(until, 0)>
                        "snoozed until "
                        {stamp(until, 0).split(" · ").next().unwrap_or_default().to_owned()}
                    </span>
                }
            })}
        {alert.is_flagged.then(|| view! { <span class="chip">"flagged"</span> })}
        {alert
            .suppressed_by
            .map(|_| view! { <span class="chip chip--warn" title="A suppression keeps it out of the queue">"suppressed"</span> })}
        {alert.disagree.then(|| view! { <span class="chip chip--warn">"agents disagree"</span> })}
        <span class="alert-head__fact"><Age at=alert.occurred_at sentence=true /></span>
        <span class="alert-head__fact mono">{visible(&alert.source_name).into_owned()}</span>
        {alert
            .source_url
            .map(|url| {
                let shown = clip(&visible(&url), 60);
                view! {
                    <span class="alert-head__fact alert-head__url" title="Where to see it in the SIEM; copy it, it is not opened from here">
                        <span class="mono">{shown}</span>
                        <CopyButton text=url what="Address" />
                    </span>
                }
            })}
    }
}

#[component]
fn Actions(open: OpenAlert) -> impl IntoView {
    let status = Memo::new({
        let summary = open.summary();
        move |_| summary.with(|summary| summary.as_ref().map(|alert| alert.status))
    });
    let is_closed = move || status.get() == Some(AlertStatus::Closed);
    view! {
        <StatusSelect open status />
        <Show
            when=is_closed
            fallback=|| {
                view! {
                    <CommandButton id="alert.acknowledge" label="Ack" />
                    <CommandButton id="alert.escalate" />
                    <CommandButton id="alert.close" kind=ButtonKind::Primary />
                }
            }
        >
            <CommandButton id="alert.reopen" kind=ButtonKind::Primary />
        </Show>
        <HeaderMenu />
    }
}

/// The status with the moves that the contract allows, and no others. The control stays the same
/// element while its words change, so that it keeps the focus.
#[component]
fn StatusSelect(open: OpenAlert, status: Memo<Option<AlertStatus>>) -> impl IntoView {
    let actions = AlertActions::expect();
    let options = move || {
        let now = status.get()?;
        let all = std::iter::once(now).chain(now.allowed_next().iter().copied());
        let option = |to: AlertStatus| {
            view! { <option value=to.as_str() prop:selected=to == now>{to.as_str()}</option> }
        };
        Some(all.map(option).collect_view())
    };
    let change = move |event: Event| {
        let wanted = event_target_value(&event).parse::<AlertStatus>();
        // The old word stays until the change is made: closing asks a question first.
        if let Some(now) = status.get_untracked() {
            event_target::<HtmlSelectElement>(&event).set_value(now.as_str());
        }
        if let (Ok(wanted), Some(id)) = (wanted, untrack(|| open.id())) {
            actions.set_status(id, wanted);
        }
    };
    view! {
        <select
            class="status-select"
            aria-label="Status"
            disabled=move || matches!(status.get(), None | Some(AlertStatus::Closed))
            on:change=change
        >
            {options}
        </select>
    }
}
