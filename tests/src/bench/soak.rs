//! A soak: a steady stream for as long as told, and how memory, the write-ahead log, descriptors
//! and latency move in it.
//!
//! It can be taken up again: with the directory of an earlier run it goes on until the minutes of
//! all runs together are reached. Every run is a process of its own, so the slopes are those of
//! the longest one.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::load::{self, Connection};
use super::machine;
use super::peer::Peer;
use super::report::{Report, percentiles, say};
use crate::backend::{Backend, BackendOptions};

/// The wait between two alerts: 50 a second.
const EVERY: Duration = Duration::from_millis(20);
/// Between two samples.
const SAMPLE_EVERY: Duration = Duration::from_secs(10);
/// The part of a run that warms up and is in no slope.
const WARM_UP: f64 = 0.2;
/// How long deliveries may lag behind the stream at its end.
const LOST_AFTER: Duration = Duration::from_mins(2);
/// The samples of all runs, one JSON object a line.
const SAMPLES: &str = "soak.jsonl";

/// Runs until `minutes` are reached over all runs in `dir`.
pub async fn run(program: &Path, dir: &Path, minutes: u64, report: &mut Report) -> Result<()> {
    let file = dir.join(SAMPLES);
    let mut samples = read(&file)?;
    let run = samples
        .last()
        .map_or(0, |last| last["run"].as_u64().unwrap_or(0))
        + 1;
    let done = Duration::from_secs(SAMPLE_EVERY.as_secs() * samples.len() as u64);
    let left = Duration::from_secs(minutes * 60).saturating_sub(done);
    say(&format!(
        "soak: {} min done in earlier runs, {} min to go",
        done.as_secs() / 60,
        left.as_secs() / 60
    ));
    if !left.is_zero() {
        stream(program, dir, (run, left), &mut samples).await?;
    }
    summary(&samples, report);
    Ok(())
}

fn read(file: &Path) -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().map(serde_json::from_str);
    lines
        .collect::<Result<_, _>>()
        .context("the samples of an earlier run")
}

async fn stream(
    program: &Path,
    dir: &Path,
    (run, left): (u64, Duration),
    samples: &mut Vec<Value>,
) -> Result<()> {
    let files = dir.join(format!("run-{run}"));
    let backend = Backend::start(&BackendOptions {
        program: program.to_owned(),
        ..BackendOptions::new(&files)
    })
    .await?;
    let peer = Peer::start().await?;
    backend
        .register_agent("Soak", &peer.url, &json!({}))
        .await?;
    let mut connection = Connection::open(backend.address(), backend.admin()).await?;
    let mut kept = OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.join(SAMPLES))?;
    let (started, mut ticks) = (Instant::now(), tokio::time::interval(EVERY));
    let (mut next, mut times, mut posted) = (SAMPLE_EVERY, Vec::new(), 0_u32);
    while started.elapsed() < left {
        ticks.tick().await;
        let sent = Instant::now();
        let status = connection.ingest(&load::body(1, posted)).await?;
        anyhow::ensure!(status == 202, "an alert was answered {status}");
        times.push(sent.elapsed());
        posted += 1;
        if started.elapsed() >= next {
            next += SAMPLE_EVERY;
            let sample = sample(&backend, &files, (run, posted), &mut times);
            times.clear();
            writeln!(kept, "{sample}")?;
            samples.push(sample);
        }
    }
    let came = peer.wait(posted as usize, LOST_AFTER).await;
    say(&format!("soak: {posted} alerts, {came} delivered"));
    backend.terminate().await?;
    Ok(())
}

fn sample(
    backend: &Backend,
    files: &Path,
    (run, posted): (u64, u32),
    times: &mut [Duration],
) -> Value {
    let log = std::fs::metadata(files.join("calseta.db-wal"));
    json!({
        "run": run, "posted": posted,
        "resident_mib": machine::resident_mib(backend.pid()),
        "log_bytes": log.map_or(0, |about| about.len()),
        "descriptors": machine::descriptors(backend.pid()),
        "p99_ms": percentiles(times)["p99_ms"],
    })
}

fn summary(samples: &[Value], report: &mut Report) {
    let longest = (1..=samples.len() as u64)
        .map(|run| {
            samples
                .iter()
                .filter(|s| s["run"] == run)
                .collect::<Vec<_>>()
        })
        .max_by_key(Vec::len)
        .unwrap_or_default();
    let minutes = SAMPLE_EVERY.as_secs() * samples.len() as u64 / 60;
    let warm = skip(longest.len());
    let of = |name: &str| -> Vec<f64> {
        longest
            .iter()
            .skip(warm)
            .filter_map(|sample| sample[name].as_f64())
            .collect()
    };
    let log_mib: Vec<f64> = of("log_bytes")
        .iter()
        .map(|bytes| bytes / 1_048_576.0)
        .collect();
    let rows = [
        ("memory", of("resident_mib"), "MiB", "< 1 MiB an hour"),
        ("write-ahead log", log_mib, "MiB", "≤ 64 MiB"),
        ("descriptors", of("descriptors"), "", "flat"),
        ("ingest p99", of("p99_ms"), "ms", "drift < 20 %"),
    ];
    for (what, values, unit, aim) in rows {
        let most = values.iter().copied().fold(0.0, f64::max);
        let slope = slope_an_hour(&values);
        report.line(
            format!("soak of {minutes} min: {what}"),
            format!("{slope:+.2} {unit} an hour, at most {most:.1} {unit}"),
            aim,
        );
        report.put(
            &format!("soak {what}"),
            json!({"an_hour": slope, "most": most}),
        );
    }
    report.put("soak_minutes", json!(minutes));
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a small count of samples"
)]
fn skip(samples: usize) -> usize {
    (samples as f64 * WARM_UP) as usize
}

/// The slope of the straight line through evenly spaced samples, by least squares.
#[expect(clippy::cast_precision_loss, reason = "a small count of samples")]
fn slope_an_hour(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let count = values.len() as f64;
    let (middle, mean) = ((count - 1.0) / 2.0, values.iter().sum::<f64>() / count);
    let (mut above, mut below) = (0.0, 0.0);
    for (at, value) in values.iter().enumerate() {
        let away = at as f64 - middle;
        above += away * (value - mean);
        below += away * away;
    }
    above / below * 3600.0 / SAMPLE_EVERY.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_a_steady_growth_an_hour_and_flat_is_none() {
        let growing: Vec<f64> = (0..60).map(f64::from).collect();
        assert!((slope_an_hour(&growing) - 360.0).abs() < 1e-9, "1 in 10 s");
        assert!(slope_an_hour(&[7.0; 30]).abs() < 1e-9);
        assert!(
            slope_an_hour(&[1.0]).abs() < 1e-9,
            "one sample has no slope"
        );
    }
}
