//! The pages for people, held to the program: every word of a closed set that a page promises to
//! list is there, and every link leads somewhere. The domain's tests read the page of queries.

use std::path::{Component, Path, PathBuf};

use calseta_domain::settings::{Preset, SETTINGS};
use calseta_domain::{ErrorCode, Scope};
use calseta_tests::world::repository_text;

const PAGES: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "docs/api.md",
    "docs/backup.md",
    "docs/delivery.md",
    "docs/differences.md",
    "docs/findings.md",
    "docs/guarantees.md",
    "docs/moving-in.md",
    "docs/network.md",
    "docs/providers.md",
    "docs/query.md",
    "docs/security.md",
    "docs/settings.md",
    "docs/sources.md",
    "docs/triage.md",
    "assets/catalog/examples/README.md",
    "assets/samples/README.md",
    "examples/forward/README.md",
    "examples/agents/python/README.md",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The words that a page does not have between backticks.
fn missing(text: &str, words: impl IntoIterator<Item = String>) -> Vec<String> {
    let listed = |word: &String| text.contains(&format!("`{word}`"));
    words.into_iter().filter(|word| !listed(word)).collect()
}

/// `path` joined to a page's folder, without looking at the disk.
fn beside(page: &str, path: &str) -> PathBuf {
    let mut whole = Path::new(page)
        .parent()
        .map(PathBuf::from)
        .unwrap_or_default();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => drop(whole.pop()),
            Component::Normal(name) => whole.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    whole
}

/// A heading as links name it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().replace(' ', "-")
}

/// The links of a page that lead nowhere in the tree.
fn broken_links(page: &str, text: &str) -> Vec<String> {
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.starts_with("http"))
        .filter(|target| {
            let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() {
                PathBuf::from(page)
            } else {
                beside(page, path)
            };
            let there = root().join(&path);
            let has_anchor = || {
                let text = std::fs::read_to_string(&there).unwrap_or_default();
                let headings = text.lines().filter(|line| line.starts_with('#'));
                headings
                    .map(|line| anchor(line.trim_start_matches('#').trim()))
                    .any(|name| name == fragment)
            };
            !there.exists() || (!fragment.is_empty() && !has_anchor())
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    for page in PAGES {
        let broken = broken_links(page, &repository_text(page));
        assert!(broken.is_empty(), "{page}: {broken:?}");
    }
    let control = broken_links(
        "docs/x.md",
        "[a](gone.md) [b](api.md#gone) [c](api.md#errors)",
    );
    assert_eq!(control, ["gone.md", "api.md#gone"]);
}

#[test]
fn every_page_is_looked_at() {
    let folder = std::fs::read_dir(root().join("docs")).expect("the folder is there");
    for entry in folder {
        let name = entry.expect("readable").file_name();
        let page = format!("docs/{}", name.to_string_lossy());
        let known = PAGES.contains(&page.as_str()) || page == "docs/agent-webhooks.txt";
        assert!(known, "{page} is not in this test's list");
    }
}

#[test]
fn the_page_of_the_api_lists_every_error_and_scope() {
    let text = repository_text("docs/api.md");
    let codes = ErrorCode::ALL.iter().map(ToString::to_string);
    let scopes = Scope::ALL.iter().map(ToString::to_string);
    let missing_words = missing(&text, codes.chain(scopes));
    assert!(missing_words.is_empty(), "{missing_words:?}");
    assert_eq!(missing(&text, ["MADE_UP".to_owned()]), ["MADE_UP"]);
}

#[test]
fn the_page_of_the_settings_lists_each_with_its_default() {
    let text = repository_text("docs/settings.md");
    for setting in SETTINGS {
        let row = format!("| `{}` |", setting.name());
        let row = text.lines().find(|line| line.starts_with(&row));
        let row = row.unwrap_or_else(|| panic!("{} is not in the table", setting.name()));
        let default = match setting.default {
            Preset::Flag(flag) => flag.to_string(),
            Preset::Number(number) => number.to_string(),
            Preset::Text("") => "empty".to_owned(),
            Preset::Text(text) => format!("`{text}`"),
        };
        assert!(
            row.contains(&format!("| {default} |")),
            "{row}: the default is {default}"
        );
    }
}
