//! What a row says, and how a section's rows are shown.

use std::pin::Pin;

use anyhow::{Result, ensure};
use calseta_tests::world::World;

/// What a function of this room gives back: the fault is gone, or what was seen instead.
pub(crate) type Outcome<'world> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'world>>;

/// A function that shows a fault gone, on the backend that its section's rows share.
#[derive(Clone, Copy)]
pub(crate) struct Probe {
    pub(crate) name: &'static str,
    pub(crate) run: for<'world> fn(&'world World) -> Outcome<'world>,
}

/// What became of a fault.
#[derive(Clone, Copy)]
pub(crate) enum How {
    /// This function shows it gone.
    Shown(Probe),
    /// This test shows it gone: a file under the repository's root, and the test's name in it.
    ShownBy(&'static str, &'static str),
    /// It cannot occur here, or stays on purpose; why.
    NotApplicable(&'static str),
    /// It is not shown yet; what is missing.
    Open(&'static str),
}

/// A known fault of v1.1.0.
#[derive(Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) number: u16,
    pub(crate) section: &'static str,
    /// What v1.1.0 does.
    pub(crate) sentence: &'static str,
    pub(crate) how: How,
}

/// A row.
pub(crate) const fn fault(
    number: u16,
    section: &'static str,
    sentence: &'static str,
    how: How,
) -> Fault {
    Fault {
        number,
        section,
        sentence,
        how,
    }
}

/// A row's function with its name.
macro_rules! shown {
    ($function:ident) => {
        $crate::fault::How::Shown($crate::fault::Probe {
            name: stringify!($function),
            run: |world| Box::pin($function(world)),
        })
    };
}
pub(crate) use shown;

/// Runs every function that these rows name, on one backend; all failures together.
pub(crate) async fn show(faults: &[Fault]) -> Result<()> {
    let world = World::fresh().await?;
    let (mut ran, mut failures) = (0, Vec::new());
    for fault in faults {
        let How::Shown(probe) = fault.how else {
            continue;
        };
        ran += 1;
        if let Err(error) = (probe.run)(&world).await {
            failures.push(format!("{} {}: {error:#}", fault.number, probe.name));
        }
    }
    let (status, _) = world
        .backend
        .call(world.backend.admin(), reqwest::Method::GET, "/health", None)
        .await?;
    ensure!(status == 200, "the backend is there to the end");
    ensure!(ran > 0, "a section without a function shows nothing");
    let count = failures.len();
    ensure!(count == 0, "{count} of {ran}:\n{}", failures.join("\n"));
    Ok(())
}
