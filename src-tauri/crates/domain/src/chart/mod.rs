//! Charts as pure functions: numbers in, a tree of SVG elements out.
//!
//! The window makes elements of the tree, a report writes it as text; both show the same. There is
//! no style string and no script in it, only presentation attributes, so it lives under any content
//! policy. Every chart has a title, a description in words and its data as a table, for those who
//! do not see it. Colours are tones: the tokens of a theme in the window, fixed ones on paper.
//! Read `svg` for the tree, then the chart you need.

mod axis;
mod bars;
mod calibration;
mod graph;
mod heat;
mod lines;
mod svg;
#[cfg(test)]
mod tests;

pub use bars::{Bar, Stack, bars, stacked_bars};
pub use calibration::{CalibrationPoint, calibration};
pub use graph::{
    Graph, GraphAlert, GraphIndicator, MAX_NODES, MAX_RELATED_INDICATORS, relation_graph,
};
pub use heat::heat_strip;
pub use lines::{Series, lines, sparkline};
pub use svg::{Child, Element, ElementName, Theme, Tone};

/// The most values along one axis; of longer series the last ones are shown.
pub const MAX_VALUES: usize = 400;
/// The most series, bars or rows of one chart; the first ones are shown.
pub const MAX_SERIES: usize = 40;
/// The least and greatest width and height, in user units, which are CSS pixels at scale 1.
pub const FRAME_RANGE: std::ops::RangeInclusive<f64> = 16.0..=4_096.0;

/// A chart: what is drawn, and the same in words and numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The `svg` element.
    pub root: Element,
    /// The data that are shown.
    pub table: Table,
}

/// A chart's data for reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What it is about: the chart's title.
    pub caption: String,
    /// The names of the columns; the first one heads the rows.
    pub columns: Vec<String>,
    /// As many cells each as there are columns.
    pub rows: Vec<Vec<String>>,
}

/// What every chart is told besides its data.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// What it shows: the accessible name and the table's caption.
    pub title: &'a str,
    /// Width in user units, clamped to [`FRAME_RANGE`].
    pub width: f64,
    /// Height in user units, clamped to [`FRAME_RANGE`].
    pub height: f64,
    /// Where colours come from.
    pub theme: Theme,
}

impl Frame<'_> {
    fn size(&self) -> (f64, f64) {
        let within = |value: f64| {
            let least = *FRAME_RANGE.start();
            if value.is_finite() {
                value.clamp(least, *FRAME_RANGE.end())
            } else {
                least
            }
        };
        (within(self.width), within(self.height))
    }

    /// The `svg` element with name and description, and what is drawn.
    fn chart(&self, description: &str, drawn: Vec<Element>, table: Table) -> Chart {
        let (width, height) = self.size();
        let view_box = format!("0 0 {} {}", svg::number(width), svg::number(height));
        let mut root = Element::new(ElementName::Svg)
            .with("viewBox", view_box)
            .with("class", "chart")
            .with("role", "img")
            .with("aria-label", self.title)
            .worded(ElementName::Title, self.title)
            .worded(ElementName::Desc, description);
        root.children.extend(drawn.into_iter().map(Child::Element));
        Chart { root, table }
    }

    fn table(&self, columns: Vec<String>, rows: Vec<Vec<String>>) -> Table {
        let readable = |list: Vec<String>| list.iter().map(|text| svg::visible(text)).collect();
        Table {
            caption: svg::visible(self.title),
            columns: readable(columns),
            rows: rows.into_iter().map(readable).collect(),
        }
    }
}

/// From here on a number is written with an exponent.
const MANY: f64 = 1e15;

/// A number as people read it: at most two digits after the point; nothing for what is none.
fn spoken(value: f64) -> String {
    if !value.is_finite() {
        return "none".to_owned();
    }
    if value.abs() >= MANY {
        return format!("{value:.2e}");
    }
    svg::number(value)
}

/// A count as a coordinate.
#[expect(clippy::cast_precision_loss, reason = "counts of marks are small")]
const fn float(count: usize) -> f64 {
    count as f64
}

/// The value if it can be drawn as an amount.
fn amount(value: f64) -> f64 {
    if value.is_finite() {
        value.max(0.0)
    } else {
        0.0
    }
}
