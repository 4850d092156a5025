//! A row of the table `outcomes`.

use kaizen_decision::{Outcome, RawRecord};

use super::binary::{float64, int32, int64, nullable, string};

/// The table.
pub const TABLE: &str = "outcomes";

/// The columns in the order of [`encode`].
pub const COLUMNS: &str = "_topic, _partition, _offset, _ingested_at, event_id, session_id, outcome, timestamp, value, currency, extra";

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
