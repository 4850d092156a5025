-- What an analysis found. Written by `analysis` alone, a row replaced by a later one of the same key: a run that is
-- repeated after a crash leaves the same rows, not more of them. Small tables, read with FINAL.
CREATE TABLE IF NOT EXISTS analyses
(
    analysis_id     String,
    request_id      String,
    period_start    DateTime('UTC'),
    period_end      DateTime('UTC'),
    previous_start  DateTime('UTC'),
    previous_end    DateTime('UTC'),
    time_zone       LowCardinality(String),
    state           LowCardinality(String),                 -- running, succeeded or failed
    created_at      DateTime64(3, 'UTC'),
    updated_at      DateTime64(6, 'UTC'),
    code_version    LowCardinality(String),
    error           String,                                 -- why it failed
    decisions       UInt64,
    rejections      UInt64
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY analysis_id;

-- One value of a metric: of a group or whole, over the period or the one before.
CREATE TABLE IF NOT EXISTS metric_points
(
    analysis_id   String,
    created_at    DateTime64(3, 'UTC'),
    code_version  LowCardinality(String),
    position      UInt32,                                   -- in the order of the catalogue
    metric        LowCardinality(String),                   -- COMPONENT.METRIC
    group         String,                                   -- value of the split dimension, empty for the whole
    start         DateTime('UTC'),
    end           DateTime('UTC'),
    value         Nullable(Float64),
    n             UInt64,
    coverage      Nullable(Float64),
    lower         Nullable(Float64),                        -- 95 % interval
    upper         Nullable(Float64),
    thin          Bool
)
ENGINE = ReplacingMergeTree(created_at)
ORDER BY (analysis_id, position, start);

CREATE TABLE IF NOT EXISTS trends
(
    analysis_id     String,
    created_at      DateTime64(3, 'UTC'),
    code_version    LowCardinality(String),
    position        UInt32,
    metric          LowCardinality(String),
    direction       LowCardinality(String),                 -- improving, declining, stable or insufficient_data
    change_percent  Nullable(Float64),
    p_value         Nullable(Float64),                      -- two-sided
    significance    LowCardinality(String),                 -- high, medium, low or empty
    method          LowCardinality(String)
)
ENGINE = ReplacingMergeTree(created_at)
ORDER BY (analysis_id, position);
