//! The filter grammar: what `GET /v1/alerts?q=`, saved views and the window's search box share.
//!
//! ```text
//! expr  := term+                                     a space means AND
//! term  := ["-"] (field ":" test | text | "(" expr {"OR" expr} ")")
//! test  := [">=" | "<=" | ">" | "<" | "="] value     or value {"," value}, where a comma means OR
//! ```
//!
//! `*` in a value stands for any run of characters, also inside quotes, which take the meaning from
//! everything else in them (`\"`, `\\` and `\*` are a quote, a backslash and a star). Names and closed
//! words are read in any case.
//! The parser says what is meant; only the store finds alerts by it, in SQL. `judge` tells what a
//! row on the screen knows of it by itself, and may say that it does not know. Read this file for
//! the types, `parse` for the grammar, `print` for the way back, `chips` and `facet` for edits.

mod chips;
mod complete;
mod error;
mod facet;
mod field;
mod indicators;
mod judge;
mod lex;
mod parse;
mod pattern;
mod print;
mod suppress;
mod terms;
#[cfg(test)]
mod tests;
mod time;
mod words;

use crate::{
    AlertId, AlertStatus, CloseClassification, EnrichmentStatus, IndicatorType, Malice, Severity,
    Timestamp, attack, words,
};

pub use chips::{Chip, chips, corrected, replaced, with_group, with_sort, with_term, without};
pub use complete::{Candidate, Completion, complete};
pub use error::{QueryError, Span};
pub use facet::{has_value, toggled};
pub use field::Field;
pub use judge::Facts;
pub use pattern::{Network, Pattern, TextMatch};
pub use suppress::{Sample, like, suppressible};
pub use time::{Day, MAX_AGE_SECONDS, TimeField, TimeRange, TimeTest, TimeValue};

/// The longest query, in bytes.
pub const MAX_QUERY_BYTES: usize = 4_096;
/// The most tests and texts in one query; more could not be answered in time.
pub const MAX_TERMS: usize = 64;
/// How deep parentheses and negations may be nested.
pub const MAX_NESTING: usize = 8;
/// The most values in one list of a test.
pub const MAX_VALUES: usize = 64;
/// The most keys to sort by.
pub const MAX_SORT_KEYS: usize = 3;

/// A query that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Which alerts. `Expr::All` of nothing is every alert.
    pub expr: Expr,
    /// In which order; `None` leaves it to the caller.
    pub sort: Option<Sort>,
    /// What the window groups by; `None` leaves it to the caller. Groups restrict nothing.
    pub group: Option<Group>,
    /// The time that `age:<4h`, `today` and `yesterday` are counted from; days are UTC days.
    pub now: Timestamp,
}

/// A boolean expression over tests, in normal form: no `All` directly in an `All`, no `Any`
/// directly in an `Any`, neither with exactly one member, `Any` never empty, and `All` empty only
/// as the whole query. [`Expr::all`], [`Expr::any`] and [`Expr::negate`] keep it so.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// Every one holds; none at all is every alert.
    All(Vec<Self>),
    /// At least one holds.
    Any(Vec<Self>),
    /// It does not hold. An alert that has no value there (no rule, never closed) fails a test of
    /// that value, so it passes the negation.
    Not(Box<Self>),
    /// One test.
    Test(Test),
}

/// One test of an alert. Lists are never empty and mean "any of these".
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// `status:open,triaging`.
    Status(Vec<AlertStatus>),
    /// `sev:>=high`. `Pending` is no place in the order: see [`Comparison::severities`].
    Severity(Comparison<Severity>),
    /// `source:sentinel`: the source's name.
    Source(Vec<TextMatch>),
    /// `rule:impossible`: the name of the detection rule, or its id at the source.
    Rule(Vec<TextMatch>),
    /// `tag:vip`: one of the tags.
    Tag(Vec<TextMatch>),
    /// `title:travel`.
    Title(Vec<TextMatch>),
    /// `ip:`, `domain:`, `hash:`, `url:`, `email:`, `account:`, `ind:`.
    Indicator {
        /// Which field it was; [`IndicatorField::kinds`] gives the indicator types.
        field: IndicatorField,
        /// The alert has an indicator of that kind that is one of these.
        any: Vec<IndicatorMatch>,
    },
    /// `verdict:malicious`: the alert's verdict, overridden or the worst of its indicators'.
    Malice(Comparison<Malice>),
    /// `finding:yes`, `finding:>2`: how many findings it has. `yes` is `AtLeast(1)`, `no` is
    /// `OneOf([0])`.
    Findings(Comparison<u64>),
    /// `agent:triage-bot`: a finding's author.
    Agent(Vec<TextMatch>),
    /// `says:benign`: the verdict of a finding.
    Says(Vec<FindingVerdict>),
    /// `conf:high`, `conf:>=medium`: a finding's confidence in words.
    ConfidenceLevel(Comparison<ConfidenceLevel>),
    /// `conf:>=0.8`: a finding's confidence, 0 to 1.
    Confidence(Comparison<f64>),
    /// `disagree:yes`: whether its findings name more than one verdict.
    Disagree(bool),
    /// `class:fp`: why it was closed.
    Classification(Vec<CloseClassification>),
    /// `enrich:failed`.
    Enrichment(Vec<EnrichmentStatus>),
    /// `delivery:failed`.
    Delivery(Vec<DeliveryWord>),
    /// `approval:pending`. No alert has an approval yet: always false.
    Approval(Vec<ApprovalWord>),
    /// `mitre:T1078`: a tactic, technique or sub-technique of its rule. Ids are in upper case; a
    /// technique is also matched by its sub-techniques (`T1078` by `T1078.004`). Anything else is
    /// compared with what the source wrote.
    Mitre(Vec<TextMatch>),
    /// `dup:>5`: how often it was repeated.
    Duplicates(Comparison<u64>),
    /// `age:<4h`, `occurred:today`, `closed:>=2025-01-15`.
    Time(TimeTest),
    /// `is:unread`: a mark on it. No alert is `demo` or `replay` yet.
    Is(Vec<FlagWord>),
    /// `raw.event.action:logon`: a value in the raw payload.
    Raw {
        /// Dotted, with array indices, as `domain::path` reads it.
        path: String,
        /// What it must be.
        test: RawTest,
    },
    /// `doc:runbook`: the title of a context document that applies to it.
    Document(Vec<TextMatch>),
    /// `has:note`.
    Has(Vec<HasWord>),
    /// `id:01890a5d-…`: the alert itself.
    Id(Vec<AlertId>),
    /// A word or a quoted phrase: in title, description, indicators, finding text or raw payload.
    Text(FreeText),
}

/// A comparison of ordered values.
#[derive(Debug, Clone, PartialEq)]
pub enum Comparison<T> {
    /// Exactly one of these; never empty.
    OneOf(Vec<T>),
    /// `>=`
    AtLeast(T),
    /// `<=`
    AtMost(T),
    /// `>`
    Above(T),
    /// `<`
    Below(T),
}

/// Words that are looked for in everything that an alert says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeText {
    /// The word or phrase, refanged (`evil[.]com` is `evil.com`), trimmed, never empty.
    pub text: String,
    /// Whether the last word may go on: `trav*`.
    pub is_prefix: bool,
}

/// What a value in the raw payload must be.
#[derive(Debug, Clone, PartialEq)]
pub enum RawTest {
    /// As text, ignoring case: numbers and booleans as JSON writes them. `*` alone is "is there".
    Text(Vec<TextMatch>),
    /// As a number, never `OneOf`: a number that is written without an operator is a text.
    Number(Comparison<f64>),
}

/// How an indicator is matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndicatorMatch {
    /// Its canonical value is this.
    Exact(String),
    /// Its canonical value is like this, ignoring ASCII case.
    Wildcard(Pattern),
    /// It is an address in this network.
    Network(Network),
}

words! {
    /// Which indicators a test looks at.
    IndicatorField, "indicator field" {
        Ip => "ip",
        Domain => "domain",
        Hash => "hash",
        Url => "url",
        Email => "email",
        Account => "account",
        Any => "ind",
    }
}

impl IndicatorField {
    /// The types of indicator that the field means.
    pub const fn kinds(self) -> &'static [IndicatorType] {
        match self {
            Self::Ip => &[IndicatorType::Ip],
            Self::Domain => &[IndicatorType::Domain],
            Self::Hash => &[
                IndicatorType::HashMd5,
                IndicatorType::HashSha1,
                IndicatorType::HashSha256,
            ],
            Self::Url => &[IndicatorType::Url],
            Self::Email => &[IndicatorType::Email],
            Self::Account => &[IndicatorType::Account],
            Self::Any => IndicatorType::ALL,
        }
    }
}

words! {
    /// What a finding says about its alert.
    FindingVerdict, "verdict" {
        Malicious => "malicious",
        Suspicious => "suspicious",
        Benign => "benign",
        Inconclusive => "inconclusive",
    }
}

words! {
    /// A finding's confidence in a word, ordered: from 0.8 high, from 0.5 medium, else low.
    ConfidenceLevel, "confidence" {
        Low => "low",
        Medium => "medium",
        High => "high",
    }
}

words! {
    /// What became of an alert's deliveries.
    DeliveryWord, "delivery" {
        // One was given up.
        Failed => "failed",
        // One is due, under way or parked.
        Running => "running",
        // One was delivered.
        Delivered => "delivered",
        // There is none.
        None => "none",
    }
}

words! {
    /// Where an approval stands.
    ApprovalWord, "approval" {
        Pending => "pending",
        Approved => "approved",
        Rejected => "rejected",
        Expired => "expired",
    }
}

words! {
    /// Marks that an alert may carry.
    FlagWord, "mark" {
        Unread => "unread",
        Snoozed => "snoozed",
        Flagged => "flagged",
        Demo => "demo",
        Suppressed => "suppressed",
        Replay => "replay",
    }
}

words! {
    /// Things that an alert may have.
    HasWord, "thing" {
        Note => "note",
    }
}

/// The order of a list; the store adds its own tie-breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The first key decides, 1 to [`MAX_SORT_KEYS`], each field once.
    pub keys: Vec<SortKey>,
}

/// One key of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortKey {
    /// What is compared.
    pub field: SortField,
    /// Whether the greatest comes first: `-sev`.
    pub is_descending: bool,
}

words! {
    /// What alerts can be sorted by.
    SortField, "sort key" {
        Ingested => "ingested",
        Occurred => "occurred",
        Updated => "updated",
        Severity => "sev",
        Status => "status",
        Source => "source",
        Title => "title",
        Malice => "verdict",
        Duplicates => "dup",
    }
}

words! {
    /// What the list is grouped by.
    Group, "group" {
        None => "none",
        Rule => "rule",
        Entity => "entity",
        Source => "source",
        Duplicate => "duplicate",
    }
}

impl Query {
    /// The query with the ATT&CK names that only the table knows (`mitre:"Valid Accounts"`) as
    /// their ids; what it does not know stays as it was written.
    #[must_use]
    pub fn with_attack_ids(mut self, table: &attack::Table) -> Self {
        self.expr.each_test(&mut |test| {
            let Test::Mitre(matches) = test else { return };
            for one in matches {
                if let TextMatch::Equal(text) = one
                    && let Some(id) = table.id_of_any(text)
                {
                    id.clone_into(text);
                }
            }
        });
        self
    }
}

impl Expr {
    fn each_test(&mut self, change: &mut impl FnMut(&mut Test)) {
        match self {
            Self::All(members) | Self::Any(members) => {
                for member in members {
                    member.each_test(change);
                }
            }
            Self::Not(inner) => inner.each_test(change),
            Self::Test(test) => change(test),
        }
    }

    /// All of these, flattened.
    pub fn all(members: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Self::All(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match <[Self; 1]>::try_from(flat) {
            Ok([one]) => one,
            Err(many) => Self::All(many),
        }
    }

    /// Any of these, flattened; of none, everything.
    pub fn any(members: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Self::Any(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match <[Self; 1]>::try_from(flat) {
            Ok([one]) => one,
            Err(many) if many.is_empty() => Self::All(many),
            Err(many) => Self::Any(many),
        }
    }

    /// The opposite.
    #[must_use]
    pub fn negate(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// Whether it is every alert.
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::All(members) if members.is_empty())
    }
}

impl Test {
    /// Whether no alert can pass, because what it asks for does not exist in this version:
    /// approvals. The store answers such a test with false.
    pub const fn is_never(&self) -> bool {
        matches!(self, Self::Approval(_))
    }
}

impl Comparison<Severity> {
    /// The severities that pass, in order. `Pending` passes only when it is named: a severity that
    /// was not understood is neither above nor below another.
    pub fn severities(&self) -> Vec<Severity> {
        self.members(Severity::ALL, Severity::Pending)
    }
}

impl Comparison<Malice> {
    /// The verdicts that pass, in order; `Pending` only when it is named.
    pub fn verdicts(&self) -> Vec<Malice> {
        self.members(Malice::ALL, Malice::Pending)
    }
}

impl Comparison<ConfidenceLevel> {
    /// The levels that pass, in order.
    pub fn levels(&self) -> Vec<ConfidenceLevel> {
        let passes = |level: &ConfidenceLevel| self.holds(level);
        ConfidenceLevel::ALL
            .iter()
            .copied()
            .filter(passes)
            .collect()
    }
}

impl<T: PartialOrd> Comparison<T> {
    /// Whether a value passes.
    pub fn holds(&self, value: &T) -> bool {
        match self {
            Self::OneOf(values) => values.contains(value),
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::Above(bound) => value > bound,
            Self::Below(bound) => value < bound,
        }
    }
}

impl<T: PartialOrd + Copy> Comparison<T> {
    fn members(&self, all: &[T], unknown: T) -> Vec<T> {
        let is_named = |value: &T| matches!(self, Self::OneOf(values) if values.contains(value));
        all.iter()
            .copied()
            .filter(|value| self.holds(value) && (*value != unknown || is_named(value)))
            .collect()
    }
}
