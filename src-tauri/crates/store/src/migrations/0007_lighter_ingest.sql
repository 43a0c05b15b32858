-- A trigger makes SQLite keep a copy of every page that its statement touches. What is written for
-- every alert that comes in is therefore counted and noted by statements of its own.
DROP TRIGGER alert_added;
DROP TRIGGER alert_indicator_added;
DROP TRIGGER alert_indicator_worded;
