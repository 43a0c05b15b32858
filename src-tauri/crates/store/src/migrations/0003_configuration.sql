-- What a person configures: sources, rules, mappings, documents with their history, providers with
-- their fields and quotas; and the payloads that were refused.

CREATE TABLE installation(
  id INTEGER PRIMARY KEY CHECK(id = 1),
  uuid BLOB NOT NULL CHECK(length(uuid) = 16),
  created_at INTEGER NOT NULL
) STRICT;

ALTER TABLE source ADD COLUMN display_name TEXT;
ALTER TABLE source ADD COLUMN documentation TEXT;
-- The generic plugin's paths, as one JSON object.
ALTER TABLE source ADD COLUMN field_map TEXT;
ALTER TABLE source ADD COLUMN auth_type TEXT;
-- Kept here and not computed: it must survive the deletion of the alerts.
ALTER TABLE source ADD COLUMN last_received_at INTEGER;
UPDATE source SET last_received_at = (SELECT max(ingested_at) FROM alert WHERE source_name = source.name);

-- A body that was refused, to look at and to replay. Bounded per source, oldest dropped.
CREATE TABLE reject(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  source_id INTEGER NOT NULL REFERENCES source(id) ON DELETE CASCADE,
  at INTEGER NOT NULL,
  code TEXT NOT NULL,
  reason TEXT NOT NULL,
  key_prefix TEXT,
  bytes INTEGER NOT NULL CHECK(bytes >= 0),
  payload BLOB NOT NULL
) STRICT;
CREATE INDEX reject_source ON reject(source_id, id, bytes);

ALTER TABLE indicator_mapping ADD COLUMN description TEXT;
ALTER TABLE indicator_mapping ADD COLUMN updated_at INTEGER;

ALTER TABLE detection_rule ADD COLUMN data_sources TEXT NOT NULL DEFAULT '[]';
ALTER TABLE detection_rule ADD COLUMN run_frequency TEXT;
ALTER TABLE detection_rule ADD COLUMN created_by TEXT;

-- Every content that a document has had.
CREATE TABLE context_document_version(
  document_id INTEGER NOT NULL REFERENCES context_document(id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  title TEXT NOT NULL,
  content TEXT NOT NULL,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  PRIMARY KEY(document_id, version)
) STRICT;
INSERT INTO context_document_version(document_id, version, title, content, at, actor)
  SELECT id, version, title, content, updated_at, 'Calseta' FROM context_document;

-- What a person set of a provider that came with the product: merged over its definition.
ALTER TABLE provider ADD COLUMN overrides TEXT NOT NULL DEFAULT '{}';
ALTER TABLE provider ADD COLUMN blocked_until INTEGER;

CREATE TABLE provider_usage(
  provider_id INTEGER NOT NULL REFERENCES provider(id) ON DELETE CASCADE,
  -- Days since the epoch, UTC.
  day INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  PRIMARY KEY(provider_id, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE field_extraction(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  provider_id INTEGER NOT NULL REFERENCES provider(id) ON DELETE CASCADE,
  indicator_type TEXT NOT NULL,
  source_path TEXT NOT NULL,
  target_key TEXT NOT NULL,
  value_type TEXT NOT NULL DEFAULT 'string',
  description TEXT,
  is_system INTEGER NOT NULL DEFAULT 0 CHECK(is_system IN (0, 1)),
  is_active INTEGER NOT NULL DEFAULT 1 CHECK(is_active IN (0, 1)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE(provider_id, indicator_type, source_path)
) STRICT;

-- A provider that goes takes its answers along.
CREATE INDEX enrichment_provider ON enrichment(provider_id, indicator_id);
