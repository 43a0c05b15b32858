//! From characters to tokens: where a term begins and ends, what is quoted, where the commas are.

use super::error::Fault;
use super::pattern::Pattern;

/// A character of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph {
    pub(super) c: char,
    /// Inside quotes nothing but a star has a meaning of its own.
    pub(super) is_quoted: bool,
    /// A `*`, in quotes too, unless a backslash stands before it there.
    pub(super) is_star: bool,
    /// Where it begins in the query, in bytes.
    pub(super) at: usize,
}

impl Glyph {
    pub(super) fn is(self, c: char) -> bool {
        !self.is_quoted && self.c == c
    }
}

/// A run of characters up to white space or a closing parenthesis.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) glyphs: Vec<Glyph>,
    /// Bytes of the query.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A part of a token that is one value.
#[derive(Debug)]
pub(super) struct Value {
    /// The text without quotes, trimmed.
    pub(super) text: String,
    /// With stars, when there are any.
    pub(super) pattern: Option<Pattern>,
    /// Bytes of the query.
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Value {
    pub(super) fn span(&self) -> (usize, usize) {
        (self.start, self.end)
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.start, self.end, message)
    }

    /// Reads glyphs as one value that ends at byte `end`.
    pub(super) fn read(glyphs: &[Glyph], end: usize) -> Result<Self, Fault> {
        let start = glyphs.first().map_or(end, |glyph| glyph.at);
        let whole: String = glyphs.iter().map(|glyph| glyph.c).collect();
        let text = whole.trim();
        if text.is_empty() {
            let message = "a value is missing here; write it right after the colon or comma";
            return Err(Fault::new(start, end, message));
        }
        let mut pieces: Vec<String> = glyphs
            .split(|glyph| glyph.is_star)
            .map(|piece| piece.iter().map(|glyph| glyph.c).collect())
            .collect();
        if let Some(first) = pieces.first_mut() {
            *first = first.trim_start().to_owned();
        }
        if let Some(last) = pieces.last_mut() {
            *last = last.trim_end().to_owned();
        }
        Ok(Self {
            text: text.to_owned(),
            pattern: Pattern::new(pieces),
            start,
            end,
        })
    }
}

/// Walks through the query.
#[derive(Debug)]
pub(super) struct Scanner<'t> {
    pub(super) text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// Bytes of the query that were read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    pub(super) fn skip(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    pub(super) fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.skip();
        }
    }

    /// The next token. Parentheses inside it belong to it as long as they are balanced, because
    /// `evil(.)com` is one word.
    pub(super) fn token(&mut self) -> Result<Token, Fault> {
        let start = self.at;
        let mut glyphs = Vec::new();
        let mut open = 0_usize;
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.quoted(&mut glyphs)?;
                    continue;
                }
                '(' => open += 1,
                ')' if open == 0 => break,
                ')' => open -= 1,
                c if c.is_whitespace() => break,
                _ => {}
            }
            glyphs.push(Glyph {
                c,
                is_quoted: false,
                is_star: c == '*',
                at: self.at,
            });
            self.skip();
        }
        Ok(Token {
            glyphs,
            start,
            end: self.at,
        })
    }

    fn quoted(&mut self, glyphs: &mut Vec<Glyph>) -> Result<(), Fault> {
        let start = self.at;
        self.skip();
        loop {
            let at = self.at;
            let Some(mut c) = self.peek() else {
                let message = "this quote is not closed; end it with another \"";
                return Err(Fault::new(start, self.text.len(), message));
            };
            self.skip();
            if c == '"' {
                return Ok(());
            }
            let mut is_star = c == '*';
            if c == '\\'
                && let Some(next @ ('"' | '\\' | '*')) = self.peek()
            {
                c = next;
                is_star = false;
                self.skip();
            }
            glyphs.push(Glyph {
                c,
                is_quoted: true,
                is_star,
                at,
            });
        }
    }
}

impl Token {
    /// Whether it is this word, without quotes.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.glyphs.len() == word.len()
            && self.glyphs.iter().zip(word.chars()).all(|(g, c)| g.is(c))
    }

    /// Where the first colon outside quotes is, as an index into the glyphs.
    pub(super) fn colon(&self) -> Option<usize> {
        self.glyphs.iter().position(|glyph| glyph.is(':'))
    }
}

/// The values between the commas of glyphs that end at byte `end`.
pub(super) fn values(glyphs: &[Glyph], end: usize) -> Result<Vec<Value>, Fault> {
    let mut found = Vec::new();
    let mut rest = glyphs;
    while let Some(comma) = rest.iter().position(|glyph| glyph.is(',')) {
        found.push(Value::read(&rest[..comma], rest[comma].at)?);
        rest = &rest[comma + 1..];
    }
    found.push(Value::read(rest, end)?);
    Ok(found)
}
