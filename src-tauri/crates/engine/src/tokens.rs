//! How many tokens a text is for a language model: an estimate, because models differ.
//!
//! The vocabulary is one of the common ones and costs most of a second to read, so it is read when
//! it is first asked for, outside the async threads. Texts are hostile: they are counted in short
//! pieces, because a long run of one character would otherwise take time by its square, and a very
//! long text is counted in part.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Bytes that are counted as one piece; a token is cut at the end of each.
const PIECE_BYTES: usize = 1_024;
/// Bytes of a text that are counted; what follows is taken to be alike.
const MAX_COUNTED_BYTES: usize = 1024 * 1024;
/// Bytes of an ordinary token, for what cannot be counted.
const BYTES_PER_TOKEN: usize = 4;

/// The tokens of a text. Blocks for up to a second.
pub(crate) fn count(text: &str) -> u64 {
    let counted = &text[..floor(text, MAX_COUNTED_BYTES)];
    let tokens = pieces(counted).map(of_piece).sum::<usize>() as u64;
    if counted.len() == text.len() {
        return tokens;
    }
    let (whole, part) = (text.len() as u64, counted.len() as u64);
    tokens.saturating_mul(whole) / part.max(1)
}

fn of_piece(piece: &str) -> usize {
    let vocabulary = tiktoken_rs::o200k_base_singleton();
    // The library's splitting may give up on a text; that must not end the request.
    catch_unwind(AssertUnwindSafe(|| vocabulary.encode_ordinary(piece).len()))
        .unwrap_or_else(|_| piece.len().div_ceil(BYTES_PER_TOKEN))
}

/// The last place at or before `at` where a character begins.
fn floor(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    (0..=at)
        .rev()
        .find(|place| text.is_char_boundary(*place))
        .unwrap_or(0)
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = rest.split_at(floor(rest, PIECE_BYTES));
        rest = after;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_about_a_token_each_and_hostile_texts_end() {
        assert_eq!(count(""), 0);
        let sentence = count("The quick brown fox jumps over the lazy dog.");
        assert!((8..=12).contains(&sentence), "{sentence}");
        assert!(count(&"a".repeat(200_000)) > 1_000);
        assert!(count(&"é😀".repeat(2_000)) > 100);
    }

    #[test]
    fn what_is_not_counted_is_taken_to_be_alike() {
        let line = "user=alice action=logon result=failure\n";
        let whole = count(&line.repeat(40_000));
        let tenth = count(&line.repeat(4_000));
        assert!(whole > tenth * 9 && whole < tenth * 11, "{whole} {tenth}");
    }
}
