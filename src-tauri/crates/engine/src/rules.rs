//! Detection rules.

use calseta_contract::detection_rule::{RulePatch, RuleRequest, RuleView};
use calseta_domain::{DetectionRuleId, ErrorCode, FieldError};
use calseta_store::tables::detection_rule::{self, RuleFilter, RuleRow, RuleSort};
use calseta_store::tables::{Direction, Slice};
use calseta_store::{StoreError, WriteTx};

use crate::documents::set;
use crate::{Engine, Listed, PageNumber, Principal, Problem, views};

/// The longest name.
const NAME_MAX: usize = 500;

fn check(row: &RuleRow) -> Result<(), Problem> {
    let length = row.name.trim().chars().count();
    if length == 0 || length > NAME_MAX {
        return Err(Problem::fields(&[FieldError::new(
            "name",
            "must have 1 to 500 characters",
        )]));
    }
    Ok(())
}

impl Engine {
    /// `GET /v1/detection-rules`.
    pub async fn rules(&self, page: PageNumber) -> Result<Listed<RuleView>, Problem> {
        let (rows, total) = self
            .inner
            .store
            .read(move |tx| {
                let slice = Slice {
                    limit: page.page_size,
                    offset: page.offset(),
                };
                let order = (RuleSort::Name, Direction::Ascending);
                let all = RuleFilter::default();
                Ok::<_, Problem>(detection_rule::page(tx, &all, order, slice)?)
            })
            .await?;
        Ok(Listed::counted(
            rows.into_iter().map(views::rule).collect(),
            total,
        ))
    }

    /// `GET /v1/detection-rules/{uuid}`.
    pub async fn rule(&self, id: DetectionRuleId) -> Result<RuleView, Problem> {
        let row = self
            .inner
            .store
            .read(move |tx| Ok::<_, Problem>(detection_rule::by_uuid(tx, id)?))
            .await?;
        row.map(views::rule)
            .ok_or_else(|| Problem::not_found("detection rule"))
    }

    /// `POST /v1/detection-rules`.
    pub async fn create_rule(
        &self,
        by: &Principal,
        request: RuleRequest,
    ) -> Result<RuleView, Problem> {
        by.need_human("writing detection rules")?;
        if let Some(source) = &request.source_name
            && self.inner.plugin(source).is_none()
        {
            return Err(Problem::unknown_source_in_body(
                source,
                &self.inner.source_names(),
            ));
        }
        let now = self.inner.clock.now();
        let row = RuleRow {
            id: 0,
            uuid: self.inner.ids.next(),
            name: request.name,
            source_name: request.source_name,
            source_rule_id: request.source_rule_id,
            severity: request.severity,
            is_active: true,
            mitre_tactics: request.mitre_tactics,
            mitre_techniques: request.mitre_techniques,
            mitre_subtechniques: request.mitre_subtechniques,
            data_sources: Vec::new(),
            run_frequency: None,
            created_by: None,
            documentation: request.documentation,
            created_at: now,
            updated_at: now,
        };
        check(&row)?;
        let stored = row.clone();
        self.inner
            .store
            .write(
                move |tx: &WriteTx<'_>| match detection_rule::insert(tx, &stored) {
                    Err(StoreError::Conflict) => Err(Problem::new(
                        ErrorCode::ValidationError,
                        "this source already has a rule of this source_rule_id; change that one",
                    )),
                    other => Ok(other?),
                },
            )
            .await?;
        Ok(views::rule(row))
    }

    /// `PATCH /v1/detection-rules/{uuid}`.
    pub async fn patch_rule(
        &self,
        by: &Principal,
        id: DetectionRuleId,
        patch: RulePatch,
    ) -> Result<RuleView, Problem> {
        by.need_human("writing detection rules")?;
        let now = self.inner.clock.now();
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = detection_rule::by_uuid(tx, id)?
                    .ok_or_else(|| Problem::not_found("detection rule"))?;
                let mut after = apply(before.clone(), patch)?;
                check(&after)?;
                if after != before {
                    after.updated_at = now;
                    detection_rule::update(tx, &after)?;
                }
                Ok::<_, Problem>(views::rule(after))
            })
            .await
    }

    /// `DELETE /v1/detection-rules/{uuid}`: its alerts stay and lose the link.
    pub async fn delete_rule(&self, by: &Principal, id: DetectionRuleId) -> Result<(), Problem> {
        by.need_human("deleting detection rules")?;
        let there = self
            .inner
            .store
            .write(move |tx: &WriteTx<'_>| Ok::<_, Problem>(detection_rule::delete(tx, id)?))
            .await?;
        if there {
            Ok(())
        } else {
            Err(Problem::not_found("detection rule"))
        }
    }
}

fn apply(mut row: RuleRow, patch: RulePatch) -> Result<RuleRow, Problem> {
    let mut errors = Vec::new();
    set(&mut errors, "name", &mut row.name, patch.name);
    set(
        &mut errors,
        "is_active",
        &mut row.is_active,
        patch.is_active,
    );
    row.severity = patch.severity.apply(row.severity);
    row.documentation = patch.documentation.apply(row.documentation);
    row.mitre_tactics = patch
        .mitre_tactics
        .apply(Some(row.mitre_tactics))
        .unwrap_or_default();
    row.mitre_techniques = patch
        .mitre_techniques
        .apply(Some(row.mitre_techniques))
        .unwrap_or_default();
    row.mitre_subtechniques = patch
        .mitre_subtechniques
        .apply(Some(row.mitre_subtechniques))
        .unwrap_or_default();
    if errors.is_empty() {
        Ok(row)
    } else {
        Err(Problem::fields(&errors))
    }
}
