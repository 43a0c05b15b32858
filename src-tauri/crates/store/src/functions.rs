//! Functions that our SQL calls and SQLite does not have. Deterministic and without effects.

use std::net::IpAddr;
use std::ops::{Bound, RangeBounds as _};

use calseta_domain::{Filter, Severity, Subject, path};
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An address as 16 bytes that sort as addresses do; IPv4 is mapped into IPv6.
pub(crate) fn ip_key(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// A text as searches compare it: in lower case.
pub(crate) fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// What `raw_matches` asks of a value; texts are folded.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum RawMatch {
    /// The path is there.
    Any,
    /// A text is this.
    Equal(String),
    /// A text has this in it.
    Contains(String),
    /// A text is these pieces with anything between.
    Like(Vec<String>),
    /// A number is in this range.
    Number {
        /// Where it begins.
        from: Bound<f64>,
        /// Where it ends.
        to: Bound<f64>,
    },
}

impl RawMatch {
    fn holds(&self, value: &Value) -> bool {
        if let Self::Number { from, to } = self {
            // Some sources write every number as a text.
            let number = value
                .as_f64()
                .or_else(|| value.as_str()?.trim().parse().ok());
            return number.is_some_and(|n| (*from, *to).contains(&n));
        }
        let text = match value {
            Value::String(text) => fold(text),
            Value::Bool(_) | Value::Number(_) => fold(&value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => return matches!(self, Self::Any),
        };
        match self {
            Self::Any => true,
            Self::Equal(wanted) => text == *wanted,
            Self::Contains(part) => text.contains(part.as_str()),
            Self::Like(pieces) => is_like(&text, pieces),
            Self::Number { .. } => false,
        }
    }
}

/// Whether a text is these pieces in order with anything between them.
pub(crate) fn is_like(text: &str, pieces: &[String]) -> bool {
    let [first, middle @ .., last] = pieces else {
        return pieces.first().is_some_and(|only| only == text);
    };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else {
        return false;
    };
    for piece in middle {
        let Some(at) = rest.find(piece.as_str()) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
    }
    rest.len() >= last.len() && rest.ends_with(last.as_str())
}

/// `raw_matches(payload, path, tests)`: whether a value at the path passes one of the tests, which
/// are a JSON list of [`RawMatch`].
fn raw_matches(ctx: &Context<'_>) -> rusqlite::Result<bool> {
    let tests = ctx.get_or_create_aux(2, |tests| {
        serde_json::from_str::<Vec<RawMatch>>(tests.as_str()?).map_err(boxed)
    })?;
    let payload = ctx.get_raw(0).as_str()?;
    let path = ctx.get_raw(1).as_str()?;
    // A path that is there has its last key somewhere: most payloads need no parsing.
    let key = path.rsplit('.').find(|part| part.parse::<usize>().is_err());
    let may_be_there =
        key.is_none_or(|key| !key.is_ascii() || payload.contains(key)) || payload.contains('\\');
    if !may_be_there {
        return Ok(false);
    }
    let Ok(value) = serde_json::from_str::<Value>(payload) else {
        return Ok(false);
    };
    let passes = |value: &Value| tests.iter().any(|test| test.holds(value));
    let all = path::lookup_all(&value, path);
    Ok(all.into_iter().any(passes) || path::lookup(&value, path).is_some_and(passes))
}

/// `targets(rules, source, severity, tags)`: whether targeting rules hold for an alert.
fn targets(ctx: &Context<'_>) -> rusqlite::Result<bool> {
    let filter = ctx.get_or_create_aux(0, |rules| {
        let value = serde_json::from_str::<Value>(rules.as_str()?).map_err(boxed)?;
        // What cannot be read matches nothing, as when the alert is matched.
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Filter::parse_targeting(&value, &[]).ok())
    })?;
    let Some(filter) = filter.as_ref() else {
        return Ok(false);
    };
    let rank = usize::try_from(ctx.get_raw(2).as_i64()?).unwrap_or(0);
    let tags: Vec<String> = serde_json::from_str(ctx.get_raw(3).as_str()?).unwrap_or_default();
    Ok(filter.matches(&Subject {
        source_name: ctx.get_raw(1).as_str()?,
        severity: Severity::ALL
            .get(rank)
            .copied()
            .unwrap_or(Severity::Pending),
        tags: &tags,
    }))
}

fn boxed(error: serde_json::Error) -> Box<dyn std::error::Error + Send + Sync> {
    error.into()
}

/// Makes the functions known to a connection.
pub(crate) fn register(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function("ip_key", 1, flags, |ctx| {
        let address = ctx.get_raw(0).as_str_or_null()?;
        Ok(address.and_then(|text| text.parse().ok()).map(ip_key))
    })?;
    conn.create_scalar_function("fold", 1, flags, |ctx| {
        Ok(ctx.get_raw(0).as_str_or_null()?.map(fold))
    })?;
    conn.create_scalar_function("raw_matches", 3, flags, |ctx| raw_matches(ctx))?;
    conn.create_scalar_function("targets", 4, flags, |ctx| targets(ctx))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(pieces: &[&str]) -> Vec<String> {
        pieces.iter().map(|piece| (*piece).to_owned()).collect()
    }

    #[test]
    fn a_pattern_s_pieces_stand_in_order_and_do_not_overlap() {
        for (text, like, expected) in [
            ("evil.example", &["evil", ""][..], true),
            ("evil.example", &["", "example"], true),
            ("evil.example", &["", "il.ex", ""], true),
            ("evil.example", &["evil", "evil"], false),
            ("aba", &["ab", "ba"], false),
            ("abba", &["ab", "ba"], true),
            ("a-b-c", &["a", "b", "c"], true),
            ("a-c-b", &["a", "b", "c"], false),
        ] {
            assert_eq!(is_like(text, &pieces(like)), expected, "{text} {like:?}");
        }
    }

    #[test]
    fn values_in_a_payload_are_compared_as_texts_or_numbers() {
        let conn = Connection::open_in_memory().unwrap();
        register(&conn).unwrap();
        let payload = r#"{"a":{"b":[{"c":"Log On"},{"c":7.5}]},"n":null,"e":[],"f.g":true}"#;
        let matches = |path: &str, test: RawMatch| -> bool {
            let tests = serde_json::to_string(&[test]).unwrap();
            conn.query_row(
                "SELECT raw_matches(?1, ?2, ?3)",
                (payload, path, tests),
                |row| row.get(0),
            )
            .unwrap()
        };
        let equal = |text: &str| RawMatch::Equal(text.to_owned());
        assert!(matches("a.b.c", equal("log on")));
        assert!(matches("a.b.0.c", equal("log on")));
        assert!(!matches("a.b.1.c", equal("log on")));
        assert!(matches("a.b.c", equal("7.5")));
        assert!(matches("f.g", equal("true")));
        assert!(matches("a.b.c", RawMatch::Contains("g o".to_owned())));
        assert!(matches("n", RawMatch::Any), "a null is there");
        assert!(matches("e", RawMatch::Any), "an empty list is there");
        assert!(!matches("a.x", RawMatch::Any));
        assert!(!matches("n", equal("null")));
        let from = |from| RawMatch::Number {
            from,
            to: Bound::Unbounded,
        };
        assert!(matches("a.b.c", from(Bound::Included(7.5))));
        assert!(!matches("a.b.c", from(Bound::Excluded(7.5))));
    }
}
