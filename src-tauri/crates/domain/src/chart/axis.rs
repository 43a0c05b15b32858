//! Room for labels, and labels that fit into it.

use super::svg::visible;
use super::{Element, ElementName, Frame, Tone};

/// The size of labels, in user units.
pub(super) const LABEL_SIZE: f64 = 11.0;
/// The width of a letter at that size: of most fonts' average, rather too wide than too narrow.
const LETTER_WIDTH: f64 = 6.6;
/// How far letters reach above their line, in user units; a label without that room is left out.
pub(super) const ASCENT: f64 = 9.0;
/// Between a label and what it labels.
pub(super) const GAP: f64 = 4.0;

/// Where a label stands relative to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How wide a text is about, in user units.
pub(super) fn width_of(text: &str) -> f64 {
    let wide = |c: char| if u32::from(c) < 0x1100 { 1.0 } else { 1.7 };
    text.chars().map(wide).sum::<f64>() * LETTER_WIDTH
}

/// A text cut to a width, with an ellipsis; empty when not even that fits.
pub(super) fn fitted(text: &str, room: f64) -> String {
    let text = visible(text);
    if width_of(&text) <= room {
        return text;
    }
    let mut cut = String::new();
    let mut used = width_of("…");
    for c in text.chars() {
        used += width_of(c.encode_utf8(&mut [0; 4]));
        if used > room {
            break;
        }
        cut.push(c);
    }
    if cut.is_empty() {
        return cut;
    }
    cut.push('…');
    cut
}

/// A label with its baseline at `y`; the whole text is its title when it was cut.
pub(super) fn label(
    frame: &Frame<'_>,
    (x, y): (f64, f64),
    anchor: Anchor,
    room: f64,
    text: &str,
) -> Option<Element> {
    let short = fitted(text, room);
    if short.trim().is_empty() || y < ASCENT {
        return None;
    }
    let word = match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let element = Element::new(ElementName::Text)
        .at("x", x)
        .at("y", y)
        .with("text-anchor", word)
        .at("font-size", LABEL_SIZE)
        .with("fill", frame.theme.colour(Tone::Text));
    Some(if short == visible(text) {
        element.saying(&short)
    } else {
        element.worded(ElementName::Title, text).saying(&short)
    })
}

/// A hairline.
pub(super) fn rule(
    frame: &Frame<'_>,
    (x1, y1): (f64, f64),
    (x2, y2): (f64, f64),
    tone: Tone,
) -> Element {
    Element::new(ElementName::Line)
        .at("x1", x1)
        .at("y1", y1)
        .at("x2", x2)
        .at("y2", y2)
        .with("stroke", frame.theme.colour(tone))
        .at("stroke-width", 1.0)
}

/// The least round number that is not below a value: 1, 2 or 5 times a power of ten.
pub(super) fn ceiling(value: f64) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|step| step * power >= value);
    let ceiling = step.unwrap_or(10.0) * power;
    if ceiling.is_finite() && ceiling >= value {
        ceiling
    } else {
        value
    }
}
