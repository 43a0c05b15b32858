//! The command line's shape.

use std::path::PathBuf;

use calseta_engine::KeyStore;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::running;

// Not doc comments: help is plain text, and those are Markdown.
const DATA_DIR_HELP: &str =
    "The data directory [default: $XDG_DATA_HOME/calseta or ~/.local/share/calseta]";
const PORT_HELP: &str = "The port on 127.0.0.1 and ::1; 0 picks a free one \
    [default: 8000, else the next free up to 8010]";

const FROM_HELP: &str = "The server's base URL, for example https://calseta.example.org";

const URL_HELP: &str = "The API, for example http://127.0.0.1:8000";
const AFTER_HELP: &str = "JSON goes to stdout, one object a line; text goes to stderr.\n\
    Exit codes: 0 ok, 1 failed, 2 wrong call, 3 data directory in use, 4 refused.";

/// Calseta Console without a window: the backend and its command line.
#[derive(Debug, Parser)]
#[command(name = "calseta", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Errors as JSON on stderr.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the backend: the API on the loopback address, and the UI for a browser with --ui.
    Serve(Serve),
    /// Make, list and revoke API keys; replace the master key.
    Keys(Keys),
    /// Post alerts from a file or standard input, as JSON or one JSON document a line.
    Ingest(Ingest),
    /// Bring over what a Calseta v1.1.0 server holds, into the console that runs here. Can be repeated.
    Import(Import),
    /// Check that the event log is what was written: its chain, and the anchors outside the database.
    Verify(Verify),
    /// Make a whole copy of the data directory's database, while an app runs on it or not.
    Backup(Backup),
    /// Put a backup in place. No app may run on the data directory; what is there is kept aside.
    Restore(Restore),
    /// Read what can be read of a damaged data directory into a new one. The damaged one stays as it is.
    Recover(Recover),
    /// Run a small deterministic agent: it checks the signature, derives a finding from the
    /// payload, posts it and moves the alert to Triaging.
    SampleAgent(SampleAgent),
}

/// Where the data is.
#[derive(Debug, Args)]
pub(crate) struct DataDir {
    #[arg(long, value_name = "DIR", help = DATA_DIR_HELP)]
    pub(crate) data_dir: Option<PathBuf>,
}

/// `calseta serve`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) data: DataDir,
    #[arg(long, value_name = "N", help = PORT_HELP)]
    pub(crate) port: Option<u16>,
    /// Serve the UI too and print the link that opens it.
    #[arg(long)]
    pub(crate) ui: bool,
    /// Answer enrichment from canned data. Every such answer is marked as demo.
    #[arg(long)]
    pub(crate) demo: bool,
    /// Where a new data directory's master key is kept: auto (the keychain when it answers, else a
    /// file), file or keychain. An existing key stays where it is.
    #[arg(long, env = running::KEY_STORE, value_name = "PLACE", default_value = "auto")]
    pub(crate) key_store: KeyStore,
    /// Switch the rate limits off, for benchmarks and fault tests.
    #[arg(long)]
    pub(crate) no_limits: bool,
}

/// `calseta keys`.
#[derive(Debug, Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

/// `calseta keys …`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key and print it, once.
    Create(KeysCreate),
    /// List the keys that work, one line each; the keys themselves are shown nowhere.
    List(KeysList),
    /// Revoke a key at once.
    Revoke(KeysRevoke),
    /// Replace the master key and seal every stored secret again with the new one. API keys stay.
    RotateMaster(KeysRotateMaster),
}

/// `calseta keys rotate-master`.
#[derive(Debug, Args)]
pub(crate) struct KeysRotateMaster {
    #[command(flatten)]
    pub(crate) data: DataDir,
}

/// `calseta verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) data: DataDir,
}

/// `calseta backup`.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(crate) data: DataDir,
    /// Where to make it, in a new directory of its own [default: backups in the data directory].
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
}

/// `calseta restore`.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    #[command(flatten)]
    pub(crate) data: DataDir,
    /// The backup: its directory, or a database file alone.
    #[arg(value_name = "BACKUP")]
    pub(crate) backup: PathBuf,
    /// Put it in the place of a database that is there, which is kept aside.
    #[arg(long)]
    pub(crate) replace: bool,
}

/// `calseta recover`.
#[derive(Debug, Args)]
pub(crate) struct Recover {
    #[command(flatten)]
    pub(crate) data: DataDir,
    /// A new data directory for what can be read.
    #[arg(long, value_name = "DIR")]
    pub(crate) into: PathBuf,
}

/// `calseta keys list`.
#[derive(Debug, Args)]
pub(crate) struct KeysList {
    #[command(flatten)]
    pub(crate) data: DataDir,
}

/// `calseta keys revoke`.
#[derive(Debug, Args)]
pub(crate) struct KeysRevoke {
    #[command(flatten)]
    pub(crate) data: DataDir,
    /// The key's uuid, or its first characters as the list shows them.
    #[arg(value_name = "UUID|PREFIX")]
    pub(crate) key: String,
}

/// `calseta keys create`.
#[derive(Debug, Args)]
pub(crate) struct KeysCreate {
    #[command(flatten)]
    pub(crate) data: DataDir,
    /// A name to recognise it by.
    #[arg(long)]
    pub(crate) name: String,
    /// Comma-separated scopes, for example alerts:read,alerts:write.
    #[arg(long, value_delimiter = ',', required = true, value_name = "SCOPE,…")]
    pub(crate) scopes: Vec<String>,
    /// human or agent.
    #[arg(long = "type", value_name = "TYPE", default_value = "human")]
    pub(crate) key_type: String,
    /// When it stops working, for example 2027-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) expires_at: Option<calseta_domain::Timestamp>,
    /// Sources it may ingest to, comma-separated; all when left out.
    #[arg(long, value_delimiter = ',', value_name = "SOURCE,…")]
    pub(crate) sources: Vec<String>,
    /// The agent whose key it is.
    #[arg(long, value_name = "UUID")]
    pub(crate) agent: Option<calseta_domain::AgentId>,
}

/// `calseta ingest`.
#[derive(Debug, Args)]
pub(crate) struct Ingest {
    #[command(flatten)]
    pub(crate) data: DataDir,
    /// Whose payloads these are: sentinel, elastic, splunk, generic, or a source of your own.
    #[arg(long)]
    pub(crate) source: String,
    /// A file, or - for standard input.
    pub(crate) file: PathBuf,
}

/// `calseta import`.
#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) data: DataDir,
    #[arg(long, value_name = "URL", help = FROM_HELP)]
    pub(crate) from: String,
    /// An API key of that server with the scope admin.
    #[arg(long, env = "CALSETA_IMPORT_KEY", hide_env_values = true)]
    pub(crate) key: String,
    /// Only these, comma-separated; all when left out.
    #[arg(long, value_delimiter = ',', value_enum, value_name = "KIND,…")]
    pub(crate) only: Vec<ImportKind>,
    /// Read everything, write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Allow agents and providers whose address is on the local network.
    #[arg(long)]
    pub(crate) allow_private: bool,
    /// Import alerts although agents are on here: each is sent every imported alert.
    #[arg(long)]
    pub(crate) tell_agents: bool,
}

/// What `calseta import` brings over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportKind {
    /// Detection rules.
    Rules,
    /// Context documents, without earlier versions.
    Documents,
    /// Own enrichment providers, without credentials.
    Providers,
    /// Own field extractions.
    Extractions,
    /// Own indicator field mappings.
    Mappings,
    /// Agents, switched off and without secrets.
    Agents,
    /// Alerts with their findings.
    Alerts,
}

impl ImportKind {
    /// One of them, as the report calls it.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Rules => "rule",
            Self::Documents => "document",
            Self::Providers => "provider",
            Self::Extractions => "extraction",
            Self::Mappings => "mapping",
            Self::Agents => "agent",
            Self::Alerts => "alert",
        }
    }
}

/// `calseta sample-agent`.
#[derive(Debug, Args)]
pub(crate) struct SampleAgent {
    #[arg(long, help = URL_HELP)]
    pub(crate) url: String,
    /// An API key: the agent's own, or with --register a human admin key.
    #[arg(long, env = "CALSETA_KEY", hide_env_values = true)]
    pub(crate) key: String,
    /// Make the agent and its key first.
    #[arg(long)]
    pub(crate) register: bool,
    /// The agent's signing secret, when it is registered already.
    #[arg(
        long,
        env = "CALSETA_SIGNING_SECRET",
        hide_env_values = true,
        value_name = "whsec_…"
    )]
    pub(crate) signing_secret: Option<String>,
    /// The port to listen on; 0 picks a free one.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// The agent's name.
    #[arg(long, default_value = "Sample agent")]
    pub(crate) name: String,
}
