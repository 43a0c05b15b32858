//! Every change once and in order, for every way of reading.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use calseta_tests::backend::wait_for;
use calseta_tests::world::World;
use serde_json::{Value, json};

use crate::changes::{Expected, Script};
use crate::readers::Reader;

/// Writers at once.
const WRITERS: usize = 8;
/// Alerts of each.
const ALERTS_EACH: usize = 25;
/// Events that a resuming reader takes before it leaves.
const EACH: usize = 3;

pub(crate) fn reader(world: &World, key: &str) -> Reader {
    Reader {
        base_url: world.backend.base_url.clone(),
        key: key.to_owned(),
    }
}

fn admin(world: &World) -> Reader {
    reader(world, world.backend.admin())
}

fn is(event: &Value, expected: &Expected) -> bool {
    event["type"] == expected.kind && event["object"]["uuid"] == json!(expected.object)
}

/// The numbers run from 1 without a gap: who misses one knows it.
fn numbered(events: &[Value]) -> Result<()> {
    for (n, event) in events.iter().enumerate() {
        ensure!(event["seq"] == json!(n + 1), "the {}th is {event}", n + 1);
    }
    Ok(())
}

/// Each expected event is there as often as it was caused, and nothing of these objects besides.
fn each_once(log: &[Value], expected: &[Expected]) -> Result<()> {
    let mut wanted: BTreeMap<(&str, Option<&str>), usize> = BTreeMap::new();
    for one in expected {
        *wanted.entry((one.kind, one.object.as_deref())).or_default() += 1;
    }
    for ((kind, object), times) in wanted {
        let one = expected
            .iter()
            .find(|one| one.kind == kind && one.object.as_deref() == object);
        let found = log
            .iter()
            .filter(|event| one.is_some_and(|one| is(event, one)));
        let found = found.count();
        ensure!(
            found == times,
            "{kind} of {object:?}: {found} times instead of {times}"
        );
    }
    Ok(())
}

/// The expected events stand in the log in the order of their causes. A failed authentication is
/// written when there is time for it.
fn in_order(log: &[Value], expected: &[Expected]) -> Result<()> {
    let mut rest = log.iter();
    for one in expected.iter().filter(|one| one.kind != "auth.failed") {
        ensure!(
            rest.any(|event| is(event, one)),
            "{one:?} is missing or too early"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_of_every_noun_is_one_event_in_the_order_of_commits() -> Result<()> {
    let world = World::fresh().await?;
    let reader = admin(&world);
    let mut script = Script::new(&world);
    script.run().await?;
    let expected = script.expected;
    let log = wait_for("everything is in the log", || async {
        let log = reader.log().await?;
        let whole = in_order(&log, &expected).is_ok();
        let refused = log.iter().any(|event| event["type"] == "auth.failed");
        Ok((whole && refused).then_some(log))
    })
    .await?;
    numbered(&log)?;
    each_once(&log, &expected)?;
    let count = log.len();
    for (how, read) in [
        ("one stream", reader.stream(count).await?),
        ("resumed streams", reader.resumed(count, EACH).await?),
        ("the poll", reader.polled(count).await?),
    ] {
        ensure!(read == log, "{how} reads something else");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_miss_nothing_while_many_write() -> Result<()> {
    let world = World::fresh().await?;
    let reader = admin(&world);
    // Two events an alert: it came, and its enrichment is over.
    let count = WRITERS * ALERTS_EACH * 2;
    let following = async {
        let stream = reader.stream(count);
        let (resumed, polled) = (reader.resumed(count, EACH), reader.polled(count));
        tokio::try_join!(stream, resumed, polled)
    };
    let write = async |writer: usize| -> Result<()> {
        for n in 0..ALERTS_EACH {
            world
                .alert(&json!({"title": format!("{writer} {n}")}))
                .await?;
        }
        Ok(())
    };
    let writing = async {
        tokio::try_join!(
            write(0),
            write(1),
            write(2),
            write(3),
            write(4),
            write(5),
            write(6),
            write(7)
        )
    };
    let (read, written) = tokio::join!(following, writing);
    written?;
    let (stream, resumed, polled) = read?;
    numbered(&stream)?;
    ensure!(stream == resumed, "who resumes reads the same");
    ensure!(polled[..count] == stream[..], "who polls reads the same");
    let of = |kind: &str| stream.iter().filter(|event| event["type"] == kind).count();
    let (created, enriched) = (of("alert.created"), of("alert.enriched"));
    ensure!(
        (created, enriched) == (count / 2, count / 2),
        "{created} {enriched}"
    );
    Ok(())
}

#[test]
fn a_lost_a_doubled_and_a_late_event_would_be_noticed() {
    let event = |seq: u8, kind: &str| json!({"seq": seq, "type": kind, "object": {"kind": "alert", "uuid": "u"}});
    let expect = |kind| Expected {
        kind,
        object: Some("u".to_owned()),
    };
    let expected = [expect("alert.created"), expect("alert.closed")];
    let (created, closed) = (event(1, "alert.created"), event(2, "alert.closed"));
    let good = [created.clone(), closed.clone()];
    assert!(numbered(&good).is_ok() && each_once(&good, &expected).is_ok());
    assert!(in_order(&good, &expected).is_ok());
    let late = [event(1, "alert.closed"), event(2, "alert.created")];
    assert!(in_order(&late, &expected).is_err());
    assert!(each_once(std::slice::from_ref(&created), &expected).is_err());
    assert!(
        each_once(
            &[created.clone(), created.clone(), closed.clone()],
            &expected
        )
        .is_err()
    );
    assert!(numbered(&[created, event(3, "alert.closed")]).is_err());
}
