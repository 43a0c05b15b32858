//! How well a few typed letters fit a name: the letters in their order, better at the beginnings
//! of words and side by side.

/// A score, higher is better; `None` when the letters are not in the name in their order.
pub(crate) fn fuzzy(typed: &str, name: &str) -> Option<i32> {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let mut score = 0;
    let mut at = 0;
    let mut last = None;
    for letter in typed.to_lowercase().chars().filter(|c| !c.is_whitespace()) {
        let starts =
            |place: usize| place == 0 || name.get(place - 1).is_some_and(|c| !c.is_alphanumeric());
        let rest = || (at..name.len()).filter(|place| name.get(*place) == Some(&letter));
        // Right after the last letter, else at a word's beginning, else anywhere.
        let follows = last
            .map(|place: usize| place + 1)
            .filter(|next| rest().any(|p| p == *next));
        let place = follows
            .or_else(|| rest().find(|place| starts(*place)))
            .or_else(|| rest().next())?;
        score += match () {
            () if follows.is_some() => 12,
            () if starts(place) => 10,
            () => 1,
        };
        last = Some(place);
        at = place + 1;
    }
    // Of two that fit alike the shorter one was meant.
    Some(score * 100 - i32::try_from(name.len()).unwrap_or(i32::MAX / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_fit_in_their_order_only() {
        assert!(fuzzy("gbr", "Group by rule").is_some());
        assert!(fuzzy("rbg", "Group by rule").is_none());
        assert!(fuzzy("", "Anything").is_some());
    }

    #[test]
    fn beginnings_of_words_win() {
        let best = fuzzy("es", "Escalate");
        assert!(best > fuzzy("es", "Facets"));
        assert!(fuzzy("cl", "Close as…") > fuzzy("cl", "Escalate"));
    }
}
