//! `calseta verify`: whether the event log is what was written, with or without a running app.

use std::path::Path;
use std::time::Duration;

use calseta_engine::Clock;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::arguments::Verify;
use crate::failure::{FAILED, Failure};
use crate::{output, running};

/// The database in a data directory.
const DATABASE_FILE: &str = "calseta.db";
/// The running app's own check.
const PATH: &str = "/v1/activity/verify";
/// For that check: a million events take seconds, a slow disk more.
const DEADLINE: Duration = Duration::from_mins(10);

pub(crate) async fn run(arguments: Verify) -> Result<(), Failure> {
    let dir = running::data_dir(&arguments.data)?;
    let verified = match running::client(&dir).await {
        Some(client) => {
            let none = (HeaderMap::new(), bytes::Bytes::new());
            let answer = client.request(Method::GET, PATH, none.0, none.1, DEADLINE);
            let answer = answer
                .await
                .map_err(|error| Failure::failed(error.to_string()))?;
            running::data((answer.status, answer.body))?
        }
        None => offline(&dir).await?,
    };
    output::line(&verified);
    tell(&verified);
    judge(&verified)?;
    output::say("the event log is intact");
    Ok(())
}

async fn offline(dir: &Path) -> Result<Value, Failure> {
    // Opening makes what is missing, and an empty log is intact: say instead that there is none.
    if !dir.join(DATABASE_FILE).is_file() {
        return Err(Failure::failed(format!(
            "{}: there is no {DATABASE_FILE}; name the data directory with --data-dir",
            dir.display()
        )));
    }
    let verified = calseta_engine::verify_directory(dir, &Clock::system()).await?;
    Ok(json!(verified))
}

/// The same for a person.
fn tell(verified: &Value) {
    let number = |name: &str| verified[name].as_i64().unwrap_or(0);
    output::say(&format!(
        "the chain holds for {} events, up to {}; anchors: {}, the newest of event {}",
        number("events"),
        verified["head"].as_str().unwrap_or("nothing"),
        number("anchors"),
        number("anchored_until")
    ));
    for fault in faults(verified) {
        output::say(&format!("fault: {fault}"));
    }
}

fn faults(verified: &Value) -> impl Iterator<Item = &str> {
    let faults = verified["faults"].as_array();
    faults.into_iter().flatten().filter_map(Value::as_str)
}

/// Intact only when it says so and names no fault.
fn judge(verified: &Value) -> Result<(), Failure> {
    if verified["ok"] == true && faults(verified).next().is_none() {
        return Ok(());
    }
    Err(Failure::new(
        FAILED,
        "DAMAGED",
        "the event log is not what was written: keep a copy of the data directory as it is, and compare it with a backup",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_log_without_faults_is_intact() {
        let verified = |ok: bool, faults: Value| json!({"ok": ok, "events": 3, "faults": faults});
        assert!(judge(&verified(true, json!([]))).is_ok());
        assert!(judge(&verified(false, json!(["event 2"]))).is_err());
        assert!(judge(&verified(false, json!([]))).is_err());
        assert!(judge(&json!({})).is_err(), "an answer that says nothing");
    }
}
