//! What the analyst says of a finding. The finding itself is never changed; its author reads the
//! review.

use std::sync::Arc;

use calseta_contract::finding::{FindingView, HiddenRequest, ReviewRequest, ReviewView};
use calseta_domain::{FieldError, FindingId};
use calseta_store::WriteTx;
use calseta_store::tables::finding::{self, FindingRow, Review};
use calseta_store::tables::{Reads, alert};
use serde_json::{Map, Value, json};

use crate::changes::Change;
use crate::start::Inner;
use crate::triage::record::excerpt;
use crate::{Engine, Principal, Problem};

/// What may be decided.
const DECISIONS: &[&str] = &["accept", "disagree"];
/// Why not.
const REASONS: &[&str] = &[
    "wrong_verdict",
    "wrong_fact",
    "missing_evidence",
    "bad_action",
    "out_of_scope",
    "other",
];
/// The longest comment.
const COMMENT_MAX_CHARS: usize = 5_000;

pub(super) fn view(review: Review) -> ReviewView {
    ReviewView {
        decision: review.decision,
        reason: review.reason,
        comment: review.comment,
        reviewed_by: review.reviewed_by,
        reviewed_at: review.reviewed_at,
    }
}

fn check(request: &ReviewRequest) -> Result<(), Problem> {
    let mut errors = Vec::new();
    if !DECISIONS.contains(&&*request.decision) {
        let error = FieldError::unknown_word("decision", "decision", &request.decision, DECISIONS);
        errors.push(error);
    }
    match &request.reason {
        Some(reason) if !REASONS.contains(&&**reason) => {
            errors.push(FieldError::unknown_word(
                "reason", "reason", reason, REASONS,
            ));
        }
        None if request.decision == "disagree" => errors.push(FieldError {
            allowed: Some(REASONS.iter().map(|word| (*word).to_owned()).collect()),
            ..FieldError::new(
                "reason",
                "is needed to disagree: it is what the agent learns from",
            )
        }),
        Some(_) if request.decision == "accept" => {
            let message = "goes with disagree only; leave it out to accept";
            errors.push(FieldError::new("reason", message));
        }
        _ => {}
    }
    let length = request
        .comment
        .as_ref()
        .map(|text| text.trim().chars().count());
    if length.is_some_and(|length| length == 0 || length > COMMENT_MAX_CHARS) {
        let message = format!("must have 1 to {COMMENT_MAX_CHARS} characters");
        errors.push(FieldError::new("comment", message));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(&errors))
    }
}

fn row(tx: &impl Reads, id: FindingId) -> Result<FindingRow, Problem> {
    finding::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("finding"))
}

/// The finding's event, and its alert as changed now.
fn record(
    tx: &WriteTx<'_>,
    change: &Change,
    row: &FindingRow,
    mut detail: Map<String, Value>,
) -> Result<(), Problem> {
    let alert = finding::alert_of(tx, row.uuid)?;
    alert::touch(tx, row.alert, change.at)?;
    detail.insert("agent_name".to_owned(), json!(row.author_name));
    let object = ("finding", Some(row.uuid.uuid()));
    change.append_to(tx, "finding.reviewed", object, alert, detail)
}

fn shown(tx: &WriteTx<'_>, inner: &Inner, id: FindingId) -> Result<FindingView, Problem> {
    let row = row(tx, id)?;
    let alert = alert::by_row(tx, row.alert)?.ok_or_else(|| Problem::not_found("alert"))?;
    super::checked(tx, inner, &alert, row)
}

impl Engine {
    /// `PUT /v1/findings/{uuid}/review`. Saying the same again is no event.
    pub async fn review_finding(
        &self,
        by: &Principal,
        id: FindingId,
        request: ReviewRequest,
    ) -> Result<FindingView, Problem> {
        by.need_human("reviewing a finding")?;
        check(&request)?;
        let (change, inner) = (self.change(by), Arc::clone(&self.inner));
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = row(tx, id)?;
                let comment = request.comment.map(|text| text.trim().to_owned());
                let was = before.review.as_ref();
                let is_same = was.is_some_and(|was| {
                    was.decision == request.decision
                        && was.reason == request.reason
                        && was.comment == comment
                });
                if is_same {
                    return shown(tx, &inner, id);
                }
                let mut detail = Map::new();
                let decided = was.map(|was| was.decision.clone());
                detail.insert("review".to_owned(), json!([decided, request.decision]));
                detail.insert("reason".to_owned(), json!(request.reason));
                detail.insert("comment".to_owned(), json!(comment.as_deref().map(excerpt)));
                let review = Review {
                    decision: request.decision,
                    reason: request.reason,
                    comment,
                    reviewed_by: change.actor.name.clone(),
                    reviewed_at: change.at,
                };
                finding::review(tx, id, &review)?;
                record(tx, &change, &before, detail)?;
                shown(tx, &inner, id)
            })
            .await
    }

    /// `PUT /v1/findings/{uuid}/hidden`: folds a finding away, or shows it again. Agents and counts
    /// still have it.
    pub async fn hide_finding(
        &self,
        by: &Principal,
        id: FindingId,
        request: HiddenRequest,
    ) -> Result<FindingView, Problem> {
        by.need_human("folding a finding away")?;
        let (change, inner) = (self.change(by), Arc::clone(&self.inner));
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = row(tx, id)?;
                if finding::hide(tx, id, request.hidden)? {
                    let mut detail = Map::new();
                    let pair = json!([before.is_hidden, request.hidden]);
                    detail.insert("is_hidden".to_owned(), pair);
                    record(tx, &change, &before, detail)?;
                }
                shown(tx, &inner, id)
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use calseta_domain::ErrorCode;

    use super::*;

    #[test]
    fn disagreeing_needs_a_reason_and_agreeing_has_none() {
        let review = |decision: &str, reason: Option<&str>| ReviewRequest {
            decision: decision.to_owned(),
            reason: reason.map(str::to_owned),
            comment: None,
        };
        assert!(check(&review("accept", None)).is_ok());
        assert!(check(&review("disagree", Some("wrong_fact"))).is_ok());
        for (decision, reason) in [
            ("disagree", None),
            ("disagree", Some("because")),
            ("accept", Some("wrong_fact")),
            ("maybe", None),
        ] {
            let refused = check(&review(decision, reason)).unwrap_err();
            assert_eq!(refused.code, ErrorCode::ValidationError, "{decision}");
        }
    }
}
