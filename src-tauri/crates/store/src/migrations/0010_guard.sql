-- What leaves the machine, and what is kept for how long.

-- The newest requests that went out or were refused; bounded in number, oldest dropped.
CREATE TABLE egress_log(
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  audience TEXT NOT NULL CHECK(audience IN ('agent', 'provider', 'workflow')),
  method TEXT NOT NULL,
  scheme TEXT NOT NULL,
  host TEXT NOT NULL,
  port INTEGER NOT NULL,
  is_allowed INTEGER NOT NULL CHECK(is_allowed IN (0, 1)),
  outcome TEXT NOT NULL,
  reason TEXT,
  ip TEXT,
  class TEXT,
  by_proxy INTEGER NOT NULL CHECK(by_proxy IN (0, 1)),
  status INTEGER,
  sent_bytes INTEGER NOT NULL,
  received_bytes INTEGER NOT NULL,
  elapsed_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE retention(
  id INTEGER PRIMARY KEY CHECK(id = 1),
  -- Events up to this one have lost their details.
  details_until INTEGER NOT NULL DEFAULT 0,
  -- While all alerts are being deleted: the newest row that goes, and when that was asked for (a row's
  -- number may come again once it is free); how many are gone, and who asked.
  delete_until INTEGER,
  delete_asked_at INTEGER,
  deleted INTEGER NOT NULL DEFAULT 0,
  deleted_by TEXT,
  ran_at INTEGER,
  -- What the last run removed, as one JSON object.
  removed TEXT
) STRICT;
INSERT INTO retention(id) VALUES(1);

-- What can be taken back of one alert goes with it.
CREATE INDEX change_item_alert ON change_item(alert_uuid);

-- An indicator that nothing has any more goes with its lookups, those that were given up too.
CREATE INDEX job_enrich_dead ON job(ref) WHERE kind = 'enrich' AND state = 'dead';
