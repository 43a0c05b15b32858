//! A provider's own limits.

use anyhow::{Result, ensure};
use calseta_tests::recorder::{Recorder, Reply};
use calseta_tests::world::World;
use serde_json::json;

use crate::catalogue::set_up;

/// Lookups a minute, as VirusTotal's free key has.
const A_MINUTE: usize = 4;
/// Alerts, each with an address of its own.
const ALERTS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_a_minute_are_four_and_other_providers_do_not_wait() -> Result<()> {
    let world = World::fresh().await?;
    let limited = Recorder::answering(|_| Reply::status(404)).await?;
    let free = Recorder::answering(|_| Reply::json(&json!({"data": {"isp": "x"}}))).await?;
    let key = json!({"api_key": "k"});
    let path = set_up(&world, "virustotal", &limited.url, &key).await?;
    set_up(&world, "abuseipdb", &free.url, &key).await?;
    let set = world
        .backend
        .patch(&path, &json!({"quota": {"per_minute": A_MINUTE}}))
        .await?;
    ensure!(set["quota"]["per_minute"] == A_MINUTE, "{set}");
    for n in 0..ALERTS {
        let alert = json!({"title": format!("quota {n}"), "src_ip": format!("45.33.34.{n}")});
        world.alert(&alert).await?;
    }
    limited.wait(A_MINUTE).await?;
    // The control: the other provider was asked about every address meanwhile.
    let asked = free.wait(ALERTS).await?.len();
    ensure!(asked == ALERTS, "{asked}");
    let asked = limited.seen().len();
    ensure!(asked == A_MINUTE, "{asked} lookups in the first minute");
    Ok(())
}
