//! A consumer over `sentry_arroyo`, as its documentation shows one: decode, reduce to batches, insert, commit.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use clap::{Parser, ValueEnum};
use clickhouse::{Client, Compression};
use kaizen_bench_peers::{Event, Row};
use sentry_arroyo::backends::kafka::InitialOffset;
use sentry_arroyo::backends::kafka::config::KafkaConfig;
use sentry_arroyo::backends::kafka::types::KafkaPayload;
use sentry_arroyo::processing::StreamProcessor;
use sentry_arroyo::processing::strategies::commit_offsets::CommitOffsets;
use sentry_arroyo::processing::strategies::reduce::Reduce;
use sentry_arroyo::processing::strategies::run_task::RunTask;
use sentry_arroyo::processing::strategies::run_task_in_threads::{
    ConcurrencyConfig, RunTaskError, RunTaskFunc, RunTaskInThreads,
};
use sentry_arroyo::processing::strategies::{
    InvalidMessage, MessageRejected, ProcessingStrategy, ProcessingStrategyFactory, SubmitError,
};
use sentry_arroyo::types::{InnerMessage, Message, Topic};
use serde_json::value::RawValue;

/// Rows of a batch, whichever partitions they come from.
const BATCH: usize = 50_000;
/// Longest wait for a batch to fill.
const WAIT: Duration = Duration::from_secs(1);
/// Inserts at once.
const CONCURRENT: usize = 4;

#[derive(Debug, Parser)]
struct Options {
    #[arg(long)]
    brokers: String,
    #[arg(long)]
    topic: String,
    #[arg(long)]
    group: String,
    #[arg(long)]
    clickhouse: String,
    #[arg(long, value_enum)]
    decoder: Decoder,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Decoder {
    /// serde_json
    Serde,
    /// sonic-rs
    Simd,
}

struct Factory {
    client: Client,
    decoder: Decoder,
    concurrency: ConcurrencyConfig,
}

impl ProcessingStrategyFactory<KafkaPayload> for Factory {
    fn create(&self) -> Box<dyn ProcessingStrategy<KafkaPayload>> {
        let (client, decoder) = (self.client.clone(), self.decoder);
        let insert = move |batch: Message<Vec<Row>>| insert(client.clone(), batch);
        let insert = RunTaskInThreads::new(
            CommitOffsets::new(WAIT),
            insert,
            &self.concurrency,
            Some("insert"),
        );
        #[expect(clippy::result_large_err, reason = "the library's own type")]
        let add = |mut rows: Vec<Row>, message: Message<Row>| {
            rows.push(message.into_payload());
            Ok(rows)
        };
        let reduce = Reduce::new(insert, Arc::new(add), Arc::new(Vec::new), BATCH, WAIT, |_| 1);
        Box::new(RunTask::new(move |message| decode(message, decoder), reduce))
    }
}

fn decode(
    message: Message<KafkaPayload>,
    decoder: Decoder,
) -> Result<Message<Row>, SubmitError<KafkaPayload>> {
    let InnerMessage::BrokerMessage(record) = &message.inner_message else {
        // Only batches are of another kind.
        return Err(SubmitError::MessageRejected(MessageRejected { message }));
    };
    let place = (
        record.partition.topic.as_str(),
        i32::from(record.partition.index),
        record.offset.cast_signed(),
        record.timestamp.timestamp_millis(),
    );
    let value = record.payload.payload().map(Vec::as_slice).unwrap_or_default();
    let row = match decoder {
        Decoder::Serde => serde_json::from_slice::<Event<Box<RawValue>>>(value)
            .context("not an event")
            .and_then(|event| Row::new(event, place)),
        Decoder::Simd => sonic_rs::from_slice::<Event<sonic_rs::OwnedLazyValue>>(value)
            .context("not an event")
            .and_then(|event| Row::new(event, place)),
    };
    match row {
        Ok(row) => Ok(message.replace(row)),
        Err(error) => {
            eprintln!("{place:?}: {error:#}");
            Err(SubmitError::InvalidMessage(InvalidMessage::from(record)))
        }
    }
}

fn insert(client: Client, batch: Message<Vec<Row>>) -> RunTaskFunc<(), anyhow::Error> {
    Box::pin(async move {
        let sent = async {
            let mut insert = client.insert::<Row>("decisions").await?;
            for row in batch.payload() {
                insert.write(row).await?;
            }
            insert.end().await
        };
        match sent.await {
            Ok(()) => Ok(batch.replace(())),
            Err(error) => Err(RunTaskError::Other(error.into())),
        }
    })
}

fn main() -> Result<()> {
    let options = Options::parse();
    // Kafka's client would else idle for a second whenever its queue was full.
    let properties = [("fetch.queue.backoff.ms".to_owned(), "5".to_owned())];
    let config = KafkaConfig::new_consumer_config(
        vec![options.brokers],
        options.group,
        InitialOffset::Earliest,
        false,
        300_000,
        Some(properties.into()),
    );
    let client = Client::default()
        .with_url(options.clickhouse)
        .with_database("kaizen")
        .with_compression(Compression::None)
        .with_validation(false);
    let factory = Factory {
        client,
        decoder: options.decoder,
        concurrency: ConcurrencyConfig::new(CONCURRENT),
    };
    let processor = StreamProcessor::with_kafka(config, factory, Topic::new(&options.topic), None);
    // Its error cannot be sent to another thread, as anyhow would have it.
    processor
        .run()
        .map_err(|error| anyhow!("the consumer ended: {error}: {error:?}"))
}
