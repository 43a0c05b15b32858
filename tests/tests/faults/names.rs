//! A name server for a network of its own: it answers as a test says, differently each time if
//! that is what it says, and lets nobody keep an answer.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use calseta_tests::backend::background;
use tokio::net::UdpSocket;

/// The address it listens on, in the test's own network.
const SERVER: &str = "127.0.0.1:53";
/// Record types (RFC 1035 §3.2.2, RFC 3596 §2.1).
const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;

#[derive(Default)]
struct Zone {
    /// The answers to a name, one after the other, then again from the first.
    answers: HashMap<String, Vec<Vec<IpAddr>>>,
    /// Questions for an address of the fourth version, by name.
    asked: HashMap<String, usize>,
}

/// The server.
#[derive(Clone)]
pub(crate) struct Names(Arc<Mutex<Zone>>);

/// The shell commands that make it this namespace's only name server.
pub(crate) fn prepare() -> String {
    "own=$(mktemp -d)\n\
     printf 'nameserver 127.0.0.1\\noptions timeout:1 attempts:1\\n' > $own/resolv.conf\n\
     printf '127.0.0.1 localhost\\n' > $own/hosts\n\
     printf 'hosts: files dns\\n' > $own/nsswitch.conf\n\
     mount --bind $own/resolv.conf /etc/resolv.conf\n\
     mount --bind $own/hosts /etc/hosts\n\
     mount --bind $own/nsswitch.conf /etc/nsswitch.conf\n"
        .to_owned()
}

impl Names {
    /// Begins to answer.
    pub(crate) async fn start() -> Result<Self> {
        let names = Self(Arc::default());
        let socket = UdpSocket::bind(SERVER)
            .await
            .context("the name server's port")?;
        let own = names.clone();
        background(async move {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question).await {
                if let Some(answer) = own.answer(&question[..length]) {
                    drop(socket.send_to(&answer, from).await);
                }
            }
        });
        Ok(names)
    }

    fn zone(&self) -> MutexGuard<'_, Zone> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A name that has all of these.
    pub(crate) fn tell(&self, name: &str, addresses: &[&str]) {
        let all = addresses.iter().filter_map(|a| a.parse().ok()).collect();
        self.zone().answers.insert(name.to_owned(), vec![all]);
    }

    /// A name that is now here, now there.
    pub(crate) fn alternate(&self, name: &str, addresses: [&str; 2]) {
        let one = |a: &&str| a.parse().ok().into_iter().collect();
        let answers = addresses.iter().map(one).collect();
        self.zone().answers.insert(name.to_owned(), answers);
    }

    /// How many questions came.
    pub(crate) fn asked(&self) -> usize {
        self.zone().asked.values().sum()
    }

    /// The answer to a question of one name; `None` to what is none.
    fn answer(&self, question: &[u8]) -> Option<Vec<u8>> {
        let (name, end) = name(question.get(12..)?)?;
        let end = 12 + end;
        let kind = u16::from_be_bytes([*question.get(end)?, *question.get(end + 1)?]);
        let addresses = self.addresses(&name, kind);
        let count = u8::try_from(addresses.len()).ok()?;
        // The same id; an answer, authoritative; no error, or no such name.
        let known = self.zone().answers.contains_key(&name);
        let mut answer = question.get(..2)?.to_vec();
        answer.extend([0x84, if known { 0 } else { 3 }, 0, 1, 0, count, 0, 0, 0, 0]);
        answer.extend(question.get(12..end + 4)?);
        for address in addresses {
            let bytes = match address {
                IpAddr::V4(four) => four.octets().to_vec(),
                IpAddr::V6(six) => six.octets().to_vec(),
            };
            // The question's name, type, class, no time to live, length.
            answer.extend([0xc0, 12]);
            answer.extend(kind.to_be_bytes());
            answer.extend([0, 1, 0, 0, 0, 0, 0, u8::try_from(bytes.len()).ok()?]);
            answer.extend(bytes);
        }
        Some(answer)
    }

    fn addresses(&self, name: &str, kind: u16) -> Vec<IpAddr> {
        let mut zone = self.zone();
        let turn = zone.asked.get(name).copied().unwrap_or(0);
        if kind == TYPE_A {
            *zone.asked.entry(name.to_owned()).or_default() += 1;
        }
        let Some(answers) = zone.answers.get(name) else {
            return Vec::new();
        };
        let fits = |address: &&IpAddr| match kind {
            TYPE_A => address.is_ipv4(),
            TYPE_AAAA => address.is_ipv6(),
            _ => false,
        };
        answers[turn % answers.len()]
            .iter()
            .filter(fits)
            .copied()
            .collect()
    }
}

/// A name in wire form: in lower case, with where it ends.
fn name(bytes: &[u8]) -> Option<(String, usize)> {
    let (mut labels, mut at) = (Vec::new(), 0);
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        let label = bytes.get(at..at + length)?;
        labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
        at += length;
    }
}
