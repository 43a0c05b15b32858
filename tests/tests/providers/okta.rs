//! Okta: the user, the groups and the manager, and a user without any.

use anyhow::{Result, ensure};
use calseta_tests::recorder::{Recorded, Recorder, Reply};
use calseta_tests::world::World;
use serde_json::{Value, json};

use crate::catalogue::{ask, set_up};

const TOKEN: &str = "00okta-token_7Qx";

fn okta(request: &Recorded, has_manager: bool) -> Reply {
    match request.path.as_str() {
        "/api/v1/users/j.martinez%40contoso.com" | "/api/v1/users/j.martinez@contoso.com" => {
            Reply::json(&json!({
                "id": "00u1", "status": "ACTIVE",
                "profile": {"login": "j.martinez@contoso.com", "firstName": "Jorge"},
            }))
        }
        "/api/v1/users/00u1/groups" => Reply::json(&json!([
            {"profile": {"name": "Everyone"}}, {"profile": {"name": "GitHub-Admins"}},
        ])),
        "/api/v1/users/00u1/linkedObjects/manager" if has_manager => {
            let href = "https://contoso.okta.com/api/v1/users/00u2";
            Reply::json(&json!([{"_links": {"self": {"href": href}}}]))
        }
        "/api/v1/users/00u1/linkedObjects/manager" => Reply::json(&json!([])),
        "/api/v1/users/00u2" => Reply::json(&json!({
            "id": "00u2",
            "profile": {"displayName": "Sunita Patel", "email": "s.patel@contoso.com"},
        })),
        _ => Reply::status(404),
    }
}

async fn lookup(has_manager: bool) -> Result<(Value, Vec<Recorded>)> {
    let world = World::fresh().await?;
    let server = Recorder::answering(move |request| okta(request, has_manager)).await?;
    let auth = json!({"domain": "contoso.okta.com", "api_token": TOKEN});
    set_up(&world, "okta", &server.url, &auth).await?;
    let result = ask(&world, "okta", ("account", "j.martinez@contoso.com")).await?;
    Ok((result, server.seen()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_comes_with_groups_and_manager() -> Result<()> {
    let (result, asked) = lookup(true).await?;
    let extracted = &result["extracted"];
    ensure!(result["success"] == true, "{result}");
    ensure!(
        extracted["status"] == "ACTIVE" && extracted["first_name"] == "Jorge",
        "{result}"
    );
    ensure!(
        extracted["groups"] == json!(["Everyone", "GitHub-Admins"]),
        "{result}"
    );
    ensure!(extracted["manager_name"] == "Sunita Patel", "{result}");
    ensure!(
        extracted["manager_email"] == "s.patel@contoso.com",
        "{result}"
    );
    ensure!(asked.len() == 4, "{} requests", asked.len());
    for request in asked {
        let header = request.header("authorization").to_owned();
        ensure!(
            header == format!("SSWS {TOKEN}"),
            "{}: {header}",
            request.path
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_a_manager_keeps_the_rest() -> Result<()> {
    let (result, _) = lookup(false).await?;
    let extracted = &result["extracted"];
    ensure!(result["success"] == true, "{result}");
    ensure!(
        extracted["groups"] == json!(["Everyone", "GitHub-Admins"]),
        "{result}"
    );
    ensure!(
        extracted.get("manager_name").is_none_or(Value::is_null),
        "{result}"
    );
    Ok(())
}
