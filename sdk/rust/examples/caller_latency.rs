//! How long a caller is held up: `cargo run --release -p kaizen-logger --example caller_latency [SECONDS]`. Starts a broker
//! of its own, logs events of 1.2 kB at 5,000 a second, and prints the time that one call takes, beside the same through
//! librdkafka alone.

#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kaizen_logger::{Decision, DecisionLogger, Level};
use kaizen_testkit::{Kafka, be_quiet};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use serde_json::{Value, json};

const RATE: u32 = 5_000;
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> Result<()> {
    be_quiet();
    let seconds: u32 = std::env::args()
        .nth(1)
        .map_or(Ok(10), |seconds| seconds.parse())?;
    let calls = RATE * seconds;
    println!(
        "{calls} events of {} bytes at {RATE} a second",
        event().to_string().len()
    );
    println!(
        "{:<40}{:>10}{:>10}{:>10}{:>10}",
        "microseconds a call", "p50", "p99", "p99.9", "max"
    );
    let kafka = Kafka::start().await?;
    tokio::task::block_in_place(|| librdkafka(&kafka, calls))?;
    let spill = tempfile::tempdir()?;
    let builder = DecisionLogger::builder()
        .brokers(kafka.brokers())
        .spill_dir(spill.path());
    let topic = kafka.new_topic("latency", 8).await?;
    let logger = builder.topic(topic).build()?;
    tokio::task::block_in_place(|| measure("DecisionLogger::log", calls, || log(&logger)))?;
    ensure!(logger.flush(PATIENCE), "{:?}", logger.stats());
    kafka.part().kill();
    tokio::task::block_in_place(|| measure("DecisionLogger::log, broker down", calls, || log(&logger)))?;
    let stats = logger.shutdown(Duration::ZERO);
    println!(
        "delivered {}, on disk {}, dropped {}",
        stats.delivered,
        stats.on_disk,
        stats.dropped_total()
    );
    Ok(())
}

fn input() -> Value {
    json!({"template": "b", "model": "large", "prompt_version": "2026-01", "text": "x".repeat(380)})
}

fn output() -> Value {
    json!({"subject": "y".repeat(60), "text": "z".repeat(280), "tokens": 312, "cost_usd": 0.0031})
}

/// What the logger would publish.
fn event() -> Value {
    json!({
        "event_id": "019b8d2e-7c64-7a10-8f6e-3d1c5b7a9e20", "log_type": "campaign_generation", "session_id": "session-42",
        "timestamp": "2026-01-05T09:00:00.000Z",
        "lead_identifier": {"name": "Ada Lovelace", "company": "Engines", "industry": "computing"},
        "input_data": input(), "output_data": output(),
        "decision_reasoning": {"method_used": "template-b", "confidence_level": "high", "processing_time": 1.25, "success": true},
    })
}

fn log(logger: &DecisionLogger) -> Result<()> {
    let decision = Decision::new("campaign_generation", "session-42", "template-b")
        .lead_name("Ada Lovelace")
        .lead_company("Engines")
        .lead_industry("computing")
        .input(&input())
        .output(&output())
        .confidence(Level::High)
        .processing_time(Duration::from_millis(1250));
    black_box(logger.log(decision));
    Ok(())
}

/// The same settings, and a thread that polls.
fn librdkafka(kafka: &Kafka, calls: u32) -> Result<()> {
    let topic = tokio::runtime::Handle::current().block_on(kafka.new_topic("latency", 8))?;
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", kafka.brokers())
        .set("enable.idempotence", "true")
        .set("compression.type", "lz4")
        .set("linger.ms", "20")
        .create()?;
    measure("librdkafka send(serde_json::to_vec)", calls, || {
        let value = serde_json::to_vec(&event())?;
        let record = BaseRecord::to(&topic).key("session-42").payload(&value);
        producer.send(record).map_err(|(error, _)| error)?;
        Ok(())
    })?;
    producer.flush(PATIENCE)?;
    Ok(())
}

/// Calls at the rate, each at its time, and prints how long they took.
fn measure(what: &str, calls: u32, mut call: impl FnMut() -> Result<()>) -> Result<()> {
    let mut times = Vec::with_capacity(calls as usize);
    let began = Instant::now();
    for number in 0..calls {
        let due = Duration::from_secs(1) * number / RATE;
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        let called = Instant::now();
        call()?;
        times.push(called.elapsed());
    }
    times.sort_unstable();
    let quantile = |share: f64| {
        // Truncated on purpose: the rank of the quantile.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of the length"
        )]
        let rank = ((times.len() as f64) * share) as usize;
        let time = times.get(rank.min(times.len() - 1)).copied();
        time.map(|time| format!("{:.1}", time.as_secs_f64() * 1e6))
            .context("no calls")
    };
    println!(
        "{what:<40}{:>10}{:>10}{:>10}{:>10}",
        quantile(0.5)?,
        quantile(0.99)?,
        quantile(0.999)?,
        quantile(1.0)?
    );
    Ok(())
}
