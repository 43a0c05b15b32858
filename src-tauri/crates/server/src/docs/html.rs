//! Escaping, the frame of every page, and the small pieces they share. Every text goes through
//! [`escape`] or [`prose`]; nothing else writes text into a page.

use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::operation::Noun;
use crate::routes;

/// Text as it may stand between tags and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// Text whose parts between backticks are code.
pub(super) fn prose(text: &str) -> String {
    let mut html = String::new();
    for (n, part) in text.split('`').enumerate() {
        let safe = escape(part);
        if n % 2 == 1 {
            write!(html, "<code>{safe}</code>").expect("writing to a String cannot fail");
        } else {
            html.push_str(&safe);
        }
    }
    html
}

/// A block of code.
pub(super) fn code(text: &str) -> String {
    format!("<pre><code>{}</code></pre>", escape(text))
}

/// A table; its cells are HTML already.
pub(super) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let heads: Vec<_> = heads
        .iter()
        .map(|head| format!("<th>{}</th>", escape(head)))
        .collect();
    let heads = heads.concat();
    let mut body = String::new();
    for row in rows {
        let cells: Vec<_> = row.iter().map(|cell| format!("<td>{cell}</td>")).collect();
        let cells = cells.concat();
        writeln!(body, "<tr>{cells}</tr>").expect("writing to a String cannot fail");
    }
    format!(
        "<div class=\"wide\"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )
}

/// The pages that are about no noun.
const TOPICS: &[(&str, &str)] = &[
    ("conventions", "Conventions"),
    ("errors", "Errors"),
    ("limits", "Limits"),
    ("events-and-types", "Event types"),
];

/// The nouns that routes are about.
static NOUNS: LazyLock<Vec<Noun>> = LazyLock::new(|| {
    let table = routes::table();
    let used = |noun: &Noun| table.iter().any(|operation| operation.noun == *noun);
    Noun::ALL.iter().copied().filter(used).collect()
});

/// A whole page around its body, which is HTML.
pub(super) fn frame(slug: &str, title: &str, body: &str) -> String {
    let link = |(to, text): (&str, &str)| {
        let current = if to == slug {
            " aria-current=\"page\""
        } else {
            ""
        };
        format!(
            "<li><a href=\"/docs/{to}\"{current}>{}</a></li>",
            escape(text)
        )
    };
    let topics: String = TOPICS.iter().copied().map(link).collect();
    let nouns: String = NOUNS
        .iter()
        .map(|noun| link((noun.slug(), noun.title())))
        .collect();
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} – Calseta Console API</title>\n\
         <link rel=\"stylesheet\" href=\"/docs/style.css\">\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#page\">Skip to the page</a>\n\
         <nav aria-label=\"Documentation\"><p class=\"brand\"><a href=\"/docs\">Calseta Console</a></p>\n\
         <h2>Basics</h2><ul>{topics}<li><a href=\"/docs/agent-webhooks.txt\">Agent webhooks</a></li>\
         <li><a href=\"/openapi.json\">openapi.json</a></li></ul>\n\
         <h2>Routes</h2><ul>{nouns}</ul></nav>\n\
         <main id=\"page\"><h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )
}
