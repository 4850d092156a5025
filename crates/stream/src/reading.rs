//! One partition while it is read: the batch that grows, the one that waits for its intent, the one that is stored.

use std::time::{Duration, Instant};

use kaizen_decision::RawRecord;
use tokio_util::sync::CancellationToken;

use crate::batch::{Batch, Limits, Origin, Partition, Sealed};
use crate::intent::Intent;
use crate::recent::Recent;
use crate::store::Recalled;

/// A record that must not come: only a client that hands over records of a partition it was told to pause does that, or a topic that
/// was deleted and created anew. To go on would lose or repeat records.
#[derive(Debug, thiserror::Error)]
#[error("{partition}: the record at offset {offset} {}", if *.paused { "came while the partition was paused" } else { "is another one than before" })]
pub struct Unexpected {
    partition: Partition,
    offset: i64,
    paused: bool,
}

impl Unexpected {
    fn of(partition: &Partition, record: &RawRecord<'_>, paused: bool) -> Self {
        Self {
            partition: partition.clone(),
            offset: record.offset,
            paused,
        }
    }
}

/// An offset to commit, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Of which partition.
    pub partition: Partition,
    /// Everything before it is stored.
    pub offset: i64,
    /// The batch that is about to be stored from there on.
    pub intent: Option<Intent>,
}

impl Commit {
    /// As it is written beside the offset; empty without an intent.
    pub fn metadata(&self) -> String {
        self.intent.map_or_else(String::new, |intent| intent.to_string())
    }
}

/// The position of a batch of which anything may be there: also to whoever replays it.
const UNKNOWN: u64 = 0;

/// A partition that is being read.
pub(crate) struct Reading {
    pub(crate) partition: Partition,
    /// Tells this assignment of the partition from earlier ones.
    pub(crate) assignment: u64,
    paused: bool,
    pub(crate) cancelled: CancellationToken,
    /// While memory is short: which batch of its turn it is, from 1 on; 0 while it waits.
    pub(crate) turn: u32,
    /// What is stored before; unknown until it is recalled.
    recent: Option<Recent>,
    /// Records up to here may be stored already.
    doubtful_to: i64,
    /// The batch an earlier owner was about to store, to be rebuilt first.
    replay: Option<Intent>,
    open: Option<Batch>,
    /// Waits for its intent to be committed.
    sealed: Option<(Batch, Intent)>,
    /// Memory of the batch that is being stored.
    pub(crate) storing: Option<usize>,
    /// Offset after what is stored while the committed one still says that it is about to be, and since when.
    stored: Option<(i64, Instant)>,
    /// Offset after the last record that was read.
    next: i64,
    /// Kafka's time of that record.
    last_time: Option<i64>,
    /// Whether records before it came since.
    went_back: bool,
    /// When its last batch was sealed.
    sealed_at: Option<Instant>,
    /// When its last record came, or when it was last paused or resumed.
    fed: Option<Instant>,
    /// Whether it had no further record then.
    ended: bool,
}

impl Reading {
    /// Paused until what was stored before is recalled.
    pub(crate) fn new(partition: Partition, assignment: u64, from: i64, replay: Option<Intent>) -> Self {
        Self {
            partition,
            assignment,
            paused: true,
            cancelled: CancellationToken::new(),
            turn: 0,
            recent: None,
            doubtful_to: -1,
            replay,
            open: None,
            sealed: None,
            storing: None,
            stored: None,
            next: from,
            last_time: None,
            went_back: false,
            sealed_at: None,
            fed: None,
            ended: false,
        }
    }

    pub(crate) fn is_of(&self, topic: &str, partition: i32) -> bool {
        self.partition.number == partition && self.partition.topic == topic
    }

    pub(crate) fn recalled(&mut self, recalled: Recalled) {
        self.doubtful_to = recalled.stored_to.unwrap_or(-1);
        self.recent = Some(recalled.recent);
    }

    /// The batch the record belongs to, and what was stored before it; `None` if it was read before: librdkafka can go back in a
    /// partition when others are assigned beside it, or when it is resumed (<https://github.com/confluentinc/librdkafka/issues/4686>).
    pub(crate) fn admit(
        &mut self,
        record: &RawRecord<'_>,
        now: Instant,
    ) -> Result<Option<(&mut Batch, &mut Recent)>, Unexpected> {
        let Some(recent) = &mut self.recent else {
            return Err(Unexpected::of(&self.partition, record, true));
        };
        if record.offset < self.next {
            let is_last = record.offset + 1 == self.next;
            if is_last && self.last_time.is_some_and(|time| record.time != Some(time)) {
                return Err(Unexpected::of(&self.partition, record, false));
            }
            // What was read once is in a batch, or stored.
            if !std::mem::replace(&mut self.went_back, true) {
                tracing::warn!(partition = %self.partition, offset = record.offset, next = self.next, "the client went back");
            }
            return Ok(None);
        }
        self.next = record.offset + 1;
        self.last_time = record.time;
        self.went_back = false;
        self.fed = Some(now);
        self.ended = false;
        let partition = &self.partition;
        let open = || Batch::open(partition.clone(), record, now);
        Ok(Some((self.open.get_or_insert_with(open), recent)))
    }

    pub(crate) fn memory(&self) -> usize {
        let sealed = self.sealed.as_ref().map(|(batch, _)| batch);
        let batches = self.open.iter().chain(sealed);
        batches.map(Batch::memory).sum::<usize>() + self.storing.unwrap_or_default()
    }

    /// Bytes of the open batch.
    pub(crate) fn growing(&self) -> usize {
        self.open.as_ref().map_or(0, Batch::bytes)
    }

    /// When its last batch was sealed.
    pub(crate) fn sealed_at(&self) -> Option<Instant> {
        self.sealed_at
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether nothing may be read for now. A batch that is rebuilt grows to what it was, whatever the limits.
    pub(crate) fn is_held(&self, limits: &Limits) -> bool {
        let full = |batch: &Batch| batch.records() >= limits.records || batch.bytes() >= limits.bytes;
        let waiting = self.storing.is_some() || self.sealed.is_some();
        self.recent.is_none() || (waiting && self.open.as_ref().is_some_and(full))
    }

    /// Whether it needs records to get on, so that memory must not hold it up.
    pub(crate) fn is_replaying(&self) -> bool {
        self.replay.is_some()
    }

    /// Whether records wait to become durable, or to be committed as such.
    pub(crate) fn is_busy(&self) -> bool {
        self.open.is_some() || self.sealed.is_some() || self.storing.is_some() || self.stored.is_some()
    }

    /// Why its open batch is to be stored now, if it is.
    pub(crate) fn due(&self, limits: &Limits, now: Instant) -> Option<Sealed> {
        let batch = self.open.as_ref().filter(|_| self.is_free())?;
        match self.replay {
            Some(intent) => (batch.next > intent.last).then_some(Sealed::Replay),
            None => batch.full(limits, now, self.has_more(limits, now)),
        }
    }

    /// Whether records are certain to come: some came just now, or it is paused; and its end was not seen since.
    fn has_more(&self, limits: &Limits, now: Instant) -> bool {
        let fed = |at| now.duration_since(at) < limits.age;
        !self.ended && (self.paused || self.fed.is_some_and(fed))
    }

    /// Notes that there is no further record for now.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// Whether there was no further record when it was last read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.ended
    }

    /// Reads on, or stops to. The first record after a pause takes a while.
    pub(crate) fn set_paused(&mut self, paused: bool, now: Instant) {
        self.paused = paused;
        self.fed = Some(now);
    }

    /// Whether its open batch may be sealed.
    pub(crate) fn is_free(&self) -> bool {
        self.storing.is_none() && self.sealed.is_none()
    }

    /// Closes the open batch; it waits for its intent from now on. `None` if there is none, or if it is not whole.
    pub(crate) fn seal(&mut self, why: Sealed, position: u64) -> Option<&Batch> {
        if !self.is_free() || (self.replay.is_some() && why != Sealed::Replay) {
            return None;
        }
        let mut batch = self.open.take()?;
        batch.close();
        self.sealed_at = Some(Instant::now());
        self.turn += u32::from(self.turn > 0);
        batch.position = position;
        if let Some(left) = self.replay.take() {
            // What is stored of it is as old as the intent that was left.
            batch.position = left.position;
            let same = left.position != UNKNOWN && batch.intent() == left;
            batch.origin = if same { Origin::Replayed } else { Origin::Doubtful };
        } else if batch.first <= self.doubtful_to {
            batch.origin = Origin::Doubtful;
        }
        if batch.origin == Origin::Doubtful {
            batch.position = UNKNOWN;
        }
        let intent = batch.intent();
        Some(&self.sealed.insert((batch, intent)).0)
    }

    /// The intent to commit before the sealed batch is stored.
    pub(crate) fn intent(&self) -> Option<Commit> {
        let (_, intent) = self.sealed.as_ref()?;
        Some(self.commit(intent.first, Some(*intent)))
    }

    /// What to commit of a partition that stored its last batch so long ago: that it did.
    pub(crate) fn done(&self, idle: Duration, now: Instant) -> Option<Commit> {
        let (next, since) = self.stored?;
        let quiet = self.is_free() && (self.open.is_none() || idle.is_zero());
        (quiet && now.duration_since(since) >= idle).then(|| self.commit(next, None))
    }

    fn commit(&self, offset: i64, intent: Option<Intent>) -> Commit {
        Commit {
            partition: self.partition.clone(),
            offset,
            intent,
        }
    }

    /// Notes that a commit succeeded; returns the batch that may be stored now.
    pub(crate) fn committed(&mut self, commit: &Commit) -> Option<Batch> {
        self.stored = None;
        let sealed = self.sealed.take_if(|(_, intent)| Some(*intent) == commit.intent);
        let (mut batch, _) = sealed?;
        batch.promised = Instant::now();
        self.storing = Some(batch.memory());
        Some(batch)
    }

    /// Notes that a batch is stored.
    pub(crate) fn stored(&mut self, next: i64, now: Instant) {
        self.storing = None;
        self.stored = Some((next, now));
    }
}
