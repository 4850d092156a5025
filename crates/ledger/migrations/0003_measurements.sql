-- What implemented tickets changed, as measured on the days it was due; only added to.
CREATE TABLE measurements (
  revision BIGINT PRIMARY KEY NOT NULL,
  number BIGINT NOT NULL REFERENCES tickets (number),
  -- When the change that was measured went live: a ticket may be implemented again.
  implemented_at BIGINT NOT NULL,
  -- The day after it that the measurement was due for.
  day BIGINT NOT NULL,
  measured_at BIGINT NOT NULL,
  -- What was found, as JSON.
  content TEXT NOT NULL
);
CREATE UNIQUE INDEX one_measurement_a_day ON measurements (number, implemented_at, day);
