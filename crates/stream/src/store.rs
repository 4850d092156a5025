//! Where sealed batches go.

use std::future::Future;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::batch::{Batch, Partition};
use crate::recent::Recent;

/// Makes batches durable.
pub trait Store: Send + Sync + 'static {
    /// Stores the whole batch once, trying for as long as it takes; returns when every row and every dead letter of it is
    /// durable. It is dropped when the partition is lost or the service ends; then nothing of it was acknowledged, and
    /// whoever reads the partition next gives the same batch again.
    fn store(&self, batch: &Batch) -> impl Future<Output = ()> + Send;

    /// What is known of the records of a partition that were stored before the offset, trying for as long as it takes.
    fn recall(&self, partition: &Partition, before: i64) -> impl Future<Output = Recalled> + Send;

    /// Where the warehouse stands: a number that never falls and grows with every insert. It may be a little old, never
    /// ahead. How far it moved since an intent was written tells whether the warehouse can still know the batch's token.
    fn position(&self) -> u64;
}

/// A batch that is stored.
#[derive(Debug)]
pub struct Completion {
    /// Its partition.
    pub partition: Partition,
    /// Which assignment of the partition it belongs to.
    pub assignment: u64,
    /// Offset after its last record.
    pub next: i64,
    /// Kafka's time of its last record.
    pub last_time: Option<i64>,
}

/// What is known of a partition before its first record is read.
#[derive(Debug)]
pub struct Recalled {
    /// The identities stored before.
    pub recent: Recent,
    /// The last stored offset at or after the one that is read first: offsets were committed too low, or set back by hand.
    pub stored_to: Option<i64>,
}

/// What comes back from the background.
pub(crate) enum Event {
    /// A batch is stored.
    Stored(Completion),
    /// What was stored before is known.
    Recalled(u64, Recalled),
}

/// Work that goes on while the loop reads.
pub(crate) struct Background<S> {
    pub(crate) store: Arc<S>,
    pub(crate) runtime: Handle,
    pub(crate) events: Sender<Event>,
}

impl<S: Store> Background<S> {
    /// Stores a batch and reports its completion, unless it is cancelled before.
    pub(crate) fn store(&self, batch: Batch, assignment: u64, cancelled: CancellationToken) {
        let (store, events) = (self.store.clone(), self.events.clone());
        self.runtime.spawn(async move {
            tokio::select! {
                () = store.store(&batch) => {}
                () = cancelled.cancelled() => return,
            }
            let completion = Completion {
                partition: batch.partition,
                assignment,
                next: batch.next,
                last_time: batch.last_time,
            };
            report(&events, Event::Stored(completion));
        });
    }

    /// Recalls a partition, unless it is cancelled before.
    pub(crate) fn recall(
        &self,
        partition: Partition,
        before: i64,
        assignment: u64,
        cancelled: CancellationToken,
    ) {
        let (store, events) = (self.store.clone(), self.events.clone());
        self.runtime.spawn(async move {
            tokio::select! {
                recalled = store.recall(&partition, before) => report(&events, Event::Recalled(assignment, recalled)),
                () = cancelled.cancelled() => {}
            }
        });
    }
}

fn report(events: &Sender<Event>, event: Event) {
    if events.send(event).is_err() {
        tracing::debug!("something came back after the pipeline had ended");
    }
}
