//! What is related, as a picture: folded, because the list beside it says the same better.

use std::collections::HashMap;

use calseta_contract::related::RelatedView;
use calseta_domain::chart::{
    Chart, Frame, Graph, GraphAlert, GraphIndicator, Theme, Tone, relation_graph,
};
use calseta_domain::{AlertId, IndicatorId, IndicatorType, Malice, Severity};
use leptos::prelude::*;

use super::open_alert::OpenAlert;
use crate::components::ChartView;
use crate::state::places::Places;
use crate::text::{clip, visible};

/// In CSS pixels at its widest.
const WIDTH: f64 = 760.0;
/// In CSS pixels at its widest.
const HEIGHT: f64 = 420.0;
/// A node's label is cut to this many characters.
const LABEL_CHARS: usize = 48;

/// An indicator as it is drawn.
#[derive(Debug, Clone, PartialEq)]
struct Node {
    uuid: IndicatorId,
    kind: IndicatorType,
    value: String,
    malice: Malice,
}

/// The graph; drawn when somebody unfolds it.
#[component]
pub(super) fn RelationGraph(open: OpenAlert, related: Memo<Option<RelatedView>>) -> impl IntoView {
    let unfolded = RwSignal::new(false);
    let nodes = open.slice(|detail| {
        let indicators = detail.view.indicators.iter();
        let node = indicators.map(|one| Node {
            uuid: one.uuid,
            kind: one.kind,
            value: one.value.clone(),
            malice: one.malice,
        });
        (
            detail.view.summary.title.clone(),
            node.collect::<Vec<Node>>(),
        )
    });
    let chart = Memo::new(move |_| {
        let (title, nodes) = nodes.get()?;
        related.with(|related| Some(drawn(&title, &nodes, related.as_ref()?)))
    });
    let places = Places::expect();
    let pick = move |key: String| {
        if let Some(alert) = key
            .strip_prefix("alert-")
            .and_then(|id| id.parse::<AlertId>().ok())
        {
            places.alert(alert);
        } else if let Some(element) = document().get_element_by_id(&key) {
            element.scroll_into_view();
        }
    };
    view! {
        <details
            class="related__graph"
            on:toggle=move |event| unfolded.set(event_target::<web_sys::HtmlDetailsElement>(&event).open())
        >
            <summary>"Show as a graph"</summary>
            {move || {
                let chart = unfolded.get().then(|| chart.get()).flatten();
                chart.map(|chart| view! { <ChartView chart=Signal::stored(chart) on_pick=pick /> })
            }}
        </details>
    }
}

fn drawn(title: &str, nodes: &[Node], related: &RelatedView) -> Chart {
    let title = clip(&visible(title), LABEL_CHARS);
    let label = |text: &str| clip(&visible(text), LABEL_CHARS);
    let inner: Vec<(String, String, Tone)> = nodes
        .iter()
        .map(|node| {
            (
                format!("indicator-{}", node.uuid),
                label(&node.value),
                of_malice(node.malice),
            )
        })
        .collect();
    let place: HashMap<(IndicatorType, &str), usize> = nodes
        .iter()
        .enumerate()
        .map(|(index, node)| ((node.kind, node.value.as_str()), index))
        .collect();
    let outer: Vec<(String, String, Tone, Vec<usize>)> = related
        .related
        .iter()
        .map(|one| {
            let shared = one.shared.iter();
            let shares = shared.filter_map(|s| place.get(&(s.kind, s.value.as_str())).copied());
            let alert = &one.alert;
            let key = format!("alert-{}", alert.uuid);
            (
                key,
                label(&alert.title),
                of_severity(alert.severity),
                shares.collect(),
            )
        })
        .collect();
    let indicators: Vec<GraphIndicator<'_>> = inner
        .iter()
        .map(|(key, label, tone)| GraphIndicator {
            key,
            label,
            tone: *tone,
        })
        .collect();
    let alerts: Vec<GraphAlert<'_>> = outer
        .iter()
        .map(|(key, label, tone, shares)| GraphAlert {
            key,
            label,
            tone: *tone,
            shares,
        })
        .collect();
    let frame = Frame {
        title: "Related alerts by what they share",
        width: WIDTH,
        height: HEIGHT,
        theme: Theme::Tokens,
    };
    let graph = Graph {
        alert: &title,
        indicators: &indicators,
        related: &alerts,
    };
    relation_graph(&frame, &graph)
}

const fn of_malice(malice: Malice) -> Tone {
    match malice {
        Malice::Malicious => Tone::Malicious,
        Malice::Suspicious => Tone::Suspicious,
        Malice::Benign => Tone::Benign,
        Malice::Pending => Tone::Unknown,
    }
}

const fn of_severity(severity: Severity) -> Tone {
    match severity {
        Severity::Critical => Tone::Critical,
        Severity::High => Tone::High,
        Severity::Medium => Tone::Medium,
        Severity::Low => Tone::Low,
        Severity::Informational => Tone::Informational,
        Severity::Pending => Tone::Unknown,
    }
}
