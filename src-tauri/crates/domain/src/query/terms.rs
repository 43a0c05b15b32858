//! The tests of the fields: from `>=high` or `a,b` to what is meant.

use super::error::{Fault, echo};
use super::indicators;
use super::lex::{Glyph, Token, Value, values};
use super::time::parse_age;
use super::words::Spelled;
use super::{
    Comparison, ConfidenceLevel, Day, Field, Group, IndicatorField, MAX_SORT_KEYS, MAX_VALUES,
    RawTest, Sort, SortField, SortKey, Test, TextMatch, TimeField, TimeTest, TimeValue,
};
use crate::{Timestamp, attack};

/// The greatest number that counts are compared with.
const MAX_COUNT: u64 = 1_000_000_000;
/// The longest path into the raw payload, in bytes.
const MAX_PATH_BYTES: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    /// `:` alone.
    Is,
    /// `:=`
    Equal,
    AtLeast,
    AtMost,
    Above,
    Below,
}

/// What stands after a field's colon.
struct Operand {
    op: Op,
    values: Vec<Value>,
    /// Where the operator begins, in bytes of the query.
    start: usize,
}

impl Operand {
    fn read(glyphs: &[Glyph], token: &Token) -> Result<Self, Fault> {
        let sign = |n: usize, c: char| glyphs.get(n).is_some_and(|glyph| glyph.is(c));
        let (op, length) = match () {
            () if sign(0, '>') && sign(1, '=') => (Op::AtLeast, 2),
            () if sign(0, '<') && sign(1, '=') => (Op::AtMost, 2),
            () if sign(0, '>') => (Op::Above, 1),
            () if sign(0, '<') => (Op::Below, 1),
            () if sign(0, '=') => (Op::Equal, 1),
            () => (Op::Is, 0),
        };
        let values = values(&glyphs[length..], token.end)?;
        if let Some(extra) = values.get(MAX_VALUES) {
            let message = format!("the list has more than {MAX_VALUES} values; take some away");
            return Err(extra.fault(message));
        }
        if !matches!(op, Op::Is | Op::Equal)
            && let [_, second, ..] = values.as_slice()
        {
            return Err(second.fault("a comparison takes one value; a list goes without < or >"));
        }
        let start = glyphs.first().map_or(token.end, |glyph| glyph.at);
        Ok(Self { op, values, start })
    }

    fn is_ordered(&self) -> bool {
        !matches!(self.op, Op::Is | Op::Equal)
    }

    /// The values of a field that has no order.
    fn list(&self, field: Field) -> Result<&[Value], Fault> {
        if self.is_ordered() {
            let value = &self.values[0];
            let message = format!("{field} has no order; write {field}:{}", echo(&value.text));
            let fault = Fault::new(self.start, value.end, message);
            return Err(fault.suggest(echo(&value.text)));
        }
        Ok(&self.values)
    }

    /// The only value of a field that takes no lists.
    fn single(&self, field: Field) -> Result<&Value, Fault> {
        match self.values.as_slice() {
            [one] => Ok(one),
            many => Err(many[1].fault(format!("{field} takes one value"))),
        }
    }

    fn compare<T: PartialEq>(
        &self,
        mut read: impl FnMut(&Value) -> Result<Vec<T>, Fault>,
    ) -> Result<Comparison<T>, Fault> {
        let one = &self.values[0];
        let mut bound = |wrap: fn(T) -> Comparison<T>| {
            let mut values = read(one)?;
            match (values.pop(), values.is_empty()) {
                (Some(value), true) => Ok(wrap(value)),
                _ => Err(one.fault("stands for several values, which have no order")),
            }
        };
        match self.op {
            Op::AtLeast => bound(Comparison::AtLeast),
            Op::AtMost => bound(Comparison::AtMost),
            Op::Above => bound(Comparison::Above),
            Op::Below => bound(Comparison::Below),
            Op::Is | Op::Equal => collect(&self.values, read).map(Comparison::OneOf),
        }
    }
}

/// What every value stands for, each once.
fn collect<T: PartialEq>(
    values: &[Value],
    mut read: impl FnMut(&Value) -> Result<Vec<T>, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut found = Vec::new();
    for value in values {
        for member in read(value)? {
            if !found.contains(&member) {
                found.push(member);
            }
        }
    }
    Ok(found)
}

fn word<T: Spelled>(value: &Value) -> Result<Vec<T>, Fault> {
    T::read(&value.text)
        .map(<[T]>::to_vec)
        .ok_or_else(|| Fault::unknown(value.span(), T::WHAT, &value.text, &T::words()))
}

pub(super) fn test(field: Field, glyphs: &[Glyph], token: &Token) -> Result<Test, Fault> {
    let operand = Operand::read(glyphs, token)?;
    let list = || operand.list(field);
    match field {
        Field::Status => collect(list()?, word).map(Test::Status),
        Field::Severity => operand.compare(word).map(Test::Severity),
        Field::Source => texts(&operand, list()?, Whole::Always).map(Test::Source),
        Field::Tag => texts(&operand, list()?, Whole::Always).map(Test::Tag),
        Field::Rule => texts(&operand, list()?, Whole::WhenAsked).map(Test::Rule),
        Field::Title => texts(&operand, list()?, Whole::WhenAsked).map(Test::Title),
        Field::Agent => texts(&operand, list()?, Whole::WhenAsked).map(Test::Agent),
        Field::Document => texts(&operand, list()?, Whole::WhenAsked).map(Test::Document),
        Field::Ip => indicator(IndicatorField::Ip, list()?),
        Field::Domain => indicator(IndicatorField::Domain, list()?),
        Field::Hash => indicator(IndicatorField::Hash, list()?),
        Field::Url => indicator(IndicatorField::Url, list()?),
        Field::Email => indicator(IndicatorField::Email, list()?),
        Field::Account => indicator(IndicatorField::Account, list()?),
        Field::Indicator => indicator(IndicatorField::Any, list()?),
        Field::Verdict => operand.compare(word).map(Test::Malice),
        Field::Finding => findings(&operand),
        Field::Says => collect(list()?, word).map(Test::Says),
        Field::Confidence => confidence(&operand),
        Field::Disagree => yes_or_no(&operand, field).map(Test::Disagree),
        Field::Classification => collect(list()?, word).map(Test::Classification),
        Field::Enrichment => collect(list()?, word).map(Test::Enrichment),
        Field::Delivery => collect(list()?, word).map(Test::Delivery),
        Field::Approval => collect(list()?, word).map(Test::Approval),
        Field::Mitre => collect(list()?, |value| Ok(vec![mitre(value)])).map(Test::Mitre),
        Field::Duplicates => operand.compare(count).map(Test::Duplicates),
        Field::Age => age(&operand).map(Test::Time),
        Field::Occurred => time(&operand, field, TimeField::Occurred),
        Field::Ingested => time(&operand, field, TimeField::Ingested),
        Field::Updated => time(&operand, field, TimeField::Updated),
        Field::Closed => time(&operand, field, TimeField::Closed),
        Field::Is => collect(list()?, word).map(Test::Is),
        Field::Has => collect(list()?, word).map(Test::Has),
        Field::Id => collect(list()?, alert_id).map(Test::Id),
        Field::Raw | Field::Sort | Field::Group => Err(Fault::new(
            token.start,
            token.end,
            "name a path in the payload, like raw.event.action:logon",
        )),
    }
}

/// Whether `:` alone compares the whole text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whole {
    Always,
    /// Only `:=` does.
    WhenAsked,
}

fn texts(operand: &Operand, list: &[Value], whole: Whole) -> Result<Vec<TextMatch>, Fault> {
    collect(list, |value| {
        let text = value.text.clone();
        Ok(vec![match (operand.op, &value.pattern, whole) {
            (Op::Equal, _, _) | (_, None, Whole::Always) => TextMatch::Equal(text),
            (_, Some(pattern), _) => TextMatch::Like(pattern.clone()),
            (_, None, Whole::WhenAsked) => TextMatch::Contains(text),
        }])
    })
}

fn indicator(field: IndicatorField, list: &[Value]) -> Result<Test, Fault> {
    let any = collect(list, |value| {
        indicators::read(field, value).map(|m| vec![m])
    })?;
    Ok(Test::Indicator { field, any })
}

fn mitre(value: &Value) -> TextMatch {
    match &value.pattern {
        Some(pattern) => TextMatch::Like(pattern.clone()),
        None => TextMatch::Equal(attack::id_of(&value.text)),
    }
}

fn findings(operand: &Operand) -> Result<Test, Fault> {
    let value = &operand.values[0];
    let is_word = !operand.is_ordered() && operand.values.len() == 1;
    let comparison = match value.text.to_ascii_lowercase().as_str() {
        "yes" | "true" if is_word => Comparison::AtLeast(1),
        "no" | "false" if is_word => Comparison::OneOf(vec![0]),
        _ => operand.compare(|value| {
            count(value).map_err(|_| value.fault("write finding:yes, finding:no or finding:>2"))
        })?,
    };
    Ok(Test::Findings(comparison))
}

fn confidence(operand: &Operand) -> Result<Test, Fault> {
    if operand
        .values
        .iter()
        .all(|value| ConfidenceLevel::read(&value.text).is_some())
    {
        return operand.compare(word).map(Test::ConfidenceLevel);
    }
    let part = |value: &Value| {
        let number = number(value).filter(|n| (0.0..=1.0).contains(n));
        number.map(|n| vec![n]).ok_or_else(|| {
            value.fault("confidence is low, medium, high or a number from 0 to 1, like conf:>=0.8")
        })
    };
    operand.compare(part).map(Test::Confidence)
}

fn yes_or_no(operand: &Operand, field: Field) -> Result<bool, Fault> {
    operand.list(field)?;
    let value = operand.single(field)?;
    match value.text.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err(Fault::unknown(
            value.span(),
            "answer",
            &value.text,
            &["yes", "no"],
        )),
    }
}

fn count(value: &Value) -> Result<Vec<u64>, Fault> {
    let is_number = value.text.bytes().all(|b| b.is_ascii_digit());
    let number = value
        .text
        .parse()
        .ok()
        .filter(|n| is_number && *n <= MAX_COUNT);
    number.map(|n| vec![n]).ok_or_else(|| {
        value.fault(format!(
            "must be a whole number from 0 to {MAX_COUNT}, like >5"
        ))
    })
}

fn number(value: &Value) -> Option<f64> {
    let begins_well = value
        .text
        .starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.');
    let number: f64 = value.text.parse().ok().filter(|_| begins_well)?;
    // Minus zero is zero: it would be printed differently and mean the same.
    number
        .is_finite()
        .then_some(if number == 0.0 { 0.0 } else { number })
}

fn alert_id(value: &Value) -> Result<Vec<crate::AlertId>, Fault> {
    let id = value
        .text
        .parse()
        .map_err(|_| value.fault("is no alert's id, which is a UUID"))?;
    Ok(vec![id])
}

fn age(operand: &Operand) -> Result<TimeTest, Fault> {
    let value = operand.single(Field::Age)?;
    let Some(seconds) = parse_age(&value.text) else {
        let message = "must be a number with s, m, h, d or w, like age:<4h";
        let sign = if operand.is_ordered() { "" } else { "<" };
        return Err(value.fault(message).suggest(format!("{sign}4h")));
    };
    let (is_younger, is_inclusive) = match operand.op {
        Op::Below => (true, false),
        Op::AtMost => (true, true),
        Op::Above => (false, false),
        Op::AtLeast => (false, true),
        Op::Is | Op::Equal => {
            let message = "an age is compared: age:<4h is younger, age:>4h is older";
            return Err(value.fault(message).suggest(format!("<{}", value.text)));
        }
    };
    Ok(TimeTest::Age {
        is_younger,
        is_inclusive,
        seconds,
    })
}

fn time(operand: &Operand, name: Field, field: TimeField) -> Result<Test, Fault> {
    let value = operand.single(name)?;
    let at = match value.text.to_ascii_lowercase().as_str() {
        "today" => TimeValue::Today,
        "yesterday" => TimeValue::Yesterday,
        text => match (Day::parse(text), value.text.parse::<Timestamp>()) {
            (Some(day), _) => TimeValue::On(day),
            (None, Ok(time)) => TimeValue::At(time),
            (None, Err(_)) => {
                let message = "is no time; write today, yesterday, a day like 2025-01-15 or a \
                               time like 2025-01-15T10:28:00Z";
                return Err(value.fault(message));
            }
        },
    };
    Ok(Test::Time(match operand.op {
        Op::Is | Op::Equal => TimeTest::Within(field, at),
        Op::AtLeast => TimeTest::AtLeast(field, at),
        Op::AtMost => TimeTest::AtMost(field, at),
        Op::Above => TimeTest::Above(field, at),
        Op::Below => TimeTest::Below(field, at),
    }))
}

/// Checks the path after `raw.`, up to the colon.
pub(super) fn raw_path(path: &str, token: &Token, colon: usize) -> Result<String, Fault> {
    let is_path = !path.trim().is_empty()
        && path.len() <= MAX_PATH_BYTES
        && path.split('.').all(|segment| !segment.is_empty());
    if is_path {
        return Ok(path.to_owned());
    }
    let message = "name a path in the payload, like raw.event.action:logon";
    Err(Fault::new(token.start, token.glyphs[colon].at, message))
}

pub(super) fn raw(path: String, glyphs: &[Glyph], token: &Token) -> Result<Test, Fault> {
    let operand = Operand::read(glyphs, token)?;
    let test = if operand.is_ordered() {
        let comparison = operand.compare(|value| {
            let message = "is compared as a number; for a text write raw.path:text";
            number(value)
                .map(|n| vec![n])
                .ok_or_else(|| value.fault(message))
        })?;
        RawTest::Number(comparison)
    } else {
        RawTest::Text(texts(&operand, &operand.values, Whole::Always)?)
    };
    Ok(Test::Raw { path, test })
}

pub(super) fn sort(glyphs: &[Glyph], token: &Token) -> Result<Sort, Fault> {
    let operand = Operand::read(glyphs, token)?;
    let list = operand.list(Field::Sort)?;
    if let Some(extra) = list.get(MAX_SORT_KEYS) {
        let message = format!("there are at most {MAX_SORT_KEYS} sort keys");
        return Err(extra.fault(message));
    }
    let mut keys: Vec<SortKey> = Vec::new();
    for value in list {
        let (name, is_descending) = match value.text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (value.text.as_str(), false),
        };
        let Some([field]) = SortField::read(name) else {
            let words = SortField::words();
            let mut fault = Fault::unknown(value.span(), SortField::WHAT, name, &words);
            if is_descending {
                fault.did_you_mean = fault.did_you_mean.map(|word| format!("-{word}"));
            }
            return Err(fault);
        };
        if keys.iter().any(|key| key.field == *field) {
            return Err(value.fault("is a sort key already"));
        }
        keys.push(SortKey {
            field: *field,
            is_descending,
        });
    }
    Ok(Sort { keys })
}

pub(super) fn group(glyphs: &[Glyph], token: &Token) -> Result<Group, Fault> {
    let operand = Operand::read(glyphs, token)?;
    operand.list(Field::Group)?;
    let value = operand.single(Field::Group)?;
    word(value).map(|words| words[0])
}
