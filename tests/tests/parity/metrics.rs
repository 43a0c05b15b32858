//! Faults of metrics, settings, the command line and what is seeded.

use anyhow::{Result, ensure};
use calseta_tests::world::World;
use reqwest::Method;

use crate::fault::How::{NotApplicable, Open};
use crate::fault::{Fault, fault, show, shown};

pub(crate) const FAULTS: &[Fault] = &[
    fault(
        115,
        "10.1",
        "A window with one bound is ignored.",
        Open("GET /v1/metrics/alerts"),
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
        Open("keys create --type agent"),
    ),
    fault(
        118,
        "10.5",
        "The command line declares listing keys and rotating the master key, and does neither.",
        Open("keys list and the rotation of the master key"),
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
    let keys = world.backend.get("/v1/api-keys").await?;
    ensure!(
        keys.as_array().is_some_and(|all| all.len() == 1),
        "the first key alone: {keys}"
    );
    Ok(())
}
