//! `calseta`.

use std::process::ExitCode;

fn main() -> ExitCode {
    calseta_cli::main()
}
