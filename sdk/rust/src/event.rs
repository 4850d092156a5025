//! An event as it travels: its value is complete, nothing of it is looked at again.

/// The header that names the event.
pub(crate) const EVENT_ID: &str = "event-id";
/// The header that names the trace it belongs to.
pub(crate) const TRACEPARENT: &str = "traceparent";
/// The header that names the encoding, and its value.
pub(crate) const CONTENT_TYPE: (&str, &str) = ("content-type", "application/json");

/// What a record of the queue takes besides its texts, roughly.
const OVERHEAD: usize = 160;

/// An encoded decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// The key of the record: the session.
    pub key: String,
    /// The header `event-id`.
    pub event_id: String,
    /// The header `traceparent`.
    pub traceparent: Option<String>,
    /// The JSON text.
    pub value: Vec<u8>,
}

impl Event {
    /// Memory it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        OVERHEAD
            + self.key.len()
            + self.event_id.len()
            + self.traceparent.as_ref().map_or(0, String::len)
            + self.value.len()
    }
}
