//! Values over time.

use super::axis::{Anchor, GAP, LABEL_SIZE, ceiling, label, rule, width_of};
use super::bars::ends;
use super::svg::number;
use super::{Chart, Element, ElementName, Frame, MAX_SERIES, MAX_VALUES, Tone, float, spoken};

/// One line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Series<'a> {
    /// What it is of.
    pub label: &'a str,
    /// One value a step; where there is none, the line has a gap.
    pub values: &'a [Option<f64>],
    /// Its colour.
    pub tone: Tone,
}

/// The thickness of a line, in user units.
const STROKE: f64 = 1.5;
/// The radius of a point, in user units.
const DOT: f64 = 2.0;

/// A line as small as a word, without axes; the last value has a dot.
pub fn sparkline(frame: &Frame<'_>, values: &[f64], tone: Tone) -> Chart {
    let values = &values[values.len().saturating_sub(MAX_VALUES)..];
    let values: Vec<Option<f64>> = values.iter().map(|v| v.is_finite().then_some(*v)).collect();
    let (width, height) = frame.size();
    let known = || values.iter().flatten().copied();
    let (least, most) = (known().fold(0.0, f64::min), known().fold(0.0, f64::max));
    let area = Area {
        left: DOT,
        top: DOT,
        right: width - DOT,
        bottom: height - DOT,
        least,
        most,
        steps: values.len(),
    };
    let mut drawn = area.line(frame, &values, tone);
    let last = values
        .iter()
        .enumerate()
        .rev()
        .find_map(|(n, value)| Some((n, (*value)?)));
    if let Some((n, value)) = last {
        let (x, y) = area.place(n, value);
        drawn.push(dot(frame, (x, y), DOT, tone));
    }
    let rows = values.iter().enumerate();
    let rows = rows.map(|(n, value)| vec![(n + 1).to_string(), cell(*value)]);
    let table = frame.table(vec!["Step".to_owned(), "Value".to_owned()], rows.collect());
    let described = match last {
        Some((_, value)) => format!(
            "{} values from {} to {}; the last is {}.",
            values.len(),
            spoken(known().fold(f64::INFINITY, f64::min)),
            spoken(known().fold(f64::NEG_INFINITY, f64::max)),
            spoken(value)
        ),
        None => "No values.".to_owned(),
    };
    frame.chart(&described, drawn, table)
}

/// Lines over an axis; `labels` name the steps.
pub fn lines(frame: &Frame<'_>, labels: &[&str], series: &[Series<'_>]) -> Chart {
    let labels = &labels[labels.len().saturating_sub(MAX_VALUES)..];
    let series = &series[..series.len().min(MAX_SERIES)];
    let finite = |value: &Option<f64>| value.filter(|value| value.is_finite());
    let shown: Vec<Vec<Option<f64>>> = series
        .iter()
        .map(|one| {
            let skipped = one.values.len().saturating_sub(labels.len());
            let mut values: Vec<_> = one.values[skipped..].iter().map(finite).collect();
            values.resize(labels.len(), None);
            values
        })
        .collect();
    let all = || shown.iter().flatten().flatten().copied();
    let (least, most) = (
        all().fold(0.0, f64::min),
        ceiling(all().fold(0.0, f64::max)),
    );
    let (width, height) = frame.size();
    let names = [spoken(most), spoken(least)];
    let left = names.iter().map(|name| width_of(name)).fold(0.0, f64::max) + GAP;
    let area = Area {
        left: left.min(width / 2.0),
        top: LABEL_SIZE.min(height / 2.0),
        right: width - DOT,
        bottom: (height - LABEL_SIZE - GAP).max(height / 2.0),
        least,
        most,
        steps: labels.len(),
    };
    let at = |y| ((area.left, y), (width, y));
    let mut drawn = Vec::new();
    for (y, name) in [(area.top, &names[0]), (area.bottom, &names[1])] {
        let (from, to) = at(y);
        drawn.push(rule(frame, from, to, Tone::Grid));
        let place = (area.left - GAP, y.max(LABEL_SIZE));
        drawn.extend(label(frame, place, Anchor::End, area.left - GAP, name));
    }
    for (one, values) in series.iter().zip(&shown) {
        drawn.extend(
            area.line(frame, values, one.tone)
                .into_iter()
                .map(|line| line.worded(ElementName::Title, one.label)),
        );
        if let Some((n, value)) = alone(values) {
            drawn.push(dot(frame, area.place(n, value), DOT, one.tone));
        }
    }
    drawn.extend(ends(frame, labels, area.left));
    let columns = std::iter::once("").chain(series.iter().map(|one| one.label));
    let rows = labels.iter().enumerate().map(|(n, name)| {
        let cells = shown
            .iter()
            .map(|values| cell(values.get(n).copied().flatten()));
        std::iter::once((*name).to_owned()).chain(cells).collect()
    });
    let table = frame.table(columns.map(str::to_owned).collect(), rows.collect());
    let described = format!(
        "{} lines of {} steps, between {} and {}.",
        series.len(),
        labels.len(),
        spoken(all().fold(f64::INFINITY, f64::min)),
        spoken(all().fold(f64::NEG_INFINITY, f64::max))
    );
    frame.chart(&described, drawn, table)
}

fn cell(value: Option<f64>) -> String {
    value.map(spoken).unwrap_or_default()
}

pub(super) fn dot(frame: &Frame<'_>, (x, y): (f64, f64), radius: f64, tone: Tone) -> Element {
    Element::new(ElementName::Circle)
        .at("cx", x)
        .at("cy", y)
        .at("r", radius)
        .toned(frame.theme, tone)
}

/// A value that has no neighbour to be joined with, when it is the only one.
fn alone(values: &[Option<f64>]) -> Option<(usize, f64)> {
    let mut known = values
        .iter()
        .enumerate()
        .filter_map(|(n, value)| Some((n, (*value)?)));
    let first = known.next()?;
    known.next().is_none().then_some(first)
}

/// Where values are drawn.
struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    least: f64,
    most: f64,
    steps: usize,
}

impl Area {
    fn place(&self, step: usize, value: f64) -> (f64, f64) {
        let across = match self.steps {
            0 | 1 => 0.5,
            steps => float(step) / float(steps - 1),
        };
        // Halves first: the span of two huge values would be infinite.
        let span = self.most / 2.0 - self.least / 2.0;
        let up = if span > 0.0 {
            (value / 2.0 - self.least / 2.0) / span
        } else {
            0.0
        };
        let x = self.left + (self.right - self.left) * across;
        let y = self.bottom - (self.bottom - self.top) * up.clamp(0.0, 1.0);
        (x, y)
    }

    /// The runs of neighbouring values, each as one line.
    fn line(&self, frame: &Frame<'_>, values: &[Option<f64>], tone: Tone) -> Vec<Element> {
        let numbered: Vec<_> = values.iter().enumerate().collect();
        let runs = numbered.split(|(_, value)| value.is_none());
        let runs = runs.filter(|run| run.len() > 1);
        let line = |run: &[(usize, &Option<f64>)]| {
            let places = run
                .iter()
                .filter_map(|(n, value)| Some(self.place(*n, (**value)?)));
            let points = places.map(|(x, y)| format!("{},{}", number(x), number(y)));
            Element::new(ElementName::Polyline)
                .with("points", points.collect::<Vec<_>>().join(" "))
                .with("fill", "none")
                .with("stroke", frame.theme.edge(tone))
                .at("stroke-width", STROKE)
                .with("stroke-linejoin", "round")
        };
        runs.map(line).collect()
    }
}
