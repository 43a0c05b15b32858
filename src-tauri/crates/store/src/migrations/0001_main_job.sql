-- The main job: an alert comes in, is enriched and matched, agents are told, findings come back.
-- Times are UTC milliseconds, ids on the wire are 16-byte UUIDv7, rows refer to each other by rowid.

CREATE TABLE boot(
  epoch INTEGER PRIMARY KEY,
  started_at INTEGER NOT NULL,
  clean_exit_at INTEGER
) STRICT;

CREATE TABLE setting(
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE source(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  name TEXT NOT NULL UNIQUE,
  plugin TEXT NOT NULL CHECK(plugin IN ('generic', 'sentinel', 'elastic', 'splunk')),
  is_active INTEGER NOT NULL DEFAULT 1 CHECK(is_active IN (0, 1)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE indicator_mapping(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  source_name TEXT,
  extraction_target TEXT NOT NULL CHECK(extraction_target IN ('normalized', 'raw_payload')),
  field_path TEXT NOT NULL,
  indicator_type TEXT NOT NULL,
  is_system INTEGER NOT NULL DEFAULT 0 CHECK(is_system IN (0, 1)),
  is_active INTEGER NOT NULL DEFAULT 1 CHECK(is_active IN (0, 1)),
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX indicator_mapping_system ON indicator_mapping(extraction_target, field_path, indicator_type)
  WHERE is_system = 1;

CREATE TABLE detection_rule(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  name TEXT NOT NULL,
  source_name TEXT,
  source_rule_id TEXT,
  severity TEXT,
  is_active INTEGER NOT NULL DEFAULT 1 CHECK(is_active IN (0, 1)),
  mitre_tactics TEXT NOT NULL DEFAULT '[]',
  mitre_techniques TEXT NOT NULL DEFAULT '[]',
  mitre_subtechniques TEXT NOT NULL DEFAULT '[]',
  documentation TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE(source_name, source_rule_id)
) STRICT;

CREATE TABLE alert(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  title TEXT NOT NULL,
  description TEXT,
  severity INTEGER NOT NULL CHECK(severity BETWEEN 0 AND 5),
  status TEXT NOT NULL DEFAULT 'Open' CHECK(status IN ('Open', 'Triaging', 'Escalated', 'Closed')),
  enrichment_status TEXT NOT NULL DEFAULT 'Pending'
    CHECK(enrichment_status IN ('Pending', 'Enriched', 'Partial', 'Failed')),
  source_name TEXT NOT NULL,
  source_url TEXT,
  occurred_at INTEGER NOT NULL,
  ingested_at INTEGER NOT NULL,
  enriched_at INTEGER,
  fingerprint BLOB NOT NULL CHECK(length(fingerprint) = 32),
  -- At most one alert of a fingerprint collects repetitions: that is the dedup constraint.
  is_dedup_head INTEGER NOT NULL DEFAULT 1 CHECK(is_dedup_head IN (0, 1)),
  duplicate_count INTEGER NOT NULL DEFAULT 0,
  last_seen_at INTEGER NOT NULL,
  duplicate_of INTEGER REFERENCES alert(id) ON DELETE SET NULL,
  detection_rule_id INTEGER REFERENCES detection_rule(id) ON DELETE SET NULL,
  close_classification TEXT,
  acknowledged_at INTEGER,
  triaged_at INTEGER,
  closed_at INTEGER,
  -- The worst of the indicators' verdicts, kept here so that lists need not compute it.
  malice INTEGER NOT NULL DEFAULT 0 CHECK(malice BETWEEN 0 AND 3),
  malice_override INTEGER CHECK(malice_override BETWEEN 0 AND 3),
  malice_override_by_agent INTEGER NOT NULL DEFAULT 0 CHECK(malice_override_by_agent IN (0, 1)),
  tags TEXT NOT NULL DEFAULT '[]',
  -- Counts dispatches of the whole alert; part of a delivery's identity.
  generation INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  raw_payload TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX alert_dedup ON alert(fingerprint) WHERE is_dedup_head = 1;
CREATE INDEX alert_occurred ON alert(occurred_at, id);
CREATE INDEX alert_status ON alert(status, id);
CREATE INDEX alert_source ON alert(source_name, ingested_at);
CREATE INDEX alert_rule ON alert(detection_rule_id) WHERE detection_rule_id IS NOT NULL;
CREATE INDEX alert_duplicate_of ON alert(duplicate_of) WHERE duplicate_of IS NOT NULL;

CREATE TABLE indicator(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  type TEXT NOT NULL,
  value TEXT NOT NULL,
  malice INTEGER NOT NULL DEFAULT 0 CHECK(malice BETWEEN 0 AND 3),
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  UNIQUE(type, value)
) STRICT;

CREATE TABLE alert_indicator(
  alert_id INTEGER NOT NULL REFERENCES alert(id) ON DELETE CASCADE,
  indicator_id INTEGER NOT NULL REFERENCES indicator(id),
  pass TEXT NOT NULL,
  path TEXT NOT NULL,
  PRIMARY KEY(alert_id, indicator_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_indicator_indicator ON alert_indicator(indicator_id, alert_id);

CREATE TABLE provider(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  name TEXT NOT NULL UNIQUE,
  display_name TEXT NOT NULL,
  description TEXT,
  is_builtin INTEGER NOT NULL CHECK(is_builtin IN (0, 1)),
  is_active INTEGER NOT NULL DEFAULT 1 CHECK(is_active IN (0, 1)),
  mode TEXT NOT NULL DEFAULT 'live' CHECK(mode IN ('live', 'mock', 'off')),
  -- The whole definition as data: types, steps, extractions, verdict rules, TTLs, canned answers.
  definition TEXT NOT NULL,
  -- Replaces the definition's base URL.
  base_url TEXT,
  key_state TEXT NOT NULL DEFAULT 'missing' CHECK(key_state IN ('missing', 'set', 'invalid')),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- The newest answer of a provider about an indicator: result and persisted cache in one.
CREATE TABLE enrichment(
  indicator_id INTEGER NOT NULL REFERENCES indicator(id),
  provider_id INTEGER NOT NULL REFERENCES provider(id) ON DELETE CASCADE,
  outcome TEXT NOT NULL CHECK(outcome IN ('success', 'failed')),
  -- Of the last success; a failed re-run never takes them away.
  extracted TEXT NOT NULL DEFAULT '{}',
  malice INTEGER NOT NULL DEFAULT 0 CHECK(malice BETWEEN 0 AND 3),
  enriched_at INTEGER,
  expires_at INTEGER NOT NULL,
  error TEXT,
  is_demo INTEGER NOT NULL DEFAULT 0 CHECK(is_demo IN (0, 1)),
  raw TEXT,
  PRIMARY KEY(indicator_id, provider_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE context_document(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  title TEXT NOT NULL,
  document_type TEXT NOT NULL,
  description TEXT,
  is_global INTEGER NOT NULL CHECK(is_global IN (0, 1)),
  tags TEXT NOT NULL DEFAULT '[]',
  targeting_rules TEXT,
  content TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE agent(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  name TEXT NOT NULL,
  description TEXT,
  webhook_url TEXT NOT NULL,
  auth_header_name TEXT,
  trigger_filter TEXT NOT NULL DEFAULT '{}',
  trigger_on_sources TEXT NOT NULL DEFAULT '[]',
  trigger_on_severities TEXT NOT NULL DEFAULT '[]',
  timeout_seconds INTEGER NOT NULL DEFAULT 30 CHECK(timeout_seconds BETWEEN 1 AND 300),
  retry_count INTEGER NOT NULL DEFAULT 3 CHECK(retry_count BETWEEN 0 AND 10),
  is_active INTEGER NOT NULL DEFAULT 1 CHECK(is_active IN (0, 1)),
  health TEXT NOT NULL DEFAULT 'closed' CHECK(health IN ('closed', 'open', 'half_open', 'disabled')),
  documentation TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  -- A deleted agent stays for its findings' sake.
  deleted_at INTEGER
) STRICT;

CREATE TABLE egress_grant(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  audience TEXT NOT NULL CHECK(audience IN ('agent', 'provider', 'workflow')),
  scheme TEXT NOT NULL CHECK(scheme IN ('http', 'https')),
  host TEXT NOT NULL,
  port INTEGER NOT NULL CHECK(port BETWEEN 1 AND 65535),
  class TEXT NOT NULL CHECK(class IN ('public', 'loopback', 'private')),
  created_at INTEGER NOT NULL,
  UNIQUE(audience, scheme, host, port)
) STRICT;

CREATE TABLE api_key(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  hash BLOB NOT NULL UNIQUE CHECK(length(hash) = 32),
  prefix TEXT NOT NULL,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  kind TEXT NOT NULL CHECK(kind IN ('human', 'agent')),
  agent_id INTEGER REFERENCES agent(id),
  allowed_sources TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_day INTEGER
) STRICT;

CREATE TABLE secret(
  id INTEGER PRIMARY KEY,
  owner TEXT NOT NULL,
  field TEXT NOT NULL,
  key_version INTEGER NOT NULL,
  nonce BLOB NOT NULL CHECK(length(nonce) = 24),
  ciphertext BLOB NOT NULL,
  hint TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE(owner, field)
) STRICT;

CREATE TABLE job(
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK(kind IN ('enrich', 'match')),
  uniq TEXT UNIQUE,
  -- enrich: the indicator and the provider; match: the alert and 0.
  ref INTEGER NOT NULL,
  ref2 INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'ready' CHECK(state IN ('ready', 'running', 'dead')),
  run_at INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0,
  lease_token INTEGER,
  boot INTEGER,
  last_error TEXT,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX job_due ON job(kind, ref2, run_at, id) WHERE state = 'ready';
CREATE INDEX job_next ON job(kind, run_at) WHERE state = 'ready';
CREATE INDEX job_running ON job(boot) WHERE state = 'running';
CREATE INDEX job_enrich ON job(ref) WHERE kind = 'enrich' AND state != 'dead';

CREATE TABLE delivery_payload(
  id INTEGER PRIMARY KEY,
  sha256 BLOB NOT NULL UNIQUE CHECK(length(sha256) = 32),
  body BLOB NOT NULL
) STRICT;

CREATE TABLE delivery(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  alert_id INTEGER REFERENCES alert(id) ON DELETE SET NULL,
  agent_id INTEGER NOT NULL REFERENCES agent(id),
  generation INTEGER NOT NULL,
  trigger TEXT NOT NULL CHECK(trigger IN ('enriched', 'manual', 'redeliver', 'replay', 'test')),
  payload_id INTEGER NOT NULL REFERENCES delivery_payload(id),
  state TEXT NOT NULL CHECK(state IN ('due', 'in_flight', 'parked', 'delivered', 'dead', 'cancelled')),
  next_at INTEGER,
  attempt INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0,
  lease_token INTEGER,
  boot INTEGER,
  dead_reason TEXT,
  delivered_at INTEGER,
  created_at INTEGER NOT NULL
) STRICT;
-- A test may repeat what was sent; nothing else is sent twice under one generation.
CREATE UNIQUE INDEX delivery_once ON delivery(alert_id, agent_id, generation) WHERE trigger != 'test';
CREATE INDEX delivery_due ON delivery(agent_id, next_at, id) WHERE state = 'due';
CREATE INDEX delivery_running ON delivery(boot) WHERE state = 'in_flight';
CREATE INDEX delivery_agent ON delivery(agent_id, id);
CREATE INDEX delivery_payload_use ON delivery(payload_id);

CREATE TABLE delivery_attempt(
  id INTEGER PRIMARY KEY,
  delivery_id INTEGER NOT NULL REFERENCES delivery(id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  outcome TEXT CHECK(outcome IN ('ok', 'http', 'timeout', 'connect', 'tls', 'blocked', 'too_large', 'unknown')),
  status_code INTEGER,
  remote_ip TEXT,
  duration_ms INTEGER,
  response_excerpt TEXT,
  error TEXT,
  UNIQUE(delivery_id, n)
) STRICT;

CREATE TABLE finding(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  alert_id INTEGER NOT NULL REFERENCES alert(id) ON DELETE CASCADE,
  api_key_id INTEGER REFERENCES api_key(id),
  agent_id INTEGER REFERENCES agent(id),
  author_name TEXT NOT NULL,
  key_prefix TEXT,
  summary TEXT NOT NULL,
  confidence REAL CHECK(confidence BETWEEN 0 AND 1),
  confidence_level TEXT CHECK(confidence_level IN ('low', 'medium', 'high')),
  verdict TEXT CHECK(verdict IN ('malicious', 'suspicious', 'benign', 'inconclusive')),
  -- The other fields of the request, as one JSON object.
  content TEXT NOT NULL,
  delivery_id INTEGER REFERENCES delivery(id) ON DELETE SET NULL,
  -- Set when a webhook-id header named the delivery: same key, same delivery, same body is once.
  repeat_key BLOB UNIQUE CHECK(length(repeat_key) = 32),
  posted_at INTEGER NOT NULL
) STRICT;
CREATE INDEX finding_alert ON finding(alert_id, id);
CREATE INDEX finding_delivery ON finding(delivery_id) WHERE delivery_id IS NOT NULL;

CREATE TABLE idempotency(
  api_key_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  request_sha256 BLOB NOT NULL CHECK(length(request_sha256) = 32),
  status INTEGER NOT NULL,
  response TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY(api_key_id, key)
) STRICT, WITHOUT ROWID;

-- The one event log. Hash-chained; a row never changes but for its detail, which retention may drop.
CREATE TABLE event(
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor_kind TEXT NOT NULL CHECK(actor_kind IN ('analyst', 'agent', 'human_key', 'mcp', 'system')),
  actor_name TEXT NOT NULL,
  actor_prefix TEXT,
  kind TEXT NOT NULL,
  object_kind TEXT NOT NULL,
  object_uuid BLOB CHECK(length(object_uuid) = 16),
  alert_uuid BLOB CHECK(length(alert_uuid) = 16),
  detail TEXT,
  detail_sha256 BLOB NOT NULL CHECK(length(detail_sha256) = 32),
  prev BLOB NOT NULL CHECK(length(prev) = 32),
  hash BLOB NOT NULL CHECK(length(hash) = 32)
) STRICT;
CREATE INDEX event_alert ON event(alert_uuid, seq) WHERE alert_uuid IS NOT NULL;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event
  BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER event_no_update BEFORE UPDATE OF seq, at, actor_kind, actor_name, actor_prefix, kind,
  object_kind, object_uuid, alert_uuid, detail_sha256, prev, hash ON event
  BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER event_only_drop_detail BEFORE UPDATE OF detail ON event WHEN NEW.detail IS NOT NULL
  BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
