//! Mounted, described and documented are the same routes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use calseta_server::{RouteListing, RouteNeeds, operations};
use calseta_tests::raw;
use calseta_tests::world::World;
use serde_json::Value;

use crate::caller::filled;

/// A method and a path.
type Route = (String, String);

fn listed(table: &[RouteListing]) -> BTreeSet<Route> {
    let route = |one: &RouteListing| (one.method.clone(), one.path.to_owned());
    table.iter().map(route).collect()
}

/// What is in one set and not in the other, in words.
fn difference(what: &str, left: &BTreeSet<Route>, right: &BTreeSet<Route>) -> Result<()> {
    let only: Vec<_> = left.symmetric_difference(right).collect();
    ensure!(only.is_empty(), "{what}: {only:?}");
    Ok(())
}

pub(crate) async fn description(world: &World) -> Result<Value> {
    let text = page(world, "/openapi.json").await?;
    Ok(serde_json::from_str(&text)?)
}

async fn page(world: &World, path: &str) -> Result<String> {
    let to = world.backend.address();
    let headers = [format!("Host: {to}")];
    let answer = raw::send(to, &raw::request("GET", path, &headers, &[])).await?;
    ensure!(
        answer.status == 200,
        "{path} without a key: {}",
        answer.status
    );
    Ok(String::from_utf8(answer.body)?)
}

fn described(document: &Value) -> Result<BTreeSet<Route>> {
    let paths = document["paths"].as_object().context("paths")?;
    let mut found = BTreeSet::new();
    for (path, methods) in paths {
        for method in methods.as_object().context("methods")?.keys() {
            found.insert((method.to_ascii_uppercase(), path.clone()));
        }
    }
    Ok(found)
}

/// The methods that the running program has at these paths: it names them when asked with another.
async fn mounted(world: &World, paths: &BTreeSet<&str>) -> Result<BTreeSet<Route>> {
    let to = world.backend.address();
    let headers = raw::usual(to, world.backend.admin());
    let mut found = BTreeSet::new();
    for path in paths {
        let request = raw::request("QUERY", &filled(path), &headers, &[]);
        let answer = raw::send(to, &request).await?;
        ensure!(
            answer.status == 405,
            "{path} is not mounted: {}",
            answer.status
        );
        let allow = answer.header("allow").unwrap_or_default();
        let methods = allow.split(',').map(str::trim).filter(|one| *one != "HEAD");
        found.extend(methods.map(|method| (method.to_owned(), (*path).to_owned())));
    }
    Ok(found)
}

/// The ids of the routes that a page of the documentation has a section for.
fn sections(html: &str) -> Vec<String> {
    let starts = html.split("<section id=\"").skip(1);
    starts
        .filter_map(|rest| rest.split('"').next().map(str::to_owned))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mounted_described_and_documented_are_the_same() -> Result<()> {
    let world = World::fresh().await?;
    let table = operations();
    ensure!(table.len() >= 110, "only {} routes", table.len());
    let listed = listed(&table);
    ensure!(listed.len() == table.len(), "a route is in the table twice");
    let paths: BTreeSet<&str> = table.iter().map(|route| route.path).collect();
    difference("mounted", &mounted(&world, &paths).await?, &listed)?;
    let document = description(&world).await?;
    difference("described", &described(&document)?, &listed)?;
    let mut documented = BTreeMap::new();
    let nouns: BTreeSet<&str> = table.iter().map(|route| route.noun).collect();
    for noun in nouns {
        for id in sections(&page(&world, &format!("/docs/{noun}")).await?) {
            ensure!(documented.insert(id.clone(), noun).is_none(), "{id} twice");
        }
    }
    for route in &table {
        let noun = documented.remove(route.operation_id);
        ensure!(
            noun == Some(route.noun),
            "{} has no section",
            route.operation_id
        );
    }
    ensure!(documented.is_empty(), "documented only: {documented:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_description_says_who_may_call_and_how_it_is_refused() -> Result<()> {
    let world = World::fresh().await?;
    let document = description(&world).await?;
    for route in operations() {
        let method = route.method.to_ascii_lowercase();
        let operation = &document["paths"][route.path][&method];
        let what = format!("{} {}", route.method, route.path);
        for text in ["summary", "operationId", "description"] {
            ensure!(
                operation[text]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "{what}: {text}"
            );
        }
        let open = route.needs == RouteNeeds::Nothing;
        let secured = operation["security"]
            .as_array()
            .is_some_and(|all| !all.is_empty());
        ensure!(
            secured != open,
            "{what}: security {}",
            operation["security"]
        );
        let answers = operation["responses"].as_object().context("responses")?;
        for (status, wanted) in [
            ("401", !open),
            (
                "403",
                matches!(route.needs, RouteNeeds::Scope(_)) || route.human_only,
            ),
            ("404", route.path.contains("uuid}")),
        ] {
            ensure!(
                !wanted || answers.contains_key(status),
                "{what}: {status} is not described"
            );
        }
        for status in route.success {
            ensure!(
                answers.contains_key(&status.to_string()),
                "{what}: {status}"
            );
        }
        if let RouteNeeds::Scope(scope) = route.needs {
            let text = operation["description"].as_str().unwrap_or_default();
            ensure!(
                text.contains(&format!("`{scope}`")),
                "{what} does not name {scope}"
            );
        }
    }
    Ok(())
}

#[test]
fn a_route_in_one_place_only_would_be_noticed() {
    let table = operations();
    let all = listed(&table);
    let fewer = listed(&table[1..]);
    assert!(difference("x", &all, &fewer).is_err() && difference("x", &fewer, &all).is_err());
    assert!(difference("x", &all, &all.clone()).is_ok());
    assert_eq!(
        sections("<p><section id=\"a\"><section id=\"b\">"),
        ["a", "b"]
    );
}
