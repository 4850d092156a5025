-- Why metrics changed: of each metric one row for the whole (rank 0, an empty slice), then the slices that changed otherwise
-- than the rest, most important first. Written and read as the other results of an analysis.
CREATE TABLE IF NOT EXISTS culprits
(
    analysis_id   String,
    created_at    DateTime64(3, 'UTC'),
    code_version  LowCardinality(String),
    position      UInt32,                                   -- of the metric, in the order of the catalogue
    rank          UInt32,
    metric        LowCardinality(String),                   -- COMPONENT.METRIC
    explained     String,                                   -- in words: the metric, or the share beyond its earlier quantile
    unit          LowCardinality(String),                   -- of all that follows
    slice         Array(Tuple(String, String)),             -- dimension and value of each condition
    value         Nullable(Float64),                        -- mean over the period
    n             UInt64,
    previous      Nullable(Float64),                        -- mean over the period before
    previous_n    UInt64,
    effect        Float64,                                  -- change beyond that of the rest; of the whole, its change
    lower         Float64,                                  -- 95 % interval of the effect
    upper         Float64,
    p_value       Float64,                                  -- of no effect, times the slices and metrics searched
    mix           Float64,                                  -- what it adds to the whole by another share of the decisions
    rate          Float64                                   -- what it adds by another mean of its own
)
ENGINE = ReplacingMergeTree(created_at)
ORDER BY (analysis_id, position, rank);
