//! The tree of elements, the colours, and the tree as text.

use std::fmt::Write;

use crate::words;

words! {
    /// The elements that charts are made of.
    ElementName, "element" {
        Svg => "svg",
        Group => "g",
        Title => "title",
        Desc => "desc",
        Rect => "rect",
        Circle => "circle",
        Line => "line",
        Polyline => "polyline",
        Text => "text",
    }
}

/// An element with its attributes and what is in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    /// Its name.
    pub name: ElementName,
    /// Attributes in order, each once; presentation attributes and classes, never `style`.
    pub attributes: Vec<(&'static str, String)>,
    /// What is in it.
    pub children: Vec<Child>,
}

/// What is in an element.
#[derive(Debug, Clone, PartialEq)]
pub enum Child {
    /// An element.
    Element(Element),
    /// Text; not escaped.
    Text(String),
}

impl Element {
    pub(super) const fn new(name: ElementName) -> Self {
        Self {
            name,
            attributes: Vec::new(),
            children: Vec::new(),
        }
    }

    pub(super) fn with(mut self, attribute: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((attribute, visible(&value.into())));
        self
    }

    pub(super) fn at(self, attribute: &'static str, value: f64) -> Self {
        self.with(attribute, number(value))
    }

    pub(super) fn containing(mut self, child: Self) -> Self {
        self.children.push(Child::Element(child));
        self
    }

    pub(super) fn saying(mut self, text: &str) -> Self {
        self.children.push(Child::Text(visible(text)));
        self
    }

    /// Filled, and with its edge.
    pub(super) fn toned(self, theme: Theme, tone: Tone) -> Self {
        self.with("fill", theme.colour(tone))
            .with("stroke", theme.edge(tone))
    }

    /// With a `title` or `desc` in it.
    pub(super) fn worded(self, name: ElementName, text: &str) -> Self {
        self.containing(Self::new(name).saying(text))
    }

    /// The element as SVG text, on its own a whole document.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        let name = self.name.as_str();
        let _ = write!(out, "<{name}");
        if self.name == ElementName::Svg {
            out.push_str(" xmlns=\"http://www.w3.org/2000/svg\"");
        }
        for (attribute, value) in &self.attributes {
            let _ = write!(out, " {attribute}=\"");
            escape(value, out);
            out.push('"');
        }
        out.push('>');
        for child in &self.children {
            match child {
                Child::Element(element) => element.write(out),
                Child::Text(text) => escape(text, out),
            }
        }
        let _ = write!(out, "</{name}>");
    }
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

/// A text without what XML cannot hold and what would turn the text around it.
pub(super) fn visible(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}')
            || matches!(c, '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
    };
    text.chars()
        .map(|c| if is_hidden(c) { ' ' } else { c })
        .collect()
}

/// A number as attributes write it: at most two digits after the point, never an exponent.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

words! {
    /// What a mark stands for, from which its colour follows.
    Tone, "tone" {
        Text => "text",
        Quiet => "quiet",
        Grid => "grid",
        Surface => "surface",
        Accent => "accent",
        Ok => "ok",
        Warn => "warn",
        Danger => "danger",
        Critical => "critical",
        High => "high",
        Medium => "medium",
        Low => "low",
        Informational => "informational",
        Malicious => "malicious",
        Suspicious => "suspicious",
        Benign => "benign",
        Unknown => "unknown",
        // Six that mean nothing by themselves, to tell series apart.
        First => "first",
        Second => "second",
        Third => "third",
        Fourth => "fourth",
        Fifth => "fifth",
        Sixth => "sixth",
    }
}

words! {
    /// Where a chart's colours come from.
    Theme, "theme" {
        // The tokens of the page that it stands in.
        Tokens => "tokens",
        // Fixed colours on white.
        Paper => "paper",
    }
}

impl Theme {
    /// The colour of a mark of a tone, as a presentation attribute takes it.
    pub const fn colour(self, tone: Tone) -> &'static str {
        let (token, paper) = match tone {
            Tone::Text => ("var(--text-2)", "#3c4754"),
            Tone::Quiet => ("var(--text-3)", "#5b6775"),
            Tone::Grid => ("var(--border)", "#d4dae1"),
            Tone::Surface => ("var(--surface)", "#ffffff"),
            Tone::Accent => ("var(--accent)", "#1659c7"),
            Tone::Ok => ("var(--ok)", "#0b6b45"),
            Tone::Warn => ("var(--warn)", "#9a4a00"),
            Tone::Danger => ("var(--danger)", "#b4112f"),
            Tone::Critical => ("var(--critical)", "#8e0b26"),
            Tone::High => ("var(--high)", "#c2410c"),
            Tone::Medium => ("var(--medium-severity)", "#f7c948"),
            Tone::Low => ("var(--low)", "#cbe3fa"),
            Tone::Informational => ("var(--informational)", "#e8ecf1"),
            Tone::Malicious => ("var(--malicious)", "#8e0b26"),
            Tone::Suspicious => ("var(--suspicious)", "#b45309"),
            Tone::Benign => ("var(--benign)", "#005f56"),
            Tone::Unknown => ("var(--unknown)", "#697482"),
            Tone::First => ("var(--series-1)", "#0072b2"),
            Tone::Second => ("var(--series-2)", "#c08400"),
            Tone::Third => ("var(--series-3)", "#00664f"),
            Tone::Fourth => ("var(--series-4)", "#b05a90"),
            Tone::Fifth => ("var(--series-5)", "#3a2a00"),
            Tone::Sixth => ("var(--series-6)", "#b33a00"),
        };
        match self {
            Self::Tokens => token,
            Self::Paper => paper,
        }
    }

    /// The colour of a mark's edge and of lines. Some severities are filled so lightly that only
    /// their edge stands out from the ground.
    pub const fn edge(self, tone: Tone) -> &'static str {
        let (token, paper) = match tone {
            Tone::Critical => ("var(--critical-border)", "#8e0b26"),
            Tone::High => ("var(--high-border)", "#c2410c"),
            Tone::Medium => ("var(--medium-border)", "#7a5b00"),
            Tone::Low => ("var(--low-border)", "#0b5cad"),
            Tone::Informational => ("var(--informational-border)", "#6b7785"),
            _ => return self.colour(tone),
        };
        match self {
            Self::Tokens => token,
            Self::Paper => paper,
        }
    }
}
