//! Where sealed batches go.

use std::future::Future;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::batch::{Batch, Partition};

/// Makes batches durable.
pub trait Store: Send + Sync + 'static {
    /// Stores the whole batch, trying for as long as it takes; returns when every row and every dead letter of it is
    /// durable. It is dropped when the partition is lost or the service ends; then nothing of it was acknowledged.
    fn store(&self, batch: &mut Batch) -> impl Future<Output = ()> + Send;
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
    /// Its memory, to be used again.
    pub rows: Vec<u8>,
}

/// Stores a batch in the background and reports its completion, unless it is cancelled before.
pub(crate) fn dispatch<S: Store>(
    runtime: &Handle,
    store: Arc<S>,
    mut batch: Batch,
    assignment: u64,
    cancelled: CancellationToken,
    completions: Sender<Completion>,
) {
    runtime.spawn(async move {
        tokio::select! {
            () = store.store(&mut batch) => {}
            () = cancelled.cancelled() => return,
        }
        let completion = Completion {
            partition: batch.partition,
            assignment,
            next: batch.next,
            last_time: batch.last_time,
            rows: batch.rows,
        };
        if completions.send(completion).is_err() {
            tracing::debug!("a batch was stored after the pipeline had ended");
        }
    });
}
