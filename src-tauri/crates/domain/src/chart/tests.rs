//! What holds for every chart, whatever it is given.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::axis::width_of;
use super::*;

const CASES: u32 = 3_000;

/// Rounding to two digits may put a mark so far over the edge, in user units.
const ROUNDING: f64 = 0.02;

fn frame(width: f64, height: f64) -> Frame<'static> {
    Frame {
        title: "Alerts <b>&\"a\"",
        width,
        height,
        theme: Theme::Paper,
    }
}

fn each<'a>(element: &'a Element, seen: &mut Vec<&'a Element>) {
    seen.push(element);
    for child in &element.children {
        if let Child::Element(child) = child {
            each(child, seen);
        }
    }
}

fn get(element: &Element, name: &str) -> Option<f64> {
    let value = element.attributes.iter().find(|(n, _)| *n == name)?;
    Some(
        value
            .1
            .parse()
            .unwrap_or_else(|_| panic!("{name} is {:?}", value.1)),
    )
}

fn words(element: &Element) -> String {
    let text = |child: &Child| match child {
        Child::Text(text) => text.clone(),
        Child::Element(_) => String::new(),
    };
    element.children.iter().map(text).collect()
}

/// The corners of what an element draws.
fn corners(element: &Element) -> Vec<(f64, f64)> {
    let at = |name| get(element, name).unwrap_or(0.0);
    match element.name {
        ElementName::Rect => vec![
            (at("x"), at("y")),
            (at("x") + at("width"), at("y") + at("height")),
        ],
        ElementName::Circle => vec![
            (at("cx") - at("r"), at("cy") - at("r")),
            (at("cx") + at("r"), at("cy") + at("r")),
        ],
        ElementName::Line => vec![(at("x1"), at("y1")), (at("x2"), at("y2"))],
        ElementName::Polyline => {
            let points = &element
                .attributes
                .iter()
                .find(|(n, _)| *n == "points")
                .expect("points")
                .1;
            let point = |text: &str| {
                let (x, y) = text.split_once(',').expect("a pair");
                (x.parse().expect("a number"), y.parse().expect("a number"))
            };
            points.split(' ').map(point).collect()
        }
        ElementName::Text => {
            let width = width_of(&words(element));
            let anchor = element.attributes.iter().find(|(n, _)| *n == "text-anchor");
            let before = match anchor.map(|(_, word)| word.as_str()) {
                Some("middle") => width / 2.0,
                Some("end") => width,
                _ => 0.0,
            };
            vec![
                (at("x") - before, at("y") - axis::ASCENT),
                (at("x") - before + width, at("y")),
            ]
        }
        ElementName::Svg | ElementName::Group | ElementName::Title | ElementName::Desc => vec![],
    }
}

fn check(chart: &Chart, frame: &Frame<'_>) -> Result<(), TestCaseError> {
    let (width, height) = frame.size();
    let mut seen = Vec::new();
    each(&chart.root, &mut seen);
    for element in &seen {
        for name in [
            "x",
            "y",
            "width",
            "height",
            "cx",
            "cy",
            "r",
            "x1",
            "y1",
            "fill-opacity",
        ] {
            if let Some(value) = get(element, name) {
                prop_assert!(value.is_finite());
            }
        }
        for name in ["width", "height", "r"] {
            prop_assert!(
                get(element, name).is_none_or(|value| value >= 0.0),
                "{element:?}"
            );
        }
        for (x, y) in corners(element) {
            let is_inside = (-ROUNDING..=width + ROUNDING).contains(&x)
                && (-ROUNDING..=height + ROUNDING).contains(&y);
            prop_assert!(is_inside, "{x},{y} of {width}×{height}: {element:?}");
        }
        prop_assert!(element.attributes.iter().all(|(name, _)| *name != "style"));
    }
    let [Child::Element(title), Child::Element(desc), ..] = chart.root.children.as_slice() else {
        return Err(TestCaseError::fail("no title and description"));
    };
    prop_assert_eq!(
        (title.name, desc.name),
        (ElementName::Title, ElementName::Desc)
    );
    prop_assert!(
        !words(desc).is_empty() && !words(desc).contains("inf"),
        "{}",
        words(desc)
    );
    for row in &chart.table.rows {
        prop_assert_eq!(row.len(), chart.table.columns.len());
    }
    let text = chart.root.to_text();
    prop_assert!(!text.contains("NaN") && !text.contains("<b>") && !text.contains("<script"));
    prop_assert!(!text.contains(char::is_control));
    prop_assert_eq!(text.matches('<').count(), text.matches('>').count());
    Ok(())
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => 0.0..1_000.0_f64,
        2 => -1_000.0..1_000.0_f64,
        1 => any::<f64>(),
        1 => select(vec![0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN]),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,8}",
        "(?s).{0,40}",
        Just("<script>alert(1)</script>".to_owned())
    ]
}

fn names(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<String>> {
    vec(name(), count)
}

fn strs(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

prop_compose! {
    fn any_frame()(
        title in name(),
        width in prop_oneof![16.0..1_200.0_f64, number()],
        height in prop_oneof![16.0..800.0_f64, number()],
        theme in select(Theme::ALL),
    ) -> (String, f64, f64, Theme) {
        (title, width, height, theme)
    }
}

fn framed((title, width, height, theme): &(String, f64, f64, Theme)) -> Frame<'_> {
    Frame {
        title,
        width: *width,
        height: *height,
        theme: *theme,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn series_are_drawn_inside(
        frame in any_frame(),
        labels in names(0..12),
        values in vec(number(), 0..14),
        gaps in vec(any::<bool>(), 14),
        tone in select(Tone::ALL),
    ) {
        let frame = framed(&frame);
        let labels = strs(&labels);
        check(&sparkline(&frame, &values, tone), &frame)?;
        check(&heat_strip(&frame, &labels, &values, tone), &frame)?;
        let with_gaps: Vec<_> =
            values.iter().zip(&gaps).map(|(value, gap)| (!gap).then_some(*value)).collect();
        let series = [
            Series { label: "a", values: &with_gaps, tone },
            Series { label: labels.first().copied().unwrap_or(""), values: &[], tone },
        ];
        let chart = lines(&frame, &labels, &series);
        check(&chart, &frame)?;
        prop_assert_eq!(chart, lines(&frame, &labels, &series), "the same again");
    }

    #[test]
    fn amounts_are_drawn_inside(
        frame in any_frame(),
        labels in names(0..12),
        values in vec(number(), 0..14),
        other in vec(number(), 0..14),
        points in vec((0.0..1.1_f64, number(), any::<u64>()), 0..8),
    ) {
        let frame = framed(&frame);
        let labels = strs(&labels);
        let list: Vec<_> = labels
            .iter()
            .zip(&values)
            .map(|(label, value)| Bar { label, value: *value, tone: Tone::High })
            .collect();
        check(&bars(&frame, &list), &frame)?;
        let layers = [
            Stack { label: "high", values: &values, tone: Tone::High },
            Stack { label: "low", values: &other, tone: Tone::Low },
        ];
        check(&stacked_bars(&frame, &labels, &layers), &frame)?;
        let points: Vec<_> = points
            .into_iter()
            .map(|(said, right, count)| CalibrationPoint { said, right, count })
            .collect();
        check(&calibration(&frame, &points, Tone::Accent), &frame)?;
    }

    #[test]
    fn graphs_are_drawn_inside_and_bounded(
        frame in any_frame(),
        labels in names(1..70),
        shares in vec(vec(0..30_usize, 0..4), 70),
        split in 0..70_usize,
    ) {
        let frame = framed(&frame);
        let (first, rest) = labels.split_at(split.min(labels.len()));
        let indicators: Vec<_> = first
            .iter()
            .map(|label| GraphIndicator { key: label, label, tone: Tone::Malicious })
            .collect();
        let related: Vec<_> = rest
            .iter()
            .zip(&shares)
            .map(|(label, shares)| GraphAlert { key: "k", label, tone: Tone::High, shares })
            .collect();
        let graph = Graph { alert: &labels[0], indicators: &indicators, related: &related };
        let chart = relation_graph(&frame, &graph);
        check(&chart, &frame)?;
        let mut seen = Vec::new();
        each(&chart.root, &mut seen);
        let is_node = |element: &&&Element| element.name == ElementName::Group;
        prop_assert!(seen.iter().filter(is_node).count() <= MAX_NODES);
    }
}

#[test]
fn a_chart_is_the_same_in_the_window_and_on_paper_but_for_its_colours() {
    let bars_of = |theme| {
        let frame = Frame {
            theme,
            ..frame(300.0, 100.0)
        };
        bars(
            &frame,
            &[Bar {
                label: "High",
                value: 3.0,
                tone: Tone::High,
            }],
        )
    };
    let (window, paper) = (bars_of(Theme::Tokens), bars_of(Theme::Paper));
    let text = window.root.to_text();
    assert!(text.contains("fill=\"var(--high)\""), "{text}");
    let same = text
        .replace("var(--high)", "#c2410c")
        .replace("var(--high-border)", "#c2410c")
        .replace("var(--text-2)", "#3c4754");
    assert_eq!(same, paper.root.to_text());
    assert_eq!(window.table, paper.table);
    assert!(
        text.contains("aria-label=\"Alerts &lt;b&gt;&amp;&quot;a&quot;\""),
        "{text}"
    );
}

#[test]
fn bars_are_as_long_as_their_amounts() {
    let frame = frame(400.0, 90.0);
    let bar = |label, value| Bar {
        label,
        value,
        tone: Tone::Low,
    };
    let chart = bars(&frame, &[bar("a", 10.0), bar("b", 5.0), bar("c", 0.0)]);
    let mut seen = Vec::new();
    each(&chart.root, &mut seen);
    let widths: Vec<f64> = seen
        .iter()
        .filter(|element| element.name == ElementName::Rect)
        .map(|element| get(element, "width").expect("a width"))
        .collect();
    assert!(widths[0] > 200.0 && (widths[1] * 2.0 - widths[0]).abs() < 0.1);
    assert!(widths[2].abs() < f64::EPSILON);
    assert_eq!(chart.table.rows[1], ["b", "5"]);
}

#[test]
fn a_gap_in_a_line_stays_a_gap() {
    let values = [Some(1.0), Some(2.0), None, Some(2.0), Some(1.0)];
    let series = [Series {
        label: "a",
        values: &values,
        tone: Tone::Accent,
    }];
    let chart = lines(&frame(300.0, 100.0), &["1", "2", "3", "4", "5"], &series);
    let mut seen = Vec::new();
    each(&chart.root, &mut seen);
    let count = seen
        .iter()
        .filter(|element| element.name == ElementName::Polyline)
        .count();
    assert_eq!(count, 2);
    assert_eq!(chart.table.rows[2], ["3", ""]);
}

#[test]
fn a_related_alert_stands_outside_near_what_it_shares() {
    let indicator = |key| GraphIndicator {
        key,
        label: key,
        tone: Tone::Unknown,
    };
    let alert = |key, shares| GraphAlert {
        key,
        label: key,
        tone: Tone::High,
        shares,
    };
    let graph = Graph {
        alert: "this",
        indicators: &[indicator("top"), indicator("bottom")],
        related: &[alert("below", &[1]), alert("above", &[0])],
    };
    let chart = relation_graph(&frame(600.0, 400.0), &graph);
    let mut seen = Vec::new();
    each(&chart.root, &mut seen);
    let place = |key: &str| {
        let group = seen
            .iter()
            .find(|element| element.attributes.contains(&("data-node", key.to_owned())))
            .expect("a node");
        corners(match &group.children[1] {
            Child::Element(mark) => mark,
            Child::Text(_) => panic!("no mark"),
        })[0]
    };
    assert!(place("above").1 < place("top").1 && place("top").1 < place("bottom").1);
    assert!(place("below").1 > place("bottom").1);
    assert_eq!(chart.table.rows[0], ["below", "bottom"]);
}
