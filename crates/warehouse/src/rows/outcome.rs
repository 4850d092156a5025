//! A row of the table `outcomes`.

use kaizen_decision::{Outcome, RawRecord};

use super::binary::{float64, int32, int64, nullable, string};
use super::column::{Column, INT32, INT64, Kind, OPTIONAL_FLOAT64, TIME, column};

/// The table.
pub const TABLE: &str = "outcomes";

/// The columns in the order of [`encode`].
pub const COLUMNS: &[Column] = &[
    column("_topic", Kind::Dictionary),
    column("_partition", INT32),
    column("_offset", INT64),
    column("_ingested_at", TIME),
    column("event_id", Kind::String),
    column("session_id", Kind::String),
    column("outcome", Kind::Dictionary),
    column("timestamp", TIME),
    column("value", OPTIONAL_FLOAT64),
    column("currency", Kind::Dictionary),
    column("extra", Kind::Text),
];

/// Appends a row.
pub fn encode(record: &RawRecord<'_>, outcome: &Outcome<'_>, rows: &mut Vec<u8>) {
    string(rows, record.topic);
    int32(rows, record.partition);
    int64(rows, record.offset);
    int64(rows, outcome.recorded);
    string(rows, &outcome.event_id);
    string(rows, &outcome.session_id);
    string(rows, &outcome.outcome);
    int64(rows, outcome.timestamp.as_millisecond());
    nullable(rows, outcome.value, float64);
    string(rows, outcome.currency.as_deref().unwrap_or_default());
    string(rows, &outcome.extra);
}
