//! A fleet that publishes so many events a second, on and on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};

use crate::simulated::{Fleet, made_now};

/// One of so many events is followed.
const SAMPLED: u64 = 50;
/// Events of a simulation, after which the next begins.
const SIMULATED: u64 = 100_000;
/// Events are published so often.
const TICK: Duration = Duration::from_millis(1);

/// Where an event that is followed lies, and when it was published.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Just before it was given to the client.
    pub published: Instant,
}

/// Publishes until it is stopped.
pub struct Pace {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    samples: Receiver<Sample>,
    publishing: JoinHandle<Result<()>>,
}

impl Pace {
    /// Begins.
    pub fn start(brokers: &str, topic: &'static str, rate: u64) -> Result<Self> {
        let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (sender, samples) = channel();
        let began = Instant::now();
        let deliveries = Deliveries {
            began,
            acknowledged: acknowledged.clone(),
            samples: sender,
        };
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", brokers)
            .set("enable.idempotence", "true");
        config.set("compression.type", "lz4").set("linger.ms", "5");
        let producer = config.create_with_context(deliveries)?;
        let fleet = Fleet::load(SIMULATED)?;
        let stopped = stop.clone();
        let publishing =
            std::thread::spawn(move || publish(&producer, &fleet, (topic, rate), began, &stopped));
        Ok(Self {
            stop,
            acknowledged,
            samples,
            publishing,
        })
    }

    /// Events that Kafka has.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Followed events that Kafka acknowledged since it was last asked.
    pub fn samples(&self) -> impl Iterator<Item = Sample> {
        self.samples.try_iter()
    }

    /// Stops; returns how many events Kafka has.
    ///
    /// # Errors
    /// One was refused, or it could not keep the pace.
    pub fn stop(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        let published = self
            .publishing
            .join()
            .map_err(|_| anyhow!("the publisher panicked"))?;
        published.context("publishing")?;
        Ok(self.acknowledged.load(Ordering::Relaxed))
    }
}

/// What becomes of events. The opaque value is 0, or for one that is followed the nanoseconds since the beginning.
struct Deliveries {
    began: Instant,
    acknowledged: Arc<AtomicU64>,
    samples: Sender<Sample>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, delivered: &DeliveryResult<'_>, nanoseconds: usize) {
        let Ok(message) = delivered else {
            // Missed when the acknowledged ones are counted.
            return;
        };
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        if nanoseconds > 0 {
            let sample = Sample {
                partition: message.partition(),
                offset: message.offset(),
                published: self.began + Duration::from_nanos(nanoseconds as u64),
            };
            // Whoever follows them may have ended.
            let _ = self.samples.send(sample);
        }
    }
}

fn publish(
    producer: &ThreadedProducer<Deliveries>,
    fleet: &Fleet,
    (topic, rate): (&str, u64),
    began: Instant,
    stop: &AtomicBool,
) -> Result<()> {
    let mut published = 0;
    let mut events = (1..).flat_map(|seed| fleet.events(seed));
    while !stop.load(Ordering::Relaxed) {
        let due = (began.elapsed().as_secs_f64() * rate as f64) as u64;
        ensure!(due - published < 5 * rate, "{rate} events/s are too many here");
        while published < due {
            let event = events.next().context("the fleet ended")?;
            let value = made_now(&event.value)?;
            let followed = published.is_multiple_of(SAMPLED);
            let now = if followed {
                began.elapsed().as_nanos() as usize
            } else {
                0
            };
            let record = BaseRecord::with_opaque_to(topic, now)
                .key(&event.key)
                .payload(&value);
            match producer.send(record) {
                Ok(()) => published += 1,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => break,
                Err((error, _)) => return Err(error.into()),
            }
        }
        std::thread::sleep(TICK);
    }
    producer.flush(Duration::from_secs(30))?;
    let acknowledged = producer.context().acknowledged.load(Ordering::Relaxed);
    ensure!(
        acknowledged == published,
        "{acknowledged} of {published} events were acknowledged"
    );
    Ok(())
}
