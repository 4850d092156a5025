//! A row of the table `changes`.

use kaizen_decision::{Change, RawRecord};

use super::binary::{int32, int64, string};

/// The table.
pub const TABLE: &str = "changes";

/// The columns in the order of [`encode`].
pub const COLUMNS: &str =
    "_topic, _partition, _offset, _ingested_at, event_id, kind, component, version, at, link, extra";

/// Appends a row.
pub fn encode(record: &RawRecord<'_>, change: &Change<'_>, rows: &mut Vec<u8>) {
    string(rows, record.topic);
    int32(rows, record.partition);
    int64(rows, record.offset);
    int64(rows, change.recorded);
    string(rows, &change.event_id);
    string(rows, change.kind.as_str());
    string(rows, &change.component);
    string(rows, &change.version);
    int64(rows, change.at.as_millisecond());
    string(rows, change.link.as_deref().unwrap_or_default());
    string(rows, &change.extra);
}
