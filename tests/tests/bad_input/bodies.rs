//! Bodies made from good ones by the generator of chance, and a list of known traps.

use calseta_tests::dice::Dice;

/// Values that other types would be swapped for.
const VALUES: &[&str] = &[
    "null",
    "true",
    "9223372036854775808",
    "\" \"",
    "[null]",
    "{\"\":null}",
    "-1.5",
    "0",
    "-0",
    "1e400",
    "-1e400",
    "1e-400",
    "9223372036854775807",
    "-9223372036854775809",
    "18446744073709551616",
    "0.1",
    "NaN",
    "\"\"",
    "[]",
    "{}",
    "[[[[]]]]",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\u202e\\u2066\"",
    "\"\u{feff}\"",
    "\"=cmd|' /C calc'!A0\"",
    "\"2025-13-45T99:99:99Z\"",
    "\"9999-12-31T23:59:59.999999999Z\"",
    "\"-0001-01-01T00:00:00Z\"",
    "1736937000",
    "1e20",
    "\"http://[::1\"",
    "\"http://127.0.0.1:99999/\"",
    "\"hxxp://a[.]b\"",
    "\"\\\"\"",
    "'x'",
    "undefined",
    "0x10",
    "01",
    "+1",
    ".5",
    "5.",
    "\"\n\"",
    "\"\t\"",
];

/// How many of [`VALUES`], from the first, are JSON: they get past the parser.
const GENTLE: usize = 7;

/// Where values begin: after a colon, a comma or an opening bracket that is in no string.
fn places(body: &[u8]) -> Vec<usize> {
    let mut quoted = false;
    let mut found = Vec::new();
    for (at, byte) in body.iter().enumerate() {
        quoted ^= *byte == b'"';
        if !quoted && b":[".contains(byte) {
            found.push(at + 1);
        }
    }
    found
}

/// The end of the value that begins here, roughly: the next separator outside a string.
fn value_end(body: &[u8], from: usize) -> usize {
    let (mut quoted, mut depth) = (false, 0_usize);
    for (at, byte) in body.iter().enumerate().skip(from) {
        match byte {
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' | b',' if !quoted && depth == 0 => return at,
            b'}' | b']' if !quoted => depth -= 1,
            _ => {}
        }
    }
    body.len()
}

fn swap_value(dice: &mut Dice, body: &mut Vec<u8>, values: &[&str]) {
    let places = places(body);
    if places.is_empty() {
        return;
    }
    let from = *dice.pick(&places);
    let end = value_end(body, from);
    body.splice(from..end, dice.pick(values).bytes());
}

fn duplicate_key(dice: &mut Dice, body: &mut Vec<u8>) {
    let Some(at) = body.iter().position(|byte| *byte == b'{') else {
        return;
    };
    let text = String::from_utf8_lossy(body).into_owned();
    let keys: Vec<&str> = text.split('"').skip(1).step_by(2).collect();
    if !keys.is_empty() {
        let again = format!("\"{}\":{},", dice.pick(&keys), dice.pick(VALUES));
        let after = at + 1;
        body.splice(after..after, again.bytes());
    }
}

fn wrap(dice: &mut Dice, body: &mut Vec<u8>) {
    let levels = 1 + dice.below(80);
    let (open, close) = *dice.pick(&[("[", "]"), ("{\"a\":", "}"), ("[1,", "]")]);
    let mut wrapped = open.repeat(levels).into_bytes();
    wrapped.extend_from_slice(body);
    wrapped.extend_from_slice(close.repeat(levels).as_bytes());
    *body = wrapped;
}

fn utf16(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body).into_owned();
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    [0xff, 0xfe].into_iter().chain(units).collect()
}

/// One body made from a good one, in one to four steps.
pub(crate) fn mutate(dice: &mut Dice, good: &[u8]) -> Vec<u8> {
    let mut body = good.to_vec();
    if dice.below(2) == 0 {
        for _ in 0..=dice.below(3) {
            swap_value(dice, &mut body, &VALUES[..GENTLE]);
        }
        return body;
    }
    for _ in 0..=dice.below(4) {
        let (at, length) = (dice.below(body.len()), body.len());
        match dice.below(14) {
            0 | 1 if length > 0 => body[at] ^= 1 << dice.below(8),
            2 => body.truncate(at),
            3..=6 => swap_value(dice, &mut body, VALUES),
            7 => duplicate_key(dice, &mut body),
            8 => wrap(dice, &mut body),
            9 => drop(body.splice(at..at, [0, 0xff, 0xc0, 0x80])),
            10 => {
                let end = (at + dice.below(64)).min(length);
                drop(body.drain(at..end));
            }
            11 => {
                let end = (at + dice.below(64)).min(length);
                let piece = body[at..end].to_vec();
                drop(body.splice(at..at, piece.repeat(1 + dice.below(20))));
            }
            12 => drop(body.splice(0..0, *b"\xef\xbb\xbf")),
            _ if dice.below(8) == 0 => body = utf16(&body),
            _ => drop(body.splice(at..at, dice.pick(VALUES).bytes())),
        }
    }
    body
}

/// Known traps, each for every route.
pub(crate) fn traps() -> Vec<(&'static str, Vec<u8>)> {
    let many = |count: usize, key: fn(usize) -> String| {
        let pairs: Vec<String> = (0..count).map(|n| format!("\"{}\":{n}", key(n))).collect();
        format!("{{{}}}", pairs.join(",")).into_bytes()
    };
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("empty", Vec::new()),
        ("blank", text(" \r\n\t ")),
        ("a byte order mark alone", b"\xef\xbb\xbf".to_vec()),
        ("UTF-16", utf16(b"{\"title\":\"t\"}")),
        ("null", text("null")),
        ("a number", text("1e400")),
        ("a string", text("\"x\"")),
        ("an empty object", text("{}")),
        ("an empty list", text("[]")),
        ("two documents", text("{}{}")),
        ("a comment", text("{/*x*/}")),
        ("a trailing comma", text("{\"title\":\"t\",}")),
        ("NUL", text("{\"title\":\"a\\u0000b\"}")),
        ("a raw NUL", text("{\"title\":\"a\0b\"}")),
        ("a lone surrogate", text("{\"title\":\"\\ud800\"}")),
        ("no UTF-8", b"{\"title\":\"\xff\xfe\"}".to_vec()),
        ("65 levels", text(&("[".repeat(65) + &"]".repeat(65)))),
        ("ten thousand keys", many(10_000, |n| format!("k{n}"))),
        (
            "ten thousand times one key",
            many(10_000, |_| "title".to_owned()),
        ),
        (
            "a key of four megabytes",
            text(&format!("{{\"{}\":1}}", "k".repeat(4_000_000))),
        ),
        (
            "a text of four megabytes",
            text(&format!("{{\"title\":\"{}\"}}", "t".repeat(4_000_000))),
        ),
        (
            "a number of a megabyte",
            text(&format!("{{\"title\":{}}}", "9".repeat(1_000_000))),
        ),
        (
            "a list of a million",
            text(&format!("{{\"title\":[{}0]}}", "0,".repeat(1_000_000))),
        ),
    ]
}

#[test]
fn the_same_seed_makes_the_same_bodies() {
    let bodies = |seed| {
        let mut dice = Dice::new(seed);
        let make = |_| mutate(&mut dice, b"{\"title\":\"t\",\"tags\":[\"a\",1]}");
        (0..200).map(make).collect::<Vec<_>>()
    };
    assert_eq!(bodies(7), bodies(7), "a failure could not be repeated");
    assert_ne!(bodies(7), bodies(8));
}
