//! Events into a topic, as fast as Kafka takes them, and where they came to lie.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use kaizen_stream::{Reasons, metadata};
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext};

use crate::connection::Connection;

const FLUSH: Duration = Duration::from_secs(60);
/// How often a full queue is tried again.
const FULL: Duration = Duration::from_millis(2);

/// Ranges of offsets, ends included, by partition.
pub type Offsets = BTreeMap<i32, Vec<(i64, i64)>>;

/// What became of the events.
#[derive(Debug, Default)]
pub struct Published {
    /// Where those lie that Kafka has.
    pub offsets: Offsets,
    /// The first failure, if any.
    pub failure: Option<String>,
    /// Events Kafka did not take.
    pub failed: u64,
}

impl Published {
    /// Events Kafka has.
    pub fn count(&self) -> u64 {
        self.offsets
            .values()
            .flatten()
            .map(|(first, last)| (last - first + 1).unsigned_abs())
            .sum()
    }

    fn delivered(&mut self, partition: i32, offset: i64) {
        let ranges = self.offsets.entry(partition).or_default();
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == offset => *last = offset,
            _ => ranges.push((offset, offset)),
        }
    }
}

#[derive(Clone, Default)]
struct Deliveries(Arc<Mutex<Published>>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let mut published = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(message) => published.delivered(message.partition(), message.offset()),
            Err((error, _)) => {
                published.failed += 1;
                published.failure.get_or_insert_with(|| error.to_string());
            }
        }
    }
}

/// Settings of a producer of many small events.
pub fn config(connection: &Connection) -> ClientConfig {
    let mut config = connection.kafka();
    config
        .set("enable.idempotence", "true")
        .set("compression.type", "lz4")
        .set("linger.ms", "20")
        .set("batch.size", "262144")
        .set("message.max.bytes", "2097152")
        .set("queue.buffering.max.kbytes", "65536");
    config
}

/// Tells whether a topic exists.
///
/// # Errors
/// Kafka cannot be reached or has no such topic.
pub fn check_topic(connection: &Connection, topic: &str) -> anyhow::Result<()> {
    let consumer: BaseConsumer<Reasons> = connection.kafka().create_with_context(Reasons::default())?;
    let metadata = metadata(&consumer, Some(topic), Duration::from_secs(10));
    let metadata = metadata.with_context(|| format!("Kafka at {} does not answer", connection.brokers))?;
    if metadata
        .topics()
        .iter()
        .all(|known| known.partitions().is_empty())
    {
        bail!("there is no topic {topic}; `kaizen admin create-topics` creates Kaizen's");
    }
    Ok(())
}

/// A way into one topic.
pub struct Publisher {
    topic: String,
    producer: ThreadedProducer<Deliveries>,
    deliveries: Deliveries,
}

impl Publisher {
    /// A way into `topic`, which must exist.
    ///
    /// # Errors
    /// Kafka cannot be reached or has no such topic.
    pub fn new(connection: &Connection, topic: &str) -> anyhow::Result<Self> {
        let deliveries = Deliveries::default();
        let producer: ThreadedProducer<_> = config(connection).create_with_context(deliveries.clone())?;
        check_topic(connection, topic)?;
        Ok(Self {
            topic: topic.to_owned(),
            producer,
            deliveries,
        })
    }

    /// Hands an event over; waits while the queue is full.
    ///
    /// # Errors
    /// Kafka's client refuses it, as it does an event larger than 2 MiB.
    pub fn send(&self, key: &str, event_id: Option<&str>, value: &[u8]) -> Result<(), KafkaError> {
        let mut record = BaseRecord::to(&self.topic).key(key).payload(value);
        if let Some(id) = event_id {
            record = record.headers(OwnedHeaders::new().insert(Header {
                key: "event-id",
                value: Some(id),
            }));
        }
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    std::thread::sleep(FULL);
                }
                Err((error, _)) => return Err(error),
            }
        }
    }

    /// Waits until Kafka has answered for every event.
    ///
    /// # Errors
    /// It did not within a minute.
    pub fn finish(self) -> anyhow::Result<Published> {
        self.producer
            .flush(FLUSH)
            .context("Kafka did not acknowledge every event in time")?;
        drop(self.producer);
        Ok(std::mem::take(
            &mut *self.deliveries.0.lock().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_in_a_row_are_one_range() {
        let mut published = Published::default();
        for (partition, offset) in [(0, 5), (0, 6), (1, 0), (0, 7), (0, 9)] {
            published.delivered(partition, offset);
        }
        assert_eq!(
            published.offsets,
            Offsets::from([(0, vec![(5, 7), (9, 9)]), (1, vec![(0, 0)])])
        );
        assert_eq!(published.count(), 5);
    }
}
