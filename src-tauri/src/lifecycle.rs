//! From started to stopped: what runs beside the window, and how it all ends.
//!
//! Closing the window and SIGTERM take the same way: the window's loop ends, then the tasks here,
//! then the backend, each within a bound.

use std::time::Duration;

use calseta_server::Running;
use tauri::{AppHandle, Wry};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::notifications;

/// How long our own tasks may take to end.
const TASKS_WAIT: Duration = Duration::from_secs(5);
/// How long the backend may take: it gives open requests and running jobs 10 s each.
const BACKEND_WAIT: Duration = Duration::from_secs(30);
/// How long threads of the runtime may take after that.
const RUNTIME_WAIT: Duration = Duration::from_secs(2);

/// The tasks beside the window.
#[derive(Debug, Default)]
pub(crate) struct Lifecycle {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Lifecycle {
    /// Ends the window's loop on SIGTERM or Ctrl-C.
    pub(crate) fn end_on_signal(&self, runtime: &Runtime, app: AppHandle<Wry>) {
        let stop = self.stop.clone();
        let waiting = async move {
            tokio::select! {
                () = stop_signal() => {
                    tracing::info!("told to stop");
                    app.exit(0);
                }
                () = stop.cancelled() => {}
            }
        };
        self.tasks.spawn_on(waiting, runtime.handle());
    }

    /// Raises a notification for every finding from here on.
    pub(crate) fn notify(&self, runtime: &Runtime, running: &Running, app: AppHandle<Wry>) {
        let following = notifications::follow(running.engine.clone(), app, self.stop.clone());
        self.tasks.spawn_on(following, runtime.handle());
    }

    /// Ends the tasks, then the backend; whether both did within their bounds.
    pub(crate) fn stop(self, runtime: Runtime, running: Option<Running>) -> bool {
        self.stop.cancel();
        self.tasks.close();
        let in_time = runtime.block_on(async {
            let tasks = tokio::time::timeout(TASKS_WAIT, self.tasks.wait())
                .await
                .is_ok();
            let Some(running) = running else { return tasks };
            tokio::time::timeout(BACKEND_WAIT, running.stop())
                .await
                .is_ok()
                && tasks
        });
        if !in_time {
            tracing::warn!("some work did not end in time; it goes on after the next start");
        }
        runtime.shutdown_timeout(RUNTIME_WAIT);
        in_time
    }
}

#[cfg(unix)]
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = signal(SignalKind::terminate());
    let interrupt = signal(SignalKind::interrupt());
    match (terminate, interrupt) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        _ => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    drop(tokio::signal::ctrl_c().await);
}
