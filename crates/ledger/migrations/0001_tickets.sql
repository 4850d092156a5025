-- Plain SQL that SQLite and PostgreSQL both understand. What is absent is '' or 0, never NULL: unique indices and
-- comparisons then mean the same in both. Times are microseconds since 1970.

-- One row. Whoever writes updates it first, so writers take turns, and revisions are in the order of commits.
CREATE TABLE ledger_turn (
  id BIGINT PRIMARY KEY NOT NULL CHECK (id = 1),
  revision BIGINT NOT NULL,
  last_ticket BIGINT NOT NULL
);
INSERT INTO ledger_turn (id, revision, last_ticket) VALUES (1, 0, 0);

-- Tickets as they stand.
CREATE TABLE tickets (
  number BIGINT PRIMARY KEY NOT NULL,
  -- Revision of the ticket's last change: its etag, and the order of changes.
  revision BIGINT NOT NULL,
  state TEXT NOT NULL,
  -- 1 while somebody may still have to do something about it.
  is_open BIGINT NOT NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  category TEXT NOT NULL,
  metric TEXT NOT NULL,
  rule TEXT NOT NULL,
  owner TEXT NOT NULL,
  -- JSON array of texts.
  labels TEXT NOT NULL,
  -- YYYY-MM-DD; 9999-12-31 for none, so that none sorts last.
  due_date TEXT NOT NULL,
  -- JSON array of objects.
  links TEXT NOT NULL,
  -- Number of the ticket this one repeats.
  duplicate_of BIGINT NOT NULL,
  recommendation_id TEXT NOT NULL,
  -- The recommendation as it was when the ticket was created: JSON.
  evidence TEXT NOT NULL,
  -- What was done and when: JSON; set from `implemented` on.
  implementation TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  -- The request that created it, and a digest of what it asked for.
  request_id TEXT NOT NULL,
  request_digest TEXT NOT NULL
);
CREATE UNIQUE INDEX tickets_by_request ON tickets (request_id);
CREATE UNIQUE INDEX one_open_ticket_a_recommendation ON tickets (recommendation_id)
  WHERE is_open = 1 AND recommendation_id <> '';
CREATE UNIQUE INDEX tickets_by_revision ON tickets (revision, number);
CREATE INDEX tickets_by_due_date ON tickets (due_date, number);

-- What a ticket is found by: its state, owner, category, rule, labels and words. In the order of numbers, so that the
-- tickets of a term are read newest first without sorting.
CREATE TABLE ticket_terms (
  term TEXT NOT NULL,
  number BIGINT NOT NULL REFERENCES tickets (number),
  PRIMARY KEY (term, number)
);

-- Everything that ever happened to a ticket; only added to.
CREATE TABLE ticket_events (
  revision BIGINT PRIMARY KEY NOT NULL,
  number BIGINT NOT NULL REFERENCES tickets (number),
  happened_at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  comment TEXT NOT NULL,
  -- JSON array of {field, before, after}.
  changes TEXT NOT NULL
);
CREATE INDEX ticket_events_by_ticket ON ticket_events (number, revision);
