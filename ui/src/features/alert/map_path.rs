//! Making an indicator of whatever stands at a path, for all later alerts of the source.

use calseta_contract::mapping::MappingRequest;
use calseta_domain::{Indicator, IndicatorType};
use leptos::prelude::*;
use serde_json::Value;

use super::open_alert::OpenAlert;
use crate::api;
use crate::components::{Button, ButtonKind, Dialog, FailureBanner, Place, SelectField};
use crate::hooks::use_action;
use crate::state::toasts::Toasts;
use crate::text::{middle, visible};

/// Values that the preview shows.
const PREVIEWED: usize = 5;
/// A value is cut in its middle to this many characters.
const VALUE_CHARS: usize = 60;

/// Asks for the type, and shows what it would find in this alert.
#[component]
pub(super) fn MapPath(
    open: OpenAlert,
    place: Place,
    #[prop(into)] on_close: Callback<()>,
) -> impl IntoView {
    let kind = RwSignal::new(guess(&place.value).as_str().to_owned());
    let path = dotted(&place.path);
    let source = open.slice(|detail| detail.view.summary.source_name.clone());
    let action = use_action();
    let toasts = Toasts::expect();
    let options = IndicatorType::ALL
        .iter()
        .map(|kind| (kind.as_str().to_owned(), kind.as_str().replace('_', " ")))
        .collect::<Vec<_>>();
    let values = texts(&place.value);
    let preview = move || {
        let kind = kind.with(|kind| kind.parse::<IndicatorType>().ok())?;
        Some(found(kind, &values))
    };
    let request_path = path.clone();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let request = MappingRequest {
            source_name: source.get_untracked(),
            field_path: request_path.clone(),
            indicator_type: kind.get_untracked(),
            extraction_target: Some("raw_payload".to_owned()),
            is_active: None,
            description: None,
        };
        let work = async move { api::create_mapping(&request).await };
        action.start(work, move |_| {
            toasts.say("Mapped. It applies to alerts that come in from now on.");
            on_close.run(());
        });
    };
    view! {
        <Dialog title="Map this path to an indicator" on_close>
            <form class="dialog__form" on:submit=submit>
                <p class="dialog__text">
                    "Whatever stands at " <code>{visible(&path).into_owned()}</code>
                    {move || format!(" in alerts of {} becomes an indicator.", visible(&source.get().unwrap_or_default()))}
                </p>
                <SelectField
                    id="mapping-type"
                    label="Type"
                    value=kind
                    options
                    error=Signal::derive(move || action.field("indicator_type"))
                />
                <p class="section__note" role="status">{preview}</p>
                {move || {
                    action
                        .failure()
                        .map(|failure| view! { <FailureBanner failure what="The mapping was not made" /> })
                }}
                <div class="dialog__actions">
                    <Button label="Cancel" on_press=move |()| on_close.run(()) />
                    <Button
                        label="Map"
                        kind=ButtonKind::Primary
                        submit=true
                        busy=Signal::derive(move || action.busy())
                    />
                </div>
            </form>
        </Dialog>
    }
}

/// A mapping's path goes through lists by itself: positions are left out.
fn dotted(path: &[String]) -> String {
    let names = path.iter().filter(|name| name.parse::<usize>().is_err());
    names.cloned().collect::<Vec<_>>().join(".")
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).take(PREVIEWED).collect(),
        Value::Null | Value::Object(_) => Vec::new(),
        other => vec![other.to_string()],
    }
}

/// What the values are as indicators of a type, in a sentence.
fn found(kind: IndicatorType, values: &[String]) -> String {
    let canonical: Vec<String> = values
        .iter()
        .filter_map(|value| Indicator::new(kind, value))
        .map(|indicator| middle(&visible(&indicator.value), VALUE_CHARS))
        .collect();
    if canonical.is_empty() {
        return format!(
            "In this alert it would find nothing: what stands there is no {}.",
            kind.as_str()
        );
    }
    format!("In this alert it would find {}.", canonical.join(", "))
}

/// The first type that the value is.
fn guess(value: &Value) -> IndicatorType {
    let values = texts(value);
    let fits = |kind: &&IndicatorType| {
        values
            .first()
            .is_some_and(|value| Indicator::new(**kind, value).is_some())
    };
    IndicatorType::ALL
        .iter()
        .find(fits)
        .copied()
        .unwrap_or(IndicatorType::Account)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn positions_are_no_part_of_a_mapping_s_path() {
        let path = ["hosts", "0", "ip"].map(str::to_owned);
        assert_eq!(dotted(&path), "hosts.ip");
    }

    #[test]
    fn a_preview_says_what_would_be_found() {
        let values = texts(&json!(["8.8.8.8", "nothing"]));
        assert_eq!(
            found(IndicatorType::Ip, &values),
            "In this alert it would find 8.8.8.8."
        );
        assert!(found(IndicatorType::Ip, &[]).contains("nothing"));
        assert_eq!(guess(&json!("8.8.8.8")), IndicatorType::Ip);
    }
}
