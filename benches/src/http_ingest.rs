//! What the collector takes in over HTTP: bodies of 100 lines, each request answered when Kafka has all of it. The topic is
//! one that the collector does not read, so that its CPU is that of the ingest alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Result, ensure};
use bytes::Bytes;
use kaizen_testkit::{DecisionBuilder, Service, Stack};
use tokio::task::JoinSet;

use crate::measure::{Measurement, cpu, cpu_of_parts, mib, peak_memory};

const RECORDS: u64 = 100;
/// Length of an event, roughly.
const BYTES: usize = 1200;
/// Requests under way at once.
const SENDERS: usize = 16;

/// Sends so many events, and prints how fast they were acknowledged.
#[expect(clippy::print_stdout, reason = "a benchmark reports to the terminal")]
pub async fn report(events: u64) -> Result<()> {
    let stack = Stack::start().await?;
    let topic = stack.kafka().new_topic("http-ingest", 8).await?;
    let overrides = [
        ("KAIZEN__INGEST__TOPIC", topic.as_str()),
        ("KAIZEN__TELEMETRY__LOG_LEVEL", "warn"),
    ];
    let collector = Service::start("collector", false, &stack, &overrides).await?;
    let bodies: Arc<[Bytes]> = (0..events / RECORDS).map(body).collect();
    let bytes = bodies.iter().map(Bytes::len).sum::<usize>() as u64 / (events / RECORDS * RECORDS);
    let measured = send(&stack, &collector, bodies).await?;
    println!(
        "HTTP, {} events of {bytes} B, {RECORDS} a request, {SENDERS} at once: {:.0} events/s acknowledged, {:.0} events \
         per CPU-second of the collector, peak memory {} MiB",
        measured.events,
        measured.rate(),
        measured.rate_of_cpu().unwrap_or_default(),
        mib(peak_memory(collector.part().id()?)?),
    );
    Ok(())
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
    let (began, before) = (Instant::now(), cpu(collector.part().id()?)?);
    let parts = cpu_of_parts(stack)?;
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
    let (elapsed, after) = (began.elapsed(), cpu(collector.part().id()?)?);
    Ok(Measurement {
        events: bodies.len() as u64 * RECORDS,
        elapsed,
        cpu: Some(after.saturating_sub(before)),
        parts: cpu_of_parts(stack)?.saturating_sub(parts),
    })
}
