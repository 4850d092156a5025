//! A pipeline over `spate`, as its documentation shows one: Kafka, JSON, a chain, ClickHouse.

use anyhow::{Result, anyhow};
use clap::Parser;
use kaizen_bench_peers::{COLUMNS, Event, Row};
use spate::clickhouse::ClickHouseEncoder;
use spate::json::{JsonDeserializerBuilder, JsonFraming, JsonSettings, OnError};
use spate::kafka::KafkaSource;
use spate::prelude::*;

/// simd-json has no raw values.
#[cfg(feature = "simd")]
type Document = serde_json::Value;
#[cfg(not(feature = "simd"))]
type Document = Box<serde_json::value::RawValue>;

/// Chunks between chain and sink, 32 MiB. With the default of 8 the source is paused over and over, and each time librdkafka throws
/// away what it has fetched.
const QUEUE: usize = 64;

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
}

/// The settings of its example, but for compression, as its peers here send none to the loopback, and chunks as large as its comments
/// advise when the chain outruns the sink.
fn config(options: &Options) -> Result<PipelineConfig> {
    let Options {
        brokers,
        topic,
        group,
        clickhouse,
    } = options;
    let columns = COLUMNS.join(", ");
    let text = format!(
        r#"
pipeline: {{ name: decisions, io_threads: 2 }}
checkpoint: {{ interval: 5s, max_pending_batches: 1024, drain_timeout: 25s }}
backpressure: {{ max_inflight_bytes: 1GiB }}
admin: {{ listen: none }}
metrics: {{ exporter: prometheus }}
source:
  kafka:
    brokers: "{brokers}"
    topic: "{topic}"
    group_id: "{group}"
    commit_interval: 5s
    rdkafka: {{ auto.offset.reset: earliest, fetch.queue.backoff.ms: "5" }}
sink:
  clickhouse:
    table: decisions
    database: kaizen
    columns: [{columns}]
    shards: [{{ replicas: ["{clickhouse}"] }}]
    validate_schema: names
    compression: off
    batch: {{ max_rows: 500000, max_bytes: 128MiB, linger: 1s }}
    inflight: {{ max_per_shard: 2 }}
    chunk: {{ target_bytes: 512KiB }}
"#
    );
    Ok(PipelineConfig::from_str(&text)?)
}

fn run(options: Options) -> Result<i32> {
    spate::telemetry::init(LogFormat::Pretty, "warn");
    let pipeline = Pipeline::from_config(config(&options)?)?;
    let source = KafkaSource::from_component_config(&pipeline.config().source)?;
    let sink = spate::clickhouse::config::from_component_config(pipeline.config().sink_config("default")?)?;
    let encoder = match pipeline.block_on(sink.validate_schema())? {
        Some(schema) => ClickHouseEncoder::<Owned<Row>>::with_schema(schema),
        None => ClickHouseEncoder::<Owned<Row>>::new(),
    };
    let report = pipeline
        .sink_with(sink, SinkOptions::default().with_queue_capacity(QUEUE))?
        .chains(move |ctx| {
            let (chunk, topic) = (ctx.chunk(), options.topic.clone());
            let decoder = JsonDeserializerBuilder::from_settings(JsonSettings {
                framing: JsonFraming::Single,
                on_error: OnError::Skip,
                reject_duplicate_keys: false,
            })
            .with_metrics(ctx.pipeline.clone(), "main")
            .build_serde::<Event<Document>>();
            chain_owned::<Event<Document>, _>(decoder)
                .with_metrics(ctx.pipeline, "main")
                .flat_map::<Owned<Row>, _>(move |event, out| {
                    let meta = out.meta();
                    let partition = meta.partition.0.cast_signed();
                    match Row::new(event, (&topic, partition, meta.offset, meta.event_time_ms)) {
                        Ok(row) => {
                            // How full the queues are is looked at between payloads.
                            let _ = out.emit(row);
                        }
                        Err(error) => eprintln!("partition {partition}, offset {}: {error:#}", meta.offset),
                    }
                })
                .sink(encoder.clone(), KeyHashRouter, chunk, ctx.queues, ctx.budget)
                .build()
        })
        .run(source)?;
    report.log();
    Ok(report.exit_code())
}

fn main() -> Result<()> {
    match run(Options::parse())? {
        0 => Ok(()),
        code => Err(anyhow!("the pipeline ended with {code}")),
    }
}
