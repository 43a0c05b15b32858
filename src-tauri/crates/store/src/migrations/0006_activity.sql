-- The log by kind, by actor and by time; one index that answers what metrics ask.

CREATE INDEX event_kind ON event(kind, seq);
CREATE INDEX event_actor ON event(actor_kind, actor_name, seq);
CREATE INDEX event_at ON event(at);

DROP INDEX alert_ingested;
CREATE INDEX alert_ingested ON alert(ingested_at, status, severity, source_name, detection_rule_id,
  close_classification, enriched_at, occurred_at, acknowledged_at, triaged_at, closed_at);
