//! One desktop notification a finding, and one when an agent is paused or given up.
//!
//! It follows the event log from where it ends at the start, so that nothing is told twice and a
//! restart tells nothing again. A desktop without a notification daemon is a normal one: that is
//! logged once, and the window shows every finding anyway.

mod desktop;
mod pace;
mod text;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use calseta_contract::event::{EventBatch, EventView};
use calseta_engine::{Engine, EventRange, Principal};
use tauri::{AppHandle, Wry};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::window;
use pace::Pace;
use text::Note;

/// How long one look at the log waits for news.
const POLL_WAIT: Duration = Duration::from_secs(25);
/// The wait after the log could not be read.
const PAUSE: Duration = Duration::from_secs(5);
/// How long a daemon may take to accept a notification.
const SHOW_DEADLINE: Duration = Duration::from_secs(10);
/// How long a notification can be activated: a working day.
const ACTIVATION_WAIT: Duration = Duration::from_hours(12);
/// Notifications that can be activated at once; each holds a connection to the bus. The oldest
/// gives way to a new one.
const MAX_WAITING: usize = 16;
/// The event of a finding.
const FINDING_CREATED: &str = "finding.created";
/// What its detail names when a suppression hides the alert.
const SUPPRESSED_BY: &str = "suppressed_by";

/// A place in the event log; what comes after it is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Since(Option<i64>);

impl Since {
    /// Where the log ends now. Taken as soon as the backend runs: agents do not wait for a window.
    pub(crate) async fn now(engine: &Engine) -> Self {
        let range = EventRange {
            after: None,
            wait: Duration::ZERO,
        };
        let read = engine.events(&Principal::analyst(), range).await;
        // Unreadable now is read again later, from where it ends then.
        Self(read.ok().map(|batch| batch.next_after))
    }
}

/// Tells every finding, and every agent that stops, from a place on, until stopped.
pub(crate) async fn follow(
    engine: Engine,
    Since(mut after): Since,
    app: AppHandle<Wry>,
    stop: CancellationToken,
) {
    let (mut pace, mut stops) = (Pace::default(), Pace::default());
    let mut shown = Shown::new(app);
    loop {
        let range = EventRange {
            after,
            wait: POLL_WAIT,
        };
        let analyst = Principal::analyst();
        let read = tokio::select! {
            () = stop.cancelled() => return,
            () = due(pace.digest_at()) => {
                if let Some(count) = pace.digest(Instant::now()) {
                    shown.raise(text::digest(count));
                }
                continue;
            }
            read = engine.events(&analyst, range) => read,
        };
        match read {
            Ok(EventBatch {
                events, next_after, ..
            }) => {
                after = Some(next_after);
                tell(&events, (&mut pace, &mut stops), &mut shown);
            }
            Err(problem) => {
                tracing::warn!(error = %problem.message, "the event log could not be read");
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        }
        if engine.stopping().is_cancelled() {
            return;
        }
    }
}

fn tell(events: &[EventView], (pace, stops): (&mut Pace, &mut Pace), shown: &mut Shown) {
    // A finding about a suppressed alert waits where the alert does.
    let is_told = |event: &&EventView| {
        event.kind == FINDING_CREATED && !event.changed.contains_key(SUPPRESSED_BY)
    };
    for event in events.iter().filter(is_told) {
        if pace.admit(Instant::now()) {
            shown.raise(text::of_finding(event));
        }
    }
    for note in events.iter().filter_map(text::of_stopped_agent) {
        // The list of agents says how those stand that are too many to be told of.
        if stops.admit_or_drop(Instant::now()) {
            shown.raise(note);
        }
    }
}

/// Resolves at `at`; never, when there is nothing to wait for.
async fn due(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// The notifications on the screen that can still be activated.
struct Shown {
    app: AppHandle<Wry>,
    tasks: JoinSet<()>,
    oldest_first: VecDeque<AbortHandle>,
    /// Whether it was said that nobody shows notifications here.
    complained: Arc<AtomicBool>,
}

impl Shown {
    fn new(app: AppHandle<Wry>) -> Self {
        Self {
            app,
            tasks: JoinSet::new(),
            oldest_first: VecDeque::new(),
            complained: Arc::new(AtomicBool::new(false)),
        }
    }

    /// Shows it and waits, beside everything else, for the analyst to activate it.
    fn raise(&mut self, note: Note) {
        while self.tasks.try_join_next().is_some() {}
        self.oldest_first.retain(|task| !task.is_finished());
        if self.oldest_first.len() >= MAX_WAITING
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            oldest.abort();
        }
        let (app, complained) = (self.app.clone(), Arc::clone(&self.complained));
        let task = self.tasks.spawn(async move {
            match tokio::time::timeout(SHOW_DEADLINE, desktop::show(&note)).await {
                Ok(Ok(raised)) => {
                    let activated = tokio::time::timeout(ACTIVATION_WAIT, raised.activated()).await;
                    if activated == Ok(true) {
                        window::bring_forward(&app, note.alert);
                    }
                }
                Ok(Err(error)) => complain(&complained, &error.to_string()),
                Err(_) => complain(&complained, "the notification daemon does not answer"),
            }
        });
        self.oldest_first.push_back(task);
    }
}

fn complain(complained: &AtomicBool, why: &str) {
    if !complained.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            error = why,
            "this desktop shows no notifications; the window shows it all"
        );
    }
}
