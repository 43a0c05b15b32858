//! `calseta`: the backend without a window, and its command line.
//!
//! JSON goes to stdout, one object a line; everything for people goes to stderr. Exit codes: 0 ok,
//! 1 failed, 2 usage, 3 data directory in use, 4 refused.

mod arguments;
mod backup;
mod failure;
mod import;
mod ingest;
mod keys;
mod output;
mod receiver;
mod running;
mod sample_agent;
mod serve;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

/// Runs the command line.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return not_understood(&error),
    };
    calseta_server::log_to_stderr();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            output::say(&format!("the runtime could not start: {error}"));
            return ExitCode::from(failure::FAILED);
        }
    };
    let json = arguments.json;
    let result = runtime.block_on(async {
        match arguments.command {
            Command::Serve(serve) => serve::run(serve, json).await,
            Command::Keys(keys) => keys::run(keys).await,
            Command::Ingest(ingest) => ingest::run(ingest, json).await,
            Command::Import(import) => import::run(import).await,
            Command::Verify(verify) => verify::run(verify).await,
            Command::Backup(backup) => backup::make(backup).await,
            Command::Restore(restore) => backup::restore(restore).await,
            Command::Recover(recover) => backup::recover(recover).await,
            Command::SampleAgent(agent) => sample_agent::run(agent).await,
        }
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report(json);
            ExitCode::from(failure.exit)
        }
    }
}

/// Help, the version, or a wrong call, which `--json` makes an error object like any other.
fn not_understood(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    if error.use_stderr() && wants_json {
        let failure = failure::Failure::usage(error.to_string().trim_end());
        failure.report(true);
        return ExitCode::from(failure.exit);
    }
    drop(error.print());
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(failure::USAGE))
}
