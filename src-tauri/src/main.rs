//! The desktop program; see the library.

// A console window would open behind ours.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    calseta_console::main()
}
