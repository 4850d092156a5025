-- How far those who tell others of changes have told: the revision of the last event that was delivered.
CREATE TABLE ledger_positions (
  name TEXT PRIMARY KEY NOT NULL,
  revision BIGINT NOT NULL
);
