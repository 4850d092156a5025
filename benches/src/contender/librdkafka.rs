//! The floor: reading the topic and doing nothing with it.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::meter::{Measurement, Meter, cpu};
use crate::stage::{Stage, TOPIC};

/// After this long the topic is taken for broken.
const SILENCE: Duration = Duration::from_secs(120);

/// Reads every event, in this process.
pub fn consume(stage: &mut Stage) -> Result<Measurement> {
    let (meter, before) = (Meter::start(&stage.stack)?, cpu(std::process::id())?);
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", stage.stack.kafka().brokers())
        .set("group.id", stage.new_group());
    config
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("fetch.queue.backoff.ms", "5");
    let consumer: BaseConsumer = config.create()?;
    consumer.subscribe(&[TOPIC])?;
    let (mut events, mut bytes, began) = (0, 0, Instant::now());
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
    ensure!(bytes > 0, "events without content");
    let own = cpu(std::process::id())?.saturating_sub(before);
    meter.stop(&stage.stack, events, Some(own))
}
