//! Records into a topic, acknowledged: decisions of those who do not speak Kafka, and dead letters.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientConfig, ClientContext};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::kafka::KafkaConfig;

/// How often a full queue is looked at; librdkafka tells nobody that there is room.
const FULL: Duration = Duration::from_millis(5);

/// One record to publish.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Decides the partition; without one, chance does.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers, in order; those without a value are left out.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
}

/// Why a record was not taken into the queue.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The queue holds as much as it may.
    #[error("the queue of the producer is full")]
    Full,
    /// Kafka, or its client, does not take it.
    #[error(transparent)]
    Refused(#[from] KafkaError),
    /// The producer ended before Kafka answered.
    #[error("the producer ended before Kafka answered")]
    Ended,
}

/// Records that belong together: they are acknowledged when all of them are.
pub struct Publication {
    pending: Arc<Pending>,
    answered: oneshot::Receiver<Result<(), KafkaError>>,
}

/// Shared by the records of a publication that have no answer yet; the last one of them tells the end.
struct Pending {
    failed: OnceLock<KafkaError>,
    answer: Option<oneshot::Sender<Result<(), KafkaError>>>,
}

impl Drop for Pending {
    fn drop(&mut self) {
        let end = self.failed.take().map_or(Ok(()), Err);
        if let Some(answer) = self.answer.take() {
            // Nobody listens any more when the publication was given up.
            let _unheard = answer.send(end);
        }
    }
}

impl Default for Publication {
    fn default() -> Self {
        let (answer, answered) = oneshot::channel();
        let pending = Arc::new(Pending {
            failed: OnceLock::new(),
            answer: Some(answer),
        });
        Self { pending, answered }
    }
}

impl Publication {
    /// Returns when every in-sync replica has every record of it.
    ///
    /// # Errors
    /// The first record that Kafka did not take. The others may lie in the topic.
    pub async fn acknowledged(self) -> Result<(), PublishError> {
        let Self { pending, answered } = self;
        drop(pending);
        Ok(answered.await.map_err(|_| PublishError::Ended)??)
    }
}

struct Deliveries;

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Arc<Pending>;

    fn delivery(&self, result: &DeliveryResult<'_>, pending: Arc<Pending>) {
        if let Err((error, _)) = result {
            // One reason is enough to tell.
            let _known = pending.failed.set(error.clone());
        }
    }
}

/// How long one wait for deliveries may take. rdkafka's own `ThreadedProducer` waits 100 ms at a time and spins through the last of
/// them, which costs a process that has nothing to send a hundredth of a core.
const WAIT: Duration = Duration::from_secs(1);

/// A producer whose deliveries are noted by a thread, until it is dropped.
struct Polled {
    producer: Arc<BaseProducer<Deliveries>>,
    dropped: Arc<AtomicBool>,
}

impl Polled {
    fn start(config: &ClientConfig) -> KafkaResult<Self> {
        let producer: Arc<BaseProducer<_>> = Arc::new(config.create_with_context(Deliveries)?);
        let dropped = Arc::new(AtomicBool::new(false));
        let (polled, ended) = (producer.clone(), dropped.clone());
        std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                polled.poll(WAIT);
            }
        });
        Ok(Self { producer, dropped })
    }
}

impl Drop for Polled {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::Relaxed);
    }
}

/// The way into one topic. Its queue is bounded to 32 MiB and 100,000 records. Cheap to clone.
#[derive(Clone)]
pub struct Publisher {
    config: Arc<ClientConfig>,
    polled: Arc<RwLock<Polled>>,
    topic: Arc<str>,
}

impl Publisher {
    /// The way to `topic`. A record that Kafka has not acknowledged within `timeout` has failed.
    ///
    /// # Errors
    /// librdkafka refuses the configuration.
    pub fn new(kafka: &KafkaConfig, topic: &str, timeout: Duration) -> KafkaResult<Self> {
        let mut config = kafka.producer();
        config.set("message.timeout.ms", timeout.as_millis().to_string());
        Ok(Self {
            polled: Arc::new(RwLock::new(Polled::start(&config)?)),
            config: Arc::new(config),
            topic: topic.into(),
        })
    }

    fn producer(&self) -> Arc<BaseProducer<Deliveries>> {
        let polled = self.polled.read().unwrap_or_else(PoisonError::into_inner);
        polled.producer.clone()
    }

    /// After a failure: replaces a producer that has failed for good, as an idempotent one does when the broker no longer
    /// knows its sequence. Returns why, if it has. What it had not delivered has failed.
    ///
    /// # Errors
    /// librdkafka refuses the configuration.
    pub fn renew(&self) -> KafkaResult<Option<String>> {
        if self.producer().client().fatal_error().is_none() {
            return Ok(None);
        }
        let mut polled = self.polled.write().unwrap_or_else(PoisonError::into_inner);
        // Another request may have been here first.
        let Some((_, reason)) = polled.producer.client().fatal_error() else {
            return Ok(None);
        };
        *polled = Polled::start(&self.config)?;
        Ok(Some(reason))
    }

    /// Takes a record into the queue; its bytes are copied. What becomes of it, [`Publication::acknowledged`] tells.
    ///
    /// # Errors
    /// The queue is full, or Kafka's client refuses the record.
    pub fn send(&self, message: &Message<'_>, publication: &Publication) -> Result<(), PublishError> {
        let mut record =
            BaseRecord::<[u8], [u8], _>::with_opaque_to(&self.topic, publication.pending.clone())
                .headers(headers(message));
        record.key = message.key;
        record.payload = message.value;
        self.producer().send(record).map_err(|(error, _)| match error {
            KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => PublishError::Full,
            error => PublishError::Refused(error),
        })
    }

    /// The same; while the queue is full, waits for room until the deadline.
    ///
    /// # Errors
    /// The queue is full still, or Kafka's client refuses the record.
    pub async fn send_by(
        &self,
        message: &Message<'_>,
        publication: &Publication,
        deadline: Instant,
    ) -> Result<(), PublishError> {
        loop {
            match self.send(message, publication) {
                Err(PublishError::Full) if Instant::now() < deadline => sleep(FULL).await,
                sent => return sent,
            }
        }
    }

    /// Waits until Kafka has answered for every record in the queue. Blocks for at most `patience`.
    ///
    /// # Errors
    /// Some have no answer yet.
    pub fn flush(&self, patience: Duration) -> KafkaResult<()> {
        self.producer().flush(patience)
    }
}

fn headers(message: &Message<'_>) -> OwnedHeaders {
    let set = message
        .headers
        .iter()
        .filter_map(|(key, value)| Some((*key, (*value)?)));
    set.fold(OwnedHeaders::new(), |headers, (key, value)| {
        headers.insert(Header {
            key,
            value: Some(value),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::GroupProtocol;

    #[tokio::test]
    async fn a_publication_ends_with_its_last_record_and_tells_the_first_failure() {
        let empty = Publication::default();
        assert!(empty.acknowledged().await.is_ok());

        let publication = Publication::default();
        let (first, second) = (publication.pending.clone(), publication.pending.clone());
        let mut end = Box::pin(publication.acknowledged());
        assert!(futures::poll!(&mut end).is_pending());
        let fault = KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut);
        first.failed.set(fault.clone()).unwrap();
        drop(first);
        assert!(futures::poll!(&mut end).is_pending(), "one has no answer yet");
        drop(second);
        assert!(matches!(end.await, Err(PublishError::Refused(error)) if error == fault));
    }

    #[test]
    fn a_producer_that_has_failed_for_good_is_replaced_and_only_such_a_one() {
        use rdkafka::bindings::rd_kafka_test_fatal_error;
        use rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER as OUT_OF_ORDER;

        let kafka = KafkaConfig {
            brokers: "127.0.0.1:1".to_owned(),
            group_id: String::new(),
            group_protocol: GroupProtocol::Classic,
            instance_id: String::new(),
            skip_deleted: false,
            properties: std::collections::BTreeMap::new(),
        };
        let publisher = Publisher::new(&kafka, "topic", Duration::from_millis(100)).unwrap();
        assert_eq!(publisher.renew().unwrap(), None);
        let producer = publisher.producer();
        // SAFETY: the producer lives, and the reason is a C string.
        unsafe {
            rd_kafka_test_fatal_error(producer.client().native_ptr(), OUT_OF_ORDER, c"a test".as_ptr())
        };
        drop(producer);
        let message = Message {
            key: Some(b"k"),
            value: Some(b"v"),
            headers: &[("content-type", Some(b"application/json")), ("event-id", None)],
        };
        let publication = Publication::default();
        let refused = publisher.send(&message, &publication);
        assert!(matches!(refused, Err(PublishError::Refused(_))), "{refused:?}");
        assert!(publisher.renew().unwrap().unwrap().contains("a test"));
        assert!(publisher.send(&message, &publication).is_ok());
        assert_eq!(publisher.renew().unwrap(), None);
    }
}
