//! `cargo xtask bench`: measures the release binary, prints a table and writes JSON.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use calseta_tests::bench::{Extent, delivery, queries, report, sections, soak, window};

const USAGE: &str = "bench --calseta PATH [--out FILE] [--quick] [--alerts N [--dir DIR]]\n\
                     --alerts N: measure reads of a queue of N alerts instead; --dir keeps it, or \
                     uses the one of an earlier run\n\
                     --ui --dist PATH [--console PATH] [--alerts N [--dir DIR]]: measure the window \
                     in a browser and, with --console, the real one, on N alerts (100,000)\n\
                     --parked N: N deliveries parked for an agent that comes back\n\
                     --hung: 19 healthy agents, alone and beside one that hangs\n\
                     --minutes N [--dir DIR]: a soak at 50 alerts a second; --dir keeps its \
                     samples, or goes on with those of an earlier run";
/// Alerts of the window's queue, unless told otherwise.
const WINDOW_ALERTS: usize = 100_000;

#[tokio::main]
async fn main() -> Result<()> {
    let (mut program, mut out, mut extent) = (None, None, Extent::FULL);
    let (mut alerts, mut dir) = (None, None);
    let (mut ui, mut dist, mut console) = (false, None, None);
    let (mut parked, mut hung, mut minutes) = (None, false, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--calseta" => program = arguments.next().map(PathBuf::from),
            "--out" => out = arguments.next().map(PathBuf::from),
            "--quick" => extent = Extent::QUICK,
            "--alerts" => alerts = Some(arguments.next().context(USAGE)?.parse().context(USAGE)?),
            "--ui" => ui = true,
            "--parked" => parked = Some(arguments.next().context(USAGE)?.parse().context(USAGE)?),
            "--hung" => hung = true,
            "--minutes" => minutes = Some(arguments.next().context(USAGE)?.parse().context(USAGE)?),
            "--dist" => dist = arguments.next().map(PathBuf::from),
            "--console" => console = arguments.next().map(PathBuf::from),
            "--dir" => dir = arguments.next().map(PathBuf::from),
            other => bail!("{other} is not understood; use {USAGE}"),
        }
    }
    let program = program.context(USAGE)?;
    let temporary = tempfile::tempdir()?;
    let dir = dir.unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&dir)?;
    let report = if parked.is_some() || hung || minutes.is_some() {
        let mut report = report::Report::default();
        if let Some(count) = parked {
            delivery::parked(&program, count, &mut report).await?;
        }
        if hung {
            delivery::fairness(&program, &mut report).await?;
        }
        if let Some(minutes) = minutes {
            soak::run(&program, &dir, minutes, &mut report).await?;
        }
        report
    } else if ui {
        let plan = window::Plan {
            program,
            console,
            dist: dist.context(USAGE)?,
            alerts: alerts.unwrap_or(WINDOW_ALERTS),
        };
        window::all(&plan, &dir).await?
    } else {
        match alerts {
            Some(count) => queries::all(&program, &dir, count).await?,
            None => sections::all(&program, extent).await?,
        }
    };
    report.print();
    if let Some(out) = out {
        report.write(&out)?;
        report::say(&format!("figures written to {}", out.display()));
    }
    Ok(())
}
