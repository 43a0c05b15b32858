//! Amounts side by side and on top of each other.

use super::axis::{Anchor, GAP, LABEL_SIZE, ceiling, label, rule, width_of};
use super::{
    Chart, Element, ElementName, Frame, MAX_SERIES, MAX_VALUES, Tone, amount, float, spoken,
};

/// One amount with its name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar<'a> {
    /// What it is of.
    pub label: &'a str,
    /// How much; what is negative or no number counts as 0.
    pub value: f64,
    /// Its colour.
    pub tone: Tone,
}

/// One layer of stacked columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stack<'a> {
    /// What it is of.
    pub label: &'a str,
    /// One amount a column; missing ones count as 0.
    pub values: &'a [f64],
    /// Its colour.
    pub tone: Tone,
}

/// The part of the width that names may take.
const NAME_SHARE: f64 = 0.4;
/// The thickest bar, in user units.
const MAX_THICKNESS: f64 = 28.0;
/// The part of a column's place that stays empty.
const COLUMN_GAP: f64 = 0.2;

/// Horizontal bars, one below the other, each with its name and value.
pub fn bars(frame: &Frame<'_>, list: &[Bar<'_>]) -> Chart {
    let list = &list[..list.len().min(MAX_SERIES)];
    let (width, height) = frame.size();
    let most = list.iter().map(|bar| amount(bar.value)).fold(0.0, f64::max);
    let widest = |widths: &mut dyn Iterator<Item = f64>| widths.fold(0.0, f64::max);
    let name_room = widest(&mut list.iter().map(|bar| width_of(bar.label)));
    let name_room = name_room.min(width * NAME_SHARE);
    let value_room = widest(&mut list.iter().map(|bar| width_of(&spoken(amount(bar.value)))));
    let value_room = value_room.min(width * NAME_SHARE);
    let room = (width - name_room - value_room - 2.0 * GAP).max(0.0);
    let pitch = height / float(list.len().max(1));
    let mut drawn = Vec::new();
    for (n, bar) in list.iter().enumerate() {
        let value = amount(bar.value);
        let part = if most > 0.0 { value / most } else { 0.0 };
        let thickness = (pitch * 0.7).min(MAX_THICKNESS);
        let middle = pitch * (float(n) + 0.5);
        let baseline = (middle + LABEL_SIZE / 3.0).min(height);
        let mark = Element::new(ElementName::Rect)
            .at("x", name_room + GAP)
            .at("y", middle - thickness / 2.0)
            .at("width", room * part)
            .at("height", thickness)
            .toned(frame.theme, bar.tone)
            .worded(
                ElementName::Title,
                &format!("{}: {}", bar.label, spoken(value)),
            );
        drawn.extend(label(
            frame,
            (name_room, baseline),
            Anchor::End,
            name_room,
            bar.label,
        ));
        drawn.push(mark);
        let place = (name_room + GAP + room * part + GAP, baseline);
        let value_room = value_room.min(width - place.0);
        drawn.extend(label(
            frame,
            place,
            Anchor::Start,
            value_room,
            &spoken(value),
        ));
    }
    let rows = list
        .iter()
        .map(|bar| vec![bar.label.to_owned(), spoken(amount(bar.value))]);
    let table = frame.table(vec!["Name".to_owned(), "Value".to_owned()], rows.collect());
    let described = format!("{} bars; the longest is {}.", list.len(), spoken(most));
    frame.chart(&described, drawn, table)
}

/// Columns over an axis, each of layers on top of each other; `labels` name the columns.
pub fn stacked_bars(frame: &Frame<'_>, labels: &[&str], layers: &[Stack<'_>]) -> Chart {
    let labels = &labels[labels.len().saturating_sub(MAX_VALUES)..];
    let layers = &layers[..layers.len().min(MAX_SERIES)];
    let skip = |layer: &Stack<'_>| layer.values.len().saturating_sub(labels.len());
    let value = |layer: &Stack<'_>, column: usize| {
        let value = layer.values.get(skip(layer) + column);
        amount(value.copied().unwrap_or(0.0))
    };
    let total = |column| layers.iter().map(|layer| value(layer, column)).sum::<f64>();
    let most = (0..labels.len())
        .map(total)
        .filter(|sum| sum.is_finite())
        .fold(0.0, f64::max);
    let top = ceiling(most);
    let (width, height) = frame.size();
    let left = (width_of(&spoken(top)) + GAP).min(width * NAME_SHARE);
    let base = height - LABEL_SIZE - GAP;
    let head = LABEL_SIZE.min(base);
    let pitch = (width - left) / float(labels.len().max(1));
    let mut drawn = vec![rule(frame, (left, base), (width, base), Tone::Grid)];
    drawn.extend(label(
        frame,
        (left - GAP, head),
        Anchor::End,
        left - GAP,
        &spoken(top),
    ));
    for (column, name) in labels.iter().enumerate() {
        let mut y = base;
        for layer in layers {
            let value = value(layer, column);
            let part = (value / top).min(1.0) * (base - head);
            let tall = part.min(y - head).max(0.0);
            if tall <= 0.0 {
                continue;
            }
            y -= tall;
            let title = format!("{name}, {}: {}", layer.label, spoken(value));
            let mark = Element::new(ElementName::Rect)
                .at("x", left + pitch * (float(column) + COLUMN_GAP / 2.0))
                .at("y", y)
                .at("width", pitch * (1.0 - COLUMN_GAP))
                .at("height", tall)
                .toned(frame.theme, layer.tone)
                .worded(ElementName::Title, &title);
            drawn.push(mark);
        }
    }
    drawn.extend(ends(frame, labels, left));
    let columns = std::iter::once("").chain(layers.iter().map(|layer| layer.label));
    let rows = labels.iter().enumerate().map(|(column, name)| {
        let cells = layers.iter().map(|layer| spoken(value(layer, column)));
        std::iter::once((*name).to_owned()).chain(cells).collect()
    });
    let table = frame.table(columns.map(str::to_owned).collect(), rows.collect());
    let described = format!(
        "{} columns of {} layers; the highest is {}.",
        labels.len(),
        layers.len(),
        spoken(most)
    );
    frame.chart(&described, drawn, table)
}

/// The first and the last name below an axis that begins at `left`.
pub(super) fn ends(frame: &Frame<'_>, labels: &[&str], left: f64) -> Vec<Element> {
    let (width, height) = frame.size();
    let room = (width - left - GAP) / 2.0;
    // The letters that reach below the line stay inside.
    let y = height - LABEL_SIZE / 4.0;
    let mut drawn = Vec::new();
    if let Some(first) = labels.first() {
        drawn.extend(label(frame, (left, y), Anchor::Start, room, first));
    }
    if let [_, .., last] = labels {
        drawn.extend(label(frame, (width, y), Anchor::End, room, last));
    }
    drawn
}
