//! Bearers that are the analyst: the browser's session and the command line's control token.
//!
//! They live in memory and die with the process. A browser gets its bearer for the one-time token
//! of the link that `calseta serve --ui` prints; no cookie is ever set.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use calseta_engine::random_bytes;

/// Open sessions at the most; the link is made for one person.
const MAX_SESSIONS: usize = 64;

#[derive(Default)]
pub(crate) struct Sessions {
    one_time: Mutex<HashSet<String>>,
    bearers: Mutex<HashSet<String>>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions(..)")
    }
}

/// 256 random bits after a prefix that no API key has.
fn token(prefix: &str) -> String {
    random_bytes::<32>()
        .iter()
        .fold(prefix.to_owned(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
            text
        })
}

impl Sessions {
    /// A token that can be exchanged for a bearer, once.
    pub(crate) fn one_time_token(&self) -> String {
        let token = token("once_");
        self.one_time
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(token.clone());
        token
    }

    /// The bearer for a one-time token; `None` when it is not one of ours or was used.
    pub(crate) fn exchange(&self, one_time: &str) -> Option<String> {
        let used = self
            .one_time
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(one_time);
        used.then(|| self.bearer("ui_")).flatten()
    }

    /// A bearer for a program of the same user, for example the command line.
    pub(crate) fn control_token(&self) -> Option<String> {
        self.bearer("ctl_")
    }

    fn bearer(&self, prefix: &str) -> Option<String> {
        let mut bearers = self.bearers.lock().unwrap_or_else(PoisonError::into_inner);
        if bearers.len() >= MAX_SESSIONS {
            return None;
        }
        let bearer = token(prefix);
        bearers.insert(bearer.clone());
        Some(bearer)
    }

    /// Whether a bearer is the analyst. The set is looked up by hash of 256 random bits, so the
    /// time it takes tells nothing that helps to guess one.
    pub(crate) fn is_analyst(&self, bearer: &str) -> bool {
        self.bearers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(bearer)
    }
}
