-- Lookups that would walk tables that grow: an alert's deliveries, and answers too old to be kept.

CREATE INDEX delivery_alert ON delivery(alert_id, id) WHERE alert_id IS NOT NULL;
CREATE INDEX idempotency_age ON idempotency(created_at);
