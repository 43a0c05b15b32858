-- Triage: what an analyst marks, notes, snoozes, suppresses, reviews and takes back.
--
-- Marks are rows of narrow tables of their own: an alert's row ends with its payload, which a column
-- of the alert would make every mark write again and every search for a mark read over.

-- Alerts that nobody has opened, or that somebody marked so. What is there already counts as read.
CREATE TABLE unread(
  alert_id INTEGER PRIMARY KEY REFERENCES alert(id) ON DELETE CASCADE
) STRICT;

CREATE TABLE suppression(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  name TEXT NOT NULL,
  q TEXT NOT NULL,
  reason TEXT,
  expires_at INTEGER NOT NULL,
  -- Alerts that it has ever hidden.
  hidden_count INTEGER NOT NULL DEFAULT 0,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- The other marks of an alert; one that has none has no row.
CREATE TABLE triage(
  alert_id INTEGER PRIMARY KEY REFERENCES alert(id) ON DELETE CASCADE,
  is_flagged INTEGER NOT NULL DEFAULT 0 CHECK(is_flagged IN (0, 1)),
  snoozed_until INTEGER,
  last_viewed_at INTEGER,
  suppression_id INTEGER REFERENCES suppression(id) ON DELETE SET NULL
) STRICT;
CREATE INDEX triage_flagged ON triage(is_flagged) WHERE is_flagged = 1;
CREATE INDEX triage_snoozed ON triage(snoozed_until) WHERE snoozed_until IS NOT NULL;
CREATE INDEX triage_suppressed ON triage(suppression_id) WHERE suppression_id IS NOT NULL;

-- Never changed; taking the change back that made one removes it.
CREATE TABLE note(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  alert_id INTEGER NOT NULL REFERENCES alert(id) ON DELETE CASCADE,
  text TEXT NOT NULL,
  author TEXT NOT NULL,
  author_kind TEXT NOT NULL CHECK(author_kind IN ('analyst', 'agent', 'human_key', 'mcp', 'system')),
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX note_alert ON note(alert_id, id);

-- The items of a document's checklist that somebody ticked or unticked for an alert.
CREATE TABLE checklist_mark(
  alert_id INTEGER NOT NULL REFERENCES alert(id) ON DELETE CASCADE,
  document_id INTEGER NOT NULL REFERENCES context_document(id) ON DELETE CASCADE,
  -- The item's place in the document, from 0.
  item INTEGER NOT NULL CHECK(item >= 0),
  is_done INTEGER NOT NULL CHECK(is_done IN (0, 1)),
  author TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY(alert_id, document_id, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX checklist_document ON checklist_mark(document_id);

-- What can be taken back, for a day: a change of one alert or of many.
CREATE TABLE change(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  kind TEXT NOT NULL,
  actor_kind TEXT NOT NULL CHECK(actor_kind IN ('analyst', 'agent', 'human_key', 'mcp', 'system')),
  actor_name TEXT NOT NULL,
  at INTEGER NOT NULL,
  undo_until INTEGER NOT NULL,
  undone_at INTEGER,
  -- The suppression that was made by it.
  suppression_id INTEGER REFERENCES suppression(id) ON DELETE SET NULL
) STRICT;
CREATE INDEX change_at ON change(at);
CREATE INDEX change_suppression ON change(suppression_id) WHERE suppression_id IS NOT NULL;

-- What it did to one alert: the fields that differ, before and after, as JSON objects.
CREATE TABLE change_item(
  id INTEGER PRIMARY KEY,
  change_id INTEGER NOT NULL REFERENCES change(id) ON DELETE CASCADE,
  -- Not the row, which another alert may have once this one is deleted.
  alert_uuid BLOB NOT NULL CHECK(length(alert_uuid) = 16),
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  note_uuid BLOB CHECK(length(note_uuid) = 16)
) STRICT;
CREATE INDEX change_item_change ON change_item(change_id, id);

-- What the analyst said of a finding, and the finding that it replaces.
ALTER TABLE finding ADD COLUMN review_decision TEXT CHECK(review_decision IN ('accept', 'disagree'));
ALTER TABLE finding ADD COLUMN review_reason TEXT;
ALTER TABLE finding ADD COLUMN review_comment TEXT;
ALTER TABLE finding ADD COLUMN reviewed_by TEXT;
ALTER TABLE finding ADD COLUMN reviewed_at INTEGER;
ALTER TABLE finding ADD COLUMN is_hidden INTEGER NOT NULL DEFAULT 0 CHECK(is_hidden IN (0, 1));
ALTER TABLE finding ADD COLUMN supersedes_id INTEGER;
UPDATE finding SET supersedes_id = (SELECT earlier.id FROM finding earlier
    WHERE earlier.uuid = unhex(replace(finding.content ->> '$.supersedes', '-', ''))
      AND earlier.alert_id = finding.alert_id)
  WHERE content ->> '$.supersedes' IS NOT NULL;
CREATE INDEX finding_supersedes ON finding(supersedes_id) WHERE supersedes_id IS NOT NULL;

-- Alerts that were sent once more, to try an agent.
CREATE INDEX delivery_replay ON delivery(alert_id) WHERE trigger = 'replay';

-- What a rule's alerts were closed as lately.
CREATE INDEX alert_rule_closed ON alert(detection_rule_id, closed_at, close_classification)
  WHERE closed_at IS NOT NULL;
