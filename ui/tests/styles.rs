//! What the stylesheets and views promise: contrast that was computed, colours and measures in one
//! place, nothing that the content policy or a hostile title could turn against us.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// WCAG 2.2, 1.4.3: text.
const TEXT_RATIO: f64 = 4.5;
/// WCAG 2.2, 1.4.11: the frames of controls.
const CONTROL_RATIO: f64 = 3.0;
/// What text stands on.
const GROUNDS: [&str; 4] = ["bg", "surface", "raised", "selected"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(folder: &Path, extension: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|other| other == extension) {
            let text = fs::read_to_string(&path).expect("text");
            found.push((path, text));
        }
    }
    found
}

/// The colours of one theme, by name; `:root` stands for the dark one.
fn theme(name: &str) -> HashMap<String, [f64; 3]> {
    let text = fs::read_to_string(source().join("styles/tokens.css")).expect("the tokens");
    let mut colours = HashMap::new();
    let dark_first = if name.starts_with("contrast") {
        &["dark", name][..]
    } else {
        &[name][..]
    };
    for part in dark_first {
        let block = text
            .split(&format!("[data-theme=\"{part}\"] {{"))
            .nth(1)
            .expect("the theme");
        let block = block.split('}').next().expect("its end");
        for line in block.lines() {
            if let Some((token, value)) = line.trim().trim_end_matches(';').split_once(": ")
                && let Some(colour) = colour(value)
            {
                colours.insert(token.trim_start_matches("--").to_owned(), colour);
            }
        }
    }
    colours
}

fn colour(value: &str) -> Option<[f64; 3]> {
    let hex = value.strip_prefix('#').filter(|hex| hex.len() == 6)?;
    let channel = |at: usize| {
        u8::from_str_radix(hex.get(at..at + 2)?, 16)
            .ok()
            .map(f64::from)
    };
    Some([channel(0)?, channel(2)?, channel(4)?])
}

fn luminance(colour: [f64; 3]) -> f64 {
    let linear = colour.map(|channel| {
        let c = channel / 255.0;
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn ratio(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn text_can_be_read_on_every_ground_of_every_theme() {
    for name in ["dark", "light", "contrast-dark", "contrast-light"] {
        let theme = theme(name);
        for ground in GROUNDS {
            for ink in ["text", "text-2", "text-3", "link", "ok", "warn", "danger"] {
                let found = ratio(theme[ink], theme[ground]);
                assert!(
                    found >= TEXT_RATIO,
                    "{name}: {ink} on {ground} has {found:.2}"
                );
            }
            for frame in ["border-control", "focus"] {
                let found = ratio(theme[frame], theme[ground]);
                assert!(
                    found >= CONTROL_RATIO,
                    "{name}: {frame} on {ground} has {found:.2}"
                );
            }
        }
    }
}

#[test]
fn letters_can_be_read_on_their_own_fills() {
    let pairs = [
        ("on-accent", "accent"),
        ("critical-ink", "critical"),
        ("high-ink", "high"),
        ("medium-ink", "medium-severity"),
        ("low-ink", "low"),
        ("informational-ink", "informational"),
    ];
    for name in ["dark", "light", "contrast-dark", "contrast-light"] {
        let theme = theme(name);
        for (ink, fill) in pairs {
            let found = ratio(theme[ink], theme[fill]);
            assert!(
                found >= TEXT_RATIO,
                "{name}: {ink} on {fill} has {found:.2}"
            );
        }
    }
}

#[test]
fn a_ratio_is_what_the_standard_says() {
    let black_on_white = ratio([0.0; 3], [255.0; 3]);
    assert!((black_on_white - 21.0).abs() < 0.01, "{black_on_white}");
}

#[test]
fn colours_and_measures_are_named_in_the_tokens_only() {
    for (path, text) in files(&source(), "css") {
        if path.ends_with("styles/tokens.css") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let at = format!("{}:{}: {line}", path.display(), number + 1);
            let is_query = line.contains("@media") || line.contains("@container");
            let digit_before = |(at, _): (usize, &str)| {
                line[..at]
                    .chars()
                    .next_back()
                    .is_some_and(|c| c.is_ascii_digit())
            };
            let has_px = line.match_indices("px").any(digit_before);
            assert!(is_query || !has_px, "a raw measure at {at}");
            let has_hex = line
                .split('#')
                .skip(1)
                .any(|after| after.chars().take_while(char::is_ascii_hexdigit).count() >= 3);
            assert!(!has_hex, "a raw colour at {at}");
            assert!(!line.contains("outline: none"), "a lost focus ring at {at}");
            assert!(!line.contains("url("), "something from elsewhere at {at}");
        }
    }
}

#[test]
fn a_token_that_is_used_is_there() {
    let all = files(&source(), "css");
    let defined = |name: &str| {
        all.iter()
            .any(|(_, text)| text.contains(&format!("{name}:")))
    };
    for (path, text) in &all {
        for used in text.split("var(").skip(1) {
            let name = used.split([')', ',']).next().unwrap_or_default().trim();
            assert!(
                defined(name),
                "{}: {name} is defined nowhere",
                path.display()
            );
        }
    }
}

#[test]
fn alert_content_can_only_become_text() {
    for (path, text) in files(&source(), "rs") {
        for forbidden in [
            "inner_html",
            "set_inner_html",
            "insert_adjacent_html",
            "style=\"",
        ] {
            assert!(
                !text.contains(forbidden),
                "{} has {forbidden}",
                path.display()
            );
        }
    }
}

#[test]
fn features_do_not_import_features_and_only_the_api_knows_addresses() {
    for (path, text) in files(&source(), "rs") {
        let inside = path.strip_prefix(source()).expect("below the source");
        let place = inside.to_string_lossy().into_owned();
        let is_api = place.starts_with("api/");
        // A snippet for people and the tests name addresses too; they never call one.
        let is_text = place == "features/queue/empty.rs";
        assert!(
            is_api || is_text || !text.contains("\"/v1/"),
            "{place} knows an address"
        );
        if place.starts_with("features/") {
            assert!(
                !text.contains("crate::features::"),
                "{place} imports a feature"
            );
        }
        if place.starts_with("components/") {
            assert!(
                !text.contains("api::list") && !text.contains("api::get"),
                "{place} fetches"
            );
        }
    }
}
