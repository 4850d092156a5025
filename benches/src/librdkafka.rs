//! The floor: reading the topic and doing nothing with it.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::measure::{Measurement, cpu, cpu_of_parts};
use crate::stage::{Stage, TOPIC};

/// After this long the topic is taken for broken.
const SILENCE: Duration = Duration::from_secs(120);

/// Reads every event, in this process.
pub fn consume(stage: &Stage) -> Result<Measurement> {
    let (began, before) = (Instant::now(), cpu(std::process::id())?);
    let parts = cpu_of_parts(&stage.stack)?;
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", stage.stack.kafka().brokers())
        .set("group.id", format!("alone-{began:?}"));
    config
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("fetch.queue.backoff.ms", "5");
    let consumer: BaseConsumer = config.create()?;
    consumer.subscribe(&[TOPIC])?;
    let (mut events, mut bytes) = (0, 0);
    while events < stage.events {
        // A poll may also end early, with a rebalance.
        match consumer.poll(Duration::from_millis(100)) {
            Some(message) => {
                bytes += message?.payload_len() as u64;
                events += 1;
            }
            None if began.elapsed() > SILENCE => bail!("{events} events of {}", stage.events),
            None => {}
        }
    }
    anyhow::ensure!(bytes > 0, "events without content");
    let used = cpu(std::process::id())?.checked_sub(before);
    Ok(Measurement {
        events,
        elapsed: began.elapsed(),
        cpu: used,
        parts: cpu_of_parts(&stage.stack)?.saturating_sub(parts),
    })
}
