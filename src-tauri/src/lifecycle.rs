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

use crate::notifications::{self, Since};

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
    pub(crate) fn end_on(&self, signal: StopSignal, runtime: &Runtime, app: AppHandle<Wry>) {
        let stop = self.stop.clone();
        let waiting = async move {
            tokio::select! {
                () = signal.received() => {
                    tracing::info!("told to stop");
                    app.exit(0);
                }
                () = stop.cancelled() => {}
            }
        };
        self.tasks.spawn_on(waiting, runtime.handle());
    }

    /// Raises a notification for every finding after a place in the event log.
    pub(crate) fn notify(
        &self,
        since: Since,
        runtime: &Runtime,
        running: &Running,
        app: AppHandle<Wry>,
    ) {
        let (engine, stop) = (running.engine.clone(), self.stop.clone());
        let following = notifications::follow(engine, since, app, stop);
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

/// The operating system's request to end: SIGTERM, or Ctrl-C in a terminal.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct StopSignal {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl StopSignal {
    /// Listens from now on: one that comes before somebody waits for it is not lost.
    pub(crate) fn listen(runtime: &Runtime) -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let _inside = runtime.enter();
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn received(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The operating system's request to end.
#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) struct StopSignal;

#[cfg(not(unix))]
impl StopSignal {
    /// Listens as soon as somebody waits for it.
    pub(crate) fn listen(_runtime: &Runtime) -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn received(self) {
        // Without it, closing the window is the way to end.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
