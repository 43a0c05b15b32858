//! What a bulk change would do, in words, before it is done: a trial run over the same rows with
//! the same rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use calseta_contract::change::{BulkView, Skipped};
use calseta_domain::query::{self, Sample};
use calseta_domain::{AlertStatus, EnrichmentStatus, Indicator, IndicatorType, SuppressionId};
use calseta_store::tables::alert::{AlertRow, DeliveryState};
use calseta_store::tables::suppression::SuppressionRow;
use calseta_store::tables::{Reads, agent, alert_list, enrichment, indicator};

use super::action::Action;
use super::{EDITED_TOGETHER, Tally, already, refusal, rows_of};
use crate::start::Inner;
use crate::suppressions;
use crate::triage::edit;
use crate::triage::record::Recorder;
use crate::{Engine, Principal, Problem, dispatch};

/// Indicators of an alert that are looked at for what alerts share.
const SHARED_OF: u32 = 50;
/// Characters of a title that a suppression's name shows.
const NAME_CHARS: usize = 80;
/// Days that the preview of a suppression looks back.
const PREVIEW_DAYS: u32 = 30;

/// What a trial run counts.
#[derive(Debug, Default)]
struct Figures {
    /// Alerts that would change, by the status they have.
    statuses: BTreeMap<AlertStatus, u64>,
    /// Of these, those whose enrichment is under way.
    enriching: u64,
    /// Of these, those that an agent is being told of.
    telling: u64,
    /// Lookups that would be made: indicator and provider.
    lookups: BTreeSet<(i64, i64)>,
    /// Those that are answered already.
    cached: BTreeSet<(i64, i64)>,
    /// Deliveries by agent.
    deliveries: BTreeMap<String, u64>,
}

impl Figures {
    fn add(&mut self, part: Self) {
        for (status, count) in part.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        for (agent, count) in part.deliveries {
            *self.deliveries.entry(agent).or_default() += count;
        }
        self.enriching += part.enriching;
        self.telling += part.telling;
        self.lookups.extend(part.lookups);
        self.cached.extend(part.cached);
    }
}

impl Engine {
    /// What a bulk change would do.
    pub(super) async fn rehearse(
        &self,
        by: &Principal,
        action: Action,
        rows: Vec<i64>,
        mut tally: Tally,
    ) -> Result<BulkView, Problem> {
        let (action, mut figures) = (Arc::new(action), Figures::default());
        for chunk in rows.chunks(EDITED_TOGETHER) {
            let rehearsal = Rehearsal {
                inner: Arc::clone(&self.inner),
                recorder: self.recorder(by, action.kind()),
                action: Arc::clone(&action),
            };
            let chunk = chunk.to_vec();
            let (part, counted) = self
                .inner
                .store
                .read(move |tx| rehearsal.on_rows(tx, &chunk))
                .await?;
            tally.add(part);
            figures.add(counted);
        }
        let consequences = match &*action {
            Action::Suppress { .. } => self.suppressed(Arc::clone(&action), rows).await?,
            Action::Enrich => lookups(&self.inner, &figures),
            Action::Dispatch(_) => deliveries(&figures),
            other => sentences(other, &figures, tally.changed),
        };
        Ok(BulkView {
            change_uuid: None,
            changed: tally.changed,
            skipped: tally.skipped,
            skipped_count: tally.skipped_count,
            consequences,
            undo_until: None,
        })
    }

    async fn suppressed(
        &self,
        action: Arc<Action>,
        rows: Vec<i64>,
    ) -> Result<Vec<String>, Problem> {
        let (now, uuid) = (self.inner.clock.now(), self.inner.ids.next());
        self.inner
            .store
            .read(move |tx| {
                let row = like_these(tx, &action, &rows, uuid)?;
                let query = suppressions::readable(&row.q, now)?;
                let seen = suppressions::preview(tx, &query, now, PREVIEW_DAYS)?;
                let positives = match seen.true_positives {
                    0 => String::new(),
                    some => format!("; {some} of them were closed as true positives"),
                };
                Ok::<_, Problem>(vec![
                    format!("Hides alerts that match {} until {}.", row.q, row.expires_at),
                    format!(
                        "Would have hidden {} of {} alerts of the last {PREVIEW_DAYS} days{positives}.",
                        seen.matched, seen.of
                    ),
                ])
            })
            .await
    }
}

/// What a trial run over some rows needs.
struct Rehearsal {
    inner: Arc<Inner>,
    recorder: Recorder,
    action: Arc<Action>,
}

impl Rehearsal {
    fn on_rows(&self, tx: &impl Reads, rows: &[i64]) -> Result<(Tally, Figures), Problem> {
        let (mut tally, mut figures) = (Tally::default(), Figures::default());
        let agents = match *self.action {
            Action::Dispatch(_) => agent::all(tx)?,
            _ => Vec::new(),
        };
        for row in rows_of(tx, rows)? {
            let reason = match &*self.action {
                Action::Edit { kind, edit, .. } => match refusal(kind, edit, &row, &self.recorder)?
                {
                    None => {
                        let recorder = &self.recorder;
                        let after = edit.apply(&row, recorder.by_agent, recorder.change.at)?;
                        let is_same = edit::differences(&row, &after).is_empty()
                            && after.is_unread == row.is_unread;
                        is_same.then(|| already(kind, &row))
                    }
                    refused => refused,
                },
                Action::Dispatch(one) => {
                    let told = dispatch::wanted_agents(&self.inner, &row, (*one, &agents));
                    for agent in &told {
                        *figures.deliveries.entry(agent.name.clone()).or_default() += 1;
                    }
                    let nobody = "no agent's filter matches it";
                    told.is_empty().then(|| nobody.to_owned())
                }
                Action::Enrich => {
                    self.count_lookups(tx, &row, &mut figures)?;
                    None
                }
                Action::Suppress { .. } => row
                    .suppressed_by
                    .map(|_| "another suppression hides it already".to_owned()),
                Action::Note(_) | Action::Delete => None,
            };
            if let Some(reason) = reason {
                let uuid = row.uuid;
                tally.skip(Skipped { uuid, reason });
                continue;
            }
            tally.changed += 1;
            *figures.statuses.entry(row.status).or_default() += 1;
            figures.enriching += u64::from(row.enrichment_status == EnrichmentStatus::Pending);
            figures.telling += u64::from(row.delivery_state == Some(DeliveryState::Running));
        }
        Ok((tally, figures))
    }

    fn count_lookups(
        &self,
        tx: &impl Reads,
        row: &AlertRow,
        figures: &mut Figures,
    ) -> Result<(), Problem> {
        let providers = self.inner.provider_set();
        for found in indicator::of_alert(tx, row.id)? {
            let asked = Indicator {
                kind: found.kind,
                value: found.value,
            };
            for provider in providers.applicable(&asked) {
                let at = self.recorder.change.at;
                let pairs = if enrichment::is_fresh(tx, found.id, provider, at)? {
                    &mut figures.cached
                } else {
                    &mut figures.lookups
                };
                pairs.insert((found.id, provider));
            }
        }
        Ok(())
    }
}

/// The suppression that hides alerts like some alerts.
pub(super) fn like_these(
    tx: &impl Reads,
    action: &Action,
    rows: &[i64],
    uuid: SuppressionId,
) -> Result<SuppressionRow, Problem> {
    let Action::Suppress { expires_at, reason } = action else {
        return Err(Problem::field("action.kind", "must be suppress"));
    };
    let alerts = rows_of(tx, rows)?;
    let found = alert_list::key_indicators(tx, rows, SHARED_OF)?;
    let values: Vec<Vec<(IndicatorType, &str)>> = alerts
        .iter()
        .map(|row| {
            let own = found.iter().filter(|indicator| indicator.alert == row.id);
            own.map(|indicator| (indicator.kind, indicator.value.as_str()))
                .collect()
        })
        .collect();
    let samples: Vec<Sample<'_>> = alerts
        .iter()
        .zip(&values)
        .map(|(row, indicators)| Sample {
            rule: row.rule_name.as_deref(),
            title: &row.title,
            indicators,
        })
        .collect();
    let alike = query::like(&samples).ok_or_else(|| {
        let message = "have neither a rule nor a title in common; select alerts that are alike";
        Problem::field("select", message)
    })?;
    let title = alerts.first().map_or("", |row| row.title.as_str());
    let title: String = title.chars().take(NAME_CHARS).collect();
    Ok(SuppressionRow {
        id: 0,
        uuid,
        name: format!("Like {title}"),
        q: alike.to_string(),
        reason: reason.clone(),
        expires_at: *expires_at,
        hidden_count: 0,
        created_by: String::new(),
        created_at: *expires_at,
        updated_at: *expires_at,
    })
}

/// What to know after a bulk change.
pub(super) fn done(action: &Action, changed: u64) -> Vec<String> {
    if changed == 0 || action.can_be_undone() {
        return Vec::new();
    }
    vec!["This cannot be undone.".to_owned()]
}

fn alerts(count: u64) -> String {
    if count == 1 {
        "1 alert".to_owned()
    } else {
        format!("{count} alerts")
    }
}

fn sentences(action: &Action, figures: &Figures, changed: u64) -> Vec<String> {
    if changed == 0 {
        return vec!["Nothing would change.".to_owned()];
    }
    let mut said = Vec::new();
    let statuses: Vec<String> = figures
        .statuses
        .iter()
        .map(|(status, count)| format!("{count} {status}"))
        .collect();
    let verb = match action {
        Action::Delete => "Deletes",
        _ => "Changes",
    };
    said.push(format!(
        "{verb} {}: {}.",
        alerts(changed),
        statuses.join(", ")
    ));
    let ends = matches!(action, Action::Delete)
        || matches!(action, Action::Edit { edit, .. } if edit.status == Some(AlertStatus::Closed));
    if ends && figures.telling > 0 {
        said.push(format!(
            "{} of them wait for an agent that is being told.",
            figures.telling
        ));
    }
    if ends && figures.enriching > 0 {
        said.push(format!("{} of them are still enriched.", figures.enriching));
    }
    if let Action::Edit { edit, .. } = action
        && let calseta_contract::Patch::Set(until) = edit.snoozed_until
    {
        said.push(format!("They come back at {until}."));
    }
    if !action.can_be_undone() {
        said.push("This cannot be undone.".to_owned());
    }
    said
}

/// Lookups by provider, with how long its quota makes them take.
fn lookups(inner: &Inner, figures: &Figures) -> Vec<String> {
    let mut by_provider: BTreeMap<i64, u64> = BTreeMap::new();
    for (_, provider) in &figures.lookups {
        *by_provider.entry(*provider).or_default() += 1;
    }
    let (asked, cached) = (figures.lookups.len(), figures.cached.len());
    let mut said = vec![format!(
        "Makes {asked} lookups; {cached} are answered from the cache."
    )];
    let providers = inner.provider_set();
    for provider in providers.all() {
        let Some(count) = by_provider.get(&provider.row.id) else {
            continue;
        };
        let name = &provider.row.display_name;
        let time = provider.quota.per_minute.filter(|most| *most > 0);
        let time = time.map_or_else(String::new, |most| {
            let minutes = count.div_ceil(u64::from(most));
            format!(", about {minutes} min at {most} a minute")
        });
        let day = provider.quota.per_day.map(u64::from);
        let day = day
            .filter(|most| most < count)
            .map_or_else(String::new, |most| {
                format!("; only {most} a day are allowed, the rest waits")
            });
        said.push(format!("{name}: {count} lookups{time}{day}."));
    }
    said.push("This cannot be undone.".to_owned());
    said
}

fn deliveries(figures: &Figures) -> Vec<String> {
    let all: u64 = figures.deliveries.values().sum();
    if all == 0 {
        return vec!["Nothing would be sent.".to_owned()];
    }
    let mut said = vec![format!("Makes {all} deliveries, as the alerts are now.")];
    for (agent, count) in &figures.deliveries {
        said.push(format!("{agent} is sent {}.", alerts(*count)));
    }
    said.push("This cannot be undone.".to_owned());
    said
}
