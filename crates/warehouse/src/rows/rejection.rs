//! A row of the table `rejections`: where a record stands and why it is no decision of its own, never what it says.

use kaizen_decision::{RawRecord, Rejection};

use super::binary::{int32, int64, string};
use super::column::{Column, INT32, INT64, Kind, TIME, UINT64, column};

/// The table.
pub const TABLE: &str = "rejections";

/// The columns in the order of [`encode`].
pub const COLUMNS: &[Column] = &[
    column("_topic", Kind::Dictionary),
    column("_partition", INT32),
    column("_offset", INT64),
    column("_ingested_at", TIME),
    column("reason", Kind::Dictionary),
    column("field", Kind::String),
    column("bytes", UINT64),
];

/// The reason of a record that repeats a stored one; the others are [`kaizen_decision::Reason`]s.
pub const DUPLICATE: &str = "duplicate";

/// Appends the row of a rejected record.
pub fn encode(record: &RawRecord<'_>, rejection: Rejection, rows: &mut Vec<u8>) {
    append(record, rejection.reason.as_str(), rejection.field, rows);
}

/// Appends the row of a record that repeats a stored one.
pub fn encode_duplicate(record: &RawRecord<'_>, rows: &mut Vec<u8>) {
    append(record, DUPLICATE, "", rows);
}

fn append(record: &RawRecord<'_>, reason: &str, field: &str, rows: &mut Vec<u8>) {
    string(rows, record.topic);
    int32(rows, record.partition);
    int64(rows, record.offset);
    // A record without a time of its own is put at the beginning of time rather than at a made-up one.
    int64(rows, record.time.unwrap_or_default().max(0));
    string(rows, reason);
    string(rows, field);
    let bytes = record.value.map_or(0, |value| value.len() as u64);
    rows.extend_from_slice(&bytes.to_le_bytes());
}
