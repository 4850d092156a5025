-- Sixteen weeks of decisions with six dimensions of twenty values, unequally frequent: the square crowds the first ones. In the
-- last eight weeks one combination of two of them fails.
INSERT INTO kaizen.decisions (_topic, _partition, _offset, _ingested_at, event_id, log_type, session_id, timestamp, industry,
    method_used, confidence_level, success, dims, input, output, extra)
WITH
    sipHash64(number) AS a,
    sipHash64(number, 1) AS b,
    arrayMap(place -> toUInt8(20 * pow(bitAnd(bitShiftRight(if(place < 3, a, b), 20 * (place % 3)), 0xFFFFF) / 1048576., 2)), range(6)) AS v,
    toDateTime64('{start}', 3, 'UTC') + INTERVAL number * 9676800 / {rows} SECOND AS time
SELECT
    'kaizen.decisions.backfill', number % 8, 1000000000 + intDiv(number, 8), toDateTime64('{ingested}', 3, 'UTC'), hex(a), 'wide',
    concat('wide-', hex(b)), time, concat('i', toString(v[1])), concat('m', toString(v[2])), 'high',
    bitShiftRight(b, 60) > if(v[3] = 3 AND v[4] = 5 AND time >= toDateTime64('{start}', 3, 'UTC') + INTERVAL 8 WEEK, 5, 1),
    map('a', concat('v', toString(v[3])), 'b', concat('v', toString(v[4])), 'c', concat('v', toString(v[5])),
        'd', concat('v', toString(v[6]))),
    '{}', '{}', '{}'
FROM numbers({rows})
SETTINGS min_insert_block_size_rows = 1000000, min_insert_block_size_bytes = 0
