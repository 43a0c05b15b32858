//! API keys and allowed addresses: what only a person may hand out.

use calseta_contract::api_key::{ApiKeyRequest, ApiKeyView};
use calseta_contract::grant::{GrantRequest, GrantView};
use calseta_domain::{AgentId, KeyType, Scope};
use serde_json::Value;

use super::Failure;
use super::request::{get, send};

/// Keys that are read at once: more than anybody has made.
const KEYS_PAGE: u32 = 200;

/// Every key; none of them says itself.
pub(crate) async fn list_keys() -> Result<Vec<ApiKeyView>, Failure> {
    let path = format!("/v1/api-keys?page_size={KEYS_PAGE}");
    Ok(get::<Vec<ApiKeyView>, Value>(&path).await?.data)
}

/// Makes an agent's own key with the scopes that agents usually need; the key is in this answer only.
pub(crate) async fn create_agent_key(agent: AgentId, name: &str) -> Result<ApiKeyView, Failure> {
    let scopes = Scope::AGENT_PRESET
        .iter()
        .map(|scope| scope.as_str().to_owned())
        .collect();
    let request = ApiKeyRequest {
        name: name.to_owned(),
        scopes,
        key_type: Some(KeyType::Agent.as_str().to_owned()),
        agent_uuid: Some(agent),
        ..ApiKeyRequest::default()
    };
    send("POST", "/v1/api-keys", &request).await
}

/// Allows agents' webhooks to reach an address.
pub(crate) async fn grant_address(
    scheme: &str,
    host: &str,
    port: u16,
) -> Result<GrantView, Failure> {
    let request = GrantRequest {
        scheme: scheme.to_owned(),
        host: host.to_owned(),
        port,
        audience: "agent".to_owned(),
    };
    send("POST", "/v1/egress/grants", &request).await
}
