//! Rows of consecutive records of one partition, growing until the batch is sealed.

use std::fmt;
use std::time::{Duration, Instant};

use kaizen_decision::{RawRecord, Rejection};

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition {
    /// Topic.
    pub topic: String,
    /// Number in the topic.
    pub number: i32,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.number)
    }
}

/// When a batch is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Records of the batch.
    pub records: usize,
    /// Bytes of the batch in memory.
    pub bytes: usize,
    /// Time since its first record.
    pub age: Duration,
}

/// A record that became no row, as it will lie in the topic of dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Offset of the record.
    pub offset: i64,
    /// Kafka's time of the record, milliseconds since 1970.
    pub time: Option<i64>,
    /// Its key, unchanged.
    pub key: Option<Vec<u8>>,
    /// Its value, unchanged; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its headers that tell how to read the value.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// Why.
    pub rejection: Rejection,
}

impl DeadLetter {
    /// A copy of the record.
    pub fn of(record: &RawRecord<'_>, rejection: Rejection) -> Self {
        let headers = [
            ("content-type", record.content_type),
            ("event-id", record.event_id),
        ];
        Self {
            offset: record.offset,
            time: record.time,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: headers
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?.to_vec())))
                .collect(),
            rejection,
        }
    }

    fn bytes(&self) -> usize {
        let length = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        size_of::<Self>() + length(&self.key) + length(&self.value)
    }
}

/// An open batch.
#[derive(Debug)]
pub struct Batch {
    /// Where its records come from.
    pub partition: Partition,
    /// Offset of its first record.
    pub first: i64,
    /// Offset after its last record.
    pub next: i64,
    /// Kafka's time of its first record.
    pub first_time: Option<i64>,
    /// Kafka's time of its last record.
    pub last_time: Option<i64>,
    /// Encoded rows of the records that were accepted.
    pub rows: Vec<u8>,
    /// How many rows.
    pub row_count: usize,
    /// Encoded rows of the records that were rejected.
    pub rejections: Vec<u8>,
    /// The rejected records themselves.
    pub dead_letters: Vec<DeadLetter>,
    /// Some of the traces its records belong to, as `traceparent` says them.
    pub traces: Vec<String>,
    opened: Instant,
    letter_bytes: usize,
}

/// Traces kept of a batch: enough to find one, too few to cost anything.
const TRACES: usize = 8;

impl Batch {
    /// A batch that begins with `record`; `rows` is memory to be used again.
    pub fn open(partition: Partition, record: &RawRecord<'_>, mut rows: Vec<u8>, now: Instant) -> Self {
        rows.clear();
        Self {
            partition,
            first: record.offset,
            next: record.offset,
            first_time: record.time,
            last_time: record.time,
            rows,
            row_count: 0,
            rejections: Vec::new(),
            dead_letters: Vec::new(),
            traces: Vec::new(),
            opened: now,
            letter_bytes: 0,
        }
    }

    /// Notes that `record` is in the batch, whatever became of it.
    pub fn include(&mut self, record: &RawRecord<'_>, trace: Option<&[u8]>) {
        self.next = record.offset + 1;
        self.last_time = record.time;
        if let Some(trace) = trace
            && self.traces.len() < TRACES
            && let Ok(trace) = std::str::from_utf8(trace)
        {
            self.traces.push(trace.to_owned());
        }
    }

    /// Adds a rejected record.
    pub fn bury(&mut self, letter: DeadLetter) {
        self.letter_bytes += letter.bytes();
        self.dead_letters.push(letter);
    }

    /// Records in it, dead letters included.
    pub fn records(&self) -> usize {
        self.row_count + self.dead_letters.len()
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        self.rows.len() + self.rejections.len() + self.letter_bytes
    }

    /// Why it is full, if it is.
    pub fn full(&self, limits: &Limits, now: Instant) -> Option<Sealed> {
        if self.records() >= limits.records {
            Some(Sealed::Rows)
        } else if self.bytes() >= limits.bytes {
            Some(Sealed::Bytes)
        } else if now.duration_since(self.opened) >= limits.age {
            Some(Sealed::Age)
        } else {
            None
        }
    }

    /// What tells this batch from every other, also from one of the same offsets of a topic that was created anew.
    pub fn token(&self) -> String {
        let Partition { topic, number } = &self.partition;
        format!(
            "{topic}:{number}:{}-{}:{}",
            self.first,
            self.next - 1,
            self.first_time.unwrap_or(-1)
        )
    }
}

/// Why a batch was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sealed {
    /// It has as many records as it may.
    Rows,
    /// It has as many bytes as it may.
    Bytes,
    /// Its first record has waited long enough.
    Age,
    /// The service is ending.
    Drain,
}

impl Sealed {
    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Bytes => "bytes",
            Self::Age => "age",
            Self::Drain => "drain",
        }
    }
}
