//! Every component in every state on one page, for those who change them: `/__gallery`, in
//! development builds only.

use calseta_contract::alert::FindingSummary;
use calseta_domain::{AlertStatus, Malice, Severity};
use leptos::prelude::*;

use crate::api::Failure;
use crate::components::{
    AgentChip, Button, ButtonKind, CommandButton, CopyButton, Empty, FailureBanner, Field, Glyph,
    Icon, Indicator, Keys, Notice, SelectField, SeverityChip, Skeleton, StatusChip, Switch,
    VerdictChip,
};
use crate::state::preferences::{Density, Preferences};
use crate::state::theme::{Choice, Theme};
use crate::state::toasts::Toasts;

/// The page.
#[component]
pub(crate) fn GalleryPage() -> impl IntoView {
    view! {
        <div class="gallery">
            <h1>"Components"</h1>
            <Looks />
            <Buttons />
            <Marks />
            <Fields />
            <Messages />
        </div>
    }
}

/// A part with its name.
#[component]
fn Part(title: &'static str, children: Children) -> impl IntoView {
    view! {
        <section class="gallery__part">
            <h2>{title}</h2>
            <div class="gallery__row">{children()}</div>
        </section>
    }
}

#[component]
fn Looks() -> impl IntoView {
    let (theme, preferences) = (Theme::expect(), Preferences::expect());
    let wear = move |choice: Choice| {
        view! { <Button label=choice.title() on_press=move |()| theme.choose(choice) /> }
    };
    let sit = move |density: Density| {
        let choose = move |()| preferences.change(|choices| choices.density = density);
        view! { <Button label=density.title() on_press=choose /> }
    };
    view! {
        <Part title="Themes and densities">
            {Choice::ALL.into_iter().map(wear).collect_view()}
            {Density::ALL.into_iter().map(sit).collect_view()}
        </Part>
    }
}

#[component]
fn Buttons() -> impl IntoView {
    view! {
        <Part title="Buttons">
            <Button label="Plain" />
            <Button label="Primary" kind=ButtonKind::Primary />
            <Button label="Danger" kind=ButtonKind::Danger />
            <Button label="Quiet" kind=ButtonKind::Quiet />
            <Button label="With an icon" glyph=Glyph::Send />
            <Button label="Only an icon" glyph=Glyph::Refresh icon_only=true />
            <Button label="Busy" busy=Signal::derive(|| true) />
            <Button label="Disabled" disabled=Signal::derive(|| true) />
            <CommandButton id="window.palette" />
            <CopyButton text="copied" what="Value" worded=true />
            <Keys sequence="g q" />
            <Keys sequence="Ctrl+Shift+ArrowLeft" />
        </Part>
    }
}

#[component]
fn Marks() -> impl IntoView {
    let severity = |severity: &Severity| view! { <SeverityChip severity=*severity /> };
    let verdict = |malice: &Malice| view! { <VerdictChip mark=*malice word=malice.as_str() /> };
    let status = |status: &AlertStatus| view! { <StatusChip status=*status /> };
    let agent = |verdict: Option<&str>| FindingSummary {
        agent: "triage-bot".to_owned(),
        verdict: verdict.map(str::to_owned),
    };
    view! {
        <Part title="Severity">{Severity::ALL.iter().map(severity).collect_view()}</Part>
        <Part title="Verdict">{Malice::ALL.iter().map(verdict).collect_view()}</Part>
        <Part title="Status">{AlertStatus::ALL.iter().map(status).collect_view()}</Part>
        <Part title="Agents">
            <AgentChip finding=agent(Some("malicious")) />
            <AgentChip finding=agent(Some("suspicious")) />
            <AgentChip finding=agent(Some("benign")) />
            <AgentChip finding=agent(None) />
        </Part>
        <Part title="Indicators">
            <Indicator value="185.220.101.47" />
            <Indicator value="https://evil.example/a.exe" />
            <Indicator value="invoice\u{202e}gpj.exe" />
        </Part>
        <Part title="Icons">
            <Icon glyph=Glyph::Queue /><Icon glyph=Glyph::Agent /><Icon glyph=Glyph::Flag />
            <Icon glyph=Glyph::Snooze /><Icon glyph=Glyph::Note /><Icon glyph=Glyph::Hourglass />
            <Icon glyph=Glyph::Facets /><Icon glyph=Glyph::Display /><Icon glyph=Glyph::View />
        </Part>
    }
}

#[component]
fn Fields() -> impl IntoView {
    let (text, wrong) = (
        RwSignal::new("A value".to_owned()),
        RwSignal::new("not an address".to_owned()),
    );
    let chosen = RwSignal::new("high".to_owned());
    let on = RwSignal::new(true);
    let options = vec![
        ("low".to_owned(), "Low".to_owned()),
        ("high".to_owned(), "High".to_owned()),
    ];
    view! {
        <Part title="Fields">
            <Field id="gallery-text" label="Text" value=text help="What to type" />
            <Field
                id="gallery-wrong"
                label="Refused"
                value=wrong
                error=Signal::derive(|| Some("This is no address.".to_owned()))
            />
            <SelectField id="gallery-select" label="One of a few" value=chosen options />
            <Switch label="A switch" on on_change=move |wanted| on.set(wanted) />
        </Part>
    }
}

#[component]
fn Messages() -> impl IntoView {
    let toasts = Toasts::expect();
    let failure = || Failure::unreachable("GET /v1/alerts", "an example");
    view! {
        <Part title="Messages">
            <Notice text="Something a person should know." />
            <Notice text="Something a person should act on." warn=true />
            <FailureBanner failure=failure() what="An example could not be read" />
            <Empty title="Nothing here" text="Why, and what to do about it." />
            <Skeleton lines=4 />
            <Button label="A toast" on_press=move |()| toasts.say("It worked") />
            <Button
                label="A toast to undo"
                on_press=move |()| toasts.offer("Closed 37 alerts", None, "change.undo", "Undo")
            />
            <Button label="A failed toast" on_press=move |()| toasts.fail("It was not done", &failure()) />
        </Part>
    }
}
