-- What analyses recommend, most urgent first. Written and read as the other results of an analysis; `recommendation_id` is the
-- same for the same finding in every run.
CREATE TABLE IF NOT EXISTS recommendations
(
    analysis_id        String,
    created_at         DateTime64(3, 'UTC'),
    code_version       LowCardinality(String),
    position           UInt32,
    recommendation_id  String,
    rule               LowCardinality(String),
    category           LowCardinality(String),
    component          LowCardinality(String),
    metric             LowCardinality(String),              -- COMPONENT.METRIC, empty when it is about the data
    priority           LowCardinality(String),              -- HIGH, MEDIUM or LOW
    certainty          Float64,                             -- 0 to 1
    score              Float64,                             -- orders recommendations of one priority
    content            String CODEC(ZSTD(3))                -- JSON object: all of it
)
ENGINE = ReplacingMergeTree(created_at)
ORDER BY (analysis_id, position);

-- What people decided about them; the latest holds.
CREATE TABLE IF NOT EXISTS recommendation_decisions
(
    recommendation_id  String,
    decided_at         DateTime64(6, 'UTC'),
    decision           LowCardinality(String),              -- accepted, dismissed or open
    reason             String,
    actor              String
)
ENGINE = MergeTree
ORDER BY (recommendation_id, decided_at);
