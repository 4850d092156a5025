//! Broker and engine, with the events in a topic of their own.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use kaizen_catalogue::Catalogue;
use kaizen_simulator::{Scenario, Simulation};
use kaizen_testkit::{Stack, workspace};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};

/// The topic that holds the events; no policy of timestamps.
pub const TOPIC: &str = "kaizen.decisions.backfill";
const SCENARIO: &str = "config/scenarios/fleet-8-weeks.yaml";

/// Broker, engine and events.
pub struct Stage {
    /// Broker and engine.
    pub stack: Stack,
    /// Events in the topic.
    pub events: u64,
    /// Their mean length.
    pub event_bytes: u64,
    /// Whether their times are the scenario's, not those of publishing.
    history: bool,
    rounds: u32,
}

impl Stage {
    /// Starts the parts and publishes the events.
    pub async fn build(events: u64, history: bool) -> Result<Self> {
        let stack = Stack::start().await?;
        let mut stage = Self {
            stack,
            events: 0,
            event_bytes: 0,
            history,
            rounds: 0,
        };
        stage.publish(events)?;
        Ok(stage)
    }

    /// Publishes more events of the fleet.
    pub fn publish(&mut self, events: u64) -> Result<()> {
        let catalogue = Catalogue::load(&workspace().join("config/catalogue.yaml"))?;
        let text = std::fs::read_to_string(workspace().join(Path::new(SCENARIO)))?;
        let scenario = Scenario::parse(&text.replace("events: 200000", &format!("events: {events}")))?;
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.stack.kafka().brokers());
        config
            .set("compression.type", "lz4")
            .set("linger.ms", "20")
            .set("batch.size", "262144");
        let producer: ThreadedProducer<DefaultProducerContext> = config.create()?;
        let mut bytes = 0;
        for mut event in Simulation::new(&scenario, &catalogue, 1 + self.events) {
            if !self.history {
                event.value = made_now(&event.value)?;
            }
            bytes += event.value.len() as u64;
            let mut record = BaseRecord::to(TOPIC).key(&event.key).payload(&event.value);
            while let Err((error, back)) = producer.send(record) {
                let full = matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
                full.then_some(())
                    .with_context(|| format!("publishing: {error}"))?;
                record = back;
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        producer.flush(Duration::from_secs(60))?;
        self.events += events;
        self.event_bytes = bytes / events;
        Ok(())
    }

    /// A consumer group that has read nothing yet.
    pub fn new_group(&mut self) -> String {
        self.rounds += 1;
        format!("bench-{}", self.rounds)
    }

    /// Empties the tables.
    pub async fn empty(&self) -> Result<()> {
        for table in ["decisions", "rollup_hourly", "rejections"] {
            self.stack
                .clickhouse()
                .query(&format!("TRUNCATE TABLE kaizen.{table}"))
                .await?;
        }
        Ok(())
    }

    /// Waits until the table holds so many decisions.
    pub async fn stored(&self, events: u64) -> Result<()> {
        loop {
            let rows: u64 = self
                .stack
                .clickhouse()
                .query("SELECT count() FROM kaizen.decisions")
                .await?
                .parse()?;
            if rows >= events {
                anyhow::ensure!(rows == events, "{rows} rows of {events} events");
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The event, as if its decision had been made now.
fn made_now(event: &[u8]) -> Result<Vec<u8>> {
    let text = std::str::from_utf8(event)?;
    let (before, rest) = text.split_once("\"timestamp\":\"").context("no timestamp")?;
    let (_, after) = rest.split_once('"').context("a timestamp without end")?;
    let now = Timestamp::from_millisecond(Timestamp::now().as_millisecond())?;
    Ok(format!("{before}\"timestamp\":\"{now}\"{after}").into_bytes())
}
