//! Faults of metrics, settings, the command line and what is seeded.

use anyhow::{Context as _, Result, ensure};
use calseta_tests::backend::{KEY_STORE, calseta_bin};
use calseta_tests::world::World;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::fault::How::NotApplicable;
use crate::fault::{Fault, fault, show, shown};

pub(crate) const FAULTS: &[Fault] = &[
    fault(
        115,
        "10.1",
        "A window with one bound is ignored.",
        shown!(a_window_may_have_one_bound),
    ),
    fault(
        116,
        "10.4",
        "A setting of the public sandbox has no effect.",
        NotApplicable("there is no public sandbox and none of its settings"),
    ),
    fault(
        117,
        "10.5",
        "The command line makes keys of humans only.",
        shown!(the_command_line_makes_keys_of_agents),
    ),
    fault(
        118,
        "10.5",
        "The command line declares listing keys and rotating the master key, and does neither.",
        shown!(the_command_line_lists_keys_and_rotates_the_master_key),
    ),
    fault(
        119,
        "10.6",
        "The public sandbox has an admin key that everybody knows.",
        shown!(no_key_is_known_beforehand),
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_faults_of_metrics_and_settings_are_gone() -> Result<()> {
    show(FAULTS).await
}

async fn no_key_is_known_beforehand(world: &World) -> Result<()> {
    for key in [
        "cai_sandbox_demo_key_not_for_production",
        "cai_lab_demo_full_access_key_not_for_prod",
    ] {
        let (status, _) = world
            .backend
            .call(key, Method::GET, "/v1/alerts", None)
            .await?;
        ensure!(status == 401, "{key}: {status}");
    }
    let fresh = World::fresh().await?;
    let keys = fresh.backend.get("/v1/api-keys").await?;
    ensure!(
        keys.as_array().is_some_and(|all| all.len() == 1),
        "the first key alone: {keys}"
    );
    Ok(())
}

async fn a_window_may_have_one_bound(world: &World) -> Result<()> {
    let before = json!({"title": "measured"});
    world.alert(&before).await?;
    let from = "2020-01-01T00:00:00Z";
    let metrics = world
        .backend
        .get(&format!("/v1/metrics/alerts?from_time={from}"))
        .await?;
    ensure!(metrics["period_from"] == from, "{metrics}");
    ensure!(metrics["total_alerts"] == 1, "{metrics}");
    let to = "2020-02-01T00:00:00Z";
    let metrics = world
        .backend
        .get(&format!("/v1/metrics/alerts?to_time={to}"))
        .await?;
    ensure!(
        metrics["period_to"] == to && metrics["total_alerts"] == 0,
        "{metrics}"
    );
    let days = metrics["alerts_over_time"].as_array().context("days")?;
    ensure!(
        days.len() >= 30,
        "days without alerts are there too: {}",
        days.len()
    );
    Ok(())
}

/// Runs a command on the world's directory; the objects that it printed.
async fn command(world: &World, arguments: &[&str]) -> Result<Vec<Value>> {
    let output = Command::new(calseta_bin())
        .env(KEY_STORE.0, KEY_STORE.1)
        .args(arguments)
        .arg("--data-dir")
        .arg(world.dir.path())
        .output()
        .await?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{arguments:?}: {stderr}");
    let lines = String::from_utf8(output.stdout)?;
    let parsed = lines.lines().map(serde_json::from_str);
    Ok(parsed.collect::<Result<_, _>>()?)
}

async fn the_command_line_makes_keys_of_agents(world: &World) -> Result<()> {
    let arguments = [
        "keys",
        "create",
        "--name",
        "made",
        "--type",
        "agent",
        "--scopes",
        "alerts:read",
    ];
    let made = command(world, &arguments).await?;
    ensure!(made[0]["key_type"] == "agent", "{made:?}");
    let key = made[0]["key"].as_str().context("key")?;
    let (status, _) = world
        .backend
        .call(key, Method::GET, "/v1/alerts", None)
        .await?;
    ensure!(status == 200, "{status}");
    Ok(())
}

async fn the_command_line_lists_keys_and_rotates_the_master_key(world: &World) -> Result<()> {
    let listed = command(world, &["keys", "list"]).await?;
    ensure!(
        !listed.is_empty() && listed[0]["key_prefix"].is_string(),
        "{listed:?}"
    );
    let key = world.backend.admin();
    ensure!(
        !format!("{listed:?}").contains(&key[12..]),
        "no key is shown"
    );
    let path = world.dir.path().join("master.key");
    let before = std::fs::read(&path)?;
    let rotated = command(world, &["keys", "rotate-master"]).await?;
    ensure!(rotated.len() == 1, "{rotated:?}");
    ensure!(
        std::fs::read(&path)? != before,
        "the file holds another key"
    );
    Ok(())
}
