//! Broker and engine, with the events in a topic of their own.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use kaizen_testkit::Stack;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};

use crate::simulated::{Fleet, made_now};

/// The topic that holds the events; no policy of timestamps.
pub const TOPIC: &str = "kaizen.decisions.backfill";
/// After this long without a row more, whoever is measured is taken for stuck.
const SILENCE: Duration = Duration::from_secs(120);
/// How often rows are counted.
const LOOK: Duration = Duration::from_millis(100);

/// Broker, engine and events.
pub struct Stage {
    /// Broker and engine.
    pub stack: Stack,
    /// Events in the topic.
    pub events: u64,
    /// Their mean length.
    pub event_bytes: u64,
    rounds: u32,
    /// Parts that were ever inserted into the tables, as of the last time they were emptied.
    parts: [u64; 2],
}

/// What an ingest left in the tables.
#[derive(Debug, Clone, Copy, Default)]
pub struct Left {
    /// Parts inserted into the decisions.
    pub parts: u64,
    /// Parts inserted into the rollup.
    pub rollup_parts: u64,
    /// Bytes of both on disk when the last event came in.
    pub bytes: u64,
    /// Bytes of both once everything is merged.
    pub merged_bytes: u64,
}

impl Stage {
    /// Starts the parts and publishes the events, with the scenario's times or as if made now.
    pub async fn build(events: u64, history: bool) -> Result<Self> {
        let stack = Stack::start().await?;
        let event_bytes = publish(&stack, events, history).context("publishing the events")? / events;
        Ok(Self {
            stack,
            events,
            event_bytes,
            rounds: 0,
            parts: [0; 2],
        })
    }

    /// A consumer group that has read nothing yet.
    pub fn new_group(&mut self) -> String {
        self.rounds += 1;
        format!("bench-{}", self.rounds)
    }

    /// Empties the tables; merges that were under way end with that.
    pub async fn empty(&mut self) -> Result<()> {
        self.parts = self.parts_inserted().await?;
        for table in ["decisions", "rollup_hourly", "rejections"] {
            self.query(&format!("TRUNCATE TABLE kaizen.{table}")).await?;
        }
        Ok(())
    }

    /// Waits until the table holds every event, once, and the rollup too, which comes a little later; `alive` is asked whether
    /// they still can.
    pub async fn stored(&self, alive: impl Fn() -> Result<()>) -> Result<()> {
        let (mut before, mut since) = (0, Instant::now());
        loop {
            let rows = self.number("SELECT count() FROM kaizen.decisions").await?;
            ensure!(rows <= self.events, "{rows} rows of {} events", self.events);
            if rows == self.events {
                let sum = self
                    .number("SELECT sum(decisions) FROM kaizen.rollup_hourly")
                    .await?;
                ensure!(
                    sum <= self.events,
                    "a rollup of {sum} decisions of {}",
                    self.events
                );
                if sum == self.events {
                    return Ok(());
                }
            }
            alive()?;
            if rows > before {
                (before, since) = (rows, Instant::now());
            }
            if since.elapsed() > SILENCE {
                bail!("{rows} of {} events, and none more for {SILENCE:?}", self.events);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What was left since the tables were emptied. Merges them.
    pub async fn left(&self) -> Result<Left> {
        let [parts, rollup_parts] = self.parts_inserted().await?;
        let bytes = self.bytes().await?;
        for table in ["decisions", "rollup_hourly"] {
            self.query(&format!("OPTIMIZE TABLE kaizen.{table} FINAL"))
                .await?;
        }
        Ok(Left {
            parts: parts - self.parts[0],
            rollup_parts: rollup_parts - self.parts[1],
            bytes,
            merged_bytes: self.bytes().await?,
        })
    }

    /// Each insert takes one number for each part it makes, and no number comes twice.
    async fn parts_inserted(&self) -> Result<[u64; 2]> {
        let mut numbers = self.parts;
        for (number, table) in numbers.iter_mut().zip(["decisions", "rollup_hourly"]) {
            let newest = format!(
                "SELECT toUInt64(max(max_block_number)) FROM system.parts WHERE database = 'kaizen' AND table = '{table}'"
            );
            *number = self.number(&newest).await?.max(*number);
        }
        Ok(numbers)
    }

    async fn bytes(&self) -> Result<u64> {
        let statement = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'kaizen' AND table IN \
                         ('decisions', 'rollup_hourly')";
        self.number(statement).await
    }

    async fn number(&self, statement: &str) -> Result<u64> {
        let answer = self.query(statement).await?;
        answer.parse().with_context(|| format!("{statement}: {answer}"))
    }

    async fn query(&self, statement: &str) -> Result<String> {
        self.stack.clickhouse().query(statement).await
    }
}

/// Publishes events of the fleet; returns their bytes.
fn publish(stack: &Stack, events: u64, history: bool) -> Result<u64> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", stack.kafka().brokers());
    config
        .set("compression.type", "lz4")
        .set("linger.ms", "20")
        .set("batch.size", "262144");
    let producer: ThreadedProducer<DefaultProducerContext> = config.create()?;
    let (mut bytes, mut published) = (0, 0);
    for event in Fleet::load(events)?.events(1) {
        let value = if history {
            event.value
        } else {
            made_now(&event.value)?
        };
        bytes += value.len() as u64;
        published += 1;
        let mut record = BaseRecord::to(TOPIC).key(&event.key).payload(&value);
        while let Err((error, back)) = producer.send(record) {
            if !matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) {
                return Err(error.into());
            }
            record = back;
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    producer.flush(Duration::from_secs(60))?;
    ensure!(
        published == events,
        "the simulation gave {published} events instead of {events}"
    );
    Ok(bytes)
}
