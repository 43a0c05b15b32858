//! An alert, its indicators around it, and outside the alerts that share them.

use std::f64::consts::{PI, TAU};

use super::axis::{Anchor, LABEL_SIZE, label, rule, width_of};
use super::{Chart, Element, ElementName, Frame, Tone, float};

/// The most nodes, the alert in the middle included.
pub const MAX_NODES: usize = 60;
/// The most indicators of them.
pub const MAX_RELATED_INDICATORS: usize = 20;

/// What is drawn. Whoever puts it together sorts by weight: the first ones are kept.
#[derive(Debug, Clone, Copy)]
pub struct Graph<'a> {
    /// The alert in the middle.
    pub alert: &'a str,
    /// Its indicators.
    pub indicators: &'a [GraphIndicator<'a>],
    /// Alerts that share some of them.
    pub related: &'a [GraphAlert<'a>],
}

/// An indicator of the alert.
#[derive(Debug, Clone, Copy)]
pub struct GraphIndicator<'a> {
    /// Written into `data-node`, so that the window knows what was clicked.
    pub key: &'a str,
    /// Its value.
    pub label: &'a str,
    /// By its verdict.
    pub tone: Tone,
}

/// A related alert.
#[derive(Debug, Clone, Copy)]
pub struct GraphAlert<'a> {
    /// Written into `data-node`.
    pub key: &'a str,
    /// Its title.
    pub label: &'a str,
    /// By its severity.
    pub tone: Tone,
    /// Places in `indicators` of what it shares; others are ignored.
    pub shares: &'a [usize],
}

/// Half of a node's size, in user units.
const NODE: f64 = 8.0;
/// The room that a label needs to be worth drawing, in user units.
const MIN_LABEL: f64 = 40.0;
/// How far out the indicators are, as a part of the way.
const INNER: f64 = 0.5;

/// Draws a graph. The same input is always laid out in the same way: indicators evenly around the
/// alert in their order, related alerts further out, each near what it shares.
pub fn relation_graph(frame: &Frame<'_>, graph: &Graph<'_>) -> Chart {
    let indicators = &graph.indicators[..graph.indicators.len().min(MAX_RELATED_INDICATORS)];
    let room = MAX_NODES - 1 - indicators.len();
    let related = &graph.related[..graph.related.len().min(room)];
    let layout = Layout::new(frame);
    let inner: Vec<_> = (0..indicators.len())
        .map(|n| angle_of(float(n), indicators.len()))
        .collect();
    let outer = outer_angles(related, &inner);
    let mut lines = Vec::new();
    let mut nodes = Vec::new();
    for (indicator, angle) in indicators.iter().zip(&inner) {
        let place = layout.at(*angle, INNER);
        lines.push(rule(frame, layout.middle, place, Tone::Grid));
        let mark = Element::new(ElementName::Circle)
            .at("cx", place.0)
            .at("cy", place.1)
            .at("r", layout.node)
            .toned(frame.theme, indicator.tone);
        let crowd = (indicators.len(), INNER);
        nodes.push(layout.node(frame, mark, indicator.key, indicator.label, place, crowd));
    }
    for (alert, angle) in related.iter().zip(&outer) {
        let place = layout.at(*angle, 1.0);
        let ends = alert.shares.iter().filter_map(|n| inner.get(*n));
        lines.extend(ends.map(|inner| rule(frame, layout.at(*inner, INNER), place, Tone::Grid)));
        let mark = layout.square(frame, place, alert.tone);
        nodes.push(layout.node(
            frame,
            mark,
            alert.key,
            alert.label,
            place,
            (related.len(), 1.0),
        ));
    }
    let mark = layout.square(frame, layout.middle, Tone::Accent);
    nodes.push(layout.node(frame, mark, "", graph.alert, layout.middle, (1, INNER)));
    lines.extend(nodes);
    let rows = related.iter().map(|alert| {
        let shared = alert.shares.iter().filter_map(|n| indicators.get(*n));
        let shared: Vec<_> = shared.map(|indicator| indicator.label).collect();
        vec![alert.label.to_owned(), shared.join(", ")]
    });
    let unshared = indicators
        .iter()
        .enumerate()
        .filter(|(n, _)| !related.iter().any(|alert| alert.shares.contains(n)));
    let unshared = unshared.map(|(_, one)| vec![String::new(), one.label.to_owned()]);
    let columns = vec!["Related alert".to_owned(), "Shares".to_owned()];
    let table = frame.table(columns, rows.chain(unshared).collect());
    let left_out = graph.indicators.len() + graph.related.len() - indicators.len() - related.len();
    let more = match left_out {
        0 => String::new(),
        n => format!(" {n} more are left out."),
    };
    let described = format!(
        "The alert with {} indicators and {} related alerts.{more}",
        indicators.len(),
        related.len()
    );
    frame.chart(&described, lines, table)
}

/// Evenly around, from the top, clockwise.
fn angle_of(n: f64, count: usize) -> f64 {
    TAU * n / float(count.max(1)) - PI / 2.0
}

/// Evenly around in the order of what they share, so that few lines cross.
fn outer_angles(related: &[GraphAlert<'_>], inner: &[f64]) -> Vec<f64> {
    let pull = |alert: &GraphAlert<'_>| {
        let shared = alert.shares.iter().filter_map(|n| inner.get(*n));
        let sum = shared.fold((0.0, 0.0), |(x, y), angle| {
            (x + angle.cos(), y + angle.sin())
        });
        // As an angle from the top, 0 to a whole turn.
        (f64::atan2(sum.1, sum.0) + PI / 2.0).rem_euclid(TAU)
    };
    let pulls: Vec<f64> = related.iter().map(pull).collect();
    let mut order: Vec<usize> = (0..related.len()).collect();
    order.sort_by(|a, b| pulls[*a].total_cmp(&pulls[*b]).then(a.cmp(b)));
    // Turned as a whole so that the first one points where it is pulled to.
    let turn = order.first().map_or(0.0, |first| pulls[*first]);
    let mut angles = vec![0.0; related.len()];
    for (place, n) in order.into_iter().enumerate() {
        angles[n] = angle_of(float(place), related.len()) + turn;
    }
    angles
}

struct Layout {
    size: (f64, f64),
    middle: (f64, f64),
    radius: (f64, f64),
    node: f64,
}

impl Layout {
    fn new(frame: &Frame<'_>) -> Self {
        let (width, height) = frame.size();
        let node = NODE.min(width / 8.0).min(height / 8.0);
        // Below the outermost node is room for its label.
        let edge = node + LABEL_SIZE.min(height / 8.0) + 4.0_f64.min(height / 16.0);
        Self {
            size: (width, height),
            middle: (width / 2.0, height / 2.0),
            radius: (
                (width / 2.0 - edge).max(0.0),
                (height / 2.0 - edge).max(0.0),
            ),
            node,
        }
    }

    fn at(&self, angle: f64, part: f64) -> (f64, f64) {
        (
            self.middle.0 + self.radius.0 * part * angle.cos(),
            self.middle.1 + self.radius.1 * part * angle.sin(),
        )
    }

    fn square(&self, frame: &Frame<'_>, (x, y): (f64, f64), tone: Tone) -> Element {
        Element::new(ElementName::Rect)
            .at("x", x - self.node)
            .at("y", y - self.node)
            .at("width", self.node * 2.0)
            .at("height", self.node * 2.0)
            .at("rx", 2.0)
            .toned(frame.theme, tone)
    }

    /// A node with its title, and its label where the crowd leaves room for one.
    fn node(
        &self,
        frame: &Frame<'_>,
        mark: Element,
        key: &str,
        text: &str,
        (x, y): (f64, f64),
        (crowd, part): (usize, f64),
    ) -> Element {
        let around = TAU * part * self.radius.0.min(self.radius.1) / float(crowd.max(1));
        let to_edge = 2.0 * x.min(self.size.0 - x);
        let room = around.min(to_edge).min(width_of(text).max(MIN_LABEL));
        let baseline = y + self.node + LABEL_SIZE;
        let group = Element::new(ElementName::Group)
            .with("class", "chart__node")
            .with("data-node", key)
            .worded(ElementName::Title, text)
            .containing(mark);
        if room < MIN_LABEL || baseline > self.size.1 {
            return group;
        }
        match label(frame, (x, baseline), Anchor::Middle, room, text) {
            Some(label) => group.containing(label),
            None => group,
        }
    }
}
