//! Failed authentication in the event log, bounded: somebody who guesses keys must not be able to
//! fill the disk with the record of it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use calseta_store::WriteTx;
use calseta_store::tables::event::{self, Actor, NewEvent};
use serde_json::{Map, json};

use crate::start::Inner;
use crate::{Engine, Problem};

/// At most one event in this time for a reason and a key prefix; the rest is counted.
const WINDOW: Duration = Duration::from_secs(1);
/// Reasons and prefixes that are told apart at a time; more share one entry.
const MAX_APART: usize = 64;
/// Characters of a refused key that are kept: as many as a good key shows.
const PREFIX_CHARS: usize = 12;
/// Characters of a path that are kept.
const PATH_CHARS: usize = 200;

/// One refused request, as far as it may be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAuth {
    /// For example `missing_header`, `invalid_key`, `key_expired`, `insufficient_scope`,
    /// `invalid_signature`.
    pub reason: &'static str,
    /// The request's method.
    pub method: String,
    /// Its path, without the query.
    pub path: String,
    /// The first characters of what was sent as a key.
    pub key_prefix: Option<String>,
    /// Whose connection it was, as an address.
    pub client: Option<String>,
}

/// What was refused since the last event, by reason and prefix.
#[derive(Debug, Default)]
pub(crate) struct Refusals(std::sync::Mutex<HashMap<(&'static str, Option<String>), u64>>);

impl Engine {
    /// Records a refused request as `auth.failed`, at once when it is the first of its kind within
    /// a second, else as part of a count. Never fails and never waits.
    pub fn record_failed_auth(&self, failed: FailedAuth) {
        let mut failed = failed;
        failed.key_prefix = failed
            .key_prefix
            .map(|prefix| visible(&prefix, PREFIX_CHARS));
        failed.path = visible(&failed.path, PATH_CHARS);
        let mut key = (failed.reason, failed.key_prefix.clone());
        {
            let mut open = self
                .inner
                .refusals
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if open.len() >= MAX_APART && !open.contains_key(&key) {
                key.1 = None;
            }
            if let Some(count) = open.get_mut(&key) {
                *count += 1;
                return;
            }
            open.insert(key.clone(), 0);
        }
        let inner = Arc::clone(&self.inner);
        self.inner.tasks.spawn(async move {
            append(&inner, &failed, 1).await;
            tokio::select! {
                () = tokio::time::sleep(WINDOW) => {},
                () = inner.stop.cancelled() => {},
            }
            let more = inner
                .refusals
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&key)
                .unwrap_or(0);
            if more > 0 {
                append(&inner, &failed, more).await;
            }
        });
    }
}

/// The visible ASCII of a text, so that a log line stays one line.
fn visible(text: &str, chars: usize) -> String {
    text.chars()
        .filter(char::is_ascii_graphic)
        .take(chars)
        .collect()
}

async fn append(inner: &Arc<Inner>, failed: &FailedAuth, count: u64) {
    let now = inner.clock.now();
    let actor = Actor {
        kind: "system".to_owned(),
        name: "Calseta".to_owned(),
        key_prefix: failed.key_prefix.clone(),
    };
    let mut detail = Map::new();
    detail.insert("reason".to_owned(), json!(failed.reason));
    detail.insert("method".to_owned(), json!(failed.method));
    detail.insert("path".to_owned(), json!(failed.path));
    detail.insert("client".to_owned(), json!(failed.client));
    detail.insert("count".to_owned(), json!(count));
    let stored = inner
        .store
        .write(move |tx: &WriteTx<'_>| {
            event::append(
                tx,
                NewEvent {
                    at: now,
                    actor: &actor,
                    kind: "auth.failed",
                    object: ("auth", None),
                    alert: None,
                    detail,
                },
            )?;
            Ok::<_, Problem>(())
        })
        .await;
    if let Err(problem) = stored {
        tracing::warn!(
            error = problem.message,
            "a failed authentication was not recorded"
        );
    }
}
