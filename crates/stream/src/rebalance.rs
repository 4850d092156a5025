//! What happens when partitions come and go: where to go on, what an earlier owner was about to store, what to finish.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;

use crate::batch::Partition;
use crate::consume::{ConsumeError, Observer, commit_and_store, list, locked};
use crate::pipeline::{Assignment, Pipeline, Step};
use crate::store::Store;

/// How long a batch that is being stored may delay a rebalance.
const REVOKE: Duration = Duration::from_secs(5);
/// How long the group's coordinator is waited for, and how long one question to it may take.
const COORDINATOR: Duration = Duration::from_secs(60);
const QUESTION: Duration = Duration::from_secs(5);

/// librdkafka calls it, on the thread that polls.
pub(crate) struct Context<P, S> {
    pipeline: Arc<Mutex<Pipeline<P, S>>>,
    observer: Arc<dyn Observer>,
    shutdown: CancellationToken,
    failure: Mutex<Option<ConsumeError>>,
}

impl<P: Step, S: Store> Context<P, S> {
    pub(crate) fn new(
        pipeline: Arc<Mutex<Pipeline<P, S>>>,
        observer: Arc<dyn Observer>,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            pipeline,
            observer,
            shutdown,
            failure: Mutex::default(),
        }
    }

    /// Why a rebalance failed, if one did.
    pub(crate) fn failure(&self) -> Option<ConsumeError> {
        locked(&self.failure).take()
    }

    /// Goes on from the committed offsets. Nothing is read before what was stored there is recalled. A service that is asked to
    /// end meanwhile takes nothing on.
    fn assign(&self, consumer: &BaseConsumer<Self>, given: &TopicPartitionList) -> Result<(), ConsumeError> {
        let committed = match committed(consumer, given, &self.shutdown) {
            Err(_) if self.shutdown.is_cancelled() => return Ok(()),
            answer => answer.map_err(ConsumeError::Committed)?,
        };
        let assignments = committed
            .elements()
            .iter()
            .map(|place| {
                let partition = Partition {
                    topic: place.topic().to_owned(),
                    number: place.partition(),
                };
                let replay = match place.metadata() {
                    "" => None,
                    metadata => Some(metadata.parse().map_err(|source| ConsumeError::Metadata {
                        partition: partition.clone(),
                        source,
                    })?),
                };
                Ok(Assignment {
                    partition,
                    from: match place.offset() {
                        Offset::Offset(from) => from,
                        _ => 0,
                    },
                    replay,
                })
            })
            .collect::<Result<Vec<_>, ConsumeError>>()?;
        let start = committed;
        if matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative) {
            consumer.incremental_assign(&start)?;
        } else {
            consumer.assign(&start)?;
        }
        consumer.pause(&start)?;
        for Assignment { partition, from, .. } in &assignments {
            self.observer.assigned(partition, *from);
        }
        let replays = assignments.iter().filter(|it| it.replay.is_some()).count();
        tracing::info!(partitions = assignments.len(), replays, "partitions assigned");
        locked(&self.pipeline).assign(assignments);
        Ok(())
    }

    /// Finishes what is being stored, commits what is stored, drops the rest.
    fn revoke(&self, consumer: &BaseConsumer<Self>, taken: &TopicPartitionList) -> Result<(), ConsumeError> {
        let partitions = names(taken);
        let lost = consumer.assignment_lost();
        if !lost {
            let durable = locked(&self.pipeline).settle(&partitions, REVOKE);
            durable
                .iter()
                .for_each(|completion| self.observer.durable(completion));
            let done = locked(&self.pipeline).done(&partitions);
            commit_and_store(consumer, &self.pipeline, &done);
        }
        locked(&self.pipeline).revoke(&partitions);
        for partition in &partitions {
            self.observer.lag(partition, None);
            self.observer.revoked(partition);
        }
        tracing::info!(partitions = partitions.len(), lost, "partitions revoked");
        if matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative) {
            consumer.incremental_unassign(&list(&partitions))?;
        } else {
            consumer.unassign()?;
        }
        Ok(())
    }
}

/// The committed offset of each partition, or where it begins. Asks until the coordinator answers, or until `shutdown`: to guess an offset
/// would lose or repeat records.
fn committed<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    partitions: &TopicPartitionList,
    shutdown: &CancellationToken,
) -> KafkaResult<TopicPartitionList> {
    let began = Instant::now();
    loop {
        let answer = consumer
            .committed_offsets(list(&names(partitions)), QUESTION)
            .and_then(|committed| {
                let refused = committed.elements().iter().find_map(|place| place.error().err());
                refused.map_or(Ok(committed), Err)
            })
            .and_then(|committed| begin(consumer, committed));
        match answer {
            Err(error) if began.elapsed() < COORDINATOR && !shutdown.is_cancelled() => {
                tracing::warn!(%error, "committed offsets cannot be read yet");
            }
            answer => return answer,
        }
    }
}

/// Partitions without a committed offset begin with their first record. librdkafka is told which that is: if it has to find out by itself,
/// a partition that is paused and resumed meanwhile can be read from there a second time. It has to where a leader does not answer, which must
/// not hold up the other partitions.
fn begin<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    committed: TopicPartitionList,
) -> KafkaResult<TopicPartitionList> {
    let mut answers = true;
    for name in names(&committed) {
        let Some(mut place) = committed.find_partition(&name.topic, name.number) else {
            continue;
        };
        if matches!(place.offset(), Offset::Offset(_)) {
            continue;
        }
        let first = answers.then(|| consumer.fetch_watermarks(&name.topic, name.number, QUESTION));
        answers = matches!(first, Some(Ok(_)));
        let begins = match first {
            Some(Ok((first, _))) => Offset::Offset(first),
            _ => Offset::Beginning,
        };
        place.set_offset(begins)?;
    }
    Ok(committed)
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

impl<P: Step, S: Store> ConsumerContext for Context<P, S> {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        kind: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let handled = match kind {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                self.observer.reachable(Ok(()));
                self.assign(consumer, partitions)
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => self.revoke(consumer, partitions),
            error => Err(KafkaError::Rebalance(RDKafkaErrorCode::from(error)).into()),
        };
        if let Err(failure) = handled {
            locked(&self.failure).get_or_insert(failure);
        }
    }
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
