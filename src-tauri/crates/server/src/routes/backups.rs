//! `/v1/backups`.

use axum::extract::State;
use calseta_contract::backup::BackupView;

use crate::answer::Answer;
use crate::caller::{Admin, App, Caller, Human};
use crate::operation::{Noun, Operation, about, get, post};
use crate::reply::{Created, Rows};

pub(super) fn operations() -> Vec<Operation> {
    about(
        Noun::Backups,
        [
            get("/v1/backups", "list_backups", list)
                .says("List backups", "Those in the directory of the setting `backup.directory`, newest first. To put one back, stop the app and call `calseta restore`."),
            post("/v1/backups", "create_backup", create)
                .says("Make a backup", "A whole copy while everything runs, checked before this answers; every alert that was accepted before is in it. The master key is not."),
        ],
    )
}

async fn list(State(app): State<App>, caller: Caller<Admin>) -> Answer<Rows<BackupView>> {
    Ok(Rows(app.engine.backups(&caller.0).await?))
}

async fn create(State(app): State<App>, caller: Human<Admin>) -> Answer<Created<BackupView>> {
    Ok(Created::new(app.engine.make_backup(&caller.0).await?))
}
