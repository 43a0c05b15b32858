//! `/v1/jobs`: what is in quarantine.

use axum::extract::State;
use calseta_contract::job::JobView;
use calseta_domain::JobId;

use crate::answer::Answer;
use crate::caller::{Admin, App, Caller, Human};
use crate::operation::{Noun, Operation, about, get, post};
use crate::page::Id;
use crate::reply::{One, Rows};

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Jobs,
        [
            get("/v1/jobs", "list_jobs", list)
                .says("List jobs in quarantine", "Work that three times in a row ended the program, broke off or hung, the newest first, at most 1,000. It is not tried again by itself; everything else goes on without it."),
            post("/v1/jobs/{uuid}/release", "release_job", release)
                .says("Try a job once more", "Now, and with its failures forgotten. The job leaves this list; it comes back under a new id if it fails three times again."),
        ],
    )
}

async fn list(State(app): State<App>, _: Caller<Admin>) -> Answer<Rows<JobView>> {
    Ok(Rows(app.engine.quarantined_jobs().await?))
}

async fn release(
    State(app): State<App>,
    caller: Human<Admin>,
    Id(id): Id<JobId>,
) -> Answer<One<JobView>> {
    Ok(One::new(app.engine.release_job(&caller.0, id).await?))
}
