//! What a pasted text is: one value or a list of them, written plainly or made harmless.

use std::collections::BTreeSet;

use super::{Indicator, IndicatorType, hash_kind, refanged};

/// Values of a pasted list that are recognised; as many as a query takes.
const MAX_VALUES: usize = 64;

/// What a word is, by how it is written: a hash by its length, a link by its scheme, a mail address
/// by its sign, else an address or a domain.
pub fn recognised(word: &str) -> Option<Indicator> {
    let plain = refanged(word.trim());
    let plain = plain.trim();
    if let Some(kind) = hash_kind(plain) {
        return Indicator::new(kind, plain);
    }
    let is_link = plain.contains("://");
    let kinds: &[IndicatorType] = if is_link {
        &[IndicatorType::Url]
    } else if plain.contains('@') {
        &[IndicatorType::Email]
    } else {
        &[IndicatorType::Ip, IndicatorType::Domain]
    };
    let is_name = plain.contains(['.', ':']);
    kinds
        .iter()
        .filter(|_| is_name)
        .find_map(|kind| Indicator::new(*kind, plain))
}

/// The values of a text that is nothing but values, each once; none of one in which words stand
/// between the values: somebody is typing a sentence, or a title.
pub fn pasted(text: &str) -> Vec<Indicator> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c == ',' || c == ';')
        .filter(|word| !word.is_empty())
        .collect();
    let values: BTreeSet<Indicator> = words
        .iter()
        .take(MAX_VALUES)
        .filter_map(|word| recognised(word))
        .collect();
    if words.is_empty() || values.len() * 2 <= words.len() {
        return Vec::new();
    }
    values.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_recognised_plain_and_made_harmless() {
        let value = |text: &str| recognised(text).map(|one| (one.kind, one.value));
        let ip = Some((IndicatorType::Ip, "185.220.101.47".to_owned()));
        assert_eq!(value("185.220.101.47"), ip);
        assert_eq!(value("185[.]220[.]101[.]47"), ip);
        let url = value("hxxp://evil[.]example/x").unwrap();
        assert_eq!(url.0, IndicatorType::Url);
        assert_eq!(url.1, "http://evil.example/x");
        let kinds = [
            ("evil[.]example", IndicatorType::Domain),
            ("who@evil.example", IndicatorType::Email),
            ("d41d8cd98f00b204e9800998ecf8427e", IndicatorType::HashMd5),
        ];
        for (text, kind) in kinds {
            assert_eq!(value(text).map(|one| one.0), Some(kind), "{text}");
        }
        for text in ["impossible", "travel", "x", ""] {
            assert_eq!(value(text), None, "{text}");
        }
    }

    #[test]
    fn a_list_is_values_and_a_sentence_is_not() {
        assert_eq!(pasted("10.0.0.1\nevil[.]example\n10.0.0.2").len(), 3);
        assert!(pasted("travel from 10.0.0.1 seen again").is_empty());
        assert!(pasted(" ").is_empty());
    }
}
