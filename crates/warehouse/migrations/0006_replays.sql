-- Records that replay a dead letter, and which one: written with the batch the record is in, once. The letter is open for as
-- long as it has no row here; its own row stays in `rejections`. Every batch with rows here has some in `decisions` or
-- `rejections` too, so this table never takes more blocks than those two.
CREATE TABLE IF NOT EXISTS replays
(
    _topic            LowCardinality(String),
    _partition        Int32,
    _offset           Int64,
    _ingested_at      DateTime64(3, 'UTC'),
    letter_topic      LowCardinality(String),               -- the rejected record, as `rejections` has it
    letter_partition  Int32,
    letter_offset     Int64,
    letter_time       DateTime64(3, 'UTC'),
    INDEX offset_range _offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(_ingested_at)
ORDER BY (letter_time, letter_topic, letter_partition, letter_offset)
TTL toDateTime(_ingested_at) + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000;
