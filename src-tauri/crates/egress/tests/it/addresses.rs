//! The table of addresses: both ends of every range, and the wrapped forms.

use std::net::IpAddr;

use calseta_egress::AddressClass::{self, Forbidden, LinkLocal, Loopback, Private, Public};
use calseta_egress::classify;

const TABLE: &[(&str, AddressClass)] = &[
    ("1.1.1.1", Public),
    ("8.8.8.8", Public),
    ("9.255.255.255", Public),
    ("11.0.0.0", Public),
    ("100.63.255.255", Public),
    ("100.128.0.0", Public),
    ("126.255.255.255", Public),
    ("128.0.0.0", Public),
    ("169.253.255.255", Public),
    ("169.255.0.0", Public),
    ("172.15.255.255", Public),
    ("172.32.0.0", Public),
    ("191.255.255.255", Public),
    ("192.0.1.0", Public),
    ("192.167.255.255", Public),
    ("192.169.0.0", Public),
    ("198.17.255.255", Public),
    ("198.20.0.0", Public),
    ("223.255.255.255", Public),
    ("168.63.129.15", Public),
    ("2001:4860:4860::8888", Public),
    ("2606:4700::1111", Public),
    ("2001:200::1", Public),
    ("2003::1", Public),
    ("3fff:1000::1", Public),
    ("::ffff:8.8.8.8", Public),
    ("127.0.0.0", Loopback),
    ("127.0.0.1", Loopback),
    ("127.255.255.255", Loopback),
    ("::1", Loopback),
    ("::ffff:127.0.0.1", Loopback),
    ("::ffff:7f00:2", Loopback),
    ("10.0.0.0", Private),
    ("10.255.255.255", Private),
    ("172.16.0.0", Private),
    ("172.31.255.255", Private),
    ("192.168.0.0", Private),
    ("192.168.255.255", Private),
    ("100.64.0.0", Private),
    ("100.127.255.255", Private),
    ("100.100.100.201", Private),
    ("fc00::1", Private),
    ("fd12:3456::1", Private),
    ("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Private),
    ("::ffff:192.168.1.1", Private),
    ("169.254.0.0", LinkLocal),
    ("169.254.255.255", LinkLocal),
    ("169.254.170.2", LinkLocal),
    ("fe80::1", LinkLocal),
    ("febf:ffff::1", LinkLocal),
    ("::ffff:169.254.1.1", LinkLocal),
    ("169.254.169.254", Forbidden),
    ("::ffff:169.254.169.254", Forbidden),
    ("100.100.100.200", Forbidden),
    ("168.63.129.16", Forbidden),
    ("fd00:ec2::254", Forbidden),
    ("fd20:ce::254", Forbidden),
    ("fd00:42::42", Forbidden),
    ("0.0.0.0", Forbidden),
    ("0.255.255.255", Forbidden),
    ("::ffff:0.0.0.0", Forbidden),
    ("192.0.0.0", Forbidden),
    ("192.0.0.192", Forbidden),
    ("192.0.2.1", Forbidden),
    ("192.88.99.1", Forbidden),
    ("198.18.0.0", Forbidden),
    ("198.19.255.255", Forbidden),
    ("198.51.100.7", Forbidden),
    ("203.0.113.9", Forbidden),
    ("224.0.0.1", Forbidden),
    ("239.255.255.255", Forbidden),
    ("240.0.0.0", Forbidden),
    ("255.255.255.255", Forbidden),
    ("::", Forbidden),
    ("::2", Forbidden),
    ("::127.0.0.1", Forbidden),
    ("::ffff:0:127.0.0.1", Forbidden),
    ("64:ff9b::7f00:1", Forbidden),
    ("64:ff9b::808:808", Forbidden),
    ("64:ff9b:1::1", Forbidden),
    ("100::1", Forbidden),
    ("2001::1", Forbidden),
    ("2001:2::1", Forbidden),
    ("2001:20::1", Forbidden),
    ("2001:1ff:ffff::1", Forbidden),
    ("2001:db8::1", Forbidden),
    ("2002:7f00:1::", Forbidden),
    ("3fff::1", Forbidden),
    ("3fff:fff::1", Forbidden),
    ("4000::1", Forbidden),
    ("5f00::1", Forbidden),
    ("fe00::1", Forbidden),
    ("fec0::1", Forbidden),
    ("ff02::1", Forbidden),
    ("ff0e::1", Forbidden),
];

#[test]
fn every_address_has_its_class() {
    assert!(TABLE.len() >= 60);
    for (text, class) in TABLE {
        let ip: IpAddr = text.parse().expect("the table holds addresses");
        assert_eq!(classify(ip), *class, "{text}");
    }
}

#[test]
fn words_read_back() {
    for class in [Public, Loopback, Private, LinkLocal, Forbidden] {
        assert_eq!(class.to_string().parse(), Ok(class));
    }
    assert_eq!(LinkLocal.to_string(), "link_local");
    assert!("lan".parse::<AddressClass>().is_err());
}
