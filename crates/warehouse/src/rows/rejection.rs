//! A row of the table `rejections`: where a record stands and why it is no decision, never what it says.

use kaizen_decision::{RawRecord, Rejection};

use super::binary::{int32, int64, string};

/// The table.
pub const TABLE: &str = "rejections";

/// The columns in the order of [`encode`].
pub const COLUMNS: &str = "_topic, _partition, _offset, _ingested_at, reason, field, bytes";

/// A rejected record.
#[derive(Debug, Clone, Copy)]
pub struct RejectionRow<'a> {
    /// The record.
    pub record: &'a RawRecord<'a>,
    /// Why it was rejected.
    pub rejection: Rejection,
}

/// Appends a row.
pub fn encode(row: &RejectionRow<'_>, rows: &mut Vec<u8>) {
    let record = row.record;
    string(rows, record.topic);
    int32(rows, record.partition);
    int64(rows, record.offset);
    // A record without a time of its own is put at the beginning of time rather than at a made-up one.
    int64(rows, record.time.unwrap_or_default().max(0));
    string(rows, row.rejection.reason.as_str());
    string(rows, row.rejection.field);
    let bytes = record.value.map_or(0, |value| value.len() as u64);
    rows.extend_from_slice(&bytes.to_le_bytes());
}
