//! The table of URLs as registration judges them.

use calseta_egress::AddressClass::{self, Loopback, Private, Public};
use calseta_egress::{Audience, judge};

/// What is expected: the host as understood with its class (`None` for a name), or a refusal's code.
type Expected = Result<(&'static str, Option<AddressClass>), &'static str>;

const TABLE: &[(&str, Expected)] = &[
    // Loopback in every spelling the URL standard understands.
    (
        "http://127.0.0.1:9000/hook",
        Ok(("127.0.0.1", Some(Loopback))),
    ),
    ("http://127.1:9000", Ok(("127.0.0.1", Some(Loopback)))),
    ("http://127.0.1", Ok(("127.0.0.1", Some(Loopback)))),
    ("http://2130706433", Ok(("127.0.0.1", Some(Loopback)))),
    ("http://0x7f000001", Ok(("127.0.0.1", Some(Loopback)))),
    ("http://0x7f.0.0.1", Ok(("127.0.0.1", Some(Loopback)))),
    ("http://0x7F.1", Ok(("127.0.0.1", Some(Loopback)))),
    ("http://0177.0.0.1", Ok(("127.0.0.1", Some(Loopback)))),
    ("http://017700000001", Ok(("127.0.0.1", Some(Loopback)))),
    ("http://127.0.0.1.", Ok(("127.0.0.1", Some(Loopback)))),
    (
        "http://127.255.255.254",
        Ok(("127.255.255.254", Some(Loopback))),
    ),
    ("http://%31%32%37.0.0.1", Ok(("127.0.0.1", Some(Loopback)))),
    ("http://１２７.0.0.1", Ok(("127.0.0.1", Some(Loopback)))),
    ("http://127。0。0。1", Ok(("127.0.0.1", Some(Loopback)))),
    ("http://[::1]:9000", Ok(("::1", Some(Loopback)))),
    ("http://[0:0:0:0:0:0:0:1]", Ok(("::1", Some(Loopback)))),
    (
        "http://[::ffff:127.0.0.1]",
        Ok(("::ffff:127.0.0.1", Some(Loopback))),
    ),
    (
        "http://[::ffff:7f00:1]",
        Ok(("::ffff:127.0.0.1", Some(Loopback))),
    ),
    ("http://localhost:9000", Ok(("localhost", Some(Loopback)))),
    ("http://LOCALHOST:9000", Ok(("localhost", Some(Loopback)))),
    ("http://localhost.:9000", Ok(("localhost", Some(Loopback)))),
    (
        "http://agent.localhost",
        Ok(("agent.localhost", Some(Loopback))),
    ),
    (
        "http://agent.localhost.",
        Ok(("agent.localhost", Some(Loopback))),
    ),
    ("http://ⓛocalhost", Ok(("localhost", Some(Loopback)))),
    ("https://localhost", Ok(("localhost", Some(Loopback)))),
    ("HTTP://127.0.0.1", Ok(("127.0.0.1", Some(Loopback)))),
    // The local network.
    ("http://10.1.2.3", Ok(("10.1.2.3", Some(Private)))),
    ("http://167838211", Ok(("10.1.2.3", Some(Private)))),
    ("http://172.16.0.1", Ok(("172.16.0.1", Some(Private)))),
    (
        "http://192.168.1.10:8443",
        Ok(("192.168.1.10", Some(Private))),
    ),
    ("http://0300.0250.1.1", Ok(("192.168.1.1", Some(Private)))),
    ("http://100.64.0.1", Ok(("100.64.0.1", Some(Private)))),
    ("http://[fd12::1]", Ok(("fd12::1", Some(Private)))),
    (
        "http://[::ffff:10.0.0.1]",
        Ok(("::ffff:10.0.0.1", Some(Private))),
    ),
    // Public literals and names.
    ("https://1.1.1.1", Ok(("1.1.1.1", Some(Public)))),
    (
        "https://[2606:4700::1111]:8443",
        Ok(("2606:4700::1111", Some(Public))),
    ),
    (
        "https://agent.example.com/hook?x=1#part",
        Ok(("agent.example.com", None)),
    ),
    ("https://Agent.Example.COM", Ok(("agent.example.com", None))),
    (
        "https://agent.example.com.",
        Ok(("agent.example.com", None)),
    ),
    (
        "https://bücher.example",
        Ok(("xn--bcher-kva.example", None)),
    ),
    ("https://my_agent.lan", Ok(("my_agent.lan", None))),
    ("https://intranet", Ok(("intranet", None))),
    ("https://127.0.0.1.nip.io", Ok(("127.0.0.1.nip.io", None))),
    ("https://notlocalhost", Ok(("notlocalhost", None))),
    (
        "https://localhost.example.com",
        Ok(("localhost.example.com", None)),
    ),
    (
        "https://metadata.example.com",
        Ok(("metadata.example.com", None)),
    ),
    ("https://host:443", Ok(("host", None))),
    ("https://host/user@elsewhere", Ok(("host", None))),
    (
        "https://host/?u=user:password@elsewhere",
        Ok(("host", None)),
    ),
    // Metadata services.
    (
        "http://169.254.169.254/latest/meta-data/",
        Err("address_forbidden"),
    ),
    ("http://2852039166", Err("address_forbidden")),
    ("http://0xa9fea9fe", Err("address_forbidden")),
    ("http://0251.0376.0251.0376", Err("address_forbidden")),
    ("http://[::ffff:169.254.169.254]", Err("address_forbidden")),
    ("http://[::ffff:a9fe:a9fe]", Err("address_forbidden")),
    ("http://[fd00:ec2::254]", Err("address_forbidden")),
    ("http://100.100.100.200", Err("address_forbidden")),
    ("http://168.63.129.16", Err("address_forbidden")),
    ("http://metadata.google.internal", Err("metadata_host")),
    ("http://metadata.google.internal.", Err("metadata_host")),
    ("http://METADATA.google.internal", Err("metadata_host")),
    ("http://x.metadata.google.internal", Err("metadata_host")),
    ("https://metadata", Err("metadata_host")),
    ("https://metadata.goog", Err("metadata_host")),
    ("http://instance-data", Err("metadata_host")),
    // Other addresses that are never a destination.
    ("http://0.0.0.0:8000", Err("address_forbidden")),
    ("http://0", Err("address_forbidden")),
    ("http://[::]", Err("address_forbidden")),
    ("http://[::127.0.0.1]", Err("address_forbidden")),
    ("http://[64:ff9b::7f00:1]", Err("address_forbidden")),
    ("http://[2002:7f00:1::]", Err("address_forbidden")),
    ("http://[2001::1]", Err("address_forbidden")),
    ("http://[fe80::1]", Err("address_forbidden")),
    ("http://169.254.1.1", Err("address_forbidden")),
    ("http://224.0.0.1", Err("address_forbidden")),
    ("http://255.255.255.255", Err("address_forbidden")),
    ("http://203.0.113.5", Err("address_forbidden")),
    // Zone ids.
    ("http://[fe80::1%25eth0]", Err("url_malformed")),
    ("http://[fe80::1%eth0]", Err("url_malformed")),
    ("http://[::1%25lo]", Err("url_malformed")),
    // User names and passwords.
    ("http://user@127.0.0.1", Err("url_userinfo")),
    ("http://user:secret@example.com", Err("url_userinfo")),
    ("http://:secret@example.com", Err("url_userinfo")),
    ("https://example.com@127.0.0.1:9000", Err("url_userinfo")),
    (
        "https://127.0.0.1:80%40example.com@10.0.0.1",
        Err("url_userinfo"),
    ),
    // Schemes.
    ("ftp://example.com", Err("url_scheme")),
    ("file:///etc/passwd", Err("url_scheme")),
    ("gopher://127.0.0.1:6379/_x", Err("url_scheme")),
    ("ws://127.0.0.1", Err("url_scheme")),
    ("unix:/var/run/docker.sock", Err("url_scheme")),
    ("javascript:alert(1)", Err("url_scheme")),
    ("data:text/plain,x", Err("url_scheme")),
    // Ports.
    ("http://127.0.0.1:0", Err("url_port")),
    ("http://127.0.0.1:65536", Err("url_malformed")),
    ("http://127.0.0.1:-1", Err("url_malformed")),
    ("http://127.0.0.1:80:80", Err("url_malformed")),
    // What parsers disagree about.
    ("", Err("url_malformed")),
    ("example.com/hook", Err("url_malformed")),
    ("//example.com", Err("url_malformed")),
    ("http:example.com", Err("url_malformed")),
    ("http:/example.com", Err("url_malformed")),
    ("http:///example.com", Err("url_malformed")),
    ("http://", Err("url_malformed")),
    ("http://?", Err("url_malformed")),
    ("http:\\\\127.0.0.1", Err("url_malformed")),
    ("http://example.com\\@127.0.0.1", Err("url_malformed")),
    ("http://127.0.0.1\r\nHost: x", Err("url_malformed")),
    ("http://exa\tmple.com", Err("url_malformed")),
    (" http://example.com", Err("url_malformed")),
    ("http://example.com ", Err("url_malformed")),
    ("http://exa mple.com", Err("url_malformed")),
    ("http://127.0.0.256", Err("url_malformed")),
    ("http://1.2.3.4.5", Err("url_malformed")),
    ("http://[::1", Err("url_malformed")),
    ("http://a%00b", Err("url_malformed")),
    // Names that no lookup should see.
    ("http://localhost..", Err("url_host")),
    ("http://a..b", Err("url_host")),
    ("http://.example.com", Err("url_host")),
    ("http://.", Err("url_host")),
    ("http://exa*mple.com", Err("url_host")),
];

#[test]
fn every_url_is_judged_as_the_table_says() {
    assert!(TABLE.len() >= 80);
    for audience in [Audience::Agent, Audience::Provider, Audience::Workflow] {
        for (url, expected) in TABLE {
            let judged = judge(url, audience);
            let seen = match &judged {
                Ok(target) => Ok((target.host(), target.class())),
                Err(refusal) => Err(refusal.code()),
            };
            assert_eq!(seen, *expected, "{url:?}: {judged:?}");
        }
    }
}

#[test]
fn long_urls_and_long_names_are_refused() {
    let long = format!("https://example.com/{}", "a".repeat(8 * 1024));
    assert_eq!(
        judge(&long, Audience::Agent).unwrap_err().code(),
        "url_too_long"
    );
    let label = format!("https://{}.example.com", "a".repeat(64));
    assert_eq!(
        judge(&label, Audience::Agent).unwrap_err().code(),
        "url_host"
    );
    let name = format!("https://{}example.com", "a.".repeat(130));
    assert_eq!(
        judge(&name, Audience::Agent).unwrap_err().code(),
        "url_host"
    );
}

#[test]
fn a_target_knows_its_origin_and_drops_fragment_and_final_dot() {
    let target = judge("https://Agent.Example.com./a?b=c#d", Audience::Agent).unwrap();
    assert_eq!(target.url().as_str(), "https://agent.example.com/a?b=c");
    assert_eq!(
        (target.scheme(), target.host(), target.port()),
        ("https", "agent.example.com", 443)
    );
    let target = judge("http://[::1]:9000/", Audience::Agent).unwrap();
    assert_eq!(target.grant(Audience::Agent).origin(), "http://[::1]:9000");
    assert_eq!(target.grant(Audience::Agent).class, Loopback);
}

#[test]
fn who_needs_a_grant() {
    let needs = |url, audience| judge(url, audience).unwrap().needs_grant();
    for audience in [Audience::Agent, Audience::Provider, Audience::Workflow] {
        assert!(needs("http://127.0.0.1:9000", audience));
        assert!(needs("https://localhost:9000", audience));
        assert!(needs("https://192.168.1.1", audience));
        assert!(!needs("https://1.1.1.1", audience));
        assert!(!needs("https://example.com", audience));
    }
    for url in ["http://1.1.1.1", "http://example.com"] {
        assert!(judge(url, Audience::Agent).unwrap().is_plain_public_http());
        assert!(needs(url, Audience::Agent));
        assert!(needs(url, Audience::Provider));
        assert!(
            !needs(url, Audience::Workflow),
            "the approval shows the warning"
        );
    }
    assert!(
        !judge("http://127.0.0.1", Audience::Agent)
            .unwrap()
            .is_plain_public_http()
    );
    assert!(
        judge("http://127.0.0.1:6379", Audience::Agent)
            .unwrap()
            .is_sensitive_port()
    );
    assert!(
        !judge("http://127.0.0.1:9000", Audience::Agent)
            .unwrap()
            .is_sensitive_port()
    );
}

#[test]
fn every_refusal_says_what_to_do() {
    for (url, expected) in TABLE {
        if expected.is_err() {
            let words = judge(url, Audience::Agent).unwrap_err().to_string();
            assert!(words.len() > 20, "{url:?}: {words}");
            assert!(
                !words.contains("secret"),
                "a refusal repeats no password: {words}"
            );
        }
    }
}
