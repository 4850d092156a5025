//! The loop that reads Kafka: polls, feeds the pipeline, commits intents and what is stored, pauses and resumes.
//!
//! Commits are synchronous, one for all partitions that have something to commit: a rebalance is handled on this same
//! thread, so no commit can be under way when a partition is given up, and none can be sent later in the name of a
//! newer generation of the group. The broker refuses what a member that it no longer knows commits; then nothing is
//! inserted, and the rebalance that follows drops the batch.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kaizen_decision::letter::header;
use kaizen_decision::{RawRecord, Replay};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;

use crate::batch::Partition;
use crate::intent::ForeignMetadata;
use crate::kafka::KafkaConfig;
use crate::pipeline::{Flow, Pipeline, Step};
use crate::reading::{Commit, Unexpected};
use crate::rebalance::Context;
use crate::store::{Completion, Store};

/// Longest wait for a record; ages are looked at this often.
const POLL: Duration = Duration::from_millis(20);
/// Records after which ages and completions are looked at however many more there are.
const RECORDS_A_TICK: u32 = 1024;
/// How long a commit that failed is left alone, so that a rebalance that explains it can come first.
const RECOMMIT: Duration = Duration::from_millis(100);
/// How long the end of the service may take, out of its ten seconds: for what is being stored, then for what was open.
const DRAIN: [Duration; 2] = [Duration::from_secs(4), Duration::from_secs(4)];

/// Sees what happens, for instruments and health.
pub trait Observer: Send + Sync + 'static {
    /// The loop got on; `busy` tells whether records wait to become durable.
    fn progress(&self, busy: bool);

    /// Whether brokers can be reached.
    fn reachable(&self, state: Result<(), String>);

    /// The partition is read from now on; everything before the offset is stored.
    fn assigned(&self, partition: &Partition, from: i64);

    /// The partition is not read any more.
    fn revoked(&self, partition: &Partition);

    /// Everything up to the completion's offset is stored.
    fn durable(&self, completion: &Completion);

    /// Records of a partition that are not committed yet, as librdkafka last saw it; `None` if it is not read any more.
    fn lag(&self, partition: &Partition, records: Option<u64>);
}

/// Why consuming ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// librdkafka refuses the configuration or the subscription.
    #[error("Kafka: {0}")]
    Refused(#[from] KafkaError),
    /// The client cannot go on; only a new process can.
    #[error("Kafka: fatal: {0}")]
    Fatal(String),
    /// The committed offset is not in the topic any more: records were deleted before they were stored.
    #[error(
        "Kafka: {0}: the offset to go on from is not in the topic. If the records before its beginning may be given up, set \
         kafka.when_out_of_range to earliest"
    )]
    OutOfRange(KafkaError),
    /// Something else commits in this group's name.
    #[error("Kafka: the metadata of the committed offset of {partition}: {source}")]
    Metadata {
        /// Of which partition.
        partition: Partition,
        /// What it says.
        source: ForeignMetadata,
    },
    /// Committed offsets could not be read.
    #[error("Kafka: committed offsets cannot be read: {0}")]
    Committed(KafkaError),
    /// The client broke its word.
    #[error("Kafka: {0}")]
    Unexpected(#[from] Unexpected),
}

/// Reads `topics` (a name beginning with `^` is a regular expression) until `shutdown`; then stores what is open and
/// commits it. Blocks: run it on a thread of its own.
///
/// # Errors
/// Kafka refuses the configuration, the client fails for good, or to go on would lose or repeat records.
pub fn consume<P: Step, S: Store>(
    kafka: &KafkaConfig,
    topics: &[String],
    pipeline: Pipeline<P, S>,
    observer: Arc<dyn Observer>,
    shutdown: &CancellationToken,
) -> Result<(), ConsumeError> {
    let pipeline = Arc::new(Mutex::new(pipeline));
    let context = Context::new(pipeline.clone(), observer.clone(), shutdown.clone());
    let consumer: BaseConsumer<Context<P, S>> = kafka.consumer().create_with_context(context)?;
    consumer.subscribe(&topics.iter().map(String::as_str).collect::<Vec<_>>())?;
    let mut recommit = Instant::now();
    while !shutdown.is_cancelled() {
        read(&consumer, &pipeline, observer.as_ref())?;
        if let Some(failure) = consumer.context().failure() {
            return Err(failure);
        }
        let now = Instant::now();
        let mut held = locked(&pipeline);
        let durable = held.completed();
        let flow = held.tick(now);
        let commits = held.commits(now);
        observer.progress(held.is_busy());
        drop(held);
        durable.iter().for_each(|completion| observer.durable(completion));
        steer(&consumer, &flow);
        if now >= recommit && !commits.is_empty() && !commit_and_store(&consumer, &pipeline, &commits) {
            recommit = Instant::now() + RECOMMIT;
        }
    }
    drain(&consumer, &pipeline, observer.as_ref());
    Ok(())
}

/// Stores what is open, if there is time, and commits what is stored.
fn drain<P: Step, S: Store>(
    consumer: &BaseConsumer<Context<P, S>>,
    pipeline: &Mutex<Pipeline<P, S>>,
    observer: &dyn Observer,
) {
    let mut held = locked(pipeline);
    let partitions = held.partitions();
    let mut durable = held.drain(DRAIN[0]);
    let intents = held.commits(Instant::now());
    drop(held);
    if commit_and_store(consumer, pipeline, &intents) {
        durable.extend(locked(pipeline).settle(&partitions, DRAIN[1]));
    }
    durable.iter().for_each(|completion| observer.durable(completion));
    let done = locked(pipeline).done(&partitions);
    commit_and_store(consumer, pipeline, &done);
    locked(pipeline).revoke(&partitions);
}

/// Feeds the pipeline until there is nothing to read or it is time to look at the clock.
fn read<P: Step, S: Store>(
    consumer: &BaseConsumer<Context<P, S>>,
    pipeline: &Mutex<Pipeline<P, S>>,
    observer: &dyn Observer,
) -> Result<(), ConsumeError> {
    let mut wait = POLL;
    let now = Instant::now();
    for _ in 0..RECORDS_A_TICK {
        match consumer.poll(wait) {
            None => return Ok(()),
            Some(Ok(message)) => {
                take(&message, &mut locked(pipeline), now)?;
                wait = Duration::ZERO;
            }
            // librdkafka names the partition by its number alone.
            Some(Err(KafkaError::PartitionEOF(number))) => {
                locked(pipeline).end(number);
                wait = Duration::ZERO;
            }
            Some(Err(error)) => return judge(consumer, error, observer),
        }
    }
    Ok(())
}

fn take<P: Step, S: Store>(
    message: &BorrowedMessage<'_>,
    pipeline: &mut Pipeline<P, S>,
    now: Instant,
) -> Result<(), Unexpected> {
    let [mut content_type, mut event_id, mut trace] = [None; 3];
    let mut replay = Replay::default();
    for found in message.headers().into_iter().flat_map(Headers::iter) {
        match found.key {
            "content-type" => content_type = found.value,
            "event-id" => event_id = found.value,
            "traceparent" => trace = found.value,
            header::REPLAY_OF => replay.of = found.value,
            header::FIRST_TIME => replay.first_time = found.value,
            _ => {}
        }
    }
    let record = RawRecord {
        topic: message.topic(),
        partition: message.partition(),
        offset: message.offset(),
        time: message.timestamp().to_millis(),
        key: message.key(),
        value: message.payload(),
        content_type,
        event_id,
        replay,
    };
    pipeline.take(&record, trace, now)
}

/// Most errors pass: librdkafka reconnects by itself.
fn judge<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    error: KafkaError,
    observer: &dyn Observer,
) -> Result<(), ConsumeError> {
    if let Some((_, reason)) = consumer.client().fatal_error() {
        return Err(ConsumeError::Fatal(reason));
    }
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::BrokerTransportFailure) => {
            observer.reachable(Err(error.to_string()));
        }
        Some(RDKafkaErrorCode::UnknownTopicOrPartition) => {
            observer.reachable(Err(format!("{error}: run `kaizen admin create-topics`")));
        }
        Some(RDKafkaErrorCode::AutoOffsetReset) => return Err(ConsumeError::OutOfRange(error)),
        _ => tracing::warn!(%error, "reading from Kafka"),
    }
    Ok(())
}

/// Commits; the batches whose intents these are may be stored from then on. Returns whether it succeeded: if not, they
/// are committed later, or dropped by the rebalance that is about to come.
pub(crate) fn commit_and_store<P: Step, S: Store>(
    consumer: &BaseConsumer<Context<P, S>>,
    pipeline: &Mutex<Pipeline<P, S>>,
    commits: &[Commit],
) -> bool {
    if commits.is_empty() {
        return true;
    }
    let committed = offsets(commits).and_then(|offsets| consumer.commit(&offsets, CommitMode::Sync));
    match committed {
        // A commit can slip through in the name of no generation while the group has no member at all.
        Ok(()) if consumer.assignment_lost() => {
            tracing::warn!("offsets were committed after the partitions were lost")
        }
        Ok(()) => {
            locked(pipeline).committed(commits);
            return true;
        }
        Err(error) => tracing::warn!(%error, partitions = commits.len(), "offsets were not committed"),
    }
    false
}

fn offsets(commits: &[Commit]) -> KafkaResult<TopicPartitionList> {
    let mut offsets = TopicPartitionList::with_capacity(commits.len());
    for commit in commits {
        let Partition { topic, number } = &commit.partition;
        let mut place = offsets.add_partition(topic, *number);
        place.set_offset(Offset::Offset(commit.offset))?;
        place.set_metadata(commit.metadata());
    }
    Ok(offsets)
}

fn steer<C: ConsumerContext>(consumer: &BaseConsumer<C>, flow: &Flow) {
    if *flow != Flow::default() {
        tracing::debug!(?flow, "steered");
    }
    // A partition that was revoked meanwhile cannot be paused, and need not be.
    for (partitions, steered) in [
        (&flow.pause, consumer.pause(&list(&flow.pause))),
        (&flow.resume, consumer.resume(&list(&flow.resume))),
    ] {
        if let Err(error) = steered {
            tracing::debug!(%error, ?partitions, "the flow of partitions was not changed");
        }
    }
}

pub(crate) fn list(partitions: &[Partition]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for partition in partitions {
        list.add_partition(&partition.topic, partition.number);
    }
    list
}

/// A panic aborts the process, so a poisoned lock is only ever seen in tests.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
