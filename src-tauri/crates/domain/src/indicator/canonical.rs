//! The one spelling of an indicator, so that `EVIL[.]com.` and `evil.com` are one row.
//!
//! What cannot be of the type it claims (a hash of 63 characters, an address out of range) is no
//! indicator at all: a wrong one would link alerts that have nothing to do with each other.
//! Canonicalising twice gives the same value; a property test holds that.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::IndicatorType;

/// The longest indicator, in bytes, before and after canonicalising.
pub const MAX_VALUE_BYTES: usize = 2_048;
/// A DNS name's limits, in bytes.
const MAX_NAME_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;
/// The local part of an address, in bytes (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_PART_BYTES: usize = 64;
/// How often a URL is normalised until it no longer changes; removing `..` can join characters
/// into a defanged spelling again. A URL that is still changing then is refused.
const MAX_URL_ROUNDS: usize = 4;
/// What sources write when they have no user; as an indicator it would link everything.
const NO_ACCOUNT: &[&str] = &["-", "n/a", "null", "(null)", "none", "unknown", "undefined"];

/// The canonical spelling of a raw value; `None` when it is no such indicator.
///
/// - `ip`: refanged; brackets, zone and port stripped; a prefix length is stripped from an
///   address (`10.1.2.3/24`), while a network (`10.1.2.0/24`) is no indicator; IPv6 compressed,
///   IPv4-mapped as IPv4.
/// - `domain`: refanged, port and trailing dot stripped, IDN as ASCII, lower case. Underscores
///   and single labels (host names) are allowed, addresses are not.
/// - hashes: exactly 32, 40 or 64 hexadecimal digits, lower case, not all zero.
/// - `url`: refanged; http, https and ftp only, as the URL standard serialises it; the case of
///   path and query is kept.
/// - `email`: refanged, out of `Name <address>` and `mailto:`; all of it lower case.
/// - `account`: trimmed and lower case, `DOMAIN\user` and `user@domain` as they are: Windows and
///   the identity providers compare names without case. Placeholders such as `-` or `unknown`
///   are no account.
pub fn canonical(kind: IndicatorType, raw: &str) -> Option<String> {
    let raw = raw.trim();
    if raw.is_empty() || raw.len() > MAX_VALUE_BYTES {
        return None;
    }
    let value = match kind {
        IndicatorType::Ip => ip(raw),
        IndicatorType::Domain => domain(raw),
        IndicatorType::HashMd5 => hash(raw, 32),
        IndicatorType::HashSha1 => hash(raw, 40),
        IndicatorType::HashSha256 => hash(raw, 64),
        IndicatorType::Url => url(raw),
        IndicatorType::Email => email(raw),
        IndicatorType::Account => account(raw),
    }?;
    (value.len() <= MAX_VALUE_BYTES).then_some(value)
}

/// The type of hash that a text of this many digits is; `None` for any other length.
pub fn hash_kind(raw: &str) -> Option<IndicatorType> {
    match raw.trim().len() {
        32 => Some(IndicatorType::HashMd5),
        40 => Some(IndicatorType::HashSha1),
        64 => Some(IndicatorType::HashSha256),
        _ => None,
    }
}

fn hash(raw: &str, digits: usize) -> Option<String> {
    let is_hash = raw.len() == digits
        && raw.bytes().all(|b| b.is_ascii_hexdigit())
        // What sensors send that did not compute it; it would link everything.
        && raw.bytes().any(|b| b != b'0');
    is_hash.then(|| raw.to_ascii_lowercase())
}

fn ip(raw: &str) -> Option<String> {
    let text = refang(raw);
    let (address, prefix_bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
        None => (text.as_str(), None),
    };
    if let Some(v4) = parse_v4(address) {
        let bits = prefix_bits.unwrap_or(32);
        // The host part of a network address is all zero; only /31 and /32 have none to speak of.
        let is_network = bits < 31 && u32::from(v4) & (u32::MAX >> bits) == 0;
        return (bits <= 32 && !is_network).then(|| v4.to_string());
    }
    let v6 = parse_v6(address)?;
    let bits = prefix_bits.unwrap_or(128);
    let is_network = bits < 127 && u128::from(v6) & (u128::MAX >> bits) == 0;
    (bits <= 128 && !is_network).then(|| v6.to_canonical().to_string())
}

fn parse_v4(text: &str) -> Option<Ipv4Addr> {
    text.parse().ok().or_else(|| {
        let (address, port) = text.split_once(':')?;
        port.parse::<u16>().ok()?;
        address.parse().ok()
    })
}

fn parse_v6(text: &str) -> Option<Ipv6Addr> {
    let inner = match text.strip_prefix('[') {
        Some(rest) => {
            let (inner, after) = rest.split_once(']')?;
            let port = after.strip_prefix(':');
            if !after.is_empty() && port.and_then(|p| p.parse::<u16>().ok()).is_none() {
                return None;
            }
            inner
        }
        None => text,
    };
    let address = inner
        .split_once('%')
        .map_or(inner, |(address, _zone)| address);
    address.parse().ok()
}

fn domain(raw: &str) -> Option<String> {
    let text = refang(raw);
    let name = match text.split_once(':') {
        Some((name, port)) => {
            port.parse::<u16>().ok()?;
            name
        }
        None => text.as_str(),
    };
    name_to_ascii(name)
}

/// A host name in ASCII and lower case, without its trailing dot; `None` when it is none.
fn name_to_ascii(name: &str) -> Option<String> {
    if !name.is_ascii() || name.to_ascii_lowercase().contains("xn--") {
        return international_name(name);
    }
    ldh_name(name)
}

#[cfg(feature = "idn")]
fn international_name(name: &str) -> Option<String> {
    ldh_name(&idna::domain_to_ascii(name).ok()?)
}

/// Without the tables a name of other letters stays as it was written: the backend spells it.
#[cfg(not(feature = "idn"))]
fn international_name(name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    let is_name = !lower.chars().any(|c| c.is_whitespace() || c.is_control());
    (lower.len() <= MAX_NAME_BYTES && is_name).then_some(lower)
}

fn ldh_name(name: &str) -> Option<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let labels_are_valid = name.split('.').all(|label| {
        (1..=MAX_LABEL_BYTES).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    });
    // As in the URL standard: what ends in a number is an address or nothing.
    let ends_in_number = name
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    (name.len() <= MAX_NAME_BYTES && labels_are_valid && !ends_in_number)
        .then(|| name.to_ascii_lowercase())
}

fn url(raw: &str) -> Option<String> {
    let mut text = raw.to_owned();
    for _ in 0..MAX_URL_ROUNDS {
        let next = url_once(&text)?;
        if next == text {
            return Some(text);
        }
        text = next;
    }
    None
}

fn url_once(raw: &str) -> Option<String> {
    // The URL standard drops these before it parses; here they must go before refanging.
    let visible: String = raw
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .collect();
    standard_url(&rearm_scheme(&refang(&visible)))
}

/// As the URL standard serialises it; `None` when it is no URL of the web or of a file server.
#[cfg(feature = "idn")]
fn standard_url(text: &str) -> Option<String> {
    let mut url = url::Url::parse(text).ok()?;
    if !matches!(url.scheme(), "http" | "https" | "ftp") {
        return None;
    }
    let host = url.host_str()?;
    if let Some(undotted) = host.strip_suffix('.') {
        let undotted = undotted.to_owned();
        url.set_host(Some(&undotted)).ok()?;
    }
    Some(url.into())
}

/// Without the parser a URL stays as it was written, but for its scheme: the backend spells it.
#[cfg(not(feature = "idn"))]
fn standard_url(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let is_url = matches!(scheme.as_str(), "http" | "https" | "ftp") && !rest.trim().is_empty();
    is_url.then(|| format!("{scheme}://{rest}"))
}

/// `hxxp`, `h**p`, `hxtp`, `htxp`, `hXXps`, `fxp` … back into what they stand for.
fn rearm_scheme(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let armed = match scheme.trim().to_ascii_lowercase().as_str() {
        "hxxp" | "h**p" | "hxtp" | "htxp" | "h__p" => "http",
        "hxxps" | "h**ps" | "hxtps" | "htxps" | "h__ps" => "https",
        "fxp" | "f*p" => "ftp",
        _ => return text.to_owned(),
    };
    format!("{armed}://{rest}")
}

fn email(raw: &str) -> Option<String> {
    let inner = match (raw.rfind('<'), raw.strip_suffix('>')) {
        (Some(open), Some(closed)) => &closed[open + 1..],
        _ => raw,
    };
    let bare = match inner.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => &inner[7..],
        _ => inner,
    };
    let text = refang(bare);
    let (local, host) = text.rsplit_once('@')?;
    let local = local.to_lowercase();
    let local_is_valid = (1..=MAX_LOCAL_PART_BYTES).contains(&local.len())
        && !local.chars().any(|c| {
            c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '@' | ',' | ';' | '"')
        });
    // A scheme in the local part would make the second reading another than the first.
    if !local_is_valid || local.contains(':') {
        return None;
    }
    Some(format!("{local}@{}", name_to_ascii(host)?))
}

fn account(raw: &str) -> Option<String> {
    let lower = raw.to_lowercase();
    let is_account = !lower.chars().any(char::is_control) && !NO_ACCOUNT.contains(&lower.as_str());
    is_account.then_some(lower)
}

/// What analysts write in brackets so that nothing becomes a link.
const DEFANGED: &[(&str, &str)] = &[
    ("[.]", "."),
    ("(.)", "."),
    ("{.}", "."),
    ("[dot]", "."),
    ("(dot)", "."),
    ("{dot}", "."),
    ("[:]", ":"),
    ("[://]", "://"),
    ("[/]", "/"),
    ("[@]", "@"),
    ("(@)", "@"),
    ("[at]", "@"),
    ("(at)", "@"),
    ("{at}", "@"),
];

/// A text that may hold a defanged indicator, as it would be clicked: brackets taken away,
/// `hxxp://` armed again. Doing it twice changes nothing.
pub fn refanged(text: &str) -> Cow<'_, str> {
    if !text.contains([']', ')', '}']) && !text.contains("://") {
        return Cow::Borrowed(text);
    }
    Cow::Owned(rearm_scheme(&refang(text)))
}

/// Takes the brackets away, in one pass: every spelling ends in a closing bracket and no
/// replacement does, so the result holds none of them.
fn refang(text: &str) -> String {
    if !text.contains([']', ')', '}']) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        out.push(c);
        if !matches!(c, ']' | ')' | '}') {
            continue;
        }
        let bytes = out.as_bytes();
        let hit = DEFANGED.iter().find(|(spelling, _)| {
            bytes.len() >= spelling.len()
                && bytes[bytes.len() - spelling.len()..].eq_ignore_ascii_case(spelling.as_bytes())
        });
        if let Some((spelling, meaning)) = hit {
            out.truncate(out.len() - spelling.len());
            out.push_str(meaning);
        }
    }
    out
}

#[cfg(all(test, feature = "idn"))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use IndicatorType::{Account, Domain, Email, HashMd5, HashSha1, HashSha256, Ip, Url as Link};

    fn check(kind: IndicatorType, cases: &[(&str, Option<&str>)]) {
        for (raw, expected) in cases {
            assert_eq!(canonical(kind, raw).as_deref(), *expected, "{kind} {raw:?}");
        }
    }

    #[test]
    fn addresses() {
        check(
            Ip,
            &[
                (" 185.220.101.47 ", Some("185.220.101.47")),
                ("185[.]220[.]101(.)47", Some("185.220.101.47")),
                ("185[dot]220.101{.}47", Some("185.220.101.47")),
                ("185.220.101.47:443", Some("185.220.101.47")),
                ("185.220.101.47/32", Some("185.220.101.47")),
                ("10.1.2.3/24", Some("10.1.2.3")),
                ("10.1.2.0/24", None),
                ("0.0.0.0/0", None),
                ("10.1.2.3/33", None),
                ("2001:0DB8:0000::0001", Some("2001:db8::1")),
                ("[2001:db8::1]:8443", Some("2001:db8::1")),
                ("[2001:db8::1]x", None),
                ("2001[:]db8::1", Some("2001:db8::1")),
                ("2001:db8::1/128", Some("2001:db8::1")),
                ("2001:db8::/32", None),
                ("::ffff:185.220.101.47", Some("185.220.101.47")),
                ("fe80::1%eth0", Some("fe80::1")),
                ("256.1.1.1", None),
                ("010.1.1.1", None),
                ("1.2.3", None),
                ("evil.com", None),
                ("", None),
            ],
        );
    }

    #[test]
    fn domains() {
        let long_label = format!("{}.com", "a".repeat(64));
        let long_name = format!("{}com", "abcdefg.".repeat(32));
        check(
            Domain,
            &[
                ("EVIL.com.", Some("evil.com")),
                ("evil[.]com", Some("evil.com")),
                ("evil(dot)com", Some("evil.com")),
                ("evil.com:8080", Some("evil.com")),
                ("bücher.example", Some("xn--bcher-kva.example")),
                ("BÜCHER.example", Some("xn--bcher-kva.example")),
                ("xn--bcher-kva.example", Some("xn--bcher-kva.example")),
                ("xn--\u{0}", None),
                ("_dmarc.evil.com", Some("_dmarc.evil.com")),
                ("WKS-042", Some("wks-042")),
                ("evil..com", None),
                ("-evil.com", None),
                ("evil .com", None),
                ("1.2.3.4", None),
                ("http://evil.com/", None),
                ("<b>evil.com</b>", None),
                (&long_label, None),
                (&long_name, None),
            ],
        );
    }

    #[test]
    fn hashes_have_exactly_their_length() {
        let md5 = "D41D8CD98F00B204E9800998ECF8427E";
        let sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        check(
            HashMd5,
            &[
                (md5, Some("d41d8cd98f00b204e9800998ecf8427e")),
                (sha256, None),
                ("00000000000000000000000000000000", None),
            ],
        );
        check(
            HashSha256,
            &[(sha256, Some(sha256)), (&sha256[1..], None), (md5, None)],
        );
        check(
            HashSha1,
            &[
                (
                    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
                    Some("da39a3ee5e6b4b0d3255bfef95601890afd80709"),
                ),
                ("zz39a3ee5e6b4b0d3255bfef95601890afd80709", None),
            ],
        );
    }

    #[test]
    fn urls() {
        check(
            Link,
            &[
                (
                    "hxxps://Evil[.]com/A/b?Q=1#F",
                    Some("https://evil.com/A/b?Q=1#F"),
                ),
                ("HXXP[://]evil[.]com", Some("http://evil.com/")),
                ("http://evil.com.:80/x", Some("http://evil.com/x")),
                (
                    "http://bücher.example/ä",
                    Some("http://xn--bcher-kva.example/%C3%A4"),
                ),
                (
                    "http://[2001:DB8::1]:8080/",
                    Some("http://[2001:db8::1]:8080/"),
                ),
                ("ftp://files.example/x", Some("ftp://files.example/x")),
                ("javascript:alert(1)", None),
                ("file:///etc/passwd", None),
                ("evil.com/path", None),
                ("http://", None),
            ],
        );
        let long = format!("http://evil.com/{}", "a".repeat(MAX_VALUE_BYTES));
        assert_eq!(canonical(Link, &long), None);
    }

    #[test]
    fn addresses_of_mail_and_accounts() {
        check(
            Email,
            &[
                ("J.Doe@Contoso.COM", Some("j.doe@contoso.com")),
                ("j.doe[at]contoso[.]com", Some("j.doe@contoso.com")),
                ("\"Doe, J\" <j.doe@contoso.com>", Some("j.doe@contoso.com")),
                ("mailto:j.doe@contoso.com", Some("j.doe@contoso.com")),
                ("j doe@contoso.com", None),
                ("contoso.com", None),
                ("@contoso.com", None),
            ],
        );
        check(
            Account,
            &[
                ("CONTOSO\\J.Doe", Some("contoso\\j.doe")),
                ("J.Doe@contoso.com", Some("j.doe@contoso.com")),
                ("=cmd|' /C calc'!A0", Some("=cmd|' /c calc'!a0")),
                ("a\u{1b}[31mb", None),
                ("-", None),
                ("Unknown", None),
            ],
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn canonicalising_twice_changes_nothing(
            kind in proptest::sample::select(IndicatorType::ALL),
            raw in prop_oneof![
                "\\PC{0,40}",
                "(hxxp|http|ftp|HTTPS)://[a-zA-Z.\\[\\]\\(\\)\\\\/@:?#\u{e9}%0-9{}]{0,30}",
                "[a-zA-Z0-9.\\[\\]\\(\\)@:_\u{df}-]{0,30}",
                "[0-9a-f:.\\[\\]/%]{2,40}",
            ],
        ) {
            if let Some(once) = canonical(kind, &raw) {
                prop_assert_eq!(canonical(kind, &once), Some(once.clone()));
                prop_assert!(once.len() <= MAX_VALUE_BYTES);
            }
        }

        #[test]
        fn every_address_is_its_own_canonical_spelling(v4 in any::<u32>(), v6 in any::<u128>()) {
            let v4 = Ipv4Addr::from(v4).to_string();
            prop_assert_eq!(canonical(Ip, &v4), Some(v4.clone()));
            let v6 = Ipv6Addr::from(v6);
            prop_assert_eq!(canonical(Ip, &v6.to_string()), Some(v6.to_canonical().to_string()));
        }
    }
}
