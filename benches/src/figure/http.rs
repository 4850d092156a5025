//! What the collector takes in over HTTP: bodies of 100 lines, each request answered when Kafka has all of it. The topic is
//! one that the collector does not read, so that its CPU is that of the ingest alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use kaizen_testkit::{DecisionBuilder, Service, Stack};
use tokio::task::JoinSet;

use super::{Figure, tell};
use crate::contender::start_collector;
use crate::meter::{Measurement, Meter, cpu, median, peak_memory};
use crate::options::Options;
use crate::report::{Section, Table, grouped};

const RECORDS: u64 = 100;
/// Length of an event, roughly.
const BYTES: usize = 1200;
/// Requests under way at once.
const SENDERS: usize = 16;

/// Sends all of them, round after round.
pub async fn measure(options: &Options) -> Result<Section> {
    let stack = Stack::start().await?;
    let topic = stack.kafka().new_topic("http-ingest", 8).await?;
    let collector = start_collector(&stack, "collector", &[("KAIZEN__INGEST__TOPIC", &topic)]).await?;
    let bodies: Arc<[Bytes]> = (0..options.http / RECORDS).map(body).collect();
    let events = bodies.len() as u64 * RECORDS;
    let bytes = bodies.iter().map(Bytes::len).sum::<usize>() as u64 / events;
    let mut rounds = Vec::new();
    for round in 1..=options.runs {
        let measured = send(&stack, &collector, bodies.clone()).await?;
        tell(&format!(
            "round {round} of {}: {:.0} events/s",
            options.runs,
            measured.rate()
        ));
        rounds.push(measured);
    }
    let typical = median(&rounds, Measurement::rate).context("no round")?;
    let of_cpu = median(&rounds, Measurement::rate_of_cpu).context("no round")?;
    let peak = peak_memory(collector.part().id()?)?;
    let mut table = Table::new(&[
        "events",
        "acknowledged by Kafka, events/s",
        "events per CPU-second of the collector",
        "peak memory of the collector",
    ]);
    table.row([
        format!(
            "{} of {} bytes, {RECORDS} a request, {SENDERS} requests at once, medians of {}",
            grouped(events),
            grouped(bytes),
            options.runs
        ),
        grouped(typical.rate() as u64),
        grouped(of_cpu.rate_of_cpu() as u64),
        format!("{peak} MiB"),
    ]);
    Ok(Section::plain(Figure::Http, table.to_string()))
}

fn body(number: u64) -> Bytes {
    let now = jiff::Timestamp::now().to_string();
    let padding = "what the message says ".repeat(24);
    let lines = (0..RECORDS).map(|n| {
        let id = format!("event-{}", number * RECORDS + n);
        let event = DecisionBuilder::new(&format!("session-{}", n % 37), &now).with("/event_id", id);
        let mut line = event.with("/output_data/message", padding.as_str()).build();
        let missing = BYTES.saturating_sub(line.len() + 16);
        let more = "x".repeat(missing);
        line.pop();
        line.extend_from_slice(format!(",\"note\":\"{more}\"}}\n").as_bytes());
        line
    });
    lines.flatten().collect()
}

async fn send(stack: &Stack, collector: &Service, bodies: Arc<[Bytes]>) -> Result<Measurement> {
    let url = format!("{}/v1/decisions", collector.url());
    let client = reqwest::Client::new();
    let next = Arc::new(AtomicUsize::new(0));
    let (meter, before) = (Meter::start(stack)?, cpu(collector.part().id()?)?);
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let (url, client, next, bodies) = (url.clone(), client.clone(), next.clone(), bodies.clone());
        senders.spawn(async move {
            while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                let request = client.post(&url).header("content-type", "application/x-ndjson");
                let answer = request.body(body.clone()).send().await?;
                let (status, text) = (answer.status(), answer.text().await?);
                let whole = text.starts_with("{\"accepted\":100,\"rejected\":0,");
                ensure!(status.as_u16() == 202 && whole, "{status}: {text}");
            }
            Ok(())
        });
    }
    for sent in senders.join_all().await {
        sent?;
    }
    let own = cpu(collector.part().id()?)?.saturating_sub(before);
    meter.stop(stack, bodies.len() as u64 * RECORDS, Some(own))
}
