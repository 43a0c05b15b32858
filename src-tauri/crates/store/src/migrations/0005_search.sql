-- Search: word and fragment indexes, tags as rows, counters, an index for every order of the queue.

ALTER TABLE alert ADD COLUMN finding_count INTEGER NOT NULL DEFAULT 0;
-- Whether its findings name more than one verdict.
ALTER TABLE alert ADD COLUMN disagree INTEGER NOT NULL DEFAULT 0 CHECK(disagree IN (0, 1));
UPDATE alert SET
  finding_count = (SELECT count(*) FROM finding WHERE alert_id = alert.id),
  disagree = (SELECT count(DISTINCT verdict) > 1 FROM finding WHERE alert_id = alert.id)
WHERE id IN (SELECT alert_id FROM finding);

CREATE TABLE tag(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  -- In lower case: what searches compare.
  folded TEXT NOT NULL,
  uses INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE alert_tag(
  tag_id INTEGER NOT NULL REFERENCES tag(id),
  alert_id INTEGER NOT NULL REFERENCES alert(id) ON DELETE CASCADE,
  PRIMARY KEY(tag_id, alert_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_tag_alert ON alert_tag(alert_id);
CREATE TRIGGER alert_tag_added AFTER INSERT ON alert_tag
  BEGIN UPDATE tag SET uses = uses + 1 WHERE id = NEW.tag_id; END;
CREATE TRIGGER alert_tag_removed AFTER DELETE ON alert_tag
  BEGIN UPDATE tag SET uses = uses - 1 WHERE id = OLD.tag_id; END;
INSERT INTO tag(name, folded)
  SELECT DISTINCT t.value, fold(t.value) FROM alert a, json_each(a.tags) t WHERE t.type = 'text';
INSERT OR IGNORE INTO alert_tag(tag_id, alert_id)
  SELECT tag.id, a.id FROM alert a, json_each(a.tags) t JOIN tag ON tag.name = t.value;

CREATE TABLE alert_total(
  id INTEGER PRIMARY KEY CHECK(id = 1),
  alerts INTEGER NOT NULL
) STRICT;
INSERT INTO alert_total(id, alerts) SELECT 1, count(*) FROM alert;

-- Alerts whose words have changed since they were indexed.
CREATE TABLE search_pending(alert_id INTEGER PRIMARY KEY) STRICT;
INSERT INTO search_pending(alert_id) SELECT id FROM alert;
-- Indicators up to this row have their fragments indexed; their values never change.
CREATE TABLE search_state(
  id INTEGER PRIMARY KEY CHECK(id = 1),
  indicators_until INTEGER NOT NULL,
  views_seeded INTEGER NOT NULL DEFAULT 0 CHECK(views_seeded IN (0, 1))
) STRICT;
INSERT INTO search_state(id, indicators_until) VALUES(1, 0);

-- A row is an alert. All three are fed texts in lower case and keep no copy of them.
CREATE VIRTUAL TABLE search_words USING fts5(title, description, indicators, findings, raw,
  content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0');
CREATE VIRTUAL TABLE search_titles USING fts5(title,
  content='', contentless_delete=1, tokenize='trigram case_sensitive 1');
-- A row is an indicator.
CREATE VIRTUAL TABLE search_values USING fts5(value,
  content='', contentless_delete=1, tokenize='trigram case_sensitive 1');

CREATE TRIGGER alert_added AFTER INSERT ON alert BEGIN
  UPDATE alert_total SET alerts = alerts + 1;
  INSERT OR IGNORE INTO search_pending(alert_id) VALUES(NEW.id);
END;
CREATE TRIGGER alert_removed AFTER DELETE ON alert BEGIN
  UPDATE alert_total SET alerts = alerts - 1;
  INSERT OR IGNORE INTO search_pending(alert_id) VALUES(OLD.id);
END;
CREATE TRIGGER alert_reworded AFTER UPDATE OF title, description, raw_payload ON alert BEGIN
  INSERT OR IGNORE INTO search_pending(alert_id) VALUES(NEW.id);
END;
CREATE TRIGGER alert_indicator_worded AFTER INSERT ON alert_indicator BEGIN
  INSERT OR IGNORE INTO search_pending(alert_id) VALUES(NEW.alert_id);
END;
CREATE TRIGGER finding_added AFTER INSERT ON finding BEGIN
  INSERT OR IGNORE INTO search_pending(alert_id) VALUES(NEW.alert_id);
  UPDATE alert SET finding_count = finding_count + 1,
    disagree = (SELECT count(DISTINCT verdict) > 1 FROM finding WHERE alert_id = NEW.alert_id)
  WHERE id = NEW.alert_id;
END;
CREATE TRIGGER finding_removed AFTER DELETE ON finding BEGIN
  INSERT OR IGNORE INTO search_pending(alert_id) VALUES(OLD.alert_id);
  UPDATE alert SET finding_count = finding_count - 1,
    disagree = (SELECT count(DISTINCT verdict) > 1 FROM finding WHERE alert_id = OLD.alert_id)
  WHERE id = OLD.alert_id;
END;

-- An index for every order.
DROP INDEX alert_source;
CREATE INDEX alert_source ON alert(source_name);
CREATE INDEX alert_severity ON alert(severity);
CREATE INDEX alert_title ON alert(title);
CREATE INDEX alert_verdict ON alert(verdict);
CREATE INDEX alert_updated ON alert(updated_at);
CREATE INDEX alert_duplicates ON alert(duplicate_count);
-- And for what few alerts have.
CREATE INDEX alert_ingested ON alert(ingested_at);
CREATE INDEX alert_unfinished ON alert(enrichment_status) WHERE enrichment_status != 'Enriched';
CREATE INDEX alert_class ON alert(close_classification) WHERE close_classification IS NOT NULL;
CREATE INDEX alert_closed ON alert(closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX alert_findings ON alert(finding_count) WHERE finding_count > 0;
CREATE INDEX alert_disagree ON alert(disagree) WHERE disagree = 1;
CREATE INDEX finding_verdict ON finding(verdict, alert_id) WHERE verdict IS NOT NULL;
CREATE INDEX finding_author ON finding(author_name, alert_id);

CREATE TABLE saved_view(
  id INTEGER PRIMARY KEY,
  uuid BLOB NOT NULL UNIQUE CHECK(length(uuid) = 16),
  name TEXT NOT NULL UNIQUE,
  q TEXT NOT NULL,
  columns TEXT NOT NULL DEFAULT '[]',
  density TEXT NOT NULL DEFAULT 'compact' CHECK(density IN ('compact', 'cosy', 'comfortable')),
  is_default INTEGER NOT NULL DEFAULT 0 CHECK(is_default IN (0, 1)),
  is_builtin INTEGER NOT NULL DEFAULT 0 CHECK(is_builtin IN (0, 1)),
  notify INTEGER NOT NULL DEFAULT 0 CHECK(notify IN (0, 1)),
  position INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
