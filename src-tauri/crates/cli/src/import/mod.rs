//! `calseta import`: bringing over what a Calseta v1.1.0 server holds.
//!
//! Everything is read and written through the two servers' APIs, because those are what both promise.
//! A run can be cut off and repeated: each thing is recognised here by what identifies it there, and
//! alerts and findings by an idempotency key made of their old ids.

mod alert;
mod alerts;
mod bring;
mod here;
mod ledger;
mod left_behind;
mod nouns;
mod report;
mod there;

use std::collections::BTreeMap;

use crate::arguments::{Import, ImportKind};
use crate::failure::Failure;
use crate::{output, running};

use here::Here;
use ledger::Ledger;
use report::Report;
use there::There;

/// One run.
struct Session {
    there: There,
    here: Here,
    report: Report,
    ledger: Ledger,
    options: Options,
    /// Our sources, with those made in this run: name to whether it could be made.
    sources: BTreeMap<String, bool>,
    /// How many of those this run made.
    new_sources: usize,
}

/// What the person asked for.
struct Options {
    dry_run: bool,
    allow_private: bool,
    tell_agents: bool,
}

/// What is brought over, in this order: an alert finds its rule and documents there already.
const ORDER: [ImportKind; 7] = [
    ImportKind::Rules,
    ImportKind::Documents,
    ImportKind::Providers,
    ImportKind::Extractions,
    ImportKind::Mappings,
    ImportKind::Agents,
    ImportKind::Alerts,
];

pub(crate) async fn run(arguments: Import) -> Result<(), Failure> {
    let dir = running::data_dir(&arguments.data)?;
    let client = running::client(&dir).await.ok_or_else(|| {
        Failure::failed(format!(
            "no console runs on {}; open the window or start `calseta serve --data-dir {}`, then import again",
            dir.display(),
            dir.display()
        ))
    })?;
    let there = There::new(&arguments.from, &arguments.key, &client.base())?;
    if let Some(warning) = there.warning() {
        output::say(&warning);
    }
    let mut session = Session {
        there,
        here: Here::new(client),
        report: Report::default(),
        ledger: Ledger::open(&dir)?,
        options: Options {
            dry_run: arguments.dry_run,
            allow_private: arguments.allow_private,
            tell_agents: arguments.tell_agents,
        },
        sources: BTreeMap::new(),
        new_sources: 0,
    };
    let wanted = |kind: &&ImportKind| arguments.only.is_empty() || arguments.only.contains(kind);
    session.greet().await?;
    for kind in ORDER.iter().filter(wanted) {
        session.import(*kind).await?;
    }
    let left = session.left_behind().await;
    session.report.summarise(session.options.dry_run, &left);
    session.report.result()
}

impl Session {
    /// Whom we talk to, and whether both sides take our word.
    async fn greet(&mut self) -> Result<(), Failure> {
        let version = self.there.greet().await?;
        output::say(&format!("reading {}{version}", self.there.base()));
        let sources = self.here.list("/v1/sources").await?;
        let names = sources.iter().filter_map(|s| s["source_name"].as_str());
        self.sources = names.map(|name| (name.to_owned(), true)).collect();
        Ok(())
    }

    /// One kind. What cannot be read is reported and the next kind tried; a refused key ends the run.
    async fn import(&mut self, kind: ImportKind) -> Result<(), Failure> {
        let done = match kind {
            ImportKind::Rules => self.bring(nouns::RULES).await,
            ImportKind::Documents => self.bring(nouns::DOCUMENTS).await,
            ImportKind::Providers => self.bring(nouns::PROVIDERS).await,
            ImportKind::Extractions => self.bring(nouns::EXTRACTIONS).await,
            ImportKind::Mappings => self.bring(nouns::MAPPINGS).await,
            ImportKind::Agents => self.bring(nouns::AGENTS).await,
            ImportKind::Alerts => self.alerts().await,
        };
        match done {
            Err(stop) if stop.is_refusal() => Err(stop),
            Err(failure) => {
                self.report.kind_failed(kind.noun(), &failure);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}
