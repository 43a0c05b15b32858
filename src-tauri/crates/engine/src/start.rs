//! Starting and stopping the engine: data directory, seeds, first key, stages.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use calseta_domain::{Filter, Mapping, Plugin, Scope};
use calseta_egress::{Client, ClientConfig, DecisionLog};
use calseta_store::tables::delivery::Lease;
use calseta_store::tables::{api_key, idempotency, mapping, source, view};
use calseta_store::{DataDir, OpenError, Store, StoreError, WriteTx};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use crate::clock::{Clock, Ids};
use crate::failed_auth::Refusals;
use crate::idempotency::KEPT_MS;
use crate::key_cache::KeyCache;
use crate::providers::ProviderSet;
use crate::settings::Settings;
use crate::sources::{self, Sources};
use crate::suppressions::ParsedQueries;
use crate::vault::{self, KeyStore, Vault};
use crate::{anchors, api_keys, catalog, convert, egress_log, outbound, quarantine, stage};

/// How long a stop waits for what is in flight; what is not done then is done after the next start.
const STOP_WAIT: Duration = Duration::from_secs(10);

/// What an engine is started with.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The data directory; made when missing.
    pub data_dir: PathBuf,
    /// Answer enrichment from canned data, marked as such.
    pub demo: bool,
    /// What time it is.
    pub clock: Clock,
    /// Where a new data directory's master key is to be kept.
    pub key_store: KeyStore,
}

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory or its database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The master key.
    #[error("{path}: {reason}")]
    Key {
        /// The data directory.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The event log could not be read to verify it.
    #[error("verifying the event log: {0}")]
    Verify(String),
    /// The seeds could not be stored.
    #[error("preparing the database: {0}")]
    Seed(#[from] StoreError),
    /// The outbound client.
    #[error("the outbound client: {0}")]
    Egress(String),
    /// A built-in provider's definition, which is part of the program.
    #[error("the built-in catalogue: {0}")]
    Catalogue(String),
}

/// The first admin key, kept in memory until somebody was shown it.
pub type FirstKey = Zeroizing<String>;

/// The running engine. Clones share it.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) vault: Vault,
    pub(crate) egress: Client,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) demo: bool,
    pub(crate) base_url: RwLock<String>,
    pub(crate) mappings: RwLock<Arc<Vec<Mapping>>>,
    pub(crate) providers: RwLock<Arc<ProviderSet>>,
    pub(crate) sources: RwLock<Arc<Sources>>,
    /// Documents' targeting and agents' filters, parsed once per text.
    pub(crate) filters: Mutex<HashMap<String, Arc<Filter>>>,
    pub(crate) settings: tokio::sync::watch::Sender<Arc<Settings>>,
    pub(crate) keys: KeyCache,
    pub(crate) first_key: Mutex<Option<FirstKey>>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) deliveries: stage::deliver::InFlight,
    /// A provider's slot was freed.
    pub(crate) enrich_freed: tokio::sync::Notify,
    /// Something that ends by the clock was changed.
    pub(crate) clock_changed: tokio::sync::Notify,
    /// Queries of suppressions.
    pub(crate) suppressing: ParsedQueries,
    pub(crate) anchored: tokio::sync::Mutex<anchors::Anchored>,
    pub(crate) refusals: Refusals,
    /// Outgoing requests that are not noted yet.
    pub(crate) egress_waiting: Arc<egress_log::Waiting>,
    /// One removal of what is too old at a time.
    pub(crate) removing: tokio::sync::Mutex<()>,
    /// Somebody asked to delete all alerts.
    pub(crate) retention_asked: tokio::sync::Notify,
    /// The write-ahead log is over its bound.
    pub(crate) log_over: std::sync::atomic::AtomicBool,
    /// One backup at a time.
    pub(crate) backing_up: tokio::sync::Mutex<()>,
    /// Places for conversions of uploads.
    pub(crate) converting: Arc<tokio::sync::Semaphore>,
}

impl Engine {
    /// Opens the data directory and seeds it. No stage runs before [`Engine::run`].
    pub async fn open(config: EngineConfig) -> Result<Self, StartError> {
        let dir = DataDir::take(&config.data_dir)?;
        let vault = Vault::open(dir.path(), config.key_store, config.clock.now())
            .await
            .map_err(|error| StartError::Key {
                path: config.data_dir.clone(),
                reason: error.to_string(),
            })?;
        let store = Store::open(dir, config.clock.now())?;
        seed(&store, &config.clock).await?;
        let mappings = store.read(|tx| mapping::active(tx)).await?;
        let (demo, now) = (config.demo, config.clock.now());
        let provider_set = store
            .read(move |tx| ProviderSet::load(tx, demo, now))
            .await
            .map_err(|problem| StartError::Catalogue(problem.message))?;
        let sources = sources::load(&store).await?;
        let settings = Settings::load(&store).await?;
        let egress_waiting = Arc::new(egress_log::Waiting::new(config.clock.clone()));
        let egress = outbound_client(&settings, &egress_waiting)?;
        let inner = Inner {
            store,
            vault,
            egress,
            clock: config.clock,
            ids: Ids,
            demo: config.demo,
            base_url: RwLock::new(String::new()),
            mappings: RwLock::new(Arc::new(mappings)),
            providers: RwLock::new(Arc::new(provider_set)),
            sources: RwLock::new(Arc::new(sources)),
            settings: tokio::sync::watch::Sender::new(Arc::new(settings)),
            filters: Mutex::new(HashMap::new()),
            keys: KeyCache::default(),
            first_key: Mutex::new(None),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            deliveries: stage::deliver::InFlight::default(),
            enrich_freed: tokio::sync::Notify::new(),
            clock_changed: tokio::sync::Notify::new(),
            suppressing: ParsedQueries::default(),
            anchored: tokio::sync::Mutex::default(),
            refusals: Refusals::default(),
            egress_waiting,
            removing: tokio::sync::Mutex::default(),
            retention_asked: tokio::sync::Notify::new(),
            log_over: std::sync::atomic::AtomicBool::new(false),
            backing_up: tokio::sync::Mutex::default(),
            converting: Arc::new(tokio::sync::Semaphore::new(convert::TOGETHER)),
        };
        let inner = Arc::new(inner);
        take_stock(&inner).await;
        Ok(Self { inner })
    }

    /// Says where the API listens: agents are told, and nothing may be sent there from here.
    pub fn set_address(&self, base_url: &str, own_ports: Vec<u16>) {
        base_url.clone_into(
            &mut self
                .inner
                .base_url
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
        self.inner.egress.set_own_ports(own_ports);
    }

    /// Where the API listens.
    pub fn base_url(&self) -> String {
        self.inner
            .base_url
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Makes the first admin key when there is no key at all. Only an app that is about to show it
    /// may ask for it: a key that nobody was shown would lock the person out.
    pub async fn ensure_first_key(&self) -> Result<(), StartError> {
        let now = self.inner.clock.now();
        let made = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                if api_key::any(tx)? {
                    return Ok(None);
                }
                let (row, key) = api_keys::mint("First admin key", &[Scope::Admin], now);
                api_key::insert(tx, &row)?;
                Ok::<_, StoreError>(Some(key))
            })
            .await?;
        if made.is_some() {
            *self
                .inner
                .first_key
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = made;
        }
        Ok(())
    }

    /// Starts the stages.
    pub fn run(&self) {
        stage::run(&Arc::clone(&self.inner));
    }

    /// Stops the stages, waits for what is in flight and closes the store. What could not end in
    /// time is taken up again after the next start.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        if tokio::time::timeout(STOP_WAIT, self.inner.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("some work did not end in time; it goes on after the next start");
        }
        // The log up to here is vouched for; a failure is in the log, and the next start anchors.
        drop(anchors::cast(&self.inner).await);
        drop(egress_log::write(&self.inner).await);
        self.inner.store.close(self.inner.clock.now()).await;
    }

    /// Resolves when the engine is told to stop: long polls and streams end then.
    pub fn stopping(&self) -> CancellationToken {
        self.inner.stop.clone()
    }

    /// The first admin key, once; `None` when there was none to show or somebody took it.
    pub fn take_first_key(&self) -> Option<FirstKey> {
        self.inner
            .first_key
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// The first admin key for a script that starts a process whose window will show it too.
    pub fn first_key(&self) -> Option<FirstKey> {
        self.inner
            .first_key
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether the first admin key waits to be shown.
    pub fn first_key_waiting(&self) -> bool {
        self.inner
            .first_key
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// Whether enrichment answers from canned data.
    pub fn is_demo(&self) -> bool {
        self.inner.demo
    }

    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        self.inner.store.dir().path()
    }

    /// The product's version.
    pub fn version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// What time it is.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }
}

impl Inner {
    /// Resolves when a lookup may be due or a slot was freed.
    pub(crate) async fn enrich_wake(&self) {
        tokio::select! {
            () = self.store.lookup_wake() => {},
            () = self.enrich_freed.notified() => {},
        }
    }

    /// A lease of so long for what this process takes in hand now.
    pub(crate) fn lease(&self, long: Duration) -> Lease {
        let ms = i64::try_from(long.as_millis()).unwrap_or(i64::MAX);
        Lease {
            boot: self.store.boot(),
            until_awake_ms: self.clock.awake_millis().saturating_add(ms),
        }
    }

    /// Known source names, sorted.
    pub(crate) fn source_names(&self) -> Vec<String> {
        let sources = Arc::clone(&self.sources.read().unwrap_or_else(PoisonError::into_inner));
        let mut names: Vec<_> = sources.keys().cloned().collect();
        names.sort();
        names
    }
}

/// Looks at what an earlier process left; what fails here is tried again by the next start.
async fn take_stock(inner: &Arc<Inner>) {
    if let Err(problem) = quarantine::note_new(inner).await {
        tracing::error!(
            error = problem.message,
            "jobs in quarantine are not shown yet"
        );
    }
    if let Err(problem) = vault::resume(inner).await {
        tracing::error!(
            error = problem.message,
            "a rotation of the master key is not finished; the next start tries again"
        );
    }
}

/// The outbound client under the rules of the settings; what it decides is noted.
fn outbound_client(
    settings: &Settings,
    waiting: &Arc<egress_log::Waiting>,
) -> Result<Client, StartError> {
    let client = Client::new(ClientConfig {
        user_agent: format!("Calseta-Console/{}", env!("CARGO_PKG_VERSION")),
        own_ports: Vec::new(),
    })
    .map_err(|error| StartError::Egress(error.to_string()))?;
    client.note_decisions(Arc::clone(waiting) as Arc<dyn DecisionLog>);
    client.set_rules(outbound::rules_at_start(settings));
    Ok(client)
}

/// Stores what every data directory has. Idempotent.
async fn seed(store: &Store, clock: &Clock) -> Result<(), StartError> {
    let entries = catalog::providers().map_err(StartError::Catalogue)?;
    let now = clock.now();
    store
        .write(move |tx: &WriteTx<'_>| {
            idempotency::purge(tx, now.plus_millis(-KEPT_MS))?;
            for plugin in Plugin::ALL {
                source::ensure(tx, Ids.next(), plugin.as_str(), *plugin, now)?;
            }
            for mapping in calseta_domain::extract::system_mappings() {
                mapping::ensure_system(tx, Ids.next(), &mapping, now)?;
            }
            for entry in &entries {
                entry.store(tx, now)?;
            }
            view::seed(tx, || Ids.next(), now)?;
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(())
}
