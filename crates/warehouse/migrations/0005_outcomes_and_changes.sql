-- What became of sessions: one row an outcome, joined with the decisions of its session. A metric reads one outcome's name
-- and looks for its sessions, so that is the order. Identity and times are as in `decisions`.
CREATE TABLE IF NOT EXISTS outcomes
(
    _topic        LowCardinality(String),
    _partition    Int32,
    _offset       Int64,
    _ingested_at  DateTime64(3, 'UTC'),
    event_id      String CODEC(ZSTD(1)),
    session_id    String CODEC(ZSTD(1)),
    outcome       LowCardinality(String),
    timestamp     DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    value         Nullable(Float64),                        -- -1e12 to 1e12
    currency      LowCardinality(String),                   -- ISO 4217, or empty
    extra         String CODEC(ZSTD(3)),                    -- JSON object of the fields the schema does not name
    INDEX event_id_bloom event_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX session_id_bloom session_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX offset_range _offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (outcome, session_id, timestamp, _topic, _partition, _offset)
TTL toDateTime(_ingested_at) + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000;

-- The ledger of changes: what was different from when on.
CREATE TABLE IF NOT EXISTS changes
(
    _topic        LowCardinality(String),
    _partition    Int32,
    _offset       Int64,
    _ingested_at  DateTime64(3, 'UTC'),
    event_id      String CODEC(ZSTD(1)),
    kind          LowCardinality(String),                   -- deploy, prompt, model or config
    component     LowCardinality(String),
    version       String CODEC(ZSTD(1)),
    at            DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    link          String CODEC(ZSTD(1)),                    -- address, or empty
    extra         String CODEC(ZSTD(3)),                    -- JSON object of the fields the schema does not name
    INDEX event_id_bloom event_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX offset_range _offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (component, at, _topic, _partition, _offset)
TTL toDateTime(_ingested_at) + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000;
