//! The events that changes of an agent leave. Of its secrets they say that they changed, no more.

use calseta_contract::Patch;
use calseta_store::WriteTx;
use calseta_store::tables::agent::AgentRow;
use calseta_store::tables::event::Actor;
use serde_json::{Map, Value, json};

use crate::Problem;
use crate::changes::{Change, differences, named};

/// Appends `agent.updated`, at the time that the row says it changed.
pub(crate) fn append(
    tx: &WriteTx<'_>,
    row: &AgentRow,
    actor: &Actor,
    detail: Map<String, Value>,
) -> Result<(), Problem> {
    let change = Change {
        actor: actor.clone(),
        at: row.updated_at,
    };
    change.append(
        tx,
        "agent.updated",
        ("agent", Some(row.uuid.uuid())),
        detail,
    )
}

/// What differs, and whether the header's value was set or cleared.
pub(crate) fn changes(
    before: &AgentRow,
    after: &AgentRow,
    auth: &Patch<String>,
) -> Map<String, Value> {
    let mut detail = named(&after.name, "changed");
    let differing = differences([
        ("name", json!(before.name), json!(after.name)),
        (
            "description",
            json!(before.description),
            json!(after.description),
        ),
        (
            "webhook_url",
            json!(before.webhook_url),
            json!(after.webhook_url),
        ),
        (
            "trigger_filter",
            json!(before.trigger_filter),
            json!(after.trigger_filter),
        ),
        (
            "trigger_on_sources",
            json!(before.trigger_on_sources),
            json!(after.trigger_on_sources),
        ),
        (
            "trigger_on_severities",
            json!(before.trigger_on_severities),
            json!(after.trigger_on_severities),
        ),
        (
            "timeout_seconds",
            json!(before.timeout_seconds),
            json!(after.timeout_seconds),
        ),
        (
            "retry_count",
            json!(before.retry_count),
            json!(after.retry_count),
        ),
        (
            "max_in_flight",
            json!(before.max_in_flight),
            json!(after.max_in_flight),
        ),
        ("is_active", json!(before.is_active), json!(after.is_active)),
        ("health", json!(before.health), json!(after.health)),
    ]);
    detail.extend(differing);
    if before.documentation != after.documentation {
        detail.insert("documentation".to_owned(), json!("changed"));
    }
    match auth {
        Patch::Keep => {}
        Patch::Clear => {
            detail.insert("auth_header".to_owned(), json!("cleared"));
        }
        Patch::Set(_) => {
            detail.insert("auth_header".to_owned(), json!("set"));
        }
    }
    detail
}
