//! API keys: kinds and scopes.

use crate::words;

words! {
    /// Whose key it is. What an agent may never do, whatever its scopes, follows from this.
    KeyType, "key_type" {
        Human => "human",
        Agent => "agent",
    }
}

words! {
    /// What a key may do. `admin` satisfies every scope; write does not imply read.
    Scope, "scope" {
        AlertsRead => "alerts:read",
        AlertsWrite => "alerts:write",
        EnrichmentsRead => "enrichments:read",
        WorkflowsRead => "workflows:read",
        WorkflowsWrite => "workflows:write",
        WorkflowsExecute => "workflows:execute",
        ApprovalsWrite => "approvals:write",
        AgentsRead => "agents:read",
        AgentsWrite => "agents:write",
        Admin => "admin",
    }
}

impl Scope {
    /// The preset for an agent's own key: read and answer alerts, read enrichments, read and
    /// ask for workflows.
    pub const AGENT_PRESET: &'static [Self] = &[
        Self::AlertsRead,
        Self::AlertsWrite,
        Self::EnrichmentsRead,
        Self::WorkflowsRead,
        Self::WorkflowsExecute,
    ];
}
