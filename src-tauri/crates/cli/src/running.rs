//! Finding the running app, or opening its data directory when none runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use calseta_egress::LocalClient;
use calseta_engine::{Clock, Engine, EngineConfig, KeyStore};
use http::{HeaderMap, HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::Value;

use crate::arguments::DataDir;
use crate::failure::Failure;

/// How long a call to the running app may take.
pub(crate) const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// The environment variable that says where a new data directory's master key goes.
pub(crate) const KEY_STORE: &str = "CALSETA_KEY_STORE";

/// An environment variable that sets something.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line's one place that reads settings"
)]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The data directory: as said, else the desktop's own place for it.
pub(crate) fn data_dir(arguments: &DataDir) -> Result<PathBuf, Failure> {
    calseta_server::data_dir(arguments.data_dir.as_deref())
        .map_err(|error| Failure::usage(error.to_string()))
}

/// What `runtime.json` says.
#[derive(Debug, Deserialize)]
struct Runtime {
    base_url: String,
    control_token: String,
}

/// A client of the app that runs on this data directory; `None` when none does.
pub(crate) async fn client(dir: &Path) -> Option<LocalClient> {
    let text = std::fs::read(dir.join("runtime.json")).ok()?;
    let runtime: Runtime = serde_json::from_slice(&text).ok()?;
    let client = LocalClient::new(&runtime.base_url, runtime.control_token.as_str()).ok()?;
    // A crash leaves the file behind: only an app that answers to the token is running.
    let (status, _) = call(&client, Method::GET, "/ui/boot", None).await.ok()?;
    (status == 200).then_some(client)
}

/// Where a new data directory's master key goes, when the command has no option for it.
pub(crate) fn key_store() -> Result<KeyStore, Failure> {
    setting(KEY_STORE).map_or(Ok(KeyStore::default()), |word| {
        word.parse()
            .map_err(|error| Failure::usage(format!("{KEY_STORE}: {error}")))
    })
}

/// The engine of a data directory that nobody runs on.
pub(crate) async fn engine(dir: &Path) -> Result<Engine, Failure> {
    let config = EngineConfig {
        data_dir: dir.to_owned(),
        demo: false,
        clock: Clock::system(),
        key_store: key_store()?,
    };
    Ok(Engine::open(config).await?)
}

/// One call; status and body.
pub(crate) async fn call(
    client: &LocalClient,
    method: Method,
    path: &str,
    body: Option<&[u8]>,
) -> Result<(u16, Bytes), Failure> {
    call_with(client, method, path, body, HeaderMap::new()).await
}

/// One call with headers of its own.
pub(crate) async fn call_with(
    client: &LocalClient,
    method: Method,
    path: &str,
    body: Option<&[u8]>,
    mut headers: HeaderMap,
) -> Result<(u16, Bytes), Failure> {
    if body.is_some() {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
    }
    let body = Bytes::copy_from_slice(body.unwrap_or_default());
    let answer = client
        .request(method, path, headers, body, CALL_DEADLINE)
        .await
        .map_err(|error| Failure::failed(error.to_string()))?;
    Ok((answer.status, answer.body))
}

/// An answer that is a success.
pub(crate) fn success((status, body): (u16, Bytes)) -> Result<Value, Failure> {
    if !(200..300).contains(&status) {
        return Err(Failure::answered(status, &body));
    }
    serde_json::from_slice(&body).map_err(|_| Failure::failed("the API's answer is no JSON"))
}

/// Its `data`.
pub(crate) fn data(answer: (u16, Bytes)) -> Result<Value, Failure> {
    Ok(success(answer)?["data"].take())
}
