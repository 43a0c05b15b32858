//! The expression level of the grammar: terms, negation, parentheses, OR.

use super::error::{Fault, QueryError, echo};
use super::lex::{Glyph, Scanner, Token, Value};
use super::{
    Expr, Field, FreeText, Group, MAX_NESTING, MAX_QUERY_BYTES, MAX_TERMS, Query, Sort, Test, terms,
};
use crate::{IndicatorType, Timestamp, field_error, indicator};

impl Query {
    /// Understands a query, or says where it cannot. The empty query is every alert.
    ///
    /// `now` is what `age:<4h`, `today` and `yesterday` are counted from.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, QueryError> {
        Self::parse_if(text, now, |_| None)
    }

    /// Understands a query whose tests are all welcome; `refusal` says why one is not.
    pub(super) fn parse_if(
        text: &str,
        now: Timestamp,
        refusal: fn(&Test) -> Option<&'static str>,
    ) -> Result<Self, QueryError> {
        if text.len() > MAX_QUERY_BYTES {
            let cut = (0..=MAX_QUERY_BYTES)
                .rev()
                .find(|at| text.is_char_boundary(*at));
            let message = format!("the query is longer than {MAX_QUERY_BYTES} bytes; shorten it");
            return Err(Fault::new(cut.unwrap_or(0), text.len(), message).at(text));
        }
        let mut parser = Parser {
            scanner: Scanner::new(text),
            terms: 0,
            sort: None,
            group: None,
            refusal,
        };
        let expr = parser.group(0, None).map_err(|fault| fault.at(text))?;
        Ok(Self {
            expr,
            sort: parser.sort,
            group: parser.group,
            now,
        })
    }
}

struct Parser<'t> {
    scanner: Scanner<'t>,
    terms: usize,
    sort: Option<Sort>,
    group: Option<Group>,
    /// Why a test is not welcome.
    refusal: fn(&Test) -> Option<&'static str>,
}

/// What stands where a term can stand.
enum Item {
    Test(Expr),
    /// `sort:` or `group:`, which restrict nothing.
    View,
    Or,
    And,
}

impl Parser<'_> {
    /// Reads terms up to the end, or up to the parenthesis that closes the one opened at `open`.
    fn group(&mut self, depth: usize, open: Option<usize>) -> Result<Expr, Fault> {
        let mut branches = Vec::new();
        let mut branch = Vec::new();
        loop {
            self.scanner.skip_space();
            let at = self.scanner.at();
            match (self.scanner.peek(), open) {
                (None, None) => return Ok(Expr::all(branch)),
                (None, Some(open)) => {
                    let message = "this parenthesis is not closed; end it with )";
                    return Err(Fault::new(open, at, message));
                }
                (Some(')'), None) => {
                    let message = "this ) closes nothing; take it away or put it in quotes";
                    return Err(Fault::new(at, at + 1, message));
                }
                (Some(')'), Some(open)) => {
                    self.scanner.skip();
                    if branch.is_empty() {
                        let message = "an alternative in these parentheses is empty";
                        return Err(Fault::new(open, self.scanner.at(), message));
                    }
                    branches.push(Expr::all(branch));
                    return Ok(Expr::any(branches));
                }
                (Some(_), _) => {}
            }
            match self.item(depth, at)? {
                Item::Test(expr) => branch.push(expr),
                Item::View | Item::And => {}
                Item::Or if open.is_none() => {
                    let message = "OR stands inside parentheses, like (sev:high OR tag:vip)";
                    return Err(Fault::new(at, self.scanner.at(), message));
                }
                Item::Or if branch.is_empty() => {
                    let message = "there is nothing before this OR";
                    return Err(Fault::new(at, self.scanner.at(), message));
                }
                Item::Or => branches.push(Expr::all(std::mem::take(&mut branch))),
            }
        }
    }

    fn item(&mut self, depth: usize, at: usize) -> Result<Item, Fault> {
        match self.scanner.peek() {
            Some('-') => {
                deeper(depth, at)?;
                self.scanner.skip();
                if self
                    .scanner
                    .peek()
                    .is_none_or(|c| c.is_whitespace() || c == ')')
                {
                    let message = "- needs a term right after it, like -source:splunk";
                    return Err(Fault::new(at, self.scanner.at(), message));
                }
                match self.item(depth + 1, self.scanner.at())? {
                    Item::Test(expr) => Ok(Item::Test(expr.negate())),
                    Item::View | Item::Or | Item::And => {
                        let message = "only a test can be negated, like -source:splunk";
                        Err(Fault::new(at, self.scanner.at(), message))
                    }
                }
            }
            Some('(') => {
                deeper(depth, at)?;
                self.scanner.skip();
                self.group(depth + 1, Some(at)).map(Item::Test)
            }
            _ => {
                let token = self.scanner.token()?;
                self.term(depth, &token)
            }
        }
    }

    fn term(&mut self, depth: usize, token: &Token) -> Result<Item, Fault> {
        if token.is_word("OR") {
            return Ok(Item::Or);
        }
        if token.is_word("AND") {
            return Ok(Item::And);
        }
        if token.is_word("NOT") {
            let message = "write - right before a term to negate it, like -source:splunk";
            return Err(Fault::new(token.start, token.end, message).suggest("-"));
        }
        self.terms += 1;
        if self.terms > MAX_TERMS {
            let message = format!("the query has more than {MAX_TERMS} terms; take some away");
            return Err(Fault::new(token.start, token.end, message));
        }
        match head(token)? {
            Head::Text => self.welcome(text(token)?, token),
            Head::Raw { path, rest } => {
                self.welcome(terms::raw(path, &token.glyphs[rest..], token)?, token)
            }
            Head::Field { field, rest } => self.field(depth, field, rest, token),
        }
    }

    fn welcome(&self, test: Test, token: &Token) -> Result<Item, Fault> {
        match (self.refusal)(&test) {
            None => Ok(Item::Test(Expr::Test(test))),
            Some(message) => Err(Fault::new(token.start, token.end, message)),
        }
    }

    fn field(
        &mut self,
        depth: usize,
        field: Field,
        rest: usize,
        token: &Token,
    ) -> Result<Item, Fault> {
        let glyphs = &token.glyphs[rest..];
        if !matches!(field, Field::Sort | Field::Group) {
            return self.welcome(terms::test(field, glyphs, token)?, token);
        }
        let fault = |message: String| Err(Fault::new(token.start, token.end, message));
        if depth > 0 {
            return fault(format!("{field}: stands outside parentheses"));
        }
        let is_second = match field {
            Field::Sort => self.sort.replace(terms::sort(glyphs, token)?).is_some(),
            _ => self.group.replace(terms::group(glyphs, token)?).is_some(),
        };
        if is_second {
            return fault(format!("{field}: is there twice; keep one of them"));
        }
        Ok(Item::View)
    }
}

fn deeper(depth: usize, at: usize) -> Result<(), Fault> {
    if depth < MAX_NESTING {
        return Ok(());
    }
    let message = format!(
        "parentheses and negations are nested more than {MAX_NESTING} deep; take some away"
    );
    Err(Fault::new(at, at + 1, message))
}

/// How a token begins.
pub(super) enum Head {
    Text,
    /// `rest` is where the test begins, after the colon.
    Field {
        field: Field,
        rest: usize,
    },
    Raw {
        path: String,
        rest: usize,
    },
}

pub(super) fn head(token: &Token) -> Result<Head, Fault> {
    let Some(colon) = token.colon() else {
        return Ok(Head::Text);
    };
    let name_glyphs = &token.glyphs[..colon];
    let name: String = name_glyphs.iter().map(|glyph| glyph.c).collect();
    let prefix = name_glyphs.iter().take(4);
    let is_raw = prefix.clone().count() == 4
        && prefix
            .zip("raw.".chars())
            .all(|(glyph, c)| !glyph.is_quoted && glyph.c.eq_ignore_ascii_case(&c));
    if is_raw {
        return terms::raw_path(&name[4..], token, colon).map(|path| Head::Raw {
            path,
            rest: colon + 1,
        });
    }
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name_glyphs.iter().all(|glyph| {
            !glyph.is_quoted && (glyph.c.is_ascii_alphanumeric() || matches!(glyph.c, '_' | '-'))
        });
    if !is_name {
        return Ok(Head::Text);
    }
    if let Some(field) = Field::named(&name) {
        return Ok(Head::Field {
            field,
            rest: colon + 1,
        });
    }
    if is_address(&token.glyphs[colon + 1..], token) {
        return Ok(Head::Text);
    }
    let end = token.glyphs[colon].at;
    let message = format!(
        "there is no field {:?}; put it in quotes to search for it as text",
        echo(&name)
    );
    let mut fault = Fault::new(token.start, end, message);
    fault.did_you_mean = field_error::nearest(&name, &Field::names());
    Err(fault)
}

/// Whether a token that looks like an unknown field is a URL, an IPv6 address or a MAC address,
/// which people paste as they are.
fn is_address(after_colon: &[Glyph], token: &Token) -> bool {
    let begins_url = after_colon.len() > 2 && after_colon[..2].iter().all(|glyph| glyph.c == '/');
    let whole: String = token.glyphs.iter().map(|glyph| glyph.c).collect();
    let is_hex = whole.matches(':').count() >= 2
        && whole
            .chars()
            .all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '.' | '%'));
    begins_url || is_hex || indicator::canonical(IndicatorType::Ip, &whole).is_some()
}

fn text(token: &Token) -> Result<Test, Fault> {
    // A phrase is searched for as it stands: a star in its quotes is one of its characters.
    let as_written = |glyph: &Glyph| Glyph {
        is_star: glyph.is_star && !glyph.is_quoted,
        ..*glyph
    };
    let glyphs: Vec<Glyph> = token.glyphs.iter().map(as_written).collect();
    let value = Value::read(&glyphs, token.end)?;
    let (raw, is_prefix) = match value.pattern.as_ref().map(super::Pattern::pieces) {
        None => (value.text.as_str(), false),
        Some([first, last]) if last.is_empty() => (first.as_str(), true),
        Some(_) => {
            let message = "a plain word may only end in *; for another place name a field, like \
                           title:*word* or ind:*.evil.tld, or put the word in quotes";
            return Err(value.fault(message));
        }
    };
    let text = indicator::refanged(raw.trim()).into_owned();
    if !text.contains(char::is_alphanumeric) {
        return Err(value.fault("there is no letter or digit to search for"));
    }
    Ok(Test::Text(FreeText { text, is_prefix }))
}
