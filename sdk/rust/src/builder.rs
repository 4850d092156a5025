//! The options of a logger.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rdkafka::ClientConfig;

use crate::buffer::DropPolicy;
use crate::config_error::ConfigError;
use crate::logger::DecisionLogger;

/// The largest event there can be takes about 520 KiB; a bound must leave room for one.
const LEAST_BYTES: usize = 1 << 20;
/// Kafka's own bound of a message, that of the topic `kaizen.decisions`.
const MAX_MESSAGE_BYTES: &str = "2097152";
/// Events that librdkafka may hold.
const QUEUED_EVENTS: &str = "100000";
/// How long an event is tried when there is nowhere else to keep it.
const WITHOUT_SPILL: Duration = Duration::from_secs(300);
/// How long an event is tried before it goes to disk.
const WITH_SPILL: Duration = Duration::from_secs(5);

pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Options of a [`DecisionLogger`]; what is not set keeps the default that is written at it.
#[derive(Clone)]
pub struct Builder {
    pub(crate) brokers: String,
    pub(crate) topic: String,
    pub(crate) spill_dir: Option<PathBuf>,
    pub(crate) spill_bytes: u64,
    pub(crate) capacity: usize,
    pub(crate) buffer_bytes: usize,
    pub(crate) drop_policy: DropPolicy,
    pub(crate) delivery_timeout: Option<Duration>,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) kafka: Vec<(String, String)>,
    pub(crate) clock: Clock,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            brokers: "127.0.0.1:9092".to_owned(),
            topic: "kaizen.decisions".to_owned(),
            spill_dir: None,
            spill_bytes: 1 << 30,
            capacity: 16_384,
            buffer_bytes: 32 << 20,
            drop_policy: DropPolicy::Newest,
            delivery_timeout: None,
            shutdown_timeout: Duration::from_secs(5),
            kafka: Vec::new(),
            clock: Arc::new(SystemTime::now),
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values of Kafka's options may be secret, and the clock has nothing to show.
        let kafka: Vec<_> = self.kafka.iter().map(|(name, _)| name).collect();
        f.debug_struct("Builder")
            .field("brokers", &self.brokers)
            .field("topic", &self.topic)
            .field("spill_dir", &self.spill_dir)
            .field("spill_bytes", &self.spill_bytes)
            .field("capacity", &self.capacity)
            .field("buffer_bytes", &self.buffer_bytes)
            .field("drop_policy", &self.drop_policy)
            .field("delivery_timeout", &self.delivery_timeout)
            .field("shutdown_timeout", &self.shutdown_timeout)
            .field("kafka", &kafka)
            .finish_non_exhaustive()
    }
}

impl Builder {
    /// Kafka's brokers, `host:port`, separated by commas. Default: `127.0.0.1:9092`.
    #[must_use]
    pub fn brokers(mut self, brokers: impl Into<String>) -> Self {
        self.brokers = brokers.into();
        self
    }

    /// The topic. Default: `kaizen.decisions`.
    #[must_use]
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topic = topic.into();
        self
    }

    /// A folder for events that Kafka cannot take now, created when absent; several processes may share one, if they
    /// publish to the same cluster. Default: none, and events are dropped once they have been tried for
    /// [`Builder::delivery_timeout`].
    #[must_use]
    pub fn spill_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.spill_dir = Some(folder.into());
        self
    }

    /// How much this process may keep in the spill folder, in bytes, at least 1 MiB. Default: 1 GiB.
    #[must_use]
    pub const fn spill_bytes(mut self, bytes: u64) -> Self {
        self.spill_bytes = bytes;
        self
    }

    /// How many events the buffer holds, 1 to 1,048,576; the memory for them is set aside, 96 bytes each. Default: 16,384.
    #[must_use]
    pub const fn capacity(mut self, events: usize) -> Self {
        self.capacity = events;
        self
    }

    /// How many bytes of events the buffer holds, 1 MiB to 1 GiB; librdkafka's queue behind it holds as many again.
    /// Default: 32 MiB.
    #[must_use]
    pub const fn buffer_bytes(mut self, bytes: usize) -> Self {
        self.buffer_bytes = bytes;
        self
    }

    /// What gives way when the buffer is full. Default: the newest.
    #[must_use]
    pub const fn drop_policy(mut self, policy: DropPolicy) -> Self {
        self.drop_policy = policy;
        self
    }

    /// How long an event is tried before it goes to the spill folder, or is dropped where there is none: 100 ms to one
    /// day. Default: 5 seconds with a spill folder, 5 minutes without.
    #[must_use]
    pub const fn delivery_timeout(mut self, timeout: Duration) -> Self {
        self.delivery_timeout = Some(timeout);
        self
    }

    /// How long dropping the last handle may wait for Kafka, at most an hour. Default: 5 seconds.
    #[must_use]
    pub const fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// An option of librdkafka, such as `security.protocol` or `sasl.password`.
    #[must_use]
    pub fn kafka(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.kafka.push((name.into(), value.into()));
        self
    }

    /// Where the time of decisions comes from, for tests. Default: the system's clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Starts the logger's thread. Kafka need not be there yet.
    ///
    /// # Errors
    /// The option that is not allowed, and the rule; `spill_dir` also when it cannot be written.
    pub fn build(self) -> Result<DecisionLogger, ConfigError> {
        self.validate()?;
        DecisionLogger::start(self)
    }

    fn validate(&self) -> Result<(), ConfigError> {
        let rule = |holds: bool, field: &str, rule: &str| {
            holds.then_some(()).ok_or_else(|| ConfigError::new(field, rule))
        };
        let address = |broker: &str| {
            let address = broker
                .trim()
                .rsplit_once("://")
                .map_or(broker.trim(), |(_, address)| address);
            let (host, port) = address.rsplit_once(':').unwrap_or((address, "9092"));
            !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
        };
        rule(
            self.brokers.split(',').all(address),
            "brokers",
            "must be host:port, several separated by commas",
        )?;
        let name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let named = (1..=249).contains(&self.topic.len()) && self.topic.bytes().all(name);
        rule(
            named,
            "topic",
            "must be 1 to 249 letters, digits, dots, underscores or hyphens",
        )?;
        let capacity = (1..=1 << 20).contains(&self.capacity);
        rule(capacity, "capacity", "must be 1 to 1048576 events")?;
        let buffer = (LEAST_BYTES..=1 << 30).contains(&self.buffer_bytes);
        rule(buffer, "buffer_bytes", "must be 1048576 to 1073741824 bytes")?;
        rule(
            self.spill_bytes >= LEAST_BYTES as u64,
            "spill_bytes",
            "must be at least 1048576 bytes",
        )?;
        let delivery = self.delivery();
        let tried = (Duration::from_millis(100)..=Duration::from_secs(86_400)).contains(&delivery);
        rule(tried, "delivery_timeout", "must be 100 ms to one day")?;
        let bounded = self.shutdown_timeout <= Duration::from_secs(3_600);
        rule(bounded, "shutdown_timeout", "must be at most an hour")
    }

    fn delivery(&self) -> Duration {
        let spills = self.spill_dir.is_some();
        self.delivery_timeout
            .unwrap_or(if spills { WITH_SPILL } else { WITHOUT_SPILL })
    }

    /// The settings of the producer; what the caller set by [`Builder::kafka`] comes last.
    pub(crate) fn producer(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "kaizen-logger")
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("compression.type", "lz4")
            .set("linger.ms", "20")
            .set("batch.size", "262144")
            .set("message.max.bytes", MAX_MESSAGE_BYTES)
            .set("message.timeout.ms", self.delivery().as_millis().to_string())
            .set("queue.buffering.max.messages", QUEUED_EVENTS)
            .set("queue.buffering.max.kbytes", (self.buffer_bytes / 1024).to_string())
            // A broker that comes back is found within a second.
            .set("reconnect.backoff.max.ms", "1000")
            .set("allow.auto.create.topics", "false");
        for (name, value) in &self.kafka {
            config.set(name, value);
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(builder: Builder) -> ConfigError {
        builder.build().err().unwrap()
    }

    #[test]
    fn an_option_that_is_not_allowed_is_named_with_its_rule() {
        let builder = Builder::default;
        for (field, wrong) in [
            ("brokers", builder().brokers("")),
            ("brokers", builder().brokers("a:9092,:9092")),
            ("brokers", builder().brokers("a:port")),
            ("topic", builder().topic("")),
            ("topic", builder().topic("with space")),
            ("capacity", builder().capacity(0)),
            ("buffer_bytes", builder().buffer_bytes(1)),
            ("spill_bytes", builder().spill_bytes(1)),
            ("delivery_timeout", builder().delivery_timeout(Duration::ZERO)),
            ("shutdown_timeout", builder().shutdown_timeout(Duration::MAX)),
            ("spill_dir", builder().spill_dir("/dev/null/folder")),
            ("kafka.no.such.option", builder().kafka("no.such.option", "1")),
            ("kafka.acks", builder().kafka("acks", "some")),
        ] {
            let error = refused(wrong);
            assert_eq!(error.field, field, "{error}");
            assert!(!error.rule.is_empty());
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let builder = Builder::default().kafka("sasl.password", "hunter2");
        let shown = format!("{builder:?}");
        assert!(
            shown.contains("sasl.password") && !shown.contains("hunter2"),
            "{shown}"
        );
        let error = refused(
            builder
                .kafka("sasl.mechanism", "hunter2")
                .kafka("acks", "hunter2"),
        );
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
