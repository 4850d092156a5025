-- To whom tickets' transitions are told over HTTP: how far each has been told, and who tells.
CREATE TABLE webhook_destinations (
  name TEXT PRIMARY KEY NOT NULL,
  -- Of where it is: one that has moved is told again. SHA-256.
  address_digest TEXT NOT NULL,
  -- Revision up to which the audit was looked through for what it is to be told.
  position BIGINT NOT NULL,
  -- The process that tells it, and until when no other may.
  lease_holder TEXT NOT NULL,
  lease_until BIGINT NOT NULL,
  -- Why it is told nothing any more; '' while it is.
  disabled TEXT NOT NULL,
  -- When it last took a message, and when and why one last failed; 0 and '' for never.
  delivered_at BIGINT NOT NULL,
  failed_at BIGINT NOT NULL,
  failure TEXT NOT NULL
);

-- What they are still to be told: an event of the audit each. A row is gone once it is told.
CREATE TABLE webhook_deliveries (
  destination TEXT NOT NULL REFERENCES webhook_destinations (name),
  number BIGINT NOT NULL REFERENCES tickets (number),
  revision BIGINT NOT NULL,
  -- Tries that failed, since when, and before when there is no further one.
  failures BIGINT NOT NULL,
  failing_since BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  PRIMARY KEY (destination, number, revision)
);
CREATE INDEX webhook_deliveries_by_revision ON webhook_deliveries (destination, revision);
