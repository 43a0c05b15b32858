//! `cargo xtask bench`: measures the release binary, prints a table and writes JSON.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use calseta_tests::bench::{Extent, report, sections};

const USAGE: &str = "bench --calseta PATH [--out FILE] [--quick]";

#[tokio::main]
async fn main() -> Result<()> {
    let (mut program, mut out, mut extent) = (None, None, Extent::FULL);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--calseta" => program = arguments.next().map(PathBuf::from),
            "--out" => out = arguments.next().map(PathBuf::from),
            "--quick" => extent = Extent::QUICK,
            other => bail!("{other} is not understood; use {USAGE}"),
        }
    }
    let program = program.context(USAGE)?;
    let report = sections::all(&program, extent).await?;
    report.print();
    if let Some(out) = out {
        report.write(&out)?;
        report::say(&format!("figures written to {}", out.display()));
    }
    Ok(())
}
