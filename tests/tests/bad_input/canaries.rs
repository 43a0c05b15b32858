//! Twenty secrets, each in use for what it is for, are found nowhere else: not in the files, the
//! log at its loudest, any answer, event, webhook or kept reject, in any spelling.

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::wait_for;
use calseta_tests::canary::{files, leaks};
use calseta_tests::raw;
use calseta_tests::recorder::{Recorded, Recorder, Reply};
use reqwest::Method;
use serde_json::{Value, json};

use crate::at_rest::answers;
use crate::world::{Setup, World};

/// How many secrets there are, at least.
const SECRETS: usize = 20;
/// What the provider's token endpoint gives.
const TOKEN: &str = "canary~token/Lp3+Qw8Er5Ty2Ui7";

/// A secret that nothing else looks like; with characters that spellings differ in.
fn canary(name: &str) -> String {
    let tail: String = name
        .bytes()
        .rev()
        .map(|byte| char::from(b'A' + byte % 26))
        .collect();
    format!("canary~{name}/9Z+{tail}k4")
}

/// What the providers' tests ask about.
const TRIED: [&str; 2] = ["45.33.32.157", "jm2"];

/// What is planted, as it goes.
struct Planted<'world> {
    world: &'world World,
    secrets: Vec<(&'static str, String)>,
}

impl Planted<'_> {
    fn plant(&mut self, name: &'static str) -> String {
        let secret = canary(name);
        self.secrets.push((name, secret.clone()));
        secret
    }

    fn given(&mut self, name: &'static str, value: &Value, prefix: &str) -> Result<()> {
        let text = value.as_str().with_context(|| name.to_owned())?;
        let secret = text.trim_start_matches(prefix).to_owned();
        self.secrets.push((name, secret));
        Ok(())
    }

    async fn agents(&mut self, recorder: &Recorder) -> Result<()> {
        for (header, secret, rotated) in [
            ("agent-1", "signing-1", "rotated-1"),
            ("agent-2", "signing-2", "rotated-2"),
        ] {
            let auth = self.plant(header);
            let request = json!({"name": header, "webhook_url": recorder.url, "auth_header": auth});
            let made = self.world.backend.post("/v1/agents", &request).await?;
            self.given(secret, &made["signing_secret"], "whsec_")?;
            let uuid = made["uuid"].as_str().context("uuid")?;
            let path = format!("/v1/agents/{uuid}/rotate-secret");
            let again = self.world.backend.post(&path, &json!({})).await?;
            self.given(rotated, &again["signing_secret"], "whsec_")?;
        }
        Ok(())
    }

    async fn keys(&mut self) -> Result<()> {
        for name in ["key-1", "key-2"] {
            let request = json!({"name": name, "scopes": ["alerts:read", "alerts:write"]});
            let made = self.world.backend.post("/v1/api-keys", &request).await?;
            self.given(name, &made["key"], "cai_")?;
        }
        let admin = json!(self.world.backend.admin());
        self.given("key-admin", &admin, "cai_")
    }

    /// The built-in providers that take one secret, each pointed at the recorder.
    async fn providers(&mut self, recorder: &Recorder) -> Result<()> {
        let all = self.world.backend.get("/v1/enrichment-providers").await?;
        for (name, field) in [
            ("virustotal", "api_key"),
            ("abuseipdb", "api_key"),
            ("okta", "api_token"),
            ("internal_ip_intel", "api_key"),
            ("hr_insider_risk", "api_key"),
            ("asset_management", "api_key"),
        ] {
            let mut rows = all.as_array().context("a list")?.iter();
            let row = rows.find(|one| one["provider_name"] == name);
            let uuid = row.and_then(|one| one["uuid"].as_str()).context(name)?;
            let mut auth = json!({"domain": "contoso.okta.com"});
            auth[field] = json!(self.plant(name));
            let patch = json!({"is_active": true, "base_url": recorder.url, "auth_config": auth});
            let path = format!("/v1/enrichment-providers/{uuid}");
            self.world.backend.patch(&path, &patch).await?;
        }
        let url = &recorder.url;
        let request = json!({
            "provider_name": "tokens", "display_name": "Tokens", "base_url": url,
            "supported_indicator_types": ["account"], "auth_type": "oauth2_client_credentials",
            "oauth2": {"token_url": format!("{url}/token"), "scope": "s"},
            "auth_config": {"client_id": "c", "client_secret": self.plant("client-secret")},
            "http_config": {"steps": [{
                "name": "lookup", "method": "GET",
                "url": "{{base_url}}/t/{{indicator.value}}",
                "headers": {"Authorization": "Bearer {{auth.access_token}}"},
            }]},
        });
        self.secrets.push(("token", TOKEN.to_owned()));
        self.world
            .backend
            .post("/v1/enrichment-providers", &request)
            .await?;
        Ok(())
    }

    async fn sources(&mut self) -> Result<()> {
        let all = self.world.backend.get("/v1/sources").await?;
        for name in ["sentinel", "elastic", "splunk"] {
            let mut rows = all.as_array().context("a list")?.iter();
            let row = rows.find(|one| one["source_name"] == name);
            let uuid = row.and_then(|one| one["uuid"].as_str()).context(name)?;
            let patch = json!({"webhook_secret": self.plant(name)});
            self.world
                .backend
                .patch(&format!("/v1/sources/{uuid}"), &patch)
                .await?;
        }
        Ok(())
    }
}

/// A peer that repeats every header it was sent, to alerts' lookups and to people's tests alike.
fn echo(request: &Recorded) -> Reply {
    if request.path == "/token" {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        return Reply::json(&json!({"access_token": TOKEN, "expires_in": 600, "echo": body}));
    }
    let headers: Vec<&str> = request
        .headers
        .iter()
        .map(|(_, value)| value.as_str())
        .collect();
    Reply::json(&json!({"id": "u1", "echo": headers, "data": {"isp": "x", "attributes": {}}}))
}

/// Uses everything: an alert that every provider is asked about, a signed request, a wrong one
/// that is kept, and a test of every provider.
async fn use_them(world: &World, planted: &Planted<'_>) -> Result<Vec<(String, Vec<u8>)>> {
    let alert = json!({"title": "kept in the store", "src_ip": "45.33.32.156", "user": "jm"});
    world.backend.post("/v1/ingest/generic", &alert).await?;
    let secret = |name: &str| {
        let found = planted.secrets.iter().find(|(one, _)| *one == name);
        found.map(|(_, secret)| secret.clone()).context("planted")
    };
    let to = world.backend.address();
    for (body, status) in [
        (r#"{"search_name": "s", "result": {"src": "a"}}"#, 202),
        (r#"{"no": "alert"}"#, 422),
    ] {
        let mut headers = raw::usual(to, world.backend.admin());
        headers.push(format!("X-Splunk-Webhook-Secret: {}", secret("splunk")?));
        let request = raw::request("POST", "/v1/ingest/splunk", &headers, body.as_bytes());
        let answer = raw::send(to, &request).await?;
        ensure!(
            answer.status == status,
            "{}: {}",
            answer.status,
            answer.json()
        );
    }
    let mut tests = Vec::new();
    let all = world.backend.get("/v1/enrichment-providers").await?;
    for row in all.as_array().context("a list")? {
        let kind = row["supported_indicator_types"][0]
            .as_str()
            .context("a type")?;
        let value = TRIED[usize::from(kind != "ip")];
        let path = format!(
            "/v1/enrichment-providers/{}/test",
            row["uuid"].as_str().context("uuid")?
        );
        let request = json!({"indicator_type": kind, "indicator_value": value});
        let admin = world.backend.admin();
        let (_, body) = world
            .backend
            .call(admin, Method::POST, &path, Some(&request))
            .await?;
        tests.push((
            format!("{path} of {}", row["provider_name"]),
            body.to_string().into_bytes(),
        ));
    }
    Ok(tests)
}

fn nothing_in(secrets: &[(&'static str, String)], what: &str, bytes: &[u8]) -> Result<()> {
    let found = leaks(bytes, secrets);
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(3000)]).into_owned();
    ensure!(found.is_empty(), "{what} holds {found:?}: {text}");
    Ok(())
}

/// The controls: each secret that goes out did, in its header.
fn each_was_sent(secrets: &[(&'static str, String)], seen: &[Recorded]) -> Result<()> {
    let sent = |secret: &str| {
        let in_header =
            |one: &Recorded| one.headers.iter().any(|(_, value)| value.contains(secret));
        seen.iter().any(in_header)
    };
    for name in [
        "agent-1",
        "agent-2",
        "virustotal",
        "abuseipdb",
        "okta",
        "internal_ip_intel",
        "hr_insider_risk",
        "asset_management",
        "token",
    ] {
        let secret = secrets.iter().find(|(one, _)| *one == name).context(name)?;
        ensure!(sent(&secret.1), "the control: {name} was not sent");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_secrets_are_nowhere_but_where_they_belong() -> Result<()> {
    let world = World::with(Setup {
        log_level: "trace",
        ..Setup::default()
    })
    .await?;
    let (agent, provider) = (Recorder::start().await?, Recorder::answering(echo).await?);
    let mut planted = Planted {
        world: &world,
        secrets: Vec::new(),
    };
    planted.keys().await?;
    planted.providers(&provider).await?;
    planted.sources().await?;
    planted.agents(&agent).await?;
    let tests = use_them(&world, &planted).await?;
    let secrets = &planted.secrets;
    ensure!(secrets.len() >= SECRETS, "{} secrets", secrets.len());
    agent.wait(4).await?;
    wait_for("every provider was asked", || async {
        let seen = [provider.seen(), agent.seen()].concat();
        Ok(each_was_sent(secrets, &seen).is_ok().then_some(()))
    })
    .await?;
    for webhook in agent.seen() {
        nothing_in(secrets, "a webhook's body", &webhook.body)?;
    }
    for (what, body) in tests.iter().chain(&answers(&world).await?) {
        nothing_in(secrets, what, body)?;
    }
    for path in files(&world.data_dir())? {
        nothing_in(secrets, &path.display().to_string(), &std::fs::read(&path)?)?;
    }
    let log = world.log()?;
    ensure!(log.contains("TRACE"), "the log is not at its loudest");
    nothing_in(secrets, "the log", log.as_bytes())
}
