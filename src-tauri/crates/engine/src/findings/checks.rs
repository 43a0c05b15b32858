//! What a finding cites, compared with what is stored now.
//!
//! Done when findings are read, so that an answer that came in later counts. Every object is read
//! once an answer, and how many are read is bounded: citations are written by agents, and what they
//! cite is hostile.

use std::collections::HashMap;

use calseta_contract::finding::{
    Citation, CitationCheck, CitationReference, FindingView, Verification,
};
use calseta_domain::evidence::{self, CitationState, CitedKind};
use calseta_domain::{AlertId, DocumentId};
use calseta_store::tables::alert::{self, AlertRow};
use calseta_store::tables::{Reads, document};
use serde_json::{Value, json};

use crate::Problem;
use crate::start::Inner;
use crate::views::{self, Evidence};

/// Citations that are compared in one answer.
const MAX_CHECKS: usize = 500;
/// Documents and other alerts that are read for one answer.
const MAX_OBJECTS: usize = 100;

/// What the findings of one alert may cite, read when it is first cited.
pub(crate) struct Cited<'a, R> {
    tx: &'a R,
    inner: &'a Inner,
    row: &'a AlertRow,
    indicators: Option<HashMap<String, Value>>,
    raw: Option<Value>,
    documents: HashMap<DocumentId, Option<Value>>,
    alerts: HashMap<AlertId, Option<Value>>,
    checks_left: usize,
}

fn unchecked(text: &str) -> CitationCheck {
    CitationCheck {
        state: CitationState::NotVerifiable.as_str().to_owned(),
        stored: None,
        text: text.to_owned(),
    }
}

impl<'a, R: Reads> Cited<'a, R> {
    pub(crate) fn new(tx: &'a R, inner: &'a Inner, row: &'a AlertRow) -> Self {
        Self {
            tx,
            inner,
            row,
            indicators: None,
            raw: None,
            documents: HashMap::new(),
            alerts: HashMap::new(),
            checks_left: MAX_CHECKS,
        }
    }

    /// Adds to a finding how its citations compare.
    pub(crate) fn check(&mut self, finding: &mut FindingView) -> Result<(), Problem> {
        let mut checks = Vec::with_capacity(finding.citations.len());
        for citation in &finding.citations {
            checks.push(self.one(citation)?);
        }
        finding.verification = tally(&checks);
        finding.citation_checks = checks;
        Ok(())
    }

    fn one(&mut self, citation: &Citation) -> Result<CitationCheck, Problem> {
        if self.checks_left == 0 {
            return Ok(unchecked(
                "Not compared: the findings cite too much at once.",
            ));
        }
        self.checks_left -= 1;
        let nothing = CitationReference::default();
        let reference = citation.reference.as_ref().unwrap_or(&nothing);
        if self.is_too_much(reference) {
            return Ok(unchecked(
                "Not looked up: the findings cite too many objects.",
            ));
        }
        let (kind, object) = self.object(reference)?;
        let asked = evidence::Citation {
            claim: &citation.claim,
            kind,
            pointer: reference.raw_pointer.as_deref(),
            path: reference.path.as_deref(),
            expected: citation.expected.as_ref(),
        };
        let check = evidence::check(&asked, object);
        Ok(CitationCheck {
            state: check.state.as_str().to_owned(),
            stored: check.stored,
            text: check.text,
        })
    }

    fn is_too_much(&self, reference: &CitationReference) -> bool {
        let is_new = reference
            .document_uuid
            .is_some_and(|id| !self.documents.contains_key(&id))
            || reference
                .alert_uuid
                .is_some_and(|id| !self.alerts.contains_key(&AlertId::new(id)));
        is_new && self.documents.len() + self.alerts.len() >= MAX_OBJECTS
    }

    /// The first thing that a reference names, as the API shows it.
    fn object(
        &mut self,
        reference: &CitationReference,
    ) -> Result<(Option<CitedKind>, Option<&Value>), Problem> {
        if let Some(id) = reference.indicator_uuid {
            let known = self.indicators()?;
            return Ok((Some(CitedKind::Indicator), known.get(&id.to_string())));
        }
        if let Some(id) = reference.document_uuid {
            if !self.documents.contains_key(&id) {
                let row = document::by_uuid(self.tx, id)?;
                let found = row.map(|row| json!(views::document(row)));
                self.documents.insert(id, found);
            }
            let found = self.documents.get(&id).and_then(Option::as_ref);
            return Ok((Some(CitedKind::Document), found));
        }
        if let Some(id) = reference.alert_uuid.map(AlertId::new) {
            if !self.alerts.contains_key(&id) {
                let rows: Vec<AlertRow> = alert::by_uuid(self.tx, id)?.into_iter().collect();
                let found = views::summaries(self.tx, &rows)?.pop();
                self.alerts.insert(id, found.map(|summary| json!(summary)));
            }
            let found = self.alerts.get(&id).and_then(Option::as_ref);
            return Ok((Some(CitedKind::Alert), found));
        }
        if reference.raw_pointer.is_some() {
            if self.raw.is_none() {
                let text = alert::raw_payload(self.tx, self.row.id)?.unwrap_or_default();
                self.raw = Some(serde_json::from_str(&text).unwrap_or_default());
            }
            return Ok((Some(CitedKind::RawPayload), self.raw.as_ref()));
        }
        Ok((None, None))
    }

    fn indicators(&mut self) -> Result<&HashMap<String, Value>, Problem> {
        if self.indicators.is_none() {
            let providers = self.inner.provider_set();
            let evidence = Evidence::read(self.tx, self.row.id, |id| providers.name(id))?;
            let views = evidence.views().into_iter();
            let by_uuid = views.map(|view| (view.uuid.to_string(), json!(view)));
            self.indicators = Some(by_uuid.collect());
        }
        Ok(self.indicators.get_or_insert_default())
    }
}

fn tally(checks: &[CitationCheck]) -> Verification {
    let count = |state: CitationState| {
        let same = checks.iter().filter(|check| check.state == state.as_str());
        same.count() as u64
    };
    Verification {
        matches: count(CitationState::Matches),
        differs: count(CitationState::Differs),
        not_found: count(CitationState::NotFound),
        not_verifiable: count(CitationState::NotVerifiable),
    }
}
