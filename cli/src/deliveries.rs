//! Lines into a topic, each with a receipt that Kafka's acknowledgement hands back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use kaizen_files::{Followed, Receipt, Taken};
use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};

use crate::connection::Connection;
use crate::publisher;

/// A line on its way.
struct Letter {
    receipt: Receipt,
    place: Place,
}

/// Where a line stands.
#[derive(Clone)]
pub struct Place {
    path: Arc<str>,
    number: u64,
    offset: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{} (byte {})", self.path, self.number, self.offset)
    }
}

/// What became of lines since it was last asked.
#[derive(Default)]
struct Answers {
    published: AtomicU64,
    /// Lines Kafka never takes, and why.
    refused: Mutex<Vec<(Place, String)>>,
    /// What ends the following: lines after it would overtake those before.
    failure: Mutex<Option<String>>,
}

#[derive(Clone, Default)]
struct Postbox(Arc<Answers>);

impl ClientContext for Postbox {}

impl ProducerContext for Postbox {
    type DeliveryOpaque = Box<Letter>;

    fn delivery(&self, result: &DeliveryResult<'_>, letter: Box<Letter>) {
        let Letter { receipt, place } = *letter;
        match result {
            Ok(_) => {
                self.0.published.fetch_add(1, Ordering::Relaxed);
                receipt.acknowledge();
            }
            Err((error, _)) if is_the_lines(error) => {
                locked(&self.0.refused).push((place, error.to_string()));
                receipt.acknowledge();
            }
            Err((error, _)) => {
                locked(&self.0.failure).get_or_insert_with(|| format!("{place}: {error}"));
            }
        }
    }
}

/// Whether Kafka refuses this line, and would take another.
fn is_the_lines(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{InvalidMessage, InvalidMessageSize, InvalidRecord, MessageSizeTooLarge};
    error.rdkafka_error_code().is_some_and(|code| {
        matches!(
            code,
            MessageSizeTooLarge | InvalidMessageSize | InvalidMessage | InvalidRecord
        )
    })
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A way into one topic that waits for nothing: while Kafka cannot be reached, lines stay in the queue, and the queue full.
pub struct Deliveries {
    topic: String,
    producer: ThreadedProducer<Postbox>,
    postbox: Postbox,
    path: Arc<str>,
}

impl Deliveries {
    /// A way into `topic`, which must exist.
    ///
    /// # Errors
    /// Kafka cannot be reached or has no such topic.
    pub fn new(connection: &Connection, topic: &str) -> anyhow::Result<Self> {
        let postbox = Postbox::default();
        let mut config = publisher::config(connection);
        // Without end: what Kafka has not taken is sent until it has.
        config.set("message.timeout.ms", "0");
        let producer: ThreadedProducer<_> = config.create_with_context(postbox.clone())?;
        publisher::check_topic(connection, topic)?;
        Ok(Self {
            topic: topic.to_owned(),
            producer,
            postbox,
            path: Arc::from(""),
        })
    }

    /// Where a line stands.
    pub fn place(&mut self, line: &Followed<'_>) -> Place {
        let path = line.path.to_string_lossy();
        if *self.path != *path {
            self.path = Arc::from(&*path);
        }
        Place {
            path: Arc::clone(&self.path),
            number: line.number,
            offset: line.offset,
        }
    }

    /// Puts an event into the queue, under the line's identity unless it has one of its own.
    ///
    /// # Errors
    /// Kafka's client refuses just this event, as it does one that is too large.
    pub fn send(
        &self,
        (key, event_id): (&str, &str),
        event: &[u8],
        place: Place,
        receipt: Receipt,
    ) -> Result<Taken, KafkaError> {
        let header = Header {
            key: "event-id",
            value: Some(event_id),
        };
        let record = BaseRecord::with_opaque_to(&self.topic, Box::new(Letter { receipt, place }))
            .key(key)
            .payload(event)
            .headers(OwnedHeaders::new().insert(header));
        match self.producer.send(record) {
            Ok(()) => Ok(Taken::Yes),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => Ok(Taken::NoRoom),
            Err((error, refused)) if is_the_lines(&error) => {
                refused.delivery_opaque.receipt.acknowledge();
                Err(error)
            }
            Err((error, refused)) => {
                let place = &refused.delivery_opaque.place;
                locked(&self.postbox.0.failure).get_or_insert_with(|| format!("{place}: {error}"));
                Ok(Taken::NoRoom)
            }
        }
    }

    /// Events Kafka has.
    pub fn published(&self) -> u64 {
        self.postbox.0.published.load(Ordering::Relaxed)
    }

    /// Lines Kafka refused since the last call.
    pub fn refused(&self) -> Vec<(Place, String)> {
        std::mem::take(&mut *locked(&self.postbox.0.refused))
    }

    /// Tells whether nothing more can be delivered.
    ///
    /// # Errors
    /// Kafka refused a line for no fault of the line.
    pub fn check(&self) -> anyhow::Result<()> {
        match locked(&self.postbox.0.failure).take() {
            Some(failure) => anyhow::bail!("Kafka did not take {failure}"),
            None => Ok(()),
        }
    }

    /// Waits until Kafka has answered for every event.
    ///
    /// # Errors
    /// It did not within `patience`.
    pub fn flush(&self, patience: Duration) -> anyhow::Result<()> {
        (self.producer.flush(patience)).context("Kafka did not acknowledge every event in time")
    }
}
