use crate::letter::Replay;

/// A record as Kafka delivers it.
#[derive(Debug, Clone, Copy)]
pub struct RawRecord<'a> {
    /// Topic it was read from.
    pub topic: &'a str,
    /// Partition of the topic.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// Kafka's time of the record, milliseconds since 1970. `None` when it carries none.
    pub time: Option<i64>,
    /// Key, by convention the session's id.
    pub key: Option<&'a [u8]>,
    /// Value: the event. `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Header `content-type`.
    pub content_type: Option<&'a [u8]>,
    /// Header `event-id`.
    pub event_id: Option<&'a [u8]>,
    /// Which dead letter it replays, if it does.
    pub replay: Replay<'a>,
}

impl RawRecord<'_> {
    /// Kafka's time when the record came for the first time: for a replay, that of the record that was rejected. Never later
    /// than its own time.
    pub fn first_time(&self) -> Option<i64> {
        let own = self.time?;
        let first = self.replay.first_time();
        Some(first.filter(|first| (0..=own).contains(first)).unwrap_or(own))
    }
}

/// How the value is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// JSON, the default without a header.
    Json,
    /// `kaizen.decisions.v1.Decision`.
    Protobuf,
}

impl ContentType {
    /// Reads the header; parameters such as `; charset=utf-8` do not matter. `None`: another type.
    pub fn of(header: Option<&[u8]>) -> Option<Self> {
        let Some(header) = header else {
            return Some(Self::Json);
        };
        let kind = header.split(|byte| *byte == b';').next().unwrap_or_default();
        match kind.trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"application/json" => Some(Self::Json),
            b"application/x-protobuf" | b"application/protobuf" => Some(Self::Protobuf),
            _ => None,
        }
    }
}
