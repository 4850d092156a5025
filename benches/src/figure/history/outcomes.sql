-- What became of the messages: a share of {share} in a thousand has a {name} within {seconds} seconds.
INSERT INTO kaizen.outcomes (_topic, _partition, _offset, _ingested_at, event_id, session_id, outcome, timestamp, value, currency,
    extra)
SELECT 'kaizen.outcomes', n % 8, intDiv(n, 8), toDateTime64('{ingested}', 3, 'UTC'), hex(h), session_id, '{name}',
    timestamp + toIntervalSecond(bitAnd(h, {seconds})), {value}, '{currency}', '{}'
FROM (
    SELECT _partition + 8 * _offset AS n, sipHash64(n, '{name}') AS h, session_id, timestamp
    FROM kaizen.decisions WHERE log_type = 'campaign_generation' AND h % 1000 < {share})
