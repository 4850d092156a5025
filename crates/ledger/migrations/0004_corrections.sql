-- How the forecasts of rules are corrected: what was learned, from which outcomes, and what became of it. A row is added when
-- something is learned and changed once, when it ends.
CREATE TABLE corrections (
  number BIGINT PRIMARY KEY NOT NULL,
  -- Revision of its last change.
  revision BIGINT NOT NULL,
  rule TEXT NOT NULL,
  -- active, superseded or reverted.
  state TEXT NOT NULL,
  -- What a forecast is multiplied by, and by how much intervals are widened, in shares of the forecast.
  factor DOUBLE PRECISION NOT NULL,
  widening DOUBLE PRECISION NOT NULL,
  -- What it was learned by: measured over forecast, its error, the p-value of 1, and how far it was drawn towards 1.
  ratio DOUBLE PRECISION NOT NULL,
  ratio_error DOUBLE PRECISION NOT NULL,
  p_value DOUBLE PRECISION NOT NULL,
  share DOUBLE PRECISION NOT NULL,
  -- JSON array of the outcomes it was learned from.
  outcomes TEXT NOT NULL,
  learned_at BIGINT NOT NULL,
  learned_by TEXT NOT NULL,
  -- 0 and empty while it is active.
  ended_at BIGINT NOT NULL,
  ended_by TEXT NOT NULL,
  reason TEXT NOT NULL
);
CREATE UNIQUE INDEX one_active_correction_a_rule ON corrections (rule) WHERE state = 'active';
CREATE INDEX corrections_by_rule ON corrections (rule, number);
