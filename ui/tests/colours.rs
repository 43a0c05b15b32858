//! Colours that mean something can be told apart, by every eye, in every theme.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use calseta_domain::chart::{Theme, Tone};
use calseta_domain::colour::{Rgb, Vision, contrast, least_distance};

/// WCAG 2.2, 1.4.11: marks that mean something.
const MARK_RATIO: f64 = 3.0;
const SEVERITIES: [&str; 5] = [
    "critical",
    "high",
    "medium-severity",
    "low",
    "informational",
];
const VERDICTS: [&str; 4] = ["malicious", "suspicious", "benign", "unknown"];
const SERIES: [&str; 6] = [
    "series-1", "series-2", "series-3", "series-4", "series-5", "series-6",
];
const THEMES: [&str; 4] = ["dark", "light", "contrast-dark", "contrast-light"];

/// The opaque colours of a theme, by token; a contrast theme stands on the dark one.
fn theme(name: &str) -> HashMap<String, Rgb> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/styles/tokens.css");
    let text = fs::read_to_string(file).expect("the tokens");
    let blocks = if name.starts_with("contrast") {
        vec!["dark", name]
    } else {
        vec![name]
    };
    let mut colours = HashMap::new();
    for block in blocks {
        let rest = text.split(&format!("[data-theme=\"{block}\"] {{")).nth(1);
        let lines = rest.and_then(|rest| rest.split('}').next());
        for line in lines.expect("the theme").lines() {
            let Some((token, value)) = line.trim().trim_end_matches(';').split_once(": ") else {
                continue;
            };
            if let Some(colour) = Rgb::parse(value) {
                colours.insert(token.trim_start_matches("--").to_owned(), colour);
            }
        }
    }
    colours
}

fn named(theme: &HashMap<String, Rgb>, tokens: &[&str]) -> Vec<Rgb> {
    tokens.iter().map(|token| theme[*token]).collect()
}

#[track_caller]
fn apart(name: &str, tokens: &[&str], least: f64) {
    let colours = named(&theme(name), tokens);
    for vision in Vision::ALL {
        let found = least_distance(&colours, *vision).expect("several");
        assert!(
            found >= least,
            "{name}, {vision}: two of {tokens:?} are only {found:.1} apart"
        );
    }
}

#[test]
fn severities_are_told_apart_by_their_fills() {
    apart("dark", &SEVERITIES, 20.0);
    apart("contrast-dark", &SEVERITIES, 20.0);
    apart("light", &SEVERITIES, 10.0);
    apart("contrast-light", &SEVERITIES, 10.0);
}

#[test]
fn series_are_told_apart_and_stand_out() {
    for name in THEMES {
        apart(name, &SERIES, 13.0);
        let theme = theme(name);
        for token in SERIES {
            let found = contrast(theme[token], theme["surface"]);
            assert!(found >= MARK_RATIO, "{name}: {token} has {found:.2}");
        }
    }
}

#[test]
fn verdicts_are_told_apart() {
    for (name, least) in [("dark", 20.0), ("light", 14.0)] {
        let colours = named(&theme(name), &VERDICTS);
        let found = least_distance(&colours, Vision::Normal).expect("several");
        assert!(found >= least, "{name}: only {found:.1} apart");
    }
}

#[test]
fn two_of_one_colour_are_found_out() {
    let mut colours = named(&theme("dark"), &SERIES);
    colours.push(colours[0]);
    assert_eq!(least_distance(&colours, Vision::Normal), Some(0.0));
}

#[test]
fn every_tone_of_a_chart_is_a_token_and_its_edge_stands_out() {
    for name in THEMES {
        let theme = theme(name);
        for tone in Tone::ALL {
            for colour in [Theme::Tokens.colour(*tone), Theme::Tokens.edge(*tone)] {
                let token = colour.trim_start_matches("var(--").trim_end_matches(')');
                assert!(theme.contains_key(token), "{name} has no {token}");
            }
            if matches!(tone, Tone::Grid | Tone::Surface) {
                continue;
            }
            let edge = Theme::Tokens.edge(*tone);
            let token = edge.trim_start_matches("var(--").trim_end_matches(')');
            let found = contrast(theme[token], theme["surface"]);
            assert!(found >= MARK_RATIO, "{name}: {token} has {found:.2}");
        }
    }
}
