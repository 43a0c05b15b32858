//! `calseta serve`.

use std::path::PathBuf;

use calseta_engine::Engine;
use calseta_server::{LaunchConfig, Limits, PortChoice, Running, UiFiles, launch};
use serde_json::json;

use crate::arguments::Serve;
use crate::failure::Failure;
use crate::{output, running};

pub(crate) async fn run(arguments: Serve, json: bool) -> Result<(), Failure> {
    let data_dir = running::data_dir(&arguments.data)?;
    let ui = if arguments.ui {
        Some(ui_files()?)
    } else {
        None
    };
    let running = launch(LaunchConfig {
        data_dir: data_dir.clone(),
        port: arguments
            .port
            .map_or(PortChoice::Default, PortChoice::Exactly),
        demo: arguments.demo,
        ui,
        limits: if arguments.no_limits {
            Limits::OFF
        } else {
            Limits::default()
        },
        key_store: arguments.key_store,
    })
    .await?;
    ready(&running, &data_dir, json);
    stop_signal().await;
    output::say("stopping; what is in flight is kept");
    running.stop().await;
    Ok(())
}

fn ready(running: &Running, data_dir: &std::path::Path, json: bool) {
    let mut line = json!({
        "ready": true,
        "base_url": running.base_url,
        "version": Engine::version(),
        "data_dir": data_dir,
    });
    if let Some(url) = &running.ui_url {
        line["ui_url"] = json!(url);
        output::say(&format!("the window in a browser, once: {url}"));
    }
    // Without a UI this line is the only place that shows the first key. With one, a person gets it
    // there; a script that asked for JSON gets it here too.
    let first_key = match (&running.ui_url, json) {
        (None, _) => running.engine.take_first_key(),
        (Some(_), true) => running.engine.first_key(),
        (Some(_), false) => None,
    };
    if let Some(key) = first_key {
        line["admin_key"] = json!(&**key);
        output::say("the first admin key is in the ready line on stdout; it is shown once");
    }
    if let Some(notice) = &running.notice {
        output::say(notice);
    }
    output::say(&format!("listening on {}", running.base_url));
    output::line(&line);
}

/// Where the built UI is: `CALSETA_UI_DIST`, beside the program, or in the source tree.
fn ui_files() -> Result<UiFiles, Failure> {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.join("ui")));
    let named = running::setting("CALSETA_UI_DIST").map(PathBuf::from);
    let candidates = match named {
        Some(dir) => vec![dir],
        None => beside
            .into_iter()
            .chain([PathBuf::from("ui/dist")])
            .collect(),
    };
    let mut last = None;
    for dir in candidates {
        match UiFiles::read(&dir) {
            Ok(files) => return Ok(files),
            Err(error) => last = Some(format!("{}: {error}", dir.display())),
        }
    }
    Err(Failure::failed(format!(
        "the UI's files were not found; build them with `cargo xtask ui` ({})",
        last.unwrap_or_default()
    )))
}

#[cfg(unix)]
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = signal(SignalKind::terminate());
    let interrupt = signal(SignalKind::interrupt());
    match (terminate, interrupt) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {},
                _ = interrupt.recv() => {},
            }
        }
        _ => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    drop(tokio::signal::ctrl_c().await);
}
