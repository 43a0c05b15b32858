//! Launching: engine, sockets, router and `runtime.json`, for the window and the command line.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::middleware;
use calseta_engine::{Clock, Engine, EngineConfig, KeyStore, Principal, Settings, StartError};
use http::{Request, Response};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::caller::App;
use crate::guard::{self, Names};
use crate::limits::{Limiters, Limits};
use crate::sessions::Sessions;
use crate::ui_files::UiFiles;
use crate::{listen, routes};

/// The port of the contract's examples.
const DEFAULT_PORT: u16 = 8000;
/// The last port tried when nothing was said.
const LAST_PORT: u16 = 8010;
/// Where a running process says how to reach it.
const RUNTIME_FILE: &str = "runtime.json";

/// Which port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortChoice {
    /// 8000, else the next free one up to 8010.
    Default,
    /// This one or none; 0 is any free one.
    Exactly(u16),
}

/// What to launch.
#[derive(Debug)]
pub struct LaunchConfig {
    /// The data directory.
    pub data_dir: PathBuf,
    /// The port.
    pub port: PortChoice,
    /// Answer enrichment from canned data.
    pub demo: bool,
    /// The UI for browsers.
    pub ui: Option<UiFiles>,
    /// Rate limits.
    pub limits: Limits,
    /// Where a new data directory's master key is to be kept.
    pub key_store: KeyStore,
}

/// Why nothing was launched.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The engine.
    #[error(transparent)]
    Start(#[from] StartError),
    /// No port.
    #[error(
        "port {port} on 127.0.0.1 and ::1: {source}; end the program that holds it or choose another port"
    )]
    Port {
        /// The (last) port tried.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// `runtime.json`.
    #[error("{path}: {source}")]
    Runtime {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The routes without sockets: requests are the analyst's.
#[derive(Debug, Clone)]
pub struct InProcess(Router);

impl InProcess {
    /// Answers a request of the window. The caller has checked that it comes from there.
    pub async fn call(&self, mut request: Request<Body>) -> Response<Body> {
        request.extensions_mut().insert(Principal::analyst());
        match self.0.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// A launched process.
#[derive(Debug)]
pub struct Running {
    /// The engine.
    pub engine: Engine,
    /// `http://127.0.0.1:PORT`.
    pub base_url: String,
    /// The link that opens the UI in a browser, when it is served.
    pub ui_url: Option<String>,
    /// Something a person should know.
    pub notice: Option<String>,
    /// The routes for the window.
    pub in_process: InProcess,
    stop: CancellationToken,
    listeners: TaskTracker,
    runtime_file: PathBuf,
}

impl Running {
    /// Stops taking requests, lets open ones end, stops the stages, closes the store.
    pub async fn stop(self) {
        self.stop.cancel();
        // Long polls end with the engine's own token.
        self.engine.stopping().cancel();
        self.listeners.close();
        self.listeners.wait().await;
        self.engine.stop().await;
        drop(std::fs::remove_file(&self.runtime_file));
    }
}

/// Opens the data directory, binds, serves, starts the stages.
pub async fn launch(config: LaunchConfig) -> Result<Running, LaunchError> {
    let engine = Engine::open(EngineConfig {
        data_dir: config.data_dir.clone(),
        demo: config.demo,
        clock: Clock::system(),
        key_store: config.key_store,
    })
    .await?;
    let (listeners, notice) = bind(config.port).await?;
    engine.ensure_first_key().await?;
    let port = listeners
        .first()
        .and_then(|l| l.local_addr().ok())
        .map_or(0, |a| a.port());
    let base_url = format!("http://127.0.0.1:{port}");
    engine.set_address(&base_url, vec![port]);
    let limiters = Arc::new(Limiters::new(config.limits));
    let app = App {
        engine: engine.clone(),
        sessions: Arc::new(Sessions::default()),
        limiters: Arc::clone(&limiters),
        notice: Arc::new(notice.clone()),
    };
    let ui_url = config
        .ui
        .is_some()
        .then(|| format!("{base_url}/#token={}", app.sessions.one_time_token()));
    let names = Names::loopback(port, config.ui.is_some());
    let routes = routes::router(app.clone(), config.ui);
    let guarded = routes
        .clone()
        .layer(middleware::from_fn_with_state(names.clone(), guard::guard))
        .layer(middleware::from_fn(guard::outermost));
    let in_process = InProcess(routes.layer(middleware::from_fn(guard::outermost)));
    let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
    follow_settings(&engine, &limiters, config.limits, &tracker);
    follow_names(&engine, &names, port, &tracker);
    for listener in listeners {
        tracker.spawn(listen::serve(listener, guarded.clone(), stop.clone()));
    }
    engine.run();
    let runtime_file = config.data_dir.join(RUNTIME_FILE);
    write_runtime(&runtime_file, &base_url, &app).map_err(|source| LaunchError::Runtime {
        path: runtime_file.clone(),
        source,
    })?;
    Ok(Running {
        engine,
        base_url,
        ui_url,
        notice,
        in_process,
        stop,
        listeners: tracker,
        runtime_file,
    })
}

/// The limits that the settings name.
fn limits_of(settings: &Settings) -> Limits {
    let number = |key| u32::try_from(settings.number("limits", key)).unwrap_or(0);
    Limits {
        ingest_per_minute: number("ingest_per_minute"),
        ingest_burst: number("ingest_burst"),
        other_per_minute: number("requests_per_minute"),
        enrichment_per_minute: number("enrichment_per_minute"),
        failed_auth_per_minute: number("failed_auth_per_minute"),
    }
}

/// Keeps the limits as the settings have them, unless they were switched off for this run.
fn follow_settings(
    engine: &Engine,
    limiters: &Arc<Limiters>,
    started_with: Limits,
    tasks: &TaskTracker,
) {
    if started_with == Limits::OFF {
        return;
    }
    limiters.apply(limits_of(&engine.settings()));
    let (mut changes, stop) = (engine.watch_settings(), engine.stopping());
    let limiters = Arc::clone(limiters);
    tasks.spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                changed = changes.changed() => if changed.is_err() { break },
            }
            let settings = Arc::clone(&changes.borrow_and_update());
            limiters.apply(limits_of(&settings));
        }
    });
}

/// Keeps the names that we are called by as the settings have them.
fn follow_names(engine: &Engine, names: &Names, port: u16, tasks: &TaskTracker) {
    let set = move |names: &Names, settings: &Settings| {
        let text = settings.text("network", "extra_hosts");
        names.set_extra(port, calseta_domain::settings::names(&text));
    };
    set(names, &engine.settings());
    let (mut changes, stop) = (engine.watch_settings(), engine.stopping());
    let names = names.clone();
    tasks.spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                changed = changes.changed() => if changed.is_err() { break },
            }
            let settings = Arc::clone(&changes.borrow_and_update());
            set(&names, &settings);
        }
    });
}

async fn bind(choice: PortChoice) -> Result<(Vec<TcpListener>, Option<String>), LaunchError> {
    let failed = |port, source| LaunchError::Port { port, source };
    match choice {
        PortChoice::Exactly(port) => {
            let listeners = listen::bind(port)
                .await
                .map_err(|source| failed(port, source))?;
            Ok((listeners, None))
        }
        PortChoice::Default => {
            let mut last = None;
            for port in DEFAULT_PORT..=LAST_PORT {
                match listen::bind(port).await {
                    Ok(listeners) => {
                        let notice = (port != DEFAULT_PORT).then(|| {
                            format!("port {DEFAULT_PORT} is taken by another program; listening on {port}")
                        });
                        return Ok((listeners, notice));
                    }
                    Err(source) => last = Some(failed(port, source)),
                }
            }
            Err(last.unwrap_or_else(|| {
                failed(
                    LAST_PORT,
                    std::io::Error::from(std::io::ErrorKind::AddrInUse),
                )
            }))
        }
    }
}

/// Says where we are, in a file that only this user can read; written aside and renamed, so that
/// nobody reads half of it.
fn write_runtime(path: &Path, base_url: &str, app: &App) -> std::io::Result<()> {
    use std::io::Write;
    let text = json!({
        "pid": std::process::id(),
        "base_url": base_url,
        "version": Engine::version(),
        "control_token": app.sessions.control_token(),
    });
    let temporary = path.with_extension("json.new");
    drop(std::fs::remove_file(&temporary));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&temporary)?;
    writeln!(file, "{text}")?;
    std::fs::rename(&temporary, path)
}
