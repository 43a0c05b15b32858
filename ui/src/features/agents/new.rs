//! Registering an agent: one form, then the two secrets, each shown once.

use std::collections::BTreeSet;

use calseta_contract::agent::AgentView;
use calseta_domain::Severity;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;

use super::secrets::Registered;
use crate::api::{self, AgentDraft};
use crate::components::{Button, ButtonKind, FailureBanner, Field, SelectField};
use crate::hooks::{Action, use_action, use_title};
use crate::state::places::Places;
use crate::text::visible;

/// What the form holds.
#[derive(Clone, Copy)]
struct Draft {
    name: RwSignal<String>,
    webhook_url: RwSignal<String>,
    auth_header: RwSignal<String>,
    min_severity: RwSignal<String>,
    sources: RwSignal<BTreeSet<String>>,
    tags: RwSignal<String>,
    allow_private: RwSignal<bool>,
}

impl Draft {
    fn new() -> Self {
        Self {
            name: RwSignal::default(),
            webhook_url: RwSignal::default(),
            auth_header: RwSignal::default(),
            min_severity: RwSignal::default(),
            sources: RwSignal::default(),
            tags: RwSignal::default(),
            allow_private: RwSignal::default(),
        }
    }

    fn read(self) -> AgentDraft {
        AgentDraft {
            name: self.name.get_untracked(),
            webhook_url: self.webhook_url.get_untracked(),
            auth_header: self.auth_header.get_untracked(),
            min_severity: self.min_severity.get_untracked(),
            source_names: self.sources.get_untracked().into_iter().collect(),
            tags: self.tags.get_untracked(),
            allow_private: self.allow_private.get_untracked(),
        }
    }
}

/// The form, and after it what has to be copied.
#[component]
pub(crate) fn NewAgentPage() -> impl IntoView {
    use_title(|| Some("Register an agent".to_owned()));
    let created = RwSignal::new(None::<AgentView>);
    move || match created.get() {
        Some(agent) => view! { <Registered agent /> }.into_any(),
        None => view! { <Form created /> }.into_any(),
    }
}

#[component]
fn Form(created: RwSignal<Option<AgentView>>) -> impl IntoView {
    let draft = Draft::new();
    let action = use_action();
    let places = Places::expect();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let body = draft.read();
        action.start_or(
            async move { api::create_agent(&body).await },
            move |agent| {
                draft.auth_header.set(String::new());
                created.set(Some(agent));
            },
            |_| focus_first_refused(),
        );
    };
    view! {
        <div class="page page--narrow">
            <header class="page__head">
                <h1 class="page__title">"Register an agent"</h1>
            </header>
            {move || {
                action
                    .failure()
                    .map(|failure| view! { <FailureBanner failure what="The agent was not registered" /> })
            }}
            <form class="form" on:submit=submit novalidate=true>
                <Connect draft action />
                <When draft action />
                <div class="form__actions">
                    <Button
                        label="Register"
                        kind=ButtonKind::Primary
                        submit=true
                        busy=Signal::derive(move || action.busy())
                    />
                    <Button label="Cancel" on_press=move |()| places.agents() />
                </div>
            </form>
        </div>
    }
}

/// Brings a person to what has to be mended, once the errors are painted.
fn focus_first_refused() {
    request_animation_frame(|| {
        let refused = document()
            .query_selector("[aria-invalid=true]")
            .ok()
            .flatten();
        if let Some(field) = refused.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
            // A field that takes no focus is still marked.
            let _ = field.focus();
        }
    });
}

/// Where it is.
#[component]
fn Connect(draft: Draft, action: Action) -> impl IntoView {
    let error = move |path: &'static str| Signal::derive(move || action.field(path));
    view! {
        <fieldset class="form__part">
            <legend>"Connect"</legend>
            <Field id="agent-name" label="Name" value=draft.name error=error("name") autofocus=true />
            <Field
                id="agent-url"
                label="Webhook URL"
                value=draft.webhook_url
                error=Signal::derive(move || {
                    action.field("webhook_url").or_else(|| action.field("endpoint_url"))
                })
                placeholder="http://127.0.0.1:9000/webhook"
                help="Alerts are posted here. An address on this machine is allowed when you register it."
                mono=true
            />
            <Field
                id="agent-auth"
                label="Authorization header"
                value=draft.auth_header
                error=error("auth_header")
                placeholder="Bearer …"
                help="Optional. Sent with every request, stored encrypted, never shown again."
                secret=true
            />
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=move || draft.allow_private.get()
                    on:change=move |event| draft.allow_private.set(event_target_checked(&event))
                />
                "The address is in my private network (10.…, 192.168.…), and I allow it"
            </label>
        </fieldset>
    }
}

/// Which alerts it receives.
#[component]
fn When(draft: Draft, action: Action) -> impl IntoView {
    let mut severities = vec![(String::new(), "Any severity".to_owned())];
    severities.extend(
        Severity::ALL
            .iter()
            .filter(|severity| **severity != Severity::Pending)
            .map(|severity| (severity.as_str().to_owned(), format!("{severity} and up"))),
    );
    let error = move |path: &'static str| Signal::derive(move || action.field(path));
    view! {
        <fieldset class="form__part">
            <legend>"When"</legend>
            <SelectField
                id="agent-severity"
                label="Minimum severity"
                value=draft.min_severity
                options=severities
                error=error("trigger_filter.min_severity")
            />
            <Sources draft />
            <p class="field__hint field__hint--error">{error("trigger_filter.source_names")}</p>
            <Field
                id="agent-tags"
                label="Tags"
                value=draft.tags
                error=error("trigger_filter.tags")
                placeholder="identity, vpn"
                help="Separated by commas; an alert needs one of them. Empty for any."
            />
        </fieldset>
    }
}

#[component]
fn Sources(draft: Draft) -> impl IntoView {
    let names = RwSignal::new(Vec::<String>::new());
    spawn_local(async move {
        // Without the list every source stays meant, which is the form's default anyway.
        if let Ok(rows) = api::list_sources().await {
            names.try_set(rows.into_iter().map(|row| row.source_name).collect());
        }
    });
    let toggle = move |name: String| {
        let shown = visible(&name).into_owned();
        let name = StoredValue::new(name);
        let on = move || name.with_value(|name| draft.sources.with(|set| set.contains(name)));
        let flip = move |_| {
            draft.sources.update(|set| {
                let name = name.get_value();
                if !set.remove(&name) {
                    set.insert(name);
                }
            });
        };
        view! {
            <button type="button" class="toggle" aria-pressed=move || on().to_string() on:click=flip>
                {shown}
            </button>
        }
    };
    view! {
        <div class="field">
            <span class="field__label" id="agent-sources">"Sources"</span>
            <div class="filters__group" role="group" aria-labelledby="agent-sources">
                {move || names.get().into_iter().map(toggle).collect_view()}
            </div>
            <p class="field__hint">"None chosen means every source."</p>
        </div>
    }
}
