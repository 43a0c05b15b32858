//! How much happened when: one row of cells, the darker the more.

use super::axis::{GAP, LABEL_SIZE};
use super::bars::ends;
use super::{Chart, Element, ElementName, Frame, MAX_VALUES, Tone, amount, float, spoken};

/// How dark the least amount above 0 is, of 1.
const LEAST_SHADE: f64 = 0.15;
/// Between two cells, as a part of their width.
const CELL_GAP: f64 = 0.1;

/// A strip of cells; `labels` name them. Nothing at all is an outline.
pub fn heat_strip(frame: &Frame<'_>, labels: &[&str], values: &[f64], tone: Tone) -> Chart {
    let labels = &labels[labels.len().saturating_sub(MAX_VALUES)..];
    let values = &values[values.len().saturating_sub(labels.len())..];
    let at = |n: usize| amount(values.get(n).copied().unwrap_or(0.0));
    let most = (0..labels.len()).map(at).fold(0.0, f64::max);
    let (width, height) = frame.size();
    let pitch = width / float(labels.len().max(1));
    let tall = (height - LABEL_SIZE - GAP).max(height / 2.0);
    let colour = frame.theme.colour(tone);
    let mut drawn = Vec::new();
    for (n, name) in labels.iter().enumerate() {
        let value = at(n);
        let shade = if value > 0.0 {
            LEAST_SHADE + (1.0 - LEAST_SHADE) * (value / most)
        } else {
            0.0
        };
        let cell = Element::new(ElementName::Rect)
            .at("x", pitch * (float(n) + CELL_GAP / 2.0))
            .at("y", 1.0)
            .at("width", pitch * (1.0 - CELL_GAP))
            .at("height", tall - 2.0)
            .with("fill", colour)
            .at("fill-opacity", shade)
            .with("stroke", frame.theme.colour(Tone::Grid))
            .worded(ElementName::Title, &format!("{name}: {}", spoken(value)));
        drawn.push(cell);
    }
    drawn.extend(ends(frame, labels, 0.0));
    let rows = labels.iter().enumerate();
    let rows = rows.map(|(n, name)| vec![(*name).to_owned(), spoken(at(n))]);
    let table = frame.table(vec!["When".to_owned(), "Value".to_owned()], rows.collect());
    let described = format!("{} cells; the most is {}.", labels.len(), spoken(most));
    frame.chart(&described, drawn, table)
}
