//! Which dead letters are replayed: a compacted topic, written in the transaction that replays them.

use std::collections::HashMap;

use anyhow::Context;
use jiff::Timestamp;
use kaizen_decision::LetterId;
use rdkafka::Message;
use serde::{Deserialize, Serialize};

use super::scan::Scan;
use crate::connection::Connection;

/// The value of a mark; its key is the [`LetterId`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Topic of the record that replays the letter: the letter's own.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// When it was replayed, by the clock of whoever did.
    pub replay_time: Timestamp,
}

/// Reads every mark. One identity takes some 200 bytes of memory.
///
/// # Errors
/// There is no such topic, Kafka does not answer, or something else lies there.
pub fn read(connection: &Connection, topic: &str) -> anyhow::Result<HashMap<LetterId, Mark>> {
    let mut marks = HashMap::new();
    let mut scan = Scan::of(connection, topic)?;
    while let Some(message) = scan.next()? {
        let place = || format!("{topic}/{}/{}", message.partition(), message.offset());
        let key = std::str::from_utf8(message.key().unwrap_or_default()).with_context(place)?;
        let letter: LetterId = key.parse().with_context(place)?;
        match message.payload() {
            Some(value) => marks.insert(letter, serde_json::from_slice(value).with_context(place)?),
            // A person took the mark back.
            None => marks.remove(&letter),
        };
    }
    Ok(marks)
}
