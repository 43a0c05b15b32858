//! Where the data is, for the window and the command line alike.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Why there is no data directory.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Neither said nor to be found.
    #[error("say where the data is: --data-dir DIR")]
    Unknown,
    /// The path that was said cannot be made absolute.
    #[error("--data-dir: {0}")]
    Invalid(std::io::Error),
}

/// The data directory: as said, else the desktop's own place for it, `$XDG_DATA_HOME/calseta` (the
/// XDG base directory specification), by default `~/.local/share/calseta`.
pub fn data_dir(said: Option<&Path>) -> Result<PathBuf, DataDirError> {
    if let Some(dir) = said {
        return std::path::absolute(dir).map_err(DataDirError::Invalid);
    }
    place(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
        .ok_or(DataDirError::Unknown)
}

fn place(setting: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    setting("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(setting("HOME")?).join(".local/share")))
        .or_else(|| setting("APPDATA").map(PathBuf::from))
        .map(|dir| dir.join("calseta"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(settings: &[(&str, &str)]) -> Option<PathBuf> {
        place(|name| {
            let found = settings.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_desktop_s_place_is_taken_in_its_order() {
        let home = ("HOME", "/h");
        let data = ("XDG_DATA_HOME", "/data");
        assert_eq!(with(&[home, data]), Some(PathBuf::from("/data/calseta")));
        assert_eq!(
            with(&[home]),
            Some(PathBuf::from("/h/.local/share/calseta"))
        );
        assert_eq!(with(&[]), None);
    }
}
