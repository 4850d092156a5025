-- Thirty parts are merged once where ten were merged, and merged again. A batch of the collector (24 MiB at most) is a compact part of fourteen
-- files instead of a wide one of some eighty: making files was an eighth of the engine's time (docs/adr/0017-decisions-by-offset.md).
ALTER TABLE decisions MODIFY SETTING
    min_parts_to_merge_at_once = 30,
    min_bytes_for_wide_part = 33554432;
