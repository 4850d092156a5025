//! Records of Kafka to sealed batches, each stored once however often it is tried. Every record ends in exactly one place
//! of one batch; offsets never pass a record whose batch is not stored; memory does not grow with lag.
//!
//! ```text
//! librdkafka ──(16 MiB)──► consume ─► Step ─► batch ─(seal: rows, bytes, age; 1 a partition)─► intent ─► Store ─► done
//!   poll                    [consume]  pure   [batch]                                         [consume]  [store]  [consume]
//! ```
//!
//! [`Pipeline`] holds a partition's open batch and the one that is being stored ([`reading`]). While that takes long, the
//! open batch fills to its limits and the partition is paused. When memory is short, partitions take turns ([`share`]).
//! Before a batch is stored, its [`Intent`] is committed; a partition that comes with an intent is read from there and
//! the same batch is rebuilt and stored first ([`rebalance`]). Nothing here knows what a record means: a [`Step`]
//! appends to the batch, a [`Store`] makes a batch durable.

mod ask;
mod batch;
mod consume;
mod dead_letter;
mod intent;
mod kafka;
mod lookup;
mod pipeline;
mod publish;
mod reading;
mod rebalance;
mod recent;
mod retry;
mod rows;
mod share;
mod store;

pub use ask::{Reasons, Unanswered, metadata};
pub use batch::{Batch, DeadLetter, Limits, Origin, Partition, Sealed, digest};
pub use consume::{ConsumeError, Observer, consume};
pub use dead_letter::DeadLetters;
pub use intent::{ForeignMetadata, Intent};
pub use kafka::{GroupProtocol, KafkaConfig, missing_topics};
pub use lookup::{Looked, Lookup, Run};
pub use pipeline::{Assignment, Flow, Pipeline, Step};
pub use publish::{Message, Publication, PublishError, Publisher};
pub use reading::{Commit, Unexpected};
pub use recent::{Identity, Recent, Window};
pub use retry::Backoff;
pub use rows::{Row, Rows};
pub use store::{Completion, Recalled, Store};
