//! `calseta keys create`.

use calseta_contract::api_key::ApiKeyRequest;
use calseta_engine::Principal;
use http::Method;
use serde_json::{Value, json};

use crate::arguments::{Keys, KeysCommand, KeysCreate};
use crate::failure::Failure;
use crate::{output, running};

pub(crate) async fn run(arguments: Keys) -> Result<(), Failure> {
    match arguments.command {
        KeysCommand::Create(create) => create_key(create).await,
    }
}

async fn create_key(arguments: KeysCreate) -> Result<(), Failure> {
    let dir = running::data_dir(&arguments.data)?;
    let request = ApiKeyRequest {
        name: arguments.name,
        scopes: arguments.scopes,
        key_type: Some(arguments.key_type),
        expires_at: arguments.expires_at,
        allowed_sources: (!arguments.sources.is_empty()).then_some(arguments.sources),
        agent_uuid: arguments.agent,
    };
    let key: Value = if let Some(client) = running::client(&dir).await {
        let body = serde_json::to_vec(&request).map_err(|e| Failure::failed(e.to_string()))?;
        let answer = running::call(&client, Method::POST, "/v1/api-keys", Some(&body)).await?;
        running::data(answer)?
    } else {
        let engine = running::engine(&dir).await?;
        let made = engine.create_api_key(&Principal::analyst(), request).await;
        engine.stop().await;
        json!(made?)
    };
    let shown = [
        "uuid",
        "name",
        "key",
        "key_prefix",
        "key_type",
        "scopes",
        "expires_at",
    ];
    let line = shown
        .into_iter()
        .map(|name| (name.to_owned(), key[name].clone()))
        .collect();
    output::line(&Value::Object(line));
    output::say("this key is shown once; store it now");
    Ok(())
}
