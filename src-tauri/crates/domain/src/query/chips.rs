//! What a filter bar needs of a query's text: its terms as chips, and edits that leave everything
//! they do not mean as it was written.
//!
//! A chip is found by the lexer alone, so that a text with a mistake in one term still has its
//! other terms. `facet` toggles values inside a term; read `parse` for what the terms mean.

use super::lex::{Glyph, Scanner, Token};
use super::parse::{Head, head};
use super::{Field, Group, QueryError, Sort, Span};

/// One term at the top of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    /// Where it stands, its sign included.
    pub span: Span,
    /// As it was written, its sign included.
    pub text: String,
    /// What it tests; `None` for plain words, alternatives in parentheses and unknown fields.
    pub field: Option<Field>,
    /// Whether an odd number of `-` stands before it.
    pub is_negated: bool,
}

/// The terms of a query in their order; a top-level `AND` means nothing and is no chip. Takes any
/// text, also one that the parser refuses: the chips then cover what can be told apart.
pub fn chips(text: &str) -> Vec<Chip> {
    let mut scanner = Scanner::new(text);
    let mut found = Vec::new();
    let mut place = Place::default();
    loop {
        scanner.skip_space();
        let start = scanner.at();
        if scanner.peek().is_none() {
            return found;
        }
        let mut signs = 0_usize;
        while scanner.peek() == Some('-') {
            scanner.skip();
            signs += 1;
        }
        let token = match scanner.peek() {
            Some('(') => {
                skip_group(&mut scanner);
                None
            }
            _ => token_or_rest(&mut scanner),
        };
        if scanner.at() == start {
            // A parenthesis that closes nothing.
            scanner.skip();
        }
        let is_and = signs == 0 && token.as_ref().is_some_and(|token| token.is_word("AND"));
        if is_and {
            continue;
        }
        found.push(Chip {
            span: place.span(text, start, scanner.at()),
            text: text[start..scanner.at()].to_owned(),
            field: token.as_ref().and_then(field_of),
            is_negated: signs % 2 == 1,
        });
    }
}

/// The query without the part at a span, and without the space that parted it from the rest. A
/// span that is not of this text changes nothing.
pub fn without(text: &str, span: Span) -> String {
    let (Some(before), Some(after)) = (text.get(..span.start), text.get(span.end..)) else {
        return text.to_owned();
    };
    let after = after.trim_start();
    if after.is_empty() {
        before.trim_end().to_owned()
    } else {
        format!("{before}{after}")
    }
}

/// The query with another text for the part at a span; an empty one takes the part away. A span
/// that is not of this text changes nothing.
pub fn replaced(text: &str, span: Span, with: &str) -> String {
    let with = with.trim();
    if with.is_empty() {
        return without(text, span);
    }
    match (text.get(..span.start), text.get(span.end..)) {
        (Some(before), Some(after)) => format!("{before}{with}{after}"),
        _ => text.to_owned(),
    }
}

/// The query and one more term, which is not added when it stands there already.
pub fn with_term(text: &str, term: &str) -> String {
    let (base, term) = (text.trim_end(), term.trim());
    let is_there = chips(text).iter().any(|chip| chip.text == term);
    match (base.is_empty(), term.is_empty() || is_there) {
        (_, true) => text.to_owned(),
        (true, false) => term.to_owned(),
        (false, false) => format!("{base} {term}"),
    }
}

/// The query in another order; `None` takes `sort:` away. Every other term stays.
pub fn with_sort(text: &str, sort: Option<&Sort>) -> String {
    let term = sort.map(ToString::to_string).unwrap_or_default();
    with_view(text, Field::Sort, &term)
}

/// The query with another grouping; `None` takes `group:` away. Every other term stays.
pub fn with_group(text: &str, group: Option<Group>) -> String {
    let term = group.map(|group| format!("group:{group}"));
    with_view(text, Field::Group, &term.unwrap_or_default())
}

/// The query with what its error suggests; `None` when it suggests nothing.
pub fn corrected(text: &str, error: &QueryError) -> Option<String> {
    let instead = error.did_you_mean.as_deref()?;
    let before = text.get(..error.span.start)?;
    let mut after = text.get(error.span.end..)?;
    if instead == "-" {
        // `NOT x` becomes `-x`.
        after = after.trim_start();
    }
    Some(format!("{before}{instead}{after}"))
}

/// The first term of the field becomes this one, further ones go away.
fn with_view(text: &str, field: Field, term: &str) -> String {
    let places: Vec<Span> = chips(text)
        .into_iter()
        .filter(|chip| chip.field == Some(field))
        .map(|chip| chip.span)
        .collect();
    let Some((first, others)) = places.split_first() else {
        return with_term(text, term);
    };
    let mut text = text.to_owned();
    // From the end, so that the spans before stay true.
    for span in others.iter().rev() {
        text = without(&text, *span);
    }
    replaced(&text, *first, term)
}

/// Counts characters once while the places of a text are named from left to right.
#[derive(Default)]
struct Place {
    at: usize,
    at_char: usize,
}

impl Place {
    fn span(&mut self, text: &str, start: usize, end: usize) -> Span {
        let start_char = self.at_char + text[self.at..start].chars().count();
        let end_char = start_char + text[start..end].chars().count();
        (self.at, self.at_char) = (end, end_char);
        Span {
            start,
            end,
            start_char,
            end_char,
        }
    }
}

/// A token; `None` and everything that is left when a quote in it is not closed.
fn token_or_rest(scanner: &mut Scanner<'_>) -> Option<Token> {
    let token = scanner.token();
    if token.is_err() {
        while scanner.peek().is_some() {
            scanner.skip();
        }
    }
    token.ok()
}

/// Goes behind the parenthesis that closes the one that stands here, or to the end.
fn skip_group(scanner: &mut Scanner<'_>) {
    let mut depth = 0_usize;
    loop {
        scanner.skip_space();
        match scanner.peek() {
            None => return,
            Some('(') => {
                depth += 1;
                scanner.skip();
            }
            Some(')') => {
                depth -= 1;
                scanner.skip();
                if depth == 0 {
                    return;
                }
            }
            Some('-') => scanner.skip(),
            Some(_) => {
                token_or_rest(scanner);
            }
        }
    }
}

fn field_of(token: &Token) -> Option<Field> {
    let is_quoted = token
        .glyphs
        .first()
        .is_some_and(|glyph: &Glyph| glyph.is_quoted);
    match head(token).ok()? {
        Head::Field { field, .. } => Some(field),
        Head::Raw { .. } if !is_quoted => Some(Field::Raw),
        Head::Raw { .. } | Head::Text => None,
    }
}
