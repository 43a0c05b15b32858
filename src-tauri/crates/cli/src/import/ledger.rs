//! Which alerts came over before: a file in the data directory, because an idempotency key is forgotten after a week and
//! people run two systems side by side for longer.
//!
//! It is a memory and not a truth: without it an import still finds what came within the week.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::failure::Failure;

/// In the data directory.
const FILE: &str = "imported-alerts.jsonl";
/// The most that is read: 2,000,000 alerts are below it.
const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// A line: an alert's uuid there and here.
#[derive(Serialize, Deserialize)]
struct Entry {
    their_uuid: Uuid,
    uuid: Uuid,
}

/// What came over before and in this run.
pub(super) struct Ledger {
    known: HashMap<Uuid, Uuid>,
    file: Option<File>,
    path: String,
}

impl Ledger {
    /// Reads what is there. A line that was cut off is passed over.
    pub(super) fn open(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join(FILE);
        let mut known = HashMap::new();
        match File::open(&path) {
            Ok(file) => {
                let lines = BufReader::new(file.take(MAX_BYTES)).split(b'\n');
                for line in lines.map_while(Result::ok) {
                    if let Ok(entry) = serde_json::from_slice::<Entry>(&line) {
                        known.insert(entry.their_uuid, entry.uuid);
                    }
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::failed(format!("{}: {error}", path.display()))),
        }
        Ok(Self {
            known,
            file: None,
            path: path.display().to_string(),
        })
    }

    /// Its uuid here, when it came before.
    pub(super) fn find(&self, their_uuid: Uuid) -> Option<Uuid> {
        self.known.get(&their_uuid).copied()
    }

    /// Remembers an alert that came.
    pub(super) fn remember(&mut self, their_uuid: Uuid, uuid: Uuid) -> Result<(), Failure> {
        if self.known.insert(their_uuid, uuid) == Some(uuid) {
            return Ok(());
        }
        let line = serde_json::json!(Entry { their_uuid, uuid });
        self.write(&format!("{line}\n"))
            .map_err(|error| Failure::failed(format!("{}: {error}", self.path)))
    }

    fn write(&mut self, line: &str) -> std::io::Result<()> {
        if self.file.is_none() {
            let mut options = OpenOptions::new();
            options.append(true).create(true);
            #[cfg(unix)]
            {
                use std::os::unix::fs::OpenOptionsExt as _;
                options.mode(0o600);
            }
            let mut file = options.open(&self.path)?;
            // An earlier run may have been cut off in the middle of a line.
            file.write_all(b"\n")?;
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(line.as_bytes()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_known_to_the_next_run_even_after_a_cut() {
        let dir = tempfile::TempDir::new().unwrap();
        let uuid = |n: u128| Uuid::from_u128(n);
        let mut ledger = Ledger::open(dir.path()).unwrap_or_else(|f| panic!("{}", f.message()));
        assert_eq!(ledger.find(uuid(1)), None);
        assert!(ledger.remember(uuid(1), uuid(11)).is_ok());
        drop(ledger);
        let file = dir.path().join(FILE);
        let mut text = std::fs::read(&file).unwrap();
        text.extend(br#"{"their_uuid":"0000"#);
        std::fs::write(&file, text).unwrap();
        let mut ledger = Ledger::open(dir.path()).unwrap_or_else(|f| panic!("{}", f.message()));
        assert_eq!(ledger.find(uuid(1)), Some(uuid(11)));
        assert!(ledger.remember(uuid(2), uuid(12)).is_ok());
        drop(ledger);
        let ledger = Ledger::open(dir.path()).unwrap_or_else(|f| panic!("{}", f.message()));
        assert_eq!(
            ledger.find(uuid(2)),
            Some(uuid(12)),
            "the cut line spoilt no other"
        );
    }
}
