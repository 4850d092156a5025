use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::sync::OnceCell;

use crate::clock::Clock;
use crate::disk::Disk;
use crate::part::Part;
use crate::place::{free_address, workspace};
use crate::proxy::Proxy;
use crate::secured::Secured;

const ANSWER: Duration = Duration::from_secs(10);

/// A broker of one node.
pub struct Kafka {
    // In the order of dropping.
    part: Part,
    disk: Option<Disk>,
    brokers: String,
}

/// What a broker may have besides.
#[derive(Default)]
pub struct KafkaOptions<'a> {
    /// Its data is there.
    pub disk: Option<Disk>,
    /// It goes by this one.
    pub clock: Option<&'a Clock>,
    /// Networks to it: it listens where each of them leads to, and tells clients that come by it to stay with it.
    pub networks: &'a [&'a Proxy],
    /// It listens there too, to clients that encrypt and have a password.
    pub secured: Option<&'a Secured>,
}

/// A record as it lies in a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The partition; ignored when publishing.
    pub partition: i32,
    /// The offset; ignored when publishing.
    pub offset: i64,
    /// The key, if any.
    pub key: Option<Vec<u8>>,
    /// The value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// The headers, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Record {
    /// A record without headers.
    pub fn new(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Self {
            key: Some(key.into()),
            value: Some(value.into()),
            ..Self::default()
        }
    }

    /// The first header of that name, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(header, _)| header == name)?;
        std::str::from_utf8(value).ok()
    }
}

impl Kafka {
    /// Starts a broker of the test's own.
    ///
    /// # Errors
    /// If it is not installed or does not start.
    pub async fn start() -> Result<Self> {
        Self::start_with(KafkaOptions::default()).await
    }

    /// The same, with more.
    ///
    /// # Errors
    /// As [`Kafka::start`].
    pub async fn start_with(options: KafkaOptions<'_>) -> Result<Self> {
        let (broker, controller) = (free_address()?, free_address()?);
        let KafkaOptions {
            disk,
            clock,
            networks,
            secured,
        } = options;
        let part = Part::new("kafka", |folder| {
            let data = disk.as_ref().map_or(folder, Disk::path).join("data");
            let mut command = Command::new(workspace().join("deploy/kafka/run.sh"));
            command
                .arg(data)
                .arg(broker.port().to_string())
                .arg(controller.port().to_string());
            command.args(listeners(broker, controller, networks, secured));
            command.args(secured.iter().flat_map(|it| it.broker_properties()));
            command.envs(clock.map(Clock::variables).into_iter().flatten());
            // Short-lived: the fast compiler and the small collector start in half the time.
            command.env(
                "KAIZEN_KAFKA_JVM",
                "-Xms128m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
            );
            Ok(command)
        })?;
        let kafka = Self {
            part,
            disk,
            brokers: broker.to_string(),
        };
        kafka.restart().await?;
        Ok(kafka)
    }

    /// The one broker that all tests of this binary share, each with topics of its own ([`Kafka::new_topic`]).
    ///
    /// # Errors
    /// If it is not installed or does not start.
    pub async fn shared() -> Result<&'static Self> {
        static SHARED: OnceCell<Kafka> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    /// The process, to kill, pause or inspect.
    pub fn part(&self) -> &Part {
        &self.part
    }

    /// Where its data is, if that is a disk of its own.
    pub fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }

    /// Starts the broker again after its process was ended, on the same port and data.
    ///
    /// # Errors
    /// If it runs, or does not start.
    pub async fn restart(&self) -> Result<()> {
        self.part
            .start(async || {
                TcpStream::connect(&self.brokers)?;
                let consumer: BaseConsumer = self.client().create()?;
                blocking(move || Ok(consumer.fetch_metadata(None, ANSWER)?)).await?;
                Ok(())
            })
            .await
    }

    /// `host:port`, for `bootstrap.servers`.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config
    }

    /// Creates a topic with a name of its own that begins with `prefix`, and returns the name.
    ///
    /// # Errors
    /// If the broker refuses it.
    pub async fn new_topic(&self, prefix: &str, partitions: i32) -> Result<String> {
        let name = format!("{prefix}.{:016x}", rand::random::<u64>());
        let topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1))
            .set("message.timestamp.type", "LogAppendTime");
        let admin: AdminClient<DefaultClientContext> = self.client().create()?;
        for created in admin
            .create_topics([&topic], &AdminOptions::new().operation_timeout(Some(ANSWER)))
            .await?
        {
            created.map_err(|(name, code)| anyhow::anyhow!("{name}: {code}"))?;
        }
        Ok(name)
    }

    /// Deletes a topic; returns when no broker knows it any more.
    ///
    /// # Errors
    /// If the broker refuses that.
    pub async fn delete_topic(&self, topic: &str) -> Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.client().create()?;
        let options = AdminOptions::new().operation_timeout(Some(ANSWER));
        for deleted in admin.delete_topics(&[topic], &options).await? {
            deleted.map_err(|(name, code)| anyhow::anyhow!("{name}: {code}"))?;
        }
        Ok(())
    }

    /// Sets a property of a topic; `None` sets it back to the broker's default.
    ///
    /// # Errors
    /// If the broker refuses it.
    pub async fn configure_topic(&self, topic: &str, name: &str, value: Option<&str>) -> Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.client().create()?;
        let options = AdminOptions::new().operation_timeout(Some(ANSWER));
        let topic = ResourceSpecifier::Topic(topic);
        // Kafka sets all of them at once: those that the topic has are told again.
        let described = admin.describe_configs([&topic], &options).await?;
        let described = described.into_iter().next().context("no answer")?;
        let described = described.map_err(|code| anyhow::anyhow!("{code}"))?;
        let mut alteration = AlterConfig::new(topic);
        for entry in &described.entries {
            if let (ConfigSource::DynamicTopic, true, Some(value)) =
                (&entry.source, entry.name != name, &entry.value)
            {
                alteration = alteration.set(&entry.name, value);
            }
        }
        if let Some(value) = value {
            alteration = alteration.set(name, value);
        }
        for altered in admin.alter_configs([&alteration], &options).await? {
            altered.map_err(|(_, code)| anyhow::anyhow!("{name}: {code}"))?;
        }
        Ok(())
    }

    /// Offset after the last record of a partition, those of open transactions included.
    ///
    /// # Errors
    /// If there is no such partition or the broker does not answer.
    pub async fn end(&self, topic: &str, partition: i32) -> Result<i64> {
        let consumer: BaseConsumer = self.client().create()?;
        let topic = topic.to_owned();
        blocking(move || Ok(consumer.fetch_watermarks(&topic, partition, ANSWER)?.1)).await
    }

    /// Publishes records in order; returns when the broker has them all.
    ///
    /// # Errors
    /// If one is refused.
    pub async fn publish(&self, topic: &str, records: impl IntoIterator<Item = Record>) -> Result<()> {
        let producer: FutureProducer = self
            .client()
            .set("enable.idempotence", "true")
            .set("message.max.bytes", "8000000")
            .create()?;
        let records: Vec<_> = records.into_iter().collect();
        let sent = records.iter().map(|record| send(&producer, topic, record));
        try_join_all(sent).await.map(drop)
    }

    /// Publishes records in one transaction, which is committed or aborted. Each partition it touches keeps an offset that is no
    /// record; the records of an aborted one are none either.
    ///
    /// # Errors
    /// If the broker refuses it.
    pub async fn publish_in_transaction(
        &self,
        topic: &str,
        records: impl IntoIterator<Item = Record>,
        commit: bool,
    ) -> Result<()> {
        let id = format!("kaizen-testkit-{:016x}", rand::random::<u64>());
        let producer: FutureProducer = self.client().set("transactional.id", id).create()?;
        let transaction = producer.clone();
        blocking(move || {
            transaction.init_transactions(ANSWER)?;
            Ok(transaction.begin_transaction()?)
        })
        .await?;
        let records: Vec<_> = records.into_iter().collect();
        try_join_all(records.iter().map(|record| send(&producer, topic, record))).await?;
        blocking(move || {
            if commit {
                producer.commit_transaction(ANSWER)?;
            } else {
                producer.abort_transaction(ANSWER)?;
            }
            Ok(())
        })
        .await
    }

    /// Removes the records of a partition before an offset, as retention does.
    ///
    /// # Errors
    /// If the broker refuses it.
    pub async fn delete_records(&self, topic: &str, partition: i32, before: i64) -> Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.client().create()?;
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset(topic, partition, Offset::Offset(before))?;
        let options = AdminOptions::new().operation_timeout(Some(ANSWER));
        let deleted = admin.delete_records(&offsets, &options).await?;
        for place in deleted.elements() {
            place.error()?;
        }
        Ok(())
    }

    /// Commits an offset in a group's name, with metadata, while the group has no member.
    ///
    /// # Errors
    /// If the broker refuses it.
    pub async fn commit(
        &self,
        group: &str,
        topic: &str,
        partition: i32,
        offset: i64,
        metadata: &str,
    ) -> Result<()> {
        let consumer: BaseConsumer = self
            .client()
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .create()?;
        let mut offsets = TopicPartitionList::new();
        let mut place = offsets.add_partition(topic, partition);
        place.set_offset(Offset::Offset(offset))?;
        place.set_metadata(metadata);
        blocking(move || Ok(consumer.commit(&offsets, CommitMode::Sync)?)).await
    }

    /// All records of a topic, partition by partition, up to the ends as they are now.
    ///
    /// # Errors
    /// If the topic is unknown or the broker does not answer.
    pub async fn records(&self, topic: &str) -> Result<Vec<Record>> {
        let mut config = self.client();
        config
            .set("group.id", "kaizen-testkit")
            .set("enable.auto.commit", "false");
        config
            .set("isolation.level", "read_committed")
            .set("enable.partition.eof", "true");
        let topic = topic.to_owned();
        blocking(move || read_all(&config.create()?, &topic)).await
    }
}

/// The broker's properties that make it listen at the end of each network, and send clients back into it; and to secured clients.
fn listeners(
    broker: SocketAddr,
    controller: SocketAddr,
    networks: &[&Proxy],
    secured: Option<&Secured>,
) -> [String; 3] {
    let mut listeners = format!("listeners=BROKER://{broker},CONTROLLER://{controller}");
    let mut advertised = format!("advertised.listeners=BROKER://{broker}");
    let mut protocols = "listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned();
    for (n, network) in networks.iter().enumerate() {
        listeners += &format!(",NETWORK{n}://{}", network.server());
        advertised += &format!(",NETWORK{n}://{}", network.address());
        protocols += &format!(",NETWORK{n}:PLAINTEXT");
    }
    if let Some(secured) = secured {
        listeners += &format!(",SECURED://{}", secured.address());
        advertised += &format!(",SECURED://{}", secured.address());
        protocols += ",SECURED:SASL_SSL";
    }
    [listeners, advertised, protocols]
}

async fn send(producer: &FutureProducer, topic: &str, record: &Record) -> Result<()> {
    let headers = record
        .headers
        .iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header {
                key,
                value: Some(value),
            })
        });
    let mut message = FutureRecord::<Vec<u8>, Vec<u8>>::to(topic).headers(headers);
    message.key = record.key.as_ref();
    message.payload = record.value.as_ref();
    let delivery = producer.send(message, ANSWER).await;
    delivery
        .map(drop)
        .map_err(|(error, _)| error)
        .with_context(|| format!("publishing to {topic}"))
}

fn read_all(consumer: &BaseConsumer, topic: &str) -> Result<Vec<Record>> {
    let metadata = consumer.fetch_metadata(Some(topic), ANSWER)?;
    let described = metadata
        .topics()
        .iter()
        .find(|described| described.name() == topic);
    let partitions = described
        .map(|described| described.partitions().len())
        .unwrap_or_default();
    ensure!(partitions > 0, "no topic {topic}");
    let mut records = Vec::new();
    for partition in 0..i32::try_from(partitions)? {
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
        consumer.assign(&assignment)?;
        loop {
            match consumer
                .poll(ANSWER)
                .with_context(|| format!("{topic}/{partition} is silent"))?
            {
                Ok(message) => records.push(record(&message)),
                Err(rdkafka::error::KafkaError::PartitionEOF(_)) => break,
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(records)
}

fn record(message: &impl Message) -> Record {
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    Record {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers
            .map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec()))
            .collect(),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await?
}
