//! More than can be taken: what is refused is refused politely, what is accepted is kept.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use calseta_tests::backend::{Backend, BackendOptions, wait_for};
use calseta_tests::bench::load;
use calseta_tests::bench::machine;
use calseta_tests::{goals, raw};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::burst::Accepted;
use crate::kept::lost;

/// Clients at once; each sends its next alert as soon as the last was answered.
const CLIENTS: u32 = 256;

/// What one client got.
#[derive(Default)]
struct Got {
    accepted: Vec<Accepted>,
    statuses: BTreeMap<u16, usize>,
    /// Refusals that do not say when to come again.
    rude: usize,
}

impl Got {
    fn add(&mut self, other: Self) {
        self.accepted.extend(other.accepted);
        self.rude += other.rude;
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
    }
}

async fn client(to: SocketAddr, key: String, number: u32, until: Instant) -> Got {
    let mut got = Got::default();
    let mut n = number;
    let Ok(mut stream) = TcpStream::connect(to).await else {
        return got;
    };
    while Instant::now() < until {
        let body = load::body(2, n);
        n += CLIENTS;
        let head = raw::usual(to, &key).join("\r\n");
        let length = body.len();
        let line = "POST /v1/ingest/generic HTTP/1.1";
        let mut bytes =
            format!("{line}\r\n{head}\r\nContent-Length: {length}\r\n\r\n").into_bytes();
        bytes.extend_from_slice(&body);
        if stream.write_all(&bytes).await.is_err() {
            break;
        }
        let Ok(answer) = raw::read(&mut stream).await else {
            break;
        };
        *got.statuses.entry(answer.status).or_default() += 1;
        if answer.status == 202 {
            let uuid = answer.json()["data"]["alert_uuid"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            got.accepted.push(Accepted {
                uuid,
                is_high: false,
            });
        } else if answer.header("retry-after").is_none() {
            got.rude += 1;
        }
    }
    got
}

#[tokio::test(flavor = "multi_thread")]
async fn overload_is_answered_politely_and_nothing_accepted_is_lost() -> Result<()> {
    let files = tempfile::tempdir()?;
    // With its rate limits, as it is shipped.
    let options = BackendOptions {
        arguments: Vec::new(),
        environment: vec![("CALSETA_LOG".to_owned(), "off".to_owned())],
        ..BackendOptions::new(files.path())
    };
    let backend = Backend::start(&options).await?;
    let (to, key) = (backend.address(), backend.admin().to_owned());
    // A tenth of what comes, so that most of it must be refused.
    let limits = json!({"limits": {"ingest_per_minute": 1200, "ingest_burst": 300}});
    backend.patch("/v1/settings", &limits).await?;
    let length = goals::many(Duration::from_secs(4), Duration::from_secs(30));
    let until = Instant::now() + length;
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(client(to, key.clone(), number, until));
    }
    let mut all = Got::default();
    for got in clients.join_all().await {
        all.add(got);
    }
    let memory = machine::resident_mib(backend.pid()).unwrap_or(f64::NAN);
    let ended = Instant::now();
    let list = raw::request("GET", "/v1/alerts", &raw::usual(to, &key), &[]);
    wait_for("a healthy client to be served", || async {
        let answer = raw::send(to, &list).await?;
        Ok((answer.status == 200).then_some(()))
    })
    .await?;
    let recovered = ended.elapsed();
    backend.kill().await?;
    let missing = lost(files.path(), &all.accepted).await?;
    let done = format!(
        "{CLIENTS} clients for {} s: {:?}",
        length.as_secs(),
        all.statuses
    );
    let figure = format!(
        "{missing} lost, {} without Retry-After, {memory:.0} MiB, served again after {} ms",
        all.rude,
        recovered.as_millis()
    );
    goals::shown("S9", done, figure, "0, 0, < 256 MiB, ≤ 2 s");
    ensure!(
        !all.accepted.is_empty(),
        "a run without alerts shows nothing"
    );
    ensure!(
        all.statuses.contains_key(&429),
        "nothing was refused: that was no overload"
    );
    ensure!(missing == 0, "{missing} accepted alerts were lost");
    let odd: Vec<_> = all
        .statuses
        .keys()
        .filter(|s| ![202, 429, 503].contains(*s))
        .collect();
    ensure!(odd.is_empty(), "overload was answered with {odd:?}");
    ensure!(
        all.rude == 0,
        "{} refusals did not say when to come again",
        all.rude
    );
    Ok(())
}
