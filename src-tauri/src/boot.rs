//! Starting: data directory, backend, then the window; or a page that says why not.

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use calseta_server::{LaunchConfig, Limits, Running, launch};
use tokio::runtime::Runtime;

use crate::arguments::{self, Arguments};
use crate::failure::Failure;
use crate::lifecycle::{Lifecycle, StopSignal};
use crate::notifications::Since;
use crate::{api, output, window};

/// Runs until the window is closed; the exit code.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    match started(arguments) {
        Ok(exit) => exit,
        Err(failure) => {
            output::say(&format!("error: {}", failure.message));
            failure.exit
        }
    }
}

fn started(arguments: &Arguments) -> Result<u8, Failure> {
    let data_dir = arguments.data_dir()?;
    if !arguments::has_display() {
        let message = "there is no display to open a window on; use `calseta serve --ui`";
        return Err(Failure::failed(message));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::failed(error.to_string()))?;
    // Commands run where the backend does.
    tauri::async_runtime::set(runtime.handle().clone());
    let signal = StopSignal::listen(&runtime);
    let signal = signal.map_err(|error| Failure::failed(error.to_string()))?;
    match runtime.block_on(backend(arguments, data_dir.clone())) {
        Ok(running) => show_main(runtime, signal, running, &data_dir),
        Err(failure) => Ok(show_failure(runtime, signal, &failure)),
    }
}

async fn backend(arguments: &Arguments, data_dir: PathBuf) -> Result<Running, Failure> {
    let config = LaunchConfig {
        data_dir,
        port: arguments.port(),
        demo: arguments.demo,
        ui: None,
        limits: Limits::default(),
        key_store: arguments.key_store,
    };
    let running = launch(config).await?;
    tracing::info!(url = %running.base_url, "listening");
    Ok(running)
}

/// The main window on a running backend; returns when both have ended.
fn show_main(
    runtime: Runtime,
    signal: StopSignal,
    running: Running,
    data_dir: &Path,
) -> Result<u8, Failure> {
    let lifecycle = Lifecycle::default();
    let since = runtime.block_on(Since::now(&running.engine));
    let builder = tauri::Builder::default()
        .manage(api::Backend::new(running.in_process.clone()))
        .invoke_handler(tauri::generate_handler![api::api]);
    let app = match built(builder) {
        Ok(app) => app,
        Err(failure) => {
            lifecycle.stop(runtime, Some(running));
            return Err(failure);
        }
    };
    lifecycle.end_on(signal, &runtime, app.handle().clone());
    lifecycle.notify(since, &runtime, &running, app.handle().clone());
    let opened = window::open_main(&app, data_dir);
    let exit = match &opened {
        Ok(()) => app.run_return(|_, _| {}),
        Err(_) => 0,
    };
    let in_time = lifecycle.stop(runtime, Some(running));
    opened.map_err(|error| Failure::failed(format!("the window could not be opened: {error}")))?;
    Ok(if in_time {
        u8::try_from(exit).unwrap_or(1)
    } else {
        1
    })
}

/// A page that says why nothing started; returns when it is closed. The exit code is the
/// failure's, however the page fares.
fn show_failure(runtime: Runtime, signal: StopSignal, failure: &Failure) -> u8 {
    let lifecycle = Lifecycle::default();
    let shown = failure.clone();
    let builder = tauri::Builder::default()
        .register_uri_scheme_protocol(window::FAILED_SCHEME, move |_, request| {
            window::failed_page(&shown, request.uri().path())
        });
    // Scripts, and people without eyes on the display, learn it at once.
    output::say(&format!("error: {}", failure.message));
    match built(builder) {
        Ok(app) => {
            lifecycle.end_on(signal, &runtime, app.handle().clone());
            match window::open_failed(&app) {
                Ok(()) => drop(app.run_return(|_, _| {})),
                Err(error) => tracing::warn!(error = %error, "the failure could not be shown"),
            }
        }
        Err(why) => tracing::warn!(error = why.message, "the failure could not be shown"),
    }
    lifecycle.stop(runtime, None);
    failure.exit
}

/// Connects to the display. The toolkit panics when it cannot; that is no bug of ours, but a
/// machine without a usable display, and is told like one.
fn built(builder: tauri::Builder<tauri::Wry>) -> Result<tauri::App, Failure> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let built = panic::catch_unwind(AssertUnwindSafe(|| {
        builder.build(tauri::generate_context!())
    }));
    panic::set_hook(hook);
    match built {
        Ok(Ok(app)) => Ok(app),
        Ok(Err(error)) => Err(Failure::failed(format!(
            "the window could not be made: {error}"
        ))),
        Err(_) => Err(Failure::failed(
            "the display could not be opened; check DISPLAY, or use `calseta serve --ui`",
        )),
    }
}
