//! The three providers that are asked at an address of one's own.

use anyhow::{Result, ensure};
use calseta_tests::recorder::{Recorder, Reply};
use calseta_tests::world::World;
use serde_json::{Value, json};

use crate::catalogue::{ask, set_up};

async fn lookup(
    name: &str,
    indicator: (&str, &str),
    answer: Value,
    expected_path: &str,
) -> Result<Value> {
    let world = World::fresh().await?;
    let server = Recorder::answering(move |_| Reply::json(&answer)).await?;
    // An address with a path, which v1.1.0 would have encoded too.
    let base = format!("{}/intel/v2", server.url);
    set_up(&world, name, &base, &json!({"api_key": "k-1"})).await?;
    let result = ask(&world, name, indicator).await?;
    let asked = server.seen();
    ensure!(asked.len() == 1 && asked[0].method == "GET", "{asked:?}");
    ensure!(asked[0].path == expected_path, "{}", asked[0].path);
    ensure!(
        asked[0].header("authorization") == "Bearer k-1",
        "{asked:?}"
    );
    ensure!(result["success"] == true, "{result}");
    Ok(result)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn internal_addresses_are_asked_at_the_base_url_as_it_is() -> Result<()> {
    let answer = json!({
        "classification": "external_unknown", "is_vpn": true, "previous_sightings": 3,
    });
    let path = "/intel/v2/api/v1/ip/45.33.32.156";
    let result = lookup("internal_ip_intel", ("ip", "45.33.32.156"), answer, path).await?;
    ensure!(result["malice"] == "Suspicious", "{result}");
    ensure!(result["extracted"]["is_vpn"] == true, "{result}");
    ensure!(result["extracted"]["previous_sightings"] == 3, "{result}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn insider_risk_is_asked_at_the_base_url_as_it_is() -> Result<()> {
    let answer = json!({"employee_id": "EMP-1", "manager": {"name": "Sunita Patel"}});
    let path = "/intel/v2/api/v1/employees/jmartinez";
    let result = lookup("hr_insider_risk", ("account", "jmartinez"), answer, path).await?;
    ensure!(result["extracted"]["employee_id"] == "EMP-1", "{result}");
    ensure!(
        result["extracted"]["manager_name"] == "Sunita Patel",
        "{result}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_are_asked_at_the_base_url_as_it_is() -> Result<()> {
    let answer = json!({
        "total_devices": 2, "devices": [{"device_name": "MBP-1", "edr": {"agent": "Falcon"}}],
    });
    let path = "/intel/v2/api/v1/users/jmartinez/devices";
    let result = lookup("asset_management", ("account", "jmartinez"), answer, path).await?;
    ensure!(result["extracted"]["total_devices"] == 2, "{result}");
    ensure!(
        result["extracted"]["primary_device_name"] == "MBP-1",
        "{result}"
    );
    ensure!(
        result["extracted"]["primary_edr_agent"] == "Falcon",
        "{result}"
    );
    Ok(())
}
