//! Who asks: the analyst at the window, or the holder of an API key.

use std::sync::Arc;

use calseta_domain::{ErrorCode, KeyType, Scope};
use calseta_store::tables::api_key::ApiKeyRow;
use calseta_store::tables::event::Actor;

use crate::Problem;

/// The kind of caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalKind {
    /// The person at the window. No key, every scope.
    Analyst,
    /// A key's holder.
    Key(Arc<ApiKeyRow>),
}

/// Who asks. What a caller may do follows from this alone, never from what a body says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    kind: PrincipalKind,
}

impl Principal {
    /// The person at the window.
    pub fn analyst() -> Self {
        Self {
            kind: PrincipalKind::Analyst,
        }
    }

    /// A key's holder.
    pub fn key(key: Arc<ApiKeyRow>) -> Self {
        Self {
            kind: PrincipalKind::Key(key),
        }
    }

    /// Analyst or key.
    pub fn kind(&self) -> &PrincipalKind {
        &self.kind
    }

    /// The key, when there is one.
    pub fn api_key(&self) -> Option<&ApiKeyRow> {
        match &self.kind {
            PrincipalKind::Analyst => None,
            PrincipalKind::Key(key) => Some(key),
        }
    }

    /// Whether a person stands behind it.
    pub fn is_human(&self) -> bool {
        self.api_key().is_none_or(|key| key.kind == KeyType::Human)
    }

    /// Whether it has a scope; `admin` has them all.
    pub fn has(&self, scope: Scope) -> bool {
        self.api_key()
            .is_none_or(|key| key.scopes.contains(&Scope::Admin) || key.scopes.contains(&scope))
    }

    /// Refuses a caller without any of these scopes.
    pub fn need(&self, scope: Scope) -> Result<(), Problem> {
        if self.has(scope) {
            return Ok(());
        }
        Err(Problem::new(
            ErrorCode::Forbidden,
            format!("this key lacks the scope {scope}; use a key that has it"),
        )
        .with("required_scopes", vec![scope.as_str()]))
    }

    /// Refuses an agent's key, whatever its scopes.
    pub fn need_human(&self, what: &str) -> Result<(), Problem> {
        if self.is_human() {
            Ok(())
        } else {
            Err(Problem::human_required(what))
        }
    }

    /// Refuses a source that the key is not for.
    pub fn need_source(&self, source: &str) -> Result<(), Problem> {
        let allowed = self.api_key().and_then(|key| key.allowed_sources.as_ref());
        match allowed {
            Some(sources) if !sources.is_empty() && !sources.iter().any(|s| s == source) => {
                Err(Problem::new(
                    ErrorCode::SourceNotAllowed,
                    format!("this key may not ingest to {source:?}"),
                )
                .with("allowed_sources", sources.clone()))
            }
            _ => Ok(()),
        }
    }

    /// The row that idempotency keys belong to; 0 is the analyst.
    pub(crate) fn key_row(&self) -> i64 {
        self.api_key().map_or(0, |key| key.id)
    }

    /// Who it is, for the event log.
    pub fn actor(&self) -> Actor {
        match &self.kind {
            PrincipalKind::Analyst => Actor {
                kind: "analyst".to_owned(),
                name: "Analyst".to_owned(),
                key_prefix: None,
            },
            PrincipalKind::Key(key) => Actor {
                kind: if key.kind == KeyType::Agent {
                    "agent"
                } else {
                    "human_key"
                }
                .to_owned(),
                name: key.agent_name.clone().unwrap_or_else(|| key.name.clone()),
                key_prefix: Some(key.prefix.clone()),
            },
        }
    }
}
