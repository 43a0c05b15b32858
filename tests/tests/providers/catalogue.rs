//! Providers of the catalogue: set up as they are, or copied to another address.

use anyhow::{Context as _, Result, ensure};
use calseta_tests::world::{World, repository_text};
use serde_json::{Value, json};

/// A provider's definition.
pub(crate) fn definition(name: &str) -> Result<Value> {
    let text = repository_text(&format!("assets/catalog/providers/{name}.json"));
    Ok(serde_json::from_str(&text)?)
}

fn path(provider: &Value) -> Result<String> {
    let uuid = provider["uuid"].as_str().context("uuid")?;
    Ok(format!("/v1/enrichment-providers/{uuid}"))
}

/// Points a built-in provider elsewhere and gives it its credentials; its path.
pub(crate) async fn set_up(world: &World, name: &str, url: &str, auth: &Value) -> Result<String> {
    let all = world.backend.get("/v1/enrichment-providers").await?;
    let mut all = all.as_array().context("a list")?.iter();
    let found = all.find(|one| one["provider_name"] == name);
    let path = path(found.with_context(|| format!("the catalogue has {name}"))?)?;
    let patch = json!({"is_active": true, "base_url": url, "auth_config": auth});
    let set = world.backend.patch(&path, &patch).await?;
    ensure!(
        set["is_configured"] == true && set["grant"] == "granted",
        "{set}"
    );
    Ok(path)
}

/// A provider of one's own that asks as the built-in one does, tokens from the same address.
pub(crate) async fn copy(world: &World, name: &str, url: &str, auth: &Value) -> Result<String> {
    let from = definition(name)?;
    let copied = format!("{name}_copy");
    let mut request = json!({
        "provider_name": copied, "display_name": copied, "base_url": url, "auth_config": auth,
    });
    for field in [
        "supported_indicator_types",
        "auth_type",
        "http_config",
        "malice_rules",
    ] {
        request[field] = from[field].clone();
    }
    if from["oauth2"].is_object() {
        let token_url = format!("{url}/{{{{auth.tenant_id}}}}/oauth2/v2.0/token");
        request["oauth2"] = json!({"token_url": token_url, "scope": from["oauth2"]["scope"]});
    }
    let made = world
        .backend
        .post("/v1/enrichment-providers", &request)
        .await?;
    ensure!(made["is_configured"] == true, "{made}");
    let mut rows = Vec::new();
    for (kind, fields) in from["extractions"].as_object().context("extractions")? {
        for field in fields.as_array().context("a list")? {
            rows.push(json!({
                "provider_name": copied, "indicator_type": kind, "source_path": field[0],
                "target_key": field[1], "value_type": field[2],
            }));
        }
    }
    let bulk = json!({"extractions": rows});
    world
        .backend
        .post("/v1/enrichment-field-extractions/bulk", &bulk)
        .await?;
    path(&made)
}

/// What a provider gave for the only indicator of a new alert, once its enrichment is over.
pub(crate) async fn ask(world: &World, provider: &str, indicator: (&str, &str)) -> Result<Value> {
    let (kind, value) = indicator;
    let alert =
        json!({"title": format!("about {value}"), "indicators": [{"type": kind, "value": value}]});
    let uuid = world.alert(&alert).await?;
    let alert = world.settled(&uuid).await?;
    let result = alert["indicators"][0]["enrichment_results"][provider].clone();
    ensure!(result.is_object(), "{provider} was not asked: {alert}");
    Ok(result)
}
