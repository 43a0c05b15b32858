//! What became of each thing: a line of JSON each, and a summary for the person.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::output;

/// What became of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// It is here now.
    Imported,
    /// It was here before.
    AlreadyThere,
    /// It was left out on purpose.
    Skipped,
    /// It did not come, or not whole.
    Failed,
}

/// A line on stdout.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    pub(super) outcome: Outcome,
    /// Why it did not come, or what is different from there.
    pub(super) why: Option<String>,
    /// Its id there.
    pub(super) their_uuid: Option<&'a str>,
    /// Its id here.
    pub(super) uuid: Option<&'a str>,
    /// What could not be kept, for example when an alert first came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) original: Option<Value>,
}

/// The run so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// By kind, in the order of the run.
    counts: BTreeMap<(usize, String), BTreeMap<Outcome, u64>>,
    /// What a person has to do or know, each said once.
    notes: BTreeMap<String, u64>,
}

impl Report {
    /// Tells of one thing.
    pub(super) fn tell(&mut self, line: &Line<'_>) {
        *self.counts_of(line.kind).entry(line.outcome).or_default() += 1;
        output::line(&serde_json::json!(line));
    }

    fn counts_of(&mut self, kind: &str) -> &mut BTreeMap<Outcome, u64> {
        let known = self.counts.keys().find(|(_, name)| name == kind).cloned();
        let key = known.unwrap_or_else(|| (self.counts.len(), kind.to_owned()));
        self.counts.entry(key).or_default()
    }

    /// Something to say at the end, however often it happened.
    pub(super) fn note(&mut self, text: &str) {
        *self.notes.entry(text.to_owned()).or_default() += 1;
    }

    /// A kind of which nothing, or not all, could be read.
    pub(super) fn kind_failed(&mut self, kind: &str, failure: &Failure) {
        self.tell(&Line {
            kind,
            name: "*",
            outcome: Outcome::Failed,
            why: Some(failure.message().to_owned()),
            their_uuid: None,
            uuid: None,
            original: None,
        });
        output::say(&format!("{kind}: {}", failure.message()));
    }

    /// The end, in words.
    pub(super) fn summarise(&self, dry_run: bool, left_behind: &[String]) {
        output::say(if dry_run {
            "a dry run: nothing was written here"
        } else {
            "what came over:"
        });
        for ((_, kind), counts) in &self.counts {
            let of = |outcome| counts.get(&outcome).copied().unwrap_or(0);
            output::say(&format!(
                "  {kind}: {} imported, {} already there, {} skipped, {} failed",
                of(Outcome::Imported),
                of(Outcome::AlreadyThere),
                of(Outcome::Skipped),
                of(Outcome::Failed)
            ));
        }
        for (note, times) in &self.notes {
            output::say(&format!("note ({times}×): {note}"));
        }
        output::say("what did not come:");
        for line in left_behind {
            output::say(&format!("  {line}"));
        }
    }

    /// Success only when nothing failed.
    pub(super) fn result(&self) -> Result<(), Failure> {
        let failed = |counts: &BTreeMap<Outcome, u64>| counts.get(&Outcome::Failed).copied();
        match self.counts.values().filter_map(failed).sum::<u64>() {
            0 => Ok(()),
            n => Err(Failure::failed(format!(
                "{n} did not come over; their lines say why. Repeat the command when it is mended: what came is not copied again"
            ))),
        }
    }
}
