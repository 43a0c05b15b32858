//! Hostile text made harmless to the eye.
//!
//! The page never interprets alert content, but a right-to-left override or a zero-width character
//! can still make `gpj.exe` read as `exe.jpg`. Every such character is shown as what it is.

use std::borrow::Cow;
use std::fmt::Write as _;

/// One line: line breaks and tabs become their control pictures too.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    shown(text, false)
}

/// Several lines: line feeds and tabs stay, a carriage return before a line feed goes.
pub(crate) fn visible_lines(text: &str) -> Cow<'_, str> {
    shown(text, true)
}

fn shown(text: &str, lines: bool) -> Cow<'_, str> {
    let keeps = |c: char| lines && (c == '\n' || c == '\t');
    if !text.chars().any(|c| is_hidden(c) && !keeps(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if keeps(c) || !is_hidden(c) {
            out.push(c);
        } else if lines && c == '\r' && rest.peek() == Some(&'\n') {
            // A Windows line end is a line end, not something hidden.
        } else {
            mark(&mut out, c);
        }
    }
    Cow::Owned(out)
}

fn mark(out: &mut String, c: char) {
    let code = u32::from(c);
    let picture = match code {
        0..=0x1f => char::from_u32(0x2400 + code),
        0x7f => Some('\u{2421}'),
        _ => None,
    };
    if let Some(picture) = picture {
        out.push(picture);
    } else {
        // Writing into a String cannot fail.
        let _ = write!(out, "⟨U+{code:04X}⟩");
    }
}

/// Characters that are invisible, reorder their neighbours or break lines.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}'
        | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(visible("Übermäßig 失败 🦀"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_right_to_left_override_cannot_disguise_a_file_name() {
        assert_eq!(visible("invoice\u{202e}gpj.exe"), "invoice⟨U+202E⟩gpj.exe");
    }

    #[test]
    fn zero_width_and_tag_characters_are_shown() {
        assert_eq!(visible("a\u{200b}b\u{e0041}"), "a⟨U+200B⟩b⟨U+E0041⟩");
    }

    #[test]
    fn control_characters_become_pictures() {
        assert_eq!(visible("a\u{0}\u{1b}[31m\u{7f}\n"), "a␀␛[31m␡␊");
        assert_eq!(visible("\u{85}"), "⟨U+0085⟩");
    }

    #[test]
    fn lines_stay_lines_where_they_are_wanted() {
        assert_eq!(visible_lines("a\r\nb\tc\rd"), "a\nb\tc␍d");
        assert_eq!(visible("a\nb"), "a␊b");
    }
}
