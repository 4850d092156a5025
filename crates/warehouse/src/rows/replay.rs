//! A row of the table `replays`: a record that replays a dead letter, and which one.

use kaizen_decision::{LetterId, RawRecord};

use super::binary::{int32, int64, string};
use super::column::{Column, INT32, INT64, Kind, TIME, column};

/// The table.
pub const TABLE: &str = "replays";

/// The columns in the order of [`encode`].
pub const COLUMNS: &[Column] = &[
    column("_topic", Kind::Dictionary),
    column("_partition", INT32),
    column("_offset", INT64),
    column("_ingested_at", TIME),
    column("letter_topic", Kind::Dictionary),
    column("letter_partition", INT32),
    column("letter_offset", INT64),
    column("letter_time", TIME),
];

/// Appends the row of a record that replays a letter.
pub fn encode(record: &RawRecord<'_>, letter: &LetterId, rows: &mut Vec<u8>) {
    place(
        record.topic,
        (
            record.partition,
            record.offset,
            record.time.unwrap_or_default().max(0),
        ),
        rows,
    );
    place(
        &letter.topic,
        (letter.partition, letter.offset, letter.time),
        rows,
    );
}

fn place(topic: &str, (partition, offset, time): (i32, i64, i64), rows: &mut Vec<u8>) {
    string(rows, topic);
    int32(rows, partition);
    int64(rows, offset);
    int64(rows, time);
}
