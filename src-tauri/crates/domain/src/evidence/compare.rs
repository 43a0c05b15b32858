//! When a cited and a stored value are the same.
//!
//! - Numbers by value, also when one of both is written as a text (`47`, `"47"`, `47.0`, `"47 %"`).
//! - Texts letter by letter without the space around them; texts of letters only in any case; hosts,
//!   addresses, URLs, e-mails and hashes by their canonical form, defanged or not.
//! - RFC 3339 times by instant; to the second when one of both has no fraction.
//! - Truth values, also written `true`, `yes`, `false`, `no`.
//! - A single value against a list: one of its members is it. Lists against lists: as sets. A group
//!   against a group: every cited member is there and is the same.
//! - `47/94` against a count: the first number is it, the second the total beside it, if stored.

use serde_json::{Map, Value};

use crate::indicator::canonical;
use crate::{IndicatorType, Timestamp};

/// The most members of a cited list that are compared.
const MAX_CITED_MEMBERS: usize = 100;
/// The most members of a stored list that are compared.
const MAX_STORED_MEMBERS: usize = 200;
/// How deep cited groups are followed.
const MAX_DEPTH: usize = 8;
/// The longest text that is read as more than letters, in bytes.
const MAX_READ_BYTES: usize = 1_024;
/// The same for the members of lists, of which there are many.
const MAX_MEMBER_BYTES: usize = 256;
/// The longest document that words are looked for in, in bytes: reading findings is not to take
/// seconds because an agent cites a book.
const MAX_SEARCHED_BYTES: usize = 128 * 1024;
/// How far two fractions may be apart, as a part of the greater.
const FRACTION_TOLERANCE: f64 = 1e-9;
/// What the total beside a count is called.
const TOTALS: &[&str] = &["total", "total_count", "total_engines", "engines"];

/// How two values compare.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Same,
    /// The count of a cited `47/94`; nothing says of how many.
    SameCount,
    Different,
    /// Neither the cited count nor, or not, the cited total; this is the stored total.
    DifferentOf(String),
    /// They cannot be compared; the text goes on after the datum's name.
    Unclear(&'static str),
}

impl Outcome {
    const fn of(is_same: bool) -> Self {
        if is_same { Self::Same } else { Self::Different }
    }
}

/// Compares. `is_text` says that the stored value is the text of a document, which the cited words
/// stand in somewhere.
pub(super) fn values(
    expected: &Value,
    stored: &Value,
    siblings: Option<&Map<String, Value>>,
    is_text: bool,
) -> Outcome {
    if let (true, Value::String(words), Value::String(text)) = (is_text, expected, stored) {
        if words.len().max(text.len()) > MAX_SEARCHED_BYTES {
            return Outcome::Unclear("is too long to be searched");
        }
        return match folded(words) {
            words if words.is_empty() => Outcome::Unclear("is not compared with an empty text"),
            words => Outcome::of(folded(text).contains(&words)),
        };
    }
    if let (Value::String(text), Value::Number(_)) = (expected, stored)
        && let Some((count, total)) = ratio(text)
    {
        let is_count = same(&Form::of(&Value::from(count)), &Form::of(stored));
        let beside = siblings.and_then(|all| TOTALS.iter().find_map(|name| all.get(*name)));
        return match beside.filter(|total| total.is_number()) {
            Some(of) if is_count && same(&Form::of(&Value::from(total)), &Form::of(of)) => {
                Outcome::Same
            }
            Some(of) => Outcome::DifferentOf(of.to_string()),
            None if is_count => Outcome::SameCount,
            None => Outcome::Different,
        };
    }
    compare(expected, stored, 0)
}

fn compare(expected: &Value, stored: &Value, depth: usize) -> Outcome {
    match (expected, stored) {
        (Value::Array(cited), Value::Array(stored)) => {
            if cited.len() > MAX_CITED_MEMBERS || stored.len() > MAX_STORED_MEMBERS {
                return Outcome::Unclear("is a list too long to compare");
            }
            let cited: Vec<_> = cited
                .iter()
                .map(|one| Form::of_member(one, KINDS))
                .collect();
            let kinds: Vec<_> = cited.iter().flat_map(Form::kinds).collect();
            let stored: Vec<_> = stored
                .iter()
                .map(|one| Form::of_member(one, &kinds))
                .collect();
            let all_in = |some: &[Form<'_>], others: &[Form<'_>]| {
                some.iter()
                    .all(|one| others.iter().any(|other| same(one, other)))
            };
            Outcome::of(all_in(&cited, &stored) && all_in(&stored, &cited))
        }
        (Value::Object(cited), Value::Object(stored)) => {
            if cited.len() > MAX_CITED_MEMBERS || depth >= MAX_DEPTH {
                return Outcome::Unclear("is a group too large to compare");
            }
            if cited.is_empty() {
                return Outcome::Unclear("is a group of values and no member of it is cited");
            }
            for (key, expected) in cited {
                let Some(stored) = stored.get(key) else {
                    return Outcome::Different;
                };
                match compare(expected, stored, depth + 1) {
                    Outcome::Same => {}
                    other => return other,
                }
            }
            Outcome::Same
        }
        (_, Value::Object(_)) => Outcome::Unclear("is a group of values, not one; name a member"),
        (cited, Value::Array(stored)) => {
            let cited = Form::of(cited);
            let kinds: Vec<_> = cited.kinds().collect();
            let is_it = |one: &Value| same(&cited, &Form::of_member(one, &kinds));
            match stored.iter().take(MAX_STORED_MEMBERS).any(is_it) {
                false if stored.len() > MAX_STORED_MEMBERS => {
                    Outcome::Unclear("is a list too long to compare")
                }
                found => Outcome::of(found),
            }
        }
        (Value::Array(cited), stored) => match cited.as_slice() {
            [only] => compare(only, stored, depth),
            _ => Outcome::Different,
        },
        (cited, stored) => Outcome::of(same(&Form::of(cited), &Form::of(stored))),
    }
}

/// A value with everything that it may be compared by.
#[derive(Debug)]
enum Form<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Text<'a>),
    /// A list or group inside a list: compared as it is.
    Whole(&'a Value),
}

#[derive(Debug, Clone, Copy)]
enum Number {
    Whole(i128),
    Fraction(f64),
}

#[derive(Debug)]
struct Text<'a> {
    letters: &'a str,
    /// The same in lower case, when it is of letters only.
    words: Option<String>,
    canonical: Vec<(IndicatorType, String)>,
    instant: Option<(Timestamp, bool)>,
    number: Option<Number>,
    truth: Option<bool>,
}

/// The types of indicator that texts are compared as; any text is an account.
const KINDS: &[IndicatorType] = &[
    IndicatorType::Ip,
    IndicatorType::Domain,
    IndicatorType::Email,
    IndicatorType::Url,
    IndicatorType::HashMd5,
    IndicatorType::HashSha1,
    IndicatorType::HashSha256,
];

impl<'a> Form<'a> {
    fn of(value: &'a Value) -> Self {
        Self::read(value, KINDS, MAX_READ_BYTES)
    }

    /// As what its text can be read.
    fn kinds(&self) -> impl Iterator<Item = IndicatorType> {
        let canonical = match self {
            Self::Text(text) => text.canonical.as_slice(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Whole(_) => &[],
        };
        canonical.iter().map(|(kind, _)| *kind)
    }

    /// Read only as what it is compared with: reading is what costs.
    fn of_member(value: &'a Value, kinds: &[IndicatorType]) -> Self {
        Self::read(value, kinds, MAX_MEMBER_BYTES)
    }

    fn read(value: &'a Value, kinds: &[IndicatorType], max_bytes: usize) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => Self::Number(Number::of(&number.to_string()).unwrap_or(
                // Greater than a fraction can say: equal to its like only.
                Number::Fraction(f64::INFINITY),
            )),
            Value::String(text) => Self::Text(Text::of(text, kinds, max_bytes)),
            Value::Array(_) | Value::Object(_) => Self::Whole(value),
        }
    }
}

impl Number {
    fn of(text: &str) -> Option<Self> {
        if let Ok(whole) = text.parse() {
            return Some(Self::Whole(whole));
        }
        let begins_well = text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.');
        let number: f64 = text.parse().ok().filter(|_| begins_well)?;
        number.is_finite().then_some(Self::Fraction(number))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "whole numbers are compared as such before"
    )]
    const fn value(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Fraction(fraction) => fraction,
        }
    }

    fn is(self, other: Self) -> bool {
        if let (Self::Whole(one), Self::Whole(two)) = (self, other) {
            return one == two;
        }
        let (one, two) = (self.value(), other.value());
        let greater = one.abs().max(two.abs());
        one.to_bits() == two.to_bits() || (one - two).abs() <= greater * FRACTION_TOLERANCE
    }
}

impl<'a> Text<'a> {
    fn of(text: &'a str, kinds: &[IndicatorType], max_bytes: usize) -> Self {
        let text = text.trim();
        let mut form = Self {
            letters: text,
            words: None,
            canonical: Vec::new(),
            instant: None,
            number: None,
            truth: None,
        };
        if text.len() > max_bytes {
            return form;
        }
        let is_letter = |c: char| c.is_alphabetic() || matches!(c, ' ' | '_' | '-');
        form.words = text.chars().all(is_letter).then(|| text.to_lowercase());
        form.canonical = KINDS
            .iter()
            .filter(|kind| kinds.contains(kind))
            .filter_map(|kind| Some((*kind, canonical(*kind, text)?)))
            .collect();
        form.instant = text.parse().ok().map(|time| (time, text.contains('.')));
        form.number = Number::of(text.strip_suffix('%').unwrap_or(text).trim_end());
        form.truth = match form.words.as_deref() {
            Some("true" | "yes") => Some(true),
            Some("false" | "no") => Some(false),
            _ => None,
        };
        form
    }

    fn is(&self, other: &Self) -> bool {
        let is_instant = match (self.instant, other.instant) {
            (Some((one, true)), Some((two, true))) => one == two,
            (Some((one, _)), Some((two, _))) => {
                one.millis().div_euclid(1_000) == two.millis().div_euclid(1_000)
            }
            _ => false,
        };
        let is_words = self.words.is_some() && self.words == other.words;
        let is_canonical = || {
            self.canonical
                .iter()
                .any(|one| other.canonical.contains(one))
        };
        self.letters == other.letters || is_instant || is_words || is_canonical()
    }
}

/// Whether two single values are the same. Symmetric.
fn same(one: &Form<'_>, other: &Form<'_>) -> bool {
    match (one, other) {
        (Form::Null, Form::Null) => true,
        (Form::Bool(one), Form::Bool(two)) => one == two,
        (Form::Number(one), Form::Number(two)) => one.is(*two),
        (Form::Text(one), Form::Text(two)) => one.is(two),
        (Form::Text(text), Form::Number(number)) | (Form::Number(number), Form::Text(text)) => {
            text.number.is_some_and(|one| one.is(*number))
        }
        (Form::Text(text), Form::Bool(truth)) | (Form::Bool(truth), Form::Text(text)) => {
            text.truth == Some(*truth)
        }
        (Form::Whole(one), Form::Whole(two)) => one == two,
        _ => false,
    }
}

/// `47/94`: a count and of how many.
fn ratio(text: &str) -> Option<(u32, u32)> {
    let (count, total) = text.split_once('/')?;
    Some((count.trim().parse().ok()?, total.trim().parse().ok()?))
}

/// Words as they are looked for in a document: in lower case, with one space between them.
fn folded(text: &str) -> String {
    let lower = text.to_lowercase();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}
