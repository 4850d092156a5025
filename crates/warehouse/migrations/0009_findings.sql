-- More of a trend: how sure the change is, the long run, and when it turned.
ALTER TABLE trends
    ADD COLUMN IF NOT EXISTS change_lower     Nullable(Float64),          -- 95 % interval of change_percent
    ADD COLUMN IF NOT EXISTS change_upper     Nullable(Float64),
    ADD COLUMN IF NOT EXISTS slope_per_day    Nullable(Float64),          -- in the unit of the metric
    ADD COLUMN IF NOT EXISTS slope_lower      Nullable(Float64),
    ADD COLUMN IF NOT EXISTS slope_upper      Nullable(Float64),
    ADD COLUMN IF NOT EXISTS slope_p_value    Nullable(Float64),
    ADD COLUMN IF NOT EXISTS since            Nullable(DateTime('UTC')),  -- first day of the long run
    ADD COLUMN IF NOT EXISTS days             UInt32,                     -- days with a value in it
    ADD COLUMN IF NOT EXISTS onset            Nullable(DateTime('UTC')),
    ADD COLUMN IF NOT EXISTS n                UInt64,                     -- decisions of the period
    ADD COLUMN IF NOT EXISTS coverage         Nullable(Float64);

-- What else analyses found: changes of level, anomalies, standings of templates and methods, latency tails, miscalibration,
-- missing data. Written and read as the other results of an analysis.
CREATE TABLE IF NOT EXISTS findings
(
    analysis_id   String,
    created_at    DateTime64(3, 'UTC'),
    code_version  LowCardinality(String),
    position      UInt32,
    kind          LowCardinality(String),                   -- level_change, anomaly, standing, latency_tail, miscalibration, missing_data
    component     LowCardinality(String),
    metric        LowCardinality(String),                   -- COMPONENT.METRIC, empty when it is about none
    at            Nullable(DateTime('UTC')),
    content       String CODEC(ZSTD(3))                     -- JSON object: all of it
)
ENGINE = ReplacingMergeTree(created_at)
ORDER BY (analysis_id, position);
