-- Which granules hold an offset: what a partition stored lately is asked for when it is taken over, replayed or audited.
ALTER TABLE decisions ADD INDEX IF NOT EXISTS offset_range _offset TYPE minmax GRANULARITY 1;

ALTER TABLE rejections ADD INDEX IF NOT EXISTS offset_range _offset TYPE minmax GRANULARITY 1;
