-- Breakers, leases, quarantine: what keeps deliveries and jobs going when others do not.

-- How an agent's breaker came to stand as `agent.health` says; no row is a closed one.
CREATE TABLE breaker(
  agent_id INTEGER PRIMARY KEY REFERENCES agent(id),
  failures INTEGER NOT NULL DEFAULT 0,
  -- Attempts of the last minutes, as JSON.
  recent TEXT NOT NULL DEFAULT '[]',
  opened_at INTEGER,
  next_probe_at INTEGER,
  probes INTEGER NOT NULL DEFAULT 0,
  failing_awake_ms INTEGER NOT NULL DEFAULT 0,
  -- The awake clock of a process when it was last looked at, and the process.
  awake_mark INTEGER NOT NULL DEFAULT 0,
  awake_boot INTEGER NOT NULL DEFAULT 0,
  cause TEXT CHECK(cause IN ('failures', 'credentials', 'gone', 'silent')),
  reason TEXT
) STRICT;

-- Attempts at once; 1 keeps the order as well as can be.
ALTER TABLE agent ADD COLUMN max_in_flight INTEGER NOT NULL DEFAULT 4
  CHECK(max_in_flight BETWEEN 1 AND 32);

-- Attempts that count against the message's schedule: not probes, and none that a crash cut off.
ALTER TABLE delivery ADD COLUMN spent INTEGER NOT NULL DEFAULT 0;
UPDATE delivery SET spent = attempt WHERE attempt > 0;
-- Waits because an attempt failed: first attempts, and what a breaker held back, go before it.
ALTER TABLE delivery ADD COLUMN is_retry INTEGER NOT NULL DEFAULT 0 CHECK(is_retry IN (0, 1));
UPDATE delivery SET is_retry = 1 WHERE state = 'due' AND attempt > 0;
-- On the awake clock of the process that has it in hand.
ALTER TABLE delivery ADD COLUMN lease_until INTEGER;
ALTER TABLE delivery_attempt ADD COLUMN is_probe INTEGER NOT NULL DEFAULT 0 CHECK(is_probe IN (0, 1));
CREATE INDEX delivery_first ON delivery(agent_id, next_at, id) WHERE state = 'due' AND is_retry = 0;
CREATE INDEX delivery_parked ON delivery(agent_id, id) WHERE state = 'parked';
CREATE INDEX delivery_dead ON delivery(agent_id, id) WHERE state = 'dead';

ALTER TABLE job ADD COLUMN lease_until INTEGER;
-- A quarantined job is shown to people under this id.
ALTER TABLE job ADD COLUMN uuid BLOB CHECK(length(uuid) = 16);
ALTER TABLE job ADD COLUMN quarantined_at INTEGER;
CREATE INDEX job_quarantined ON job(id) WHERE state = 'dead';
CREATE UNIQUE INDEX job_uuid ON job(uuid) WHERE uuid IS NOT NULL;
-- Those that were in hand at two ends of the process are worked on alone.
CREATE INDEX job_suspect ON job(id) WHERE state = 'ready' AND crashes > 1;
