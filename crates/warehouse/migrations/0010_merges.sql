-- Merges cost an event more than its insert did. Below 131,072 rows ClickHouse merges row by row through all columns, at five times
-- the cost of one column after the other; and it merges few parts again and again rather than many at once.
ALTER TABLE decisions MODIFY SETTING
    vertical_merge_algorithm_min_rows_to_activate = 1,
    min_parts_to_merge_at_once = 10;
