//! The pages against the table: complete, escaped, and free of anything that the policy forbids.

use super::*;

#[test]
fn every_route_stands_on_the_page_of_its_noun_and_on_the_first_page() {
    let first = page("index").expect("the first page").text;
    for operation in routes::table() {
        let own = page(operation.noun.slug()).expect("a page per noun").text;
        let anchor = format!("<section id=\"{}\">", operation.id);
        assert!(own.contains(&anchor), "{operation:?} has no section");
        let link = format!("/docs/{}#{}\"", operation.noun.slug(), operation.id);
        assert!(
            first.contains(&link),
            "{operation:?} is not on the first page"
        );
    }
}

#[test]
fn every_link_leads_to_a_page() {
    for (name, (_, text)) in PAGES.iter().filter(|(_, (kind, _))| *kind == HTML) {
        for link in text.split("href=\"").skip(1) {
            let target = link.split(['"', '#']).next().unwrap_or_default();
            let known = match target.strip_prefix("/docs/") {
                Some(page_name) => page(page_name).is_some(),
                None => ["", "/docs", "/openapi.json"].contains(&target),
            };
            assert!(known, "{name} links to {target}, which is no page");
        }
    }
}

#[test]
fn no_page_needs_more_than_the_policy_allows() {
    for (name, (_, text)) in PAGES.iter().filter(|(_, (kind, _))| *kind == HTML) {
        for forbidden in [
            "<script",
            " style=",
            "<style",
            " onclick",
            "<img",
            "javascript:",
            "@import",
        ] {
            assert!(!text.contains(forbidden), "{name} contains {forbidden}");
        }
        let outside = text.matches("=\"http").count();
        assert_eq!(outside, 0, "{name} refers to another host");
    }
}

#[test]
fn texts_are_escaped() {
    assert_eq!(
        html::prose("a `<b>` & <c>"),
        "a <code>&lt;b&gt;</code> &amp; &lt;c&gt;"
    );
    assert_eq!(html::escape("\"'"), "&quot;&#39;");
}
