//! The loop that reads Kafka: polls, feeds the pipeline, commits what is durable, pauses and resumes partitions.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kaizen_decision::RawRecord;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::statistics::Statistics;
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;

use crate::batch::Partition;
use crate::kafka::KafkaConfig;
use crate::pipeline::{Flow, Pipeline, Step};
use crate::store::{Completion, Store};

/// Longest wait for a record; ages are looked at this often.
const POLL: Duration = Duration::from_millis(20);
/// Records after which ages and completions are looked at however many more there are.
const RECORDS_A_TICK: u32 = 1024;
/// How long a batch that is being stored may delay a rebalance.
const REVOKE: Duration = Duration::from_secs(5);
/// How long the end of the service may take, out of its ten seconds.
const DRAIN: Duration = Duration::from_secs(8);

/// Sees what happens, for instruments and health.
pub trait Observer: Send + Sync + 'static {
    /// The loop got on; `busy` tells whether records wait to become durable.
    fn progress(&self, busy: bool);

    /// Whether brokers can be reached.
    fn reachable(&self, state: Result<(), String>);

    /// Offsets up to the completion's are committed.
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
}

type Shared<P, S> = Arc<Mutex<Pipeline<P, S>>>;

/// Reads `topics` (a name beginning with `^` is a regular expression) until `shutdown`; then stores what is open and
/// commits it. Blocks: run it on a thread of its own.
///
/// # Errors
/// Kafka refuses the configuration, or the client fails for good.
pub fn consume<P: Step, S: Store>(
    kafka: &KafkaConfig,
    topics: &[String],
    pipeline: Pipeline<P, S>,
    observer: Arc<dyn Observer>,
    shutdown: &CancellationToken,
) -> Result<(), ConsumeError> {
    let pipeline = Arc::new(Mutex::new(pipeline));
    let context = Context {
        pipeline: pipeline.clone(),
        observer: observer.clone(),
    };
    let consumer: BaseConsumer<Context<P, S>> = kafka.consumer().create_with_context(context)?;
    consumer.subscribe(&topics.iter().map(String::as_str).collect::<Vec<_>>())?;
    while !shutdown.is_cancelled() {
        read(&consumer, &pipeline, observer.as_ref())?;
        let mut held = locked(&pipeline);
        let durable = held.completed();
        let flow = held.tick(Instant::now());
        observer.progress(held.is_busy());
        drop(held);
        commit(&consumer, &durable, CommitMode::Async, observer.as_ref());
        steer(&consumer, &flow);
    }
    let durable = locked(&pipeline).drain(DRAIN);
    commit(&consumer, &durable, CommitMode::Sync, observer.as_ref());
    Ok(())
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
                take(&message, &mut locked(pipeline), now);
                wait = Duration::ZERO;
            }
            Some(Err(error)) => return judge(consumer, &error, observer),
        }
    }
    Ok(())
}

fn take<P: Step, S: Store>(message: &BorrowedMessage<'_>, pipeline: &mut Pipeline<P, S>, now: Instant) {
    let [mut content_type, mut event_id, mut trace] = [None; 3];
    for header in message.headers().into_iter().flat_map(Headers::iter) {
        match header.key {
            "content-type" => content_type = header.value,
            "event-id" => event_id = header.value,
            "traceparent" => trace = header.value,
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
    };
    pipeline.take(&record, trace, now);
}

/// Most errors pass: librdkafka reconnects by itself.
fn judge<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    error: &KafkaError,
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
        _ => tracing::warn!(%error, "reading from Kafka"),
    }
    Ok(())
}

/// Commits that what was stored is done with. A commit that fails is made up for by the next one; what was not
/// committed when the partition moves is stored again by its next owner.
fn commit<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    durable: &[Completion],
    mode: CommitMode,
    observer: &dyn Observer,
) {
    if durable.is_empty() {
        return;
    }
    let mut offsets = TopicPartitionList::new();
    for completion in durable {
        let Partition { topic, number } = &completion.partition;
        if let Err(error) = offsets.add_partition_offset(topic, *number, Offset::Offset(completion.next)) {
            tracing::error!(%error, partition = %completion.partition, "an offset cannot be committed");
        }
    }
    match consumer.commit(&offsets, mode) {
        Ok(()) => durable.iter().for_each(|completion| observer.durable(completion)),
        Err(error) => tracing::warn!(%error, "offsets were not committed"),
    }
}

fn steer<C: ConsumerContext>(consumer: &BaseConsumer<C>, flow: &Flow) {
    let list = |partitions: &[Partition]| {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&partition.topic, partition.number);
        }
        list
    };
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

struct Context<P, S> {
    pipeline: Shared<P, S>,
    observer: Arc<dyn Observer>,
}

impl<P: Step, S: Store> ClientContext for Context<P, S> {
    fn stats(&self, statistics: Statistics) {
        if statistics.brokers.values().any(|broker| broker.state == "UP") {
            self.observer.reachable(Ok(()));
        }
        for (topic, partitions) in &statistics.topics {
            for (number, partition) in &partitions.partitions {
                if *number < 0 {
                    continue; // librdkafka's own, for records without a partition
                }
                let name = Partition {
                    topic: topic.clone(),
                    number: *number,
                };
                let read = partition.fetch_state == "active" && partition.consumer_lag >= 0;
                let lag = read.then(|| partition.consumer_lag.unsigned_abs());
                self.observer.lag(&name, lag);
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
    }
}

impl<P: Step, S: Store> ConsumerContext for Context<P, S> {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            let durable = locked(&self.pipeline).revoke(&names(partitions), REVOKE);
            commit(consumer, &durable, CommitMode::Sync, self.observer.as_ref());
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => {
                self.observer.reachable(Ok(()));
                tracing::info!(partitions = partitions.count(), "partitions assigned");
            }
            Rebalance::Revoke(partitions) => {
                tracing::info!(partitions = partitions.count(), "partitions revoked")
            }
            Rebalance::Error(error) => tracing::warn!(%error, "rebalance"),
        }
    }
}

fn names(partitions: &TopicPartitionList) -> Vec<Partition> {
    let name = |topic: &str, number| Partition {
        topic: topic.to_owned(),
        number,
    };
    partitions
        .elements()
        .iter()
        .map(|element| name(element.topic(), element.partition()))
        .collect()
}

/// A panic aborts the process, so a poisoned lock is only ever seen in tests.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
