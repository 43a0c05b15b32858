//! `calseta keys`: making, listing and revoking them, whether the app runs or not.

use std::path::Path;

use calseta_contract::api_key::ApiKeyRequest;
use calseta_domain::ApiKeyId;
use calseta_egress::LocalClient;
use calseta_engine::{Engine, PageNumber, Principal};
use http::Method;
use serde_json::{Value, json};

use crate::arguments::{Keys, KeysCommand, KeysCreate, KeysList, KeysRevoke, KeysRotateMaster};
use crate::failure::Failure;
use crate::{output, running};

/// Keys a page of the list.
const PAGE_SIZE: u64 = 500;
/// The running app's own rotation.
const ROTATE_PATH: &str = "/v1/settings/master-key/rotate";
/// What a line shows of a key.
const SHOWN: [&str; 10] = [
    "uuid",
    "name",
    "key_prefix",
    "key_type",
    "scopes",
    "allowed_sources",
    "agent_uuid",
    "created_at",
    "expires_at",
    "last_used_at",
];

pub(crate) async fn run(arguments: Keys) -> Result<(), Failure> {
    match arguments.command {
        KeysCommand::Create(create) => create_key(create).await,
        KeysCommand::List(list) => list_keys(list).await,
        KeysCommand::Revoke(revoke) => revoke_key(revoke).await,
        KeysCommand::RotateMaster(rotate) => rotate_master(rotate).await,
    }
}

/// Through the running app, or straight into the data directory.
enum Way {
    Api(LocalClient),
    Store(Engine),
}

impl Way {
    async fn open(dir: &Path) -> Result<Self, Failure> {
        Ok(match running::client(dir).await {
            Some(client) => Self::Api(client),
            None => Self::Store(running::engine(dir).await?),
        })
    }

    async fn close(self) {
        if let Self::Store(engine) = self {
            engine.stop().await;
        }
    }

    /// All keys that work.
    async fn list(&self) -> Result<Vec<Value>, Failure> {
        let mut all = Vec::new();
        for page in 1.. {
            let rows = self.page(page).await?;
            let count = rows.len() as u64;
            all.extend(rows);
            if count < PAGE_SIZE {
                break;
            }
        }
        Ok(all)
    }

    async fn page(&self, page: u64) -> Result<Vec<Value>, Failure> {
        match self {
            Self::Api(client) => {
                let path = format!("/v1/api-keys?page={page}&page_size={PAGE_SIZE}");
                let answer = running::call(client, Method::GET, &path, None).await?;
                match running::data(answer)? {
                    Value::Array(rows) => Ok(rows),
                    _ => Err(Failure::failed("the API's answer is no list")),
                }
            }
            Self::Store(engine) => {
                let page_size = PAGE_SIZE;
                let keys = engine.api_keys(PageNumber { page, page_size }).await?;
                Ok(keys.rows.iter().map(|key| json!(key)).collect())
            }
        }
    }

    async fn revoke(&self, id: ApiKeyId) -> Result<(), Failure> {
        match self {
            Self::Api(client) => {
                let path = format!("/v1/api-keys/{id}");
                let (status, body) = running::call(client, Method::DELETE, &path, None).await?;
                if (200..300).contains(&status) {
                    Ok(())
                } else {
                    Err(Failure::answered(status, &body))
                }
            }
            Self::Store(engine) => Ok(engine.revoke_api_key(&Principal::analyst(), id).await?),
        }
    }

    /// Replaces the master key; where it is now.
    async fn rotate_master(&self) -> Result<Value, Failure> {
        match self {
            Self::Api(client) => {
                let answer = running::call(client, Method::POST, ROTATE_PATH, None).await?;
                running::data(answer)
            }
            Self::Store(engine) => {
                let store = engine.rotate_master_key(&Principal::analyst()).await?;
                Ok(json!(store))
            }
        }
    }
}

async fn list_keys(arguments: KeysList) -> Result<(), Failure> {
    let way = Way::open(&running::data_dir(&arguments.data)?).await?;
    let keys = way.list().await;
    way.close().await;
    for key in &keys? {
        output::line(&shown(key));
    }
    Ok(())
}

async fn revoke_key(arguments: KeysRevoke) -> Result<(), Failure> {
    let way = Way::open(&running::data_dir(&arguments.data)?).await?;
    let revoked = revoke(&way, &arguments.key).await;
    way.close().await;
    let key = revoked?;
    output::line(&shown(&key));
    output::say("this key no longer works");
    Ok(())
}

async fn rotate_master(arguments: KeysRotateMaster) -> Result<(), Failure> {
    let way = Way::open(&running::data_dir(&arguments.data)?).await?;
    let rotated = way.rotate_master().await;
    way.close().await;
    output::line(&rotated?);
    output::say("every stored secret is sealed with the new master key");
    Ok(())
}

async fn revoke(way: &Way, named: &str) -> Result<Value, Failure> {
    let key = the_one(way.list().await?, named)?;
    let id = key["uuid"].as_str().and_then(|text| text.parse().ok());
    let id = id.ok_or_else(|| Failure::failed("the key has no uuid"))?;
    way.revoke(id).await?;
    Ok(key)
}

/// The key of that uuid or prefix. Prefixes are not unique, and the wrong key must not go.
fn the_one(keys: Vec<Value>, named: &str) -> Result<Value, Failure> {
    let mut found = keys
        .into_iter()
        .filter(|key| key["uuid"] == *named || key["key_prefix"] == *named);
    match (found.next(), found.next()) {
        (Some(key), None) => Ok(key),
        (Some(_), Some(_)) => Err(Failure::failed(format!(
            "several keys begin with {named}; name the one by its uuid"
        ))),
        (None, _) => Err(Failure::failed(format!(
            "no key that works is {named}; `calseta keys list` shows them"
        ))),
    }
}

fn shown(key: &Value) -> Value {
    let fields = SHOWN
        .into_iter()
        .map(|name| (name.to_owned(), key[name].clone()));
    Value::Object(fields.collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_by_uuid_or_prefix_and_never_guessed() {
        let key = |uuid: &str, prefix: &str| json!({"uuid": uuid, "key_prefix": prefix});
        let keys = || vec![key("a", "cai_1"), key("b", "cai_2"), key("c", "cai_2")];
        let found = |named| the_one(keys(), named).map(|key| key["uuid"].clone());
        assert_eq!(found("b").unwrap(), "b");
        assert_eq!(found("cai_1").unwrap(), "a");
        for named in ["cai_2", "cai_", "", "d"] {
            assert!(found(named).is_err(), "{named:?}");
        }
    }
}
