//! A topic from its beginning to its end.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use kaizen_stream::{Reasons, metadata};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::connection::Connection;

/// How long the broker may be silent.
const ANSWER: Duration = Duration::from_secs(30);

/// Every record that a topic holds now, each partition in its order; of transactions only what is committed.
pub struct Scan {
    consumer: BaseConsumer<Reasons>,
    topic: String,
    unread: BTreeSet<i32>,
}

impl Scan {
    /// Begins at the beginning.
    ///
    /// # Errors
    /// There is no such topic, or Kafka does not answer.
    pub fn of(connection: &Connection, topic: &str) -> anyhow::Result<Self> {
        let mut config = connection.kafka();
        // Assigned by hand and never committed: the group is a name that librdkafka asks for.
        config
            .set("group.id", "kaizen-cli")
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed")
            .set("enable.partition.eof", "true")
            .set("fetch.message.max.bytes", "4194304")
            // The end of a partition is told by an answer without records: let it come soon.
            .set("fetch.wait.max.ms", "20")
            .set("fetch.queue.backoff.ms", "5");
        let consumer: BaseConsumer<Reasons> = config.create_with_context(Reasons::default())?;
        let metadata = metadata(&consumer, Some(topic), ANSWER);
        let metadata =
            metadata.with_context(|| format!("Kafka at {} does not answer", connection.brokers))?;
        let partitions = metadata.topics().iter().flat_map(|known| known.partitions());
        let unread: BTreeSet<i32> = partitions.map(|partition| partition.id()).collect();
        ensure!(
            !unread.is_empty(),
            "there is no topic {topic}; `kaizen admin create-topics` creates Kaizen's"
        );
        let mut assignment = TopicPartitionList::new();
        for partition in &unread {
            assignment.add_partition_offset(topic, *partition, Offset::Beginning)?;
        }
        consumer.assign(&assignment)?;
        Ok(Self {
            consumer,
            topic: topic.to_owned(),
            unread,
        })
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// The broker is silent for half a minute, or cannot be read from.
    pub fn next(&mut self) -> anyhow::Result<Option<BorrowedMessage<'_>>> {
        while !self.unread.is_empty() {
            match self.consumer.poll(ANSWER) {
                // What came after the end as it was first seen is left for the next time.
                Some(Ok(message)) if self.unread.contains(&message.partition()) => return Ok(Some(message)),
                Some(Ok(_)) => {}
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.unread.remove(&partition);
                }
                Some(Err(error)) => return Err(error).with_context(|| format!("reading {}", self.topic)),
                None => bail!("{}: the broker is silent", self.topic),
            }
        }
        Ok(None)
    }
}
