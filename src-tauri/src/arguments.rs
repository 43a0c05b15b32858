//! The command line, and the only place that reads the environment.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use calseta_engine::KeyStore;
use calseta_server::PortChoice;
use clap::Parser;

use crate::failure::Failure;

const DATA_DIR_HELP: &str =
    "The data directory [default: $XDG_DATA_HOME/calseta or ~/.local/share/calseta]";
const PORT_HELP: &str = "The API's port on 127.0.0.1 and ::1; 0 picks a free one \
    [default: 8000, else the next free up to 8010]";

/// Calseta Console: the window, with its backend inside.
///
/// The API listens on the loopback addresses as long as the window is open. On the first start the
/// data directory is made and the first admin key is shown in the window, once.
#[derive(Debug, Parser)]
#[command(name = "calseta-console", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 closed, 1 failed, 2 usage, 3 data directory in use, \
    4 refused (a file of a newer version).\n\
    Logs go to stderr; CALSETA_LOG sets their level (error, warn, info, debug).\n\
    Without a display, use `calseta serve --ui`."
)]
pub(crate) struct Arguments {
    #[arg(long, value_name = "DIR", env = "CALSETA_DATA_DIR", help = DATA_DIR_HELP)]
    data_dir: Option<PathBuf>,
    #[arg(long, value_name = "N", help = PORT_HELP)]
    port: Option<u16>,
    /// Where a new data directory's master key is kept: auto (the keychain when it answers, else a
    /// file), file or keychain. An existing key stays where it is.
    #[arg(
        long,
        env = "CALSETA_KEY_STORE",
        value_name = "PLACE",
        default_value = "auto"
    )]
    pub(crate) key_store: KeyStore,
    /// Answer enrichment from canned data. Every such answer is marked as demo.
    #[arg(long)]
    pub(crate) demo: bool,
}

impl Arguments {
    /// Where the data is: as said, else the desktop's own place for it.
    pub(crate) fn data_dir(&self) -> Result<PathBuf, Failure> {
        calseta_server::data_dir(self.data_dir.as_deref())
            .map_err(|error| Failure::usage(error.to_string()))
    }

    pub(crate) fn port(&self) -> PortChoice {
        self.port.map_or(PortChoice::Default, PortChoice::Exactly)
    }
}

/// Whether there is a display to open a window on. Elsewhere than on X11 and Wayland there is one.
pub(crate) fn has_display() -> bool {
    !cfg!(all(unix, not(target_os = "macos")))
        || setting("DISPLAY").is_some()
        || setting("WAYLAND_DISPLAY").is_some()
}

fn setting(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_a_choice_only_when_it_is_given() {
        let parsed = Arguments::try_parse_from(["calseta-console"]).unwrap();
        assert_eq!(parsed.port(), PortChoice::Default);
        let parsed = Arguments::try_parse_from(["calseta-console", "--port", "0"]).unwrap();
        assert_eq!(parsed.port(), PortChoice::Exactly(0));
        let refused = Arguments::try_parse_from(["calseta-console", "--port", "70000"]);
        assert!(refused.is_err(), "there is no such port");
    }

    #[test]
    fn a_data_directory_is_made_absolute() {
        let parsed = Arguments::try_parse_from(["calseta-console", "--data-dir", "here"]).unwrap();
        let dir = parsed.data_dir().expect("a directory was given");
        assert!(
            dir.is_absolute() && dir.ends_with("here"),
            "{}",
            dir.display()
        );
    }
}
