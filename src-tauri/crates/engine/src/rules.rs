//! Detection rules.

use calseta_contract::detection_rule::{RulePatch, RuleRequest, RuleView};
use calseta_domain::attack::Kind;
use calseta_domain::{DetectionRuleId, ErrorCode, FieldError};
use calseta_store::tables::detection_rule::{self, RuleFilter, RuleRow, RuleSort};
use calseta_store::tables::{Direction, Reads};
use calseta_store::{StoreError, WriteTx};
use serde_json::{Map, Value, json};

use crate::changes::{Change, differences, named};
use crate::documents::set;
use crate::indicators::slice;
use crate::{Engine, Listed, PageNumber, Principal, Problem, attack_names, views};

/// The longest name, in characters.
const NAME_MAX: usize = 500;
/// The longest of the other one-line texts, in characters.
const LINE_MAX: usize = 500;
/// The most entries of a list.
const LIST_MAX: usize = 100;
/// The largest documentation, in bytes.
const DOCUMENTATION_MAX_BYTES: usize = 1024 * 1024;

/// Checks a rule and writes its ATT&CK entries as ids.
fn check(row: &mut RuleRow) -> Result<(), Problem> {
    let mut errors = Vec::new();
    let length = row.name.trim().chars().count();
    if length == 0 || length > NAME_MAX {
        errors.push(FieldError::new("name", "must have 1 to 500 characters"));
    }
    let lines = [
        ("source_rule_id", &row.source_rule_id),
        ("severity", &row.severity),
        ("run_frequency", &row.run_frequency),
        ("created_by", &row.created_by),
    ];
    for (path, text) in lines {
        let text = text.as_deref().unwrap_or("x");
        if text.trim().is_empty() || text.chars().count() > LINE_MAX {
            errors.push(FieldError::new(path, "must have 1 to 500 characters"));
        }
    }
    if row
        .documentation
        .as_ref()
        .is_some_and(|text| text.len() > DOCUMENTATION_MAX_BYTES)
    {
        errors.push(FieldError::new(
            "documentation",
            format!("must have at most {DOCUMENTATION_MAX_BYTES} bytes"),
        ));
    }
    let lists = [
        ("mitre_tactics", row.mitre_tactics.len()),
        ("mitre_techniques", row.mitre_techniques.len()),
        ("mitre_subtechniques", row.mitre_subtechniques.len()),
        ("data_sources", row.data_sources.len()),
    ];
    for (path, count) in lists {
        if count > LIST_MAX {
            errors.push(FieldError::new(path, format!("at most {LIST_MAX} entries")));
        }
    }
    let mut ids = |path: &str, kind: Kind, given: &mut Vec<String>| {
        *given = attack_names::ids(&mut errors, path, kind, given);
    };
    ids("mitre_tactics", Kind::Tactic, &mut row.mitre_tactics);
    ids(
        "mitre_techniques",
        Kind::Technique,
        &mut row.mitre_techniques,
    );
    ids(
        "mitre_subtechniques",
        Kind::SubTechnique,
        &mut row.mitre_subtechniques,
    );
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(&errors))
    }
}

fn row(tx: &impl Reads, id: DetectionRuleId) -> Result<RuleRow, Problem> {
    detection_rule::by_uuid(tx, id)?.ok_or_else(|| Problem::not_found("detection rule"))
}

fn append(
    tx: &WriteTx<'_>,
    row: &RuleRow,
    change: &Change,
    detail: Map<String, Value>,
) -> Result<(), Problem> {
    change.append(tx, "rule.updated", ("rule", Some(row.uuid.uuid())), detail)
}

fn changes(before: &RuleRow, after: &RuleRow) -> Map<String, Value> {
    let mut detail = differences([
        ("name", json!(before.name), json!(after.name)),
        ("severity", json!(before.severity), json!(after.severity)),
        ("is_active", json!(before.is_active), json!(after.is_active)),
        (
            "mitre_tactics",
            json!(before.mitre_tactics),
            json!(after.mitre_tactics),
        ),
        (
            "mitre_techniques",
            json!(before.mitre_techniques),
            json!(after.mitre_techniques),
        ),
        (
            "mitre_subtechniques",
            json!(before.mitre_subtechniques),
            json!(after.mitre_subtechniques),
        ),
        (
            "data_sources",
            json!(before.data_sources),
            json!(after.data_sources),
        ),
        (
            "run_frequency",
            json!(before.run_frequency),
            json!(after.run_frequency),
        ),
    ]);
    if before.documentation != after.documentation {
        detail.insert("documentation".to_owned(), json!("changed"));
    }
    detail
}

impl Engine {
    /// `GET /v1/detection-rules`.
    pub async fn list_rules(
        &self,
        filter: RuleFilter,
        order: (RuleSort, Direction),
        page: PageNumber,
    ) -> Result<Listed<RuleView>, Problem> {
        let (rows, total) = self
            .inner
            .store
            .read(move |tx| {
                Ok::<_, Problem>(detection_rule::page(tx, &filter, order, slice(page))?)
            })
            .await?;
        Ok(Listed::counted(
            rows.into_iter().map(views::rule).collect(),
            total,
        ))
    }

    /// `GET /v1/detection-rules/{uuid}`.
    pub async fn rule(&self, id: DetectionRuleId) -> Result<RuleView, Problem> {
        self.inner
            .store
            .read(move |tx| Ok(views::rule(row(tx, id)?)))
            .await
    }

    /// `POST /v1/detection-rules`.
    pub async fn create_rule(
        &self,
        by: &Principal,
        request: RuleRequest,
    ) -> Result<RuleView, Problem> {
        by.need_human("writing detection rules")?;
        if let Some(source) = &request.source_name
            && self.inner.source(source).is_none()
        {
            return Err(Problem::unknown_source_in_body(
                source,
                &self.inner.source_names(),
            ));
        }
        let change = self.change(by);
        let author = by
            .api_key()
            .map_or_else(|| change.actor.name.clone(), |key| key.prefix.clone());
        let mut row = RuleRow {
            id: 0,
            uuid: self.inner.ids.next(),
            name: request.name.trim().to_owned(),
            source_name: request.source_name,
            source_rule_id: request.source_rule_id,
            severity: request.severity,
            is_active: request.is_active.unwrap_or(true),
            mitre_tactics: request.mitre_tactics,
            mitre_techniques: request.mitre_techniques,
            mitre_subtechniques: request.mitre_subtechniques,
            data_sources: request.data_sources,
            run_frequency: request.run_frequency,
            created_by: request.created_by.or(Some(author)),
            documentation: request.documentation,
            created_at: change.at,
            updated_at: change.at,
        };
        check(&mut row)?;
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                match detection_rule::insert(tx, &row) {
                    Err(StoreError::Conflict) => {
                        return Err(Problem::new(
                            ErrorCode::DuplicateRule,
                            "this source already has a rule of this source_rule_id; change that one",
                        ));
                    }
                    other => other?,
                };
                append(tx, &row, &change, named(&row.name, "created"))?;
                Ok(views::rule(row))
            })
            .await
    }

    /// `PATCH /v1/detection-rules/{uuid}`.
    pub async fn patch_rule(
        &self,
        by: &Principal,
        id: DetectionRuleId,
        patch: RulePatch,
    ) -> Result<RuleView, Problem> {
        by.need_human("writing detection rules")?;
        let change = self.change(by);
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let before = row(tx, id)?;
                let names_attack = !(patch.mitre_tactics.is_keep()
                    && patch.mitre_techniques.is_keep()
                    && patch.mitre_subtechniques.is_keep());
                let mut after = apply(before.clone(), patch)?;
                if names_attack {
                    check(&mut after)?;
                } else {
                    // What a payload wrote stays as it is until somebody writes it anew.
                    let mut others = RuleRow {
                        mitre_tactics: Vec::new(),
                        mitre_techniques: Vec::new(),
                        mitre_subtechniques: Vec::new(),
                        ..after.clone()
                    };
                    check(&mut others)?;
                }
                if after != before {
                    after.updated_at = change.at;
                    detection_rule::update(tx, &after)?;
                    append(tx, &after, &change, changes(&before, &after))?;
                }
                Ok::<_, Problem>(views::rule(after))
            })
            .await
    }

    /// `DELETE /v1/detection-rules/{uuid}`: its alerts stay and lose the link.
    pub async fn delete_rule(&self, by: &Principal, id: DetectionRuleId) -> Result<(), Problem> {
        by.need_human("deleting detection rules")?;
        let change = self.change(by);
        self.inner
            .store
            .write(move |tx: &WriteTx<'_>| {
                let row = row(tx, id)?;
                detection_rule::delete(tx, id)?;
                append(tx, &row, &change, named(&row.name, "deleted"))
            })
            .await
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
    row.run_frequency = patch.run_frequency.apply(row.run_frequency);
    let list = |patch: calseta_contract::Patch<Vec<String>>, stored: Vec<String>| {
        patch.apply(Some(stored)).unwrap_or_default()
    };
    row.mitre_tactics = list(patch.mitre_tactics, row.mitre_tactics);
    row.mitre_techniques = list(patch.mitre_techniques, row.mitre_techniques);
    row.mitre_subtechniques = list(patch.mitre_subtechniques, row.mitre_subtechniques);
    row.data_sources = list(patch.data_sources, row.data_sources);
    if errors.is_empty() {
        Ok(row)
    } else {
        Err(Problem::fields(&errors))
    }
}
