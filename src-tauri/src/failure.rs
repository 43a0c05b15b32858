//! Why the program did not start, in words a person can act on, with the exit code that scripts
//! know from the command line.

use calseta_engine::{OpenError, StartError};
use calseta_server::LaunchError;

/// Something failed.
const FAILED: u8 = 1;
/// The call was wrong.
const USAGE: u8 = 2;
/// Another process owns the data directory.
const IN_USE: u8 = 3;
/// A file of a newer version, or of something else.
const REFUSED: u8 = 4;

/// A start that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The process's exit code.
    pub(crate) exit: u8,
    /// What happened and what to do about it.
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self {
            exit: FAILED,
            message: message.into(),
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: USAGE,
            message: message.into(),
        }
    }
}

impl From<LaunchError> for Failure {
    fn from(error: LaunchError) -> Self {
        let exit = match &error {
            LaunchError::Start(StartError::Open(OpenError::InUse(_))) => IN_USE,
            LaunchError::Start(StartError::Open(
                OpenError::Newer { .. } | OpenError::Foreign(_),
            )) => REFUSED,
            LaunchError::Start(_) | LaunchError::Port { .. } | LaunchError::Runtime { .. } => {
                FAILED
            }
        };
        Self {
            exit,
            message: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn exit_codes_are_those_of_the_command_line() {
        let open = |error| Failure::from(LaunchError::Start(StartError::Open(error))).exit;
        assert_eq!(open(OpenError::InUse(PathBuf::from("d"))), 3);
        assert_eq!(open(OpenError::Foreign(PathBuf::from("d"))), 4);
        let newer = OpenError::Newer {
            path: PathBuf::from("d"),
            found: 9,
            known: 1,
        };
        assert_eq!(open(newer), 4);
        let taken = LaunchError::Port {
            port: 1,
            source: std::io::ErrorKind::AddrInUse.into(),
        };
        assert_eq!(Failure::from(taken).exit, 1);
    }
}
