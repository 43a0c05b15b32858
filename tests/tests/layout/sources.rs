//! The rules that sources must keep.

use crate::manifests::KEPT;
use crate::tree::{Member, Source, Tree, code_lines, names_crate};

/// Lines a file at the most.
const MAX_LINES: usize = 500;
/// Files that may be longer, each with its reason. None is.
const LONGER: &[(&str, &str)] = &[];
/// Kinds of files that people write and read.
const WRITTEN: &[&str] = &["rs", "css", "sql", "js", "html", "py"];

/// What no pure room may say: the clock, randomness, files, sockets, threads, the environment.
const IMPURE: &[&str] = &[
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "Uuid::now_v7",
    "Uuid::new_v4",
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::env",
    "std::thread",
    "std::process",
    "async fn",
    ".await",
];

/// Types of the store that are written as JSON although it never makes an answer: a list's place
/// travels inside an opaque cursor, and what is asked of a payload is a parameter of its statement.
const SERIALISED: &[&str] = &["Keyset", "KeysetValue", "RawMatch"];

/// Uses of a crate that is another room's, seen in the sources themselves: a re-export would hide
/// it from the manifest.
pub(crate) fn kept_crates(member: &Member) -> Vec<String> {
    let mut found = Vec::new();
    for (name, rooms) in KEPT
        .iter()
        .filter(|(_, rooms)| !rooms.contains(&member.room.as_str()))
    {
        for source in &member.sources {
            for (n, _) in code_lines(&source.text).filter(|(_, line)| names_crate(line, name)) {
                found.push(format!(
                    "{}:{n}: {name} belongs to {}",
                    source.path,
                    rooms.join(", ")
                ));
            }
        }
    }
    found
}

/// Clock, randomness and I/O in a room that must be pure. Its tests may read files.
pub(crate) fn purity(member: &Member) -> Vec<String> {
    if !matches!(member.room.as_str(), "domain" | "contract") {
        return Vec::new();
    }
    let product = |source: &&Source| source.path.contains("/src/");
    let mut found = Vec::new();
    for source in member.sources.iter().filter(product) {
        for (n, line) in code_lines(&source.text) {
            if let Some(word) = IMPURE.iter().find(|word| line.contains(*word)) {
                found.push(format!(
                    "{}:{n}: {} is pure: {word}",
                    source.path, member.room
                ));
            }
        }
    }
    found
}

/// Rows that could be sent as they are: the wire must not depend on the tables.
pub(crate) fn rows(member: &Member) -> Vec<String> {
    if member.room != "store" {
        return Vec::new();
    }
    let mut found = Vec::new();
    for source in &member.sources {
        let mut derived = false;
        for (n, line) in code_lines(&source.text) {
            if line.contains("derive(") {
                derived = line
                    .split([',', '(', ')'])
                    .any(|word| matches!(word.trim(), "Serialize" | "serde::Serialize"));
            }
            let named = line
                .split("struct ")
                .nth(1)
                .or_else(|| line.split("enum ").nth(1));
            let Some(rest) = named else { continue };
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
            if derived && !SERIALISED.contains(&name.as_str()) {
                found.push(format!("{}:{n}: {name} derives Serialize", source.path));
            }
            derived = false;
        }
    }
    found
}

/// Files too long to be read at once.
pub(crate) fn length(source: &Source) -> Option<String> {
    let kind = source.kind();
    let exempt = LONGER.iter().any(|(path, _)| *path == source.path);
    let lines = source.text.lines().count();
    (WRITTEN.contains(&kind) && !exempt && lines >= MAX_LINES)
        .then(|| format!("{}: {lines} lines, the limit is {MAX_LINES}", source.path))
}

/// Markup from strings: alert content is text, never HTML.
pub(crate) fn inner_html(source: &Source) -> Vec<String> {
    if !source.path.starts_with("ui/src/") {
        return Vec::new();
    }
    let lines = code_lines(&source.text).filter(|(_, line)| line.contains("inner_html"));
    lines
        .map(|(n, _)| format!("{}:{n}: inner_html", source.path))
        .collect()
}

/// Colours that the themes do not know.
pub(crate) fn colours(source: &Source) -> Vec<String> {
    let style = source.path.starts_with("ui/")
        && matches!(source.kind(), "css" | "rs")
        && !source.path.ends_with("/tokens.css");
    if !style {
        return Vec::new();
    }
    let lines = code_lines(&source.text).filter(|(_, line)| has_colour(line));
    lines
        .map(|(n, _)| format!("{}:{n}: a colour outside tokens.css", source.path))
        .collect()
}

fn has_colour(line: &str) -> bool {
    let functions = ["rgb(", "rgba(", "hsl(", "hsla("];
    let hex = line.match_indices('#').any(|(at, _)| {
        let rest = &line[at + 1..];
        let digits = rest.chars().take_while(char::is_ascii_hexdigit).count();
        let after = rest.chars().nth(digits);
        matches!(digits, 3 | 4 | 6 | 8)
            && !after.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_')
    });
    // A hex word in a Rust attribute or a text would need a quote or a colon before it too.
    hex && (line.contains(':') || line.contains('"')) || functions.iter().any(|f| line.contains(f))
}

/// The words that would tie the project to one machine or one mirror. Put together here, so that
/// this file does not hold them.
fn machine_words() -> Vec<String> {
    let folders = ["work", "root", "Users", "home"].map(|name| format!("/{name}/"));
    let mirrors = ["index-url", "extra-index", "replace-with"].map(str::to_owned);
    folders.into_iter().chain(mirrors).collect()
}

/// Paths of a machine, mirrors of a registry. Alerts in `assets` tell of other people's machines.
pub(crate) fn machine(source: &Source) -> Vec<String> {
    if source.path.starts_with("assets/") || source.path.starts_with("tests/tests/layout/") {
        return Vec::new();
    }
    let words = machine_words();
    let mut found = Vec::new();
    for (n, line) in source.text.lines().enumerate() {
        // A route of a URL may well be called so; a path of the disk follows no host.
        let word = words.iter().find(|word| {
            line.match_indices(word.as_str()).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                !word.starts_with('/')
                    || !before.is_some_and(|c| c.is_alphanumeric() || "-_}.".contains(c))
            })
        });
        let mirror = line.trim_start().starts_with("source = \"")
            && !line.contains("\"registry+https://github.com/rust-lang/crates.io-index\"")
            && source.path.ends_with("Cargo.lock");
        if word.is_some() || mirror {
            found.push(format!(
                "{}:{}: names a machine or a mirror",
                source.path,
                n + 1
            ));
        }
    }
    found
}

/// All of it.
pub(crate) fn all(tree: &Tree) -> Vec<String> {
    let of_member = |member: &Member| {
        let kept = kept_crates(member).into_iter();
        kept.chain(purity(member))
            .chain(rows(member))
            .collect::<Vec<_>>()
    };
    let of_file = |file: &Source| {
        let texts = inner_html(file).into_iter().chain(colours(file));
        texts
            .chain(machine(file))
            .chain(length(file))
            .collect::<Vec<_>>()
    };
    let members = tree.members.iter().flat_map(of_member);
    members.chain(tree.files.iter().flat_map(of_file)).collect()
}
