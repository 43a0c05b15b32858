//! Query strings: pages, lists of words, times. An unknown value is refused, never ignored.

use std::convert::Infallible;
use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use calseta_domain::{FieldError, Timestamp, UnknownWord};
use calseta_engine::{PageNumber, Problem};
use http::request::Parts;

use crate::answer::Failure;

/// Rows a page when nothing is said.
pub(crate) const DEFAULT_PAGE_SIZE: u64 = 50;
/// Rows a page at the most.
pub(crate) const MAX_PAGE_SIZE: u64 = 500;

/// The query's pairs, in order.
#[derive(Debug)]
pub(crate) struct QueryPairs(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for QueryPairs {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        Ok(Self(
            url::form_urlencoded::parse(query).into_owned().collect(),
        ))
    }
}

impl QueryPairs {
    /// The last value of a parameter; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Every value of a repeatable parameter.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let all = self
            .0
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

    /// Anything else that is written as one word.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.get(name) else {
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

    /// `page_size`.
    pub(crate) fn page_size(&self) -> Result<u64, Problem> {
        self.number("page_size", DEFAULT_PAGE_SIZE, 1, MAX_PAGE_SIZE)
    }

    /// `page` and `page_size`.
    pub(crate) fn page(&self) -> Result<PageNumber, Problem> {
        const MAX_PAGE: u64 = 1 << 32;
        Ok(PageNumber {
            page: self.number("page", 1, 1, MAX_PAGE)?,
            page_size: self.page_size()?,
        })
    }
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
