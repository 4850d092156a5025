-- Facts: one row a decision, in the order the analysis reads them: by hours, and within an hour by where they came from. A batch is of one
-- partition, so its rows stay together when parts are merged; sorted by time, those of all partitions alternate row by row, and a merge
-- costs nearly twice as much (docs/adr/0017-decisions-by-offset.md). `_ingested_at` is Kafka's time of the record, never
-- the clock of whoever inserts, so that a batch rebuilt from the same offsets is the same bytes.
CREATE TABLE IF NOT EXISTS decisions
(
    _topic                  LowCardinality(String),
    _partition              Int32,
    _offset                 Int64,
    _ingested_at            DateTime64(3, 'UTC'),
    event_id                String CODEC(ZSTD(1)),
    log_type                LowCardinality(String),
    session_id              String CODEC(ZSTD(1)),
    timestamp               DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    lead_name               String CODEC(ZSTD(1)),          -- pseudonym or empty; see docs/adr
    company                 String CODEC(ZSTD(1)),
    industry                LowCardinality(String),
    method_used             LowCardinality(String),
    confidence_level        LowCardinality(String),         -- high, medium, low or empty
    processing_time         Nullable(Float64),              -- seconds
    success                 Bool,
    quality_score           Nullable(Float64),              -- 0 to 100; 64 bits, so that 81.7 is summed as 81.7
    success_indicator       Nullable(Bool),
    improvement_potential   LowCardinality(String),         -- high, medium, low or empty
    experiment              LowCardinality(String),
    arm                     LowCardinality(String),
    allocation_probability  Nullable(Float64),
    dims                    Map(LowCardinality(String), LowCardinality(String)),
    measures                Map(LowCardinality(String), Float64),
    input                   String CODEC(ZSTD(3)),          -- JSON object
    output                  String CODEC(ZSTD(3)),          -- JSON object
    extra                   String CODEC(ZSTD(3)),          -- JSON object of the fields the schema does not name
    INDEX event_id_bloom event_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX session_id_bloom session_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (log_type, toStartOfHour(timestamp), method_used, _topic, _partition, _offset)
TTL toDateTime(_ingested_at) + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000;

-- Records that became no decision: where they stand and why, never what they say.
CREATE TABLE IF NOT EXISTS rejections
(
    _topic        LowCardinality(String),
    _partition    Int32,
    _offset       Int64,
    _ingested_at  DateTime64(3, 'UTC'),
    reason        LowCardinality(String),
    field         String,                                   -- JSON pointer, empty when the record as a whole is at fault
    bytes         UInt64                                    -- length of the record's value
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(_ingested_at)
ORDER BY (_ingested_at, _topic, _partition, _offset)
TTL toDateTime(_ingested_at) + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000;
