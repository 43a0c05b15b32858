"""Files of earlier versions, and what is in a file.

`make FILE MIGRATIONS VERSION ROWS` writes a database of a version with that many alerts;
`show FILE` prints its version, its schema and its number of alerts as JSON;
`pin FILE` reads it and keeps the read open until standard input ends.
"""

import json
import pathlib
import sys

import apsw

APPLICATION_ID = 0x43414C53

ALERTS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
INSERT INTO alert(uuid, title, severity, source_name, occurred_at, ingested_at, fingerprint,
                  last_seen_at, created_at, updated_at, raw_payload)
SELECT randomblob(16), 'old ' || i, i % 6, 'generic', i, i, randomblob(32), i, i, i,
       '{"title":"old ' || i || '","text":"' || hex(randomblob(200)) || '"}'
FROM n
"""


def opened(path):
    # Brings a SQLite of its own: the machine's may not know what the product's newer one does.
    file = apsw.Connection(path)
    # The product's own functions, by name: its indexes mention them.
    for name in ("ip_key", "fold", "raw_matches", "targets"):
        file.create_scalar_function(name, lambda *_: None, deterministic=True)
    return file


def make(path, migrations, version, rows):
    file = opened(path)
    steps = sorted(pathlib.Path(migrations).glob("*.sql"))[: int(version)]
    for step in steps:
        file.execute(step.read_text())
    if int(rows):
        file.execute(ALERTS, (int(rows),))
    file.execute(f"PRAGMA application_id={APPLICATION_ID}")
    file.execute(f"PRAGMA user_version={len(steps)}")


def show(path):
    file = opened(path)
    one = lambda sql: next(file.execute(sql))[0]
    # Without what SQLite adds of its own, such as its statistics.
    schema = file.execute(
        "SELECT type, name, sql FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*' ORDER BY 1, 2"
    )
    print(
        json.dumps(
            {
                "version": one("PRAGMA user_version"),
                "integrity": one("PRAGMA integrity_check"),
                "schema": [list(row) for row in schema],
                "alerts": one("SELECT count(*) FROM alert"),
            }
        )
    )


def pin(path):
    file = opened(path)
    file.execute("BEGIN")
    print(next(file.execute("SELECT count(*) FROM alert"))[0], flush=True)
    sys.stdin.read()


{"make": make, "show": show, "pin": pin}[sys.argv[1]](*sys.argv[2:])
