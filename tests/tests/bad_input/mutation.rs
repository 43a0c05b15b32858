//! Ten thousand damaged bodies on every route that takes one: never a 5xx, never a panic, always
//! an envelope.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use calseta_tests::dice::{Dice, seed};
use calseta_tests::raw::{self, Answer};
use serde_json::json;
use tokio::task::JoinSet;

use crate::bodies::{mutate, traps};
use crate::routes::{NOBODY, ROUTES};
use crate::world::World;

/// Mutated bodies.
const BODIES: usize = 10_000;
/// Where the generator begins.
const SEED: u64 = 0x0ca1_5e7a_2026_0001;
/// Requests at once.
const AT_ONCE: usize = 16;

/// A request that is well formed before it is damaged.
#[derive(Debug, Clone)]
struct Good {
    method: &'static str,
    path: String,
    body: Vec<u8>,
}

fn samples() -> Result<Vec<Good>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/samples");
    let mut found = Vec::new();
    for source in ["generic", "sentinel", "elastic", "splunk"] {
        for entry in std::fs::read_dir(folder.join(source))? {
            let path = entry?.path();
            let name = path.to_string_lossy().into_owned();
            if name.contains(".expected.") {
                continue;
            }
            let body = std::fs::read(&path).context(name)?;
            let text = String::from_utf8_lossy(&body).into_owned();
            let wrapped = format!("{{\"source_name\":\"{source}\",\"payload\":{text}}}");
            let post = |path: String, body| Good {
                method: "POST",
                path,
                body,
            };
            found.push(post(format!("/v1/ingest/{source}"), body));
            found.push(post("/v1/alerts".to_owned(), wrapped.into_bytes()));
        }
    }
    ensure!(found.len() >= 32, "only {} samples", found.len());
    Ok(found)
}

/// An object of every noun: made by its POST route, else one that is there from the start.
async fn objects(world: &World) -> Result<BTreeMap<&'static str, String>> {
    let alert = world.alert("the alert that is changed").await?;
    let path = format!("/v1/alerts/{alert}/findings");
    let finding = world.backend.post(&path, &json!({"summary": "s"})).await?;
    let finding = finding["uuid"].as_str().context("uuid")?.to_owned();
    let mut ids = BTreeMap::from([("/v1/alerts", alert), ("/v1/findings", finding)]);
    for route in ROUTES.iter().filter(|route| route.path.contains("/{uuid}")) {
        let noun = route.path.split("/{").next().unwrap_or_default();
        let make = ROUTES
            .iter()
            .find(|one| one.path == noun && one.method == "POST");
        let lists = ROUTES
            .iter()
            .any(|one| one.path == noun && one.method == "GET");
        if ids.contains_key(noun) || (make.is_none() && !lists) {
            continue;
        }
        if let Some(make) = make {
            let (admin, body) = (world.backend.admin(), serde_json::from_str(make.body)?);
            let (status, answer) = world
                .backend
                .call(admin, reqwest::Method::POST, noun, Some(&body))
                .await?;
            // What is there from the start need not be made.
            ensure!(status < 300 || status == 409, "{noun}: {status} {answer}");
        }
        let listed = if lists {
            world.backend.get(noun).await?
        } else {
            json!([])
        };
        if let Some(uuid) = listed[0]["uuid"].as_str() {
            ids.insert(noun, uuid.to_owned());
        }
    }
    ensure!(
        ids.len() >= 6,
        "only {} nouns have an object: {ids:?}",
        ids.len()
    );
    Ok(ids)
}

/// Requests on objects that are there, so that a damaged body gets as far as it can.
async fn requests(world: &World) -> Result<Vec<Good>> {
    let ids = objects(world).await?;
    let mut all = samples()?;
    for route in ROUTES.iter().filter(|route| !route.body.is_empty()) {
        let noun = route.path.split("/{").next().unwrap_or_default();
        let id = ids.get(noun).map_or(NOBODY, String::as_str);
        let (path, body) = (route.at(id), route.body.as_bytes().to_vec());
        let good = Good {
            method: route.method,
            path,
            body,
        };
        // Small bodies of many routes weigh as much as the many samples.
        all.extend([good.clone(), good.clone(), good]);
    }
    Ok(all)
}

type Sent = (String, Vec<u8>, Result<Answer>);

async fn send(world: Arc<World>, good: Good) -> Sent {
    let to = world.backend.address();
    let headers = raw::usual(to, world.backend.admin());
    let request = raw::request(good.method, &good.path, &headers, &good.body);
    let answer = raw::send(to, &request).await;
    (format!("{} {}", good.method, good.path), good.body, answer)
}

/// Sends them all; the answers by status, and what was odd.
async fn send_all(world: &Arc<World>, all: Vec<Good>) -> (BTreeMap<u16, usize>, Vec<String>) {
    let (mut running, mut statuses, mut odd) = (JoinSet::new(), BTreeMap::new(), Vec::new());
    let mut note = |(what, body, answer): Sent| {
        let oddity = match &answer {
            Ok(answer) => {
                *statuses.entry(answer.status).or_insert(0) += 1;
                answer.oddity()
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(oddity) = oddity {
            let body = String::from_utf8_lossy(&body[..body.len().min(600)]).into_owned();
            odd.push(format!("{what}: {oddity}\n  {body}"));
        }
    };
    for good in all {
        if running.len() >= AT_ONCE
            && let Some(done) = running.join_next().await
        {
            note(done.expect("a request does not panic"));
        }
        running.spawn(send(Arc::clone(world), good));
    }
    while let Some(done) = running.join_next().await {
        note(done.expect("a request does not panic"));
    }
    (statuses, odd)
}

async fn unharmed_and_working(world: &World) -> Result<()> {
    world.is_unharmed().await?;
    let alert = world.alert("after all that").await?;
    world.settled(&alert).await
}

fn none_odd(odd: &[String]) -> Result<()> {
    let shown = odd[..odd.len().min(8)].join("\n");
    ensure!(odd.is_empty(), "{} odd answers:\n{shown}", odd.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_damaged_bodies_are_answered_like_any_other() -> Result<()> {
    let world = Arc::new(World::start().await?);
    let good = requests(&world).await?;
    let seed = seed(SEED);
    let mut dice = Dice::new(seed);
    let damaged = (0..BODIES).map(|_| {
        let from = &good[dice.below(good.len())];
        let body = mutate(&mut dice, &from.body);
        Good {
            body,
            ..from.clone()
        }
    });
    let (statuses, odd) = send_all(&world, damaged.collect()).await;
    println!("CALSETA_SEED={seed:#x}: {BODIES} bodies, answers by status: {statuses:?}");
    none_odd(&odd)?;
    let count = |range: std::ops::Range<u16>| statuses.range(range).map(|(_, n)| n).sum::<usize>();
    ensure!(
        count(200..300) >= BODIES / 40,
        "too few were still good: {statuses:?}"
    );
    ensure!(
        count(400..500) >= BODIES / 4,
        "too few were bad: {statuses:?}"
    );
    unharmed_and_working(&world).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn known_traps_are_answered_on_every_route() -> Result<()> {
    let world = Arc::new(World::start().await?);
    let mut all = Vec::new();
    for route in ROUTES.iter().filter(|route| !route.body.is_empty()) {
        for (_, body) in traps() {
            let (method, path) = (route.method, route.at(NOBODY));
            all.push(Good { method, path, body });
        }
    }
    println!("{} traps", all.len());
    let (statuses, odd) = send_all(&world, all).await;
    println!("answers by status: {statuses:?}");
    none_odd(&odd)?;
    unharmed_and_working(&world).await
}

#[test]
fn an_odd_answer_would_be_reported() {
    let answer = |status, body: &str| Answer {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    };
    let envelope = r#"{"error":{"code":"C","message":"m","details":{}}}"#;
    for odd in [
        answer(500, envelope),
        answer(503, envelope),
        answer(400, ""),
        answer(422, "Failed to deserialize"),
        answer(422, r#"{"error":{"code":"C","message":"m"}}"#),
        answer(200, "ok"),
    ] {
        assert!(odd.oddity().is_some(), "{odd:?}");
    }
    assert!(answer(422, envelope).oddity().is_none());
    assert!(answer(200, r#"{"data":[],"meta":{}}"#).oddity().is_none());
}
