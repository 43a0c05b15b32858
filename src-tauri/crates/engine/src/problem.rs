//! Why a request was not done: a code, a sentence that says what to do, and facts for programs.

use calseta_domain::{ErrorCode, FieldError, InvalidTransition};
use calseta_store::StoreError;
use serde_json::{Map, Value, json};

/// Seconds after which a busy store is worth another try.
const BUSY_RETRY_SECS: u64 = 1;
/// Seconds after which a full disk is worth another try.
pub(crate) const FULL_RETRY_SECS: u64 = 5;

/// A request that was not done.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The stable code.
    pub code: ErrorCode,
    /// For a person.
    pub message: String,
    /// For a program.
    pub details: Map<String, Value>,
    /// Seconds for `Retry-After`.
    pub retry_after: Option<u64>,
    status: Option<u16>,
}

impl Problem {
    /// A problem without details.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Map::new(),
            retry_after: None,
            status: None,
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// Says when another try is worth it.
    #[must_use]
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status.unwrap_or_else(|| self.code.status())
    }

    /// There is no such thing, or it is not the caller's.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            ErrorCode::NotFound,
            format!("there is no such {what}; check the uuid"),
        )
    }

    /// Fields that were refused.
    pub fn fields(errors: &[FieldError]) -> Self {
        let first = errors.first();
        let message = first.map_or_else(
            || "Request validation failed.".to_owned(),
            |error| {
                let more = errors.len() - 1;
                let tail = if more > 0 {
                    format!(" (and {more} more)")
                } else {
                    String::new()
                };
                format!(
                    "Request validation failed: {}: {}{}{tail}.",
                    error.path,
                    error.message,
                    way_out(error)
                )
            },
        );
        Self::new(ErrorCode::ValidationError, message).with("errors", json!(errors))
    }

    /// One field that was refused.
    pub fn field(path: &str, message: impl Into<String>) -> Self {
        Self::fields(&[FieldError::new(path, message)])
    }

    /// A word outside its closed set.
    pub fn word<W: AsRef<str>>(path: &str, what: &str, given: &str, allowed: &[W]) -> Self {
        Self::fields(&[FieldError::unknown_word(path, what, given, allowed)])
    }

    /// A source that is named in a body and not known: 422, where a path's is 404.
    pub fn unknown_source_in_body(name: &str, known: &[String]) -> Self {
        let error = FieldError::unknown_word("source_name", "source", name, known);
        Self {
            status: Some(422),
            ..Self::new(
                ErrorCode::UnknownSource,
                format!("there is no source {name:?}"),
            )
            .with("errors", json!([error]))
            .with("known_sources", json!(known))
        }
    }

    /// Why, in as few words as there are: the first refused field's reason, else the message.
    pub(crate) fn first_reason(&self) -> String {
        let first = self.details.get("errors").and_then(|errors| errors.get(0));
        let message = first.and_then(|error| error["message"].as_str());
        message.unwrap_or(&self.message).to_owned()
    }

    /// A human has to do this.
    pub fn human_required(what: &str) -> Self {
        Self::new(
            ErrorCode::HumanKeyRequired,
            format!("{what} needs a human key; an agent key can never do it"),
        )
    }
}

/// What to write instead, for a person who sees only the message.
fn way_out(error: &FieldError) -> String {
    match (&error.did_you_mean, &error.allowed) {
        (Some(word), _) => format!("; perhaps {word:?} is meant"),
        (None, Some(allowed)) if !allowed.is_empty() => {
            format!("; allowed: {}", allowed.join(", "))
        }
        _ => String::new(),
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy | StoreError::Closed => {
                Self::new(ErrorCode::Busy, "too much at once; try again in a second")
                    .after(BUSY_RETRY_SECS)
            }
            StoreError::TooSlow => {
                Self::new(ErrorCode::Busy, error.to_string()).after(BUSY_RETRY_SECS)
            }
            StoreError::Full => Self::new(
                ErrorCode::StorageFull,
                "the disk is full; nothing was stored",
            )
            .after(FULL_RETRY_SECS),
            StoreError::Conflict
            | StoreError::Panicked
            | StoreError::Corrupt(_)
            | StoreError::Sqlite(_) => {
                tracing::error!(error = %error, "the store failed");
                Self::new(
                    ErrorCode::Internal,
                    "an internal error; the log has the details",
                )
            }
        }
    }
}

impl From<InvalidTransition> for Problem {
    fn from(error: InvalidTransition) -> Self {
        let allowed: Vec<_> = error
            .from
            .allowed_next()
            .iter()
            .map(|s| s.as_str())
            .collect();
        Self::new(ErrorCode::InvalidTransition, error.to_string()).with("allowed", json!(allowed))
    }
}
