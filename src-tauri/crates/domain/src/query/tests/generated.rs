//! Ten thousand queries that nobody thought of, of each kind.

use proptest::collection::vec;
use proptest::sample::{select, subsequence};

use super::*;
use crate::query::words::Spelled;

pub(super) const CASES: u32 = 10_000;

/// Any subset of a closed set, not empty.
fn some_of<T: Copy + std::fmt::Debug + 'static>(
    all: &'static [T],
) -> impl Strategy<Value = Vec<T>> {
    subsequence(all, 1..=all.len())
}

fn compared<T>(
    one: impl Strategy<Value = T> + Clone,
    many: impl Strategy<Value = Vec<T>>,
) -> impl Strategy<Value = Comparison<T>>
where
    T: std::fmt::Debug,
{
    prop_oneof![
        many.prop_map(Comparison::OneOf),
        one.clone().prop_map(Comparison::AtLeast),
        one.clone().prop_map(Comparison::AtMost),
        one.clone().prop_map(Comparison::Above),
        one.prop_map(Comparison::Below),
    ]
}

fn ordered<T: Copy + std::fmt::Debug + 'static>(
    all: &'static [T],
) -> impl Strategy<Value = Comparison<T>> {
    compared(select(all), some_of(all))
}

fn counts() -> impl Strategy<Value = Comparison<u64>> {
    let one = 0..=1_000_000_000_u64;
    compared(
        one,
        proptest::collection::btree_set(0..100_u64, 1..4).prop_map(|s| s.into_iter().collect()),
    )
}

/// Texts with everything that has a meaning in the grammar.
fn text() -> impl Strategy<Value = String> {
    let any = prop_oneof![
        "[a-zA-Z0-9 .:,\"\\\\*()<>=\\[\\]/@_-]{1,12}",
        "\\PC{1,8}",
        select(vec![
            "OR",
            "AND",
            "NOT",
            "-",
            "sev:high",
            "ü b",
            "hxxp://a[.]b"
        ])
        .prop_map(str::to_owned),
    ];
    any.prop_map(|text| text.trim().to_owned())
        .prop_filter("not empty", |text| !text.is_empty())
}

fn pattern() -> impl Strategy<Value = Pattern> {
    vec(
        prop_oneof![Just(String::new()), "[a-z .,:\"*()]{1,5}"],
        2..4,
    )
    .prop_map(|mut pieces| {
        if let Some(first) = pieces.first_mut() {
            *first = first.trim_start().to_owned();
        }
        if let Some(last) = pieces.last_mut() {
            *last = last.trim_end().to_owned();
        }
        Pattern::new(pieces).expect("two pieces at least")
    })
}

fn unique(list: Vec<TextMatch>) -> Vec<TextMatch> {
    let mut found: Vec<TextMatch> = Vec::new();
    for one in list {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// What source, tag and raw take.
fn whole_texts() -> impl Strategy<Value = Vec<TextMatch>> {
    let one = prop_oneof![
        text().prop_map(TextMatch::Equal),
        pattern().prop_map(TextMatch::Like)
    ];
    vec(one, 1..4).prop_map(unique)
}

/// What title, rule, agent and doc take: all equal, or none.
fn part_texts() -> impl Strategy<Value = Vec<TextMatch>> {
    let inside = prop_oneof![
        text().prop_map(TextMatch::Contains),
        pattern().prop_map(TextMatch::Like)
    ];
    prop_oneof![
        vec(text().prop_map(TextMatch::Equal), 1..4).prop_map(unique),
        vec(inside, 1..4).prop_map(unique),
    ]
}

fn indicators() -> impl Strategy<Value = Test> {
    let v4 = any::<u32>().prop_map(|n| std::net::Ipv4Addr::from(n).to_string());
    let v6 = any::<u128>().prop_map(|n| std::net::Ipv6Addr::from(n).to_canonical().to_string());
    let network = prop_oneof![
        (any::<u32>(), 0..32_u8)
            .prop_map(|(n, bits)| Network::new(std::net::Ipv4Addr::from(n).into(), bits)),
        (any::<u128>().prop_map(|n| n | 1 << 127), 0..128_u8)
            .prop_map(|(n, bits)| Network::new(std::net::Ipv6Addr::from(n).into(), bits)),
    ];
    let network = network.prop_map(|n| IndicatorMatch::Network(n.expect("the prefix fits")));
    let wildcard = "[a-z0-9.]{0,6}"
        .prop_map(|text| Pattern::new(vec![text, String::new()]).expect("a star"))
        .prop_map(IndicatorMatch::Wildcard);
    let exact = |text: BoxedStrategy<String>| text.prop_map(IndicatorMatch::Exact).boxed();
    let test = |field: IndicatorField, one: BoxedStrategy<IndicatorMatch>| {
        one.prop_map(move |one| Test::Indicator {
            field,
            any: vec![one],
        })
    };
    prop_oneof![
        test(
            IndicatorField::Ip,
            prop_oneof![exact(v4.boxed()), exact(v6.boxed()), network].boxed()
        ),
        test(
            IndicatorField::Domain,
            exact("[a-z]{1,9}\\.[a-z]{2,4}".boxed())
        ),
        test(
            IndicatorField::Hash,
            exact("[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}".boxed())
        ),
        test(
            IndicatorField::Url,
            exact("https?://[a-z]{1,8}\\.com/[A-Za-z0-9,(]{0,9}".boxed())
        ),
        test(
            IndicatorField::Email,
            exact("[a-z]{1,8}@[a-z]{1,8}\\.com".boxed())
        ),
        test(
            IndicatorField::Account,
            exact("[a-z]{1,5}\\\\[a-z \"]{0,5}z".boxed())
        ),
        test(
            IndicatorField::Any,
            prop_oneof![exact("[0-9a-f]{32}".boxed()), wildcard].boxed()
        ),
    ]
}

fn time_value() -> impl Strategy<Value = TimeValue> {
    prop_oneof![
        Just(TimeValue::Today),
        Just(TimeValue::Yesterday),
        (0..4_102_444_800_000_i64).prop_map(|ms| TimeValue::At(Timestamp::from_millis(ms))),
        (1..=9_999_i32, 1..=12_u8, 1..=28_u8).prop_map(|(y, m, d)| {
            TimeValue::On(Day::parse(&format!("{y:04}-{m:02}-{d:02}")).expect("a day"))
        }),
    ]
}

fn time() -> impl Strategy<Value = TimeTest> {
    let field = || select(TimeField::ALL);
    prop_oneof![
        (field(), time_value()).prop_map(|(f, v)| TimeTest::Within(f, v)),
        (field(), time_value()).prop_map(|(f, v)| TimeTest::AtLeast(f, v)),
        (field(), time_value()).prop_map(|(f, v)| TimeTest::AtMost(f, v)),
        (field(), time_value()).prop_map(|(f, v)| TimeTest::Above(f, v)),
        (field(), time_value()).prop_map(|(f, v)| TimeTest::Below(f, v)),
        (any::<bool>(), any::<bool>(), 0..MAX_AGE_SECONDS).prop_map(
            |(is_younger, is_inclusive, seconds)| TimeTest::Age {
                is_younger,
                is_inclusive,
                seconds
            }
        ),
    ]
}

fn free_text() -> impl Strategy<Value = Test> {
    (text(), any::<bool>())
        .prop_map(|(text, is_prefix)| (crate::indicator::refanged(&text).into_owned(), is_prefix))
        .prop_filter("has a letter", |(text, _)| {
            text.contains(char::is_alphanumeric) && text.trim() == text
        })
        .prop_map(|(text, is_prefix)| Test::Text(FreeText { text, is_prefix }))
}

fn raw() -> impl Strategy<Value = Test> {
    let path = "[a-z:]{1,4}(\\.[a-z0-9 \"]{1,3}){0,2}";
    let number = -1e9..1e9_f64;
    let test = prop_oneof![
        whole_texts().prop_map(RawTest::Text),
        number.prop_map(|n| RawTest::Number(Comparison::AtLeast(n))),
    ];
    (path, test).prop_map(|(path, test)| Test::Raw { path, test })
}

fn word_test() -> impl Strategy<Value = Test> {
    prop_oneof![
        some_of(AlertStatus::ALL).prop_map(Test::Status),
        ordered(Severity::ALL).prop_map(Test::Severity),
        ordered(Malice::ALL).prop_map(Test::Malice),
        some_of(FindingVerdict::ALL).prop_map(Test::Says),
        ordered(ConfidenceLevel::ALL).prop_map(Test::ConfidenceLevel),
        compared(
            (0..=1_000_u32).prop_map(|n| f64::from(n) / 1_000.0),
            Just(vec![0.25, 1.0])
        )
        .prop_map(Test::Confidence),
        any::<bool>().prop_map(Test::Disagree),
        some_of(CloseClassification::ALL).prop_map(Test::Classification),
        some_of(EnrichmentStatus::ALL).prop_map(Test::Enrichment),
        some_of(DeliveryWord::ALL).prop_map(Test::Delivery),
        some_of(ApprovalWord::ALL).prop_map(Test::Approval),
        some_of(FlagWord::ALL).prop_map(Test::Is),
        Just(Test::Has(vec![HasWord::Note])),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    prop_oneof![
        4 => word_test(),
        1 => whole_texts().prop_map(Test::Source),
        1 => whole_texts().prop_map(Test::Tag),
        1 => part_texts().prop_map(Test::Rule),
        1 => part_texts().prop_map(Test::Title),
        1 => part_texts().prop_map(Test::Agent),
        1 => part_texts().prop_map(Test::Document),
        1 => "T[0-9]{4}(\\.[0-9]{3})?".prop_map(|id| Test::Mitre(vec![TextMatch::Equal(id)])),
        2 => indicators(),
        1 => counts().prop_map(Test::Findings),
        1 => counts().prop_map(Test::Duplicates),
        2 => time().prop_map(Test::Time),
        1 => raw(),
        1 => any::<u128>().prop_map(|n| Test::Id(vec![uuid::Uuid::from_u128(n).into()])),
        3 => free_text(),
    ]
}

pub(super) fn expr() -> impl Strategy<Value = Expr> {
    test()
        .prop_map(Expr::Test)
        .prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                vec(inner.clone(), 1..4).prop_map(Expr::all),
                vec(inner.clone(), 1..4).prop_map(Expr::any),
                inner.prop_map(Expr::negate),
            ]
        })
}

fn sort() -> impl Strategy<Value = Sort> {
    subsequence(SortField::ALL, 1..=MAX_SORT_KEYS).prop_map(|fields| {
        let key = |(n, field)| SortKey {
            field,
            is_descending: n % 2 == 0,
        };
        Sort {
            keys: fields.into_iter().enumerate().map(key).collect(),
        }
    })
}

/// Text that is nearly a query, so that the parser gets far before it gives up.
pub(super) fn nearly_a_query() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        select(Field::WORDS).prop_map(|name| format!("{name}:")),
        select(Severity::words()).prop_map(str::to_owned),
        select(vec![
            "(", ")", " OR ", " ", "-", ",", "\"", "*", ">=", "<", ":", "\\", "raw.a.", "4h", "/24"
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
        "[0-9a-f.:/]{0,9}",
    ];
    vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn a_printed_query_is_the_same_query(
        expr in expr(),
        sort in proptest::option::of(sort()),
        group in proptest::option::of(select(Group::ALL)),
    ) {
        let query = Query { expr, sort, group, now: now() };
        let printed = query.to_string();
        prop_assume!(printed.len() <= MAX_QUERY_BYTES);
        let again = Query::parse(&printed, now());
        prop_assert_eq!(again.as_ref(), Ok(&query), "{}", printed);
    }

    #[test]
    fn whatever_is_typed_is_understood_or_refused_in_its_place(
        text in prop_oneof![nearly_a_query(), "\\PC{0,60}", "(?s).{0,60}"],
    ) {
        match Query::parse(&text, now()) {
            Ok(query) => {
                let printed = query.to_string();
                if printed.len() <= MAX_QUERY_BYTES {
                    prop_assert_eq!(Query::parse(&printed, now()), Ok(query), "{}", printed);
                }
            }
            Err(error) => {
                let span = error.span;
                prop_assert!(span.start <= span.end && span.end <= text.len());
                prop_assert!(text.get(span.start..span.end).is_some(), "on character boundaries");
                prop_assert!(span.end_char <= text.chars().count());
                prop_assert!(!error.message.is_empty());
            }
        }
    }

    #[test]
    fn completion_always_names_a_part_before_or_at_the_cursor(
        text in nearly_a_query(),
        cursor in 0..80_usize,
    ) {
        let completion = complete(&text, cursor);
        let span = completion.span;
        prop_assert!(text.get(span.start..span.end).is_some());
        prop_assert!(span.start_char <= cursor.min(text.chars().count()));
    }
}
