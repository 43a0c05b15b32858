//! Schemathesis: requests made up from the OpenAPI document, valid and invalid ones, alone and in
//! sequences, and every answer held against the document.

use anyhow::{Result, bail};
use clap::Args;

use super::backend::{Backend, output_folder};
use crate::tools::{CLIENTS, Tools, start_over};
use crate::workspace::Workspace;
use crate::{command, output};

/// Requests an operation gets in each generating phase.
const EXAMPLES: u32 = 50;

/// The same with `--long`.
const EXAMPLES_LONG: u32 = 500;

/// Requests under way at a time. The fuzzer makes up far fewer than the program answers.
const WORKERS: u32 = 4;

/// Where made-up requests start from, unless told otherwise: the checks of one state of the sources
/// are the same everywhere. A long run is meant to find something new and starts elsewhere.
const SEED: u64 = 3_405_691_582;

/// How much is tried, and from where.
#[derive(Debug, Args)]
pub(crate) struct Extent {
    /// Fuzz the API ten times as long, from another seed each time
    #[arg(long)]
    long: bool,
    /// The seed of a run to repeat
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// Fuzzes a fresh program in all phases with all checks; one failure fails.
pub(crate) fn check(workspace: &Workspace, extent: &Extent) -> Result<()> {
    let tools = Tools::prepare(workspace)?;
    let backend = Backend::start(workspace, "schemathesis")?;
    let clients = workspace.root.join(CLIENTS);
    let report = output_folder(workspace)?.join("schemathesis");
    start_over(&report)?;
    let examples = if extent.long { EXAMPLES_LONG } else { EXAMPLES };
    let mut fuzzer = tools.python("st");
    fuzzer
        .arg("--config-file")
        .arg(clients.join("schemathesis.toml"))
        .args(["run", "--no-color", "--workers", &WORKERS.to_string()])
        .args(["--max-examples", &examples.to_string()]);
    let seed = extent.seed.or((!extent.long).then_some(SEED));
    if let Some(seed) = seed {
        fuzzer.args(["--seed", &seed.to_string()]);
    }
    fuzzer
        .args(["--report", "junit,ndjson", "--report-dir"])
        .arg(&report)
        .args(["--url", &backend.base_url])
        .arg(format!("{}/openapi.json", backend.base_url))
        // It leaves files of its own where it is started.
        .current_dir(&report)
        .env("CALSETA_CLIENTS", &clients)
        .env("CALSETA_URL", &backend.base_url)
        // Not an argument: those are printed, and seen by everybody on the machine.
        .env("CALSETA_KEY", &backend.admin_key);
    let fuzzed = command::run(&mut fuzzer);
    let healthy = backend.finish();
    match (fuzzed, healthy) {
        (Err(fuzzed), Err(healthy)) => bail!("{fuzzed:#}; and {healthy:#}"),
        (Err(error), Ok(())) | (Ok(()), Err(error)) => Err(error),
        (Ok(()), Ok(())) => {
            output::note("no failure in any phase");
            Ok(())
        }
    }
}
