//! How Kafka is spoken to.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;

use crate::ask::{Reasons, Unanswered, metadata};

/// What a consumer and the producer of dead letters need to know.
#[derive(Debug, Clone)]
pub struct KafkaConfig {
    /// `host:port`, separated by commas.
    pub brokers: String,
    /// Consumer group.
    pub group_id: String,
    /// How the group shares partitions.
    pub group_protocol: GroupProtocol,
    /// This member's own name, under which it finds its partitions again after a restart; empty for none.
    pub instance_id: String,
    /// Whether to go on from the beginning of a partition whose committed offset is not in the topic any more. If not,
    /// consuming ends with an error.
    pub skip_deleted: bool,
    /// Properties of librdkafka to add, such as `security.protocol`.
    pub properties: BTreeMap<String, String>,
}

/// How a group shares partitions among its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupProtocol {
    /// By a member that the broker chose, all at once: works with every broker.
    Classic,
    /// By the broker, one partition at a time (KIP-848): Kafka 4.0 and later.
    Consumer,
}

/// Kilobytes that librdkafka fetches ahead, for all partitions together.
const FETCHED_AHEAD: &str = "16384";
/// The largest fetch: above the topics' largest record of 2 MiB.
const FETCH: &str = "4194304";
/// The topic of dead letters takes records of 4 MiB.
const LARGEST_DEAD_LETTER: &str = "4194304";

impl KafkaConfig {
    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config.set("client.id", "kaizen-collector");
        for (name, value) in &self.properties {
            config.set(name, value);
        }
        config
    }

    /// A consumer that commits only what it is told to, and never creates a topic.
    pub(crate) fn consumer(&self) -> ClientConfig {
        let mut config = self.client();
        config
            .set("group.id", &self.group_id)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", if self.skip_deleted { "earliest" } else { "error" })
            // Bounds how long a commit can hold up the loop.
            .set("socket.timeout.ms", "20000")
            .set("isolation.level", "read_committed")
            .set("allow.auto.create.topics", "false")
            .set("queued.max.messages.kbytes", FETCHED_AHEAD)
            .set("fetch.max.bytes", FETCH)
            .set("fetch.message.max.bytes", "2097152")
            // The default of a second leaves the consumer idle whenever its queue was full.
            .set("fetch.queue.backoff.ms", "5")
            // One fetch is under way at a time: a partition that is resumed waits for that of those which have nothing.
            .set("fetch.wait.max.ms", "50")
            .set("enable.partition.eof", "true")
            .set("statistics.interval.ms", "5000");
        if self.group_protocol == GroupProtocol::Consumer {
            config.set("group.protocol", "consumer");
        }
        if !self.instance_id.is_empty() {
            config.set("group.instance.id", &self.instance_id);
        }
        config
    }

    /// A consumer outside the group, for a look at single offsets.
    pub(crate) fn reader(&self) -> ClientConfig {
        let mut config = self.client();
        config
            .set("group.id", &self.group_id)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            .set("isolation.level", "read_committed")
            .set("allow.auto.create.topics", "false")
            .set("enable.partition.eof", "true")
            .set("queued.max.messages.kbytes", "2048")
            .set("fetch.message.max.bytes", "1048576")
            // Markers and aborted records are no data: a fetch of nothing else must not wait for more.
            .set("fetch.wait.max.ms", "50");
        config
    }

    /// A producer whose acknowledgement means that every in-sync replica has the record, once.
    pub(crate) fn producer(&self) -> ClientConfig {
        let mut config = self.client();
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("message.max.bytes", LARGEST_DEAD_LETTER)
            .set("compression.type", "lz4")
            .set("linger.ms", "5")
            .set("queue.buffering.max.kbytes", "32768")
            .set("message.timeout.ms", "30000")
            .set("allow.auto.create.topics", "false");
        config
    }
}

/// Which of `topics` the cluster does not have. Blocks for at most `timeout`.
///
/// # Errors
/// The configuration is refused, or no broker answers in time.
pub fn missing_topics(
    kafka: &KafkaConfig,
    topics: &[String],
    timeout: Duration,
) -> Result<Vec<String>, Unanswered> {
    let mut config = kafka.consumer();
    config.remove("statistics.interval.ms");
    let consumer: BaseConsumer<Reasons> = config.create_with_context(Reasons::default())?;
    let metadata = metadata(&consumer, None, timeout)?;
    let there = |topic: &&String| {
        metadata
            .topics()
            .iter()
            .any(|known| known.name() == topic.as_str())
    };
    Ok(topics.iter().filter(|topic| !there(topic)).cloned().collect())
}
