//! A row of the table `changes`.

use kaizen_decision::{Change, RawRecord};

use super::binary::{int32, int64, string};
use super::column::{Column, INT32, INT64, Kind, TIME, column};

/// The table.
pub const TABLE: &str = "changes";

/// The columns in the order of [`encode`].
pub const COLUMNS: &[Column] = &[
    column("_topic", Kind::Dictionary),
    column("_partition", INT32),
    column("_offset", INT64),
    column("_ingested_at", TIME),
    column("event_id", Kind::String),
    column("kind", Kind::Dictionary),
    column("component", Kind::Dictionary),
    column("version", Kind::String),
    column("at", TIME),
    column("link", Kind::String),
    column("extra", Kind::Text),
];

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
