//! A partition that is read.

use std::time::Instant;

use kaizen_decision::RawRecord;
use kaizen_stream::{Batch, Limits, Partition, Recent, Window};

/// Nothing is remembered.
const NO_WINDOW: Window = Window {
    offsets: 0,
    milliseconds: 0,
};

/// Its open batch, and whether one is being inserted.
pub struct Lane {
    pub partition: Partition,
    pub inserting: bool,
    pub paused: bool,
    open: Option<Batch>,
    fed: Instant,
    recent: Recent,
}

impl Lane {
    pub fn new(partition: Partition) -> Self {
        Self {
            partition,
            inserting: false,
            paused: false,
            open: None,
            fed: Instant::now(),
            recent: Recent::new(NO_WINDOW, []),
        }
    }

    pub fn is_of(&self, topic: &str, partition: i32) -> bool {
        self.partition.number == partition && self.partition.topic == topic
    }

    /// The batch the record belongs to.
    pub fn admit(&mut self, record: &RawRecord<'_>, now: Instant) -> (&mut Batch, &mut Recent) {
        self.fed = now;
        let partition = &self.partition;
        let open = || Batch::open(partition.clone(), record, now);
        (self.open.get_or_insert_with(open), &mut self.recent)
    }

    /// The open batch, closed, if it is full and may be inserted.
    pub fn seal_if_due(&mut self, limits: &Limits, now: Instant) -> Option<Batch> {
        let more = self.paused || now.duration_since(self.fed) < limits.age;
        let full = |batch: &mut Batch| batch.full(limits, now, more).is_some();
        let mut batch = self.open.take_if(|batch| !self.inserting && full(batch))?;
        batch.close();
        self.inserting = true;
        Some(batch)
    }

    /// Whether nothing may be read for now.
    pub fn is_held(&self, limits: &Limits) -> bool {
        let full = |batch: &Batch| batch.records() >= limits.records || batch.bytes() >= limits.bytes;
        self.inserting && self.open.as_ref().is_some_and(full)
    }
}
