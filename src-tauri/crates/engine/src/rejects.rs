//! Payloads that a known source sent and that were refused: kept, so that nothing is lost while a
//! field map is wrong or a secret was changed at one end only, and replayed when it is mended.

use calseta_contract::ingest::IngestView;
use calseta_contract::source::RejectView;
use calseta_domain::{ErrorCode, RejectId, SourceId};
use calseta_store::WriteTx;
use calseta_store::tables::reject::{self, NewReject, RejectRow};
use calseta_store::tables::{Reads, source};

use crate::indicators::slice;
use crate::{Engine, Listed, PageNumber, Principal, Problem, sources};

/// Bytes of a refused body that a list shows.
const EXCERPT_BYTES: u64 = 500;
/// Characters of the reason that are kept.
const REASON_CHARS: usize = 500;

/// Whether a refusal is about the payload, so that the payload is worth keeping.
pub(crate) const fn is_kept(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::InvalidJson
            | ErrorCode::InvalidPayload
            | ErrorCode::PayloadTooDeep
            | ErrorCode::InvalidSignature
    )
}

fn view(tx: &impl Reads, row: RejectRow) -> Result<RejectView, Problem> {
    let excerpt = reject::payload(tx, row.id, EXCERPT_BYTES)?.unwrap_or_default();
    Ok(RejectView {
        uuid: row.uuid,
        at: row.at,
        code: row.code,
        reason: row.reason,
        body_excerpt: String::from_utf8_lossy(&excerpt).into_owned(),
        body_bytes: row.bytes,
        key_prefix: row.key_prefix,
    })
}

impl Engine {
    /// Keeps a refused body; a failure is logged, for the sender is told of the refusal anyway.
    pub(crate) async fn keep_reject(
        &self,
        by: &Principal,
        source: &sources::Source,
        body: &[u8],
        problem: &Problem,
    ) {
        let (row, at) = (source.row, self.inner.clock.now());
        let id: RejectId = self.inner.ids.next();
        let (code, body) = (problem.code, body.to_vec());
        let reason: String = problem.message.chars().take(REASON_CHARS).collect();
        let key_prefix = by.api_key().map(|key| key.prefix.clone());
        let kept = self.inner.store.write(move |tx: &WriteTx<'_>| {
            reject::insert(
                tx,
                &NewReject {
                    uuid: id,
                    source: row,
                    at,
                    code: code.as_str(),
                    reason: &reason,
                    key_prefix: key_prefix.as_deref(),
                    payload: &body,
                },
            )
        });
        if let Err(error) = kept.await {
            tracing::warn!(error = %error, source.name = source.name, "a refused payload was not kept");
        }
    }

    /// `GET /v1/sources/{uuid}/rejects`, newest first.
    pub async fn rejects(
        &self,
        id: SourceId,
        page: PageNumber,
    ) -> Result<Listed<RejectView>, Problem> {
        self.inner
            .store
            .read(move |tx| {
                let source =
                    source::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("source"))?;
                let (rows, total) = reject::page(tx, source.id, slice(page))?;
                let rows = rows
                    .into_iter()
                    .map(|row| view(tx, row))
                    .collect::<Result<_, _>>()?;
                Ok::<_, Problem>(Listed::counted(rows, total))
            })
            .await
    }

    /// `POST /v1/sources/{uuid}/rejects/{reject}/replay`: through the whole pipeline again, but
    /// for the signature, for whom a person stands in. Accepted, it is a reject no longer.
    pub async fn replay_reject(
        &self,
        by: &Principal,
        id: SourceId,
        reject_id: RejectId,
    ) -> Result<Vec<IngestView>, Problem> {
        by.need_human("replaying a refused payload")?;
        let (name, body) = self
            .inner
            .store
            .read(move |tx| {
                let source =
                    source::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("source"))?;
                let row = reject::by_uuid(tx, reject_id)?
                    .filter(|row| row.source == source.id)
                    .ok_or_else(|| Problem::not_found("refused payload"))?;
                let body = reject::payload(tx, row.id, u64::MAX)?.unwrap_or_default();
                Ok::<_, Problem>((source.name, body))
            })
            .await?;
        let source = self.open_source(&name)?;
        let (views, _) = self
            .accept(by, &source, &body, None, Some(reject_id))
            .await?;
        Ok(views)
    }
}
