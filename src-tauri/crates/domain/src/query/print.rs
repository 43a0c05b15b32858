//! The way back: a query as text that is understood as the same query.

use std::fmt::{self, Display, Write};

use super::time::print_age;
use super::words::Spelled;
use super::{
    Comparison, Expr, IndicatorMatch, Pattern, Query, RawTest, Sort, Test, TextMatch, TimeTest,
    TimeValue,
};

impl Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if !self.expr.is_everything() {
            parts.push(self.expr.to_string());
        }
        if let Some(sort) = &self.sort {
            parts.push(sort.to_string());
        }
        if let Some(group) = self.group {
            parts.push(format!("group:{group}"));
        }
        f.write_str(&parts.join(" "))
    }
}

/// As the term that asks for it.
impl Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = |is_descending| if is_descending { "-" } else { "" };
        let key = |key: &super::SortKey| format!("{}{}", sign(key.is_descending), key.field);
        let keys: Vec<_> = self.keys.iter().map(key).collect();
        write!(f, "sort:{}", keys.join(","))
    }
}

/// As it stands at the top of a query.
impl Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(members) => joined(f, members, " "),
            Self::Any(branches) => {
                f.write_char('(')?;
                joined(f, branches, " OR ")?;
                f.write_char(')')
            }
            Self::Not(inner) => match inner.as_ref() {
                Self::All(_) => write!(f, "-({inner})"),
                Self::Any(_) | Self::Not(_) | Self::Test(_) => write!(f, "-{inner}"),
            },
            Self::Test(test) => test.fmt(f),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, members: &[Expr], between: &str) -> fmt::Result {
    for (n, member) in members.iter().enumerate() {
        if n > 0 {
            f.write_str(between)?;
        }
        member.fmt(f)?;
    }
    Ok(())
}

impl Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(list) => words(f, "status", list),
            Self::Severity(order) => compared(f, "sev", order, |w| w.spell().to_owned()),
            Self::Source(list) => texts(f, "source", list),
            Self::Rule(list) => texts(f, "rule", list),
            Self::Tag(list) => texts(f, "tag", list),
            Self::Title(list) => texts(f, "title", list),
            Self::Indicator { field, any } => list(f, field.as_str(), any.iter().map(indicator)),
            Self::Malice(order) => compared(f, "verdict", order, |w| w.spell().to_owned()),
            Self::Findings(Comparison::AtLeast(1)) => f.write_str("finding:yes"),
            Self::Findings(Comparison::OneOf(only)) if only == &[0] => f.write_str("finding:no"),
            Self::Findings(order) => compared(f, "finding", order, ToString::to_string),
            Self::Agent(list) => texts(f, "agent", list),
            Self::Says(list) => words(f, "says", list),
            Self::ConfidenceLevel(order) => compared(f, "conf", order, |w| w.spell().to_owned()),
            Self::Confidence(order) => compared(f, "conf", order, ToString::to_string),
            Self::Disagree(yes) => write!(f, "disagree:{}", if *yes { "yes" } else { "no" }),
            Self::Classification(list) => words(f, "class", list),
            Self::Enrichment(list) => words(f, "enrich", list),
            Self::Delivery(list) => words(f, "delivery", list),
            Self::Approval(list) => words(f, "approval", list),
            Self::Mitre(list) => texts(f, "mitre", list),
            Self::Duplicates(order) => compared(f, "dup", order, ToString::to_string),
            Self::Time(test) => time(f, *test),
            Self::Is(list) => words(f, "is", list),
            Self::Raw { path, test } => {
                let path = if path.contains(':') {
                    in_quotes(path)
                } else {
                    quoted(path)
                };
                let name = format!("raw.{path}");
                match test {
                    RawTest::Text(list) => texts(f, &name, list),
                    RawTest::Number(order) => compared(f, &name, order, ToString::to_string),
                }
            }
            Self::Document(list) => texts(f, "doc", list),
            Self::Has(list) => words(f, "has", list),
            Self::Id(ids) => list(f, "id", ids.iter().map(ToString::to_string)),
            Self::Text(text) => {
                let is_command = matches!(text.text.as_str(), "OR" | "AND" | "NOT");
                let is_plain =
                    !is_command && !text.text.contains(':') && !text.text.starts_with('-');
                let star = if text.is_prefix { "*" } else { "" };
                if is_plain {
                    write!(f, "{}{star}", quoted(&text.text))
                } else {
                    write!(f, "{}{star}", in_quotes(&text.text))
                }
            }
        }
    }
}

fn list(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    values: impl Iterator<Item = String>,
) -> fmt::Result {
    let values: Vec<_> = values.collect();
    write!(f, "{name}:{}", values.join(","))
}

fn words<T: Spelled>(f: &mut fmt::Formatter<'_>, name: &str, members: &[T]) -> fmt::Result {
    list(
        f,
        name,
        members.iter().map(|member| member.spell().to_owned()),
    )
}

fn compared<T>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    order: &Comparison<T>,
    spell: impl Fn(&T) -> String,
) -> fmt::Result {
    match order {
        Comparison::OneOf(values) => list(f, name, values.iter().map(spell)),
        Comparison::AtLeast(value) => write!(f, "{name}:>={}", spell(value)),
        Comparison::AtMost(value) => write!(f, "{name}:<={}", spell(value)),
        Comparison::Above(value) => write!(f, "{name}:>{}", spell(value)),
        Comparison::Below(value) => write!(f, "{name}:<{}", spell(value)),
    }
}

/// `:=` where `:` alone would look inside the text; it never does for source, tag, raw and mitre.
fn texts(f: &mut fmt::Formatter<'_>, name: &str, matches: &[TextMatch]) -> fmt::Result {
    let looks_inside = matches!(name, "rule" | "title" | "agent" | "doc");
    let is_equal = matches.iter().all(|one| matches!(one, TextMatch::Equal(_)));
    let sign = if looks_inside && is_equal { "=" } else { "" };
    let text = |one: &TextMatch| match one {
        TextMatch::Equal(text) | TextMatch::Contains(text) => quoted(text),
        TextMatch::Like(pattern) => pattern_text(pattern),
    };
    let values: Vec<_> = matches.iter().map(text).collect();
    write!(f, "{name}:{sign}{}", values.join(","))
}

fn indicator(one: &IndicatorMatch) -> String {
    match one {
        IndicatorMatch::Exact(value) => quoted(value),
        IndicatorMatch::Wildcard(pattern) => pattern_text(pattern),
        IndicatorMatch::Network(network) => network.to_string(),
    }
}

fn pattern_text(pattern: &Pattern) -> String {
    let pieces = pattern.pieces().iter();
    let pieces = pieces.map(|piece| {
        if piece.is_empty() {
            String::new()
        } else {
            quoted(piece)
        }
    });
    pieces.collect::<Vec<_>>().join("*")
}

fn time(f: &mut fmt::Formatter<'_>, test: TimeTest) -> fmt::Result {
    let (sign, value) = match test {
        TimeTest::Age {
            is_younger,
            is_inclusive,
            seconds,
        } => {
            let sign = if is_younger { "<" } else { ">" };
            let equal = if is_inclusive { "=" } else { "" };
            return write!(f, "age:{sign}{equal}{}", print_age(seconds));
        }
        TimeTest::Within(_, value) => ("", value),
        TimeTest::AtLeast(_, value) => (">=", value),
        TimeTest::AtMost(_, value) => ("<=", value),
        TimeTest::Above(_, value) => (">", value),
        TimeTest::Below(_, value) => ("<", value),
    };
    let value = match value {
        TimeValue::At(time) => time.to_string(),
        TimeValue::On(day) => day.to_string(),
        TimeValue::Today => "today".to_owned(),
        TimeValue::Yesterday => "yesterday".to_owned(),
    };
    write!(f, "{}:{sign}{value}", test.field())
}

/// A text as it is when nothing in it has a meaning, else in quotes.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "._-/@%+\\:".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        in_quotes(text)
    }
}

fn in_quotes(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '*') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}
