//! Poll, step, seal, insert, commit what is inserted.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kaizen_collector::{CollectorConfig, EventStep, Topics};
use kaizen_decision::{RawRecord, Replay};
use kaizen_stream::{Batch, Limits, Partition, Step};
use kaizen_warehouse::{BatchWriter, Insert};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::lane::Lane;

/// As the collector's.
const POLL: Duration = Duration::from_millis(20);
const RECORDS_A_TICK: u32 = 1024;

/// A consumer with the collector's settings, subscribed to its topics.
pub fn consumer(config: &CollectorConfig) -> Result<BaseConsumer> {
    let kafka = &config.kafka;
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &kafka.brokers)
        .set("group.id", &kafka.group_id);
    config
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest");
    config
        .set("isolation.level", "read_committed")
        .set("queued.max.messages.kbytes", "16384")
        .set("fetch.max.bytes", "4194304");
    config
        .set("fetch.message.max.bytes", "2097152")
        .set("fetch.queue.backoff.ms", "5")
        .set("statistics.interval.ms", "5000");
    let consumer: BaseConsumer = config.create()?;
    let topics: Vec<_> = kafka.topics.iter().map(|topic| topic.name.as_str()).collect();
    consumer.subscribe(&topics)?;
    Ok(consumer)
}

/// Everything that reading needs.
pub struct Consume {
    pub consumer: BaseConsumer,
    pub step: EventStep,
    pub topics: Arc<Topics>,
    pub writer: BatchWriter,
    pub limits: Limits,
    pub concurrent: usize,
    pub runtime: Handle,
}

/// A batch that was inserted: its partition, and the offset after its last record.
type Inserted = Result<(Partition, i64)>;

impl Consume {
    /// Reads until `shutdown`; ends at the first error, as nothing is lost by that.
    pub fn run(mut self, shutdown: &CancellationToken) -> Result<()> {
        let permits = Arc::new(Semaphore::new(self.concurrent));
        let (sender, inserted) = channel();
        let mut lanes = Vec::new();
        while !shutdown.is_cancelled() {
            let now = Instant::now();
            self.read(&mut lanes, now)?;
            self.commit(&mut lanes, &inserted)?;
            for lane in &mut lanes {
                if let Some(batch) = lane.seal_if_due(&self.limits, now) {
                    ensure!(
                        batch.rejections.is_empty(),
                        "{}: a record was rejected",
                        lane.partition
                    );
                    self.insert(batch, permits.clone(), sender.clone());
                }
            }
            self.steer(&mut lanes)?;
        }
        Ok(())
    }

    fn read(&mut self, lanes: &mut Vec<Lane>, now: Instant) -> Result<()> {
        let mut wait = POLL;
        for _ in 0..RECORDS_A_TICK {
            let Some(message) = self.consumer.poll(wait) else {
                return Ok(());
            };
            let message = message.context("reading")?;
            wait = Duration::ZERO;
            let headers = message.headers();
            let header = |name| {
                let mut headers = headers.into_iter().flat_map(Headers::iter);
                headers.find(|header| header.key == name)?.value
            };
            let record = RawRecord {
                topic: message.topic(),
                partition: message.partition(),
                offset: message.offset(),
                time: message.timestamp().to_millis(),
                key: message.key(),
                value: message.payload(),
                content_type: header("content-type"),
                event_id: header("event-id"),
                replay: Replay::default(),
            };
            let its = |lane: &Lane| lane.is_of(record.topic, record.partition);
            let place = lanes.iter().position(its).unwrap_or_else(|| {
                let topic = record.topic.to_owned();
                let number = record.partition;
                lanes.push(Lane::new(Partition { topic, number }));
                lanes.len() - 1
            });
            let (batch, recent) = lanes[place].admit(&record, now);
            self.step.apply(&record, recent, batch);
            batch.include(&record, header("traceparent"));
        }
        Ok(())
    }

    /// Inserts in the background.
    fn insert(&self, batch: Batch, permits: Arc<Semaphore>, inserted: Sender<Inserted>) {
        let (writer, table) = (self.writer.clone(), self.topics.table(&batch.partition.topic));
        self.runtime.spawn(async move {
            let result = async {
                let _permit = permits.acquire().await?;
                let insert = Insert {
                    table: table.name(),
                    columns: table.columns(),
                    rows: batch.rows.pieces().to_vec(),
                    token: batch.token(),
                };
                writer.insert(&insert).await?;
                Ok((batch.partition, batch.next))
            };
            // Nobody listens only once the program ends.
            let _ = inserted.send(result.await);
        });
    }

    fn commit(&self, lanes: &mut [Lane], inserted: &Receiver<Inserted>) -> Result<()> {
        let mut offsets = TopicPartitionList::new();
        for result in inserted.try_iter() {
            let (partition, next) = result.context("inserting")?;
            offsets.add_partition_offset(&partition.topic, partition.number, Offset::Offset(next))?;
            if let Some(lane) = lanes.iter_mut().find(|lane| lane.partition == partition) {
                lane.inserting = false;
            }
        }
        if offsets.count() > 0 {
            self.consumer
                .commit(&offsets, CommitMode::Async)
                .context("committing")?;
        }
        Ok(())
    }

    /// Pauses what is full, and resumes what is not any more.
    fn steer(&self, lanes: &mut [Lane]) -> Result<()> {
        for lane in lanes {
            let pause = lane.is_held(&self.limits);
            if pause != lane.paused {
                let mut list = TopicPartitionList::new();
                list.add_partition(&lane.partition.topic, lane.partition.number);
                let steered = if pause {
                    self.consumer.pause(&list)
                } else {
                    self.consumer.resume(&list)
                };
                steered.with_context(|| lane.partition.to_string())?;
                lane.paused = pause;
            }
        }
        Ok(())
    }
}
