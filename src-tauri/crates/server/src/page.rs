//! Query strings: pages, lists of words, times. An unknown value is refused, never ignored.

use std::convert::Infallible;
use std::fmt::Display;
use std::marker::PhantomData;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use calseta_domain::{FieldError, Timestamp, UnknownWord};
use calseta_engine::{Direction, PageNumber, Problem};
use http::request::Parts;

use crate::answer::Failure;
use crate::operation::{
    Argument, DEFAULT_PAGE_SIZE, Facts, MAX_ITEM, MAX_PAGE, MAX_PAGE_SIZE, PAGE, Parameter,
    Parameters, Schemas, list_parameters,
};

/// Unknown parameters that are named in an answer, at the most.
const MAX_NAMED: usize = 20;

/// The query's pairs, in order, with the names that the route reads.
#[derive(Debug)]
pub(crate) struct QueryPairs {
    pairs: Vec<(String, String)>,
    known: &'static [&'static [Parameter]],
}

/// The query of a route that reads the parameters `P`.
#[derive(Debug)]
pub(crate) struct Query<P>(QueryPairs, PhantomData<P>);

impl<P> std::ops::Deref for Query<P> {
    type Target = QueryPairs;
    fn deref(&self) -> &QueryPairs {
        &self.0
    }
}

impl<P: Parameters, S: Send + Sync> FromRequestParts<S> for Query<P> {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let pairs = QueryPairs {
            pairs: url::form_urlencoded::parse(query).into_owned().collect(),
            known: P::GROUPS,
        };
        Ok(Self(pairs, PhantomData))
    }
}

impl<P: Parameters> Argument for Query<P> {
    fn describe(facts: &mut Facts, _: &mut Schemas) {
        facts.query = P::GROUPS.concat();
    }
}

list_parameters! {
    /// A list's page.
    Paged => [PAGE];
}

impl QueryPairs {
    fn knows(&self, name: &str) -> bool {
        self.known
            .iter()
            .copied()
            .flatten()
            .any(|known| known.name == name)
    }

    /// Names that were given and mean nothing here, each once.
    pub(crate) fn unknown(&self) -> Vec<String> {
        let mut unknown: Vec<String> = Vec::new();
        for (name, _) in &self.pairs {
            if !self.knows(name) && !unknown.contains(name) && unknown.len() < MAX_NAMED {
                unknown.push(name.clone());
            }
        }
        unknown
    }

    /// The last value of a parameter as it was written.
    fn raw(&self, name: &str) -> Option<&str> {
        debug_assert!(self.knows(name), "{name} is read but not declared");
        let found = self.pairs.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The last value of a parameter; an empty text counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// One word of a few, with what each stands for.
    pub(crate) fn word<T: Copy>(
        &self,
        name: &str,
        allowed: &[(&str, T)],
    ) -> Result<Option<T>, Problem> {
        let Some(given) = self.raw(name) else {
            return Ok(None);
        };
        if let Some((_, value)) = allowed.iter().find(|(word, _)| *word == given) {
            return Ok(Some(*value));
        }
        let words: Vec<&str> = allowed.iter().map(|(word, _)| *word).collect();
        Err(Problem::word(name, name, given, &words))
    }

    /// Every value of a repeatable parameter.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        debug_assert!(self.knows(name), "{name} is read but not declared");
        let all = self
            .pairs
            .iter()
            .filter(|(key, value)| key == name && !value.is_empty());
        all.map(|(_, value)| value.clone()).collect()
    }

    /// Comma-separated texts.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let value = self.get(name).unwrap_or_default();
        value
            .split(',')
            .map(str::trim)
            .filter(|t| !t.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Comma-separated words of a closed set.
    pub(crate) fn words<T: FromStr<Err = UnknownWord>>(
        &self,
        name: &str,
    ) -> Result<Vec<T>, Problem> {
        let parse = |word: &String| {
            word.parse().map_err(|error: UnknownWord| {
                Problem::fields(&[FieldError::unknown_word(
                    name,
                    error.what,
                    word,
                    error.allowed,
                )])
            })
        };
        self.list(name).iter().map(parse).collect()
    }

    /// Comma-separated words of a few.
    pub(crate) fn each_word(
        &self,
        name: &str,
        allowed: &[(&str, &str)],
    ) -> Result<Vec<String>, Problem> {
        let known = |word: &String| {
            let found = allowed.iter().find(|(known, _)| known == word);
            found.map(|(_, value)| (*value).to_owned()).ok_or_else(|| {
                let words: Vec<&str> = allowed.iter().map(|(word, _)| *word).collect();
                Problem::word(name, name, word, &words)
            })
        };
        self.list(name).iter().map(known).collect()
    }

    /// One word of a closed set.
    pub(crate) fn one<T: FromStr<Err = UnknownWord>>(
        &self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        let Some(word) = self.raw(name) else {
            return Ok(None);
        };
        let parsed = word.parse();
        parsed
            .map(Some)
            .map_err(|error: UnknownWord| Problem::word(name, error.what, word, error.allowed))
    }

    /// Anything else that is written as one word.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.raw(name) else {
            return Ok(None);
        };
        text.parse()
            .map(Some)
            .map_err(|_| Problem::field(name, format!("must be {what}")))
    }

    /// A time.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        self.parsed(name, "a time like 2025-01-15T10:28:00Z")
    }

    /// A number within bounds.
    pub(crate) fn number(
        &self,
        name: &str,
        default: u64,
        min: u64,
        max: u64,
    ) -> Result<u64, Problem> {
        let what = format!("a number from {min} to {max}");
        let number = self.parsed::<u64>(name, &what)?.unwrap_or(default);
        if (min..=max).contains(&number) {
            Ok(number)
        } else {
            Err(Problem::field(name, format!("must be {what}")))
        }
    }

    /// A number within bounds, which may be absent.
    pub(crate) fn optional_number(
        &self,
        name: &str,
        min: u64,
        max: u64,
    ) -> Result<Option<u64>, Problem> {
        if self.raw(name).is_none() {
            return Ok(None);
        }
        self.number(name, min, min, max).map(Some)
    }

    /// `sort_order`, by default descending.
    pub(crate) fn direction(&self) -> Result<Direction, Problem> {
        let words = [
            ("desc", Direction::Descending),
            ("asc", Direction::Ascending),
        ];
        Ok(self
            .word("sort_order", &words)?
            .unwrap_or(Direction::Descending))
    }

    /// `page_size`.
    pub(crate) fn page_size(&self) -> Result<u64, Problem> {
        self.number("page_size", DEFAULT_PAGE_SIZE, 1, MAX_PAGE_SIZE)
    }

    /// `page` and `page_size`.
    pub(crate) fn page(&self) -> Result<PageNumber, Problem> {
        Ok(PageNumber {
            page: self.number("page", 1, 1, MAX_PAGE)?,
            page_size: self.page_size()?,
        })
    }
}

impl<T> Argument for Id<T> {
    fn describe(_: &mut Facts, _: &mut Schemas) {}
}

/// A uuid in the path.
#[derive(Debug)]
pub(crate) struct Id<T>(pub(crate) T);

impl<S, T> FromRequestParts<S> for Id<T>
where
    S: Send + Sync,
    T: FromStr + Send,
    T::Err: Display,
{
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let text = path.map(|Path(text)| text).unwrap_or_default();
        let id = text
            .parse()
            .map_err(|_| Problem::field("uuid", "is not a uuid"))?;
        Ok(Self(id))
    }
}

/// Two uuids in the path, in its order.
#[derive(Debug)]
pub(crate) struct IdPair<A, B>(pub(crate) A, pub(crate) B);

impl<A, B> Argument for IdPair<A, B> {
    fn describe(_: &mut Facts, _: &mut Schemas) {}
}

fn parsed<T: FromStr>(name: &str, text: &str) -> Result<T, Failure> {
    let parsed = text.parse();
    parsed.map_err(|_| Problem::field(name, "is not a uuid").into())
}

impl<S, A, B> FromRequestParts<S> for IdPair<A, B>
where
    S: Send + Sync,
    A: FromStr + Send,
    B: FromStr + Send,
{
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let (first, second) = path.map(|Path(both)| both).unwrap_or_default();
        Ok(Self(
            parsed("uuid", &first)?,
            parsed("the second uuid", &second)?,
        ))
    }
}

/// An alert, a document that applies to it, and the place of an item in its checklist.
#[derive(Debug)]
pub(crate) struct IdItem<A, B>(pub(crate) A, pub(crate) B, pub(crate) u64);

impl<A, B> Argument for IdItem<A, B> {
    fn describe(_: &mut Facts, _: &mut Schemas) {}
}

impl<S, A, B> FromRequestParts<S> for IdItem<A, B>
where
    S: Send + Sync,
    A: FromStr + Send,
    B: FromStr + Send,
{
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<(String, String, String)>::from_request_parts(parts, state).await;
        let (alert, document, item) = path.map(|Path(all)| all).unwrap_or_default();
        let number = item.parse().ok().filter(|n| *n <= MAX_ITEM);
        let number = number
            .ok_or_else(|| Problem::field("n", format!("must be a number from 0 to {MAX_ITEM}")))?;
        Ok(Self(
            parsed("uuid", &alert)?,
            parsed("document_uuid", &document)?,
            number,
        ))
    }
}

/// A uuid and a version in the path.
#[derive(Debug)]
pub(crate) struct IdVersion<T>(pub(crate) T, pub(crate) u64);

impl<T> Argument for IdVersion<T> {
    fn describe(_: &mut Facts, _: &mut Schemas) {}
}

impl<S, T> FromRequestParts<S> for IdVersion<T>
where
    S: Send + Sync,
    T: FromStr + Send,
{
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let (id, version) = path.map(|Path(both)| both).unwrap_or_default();
        let number = version.parse().ok().filter(|n| (1..=MAX_PAGE).contains(n));
        let number = number.ok_or_else(|| {
            Problem::field("version", format!("must be a number from 1 to {MAX_PAGE}"))
        })?;
        Ok(Self(parsed("uuid", &id)?, number))
    }
}
