//! HTML as Markdown: its words and structure, nothing that runs.

use super::Unsupported;

/// The deepest nesting of elements: the converter recurses once a level.
const MAX_NESTING: usize = 512;
/// Elements whose content is no text for people.
const SKIPPED: &[&str] = &[
    "script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "head", "form",
    "canvas", "math",
];
/// Elements that a page may leave open without nesting what follows.
const SELF_CLOSING: &[&str] = &[
    "p", "li", "br", "img", "hr", "td", "th", "tr", "dt", "dd", "option", "meta", "link", "input",
    "col", "area", "base", "wbr", "source", "track", "param", "tbody", "thead", "tfoot", "embed",
];

pub(super) fn convert(page: &str) -> Result<String, Unsupported> {
    if nesting(page) > MAX_NESTING {
        return Err(Unsupported::new(format!(
            "this HTML file nests more than {MAX_NESTING} elements; save it as text"
        )));
    }
    let markdown = htmd::HtmlToMarkdown::builder()
        .skip_tags(SKIPPED.to_vec())
        .scripting_enabled(false)
        .build()
        .convert(page)
        .map_err(|error| Unsupported::new(format!("this HTML file cannot be read: {error}")))?;
    Ok(without_active_links(&markdown))
}

/// How deep elements may be nested, at most: every one that is opened and not closed counts.
fn nesting(page: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for piece in page.split('<').skip(1) {
        if piece.starts_with('/') {
            depth = depth.saturating_sub(1);
            continue;
        }
        let name: String = piece
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .take(16)
            .collect::<String>()
            .to_ascii_lowercase();
        if !name.is_empty() && !SELF_CLOSING.contains(&name.as_str()) {
            depth += 1;
            deepest = deepest.max(depth);
        }
    }
    deepest
}

/// Links keep their text; those that would run something lose their address.
fn without_active_links(markdown: &str) -> String {
    let mut clean = String::with_capacity(markdown.len());
    let mut pieces = markdown.split("](");
    clean.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        clean.push_str("](");
        if runs(piece) {
            clean.push('#');
            let end = piece.find(')').unwrap_or(piece.len());
            clean.push_str(&piece[end..]);
        } else {
            clean.push_str(piece);
        }
    }
    clean
}

/// Whether an address is of a scheme that does more than name a place.
fn runs(address: &str) -> bool {
    let scheme: String = address
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control() && *c != '<')
        .take_while(|c| *c != ':' && *c != ')' && *c != '/')
        .take(20)
        .collect::<String>()
        .to_ascii_lowercase();
    matches!(
        scheme.as_str(),
        "javascript" | "vbscript" | "data" | "file" | "blob"
    )
}
