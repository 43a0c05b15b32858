//! What a finding cites, each held against what is stored.

use calseta_contract::finding::{Citation, CitationCheck, FindingView, Verification};
use leptos::prelude::*;
use serde_json::Value;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;

use crate::text::{clip, visible};

/// A stored or claimed value is cut to this many characters.
const VALUE_CHARS: usize = 120;

/// How one citation turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Matches,
    Differs,
    NotFound,
    NotVerifiable,
}

impl Mark {
    /// From the wire's word; a word that is not known verifies nothing.
    pub(super) fn of(check: Option<&CitationCheck>) -> Self {
        match check.map(|check| check.state.as_str()) {
            Some("matches") => Self::Matches,
            Some("differs") => Self::Differs,
            Some("not_found") => Self::NotFound,
            _ => Self::NotVerifiable,
        }
    }

    /// Its sign.
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Matches => "✓",
            Self::Differs => "≠",
            Self::NotFound => "?",
            Self::NotVerifiable => "—",
        }
    }

    /// Its word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Matches => "matches",
            Self::Differs => "differs",
            Self::NotFound => "not found",
            Self::NotVerifiable => "not verifiable",
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Matches => "cited__mark cited__mark--ok",
            Self::Differs => "cited__mark cited__mark--danger",
            Self::NotFound => "cited__mark cited__mark--warn",
            Self::NotVerifiable => "cited__mark",
        }
    }
}

/// `5 of 6 verified · 1 differs`; nothing when nothing is cited.
pub(super) fn verified(counts: Verification) -> Option<(String, bool)> {
    let all = counts.matches + counts.differs + counts.not_found + counts.not_verifiable;
    if all == 0 {
        return None;
    }
    let mut said = vec![format!("{} of {all} verified", counts.matches)];
    for (count, word) in [(counts.differs, "differs"), (counts.not_found, "not found")] {
        if count > 0 {
            said.push(format!("{count} {word}"));
        }
    }
    Some((said.join(" · "), counts.differs + counts.not_found > 0))
}

/// Every citation with its mark.
#[component]
pub(super) fn Evidence(finding: FindingView) -> impl IntoView {
    let mut checks = finding.citation_checks.into_iter();
    let lines: Vec<AnyView> = finding
        .citations
        .into_iter()
        .map(|citation| line(&citation, checks.next()).into_any())
        .collect();
    (!lines.is_empty()).then(|| {
        view! {
            <h3 class="finding__title">"Evidence"</h3>
            <ul class="cited">{lines}</ul>
        }
    })
}

fn line(citation: &Citation, check: Option<CitationCheck>) -> impl IntoView {
    let mark = Mark::of(check.as_ref());
    let said = check
        .as_ref()
        .map(|check| visible(&check.text).into_owned());
    let stored = check
        .filter(|_| mark == Mark::Differs)
        .and_then(|check| check.stored)
        .map(|stored| (value(citation.expected.as_ref()), value(Some(&stored))));
    let claim = visible(&citation.claim).into_owned();
    view! {
        <li class="cited__line">
            <span class=mark.class() role="img" aria-label=mark.word() title=said>
                {mark.sign()}
            </span>
            <span class="cited__claim">
                {claim}
                {stored
                    .map(|(said, stored)| {
                        view! {
                            <span class="cited__stored">
                                "says " <span class="mono">{said}</span> ", stored is "
                                <strong class="mono">{stored}</strong>
                            </span>
                        }
                    })}
            </span>
            {place(citation)}
        </li>
    }
}

/// Where the datum stands, with the way there when it is on this page.
fn place(citation: &Citation) -> Option<AnyView> {
    let reference = citation.reference.as_ref()?;
    let path = reference
        .raw_pointer
        .clone()
        .or_else(|| reference.path.clone());
    let shown = clip(&visible(&path.unwrap_or_default()), VALUE_CHARS);
    let target = if let Some(indicator) = reference.indicator_uuid {
        format!("indicator-{indicator}")
    } else if let Some(document) = reference.document_uuid {
        format!("document-{document}")
    } else if reference.raw_pointer.is_some() {
        "section-9".to_owned()
    } else {
        return (!shown.is_empty())
            .then(|| view! { <code class="cited__place">{shown}</code> }.into_any());
    };
    let label = if shown.is_empty() {
        "show".to_owned()
    } else {
        shown
    };
    let go = move |_| show(&target);
    Some(
        view! {
            <button type="button" class="cited__place mono" title="Show where it stands" on:click=go>
                {label}
            </button>
        }
        .into_any(),
    )
}

/// Unfolds the section of an element and goes there.
fn show(id: &str) {
    let Some(element) = document().get_element_by_id(id) else {
        return;
    };
    if let Ok(Some(details)) = element.closest("details") {
        // An attribute of the page's own element can always be set.
        let _ = details.set_attribute("open", "");
    }
    element.scroll_into_view();
    if let Ok(element) = element.dyn_into::<HtmlElement>() {
        // What takes no focus is at least seen.
        let _ = element.focus();
    }
}

fn value(value: Option<&Value>) -> String {
    let text = match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    clip(&visible(&text), VALUE_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_counts_what_was_verified_and_what_was_not() {
        assert_eq!(verified(Verification::default()), None);
        let counts = Verification {
            matches: 1,
            differs: 1,
            not_found: 1,
            not_verifiable: 0,
        };
        let said = "1 of 3 verified · 1 differs · 1 not found".to_owned();
        assert_eq!(verified(counts), Some((said, true)));
    }

    #[test]
    fn a_state_that_is_not_known_verifies_nothing() {
        let check = CitationCheck {
            state: "surely".to_owned(),
            stored: None,
            text: String::new(),
        };
        assert_eq!(Mark::of(Some(&check)), Mark::NotVerifiable);
        assert_eq!(Mark::of(None), Mark::NotVerifiable);
    }
}
