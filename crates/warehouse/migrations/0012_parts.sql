-- Merges go on costing an event about what its insert does. Thirty parts at once are passed over once where ten were passed over twice;
-- and a batch of the collector (24 MiB at most) is two files instead of some eighty: making and removing files was a tenth of the
-- engine's time.
ALTER TABLE decisions MODIFY SETTING
    min_parts_to_merge_at_once = 30,
    min_bytes_for_wide_part = 33554432;
