//! Searching the queue by the filter grammar: reading a query, how its alerts divide, what may be
//! written next.

use calseta_contract::search::{Candidate, CompletionView, Facet, FacetValue, FacetsView};
use calseta_domain::query::{self, Field, IndicatorField, Query, QueryError};
use calseta_domain::{ErrorCode, Timestamp};
use calseta_store::tables::alert_list::{AlertQuery, COUNT_CAP};
use calseta_store::tables::search::{self, ValueField};
use serde_json::{Value, json};

use crate::{Engine, Problem, attack_names};

/// Completions that are offered at once.
const CANDIDATES: usize = 20;

/// A query that cannot be read: a field error with the place of what is wrong.
pub(crate) fn unreadable(path: &str, error: &QueryError) -> Problem {
    let mut entry = json!(error);
    entry["path"] = json!(path);
    let hint = error.did_you_mean.as_ref();
    let hint = hint.map_or_else(String::new, |word| format!("; perhaps {word:?} is meant"));
    Problem::new(
        ErrorCode::ValidationError,
        format!("Request validation failed: {path}: {error}{hint}."),
    )
    .with("errors", Value::Array(vec![entry]))
}

/// The field whose values are data, where a field's are.
fn value_field(field: Field) -> Option<ValueField> {
    Some(match field {
        Field::Source => ValueField::Source,
        Field::Rule => ValueField::Rule,
        Field::Tag => ValueField::Tag,
        Field::Agent => ValueField::Agent,
        Field::Document => ValueField::Document,
        Field::Ip => ValueField::Indicator(IndicatorField::Ip),
        Field::Domain => ValueField::Indicator(IndicatorField::Domain),
        Field::Hash => ValueField::Indicator(IndicatorField::Hash),
        Field::Url => ValueField::Indicator(IndicatorField::Url),
        Field::Email => ValueField::Indicator(IndicatorField::Email),
        Field::Account => ValueField::Indicator(IndicatorField::Account),
        Field::Indicator => ValueField::Indicator(IndicatorField::Any),
        _ => return None,
    })
}

/// A value as a query writes it: in quotes when it would not be read as one word.
pub(crate) fn quoted(value: &str) -> String {
    let is_plain = !value.is_empty()
        && value
            .chars()
            .all(|c| !c.is_whitespace() && !"\"(),*:".contains(c))
        && !value.starts_with(['-', '<', '>', '=']);
    if is_plain {
        value.to_owned()
    } else {
        let escaped = value.replace('\\', "\\\\");
        let escaped = escaped.replace('"', "\\\"").replace('*', "\\*");
        format!("\"{escaped}\"")
    }
}

impl Engine {
    /// Reads a query of the filter grammar; times in it are relative to now.
    pub fn parse_query(&self, text: &str) -> Result<Query, Problem> {
        read(text, self.inner.clock.now())
    }

    /// `GET /v1/alerts/facets`: how the alerts that a query and v1.1.0's filters find divide.
    pub async fn facets(&self, query: AlertQuery) -> Result<FacetsView, Problem> {
        let found = self
            .inner
            .store
            .read(move |tx| Ok::<_, Problem>(search::facets(tx, &query)?))
            .await?;
        let value = |(value, count): (String, u64)| FacetValue {
            label: value.clone(),
            value,
            count,
        };
        let facet = |facet: search::Facet| Facet {
            field: facet.field.to_owned(),
            values: facet.values.into_iter().map(value).collect(),
        };
        Ok(FacetsView {
            total: found.total.min(COUNT_CAP),
            total_is_capped: found.total > COUNT_CAP,
            facets: found.facets.into_iter().map(facet).collect(),
        })
    }

    /// `GET /v1/alerts/complete`: what may stand at a cursor, counted in characters.
    pub async fn complete(&self, text: String, at: usize) -> Result<CompletionView, Problem> {
        let completion = query::complete(&text, at);
        let mut candidates: Vec<_> = completion
            .candidates
            .into_iter()
            .map(|candidate| Candidate {
                label: candidate.about.unwrap_or_else(|| candidate.text.clone()),
                text: candidate.text,
                count: candidate.count,
            })
            .collect();
        if let Some(field) = completion.field.and_then(value_field) {
            let prefix = completion.prefix;
            let limit = u32::try_from(CANDIDATES).unwrap_or(u32::MAX);
            let values = self
                .inner
                .store
                .read(move |tx| Ok::<_, Problem>(search::complete(tx, field, &prefix, limit)?))
                .await?;
            let candidate = |(value, count): (String, Option<u64>)| Candidate {
                text: quoted(&value),
                label: value,
                count,
            };
            candidates.extend(values.into_iter().map(candidate));
        }
        candidates.truncate(CANDIDATES);
        Ok(CompletionView {
            start: completion.span.start_char as u64,
            end: completion.span.end_char as u64,
            candidates,
        })
    }
}

/// Reads a query as a field of a request.
pub(crate) fn read(text: &str, now: Timestamp) -> Result<Query, Problem> {
    read_at("q", text, now)
}

/// Reads a query as the field of a request that is named so.
pub(crate) fn read_at(path: &str, text: &str, now: Timestamp) -> Result<Query, Problem> {
    let query = Query::parse(text, now).map_err(|error| unreadable(path, &error))?;
    Ok(attack_names::in_query(query))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completed_value_is_read_back_as_the_same_value() {
        let now = Timestamp::from_millis(0);
        for value in [
            "plain",
            "two words",
            "a\"b",
            "a:b",
            "-minus",
            "back\\slash",
            "a,b",
            "x(y)",
        ] {
            let text = format!("tag:{}", quoted(value));
            let query = read(&text, now).expect("a completed value is a query");
            let again = read(&query.to_string(), now).expect("a printed query is a query");
            assert_eq!(again.expr, query.expr, "{value}");
            assert!(
                format!("{query:?}").contains(&format!("{value:?}")),
                "{query:?}"
            );
        }
    }
}
