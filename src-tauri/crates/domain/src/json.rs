//! What a JSON text must be before anything looks at it: shallow, whole, without NUL.
//!
//! The depth is counted by a scanner that does not recurse, so a million brackets cost a million
//! steps and no stack. Everything else is left to `serde_json`, which the scanner agrees with.

use serde_json::Value;

/// The deepest nesting of arrays and objects that is accepted.
pub const MAX_DEPTH: usize = 64;

/// Why a JSON text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonRefusal {
    /// It is no JSON. Line and column count from 1.
    #[error("{message} at line {line} column {column}")]
    Syntax {
        /// What was expected.
        message: String,
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("the JSON is nested deeper than {max} levels; send a flatter document")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// It holds a NUL character, which no store keeps faithfully.
    #[error("the JSON holds a NUL character (\\u0000); remove it")]
    Nul,
    /// It is JSON, but no object.
    #[error("the body must be a JSON object: {{…}}")]
    NotAnObject,
}

/// The text of a body, without a byte order mark (some shells send one), checked by [`check`].
pub fn text(bytes: &[u8]) -> Result<&str, JsonRefusal> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes)
        .map_err(|e| syntax(bytes, e.valid_up_to(), "the body is not UTF-8"))?;
    check(text)?;
    Ok(text)
}

/// Refuses what is too deep or holds NUL or a lone surrogate. The rest of the grammar is for the
/// parser.
pub fn check(text: &str) -> Result<(), JsonRefusal> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            0 => return Err(JsonRefusal::Nul),
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(JsonRefusal::TooDeep { max: MAX_DEPTH });
                }
            }
            // More closing than opening brackets are the parser's to refuse.
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => at = check_string(bytes, at)?,
            _ => {}
        }
    }
    Ok(())
}

/// Scans a string from after its opening quote; returns where the text after it begins.
fn check_string(bytes: &[u8], mut at: usize) -> Result<usize, JsonRefusal> {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            0 => return Err(JsonRefusal::Nul),
            b'"' => return Ok(at + 1),
            b'\\' if bytes.get(at + 1) == Some(&b'u') => at = check_unicode_escape(bytes, at)?,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    Ok(at)
}

/// Judges the `\uXXXX` at `at`, with its low half when it is a pair; returns where to go on.
fn check_unicode_escape(bytes: &[u8], at: usize) -> Result<usize, JsonRefusal> {
    match escape_at(bytes, at) {
        Some(0) => Err(JsonRefusal::Nul),
        Some(0xD800..=0xDBFF) => match escape_at(bytes, at + 6) {
            Some(0xDC00..=0xDFFF) => Ok(at + 12),
            _ => Err(syntax(bytes, at, "a lone surrogate escape")),
        },
        Some(0xDC00..=0xDFFF) => Err(syntax(bytes, at, "a lone surrogate escape")),
        Some(_) => Ok(at + 6),
        // Not four hexadecimal digits: the parser's to refuse.
        None => Ok(at + 2),
    }
}

fn escape_at(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0_u16, |unit, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(digit).ok()?)
    })
}

/// Parses a body of any JSON type. Never panics; a number that no f64 holds is refused.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonRefusal> {
    let text = text(bytes)?;
    if text.trim_ascii().is_empty() {
        return Err(syntax(b"", 0, "the body is empty; JSON was expected"));
    }
    serde_json::from_str(text).map_err(|e| from_serde(&e))
}

/// Parses a body that must be an object.
pub fn parse_object(bytes: &[u8]) -> Result<Value, JsonRefusal> {
    let value = parse(bytes)?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(JsonRefusal::NotAnObject)
    }
}

/// A `serde_json` syntax error in our words: its message without the position it repeats.
pub fn from_serde(error: &serde_json::Error) -> JsonRefusal {
    let whole = error.to_string();
    let message = whole
        .split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned();
    JsonRefusal::Syntax {
        message,
        line: error.line().max(1),
        column: error.column().max(1),
    }
}

fn syntax(bytes: &[u8], at: usize, message: &str) -> JsonRefusal {
    let before = &bytes[..at.min(bytes.len())];
    let line_start = before
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |n| n + 1);
    JsonRefusal::Syntax {
        message: message.to_owned(),
        line: before.split(|b| *b == b'\n').count(),
        column: 1 + before.len() - line_start,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn depth_64_passes_and_65_does_not() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(
            parse(nested(MAX_DEPTH + 1).as_bytes()),
            Err(JsonRefusal::TooDeep { max: MAX_DEPTH })
        );
    }

    #[test]
    fn a_million_levels_are_refused_without_recursion() {
        let bomb = r#"{"a":"#.repeat(1_000_000);
        assert_eq!(
            parse(bomb.as_bytes()),
            Err(JsonRefusal::TooDeep { max: MAX_DEPTH })
        );
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        let text = format!(r#"{{"a":"{}\"{}"}}"#, "[".repeat(200), "{".repeat(200));
        assert!(parse(text.as_bytes()).is_ok());
    }

    #[test]
    fn nul_is_refused_in_every_spelling() {
        let texts: [&[u8]; 5] = [
            b"\"\0\"",
            b"{\0}",
            br#""\u0000""#,
            br#"{"\u0000":1}"#,
            br#"["a\\\u0000"]"#,
        ];
        for text in texts {
            assert_eq!(
                parse(text),
                Err(JsonRefusal::Nul),
                "{}",
                text.escape_ascii()
            );
        }
        assert!(
            parse(br#""\\u0000""#).is_ok(),
            "an escaped backslash is no escape"
        );
    }

    #[test]
    fn what_cannot_be_held_is_a_clean_refusal() {
        let texts: [&[u8]; 9] = [
            b"",
            b"  ",
            b"1e400",
            br#""\ud800""#,
            br#""\udc00\ud800""#,
            br#""\ud800\u0041""#,
            b"{",
            b"\xff",
            br#"{"a":1"#,
        ];
        for text in texts {
            assert!(
                matches!(parse(text), Err(JsonRefusal::Syntax { .. })),
                "{}",
                text.escape_ascii()
            );
        }
        assert!(parse(br#""\ud83d\ude00""#).is_ok());
    }

    #[test]
    fn a_byte_order_mark_is_tolerated_and_positions_are_told() {
        assert!(parse_object(b"\xef\xbb\xbf{}").is_ok());
        assert_eq!(parse_object(b"[]"), Err(JsonRefusal::NotAnObject));
        let Err(JsonRefusal::Syntax { line, message, .. }) = parse(b"{\n\"a\": nope}") else {
            panic!("not JSON");
        };
        assert_eq!(line, 2);
        assert!(
            !message.contains("line"),
            "the position is not said twice: {message}"
        );
    }

    fn depth(text: &str) -> usize {
        let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
        for c in text.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' if in_string => escaped = true,
                '"' => in_string = !in_string,
                '[' | '{' if !in_string => depth += 1,
                ']' | '}' if !in_string => depth = depth.saturating_sub(1),
                _ => {}
            }
            deepest = deepest.max(depth);
        }
        deepest
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn the_scanner_agrees_with_serde_json(text in r#"[\[\]{}":,\\u0d8cC1eE.a\-tnrfls ]{0,40}"#) {
            let theirs = serde_json::from_str::<Value>(&text);
            match parse(text.as_bytes()) {
                Ok(value) => prop_assert_eq!(Some(value), theirs.ok()),
                Err(JsonRefusal::Syntax { .. }) => prop_assert!(theirs.is_err()),
                Err(JsonRefusal::Nul) => prop_assert!(text.contains("\\u0000")),
                Err(JsonRefusal::TooDeep { .. }) => prop_assert!(depth(&text) > MAX_DEPTH),
                Err(JsonRefusal::NotAnObject) => prop_assert!(false, "parse takes any type"),
            }
        }

        #[test]
        fn what_was_serialised_is_read_back(text in "\\PC{0,60}", n in any::<i64>()) {
            let value = serde_json::json!({ "text": [text], "n": n });
            prop_assert_eq!(parse(value.to_string().as_bytes()), Ok(value));
        }
    }
}
