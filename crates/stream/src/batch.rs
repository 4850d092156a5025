//! Rows of consecutive records of one partition, growing until the batch is sealed.

use std::fmt;
use std::time::{Duration, Instant, UNIX_EPOCH};

use kaizen_decision::letter::header;
use kaizen_decision::{RawRecord, Rejection};

use crate::intent::Intent;
use crate::rows::Rows;

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
    /// The same while its last record is older than that and more come: nobody waits for it, and a larger batch costs less.
    pub age_behind: Duration,
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
    /// Its headers that tell how to read the value, which dead letter it replays, and which trace it belongs to.
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
            (header::REPLAY_OF, record.replay.of),
            (header::FIRST_TIME, record.replay.first_time),
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
        let headers = self.headers.iter().map(|(_, value)| value.len()).sum::<usize>();
        size_of::<Self>() + length(&self.key) + length(&self.value) + headers
    }
}

/// What can be there of a batch before it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nothing: its records were in no batch before.
    Fresh,
    /// It was rebuilt, byte for byte, from an intent that an earlier owner of the partition left behind: the same batch
    /// under the same token may be there, whole or in part.
    Replayed,
    /// Some of its records may be there from batches that were cut otherwise.
    Doubtful,
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
    /// Rows of the records that were accepted.
    pub rows: Rows,
    /// Rows of the records that were not: rejected, or repeating a stored one.
    pub rejections: Rows,
    /// Rows of the records that replay a dead letter, whatever became of them: which one.
    pub replays: Rows,
    /// The rejected records themselves.
    pub dead_letters: Vec<DeadLetter>,
    /// Some of the traces its records belong to, as `traceparent` says them.
    pub traces: Vec<String>,
    /// What can be there of it.
    pub origin: Origin,
    /// Where the warehouse stood when its intent was written; what is stored of it is no older than that.
    pub position: u64,
    /// When its intent was committed; before that, when it was opened.
    pub promised: Instant,
    opened: Instant,
    letter_bytes: usize,
}

/// Traces kept of a batch: enough to find one, too few to cost anything.
const TRACES: usize = 8;

impl Batch {
    /// A batch that begins with `record`.
    pub fn open(partition: Partition, record: &RawRecord<'_>, now: Instant) -> Self {
        Self {
            partition,
            first: record.offset,
            next: record.offset,
            first_time: record.time,
            last_time: record.time,
            rows: Rows::default(),
            rejections: Rows::default(),
            replays: Rows::default(),
            dead_letters: Vec::new(),
            traces: Vec::new(),
            origin: Origin::Fresh,
            position: 0,
            promised: now,
            opened: now,
            letter_bytes: 0,
        }
    }

    /// Notes that `record` is in the batch, whatever became of it; as a dead letter it keeps its trace.
    pub fn include(&mut self, record: &RawRecord<'_>, trace: Option<&[u8]>) {
        self.next = record.offset + 1;
        self.last_time = record.time;
        if let Some(trace) = trace
            && let Some(letter) = self.dead_letters.last_mut()
            && letter.offset == record.offset
        {
            letter.headers.push(("traceparent", trace.to_vec()));
            self.letter_bytes += trace.len();
        }
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

    /// Records in it, whatever became of them.
    pub fn records(&self) -> usize {
        self.rows.len() + self.rejections.len()
    }

    /// Bytes of its rows and dead letters.
    pub fn bytes(&self) -> usize {
        self.rows.bytes() + self.rejections.bytes() + self.replays.bytes() + self.letter_bytes
    }

    /// Bytes of memory it holds.
    pub fn memory(&self) -> usize {
        self.rows.memory() + self.rejections.memory() + self.replays.memory() + self.letter_bytes
    }

    /// Ends its rows: no record comes after.
    pub fn close(&mut self) {
        self.rows.close();
        self.rejections.close();
        self.replays.close();
    }

    /// Why it is full, if it is. `more` tells whether there are records to come for certain.
    pub fn full(&self, limits: &Limits, now: Instant, more: bool) -> Option<Sealed> {
        if self.records() >= limits.records {
            Some(Sealed::Rows)
        } else if self.bytes() >= limits.bytes {
            Some(Sealed::Bytes)
        } else {
            let age = now.duration_since(self.opened);
            let more = || more && age < limits.age_behind && self.is_older_than(limits.age_behind);
            (age >= limits.age && !more()).then_some(Sealed::Age)
        }
    }

    fn is_older_than(&self, age: Duration) -> bool {
        let last = Duration::from_millis(self.last_time.unwrap_or_default().max(0).unsigned_abs());
        (UNIX_EPOCH + last).elapsed().is_ok_and(|old| old > age)
    }

    /// The intent to store it, at the batch's position of the warehouse.
    pub fn intent(&self) -> Intent {
        let content = [&self.rows, &self.rejections, &self.replays].map(Rows::digest);
        Intent {
            first: self.first,
            last: self.next - 1,
            first_time: self.first_time.unwrap_or(-1),
            digest: content[0] ^ content[1].rotate_left(1) ^ content[2].rotate_left(2),
            position: self.position,
        }
    }

    /// How the tokens of all batches of its partition begin, and of no other's.
    pub fn token_of_partition(&self) -> String {
        let Partition { topic, number } = &self.partition;
        format!("{topic}:{number}:")
    }

    /// What tells this batch from every other, also from one of the same offsets of a topic that was created anew.
    pub fn token(&self) -> String {
        format!(
            "{}{}-{}:{}",
            self.token_of_partition(),
            self.first,
            self.next - 1,
            self.first_time.unwrap_or(-1)
        )
    }
}

/// A digest of bytes: CityHash 1.0.2 of 128 bits. It finds mistakes, not forgeries.
pub fn digest(bytes: &[u8]) -> u128 {
    cityhash_rs::cityhash_102_128(bytes)
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
    /// Memory was short.
    Memory,
    /// The service is ending.
    Drain,
    /// It holds what an earlier owner of the partition was about to store.
    Replay,
}

impl Sealed {
    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Bytes => "bytes",
            Self::Age => "age",
            Self::Memory => "memory",
            Self::Drain => "drain",
            Self::Replay => "replay",
        }
    }
}
