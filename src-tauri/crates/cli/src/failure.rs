//! Failures: an exit code and the error body.

use calseta_domain::ErrorCode;
use calseta_engine::{Problem, StartError};
use calseta_server::LaunchError;
use serde_json::{Map, Value, json};

use crate::output;

/// Something failed.
pub(crate) const FAILED: u8 = 1;
/// The call was wrong.
pub(crate) const USAGE: u8 = 2;
/// Another process owns the data directory.
pub(crate) const IN_USE: u8 = 3;
/// Authentication, or a file of a newer version.
pub(crate) const REFUSED: u8 = 4;

/// Why a command did not end well.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: u8,
    code: String,
    message: String,
    /// Boxed: failures are rare and results should stay small.
    details: Box<Map<String, Value>>,
}

impl Failure {
    pub(crate) fn new(exit: u8, code: &str, message: impl Into<String>) -> Self {
        Self {
            exit,
            code: code.to_owned(),
            message: message.into(),
            details: Box::default(),
        }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(FAILED, "FAILED", message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(USAGE, "USAGE", message)
    }

    /// What went wrong, in words.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Whether the key, or the file, was refused: trying something else with it is no use.
    pub(crate) const fn is_refusal(&self) -> bool {
        self.exit == REFUSED
    }

    /// Whether a key was taken that may not do this.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.code == "FORBIDDEN"
    }

    /// From an answer of the API.
    pub(crate) fn answered(status: u16, body: &[u8]) -> Self {
        let parsed: Option<calseta_contract::ErrorBody> = serde_json::from_slice(body).ok();
        let exit = if matches!(status, 401 | 403) {
            REFUSED
        } else {
            FAILED
        };
        match parsed {
            Some(body) => Self {
                exit,
                code: body.error.code,
                message: body.error.message,
                details: Box::new(body.error.details),
            },
            None => Self::new(exit, "FAILED", format!("the API answered {status}")),
        }
    }

    /// Says which of several documents it is about, from 1.
    pub(crate) fn about_document(mut self, number: usize) -> Self {
        self.message = format!("document {number}: {}", self.message);
        self.details.insert("document".to_owned(), json!(number));
        self
    }

    /// Tells the person, or the program with `--json`.
    pub(crate) fn report(&self, as_json: bool) {
        if as_json {
            let error =
                json!({"code": self.code, "message": self.message, "details": self.details});
            output::say(&json!({"error": error}).to_string());
        } else {
            output::say(&format!("error: {}", self.message));
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let refused = matches!(
            problem.code,
            ErrorCode::Unauthorized | ErrorCode::KeyExpired | ErrorCode::Forbidden
        );
        Self {
            exit: if refused { REFUSED } else { FAILED },
            code: problem.code.as_str().to_owned(),
            message: problem.message,
            details: Box::new(problem.details),
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let (exit, code) = match &error {
            StartError::Open(calseta_engine::OpenError::InUse(_)) => (IN_USE, "IN_USE"),
            StartError::Open(
                calseta_engine::OpenError::Newer { .. } | calseta_engine::OpenError::Foreign(_),
            ) => (REFUSED, "REFUSED"),
            StartError::Open(calseta_engine::OpenError::Damaged { .. }) => (FAILED, "DAMAGED"),
            _ => (FAILED, "FAILED"),
        };
        Self::new(exit, code, error.to_string())
    }
}

impl From<LaunchError> for Failure {
    fn from(error: LaunchError) -> Self {
        match error {
            LaunchError::Start(error) => error.into(),
            LaunchError::Port { .. } => Self::new(FAILED, "PORT_TAKEN", error.to_string()),
            LaunchError::Runtime { .. } => Self::failed(error.to_string()),
        }
    }
}
