//! `calseta keys`: the same with and without a running console.

use tempfile::TempDir;

use crate::calseta::{Console, Ran, run};

async fn keys(dir: &TempDir, more: &[&str]) -> Ran {
    let mut arguments = vec![
        "keys",
        more[0],
        "--data-dir",
        dir.path().to_str().expect("UTF-8"),
    ];
    arguments.extend(&more[1..]);
    run(&arguments).await
}

async fn make(dir: &TempDir, name: &str) -> (String, String, String) {
    let ran = keys(dir, &["create", "--name", name, "--scopes", "alerts:read"]).await;
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let text = |field: &str| ran.lines[0][field].as_str().unwrap_or_default().to_owned();
    (text("uuid"), text("key_prefix"), text("key"))
}

/// Makes two keys, lists them, revokes one by uuid and one by prefix.
async fn a_life_of_keys(dir: &TempDir) {
    let (uuid, _, key) = make(dir, "First").await;
    let (_, prefix, second) = make(dir, "Second").await;
    let listed = keys(dir, &["list"]).await;
    assert_eq!(listed.exit, 0, "{}", listed.stderr);
    let names = |ran: &Ran| -> Vec<String> {
        let names = ran.lines.iter().filter_map(|line| line["name"].as_str());
        names.map(str::to_owned).collect()
    };
    for name in ["First", "Second"] {
        assert!(
            names(&listed).contains(&name.to_owned()),
            "{}",
            listed.stdout
        );
    }
    for key in [&key, &second] {
        assert!(
            !listed.stdout.contains(&**key),
            "a key is shown once, when it is made"
        );
    }
    for named in [&uuid, &prefix] {
        let revoked = keys(dir, &["revoke", named]).await;
        assert_eq!(revoked.exit, 0, "{}", revoked.stderr);
        assert_eq!(revoked.lines.len(), 1);
        let again = keys(dir, &["revoke", named]).await;
        assert_eq!(again.exit, 1, "it is gone: {}", again.stdout);
        assert!(
            again.stderr.contains("calseta keys list"),
            "{}",
            again.stderr
        );
    }
    let listed = keys(dir, &["list"]).await;
    for name in ["First", "Second"] {
        assert!(
            !names(&listed).contains(&name.to_owned()),
            "{}",
            listed.stdout
        );
    }
}

#[tokio::test]
async fn keys_are_listed_and_revoked_without_a_running_console() {
    let dir = TempDir::new().unwrap();
    a_life_of_keys(&dir).await;
}

#[tokio::test]
async fn keys_are_listed_and_revoked_with_a_running_console() {
    let dir = TempDir::new().unwrap();
    let console = Console::start(dir.path()).await;
    let (uuid, _, key) = make(&dir, "To be tried").await;
    assert_eq!(
        console.status_as(&key, "/v1/alerts").await,
        200,
        "the control: it works"
    );
    let revoked = keys(&dir, &["revoke", &uuid]).await;
    assert_eq!(revoked.exit, 0, "{}", revoked.stderr);
    assert_eq!(console.status_as(&key, "/v1/alerts").await, 401, "at once");
    a_life_of_keys(&dir).await;
}
