//! The filter bar's text, without the bar: candidates put in, stretches to paint, cursors counted.

use calseta_contract::search::{Candidate, CompletionView};
use calseta_domain::query;

/// A text with a candidate put in, and where the cursor is then, in characters.
pub(super) fn taken(
    text: &str,
    completion: &CompletionView,
    candidate: &Candidate,
) -> (String, usize) {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let before: String = text.chars().take(place(completion.start)).collect();
    let after: String = text.chars().skip(place(completion.end)).collect();
    // A field waits for its value, anything else is followed by the next term.
    let is_open = candidate.text.ends_with([':', '.']);
    let gap = if is_open || after.starts_with(' ') {
        ""
    } else {
        " "
    };
    let head = format!("{before}{}{gap}", candidate.text);
    let at = head.chars().count();
    (format!("{head}{after}"), at)
}

/// The text in stretches: gaps, terms, and what is wrong; by byte offsets.
pub(super) fn pieces(text: &str, wrong: Option<(usize, usize)>) -> Vec<(&'static str, String)> {
    let chips = query::chips(text);
    let mut cuts: Vec<usize> = vec![0, text.len()];
    cuts.extend(
        chips
            .iter()
            .flat_map(|chip| [chip.span.start, chip.span.end]),
    );
    cuts.extend(wrong.into_iter().flat_map(|(start, end)| [start, end]));
    cuts.retain(|at| *at <= text.len() && text.is_char_boundary(*at));
    cuts.sort_unstable();
    cuts.dedup();
    let kind = |start: usize, end: usize| {
        if wrong.is_some_and(|(from, to)| start >= from && end <= to) {
            "query__piece query__piece--wrong"
        } else if chips
            .iter()
            .any(|chip| start >= chip.span.start && end <= chip.span.end)
        {
            "query__piece query__piece--term"
        } else {
            "query__piece"
        }
    };
    cuts.windows(2)
        .filter_map(|pair| {
            let (start, end) = (*pair.first()?, *pair.last()?);
            Some((kind(start, end), text.get(start..end)?.to_owned()))
        })
        .collect()
}

/// Browsers count UTF-16 units, the grammar counts characters.
pub(super) fn chars_of_units(text: &str, units: usize) -> usize {
    let mut seen = 0;
    text.chars()
        .take_while(|c| {
            seen += c.len_utf16();
            seen <= units
        })
        .count()
}

/// The way back.
pub(super) fn units_of_chars(text: &str, chars: usize) -> usize {
    text.chars().take(chars).map(char::len_utf16).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_replaces_the_part_that_it_completes() {
        let completion = CompletionView {
            start: 7,
            end: 9,
            candidates: Vec::new(),
        };
        let word = |text: &str| Candidate {
            text: text.to_owned(),
            label: String::new(),
            count: None,
        };
        let (text, at) = taken("status:op sev:high", &completion, &word("open"));
        assert_eq!((text.as_str(), at), ("status:open sev:high", 11));
        let (text, _) = taken("status:op", &completion, &word("open"));
        assert_eq!(text, "status:open ");
    }

    #[test]
    fn what_is_wrong_is_a_stretch_of_its_own_and_nothing_is_lost() {
        let text = "status:open sev:hihg";
        let all = pieces(text, Some((16, 20)));
        assert_eq!(
            all.iter()
                .map(|(_, text)| text.as_str())
                .collect::<String>(),
            text
        );
        assert!(all.contains(&("query__piece query__piece--wrong", "hihg".to_owned())));
    }

    #[test]
    fn letters_outside_the_first_plane_are_counted_twice_by_browsers() {
        assert_eq!(units_of_chars("🦀a", 1), 2);
        assert_eq!(chars_of_units("🦀ab", 3), 2);
    }
}
