//! Records of Kafka to sealed batches, each stored before its offsets are committed. Every record ends in exactly one
//! place of one batch; offsets never pass a record whose batch is not stored; memory does not grow with lag.
//!
//! ```text
//! librdkafka ──(16 MiB)──► consume ─► Step ─► batch ─(seal: rows, bytes, age; 1 a partition)─► Store ─► commit
//!   poll                    [consume]  pure   [batch]                                          [store]  [consume]
//! ```
//!
//! [`Pipeline`] holds a partition's open batch and the one that is being stored. While that takes long, the open batch
//! fills to its limits and the partition is paused; all are, when the batches together reach the budget. Nothing here
//! knows what a record means: a [`Step`] appends to the batch, a [`Store`] makes a batch durable.

mod batch;
mod consume;
mod dead_letter;
mod kafka;
mod pipeline;
mod retry;
mod store;

pub use batch::{Batch, DeadLetter, Limits, Partition, Sealed};
pub use consume::{ConsumeError, Observer, consume};
pub use dead_letter::DeadLetters;
pub use kafka::{KafkaConfig, missing_topics};
pub use pipeline::{Flow, Pipeline, Step};
pub use retry::Backoff;
pub use store::{Completion, Store};
