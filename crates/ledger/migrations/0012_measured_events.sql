-- A measurement is an event of its ticket: the day after the change that it was due for, and its verdict in a word. 0 and '' for
-- every other event. Measurements kept before have none.
ALTER TABLE ticket_events ADD COLUMN measured_day BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ticket_events ADD COLUMN measured_verdict TEXT NOT NULL DEFAULT '';
