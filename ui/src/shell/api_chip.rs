//! Where the API listens, who called it last, and how to call it. A key is never shown here.

use calseta_contract::api_key::ApiKeyView;
use calseta_domain::Timestamp;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api;
use crate::components::{CopyButton, Popover};
use crate::state::clock::Clock;
use crate::state::session::Session;
use crate::text::{clip, visible};

/// A key's name is cut to this many characters.
const NAME_CHARS: usize = 40;
/// Callers that are named.
const MAX_CALLERS: usize = 3;

/// The chip in the top bar and what it opens.
#[component]
pub(super) fn ApiChip() -> impl IntoView {
    let base_url = Session::expect().base_url();
    let is_open = RwSignal::new(false);
    let shown = without_scheme(&base_url);
    let url = StoredValue::new(base_url);
    view! {
        <div class="menu">
            <button
                type="button"
                class="button button--quiet chip--api"
                aria-haspopup="dialog"
                aria-expanded=move || is_open.get().to_string()
                title="The API listens here, for sources and agents on this machine"
                on:click=move |_| is_open.update(|open| *open = !*open)
            >
                <span class="chip__label">"API"</span>
                <code>{shown}</code>
            </button>
            <Show when=move || is_open.get()>
                <Popover label="The API" at_end=true on_close=move |()| is_open.set(false)>
                    <div class="snippets">
                        <Callers />
                        {url.with_value(|url| snippets(url))
                            .into_iter()
                            .map(snippet)
                            .collect_view()}
                    </div>
                </Popover>
            </Show>
        </div>
    }
}

/// How many keys there are and which called last.
#[component]
fn Callers() -> impl IntoView {
    let clock = Clock::expect();
    let keys = RwSignal::new(None::<Vec<ApiKeyView>>);
    spawn_local(async move {
        // Without the keys the address is still right.
        let read = api::list_keys().await.ok();
        keys.try_set(read);
    });
    let said = move || keys.with(|keys| keys.as_ref().map(|keys| callers(keys, clock.now())));
    view! { <p class="snippets__who" role="status">{said}</p> }
}

/// `3 keys are in use. Called today: soc-bot (cai_1a2b3c4d…), siem (cai_5e6f7a8b…).` The backend
/// notes the day of a key's last call, not the moment.
fn callers(keys: &[ApiKeyView], now_ms: i64) -> String {
    let active = keys.iter().filter(|key| key.is_active).count();
    let count = match active {
        0 => "No key is in use.".to_owned(),
        1 => "1 key is in use.".to_owned(),
        many => format!("{many} keys are in use."),
    };
    let Some(last) = keys.iter().filter_map(|key| key.last_used_at).max() else {
        return format!("{count} Nobody has called yet.");
    };
    let names: Vec<String> = keys
        .iter()
        .filter(|key| key.last_used_at.is_some_and(|at| day(at) == day(last)))
        .take(MAX_CALLERS)
        .map(|key| {
            let name = clip(&visible(&key.name), NAME_CHARS);
            format!("{name} ({}…)", visible(&key.key_prefix))
        })
        .collect();
    let when = if day(last) == day(Timestamp::from_millis(now_ms)) {
        "today".to_owned()
    } else {
        format!("last on {}", day(last))
    };
    format!("{count} Called {when}: {}.", names.join(", "))
}

/// `2026-11-24`, in UTC.
fn day(at: Timestamp) -> String {
    at.to_string()
        .split('T')
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn snippet((what, text): (&'static str, String)) -> impl IntoView {
    view! {
        <section class="snippets__one">
            <h3 class="snippets__title">{what}</h3>
            <pre class="snippet__text mono" tabindex="0">{text.clone()}</pre>
            <CopyButton text what worded=true />
        </section>
    }
}

/// The address, and how to post an alert to it; the key is the reader's own.
fn snippets(base_url: &str) -> Vec<(&'static str, String)> {
    let curl = format!(
        "curl -sX POST {base_url}/v1/alerts \\\n  -H \"Authorization: Bearer $CALSETA_KEY\" \\\n  \
         -H \"Content-Type: application/json\" \\\n  \
         -d '{{\"source_name\":\"generic\",\"payload\":{{\"title\":\"Test\",\"severity\":\"High\"}}}}'"
    );
    let python = format!(
        "import os, requests\nrequests.post(\n    \"{base_url}/v1/alerts\",\n    \
         headers={{\"Authorization\": f\"Bearer {{os.environ['CALSETA_KEY']}}\"}},\n    \
         json={{\"source_name\": \"generic\", \"payload\": {{\"title\": \"Test\", \"severity\": \"High\"}}}},\n)"
    );
    vec![
        ("Address", base_url.to_owned()),
        ("Command", curl),
        ("Python", python),
    ]
}

fn without_scheme(url: &str) -> String {
    url.split_once("://")
        .map_or(url, |(_, rest)| rest)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, used_at: Option<i64>) -> ApiKeyView {
        let json = serde_json::json!({
            "uuid": "018f2f6e-0000-7000-8000-000000000001", "name": name, "key_prefix": "cai_1a2b3c4d",
            "scopes": [], "key_type": "human", "is_active": true,
            "created_at": "2025-01-15T10:28:00Z", "expires_at": null,
            "last_used_at": used_at.map(|at| Timestamp::from_millis(at).to_string()),
            "allowed_sources": null, "agent_uuid": null,
        });
        serde_json::from_value(json).expect("a key")
    }

    #[test]
    fn the_last_caller_is_named_and_its_key_is_not() {
        let day_ms = 86_400_000;
        let keys = [
            key("old", Some(0)),
            key("soc-bot", Some(day_ms)),
            key("new", None),
        ];
        assert_eq!(
            callers(&keys, day_ms + 64_000),
            "3 keys are in use. Called today: soc-bot (cai_1a2b3c4d…)."
        );
        assert_eq!(
            callers(&keys[..1], day_ms),
            "1 key is in use. Called last on 1970-01-01: old (cai_1a2b3c4d…)."
        );
        assert_eq!(callers(&[], 0), "No key is in use. Nobody has called yet.");
    }

    #[test]
    fn the_snippets_name_the_real_address_and_valid_json() {
        let all = snippets("http://localhost:8003");
        assert!(
            all.iter()
                .all(|(_, text)| text.contains("http://localhost:8003"))
        );
        let body = all[1].1.split('\'').nth(1).expect("a quoted body");
        serde_json::from_str::<serde_json::Value>(body).expect("the body is JSON");
    }
}
