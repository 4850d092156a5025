-- Hourly sums of every decision per combination of dimensions, kept by the view below. Sums are fixed-point decimals and
-- counts, so they are the same whatever the order of inserts and merges: a rollup can be compared with its table to the
-- last digit, and an analysis repeats to the last bit. Processing times are kept as exact counts of values rounded to
-- three significant digits: quantiles merge without loss and are at most 0.5 % off the unrounded value.
CREATE TABLE IF NOT EXISTS rollup_hourly
(
    hour                   DateTime('UTC'),
    log_type               LowCardinality(String),
    method_used            LowCardinality(String),
    confidence_level       LowCardinality(String),
    industry               LowCardinality(String),
    dims                   Array(Tuple(LowCardinality(String), LowCardinality(String))),  -- sorted by name
    decisions              SimpleAggregateFunction(sum, UInt64),
    successes              SimpleAggregateFunction(sum, UInt64),
    labelled               SimpleAggregateFunction(sum, UInt64),
    positives              SimpleAggregateFunction(sum, UInt64),
    quality_count          SimpleAggregateFunction(sum, UInt64),
    quality_sum            SimpleAggregateFunction(sum, Decimal(38, 6)),
    quality_sum_squares    SimpleAggregateFunction(sum, Decimal(38, 6)),
    processing_time_count        SimpleAggregateFunction(sum, UInt64),
    processing_time_sum          SimpleAggregateFunction(sum, Decimal(38, 6)),
    processing_time_sum_squares  SimpleAggregateFunction(sum, Decimal(38, 6)),
    processing_time_quantiles    AggregateFunction(quantilesExactWeighted(0.5, 0.95, 0.99), Float64, UInt64),
    measure_counts         SimpleAggregateFunction(sumMap, Map(LowCardinality(String), UInt64)),
    measure_sums           SimpleAggregateFunction(sumMap, Map(LowCardinality(String), Decimal(38, 9))),
    measure_sum_squares    SimpleAggregateFunction(sumMap, Map(LowCardinality(String), Decimal(38, 9)))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (log_type, hour, method_used, confidence_level, industry, dims)
SETTINGS non_replicated_deduplication_window = 10000;
