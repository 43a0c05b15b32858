//! Queries by chance: every test of the grammar, with values that alerts have and some they do not.

use calseta_domain::query::{
    Comparison, ConfidenceLevel, DeliveryWord, Expr, FindingVerdict, FlagWord, FreeText, HasWord,
    IndicatorField, IndicatorMatch, Network, Pattern, RawTest, SortField, SortKey, Test, TextMatch,
    TimeField, TimeTest, TimeValue,
};
use calseta_domain::{
    AlertId, AlertStatus, CloseClassification, EnrichmentStatus, Malice, Severity,
};
use uuid::Uuid;

use super::world::{
    AGENTS, Dice, INDICATORS, MITRE, SOURCES, TAGS, TITLES, WORDS, ingested, sentence,
};

/// Kinds of test that [`test`] knows.
pub(crate) const TESTS: usize = 30;

fn pattern(dice: &mut Dice, value: &str) -> Pattern {
    let letters: Vec<char> = value.chars().collect();
    let (a, b) = (dice.below(letters.len() + 1), dice.below(letters.len() + 1));
    let (from, to) = (a.min(b), a.max(b));
    let piece = |range: &[char]| range.iter().collect::<String>();
    let pieces = match dice.below(3) {
        0 => vec![piece(&letters[..from]), piece(&letters[to..])],
        1 => vec![String::new(), piece(&letters[from..to]), String::new()],
        _ => vec![piece(&letters[..to]), String::new()],
    };
    Pattern::new(pieces).expect("it has a star")
}

fn texts(dice: &mut Dice, values: &[&str]) -> Vec<TextMatch> {
    (0..=dice.below(2))
        .map(|_| {
            let mut value = dice.of(values).to_owned();
            if dice.chance(30) {
                value = value.to_uppercase();
            }
            match dice.below(4) {
                0 => TextMatch::Equal(value),
                1 => {
                    let half: String = value.chars().skip(1).take(1 + dice.below(6)).collect();
                    TextMatch::Contains(if half.is_empty() { value } else { half })
                }
                2 => TextMatch::Equal(format!("{value}x")),
                _ => TextMatch::Like(pattern(dice, &value)),
            }
        })
        .collect()
}

fn compared<T: Clone>(dice: &mut Dice, all: &[T]) -> Comparison<T> {
    let one = dice.of(all);
    match dice.below(5) {
        0 => Comparison::AtLeast(one),
        1 => Comparison::AtMost(one),
        2 => Comparison::Above(one),
        3 => Comparison::Below(one),
        _ => Comparison::OneOf(vec![one, dice.of(all)]),
    }
}

fn indicators(dice: &mut Dice) -> Test {
    let (_, value) = dice.of(INDICATORS);
    let network = |text: &str, bits| Network::new(text.parse().expect("an address"), bits);
    let one = match dice.below(4) {
        0 => IndicatorMatch::Exact(value.to_owned()),
        1 => {
            let (text, bits) = dice.of(&[
                ("185.220.101.0", 24),
                ("185.220.0.0", 16),
                ("0.0.0.0", 0),
                ("2001:db8::", 32),
                ("::", 0),
                ("10.0.0.7", 32),
            ]);
            IndicatorMatch::Network(network(text, bits).expect("it fits"))
        }
        _ => IndicatorMatch::Wildcard(pattern(dice, value)),
    };
    let exact = IndicatorMatch::Exact(dice.of(INDICATORS).1.to_owned());
    let any = if dice.chance(30) {
        vec![one, exact]
    } else {
        vec![one]
    };
    let field = dice.of(IndicatorField::ALL);
    Test::Indicator { field, any }
}

fn time(dice: &mut Dice) -> Test {
    if dice.chance(25) {
        return Test::Time(TimeTest::Age {
            is_younger: dice.chance(50),
            is_inclusive: dice.chance(50),
            seconds: 60 * dice.below(400) as u64,
        });
    }
    let field = dice.of(TimeField::ALL);
    let value = match dice.below(3) {
        0 => TimeValue::Today,
        1 => TimeValue::Yesterday,
        _ => TimeValue::At(ingested(dice.below(400))),
    };
    Test::Time(match dice.below(5) {
        0 => TimeTest::Within(field, value),
        1 => TimeTest::AtLeast(field, value),
        2 => TimeTest::AtMost(field, value),
        3 => TimeTest::Above(field, value),
        _ => TimeTest::Below(field, value),
    })
}

fn raw(dice: &mut Dice) -> Test {
    let path = dice.of(&[
        "event.action",
        "event.code",
        "event.ok",
        "event.list.name",
        "event.list.0.name",
        "event.note",
        "count",
        "score",
        "nothing.here",
    ]);
    let test = match dice.below(3) {
        0 => RawTest::Number(match compared(dice, &[3.0, 7.25, 4625.0]) {
            Comparison::OneOf(_) => Comparison::AtLeast(0.5),
            other => other,
        }),
        1 => RawTest::Text(vec![TextMatch::Like(
            Pattern::new(vec![String::new(), String::new()]).expect("a star"),
        )]),
        _ => RawTest::Text(texts(
            dice,
            &["logon", "log off", "4625", "true", "x", "travel"],
        )),
    };
    Test::Raw {
        path: path.to_owned(),
        test,
    }
}

fn free_text(dice: &mut Dice) -> Test {
    let mut text = if dice.chance(50) {
        sentence(dice)
    } else {
        dice.of(WORDS).to_owned()
    };
    if dice.chance(20) {
        dice.of(INDICATORS).1.clone_into(&mut text);
    }
    if dice.chance(30) {
        dice.of(&[
            "98f0",
            "D41D8CD9",
            "8f0",
            "ECF8427E",
            "9800998ec",
            "ecf9",
            "9800",
        ])
        .clone_into(&mut text);
    }
    let is_prefix = dice.chance(30);
    if is_prefix {
        text = text.chars().take(3).collect();
    }
    Test::Text(FreeText { text, is_prefix })
}

/// One test; `kind` is below [`TESTS`].
pub(crate) fn test(dice: &mut Dice, kind: usize) -> Test {
    match kind {
        0 => Test::Status(vec![dice.of(AlertStatus::ALL)]),
        1 => Test::Severity(compared(dice, Severity::ALL)),
        2 => Test::Source(texts(dice, SOURCES)),
        3 => Test::Rule(texts(dice, &["Impossible travel", "rule-1", "Script"])),
        4 => Test::Tag(texts(dice, TAGS)),
        5 => Test::Title(texts(dice, WORDS)),
        6 | 7 => indicators(dice),
        8 => Test::Malice(compared(dice, Malice::ALL)),
        9 => Test::Findings(compared(dice, &[0, 1, 2, 3])),
        10 => Test::Agent(texts(dice, AGENTS)),
        11 => Test::Says(vec![dice.of(FindingVerdict::ALL)]),
        12 => Test::ConfidenceLevel(compared(dice, ConfidenceLevel::ALL)),
        13 => Test::Confidence(compared(dice, &[0.3, 0.5, 0.9])),
        14 => Test::Disagree(dice.chance(50)),
        15 => Test::Classification(vec![dice.of(CloseClassification::ALL)]),
        16 => Test::Enrichment(vec![dice.of(EnrichmentStatus::ALL)]),
        17 => Test::Delivery(vec![dice.of(DeliveryWord::ALL), dice.of(DeliveryWord::ALL)]),
        18 => Test::Mitre(texts(dice, MITRE)),
        19 => Test::Duplicates(compared(dice, &[0, 1, 4])),
        20 | 21 => time(dice),
        22 => raw(dice),
        23 => Test::Document(texts(dice, TITLES)),
        24 => Test::Id(vec![AlertId::new(Uuid::from_u128(dice.below(400) as u128))]),
        25 => free_text(dice),
        26 => Test::Has(vec![HasWord::Note]),
        27 | 28 => Test::Is(vec![dice.of(FlagWord::ALL)]),
        _ => Test::Is(vec![dice.of(FlagWord::ALL), dice.of(FlagWord::ALL)]),
    }
}

/// An expression, at most `depth` deep.
pub(crate) fn expr(dice: &mut Dice, depth: usize) -> Expr {
    let members = |dice: &mut Dice| -> Vec<Expr> {
        (0..2 + dice.below(2))
            .map(|_| expr(dice, depth - 1))
            .collect()
    };
    match dice.below(if depth == 0 { 6 } else { 10 }) {
        0..=5 => {
            let kind = dice.below(TESTS);
            Expr::Test(test(dice, kind))
        }
        6 | 7 => Expr::all(members(dice)),
        8 => Expr::any(members(dice)),
        _ => expr(dice, depth - 1).negate(),
    }
}

/// An order of one to three keys.
pub(crate) fn order(dice: &mut Dice) -> Vec<SortKey> {
    let mut keys: Vec<SortKey> = Vec::new();
    for _ in 0..=dice.of(&[0, 0, 1, 2]) {
        let field = dice.of(SortField::ALL);
        if keys.iter().all(|key| key.field != field) {
            keys.push(SortKey {
                field,
                is_descending: dice.chance(60),
            });
        }
    }
    keys
}
