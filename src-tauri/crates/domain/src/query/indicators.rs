//! Indicator values of a query: canonical as they are stored, defanged spellings welcome.

use std::net::IpAddr;

use super::error::{Fault, echo};
use super::lex::Value;
use super::{IndicatorField, IndicatorMatch, Network, Pattern};
use crate::IndicatorType as Type;
use crate::indicator::{canonical, hash_kind, refanged};

/// What `ind:` may be, the most particular first: nearly any text is an account's name.
const BY_LIKENESS: &[Type] = &[
    Type::HashMd5,
    Type::HashSha1,
    Type::HashSha256,
    Type::Ip,
    Type::Url,
    Type::Email,
    Type::Domain,
    Type::Account,
];
/// How often the canonical spelling is read again until it stays the same.
const MAX_ROUNDS: usize = 4;

pub(super) fn read(field: IndicatorField, value: &Value) -> Result<IndicatorMatch, Fault> {
    if let Some(pattern) = &value.pattern {
        return Ok(IndicatorMatch::Wildcard(folded(pattern)));
    }
    if matches!(field, IndicatorField::Ip | IndicatorField::Any)
        && let Some(network) = network(&value.text)
    {
        return Ok(network);
    }
    let mut found = one(field, &value.text);
    for _ in 0..MAX_ROUNDS {
        let again = found.as_deref().and_then(|text| one(field, text));
        if again == found {
            break;
        }
        found = again;
    }
    found.map(IndicatorMatch::Exact).ok_or_else(|| {
        let text = echo(&value.text);
        value.fault(format!("{text:?} is no {}", expected(field)))
    })
}

fn one(field: IndicatorField, text: &str) -> Option<String> {
    match field {
        IndicatorField::Ip => canonical(Type::Ip, text),
        IndicatorField::Domain => canonical(Type::Domain, text),
        IndicatorField::Hash => canonical(hash_kind(text)?, text),
        IndicatorField::Url => canonical(Type::Url, text),
        IndicatorField::Email => canonical(Type::Email, text),
        IndicatorField::Account => canonical(Type::Account, text),
        IndicatorField::Any => BY_LIKENESS.iter().find_map(|kind| canonical(*kind, text)),
    }
}

const fn expected(field: IndicatorField) -> &'static str {
    match field {
        IndicatorField::Ip => "address; write 185.220.101.47, 185.220.101.0/24 or 185.220.*",
        IndicatorField::Domain => "domain; write evil.tld or *.evil.tld",
        IndicatorField::Hash => "MD5, SHA-1 or SHA-256; write all its digits, or some and a *",
        IndicatorField::Url => "http, https or ftp URL; write all of it, or a part and a *",
        IndicatorField::Email => "mail address; write name@example.com or *@example.com",
        IndicatorField::Account => "account; write a name, or a part and a *",
        IndicatorField::Any => "indicator",
    }
}

/// `185.220.101.0/24` in any spelling; the network of one address is that address.
fn network(text: &str) -> Option<IndicatorMatch> {
    let text = refanged(text);
    let (address, bits) = text.split_once('/')?;
    let is_number = !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit());
    let mut bits: u8 = bits.parse().ok().filter(|_| is_number)?;
    let mut address: IpAddr = address.parse().ok()?;
    // Stored addresses are canonical: an IPv4-mapped one is IPv4.
    if let IpAddr::V6(v6) = address
        && let Some(v4) = v6.to_ipv4_mapped()
        && (96..=128).contains(&bits)
    {
        address = IpAddr::V4(v4);
        bits -= 96;
    }
    let whole = if address.is_ipv4() { 32 } else { 128 };
    if bits == whole {
        return Some(IndicatorMatch::Exact(address.to_string()));
    }
    Network::new(address, bits).map(IndicatorMatch::Network)
}

/// As values are stored, as far as that can be said of a part of one.
fn folded(pattern: &Pattern) -> Pattern {
    let pieces = pattern.pieces().iter();
    let pieces = pieces.map(|piece| refanged(&piece.to_lowercase()).into_owned());
    Pattern::new(pieces.collect()).unwrap_or_else(|| pattern.clone())
}
