//! All providers as they are now, parsed once per change and shared by everybody who asks them.

use std::collections::HashMap;
use std::sync::Arc;

use calseta_domain::{ExtractionRule, Indicator, Timestamp};
use calseta_store::tables::{Reads, extraction, provider, provider_usage, secret};

use super::Provider;
use super::definition::secret_owner;
use super::quota;
use crate::Problem;
use crate::start::Inner;

/// All providers as they are now.
#[derive(Debug, Default)]
pub(crate) struct ProviderSet {
    by_row: HashMap<i64, Arc<Provider>>,
    order: Vec<i64>,
}

impl ProviderSet {
    /// Reads them all. One that cannot be read is left out and logged: it must not keep the others
    /// from answering.
    pub(crate) fn load(tx: &impl Reads, demo: bool, now: Timestamp) -> Result<Self, Problem> {
        let mut rules: HashMap<i64, Vec<ExtractionRule>> = HashMap::new();
        for row in extraction::all(tx)? {
            if row.is_active {
                rules.entry(row.provider).or_default().push(ExtractionRule {
                    indicator_type: row.indicator_type,
                    source_path: row.source_path,
                    target_key: row.target_key,
                    value_type: row.value_type,
                });
            }
        }
        let today = quota::day(now);
        let used: HashMap<_, _> = provider_usage::all_of_day(tx, today)?.into_iter().collect();
        let mut set = Self::default();
        for mut row in provider::all(tx)? {
            // Demo answers everything from canned data; what a person switched off stays off.
            if demo && row.mode == "live" {
                "mock".clone_into(&mut row.mode);
            }
            let id = row.id;
            let fields = secret::fields(tx, &secret_owner(row.uuid))?;
            let (name, blocked_until) = (row.name.clone(), row.blocked_until);
            match Provider::parse(row, rules.remove(&id).unwrap_or_default(), fields) {
                Ok(provider) => {
                    let so_far = used.get(&id).copied().unwrap_or(0);
                    provider.usage.continue_day(today, so_far);
                    if let Some(until) = blocked_until {
                        provider.usage.block_until(until);
                    }
                    set.order.push(id);
                    set.by_row.insert(id, Arc::new(provider));
                }
                Err(errors) => {
                    tracing::error!(provider.name = name, errors = ?errors, "a provider cannot be read");
                }
            }
        }
        Ok(set)
    }

    /// Takes over what an earlier set is in the middle of: requests that are under way keep
    /// counting, what was asked stays asked, and a good token stays good.
    pub(crate) fn continuing(mut self, earlier: &Self) -> Self {
        for (row, provider) in &mut self.by_row {
            let (Some(known), Some(provider)) = (earlier.by_row.get(row), Arc::get_mut(provider))
            else {
                continue;
            };
            if known.max_in_flight == provider.max_in_flight {
                provider.slots = Arc::clone(&known.slots);
            }
            provider.usage = Arc::clone(&known.usage);
            provider.tokens = Arc::clone(&known.tokens);
            if known.row.updated_at == provider.row.updated_at {
                provider.known = Arc::clone(&known.known);
            }
        }
        self
    }

    pub(crate) fn name(&self, row: i64) -> Option<String> {
        self.by_row
            .get(&row)
            .map(|provider| provider.row.name.clone())
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.order.iter().filter_map(|row| self.by_row.get(row))
    }

    pub(crate) fn find(&self, is_it: impl Fn(&Provider) -> bool) -> Option<&Arc<Provider>> {
        self.all().find(|provider| is_it(provider))
    }

    /// The rows of the providers that are to be asked about an indicator.
    pub(crate) fn applicable<'a>(
        &'a self,
        indicator: &'a Indicator,
    ) -> impl Iterator<Item = i64> + 'a {
        let enrichable =
            calseta_domain::indicator::enrichable(indicator.kind, &indicator.value).is_ok();
        self.all()
            .filter(move |provider| enrichable && provider.answers(indicator.kind))
            .map(|provider| provider.row.id)
    }
}

impl Inner {
    /// The providers as they are now.
    pub(crate) fn provider_set(&self) -> Arc<ProviderSet> {
        let set = self.providers.read();
        Arc::clone(&set.unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Reads the providers again, after one changed.
    pub(crate) async fn reload_providers(&self) -> Result<(), Problem> {
        let (demo, now) = (self.demo, self.clock.now());
        let set = self
            .store
            .read(move |tx| ProviderSet::load(tx, demo, now))
            .await?;
        let mut current = self
            .providers
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *current = Arc::new(set.continuing(&current));
        // Lookups that waited for a credential or an address may be due now.
        self.enrich_freed.notify_one();
        Ok(())
    }
}
