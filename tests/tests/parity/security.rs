//! Faults of security: what a request may reach, and where secrets show.

use anyhow::{Result, ensure};
use calseta_tests::world::World;
use serde_json::json;

use crate::fault::How::ShownBy;
use crate::fault::{Fault, fault, show, shown};

pub(crate) const FAULTS: &[Fault] = &[
    fault(
        125,
        "13",
        "An allowed host is reached even when it is the cloud's metadata.",
        ShownBy(
            "src-tauri/crates/egress/tests/it/blocked.rs",
            "no_grant_opens_what_is_never_reachable",
        ),
    ),
    fault(
        126,
        "13",
        "A name that does not resolve is allowed.",
        ShownBy(
            "src-tauri/crates/egress/tests/it/rebinding.rs",
            "a_failed_lookup_refuses_the_request",
        ),
    ),
    fault(
        127,
        "13",
        "A name is resolved again after it was judged, so that it can turn to another address.",
        ShownBy(
            "src-tauri/crates/egress/tests/it/rebinding.rs",
            "a_name_that_turns_to_loopback_is_never_connected_to",
        ),
    ),
    fault(
        128,
        "13",
        "Addresses of carrier networks and multicast are not blocked.",
        ShownBy(
            "src-tauri/crates/egress/tests/it/addresses.rs",
            "every_address_has_its_class",
        ),
    ),
    fault(
        129,
        "13",
        "localhost is only blocked when its lookup says so.",
        ShownBy(
            "src-tauri/crates/egress/tests/it/rebinding.rs",
            "localhost_is_not_asked_for",
        ),
    ),
    fault(
        130,
        "13",
        "A lookup holds the thread that answers others.",
        ShownBy(
            "src-tauri/crates/egress/tests/it/hostile.rs",
            "a_lookup_that_never_answers_ends_at_the_deadline",
        ),
    ),
    fault(
        131,
        "13",
        "Without a configured encryption key, a provider's credentials are a 500.",
        shown!(a_fresh_directory_keeps_credentials_at_once),
    ),
    fault(
        132,
        "13",
        "Log lines hold URLs with credentials in their query.",
        ShownBy(
            "tests/tests/bad_input/at_rest.rs",
            "secrets_are_nowhere_but_in_the_header_they_are_for",
        ),
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_faults_of_security_are_gone() -> Result<()> {
    show(FAULTS).await
}

async fn a_fresh_directory_keeps_credentials_at_once(world: &World) -> Result<()> {
    let path = crate::enrichment::provider(world, "abuseipdb").await?;
    let patch = json!({"auth_config": {"api_key": "0123456789abcdef"}});
    let set = world.backend.patch(&path, &patch).await?;
    ensure!(
        set["key_state"] == "set" && set["has_credentials"] == true,
        "{set}"
    );
    ensure!(!set.to_string().contains("0123456789abcdef"), "{set}");
    Ok(())
}
