//! What an analyst's reads of a full queue take at the API, one connection, one request at a time.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};

use super::corpus::{self, COMMON_WORD, RARE_WORD};
use super::load::Connection;
use super::machine;
use super::report::{Report, percentiles, percentiles_text, say};
use crate::dice::Dice;

/// Requests of each read.
const REPEATS: usize = 300;
/// Requests before them, which are not counted: caches fill.
const WARM_UP: usize = 20;
/// Rows of a page, as the window asks for them.
const PAGE: usize = 50;
/// Rows of the pages on the way to a deep one.
const STRIDE: usize = 500;
/// Pages that are walked to a deep one.
const DEEP_PAGES: usize = 100;
/// What every read may take.
const AIM: &str = "p99 < 20 ms";
/// Where the choice of alerts begins.
const SEED: u64 = 0x0ca1_5e7a_be9c_0002;

/// A read: its name, and the path of its n-th request.
struct Read {
    name: &'static str,
    /// How many rows the answer must have, where that is known: a filter that does nothing is fast.
    rows: Option<usize>,
    path: Box<dyn Fn(usize) -> String + Send>,
}

fn read(name: &'static str, path: impl Fn(usize) -> String + Send + 'static) -> Read {
    Read {
        name,
        rows: None,
        path: Box::new(path),
    }
}

/// A search for the newest 50, as the window asks.
fn search(name: &'static str, query: &'static str) -> Read {
    read(name, move |_| {
        format!("/v1/alerts?q={query}&cursor=&page_size={PAGE}&count=none")
    })
}

fn giving(rows: usize, read: Read) -> Read {
    Read {
        rows: Some(rows),
        ..read
    }
}

/// The reads that need no knowledge of the queue.
fn reads() -> Vec<Read> {
    let list = |query: &'static str| move |_| format!("/v1/alerts?page_size={PAGE}{query}");
    vec![
        read(
            "first page, by cursor, capped count",
            list("&cursor=&count=capped"),
        ),
        read("first page, by number, exact count", list("")),
        read(
            "status and severity, by cursor, capped count",
            list("&status=Open&severity=High,Critical&cursor=&count=capped"),
        ),
        read(
            "status and severity, exact count",
            list("&status=Open&severity=High,Critical"),
        ),
        search("search, status and severity", "status:open%20sev:%3E=high"),
        giving(3, search("search, a word in three alerts", RARE_WORD)),
        giving(PAGE, search("search, a word in a fifth", COMMON_WORD)),
        search("search, two words", "powershell%20unfamiliar"),
        search(
            "search, a word and a filter",
            "powershell%20sev:critical%20status:closed",
        ),
        search("search, one address", "ip:45.12.1.7"),
        search("search, a network of many", "ip:45.12.0.0/16"),
        search("search, a network of few", "ip:51.0.3.0/28"),
        search("search, a wildcard", "domain:host-77*.example.net"),
        giving(0, search("search, nothing has it", "ip:9.9.9.9%20zebra")),
        search("search, all but one source", "-source:splunk%20age:%3C400d"),
        read("facets of everything", |_| {
            "/v1/alerts/facets?q=".to_owned()
        }),
        read("facets of the open", |_| {
            "/v1/alerts/facets?q=status:open".to_owned()
        }),
        read("facets of a word", |_| {
            format!("/v1/alerts/facets?q={COMMON_WORD}")
        }),
        read("completion of an address", |_| {
            "/v1/alerts/complete?q=ip:45.12.1&at=10".to_owned()
        }),
    ]
}

/// Asks again and again; the times, or what came instead of the answer.
async fn measure(
    connection: &mut Connection,
    read: &Read,
) -> Result<Result<Vec<Duration>, String>> {
    let mut times = Vec::with_capacity(REPEATS);
    for n in 0..WARM_UP + REPEATS {
        let path = (read.path)(n);
        let asked = Instant::now();
        let (status, body) = connection.ask("GET", &path, &[]).await?;
        let elapsed = asked.elapsed();
        if status != 200 {
            return Ok(Err(format!("answered {status}: {path}")));
        }
        if n == 0
            && let Some(expected) = read.rows
        {
            let body: Value = serde_json::from_slice(body)?;
            let rows = body["data"].as_array().map_or(0, Vec::len);
            if rows != expected {
                return Ok(Err(format!("{rows} rows instead of {expected}: {path}")));
            }
        }
        if n >= WARM_UP {
            times.push(elapsed);
        }
    }
    Ok(Ok(times))
}

/// A page of the list; its rows' uuids and the next cursor.
async fn page(connection: &mut Connection, path: &str) -> Result<(Vec<String>, Option<String>)> {
    let (status, body) = connection.ask("GET", path, &[]).await?;
    ensure!(status == 200, "{path}: {status}");
    let body: Value = serde_json::from_slice(body)?;
    let rows = body["data"].as_array().context("a list")?;
    let uuids = rows
        .iter()
        .filter_map(|row| row["uuid"].as_str().map(str::to_owned));
    let cursor = body["meta"]["next_cursor"].as_str().map(str::to_owned);
    Ok((uuids.collect(), cursor))
}

/// Walks deep into the list; the cursors there, and some uuids of the way.
async fn walk(connection: &mut Connection) -> Result<(Vec<String>, Vec<String>)> {
    let (mut cursor, mut cursors, mut uuids) = (String::new(), Vec::new(), Vec::new());
    for n in 0..DEEP_PAGES {
        let path = format!("/v1/alerts?page_size={STRIDE}&count=none&cursor={cursor}");
        let (rows, next) = page(connection, &path).await?;
        uuids.extend(rows.into_iter().step_by(STRIDE / 10));
        let Some(next) = next else { break };
        cursor = next;
        if n >= DEEP_PAGES / 2 {
            cursors.push(cursor.clone());
        }
    }
    if cursors.is_empty() {
        cursors.push(cursor);
    }
    Ok((cursors, uuids))
}

async fn all_reads(connection: &mut Connection, report: &mut Report) -> Result<()> {
    let (cursors, uuids) = walk(connection).await?;
    let mut dice = Dice::new(SEED);
    let chosen: Vec<String> = (0..REPEATS).map(|_| dice.pick(&uuids).clone()).collect();
    let mut reads = reads();
    reads.push(read("deep page, by cursor", move |n| {
        let cursor = &cursors[n % cursors.len()];
        format!("/v1/alerts?page_size={PAGE}&count=none&cursor={cursor}")
    }));
    reads.push(read("one alert", move |n| {
        format!("/v1/alerts/{}", chosen[n % REPEATS])
    }));
    let mut figures = Map::new();
    for read in reads {
        let value = match measure(connection, &read).await? {
            Ok(mut times) => {
                let values = percentiles(&mut times);
                report.line(read.name, percentiles_text(&values), AIM);
                values
            }
            Err(instead) => {
                report.line(read.name, &instead, AIM);
                json!({"instead": instead})
            }
        };
        figures.insert(read.name.to_owned(), value);
    }
    report.put("reads", Value::Object(figures));
    Ok(())
}

/// Fills a directory with `count` alerts, or takes a filled one, and measures the reads.
pub async fn all(program: &Path, dir: &Path, count: usize) -> Result<Report> {
    let mut report = Report::default();
    say(&format!(
        "{} on {count} alerts in {}",
        program.display(),
        dir.display()
    ));
    let (backend, key) = corpus::backend(program, dir, count).await?;
    let before = machine::load_average();
    let mut connection = Connection::open(backend.address(), &key).await?;
    all_reads(&mut connection, &mut report).await?;
    let resident = machine::resident_mib(backend.pid());
    let facts = machine::facts();
    report.line(
        "load average before (1, 5, 15 min)",
        before.clone().unwrap_or_else(|| "unknown".to_owned()),
        "",
    );
    report.line("machine", format!("{facts}"), "");
    report.line(
        "memory",
        format!("{:.0} MiB", resident.unwrap_or(f64::NAN)),
        "",
    );
    report.put("alerts", json!(count));
    report.put(
        "load_average",
        json!({"before": before, "after": machine::load_average()}),
    );
    report.put("machine", facts);
    report.put("resident_mib", json!(resident));
    backend.terminate().await?;
    Ok(report)
}
