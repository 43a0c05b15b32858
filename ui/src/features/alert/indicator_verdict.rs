//! The analyst's word on an indicator, over the providers'.

use calseta_contract::Patch;
use calseta_contract::alert::IndicatorView;
use calseta_domain::Malice;
use leptos::prelude::*;

use crate::api;
use crate::components::{Button, ButtonKind, Dialog, FailureBanner, SelectField};
use crate::hooks::use_action;
use crate::text::{clip, visible};

/// Goes back to what the providers say.
const PROVIDERS: &str = "providers";
/// A value is cut to this many characters.
const VALUE_CHARS: usize = 80;

/// Asks for the verdict; it holds in every alert that has the indicator.
#[component]
pub(super) fn Override(
    indicator: Memo<Option<IndicatorView>>,
    #[prop(into)] on_done: Callback<bool>,
) -> impl IntoView {
    let Some(before) = indicator.get_untracked() else {
        return ().into_any();
    };
    let now = before.malice_override.map_or(PROVIDERS, Malice::as_str);
    let choice = RwSignal::new(now.to_owned());
    let action = use_action();
    let options = [
        (PROVIDERS, "What the providers say"),
        ("Malicious", "Malicious"),
        ("Suspicious", "Suspicious"),
        ("Benign", "Benign"),
    ];
    let options = options.map(|(value, word)| (value.to_owned(), word.to_owned()));
    let others = before.alert_count.saturating_sub(1);
    let help = match others {
        0 => "No other alert has it.".to_owned(),
        1 => "It changes one other alert, too.".to_owned(),
        others => format!("It changes {others} other alerts, too."),
    };
    let id = before.uuid;
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let malice = match choice.get_untracked() {
            word if word == PROVIDERS => Patch::Clear,
            word => Patch::Set(word),
        };
        let work = async move { api::set_indicator_malice(id, malice).await };
        action.start(work, move |_| on_done.run(true));
    };
    view! {
        <Dialog title="Verdict of the indicator" on_close=move |()| on_done.run(false)>
            <form class="dialog__form" on:submit=submit>
                <p class="dialog__text mono">{clip(&visible(&before.value), VALUE_CHARS)}</p>
                <SelectField
                    id="indicator-verdict"
                    label="Verdict"
                    value=choice
                    options=options.to_vec()
                    help
                    error=Signal::derive(move || action.field("malice"))
                />
                {move || {
                    action
                        .failure()
                        .map(|failure| view! { <FailureBanner failure what="The verdict was not set" /> })
                }}
                <div class="dialog__actions">
                    <Button label="Cancel" on_press=move |()| on_done.run(false) />
                    <Button
                        label="Set verdict"
                        kind=ButtonKind::Primary
                        submit=true
                        busy=Signal::derive(move || action.busy())
                    />
                </div>
            </form>
        </Dialog>
    }
    .into_any()
}
