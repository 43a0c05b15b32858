//! `calseta sample-agent`: what an agent does, without a language model.
//!
//! It checks the Standard Webhooks signature over the exact bytes, derives a finding from the
//! payload by plain rules, posts it back and moves the alert to Triaging. A repeated delivery has
//! the same `webhook-id`, which the finding carries, so that it is stored once.

use std::sync::Arc;

use bytes::Bytes;
use calseta_domain::signature::{self, SigningSecret};
use calseta_domain::{Malice, Scope};
use calseta_egress::LocalClient;
use calseta_engine::Clock;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::arguments::SampleAgent;
use crate::failure::Failure;
use crate::{output, receiver, running};

/// Where deliveries are received.
const WEBHOOK_PATH: &str = "/webhook";

struct Agent {
    client: LocalClient,
    secret: SigningSecret,
    clock: Clock,
}

pub(crate) async fn run(arguments: SampleAgent) -> Result<(), Failure> {
    let listener = TcpListener::bind(("127.0.0.1", arguments.port))
        .await
        .map_err(|error| Failure::failed(format!("port {}: {error}", arguments.port)))?;
    let port = listener
        .local_addr()
        .map_err(|e| Failure::failed(e.to_string()))?
        .port();
    let webhook_url = format!("http://127.0.0.1:{port}{WEBHOOK_PATH}");
    let mut client = connect(&arguments.url, &arguments.key)?;
    let mut agent_uuid = Value::Null;
    let secret = if arguments.register {
        let registered = register(&client, &arguments.name, &webhook_url).await?;
        client = connect(&arguments.url, &registered.key)?;
        agent_uuid = registered.uuid;
        registered.secret
    } else {
        let text = arguments.signing_secret.as_deref().unwrap_or_default();
        SigningSecret::parse(text).map_err(|error| {
            Failure::usage(format!(
                "{error}; give --signing-secret, or --register with a human key"
            ))
        })?
    };
    let agent = Arc::new(Agent {
        client,
        secret,
        clock: Clock::system(),
    });
    output::line(&json!({"ready": true, "webhook_url": webhook_url, "agent_uuid": agent_uuid}));
    let answer = move |headers, body| webhook(Arc::clone(&agent), headers, body);
    let until = async { drop(tokio::signal::ctrl_c().await) };
    receiver::serve(listener, WEBHOOK_PATH, answer, until).await;
    Ok(())
}

fn connect(url: &str, key: &str) -> Result<LocalClient, Failure> {
    LocalClient::new(url, key).map_err(|error| Failure::usage(error.to_string()))
}

struct Registered {
    uuid: Value,
    key: String,
    secret: SigningSecret,
}

/// Makes the agent and, with a second call, its own key.
async fn register(
    client: &LocalClient,
    name: &str,
    webhook_url: &str,
) -> Result<Registered, Failure> {
    let agent = json!({"name": name, "webhook_url": webhook_url});
    let agent = post_json(client, "/v1/agents", &agent).await?;
    let scopes: Vec<_> = Scope::AGENT_PRESET
        .iter()
        .map(|scope| scope.as_str())
        .collect();
    let key =
        json!({"name": name, "key_type": "agent", "scopes": scopes, "agent_uuid": agent["uuid"]});
    let key = post_json(client, "/v1/api-keys", &key).await?;
    let secret = SigningSecret::parse(agent["signing_secret"].as_str().unwrap_or_default())
        .map_err(|error| Failure::failed(error.to_string()))?;
    let key = key["key"].as_str().unwrap_or_default().to_owned();
    Ok(Registered {
        uuid: agent["uuid"].clone(),
        key,
        secret,
    })
}

async fn post_json(client: &LocalClient, path: &str, body: &Value) -> Result<Value, Failure> {
    let body = body.to_string();
    running::data(running::call(client, Method::POST, path, Some(body.as_bytes())).await?)
}

async fn webhook(agent: Arc<Agent>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let header = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let (id, at, given) = (
        header("webhook-id"),
        header("webhook-timestamp"),
        header("webhook-signature"),
    );
    let now_s = agent.clock.now().millis() / 1000;
    if let Err(error) = signature::verify(&agent.secret, id, at, given, &body, now_s) {
        output::say(&format!("a delivery was refused: {error}"));
        return (StatusCode::UNAUTHORIZED, error.to_string());
    }
    let Ok(payload) = serde_json::from_slice::<Value>(&body) else {
        return (StatusCode::BAD_REQUEST, "the body is no JSON".to_owned());
    };
    if payload["test"] == json!(true) {
        return (StatusCode::OK, "test received".to_owned());
    }
    match answer(&agent, id, &payload).await {
        Ok(finding) => {
            output::line(&json!({"alert_uuid": payload["alert"]["uuid"], "finding_uuid": finding}));
            (StatusCode::OK, "finding posted".to_owned())
        }
        // An answer that is no success makes the console deliver again.
        Err(failure) => {
            failure.report(false);
            (
                StatusCode::BAD_GATEWAY,
                "the finding could not be posted".to_owned(),
            )
        }
    }
}

/// Posts the finding, then moves the alert on; both can be repeated.
async fn answer(agent: &Agent, webhook_id: &str, payload: &Value) -> Result<Value, Failure> {
    let uuid = payload["alert"]["uuid"].as_str().unwrap_or_default();
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(webhook_id) {
        headers.insert("webhook-id", value);
    }
    let path = format!("/v1/alerts/{uuid}/findings");
    let body = finding(payload).to_string();
    let body = Some(body.as_bytes());
    let posted = running::call_with(&agent.client, Method::POST, &path, body, headers).await?;
    let posted = running::data(posted)?;
    let path = format!("/v1/alerts/{uuid}");
    let moved = running::call(
        &agent.client,
        Method::PATCH,
        &path,
        Some(br#"{"status":"Triaging"}"#),
    )
    .await?;
    match moved {
        // Closed in the meantime: the analyst was faster.
        (409, _) => {}
        other => drop(running::data(other)?),
    }
    Ok(posted["uuid"].clone())
}

/// The finding that follows from a payload: the worst verdict of its indicators, with each as a
/// citation.
fn finding(payload: &Value) -> Value {
    let indicators = payload["indicators"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let malice = |indicator: &Value| {
        indicator["malice"]
            .as_str()
            .and_then(|word| word.parse().ok())
            .unwrap_or(Malice::Pending)
    };
    let worst = Malice::worst(indicators.iter().map(malice));
    let (verdict, confidence, action) = match worst {
        Malice::Malicious => ("malicious", 0.9, "Contain the affected account or host"),
        Malice::Suspicious => ("suspicious", 0.6, "Check the account's recent activity"),
        Malice::Benign => (
            "benign",
            0.7,
            "Close the alert if nothing else speaks against it",
        ),
        Malice::Pending => (
            "inconclusive",
            0.3,
            "Collect more evidence; no provider had a verdict",
        ),
    };
    let bad: Vec<&Value> = indicators
        .iter()
        .filter(|i| worst > Malice::Benign && malice(i) == worst)
        .collect();
    let title = payload["alert"]["title"].as_str().unwrap_or("the alert");
    let citation = |indicator: &&Value| {
        json!({
            "claim": format!("{} is {}", text(&indicator["value"]), text(&indicator["malice"])),
            "ref": {"indicator_uuid": indicator["uuid"], "path": "malice"},
            "expected": indicator["malice"],
        })
    };
    json!({
        "summary": format!(
            "{title}: {} of {} indicators {verdict}.", bad.len(), indicators.len()
        ),
        "confidence": confidence,
        "recommended_actions": [action],
        "details": {
            "worst_indicator_verdict": worst,
            "rule": payload["detection_rule"]["name"],
            "documents_read": payload["context_documents"].as_array().map_or(0, Vec::len),
        },
        "verdict": verdict,
        "citations": bad.iter().take(10).map(citation).collect::<Vec<_>>(),
        "not_checked": ["raw log sources", "endpoint telemetry"],
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_indicator_decides() {
        let payload = json!({
            "alert": {"title": "T"},
            "indicators": [
                {"uuid": "u1", "value": "1.2.3.4", "malice": "Malicious"},
                {"uuid": "u2", "value": "a@b.c", "malice": "Pending"},
            ],
        });
        let finding = finding(&payload);
        assert_eq!(finding["verdict"], "malicious");
        assert_eq!(finding["citations"].as_array().map(Vec::len), Some(1));
        assert_eq!(finding["summary"], "T: 1 of 2 indicators malicious.");
    }

    #[test]
    fn without_verdicts_it_is_inconclusive() {
        assert_eq!(finding(&json!({"alert": {}}))["verdict"], "inconclusive");
    }
}
