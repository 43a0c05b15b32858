-- Verdicts that people and agents set, counts that lists show, and what alerts of an indicator are
-- ordered by.

ALTER TABLE alert ADD COLUMN malice_override_at INTEGER;
-- What lists and searches call the verdict.
ALTER TABLE alert ADD COLUMN verdict INTEGER GENERATED ALWAYS AS (coalesce(malice_override, malice)) VIRTUAL;

ALTER TABLE indicator ADD COLUMN malice_override INTEGER CHECK(malice_override BETWEEN 0 AND 3);
ALTER TABLE indicator ADD COLUMN malice_override_by TEXT CHECK(malice_override_by IN ('analyst', 'agent'));
ALTER TABLE indicator ADD COLUMN malice_override_at INTEGER;
ALTER TABLE indicator ADD COLUMN is_enriched INTEGER NOT NULL DEFAULT 0 CHECK(is_enriched IN (0, 1));
ALTER TABLE indicator ADD COLUMN alert_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE indicator ADD COLUMN updated_at INTEGER;
-- An address as 16 sortable bytes, IPv4 mapped into IPv6: a network is a range of them.
ALTER TABLE indicator ADD COLUMN ip_key BLOB CHECK(length(ip_key) = 16);
UPDATE indicator SET
  is_enriched = EXISTS (SELECT 1 FROM enrichment e WHERE e.indicator_id = indicator.id AND e.enriched_at IS NOT NULL),
  alert_count = (SELECT count(*) FROM alert_indicator l WHERE l.indicator_id = indicator.id),
  ip_key = CASE WHEN type = 'ip' THEN ip_key(value) END;
CREATE INDEX indicator_ip ON indicator(ip_key) WHERE ip_key IS NOT NULL;
CREATE INDEX indicator_malice ON indicator(malice);
CREATE INDEX indicator_last_seen ON indicator(last_seen);
CREATE INDEX indicator_value ON indicator(value);

ALTER TABLE alert_indicator ADD COLUMN occurred_at INTEGER NOT NULL DEFAULT 0;
UPDATE alert_indicator SET occurred_at = (SELECT occurred_at FROM alert WHERE alert.id = alert_id);
DROP INDEX alert_indicator_indicator;
CREATE INDEX alert_indicator_indicator ON alert_indicator(indicator_id, occurred_at, alert_id);
CREATE TRIGGER alert_indicator_added AFTER INSERT ON alert_indicator
  BEGIN UPDATE indicator SET alert_count = alert_count + 1 WHERE id = NEW.indicator_id; END;
CREATE TRIGGER alert_indicator_removed AFTER DELETE ON alert_indicator
  BEGIN UPDATE indicator SET alert_count = alert_count - 1 WHERE id = OLD.indicator_id; END;

-- Asked for again while it is being worked on: it is then done once more.
ALTER TABLE job ADD COLUMN again INTEGER NOT NULL DEFAULT 0 CHECK(again IN (0, 1));

CREATE INDEX delivery_state ON delivery(state, id);
CREATE INDEX delivery_created ON delivery(created_at);
