-- One week of a fleet of four kinds of decisions, {rows} of them from {start} on, much as the simulated fleet of `config/scenarios` has
-- them: its weights, methods, dimensions, measures and hours of the week. Every value follows from the number of the row.
INSERT INTO kaizen.decisions (_topic, _partition, _offset, _ingested_at, event_id, log_type, session_id, timestamp, company,
    industry, method_used, confidence_level, processing_time, success, quality_score, success_indicator, dims, measures, input,
    output, extra)
WITH
    {first} + number AS n,
    sipHash64(n) AS a,
    sipHash64(n, 1) AS b,
    sipHash64(n, 2) AS c,
    -- Two independent numbers of the standard normal distribution (G. E. P. Box and M. E. Muller, 1958)
    sqrt(-2 * log((bitAnd(a, 0xFFFFFF) + 1) / 16777216.)) AS radius,
    2 * pi() * bitAnd(bitShiftRight(a, 24), 0xFFFF) / 65536. AS angle,
    radius * cos(angle) AS normal,
    radius * sin(angle) AS other,
    [1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 4][1 + bitShiftRight(a, 40) % 12] AS kind,
    -- Messages and the CRM by day, enrichment and scraping by night; fewer at weekends
    [0, 1, 2, 3, 4, 5, 6, 6, 7, 7, 7, 8, 8, 8, 8, 9, 9, 9, 9, 10, 10, 10, 10, 11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 15,
     16, 16, 16, 17, 17, 17, 18, 18, 19, 20, 21, 22, 23] AS by_day,
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 20, 21, 21, 21,
     22, 22, 22, 22, 23, 23, 23, 23] AS by_night,
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 6][1 + b % 21] AS day,
    if(kind IN (1, 4), by_day[1 + bitShiftRight(b, 8) % 53], by_night[1 + bitShiftRight(b, 8) % 48]) AS hour_of_day,
    toDateTime64('{start}', 3, 'UTC') + INTERVAL day * 86400000 + hour_of_day * 3600000 + bitShiftRight(b, 24) % 3600000 MILLISECOND AS time,
    bitShiftRight(c, 8) % 1000 / 1000. AS draw,
    bitShiftRight(c, 20) % 1000 / 1000. AS another,
    bitShiftRight(c, 32) % 20 AS d,
    bitShiftRight(c, 40) % 20 AS e,
    bitShiftRight(c, 48) % 20 AS f,
    [['llm_personalised', 'llm_personalised', 'template_fill'], ['registry_lookup', 'web_search', 'llm_inference'],
     ['static_html', 'static_html', 'headless_browser'], ['batch_upsert', 'single_update', 'batch_upsert']][kind][1 + d % 3] AS method,
    ['low', 'medium', 'medium', 'high'][1 + bitShiftRight(c, 56) % 4] AS confidence,
    time >= toDateTime64('{fault}', 3, 'UTC') AS is_faulty,
    [0.985, 0.94, 0.96, 0.988][kind] - if(is_faulty AND method = 'web_search', 0.25, 0) AS success_rate,
    ['intro', 'intro', 'intro', 'follow_up', 'follow_up', 'case_study', 'event_invite'][1 + e % 7] AS template,
    [0.58, 0.84, 0.84, 0.97][kind] - if(is_faulty AND template = 'case_study', 0.3, 0) AS approval_rate,
    draw < success_rate AS is_done,
    ['large-2', 'small-3', 'small-3'][1 + f % 3] AS model
SELECT
    'kaizen.decisions.backfill', n % 8, intDiv(n, 8), toDateTime64('{ingested}', 3, 'UTC'), hex(a),
    ['campaign_generation', 'enrichment_decision', 'website_analysis', 'airtable_operation'][kind],
    concat('session-', hex(intDiv(n, 6))), time, concat('company-', toString(b % 5000)),
    ['software', 'software', 'logistics', 'retail', 'healthcare', 'finance', 'manufacturing', 'software'][1 + b % 8],
    method, confidence,
    round(exp([0.6, 0.7, 0.4, -1.1][kind] + [0.35, 0.5, 0.6, 0.3][kind] * normal), 3),
    is_done,
    if(kind = 4, NULL, round(least(100, greatest(0, 76 + 8 * other)), 1)),
    if(another < [0.9, 0.7, 0.5, 0.6][kind], bitShiftRight(a, 44) % 1000 / 1000. < approval_rate AND is_done, NULL),
    multiIf(
        kind = 1, map('template', template, 'model', model, 'prompt_version', ['v12', 'v13'][1 + d % 2]),
        kind = 2, map('source', ['crm', 'web_form', 'list'][1 + e % 3], 'model', model),
        kind = 3, map('site_kind', ['company', 'company', 'shop', 'blog'][1 + e % 4]),
        is_done, map('operation', ['create', 'update', 'update', 'delete'][1 + e % 4]),
        map('operation', ['create', 'update', 'update', 'delete'][1 + e % 4], 'error_kind',
            ['rate_limited', 'rate_limited', 'conflict', 'timeout'][1 + f % 4])),
    multiIf(
        kind = 1, map('tokens', round(420 * exp(0.3 * other)), 'cost_usd', round(0.0021 * exp(0.3 * other), 6)),
        kind = 2, map('cost_usd', round(0.0008 * exp(0.4 * other), 6)),
        kind = 3, map('content_chars', round(4200 * exp(0.7 * other))),
        map()),
    '{}', '{}', '{}'
FROM numbers({rows})
SETTINGS min_insert_block_size_rows = 1000000, min_insert_block_size_bytes = 0, max_block_size = 65536, max_insert_threads = 1, max_threads = 2
