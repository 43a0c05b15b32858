//! Whether an agent that says 80 % is right 80 % of the time.

use super::axis::{Anchor, GAP, LABEL_SIZE, label, rule, width_of};
use super::lines::dot;
use super::{Chart, Element, ElementName, Frame, MAX_SERIES, Tone, float, spoken};

/// The findings whose confidence was about the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationPoint {
    /// The confidence they gave, 0 to 1.
    pub said: f64,
    /// The part of them that was right, 0 to 1.
    pub right: f64,
    /// How many they are.
    pub count: u64,
}

/// The greatest radius of a point, in user units.
const MAX_RADIUS: f64 = 10.0;
/// The least.
const MIN_RADIUS: f64 = 2.0;

/// What was said across, what was right upwards; on the diagonal both are the same. The area of a
/// point grows with the number of its findings.
pub fn calibration(frame: &Frame<'_>, points: &[CalibrationPoint], tone: Tone) -> Chart {
    let is_part = |part: f64| (0.0..=1.0).contains(&part);
    let points: Vec<_> = points
        .iter()
        .filter(|point| is_part(point.said) && is_part(point.right) && point.count > 0)
        .take(MAX_SERIES)
        .collect();
    let (width, height) = frame.size();
    let radius_most = MAX_RADIUS.min(width / 8.0).min(height / 8.0);
    let left = (width_of("100 %") + GAP).min(width / 2.0);
    let bottom = (height - LABEL_SIZE - GAP).max(height / 2.0);
    let (x0, x1) = (left + radius_most, width - radius_most);
    let (y0, y1) = (bottom - radius_most, radius_most);
    let place = |said: f64, right: f64| (x0 + (x1 - x0) * said, y0 + (y1 - y0) * right);
    let mut drawn = vec![
        rule(frame, (left, bottom), (width, bottom), Tone::Grid),
        rule(frame, (left, 0.0), (left, bottom), Tone::Grid),
        rule(frame, place(0.0, 0.0), place(1.0, 1.0), Tone::Quiet).with("stroke-dasharray", "4 3"),
    ];
    let upper = (left - GAP, (y1 + LABEL_SIZE / 2.0).max(LABEL_SIZE));
    drawn.extend(label(frame, upper, Anchor::End, left - GAP, "100 %"));
    drawn.extend(label(
        frame,
        (left - GAP, y0),
        Anchor::End,
        left - GAP,
        "0 %",
    ));
    let below = height - LABEL_SIZE / 4.0;
    let room = (width - left) / 2.0;
    drawn.extend(label(frame, (left, below), Anchor::Start, room, "said 0 %"));
    drawn.extend(label(
        frame,
        (width, below),
        Anchor::End,
        room,
        "said 100 %",
    ));
    drawn.extend(marks(frame, &points, radius_most, place, tone));
    let rows = points.iter().map(|point| {
        let percent = |part: f64| format!("{} %", spoken(part * 100.0));
        vec![
            percent(point.said),
            percent(point.right),
            point.count.to_string(),
        ]
    });
    let columns = ["Said", "Right", "Findings"].map(str::to_owned).to_vec();
    let table = frame.table(columns, rows.collect());
    let apart = points
        .iter()
        .map(|point| (point.said - point.right).abs())
        .sum::<f64>();
    let described = if points.is_empty() {
        "No findings to judge by.".to_owned()
    } else {
        let mean = apart / float(points.len()) * 100.0;
        format!(
            "{} points, {} % off the diagonal on average.",
            points.len(),
            spoken(mean)
        )
    };
    frame.chart(&described, drawn, table)
}

fn marks(
    frame: &Frame<'_>,
    points: &[&CalibrationPoint],
    radius_most: f64,
    place: impl Fn(f64, f64) -> (f64, f64),
    tone: Tone,
) -> Vec<Element> {
    let most = points.iter().map(|point| point.count).max().unwrap_or(1);
    let mark = |point: &&CalibrationPoint| {
        let part = (weight(point.count) / weight(most)).sqrt();
        let radius = (radius_most * part).max(MIN_RADIUS.min(radius_most));
        let title = format!(
            "said {} %, right {} %, {} findings",
            spoken(point.said * 100.0),
            spoken(point.right * 100.0),
            point.count
        );
        dot(frame, place(point.said, point.right), radius, tone)
            .at("fill-opacity", 0.75)
            .worded(ElementName::Title, &title)
    };
    points.iter().map(mark).collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an area needs no sixteenth digit"
)]
const fn weight(count: u64) -> f64 {
    count as f64
}
