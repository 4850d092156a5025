//! The collector, built and run.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use kaizen_catalogue::Catalogue;
use kaizen_service::{Application, Health, Progress, Readiness};
use kaizen_stream::{
    Completion, DeadLetters, GroupProtocol, KafkaConfig, Observer, Partition, Pipeline, consume,
};
use kaizen_warehouse::Client;
use prometheus_client::registry::Registry;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::audit::{Auditor, Settled};
use crate::config::{CollectorConfig, OutOfRange, Protocol};
use crate::ingest::IngestServers;
use crate::instruments::Instruments;
use crate::position::Position;
use crate::preflight;
use crate::step::{EventStep, schema};
use crate::store::{BatchStore, Dependencies};
use crate::topics::Topics;

/// The loop looks at the clock 50 times a second; this long without is stuck. It covers the wait for a coordinator that is
/// away: a commit waits for the group's session to end, committed offsets are asked for during a minute.
const SILENCE: Duration = Duration::from_secs(90);

/// The collector, ready to run.
pub struct Collector {
    kafka: KafkaConfig,
    topics: Vec<String>,
    pipeline: Pipeline<EventStep, BatchStore>,
    witness: Arc<Witness>,
    position: Position,
    ingest: IngestServers,
    auditor: Auditor,
}

/// Turns what the loop tells into instruments and health.
struct Witness {
    instruments: Instruments,
    progress: Progress,
    kafka: Readiness,
    settled: Settled,
}

impl Observer for Witness {
    fn progress(&self, _busy: bool) {
        self.progress.mark();
    }

    fn reachable(&self, state: Result<(), String>) {
        self.kafka.set(state);
    }

    fn assigned(&self, partition: &Partition, from: i64) {
        self.settled.assigned(partition, from);
    }

    fn revoked(&self, partition: &Partition) {
        self.settled.revoked(partition);
    }

    fn durable(&self, completion: &Completion) {
        self.settled.durable(completion);
        self.instruments.durable(completion);
    }

    fn lag(&self, partition: &Partition, records: Option<u64>) {
        self.instruments.lag(partition, records);
    }
}

impl Application for Collector {
    type Config = CollectorConfig;
    type Instruments = Instruments;

    fn instruments(registry: &mut Registry) -> Instruments {
        Instruments::register(registry)
    }

    fn describe(instruments: &Instruments) {
        instruments.describe();
    }

    async fn build(
        config: CollectorConfig,
        instruments: Instruments,
        health: Health,
    ) -> anyhow::Result<Self> {
        let catalogue = Catalogue::load(&config.catalogue.path).context("catalogue.path")?;
        let kafka = kafka(&config);
        let topics = Arc::new(Topics::of(&config.kafka.topics)?);
        let subscribed: Vec<_> = (config.kafka.topics.iter())
            .map(|topic| topic.name.clone())
            .collect();
        let client = Client::new(&config.clickhouse);
        preflight::topics(&kafka, named_topics(&config, &subscribed)).await?;
        preflight::tables(&client).await?;

        let position = Position::new(client.clone()).await.context("clickhouse")?;
        let settled = Settled::default();
        let auditor = Auditor::new(
            config.audit.clone(),
            &kafka,
            subscribed.first().map_or("", String::as_str),
            client.clone(),
            settled.clone(),
            instruments.audit.clone(),
        )?;
        let store = store(
            &config,
            &kafka,
            &client,
            &position,
            &topics,
            (&instruments, &health),
        )?;
        let ingest = ingest(&config, &kafka, &catalogue, &topics, &instruments, &health).await?;
        let step = EventStep::new(&catalogue, topics, config.privacy.privacy()?, instruments.clone());
        let budget = config.batch.memory_budget.size();
        let pipeline = Pipeline::new(
            step,
            Arc::new(store),
            config.batch.limits(),
            budget,
            Handle::current(),
        );
        let progress = health.watch("consume", SILENCE);
        let witness = Arc::new(Witness {
            instruments,
            progress,
            kafka: health.require("kafka"),
            settled,
        });
        Ok(Self {
            kafka,
            topics: subscribed,
            pipeline,
            witness,
            position,
            ingest,
            auditor,
        })
    }

    async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Self {
            kafka,
            topics,
            pipeline,
            witness,
            position,
            ingest,
            auditor,
        } = self;
        tokio::spawn(position.follow(shutdown.clone()));
        tokio::spawn(auditor.run(shutdown.clone()));
        let serving = ingest.serve(shutdown.clone());
        let consuming = move || consume(&kafka, &topics, pipeline, witness, &shutdown);
        let consuming = async { anyhow::Ok(tokio::task::spawn_blocking(consuming).await??) };
        tokio::try_join!(consuming, serving)?;
        Ok(())
    }
}

/// The topics that must be there.
fn named_topics(config: &CollectorConfig, subscribed: &[String]) -> Vec<String> {
    let names = subscribed.iter().filter(|topic| !topic.starts_with('^'));
    let mut named: Vec<_> = names.cloned().collect();
    named.push(config.kafka.dead_letter_topic.clone());
    for (_, topic, _) in config.ingest.topics() {
        if !named.iter().any(|name| name == topic) {
            named.push(topic.to_owned());
        }
    }
    named
}

async fn ingest(
    config: &CollectorConfig,
    kafka: &KafkaConfig,
    catalogue: &Catalogue,
    topics: &Topics,
    instruments: &Instruments,
    health: &Health,
) -> anyhow::Result<IngestServers> {
    let (section, instruments) = (config.ingest.clone(), instruments.ingest.clone());
    let schema = schema(catalogue);
    IngestServers::open(section, kafka, &schema, topics, instruments, health.clone()).await
}

fn kafka(config: &CollectorConfig) -> KafkaConfig {
    let properties = config.kafka.properties.iter();
    KafkaConfig {
        brokers: config.kafka.brokers.clone(),
        group_id: config.kafka.group_id.clone(),
        group_protocol: match config.kafka.group_protocol {
            Protocol::Classic => GroupProtocol::Classic,
            Protocol::Consumer => GroupProtocol::Consumer,
        },
        instance_id: config.kafka.instance_id.clone(),
        skip_deleted: config.kafka.when_out_of_range == OutOfRange::Earliest,
        properties: properties
            .map(|(name, value)| (name.clone(), value.reveal().to_owned()))
            .collect(),
    }
}

fn store(
    config: &CollectorConfig,
    kafka: &KafkaConfig,
    client: &Client,
    position: &Position,
    topics: &Arc<Topics>,
    (instruments, health): (&Instruments, &Health),
) -> anyhow::Result<BatchStore> {
    let dependencies = Dependencies {
        clickhouse: health.require("clickhouse"),
        dead_letters: health.require("dead_letters"),
    };
    // The checks at the start reached both.
    dependencies.clickhouse.set(Ok(()));
    dependencies.dead_letters.set(Ok(()));
    let dead_letters = DeadLetters::new(kafka, &config.kafka.dead_letter_topic)?;
    let concurrent = config.batch.concurrent_inserts.size();
    Ok(BatchStore::new(
        client.clone(),
        dead_letters,
        (concurrent, config.duplicates.window(), topics.clone()),
        position.clone(),
        dependencies,
        instruments.clone(),
    ))
}
