//! `calseta import`: mappings, and alerts of sources that only the old server knew.

use serde_json::json;
use tempfile::TempDir;

use crate::calseta::Console;
use crate::import::{import, outcomes, total};
use crate::import_world::{alert, uuid, world};
use crate::old_server::{OldServer, World};

const MAPPINGS: &str = "/v1/indicator-mappings";

#[tokio::test]
async fn own_mappings_come_over_and_work() {
    let mut world = world();
    let payload = json!({"title": "Odd peer", "peer": {"address": "185.220.101.99"}});
    let odd = alert(105, "Odd peer", &json!({"raw_payload": payload}));
    world.list("/v1/alerts").push(odd);
    let (dir, server) = (TempDir::new().unwrap(), OldServer::start(world).await);
    let console = Console::start(dir.path()).await;
    let before = total(&console, MAPPINGS).await;
    let ran = import(&dir, &server.base_url, &["--only", "mappings,alerts"]).await;
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(outcomes(&ran, "mapping"), ["imported"]);
    let mapping = console.find(MAPPINGS, "field_path", "peer.address").await;
    assert_eq!(mapping["extraction_target"], "raw_payload");
    assert_eq!(
        (&mapping["is_system"], &mapping["source_name"]),
        (&json!(false), &json!("generic"))
    );
    let after = total(&console, MAPPINGS).await;
    assert_eq!(
        after.as_u64(),
        before.as_u64().map(|n| n + 1),
        "what every installation has is not copied"
    );
    let odd = console.find("/v1/alerts", "title", "Odd peer").await;
    let odd = odd["uuid"].as_str().unwrap();
    let indicators = console.get(&format!("/v1/alerts/{odd}/indicators")).await;
    assert_eq!(
        indicators[0]["value"], "185.220.101.99",
        "alerts after it are read by it"
    );
    let again = import(&dir, &server.base_url, &["--only", "mappings"]).await;
    assert_eq!(outcomes(&again, "mapping"), ["already_there"]);
}

#[tokio::test]
async fn alerts_of_a_source_that_nobody_knows_here_come_whole() {
    let rootkit = json!({"rule": {"description": "Rootkit found"}, "agent": {"name": "web-1"}});
    let titled = json!({"title": "With a title", "src_ip": "185.220.101.47"});
    let own = |payload| json!({"source_name": "house_siem", "severity": "Critical", "raw_payload": payload});
    let world = World::of([(
        "/v1/alerts",
        vec![
            alert(201, "Rootkit found", &own(rootkit.clone())),
            alert(202, "With a title", &own(titled.clone())),
        ],
    )]);
    let (dir, server) = (TempDir::new().unwrap(), OldServer::start(world).await);
    let console = Console::start(dir.path()).await;
    let ran = import(&dir, &server.base_url, &["--only", "alerts"]).await;
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    let source = console
        .find("/v1/sources", "source_name", "house_siem")
        .await;
    assert_eq!(
        (&source["plugin"], &source["is_active"]),
        (&json!("generic"), &json!(true))
    );
    assert_eq!(ran.line("source", "house_siem")["outcome"], "imported");
    let whole = async |title: &str| {
        let found = console.find("/v1/alerts", "title", title).await;
        assert_eq!(
            (&found["source_name"], &found["severity"]),
            (&json!("house_siem"), &json!("Critical"))
        );
        console
            .get(&format!("/v1/alerts/{}", found["uuid"].as_str().unwrap()))
            .await
    };
    let found = whole("Rootkit found").await;
    assert_eq!(
        found["raw_payload"]["original_payload"], rootkit,
        "nothing of it is lost"
    );
    assert!(ran.why("alert", "Rootkit found").contains("around it"));
    assert_eq!(
        whole("With a title").await["raw_payload"],
        titled,
        "what can be read stays as it was"
    );
    let again = import(&dir, &server.base_url, &["--only", "alerts"]).await;
    assert_eq!(outcomes(&again, "alert"), ["already_there"; 2]);
    std::fs::remove_file(dir.path().join("imported-alerts.jsonl")).unwrap();
    let again = import(&dir, &server.base_url, &["--only", "alerts"]).await;
    assert_eq!(
        outcomes(&again, "alert"),
        ["already_there"; 2],
        "{}",
        again.stdout
    );
    assert_eq!(total(&console, "/v1/alerts").await, 2);
}

#[tokio::test]
async fn a_large_payload_comes_by_the_route_that_takes_it() {
    let filler = "x".repeat(2 * 1024 * 1024);
    let large = alert(
        301,
        "Large",
        &json!({"raw_payload": {"title": "Large", "log": filler}}),
    );
    let world = World::of([("/v1/alerts", vec![large])]);
    let (dir, server) = (TempDir::new().unwrap(), OldServer::start(world).await);
    let console = Console::start(dir.path()).await;
    let ran = import(&dir, &server.base_url, &["--only", "alerts"]).await;
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert_eq!(ran.of("alert")[0]["their_uuid"], uuid(301));
    let found = console.find("/v1/alerts", "title", "Large").await;
    let found = console
        .get(&format!("/v1/alerts/{}", found["uuid"].as_str().unwrap()))
        .await;
    assert_eq!(
        found["raw_payload"]["log"].as_str().map(str::len),
        Some(filler.len())
    );
}

#[tokio::test]
async fn a_server_that_names_many_sources_fills_no_list_here() {
    let alerts = (0..60).map(|n| {
        let source = format!("source_{n}");
        alert(
            400 + n,
            &format!("Alert {n}"),
            &json!({"source_name": source}),
        )
    });
    let world = World::of([("/v1/alerts", alerts.collect())]);
    let (dir, server) = (TempDir::new().unwrap(), OldServer::start(world).await);
    let console = Console::start(dir.path()).await;
    let before = total(&console, "/v1/sources").await.as_u64().unwrap();
    let ran = import(&dir, &server.base_url, &["--only", "alerts"]).await;
    assert_eq!(ran.exit, 1, "ten are missing");
    assert_eq!(total(&console, "/v1/sources").await, before + 50);
    assert_eq!(total(&console, "/v1/alerts").await, 50);
    assert!(ran.stdout.contains("make this one by hand"));
}
