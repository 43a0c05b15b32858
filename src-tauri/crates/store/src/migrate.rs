//! Migrations: append-only, one transaction each, with a copy of the file before an upgrade.

use std::path::Path;

use calseta_domain::Timestamp;
use rusqlite::Connection;

use crate::error::OpenError;
use crate::open::{APPLICATION_ID, private_file};
use crate::{faults, functions};

/// Every schema step since the first; a file's `user_version` counts those it has. Never edit one
/// that was released: append another.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_main_job.sql"),
    include_str!("migrations/0002_indexes.sql"),
    include_str!("migrations/0003_configuration.sql"),
    include_str!("migrations/0004_alerts.sql"),
    include_str!("migrations/0005_search.sql"),
    include_str!("migrations/0006_activity.sql"),
    include_str!("migrations/0007_lighter_ingest.sql"),
    include_str!("migrations/0008_triage.sql"),
    include_str!("migrations/0009_delivery.sql"),
    include_str!("migrations/0010_guard.sql"),
];

fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn known(migrations: &[&str]) -> i64 {
    i64::try_from(migrations.len()).unwrap_or(i64::MAX)
}

/// Refuses a newer or a foreign file, before anything is written to it.
pub(crate) fn check(conn: &Connection, path: &Path, migrations: &[&str]) -> Result<(), OpenError> {
    let found = version(conn)?;
    if found > known(migrations) {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: known(migrations),
        });
    }
    let application: i64 = conn.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (tables > 0 || application != 0) {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    Ok(())
}

/// Brings the file up to date. A crash leaves it at the old or the new step, never between.
pub(crate) fn run(
    conn: &Connection,
    path: &Path,
    migrations: &[&str],
    now: Timestamp,
) -> Result<(), OpenError> {
    functions::register(conn)?;
    let found = version(conn)?;
    if found > 0 && found < known(migrations) {
        let copy = path.with_extension(format!("db.before-v{}-{}", migrations.len(), now.millis()));
        // Made first, and empty: SQLite would make it as open as the umask lets it.
        drop(private_file(&copy).map_err(|source| OpenError::Io {
            path: copy.clone(),
            source,
        })?);
        conn.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
        tracing::info!(copy = %copy.display(), "the database was copied before its upgrade");
    }
    let done = usize::try_from(found).unwrap_or(0);
    for (index, migration) in migrations.iter().enumerate().skip(done) {
        let step = format!(
            "BEGIN IMMEDIATE; PRAGMA application_id={APPLICATION_ID}; {migration} \
             PRAGMA user_version={}; COMMIT",
            index + 1
        );
        #[cfg(feature = "faults")]
        let step = crate::faults::torn(step);
        let stopped = |_| OpenError::Pragma("a fault point");
        faults::before("migration").map_err(stopped)?;
        if let Err(error) = conn.execute_batch(&step) {
            drop(conn.execute_batch("ROLLBACK"));
            return Err(error.into());
        }
        faults::after("migration").map_err(stopped)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: &str = "CREATE TABLE later(id INTEGER PRIMARY KEY) STRICT;";

    fn upgraded(dir: &Path, migrations: &[&str]) -> Result<Connection, OpenError> {
        let path = dir.join("calseta.db");
        let conn = Connection::open(&path)?;
        check(&conn, &path, migrations)?;
        run(&conn, &path, migrations, Timestamp::from_millis(1))?;
        Ok(conn)
    }

    #[test]
    fn an_upgrade_keeps_a_copy_of_the_old_file_and_its_rows() {
        let dir = tempfile::tempdir().unwrap();
        let conn = upgraded(dir.path(), MIGRATIONS).unwrap();
        conn.execute("INSERT INTO setting(name, value) VALUES('a', '1')", [])
            .unwrap();
        drop(conn);
        let steps = [MIGRATIONS, &[LATER]].concat();
        let conn = upgraded(dir.path(), &steps).unwrap();
        let kept: String = conn
            .query_row("SELECT value FROM setting WHERE name='a'", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(kept, "1");
        let copies = std::fs::read_dir(dir.path())
            .unwrap()
            .filter(|e| {
                e.as_ref()
                    .unwrap()
                    .file_name()
                    .to_string_lossy()
                    .contains("before-v")
            })
            .count();
        assert_eq!(copies, 1, "the old file must be kept before an upgrade");
    }

    #[cfg(unix)]
    #[test]
    fn the_copy_of_the_old_file_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        drop(upgraded(dir.path(), MIGRATIONS).unwrap());
        drop(upgraded(dir.path(), &[MIGRATIONS, &[LATER]].concat()).unwrap());
        let copy = std::fs::read_dir(dir.path())
            .unwrap()
            .map(Result::unwrap)
            .find(|e| e.file_name().to_string_lossy().contains("before-v"))
            .unwrap();
        let mode = copy.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(
            mode, 0o600,
            "everything that is in the store is in its copy"
        );
    }

    /// One row of what a step may have to carry over, as the first version had it.
    const FIRST_ROWS: &str = "
        INSERT INTO source(uuid, name, plugin, created_at, updated_at)
          VALUES(zeroblob(16), 'generic', 'generic', 1, 1);
        INSERT INTO context_document(uuid, title, document_type, is_global, content, version,
            created_at, updated_at) VALUES(zeroblob(16), 'd', 'sop', 1, 'text', 3, 1, 2);
        INSERT INTO alert(uuid, title, severity, source_name, occurred_at, ingested_at, fingerprint,
            last_seen_at, tags, created_at, updated_at, raw_payload)
          VALUES(zeroblob(16), 'odd login', 4, 'generic', 1, 5, zeroblob(32), 5, '[\"vpn\"]', 5, 5,
            '{}');
        INSERT INTO indicator(uuid, type, value, first_seen, last_seen)
          VALUES(zeroblob(16), 'ip', '192.0.2.7', 1, 1);
        INSERT INTO alert_indicator(alert_id, indicator_id, pass, path) VALUES(1, 1, 'p', 'x');
        INSERT INTO finding(uuid, alert_id, author_name, summary, verdict, content, posted_at)
          VALUES(zeroblob(16), 1, 'bot', 's', 'benign', '{}', 7);
        INSERT INTO finding(uuid, alert_id, author_name, summary, content, posted_at)
          VALUES(randomblob(16), 1, 'bot', 's',
            '{\"supersedes\": \"00000000-0000-0000-0000-000000000000\"}', 8);";

    #[test]
    fn files_of_every_earlier_version_become_the_same() {
        let schema = |conn: &Connection| {
            let mut statement = conn
                .prepare("SELECT type || name || coalesce(sql, '') FROM sqlite_schema ORDER BY 1")
                .unwrap();
            let rows = statement.query_map([], |row| row.get(0)).unwrap();
            rows.collect::<Result<Vec<String>, _>>().unwrap()
        };
        let dir = tempfile::tempdir().unwrap();
        let newest = schema(&upgraded(dir.path(), MIGRATIONS).unwrap());
        for version in 1..MIGRATIONS.len() {
            let dir = tempfile::tempdir().unwrap();
            let conn = upgraded(dir.path(), &MIGRATIONS[..version]).unwrap();
            if version == 1 {
                conn.execute_batch(FIRST_ROWS).unwrap();
            }
            drop(conn);
            let conn = upgraded(dir.path(), MIGRATIONS).unwrap();
            assert_eq!(schema(&conn), newest, "from version {version}");
            if version == 1 {
                carried_over(&conn);
            }
        }
    }

    /// What the later steps make of [`FIRST_ROWS`].
    fn carried_over(conn: &Connection) {
        for (sql, expected) in [
            ("SELECT last_received_at FROM source", 5),
            ("SELECT alert_count FROM indicator", 1),
            ("SELECT length(ip_key) FROM indicator", 16),
            ("SELECT verdict FROM alert", 0),
            ("SELECT occurred_at FROM alert_indicator", 1),
            ("SELECT supersedes_id FROM finding WHERE posted_at = 8", 1),
            ("SELECT count(supersedes_id) FROM finding", 1),
            // What was there before anybody could open it counts as read.
            ("SELECT count(*) FROM unread", 0),
            (
                "SELECT version FROM context_document_version WHERE content = 'text'",
                3,
            ),
        ] {
            let seen: i64 = conn.query_row(sql, [], |row| row.get(0)).unwrap();
            assert_eq!(seen, expected, "{sql}");
        }
    }

    #[test]
    fn a_failed_step_leaves_the_old_version() {
        let dir = tempfile::tempdir().unwrap();
        drop(upgraded(dir.path(), MIGRATIONS).unwrap());
        let steps = [
            MIGRATIONS,
            &["CREATE TABLE half(id INTEGER) STRICT; NONSENSE;"],
        ]
        .concat();
        assert!(upgraded(dir.path(), &steps).is_err());
        let conn = upgraded(dir.path(), MIGRATIONS).expect("the old program still opens it");
        let half: i64 = conn
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name='half'",
                [],
                |r| r.get(0),
            )
            .unwrap();
        assert_eq!(half, 0, "half a step must not remain");
    }

    #[test]
    fn a_newer_file_is_refused_and_left_untouched() {
        let dir = tempfile::tempdir().unwrap();
        let steps = [MIGRATIONS, &[LATER]].concat();
        drop(upgraded(dir.path(), &steps).unwrap());
        let before = std::fs::read(dir.path().join("calseta.db")).unwrap();
        assert!(matches!(
            upgraded(dir.path(), MIGRATIONS),
            Err(OpenError::Newer { .. })
        ));
        assert_eq!(
            std::fs::read(dir.path().join("calseta.db")).unwrap(),
            before
        );
    }

    #[test]
    fn a_foreign_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let conn = Connection::open(dir.path().join("calseta.db")).unwrap();
        conn.execute_batch("CREATE TABLE theirs(x)").unwrap();
        drop(conn);
        assert!(matches!(
            upgraded(dir.path(), MIGRATIONS),
            Err(OpenError::Foreign(_))
        ));
    }
}
