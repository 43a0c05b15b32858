//! `calseta-faults`: the control build of the fault tests. Never shipped.

use std::process::ExitCode;

fn main() -> ExitCode {
    calseta_cli::main()
}
