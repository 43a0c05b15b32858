//! Ends in the middle of a delivery: by kill -9 and by SIGTERM.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use calseta_tests::backend::{Backend, wait_for};
use calseta_tests::goals;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::agent::Agent;
use crate::world::{World, text};

/// An agent that never answers its first delivery.
async fn silent_at_first() -> Result<Agent> {
    Agent::start(|before| async move {
        if before == 0 {
            std::future::pending::<()>().await;
        }
        200
    })
    .await
}

async fn terminated(backend: Backend) -> Result<()> {
    let status = backend.terminate().await?;
    ensure!(status.success(), "SIGTERM must end well: {status}");
    Ok(())
}

async fn sent_again_after<F, Fut>(end: F) -> Result<()>
where
    F: FnOnce(Backend) -> Fut,
    Fut: Future<Output = Result<()>>,
{
    let agent = silent_at_first().await?;
    let world = World::start().await?;
    let uuid = world.agent(&agent.url, 300).await?;
    world.alert("cut off").await?;
    agent.wait(1).await?;
    let world = world.restart(end).await?;
    let restarted = Instant::now();
    agent.wait(2).await?;
    goals::shown(
        "D5",
        "a delivery in hand when the process ended",
        format!(
            "sent again {} ms after the restart",
            restarted.elapsed().as_millis()
        ),
        "≤ 1 s",
    );
    let done = world
        .delivery(&uuid, "done", |d| d["state"] == "delivered")
        .await?;
    assert_eq!(
        done["attempts"][0]["outcome"], "unknown",
        "nobody knows what became of the first attempt: {done}"
    );
    assert_eq!(done["attempts"][1]["outcome"], "ok");
    let received = agent.wait(2).await?;
    assert_eq!(received[0], received[1], "the same message, sent again");
    assert_eq!(received[0].webhook_id, text(&done, "webhook_id")?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_of_a_delivery_sends_it_again_under_the_same_id() -> Result<()> {
    sent_again_after(Backend::kill).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_ever_and_keeps_what_was_in_flight() -> Result<()> {
    sent_again_after(terminated).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_a_delivery_end_that_is_about_to() -> Result<()> {
    let answer = Arc::new(Notify::new());
    let wait = Arc::clone(&answer);
    let agent = Agent::start(move |_| {
        let wait = Arc::clone(&wait);
        async move {
            wait.notified().await;
            200
        }
    })
    .await?;
    let world = World::start().await?;
    let uuid = world.agent(&agent.url, 300).await?;
    world.alert("just in time").await?;
    agent.wait(1).await?;
    let address = world.backend.address();
    let world = world
        .restart(|backend| async move {
            let stopping = async {
                // It is stopping once nobody is let in any more.
                wait_for("the listener to close", || async {
                    Ok(TcpStream::connect(address).await.is_err().then_some(()))
                })
                .await?;
                answer.notify_one();
                Ok(())
            };
            tokio::try_join!(terminated(backend), stopping).map(drop)
        })
        .await?;
    let done = world
        .delivery(&uuid, "done", |d| d["state"] == "delivered")
        .await?;
    assert_eq!(done["attempts"].as_array().map(Vec::len), Some(1), "{done}");
    assert_eq!(agent.count(), 1, "what ended well is not sent again");
    Ok(())
}
