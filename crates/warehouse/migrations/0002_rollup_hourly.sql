-- Hourly sums of every decision per combination of dimensions, kept by the view below. Sums are fixed-point decimals and
-- counts, so they are the same whatever the order of inserts and merges: a rollup can be compared with its table to the
-- last digit, and an analysis repeats to the last bit. `processing_times` counts the times, rounded to three significant
-- digits, by nanoseconds: quantiles merge without loss and are at most 0.5 % off the unrounded value. Inserts are small and
-- touch many cells: plain strings cost half of what dictionaries of each part do, and a hash ahead of the dimensions makes
-- comparing cheap.
CREATE TABLE IF NOT EXISTS rollup_hourly
(
    hour                         DateTime('UTC') CODEC(Delta, ZSTD(1)),
    log_type                     String,
    cell                         UInt64,                                                        -- hash of the dimensions
    method_used                  String,
    confidence_level             String,
    industry                     String,
    dims                         Array(Tuple(String, String)),                                  -- sorted by name
    decisions                    SimpleAggregateFunction(sum, UInt64),
    successes                    SimpleAggregateFunction(sum, UInt64),
    labelled                     SimpleAggregateFunction(sum, UInt64),
    positives                    SimpleAggregateFunction(sum, UInt64),
    quality_count                SimpleAggregateFunction(sum, UInt64),
    quality_sum                  SimpleAggregateFunction(sum, Decimal(38, 6)),
    quality_sum_squares          SimpleAggregateFunction(sum, Decimal(38, 6)),
    processing_time_count        SimpleAggregateFunction(sum, UInt64),
    processing_time_sum          SimpleAggregateFunction(sum, Decimal(38, 6)),
    processing_time_sum_squares  SimpleAggregateFunction(sum, Decimal(38, 6)),
    processing_times             SimpleAggregateFunction(sumMap, Map(UInt64, UInt64)),
    measure_counts               SimpleAggregateFunction(sumMap, Map(String, UInt64)),
    measure_sums                 SimpleAggregateFunction(sumMap, Map(String, Decimal(38, 9))),
    measure_sum_squares          SimpleAggregateFunction(sumMap, Map(String, Decimal(38, 9)))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (log_type, hour, cell, method_used, confidence_level, industry, dims)
SETTINGS non_replicated_deduplication_window = 10000;

-- A float becomes a decimal by way of whole millionths (of measures, billionths), rounded: toDecimal128 of a float cuts, and would make 0.29
-- of 0.289999…. Whole numbers are summed, and the sums are made decimals: exact in any order, and cheaper than digits of each value.
-- Numbers that a sum could not hold (not finite, or from 1e10 on; no time, score, token count or price is) stay in
-- `decisions` and out of the rollup, so that one absurd value cannot make an insert fail.
CREATE MATERIALIZED VIEW IF NOT EXISTS rollup_hourly_view TO rollup_hourly AS
WITH
    coalesce(quality_score, 0) AS quality,
    ifNull(abs(quality_score) < 1e10, false) AS has_quality,
    coalesce(processing_time, 0) AS seconds,
    ifNull(abs(processing_time) < 1e10, false) AS has_time,
    mapFilter((name, value) -> abs(value) < 1e10, CAST(measures, 'Map(String, Float64)')) AS numbers
SELECT
    toStartOfHour(timestamp)::DateTime('UTC') AS hour,
    log_type,
    cityHash64(method_used, confidence_level, industry, dims) AS cell,
    method_used,
    confidence_level,
    industry,
    arraySort(CAST(dims, 'Array(Tuple(String, String))')) AS dims,
    count() AS decisions,
    countIf(success) AS successes,
    countIf(isNotNull(success_indicator)) AS labelled,
    countIf(ifNull(success_indicator, false)) AS positives,
    countIf(has_quality) AS quality_count,
    toDecimal128(sumIf(toInt128(round(if(has_quality, quality, 0.) * 1e6)), has_quality), 0) * toDecimal128('0.000001', 6)
        AS quality_sum,
    toDecimal128(sumIf(toInt128(round(if(has_quality, quality * quality, 0.) * 1e6)), has_quality), 0) * toDecimal128('0.000001', 6)
        AS quality_sum_squares,
    countIf(has_time) AS processing_time_count,
    toDecimal128(sumIf(toInt128(round(if(has_time, seconds, 0.) * 1e6)), has_time), 0) * toDecimal128('0.000001', 6)
        AS processing_time_sum,
    toDecimal128(sumIf(toInt128(round(if(has_time, seconds * seconds, 0.) * 1e6)), has_time), 0) * toDecimal128('0.000001', 6)
        AS processing_time_sum_squares,
    sumMapIf(map(toUInt64(toDecimal128(printf('%.2e', if(has_time, seconds, 0.)), 9) * 1000000000), toUInt64(1)), has_time)
        AS processing_times,
    sumMap(mapApply((name, value) -> (name, toUInt64(1)), numbers)) AS measure_counts,
    mapApply((name, total) -> (name, toDecimal128(total, 0) * toDecimal128('0.000000001', 9)),
        sumMap(mapApply((name, value) -> (name, toInt128(round(value * 1e9))), numbers))) AS measure_sums,
    mapApply((name, total) -> (name, toDecimal128(total, 0) * toDecimal128('0.000000001', 9)),
        sumMap(mapApply((name, value) -> (name, toInt128(round(value * value * 1e9))), numbers))) AS measure_sum_squares
FROM decisions
GROUP BY hour, log_type, cell, method_used, confidence_level, industry, dims;
