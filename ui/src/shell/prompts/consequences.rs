//! What an answer would lead to, asked of the backend before it is given.

use calseta_contract::change::BulkView;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::Failure;
use crate::state::alert_action::AlertAction;
use crate::state::alert_actions::AlertActions;
use crate::state::prompts::Asked;
use crate::text::visible;

/// Sentences that are shown.
const MAX_SENTENCES: usize = 5;

/// What `action` would do to the alerts that are asked about; nothing while no action is chosen.
#[component]
pub(super) fn Consequences(
    asked: Asked,
    #[prop(into)] action: Signal<Option<AlertAction>>,
    /// Whether one alert is worth the question too.
    #[prop(optional)]
    of_one: bool,
) -> impl IntoView {
    let known = RwSignal::new(None::<Result<BulkView, Failure>>);
    let generation = StoredValue::new(0_u64);
    let select = StoredValue::new(asked.select);
    let is_worth_it = of_one || asked.count != 1;
    Effect::new(move |_| {
        let action = action.get();
        let now = generation.get_value() + 1;
        generation.set_value(now);
        known.set(None);
        let Some(action) = action.filter(|_| is_worth_it) else {
            return;
        };
        spawn_local(async move {
            let outcome = AlertActions::consequences(select.get_value(), &action).await;
            if generation.try_get_value() == Some(now) {
                known.try_set(outcome.transpose());
            }
        });
    });
    view! {
        <div class="consequences" role="status">
            {move || known.with(|known| known.as_ref().map(said))}
        </div>
    }
}

fn said(outcome: &Result<BulkView, Failure>) -> AnyView {
    match outcome {
        Err(failure) => {
            let message = failure.message.clone();
            view! { <p class="consequences__failed">{message}</p> }.into_any()
        }
        Ok(view) => {
            let mut lines = vec![match view.changed {
                1 => "1 alert changes.".to_owned(),
                many => format!("{many} alerts change."),
            }];
            if view.skipped_count > 0 {
                let reason = view.skipped.first().map_or("", |one| one.reason.as_str());
                lines.push(format!("{} are left alone: {reason}.", view.skipped_count));
            }
            if !view.consequences.is_empty() {
                // The backend's own sentences say how many, and more.
                lines.remove(0);
            }
            lines.extend(
                view.consequences
                    .iter()
                    .take(MAX_SENTENCES)
                    .map(|text| visible(text).into_owned()),
            );
            let line = |text: String| view! { <li>{text}</li> };
            view! { <ul class="consequences__list">{lines.into_iter().map(line).collect_view()}</ul> }
                .into_any()
        }
    }
}
