//! Dead letters published again and marked as replayed, both or neither.
//!
//! There is one writer at a time: all of them share one `transactional.id`, so whoever begins fences the one before, ends
//! what it left open, and only then reads which letters are marked.

use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use futures::future::try_join_all;
use jiff::Timestamp;
use kaizen_decision::LetterId;
use kaizen_decision::letter::header;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Header, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};

use super::letter::{Head, own_headers};
use super::marks::Mark;
use crate::connection::Connection;

/// How long one question to the coordinator of transactions may take, and how often it is asked again.
const ANSWER: Duration = Duration::from_secs(30);
const TRIES: u32 = 5;
/// A transaction that is left open holds up whoever reads its topics, until the broker ends it after this long.
const LIFETIME: &str = "15000";
/// How long a full queue is waited for.
const QUEUE: Duration = Duration::from_secs(10);

/// A letter to publish again.
pub struct Waiting {
    /// Which.
    pub letter: LetterId,
    /// Bytes it holds.
    pub bytes: usize,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: OwnedHeaders,
}

impl Waiting {
    /// A copy of the letter, with headers that say what it is.
    pub fn of(letter: Head, message: &BorrowedMessage<'_>) -> Self {
        let own = own_headers(message);
        let (of, first_time) = (letter.id.to_string(), letter.first_time.to_string());
        let told = [
            (header::REPLAY_OF, Some(of.as_bytes())),
            (header::FIRST_TIME, Some(first_time.as_bytes())),
        ];
        let all = own.into_iter().chain(told);
        Self {
            bytes: message.key_len() + message.payload_len() + size_of::<Self>(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: all.fold(OwnedHeaders::new(), |headers, (key, value)| {
                headers.insert(Header { key, value })
            }),
            letter: letter.id,
        }
    }
}

/// The one who may replay.
pub struct Transactions {
    producer: FutureProducer,
    marks: String,
}

impl Transactions {
    /// Becomes the one who may replay letters of a topic: whoever was it before can commit nothing any more.
    ///
    /// # Errors
    /// Kafka does not answer, or refuses transactions.
    pub fn take_over(connection: &Connection, topic: &str, marks: &str) -> anyhow::Result<Self> {
        let mut config = connection.kafka();
        config
            .set("transactional.id", format!("kaizen-dlq-replay-{topic}"))
            .set("transaction.timeout.ms", LIFETIME)
            .set("message.timeout.ms", "10000")
            .set("message.max.bytes", "4194304")
            .set("compression.type", "lz4");
        let producer: FutureProducer = config.create()?;
        again(|| producer.init_transactions(ANSWER))
            .with_context(|| format!("Kafka at {}: beginning to replay", connection.brokers))?;
        Ok(Self {
            producer,
            marks: marks.to_owned(),
        })
    }

    /// Refuses letters whose partition is gone, before any is replayed.
    ///
    /// # Errors
    /// Kafka does not answer, or has no such partition.
    pub fn check(&self, topic: &str, partition: i32) -> anyhow::Result<()> {
        let client = self.producer.client();
        let metadata = client.fetch_metadata(Some(topic), ANSWER);
        let metadata = metadata.with_context(|| format!("topic {topic}"))?;
        let mut partitions = metadata.topics().iter().flat_map(|known| known.partitions());
        ensure!(
            partitions.any(|known| known.id() == partition),
            "{topic}/{partition} is not there any more: its letters cannot be replayed"
        );
        Ok(())
    }

    /// Publishes each letter where its record was, and marks it. Returns where the replays lie, in their order.
    ///
    /// # Errors
    /// None of them was replayed; or, as the error then says, that is not known.
    pub async fn replay(&self, letters: &[Waiting]) -> anyhow::Result<Vec<Mark>> {
        self.producer
            .begin_transaction()
            .map_err(|error| self.told(&error))?;
        match self.publish(letters).await {
            Ok(marks) => {
                let committed = again(|| self.producer.commit_transaction(ANSWER));
                committed.map_err(|error| self.told(&error)).context(
                    "whether the last letters are replayed is not known here; another run finds out, and replays none twice",
                )?;
                Ok(marks)
            }
            Err(error) => match again(|| self.producer.abort_transaction(ANSWER)) {
                Ok(()) => Err(error),
                // Whoever took over has aborted it. The first error may not say so yet.
                Err(left) if self.is_replaced(&left) => Err(self.told(&left)),
                Err(left) => Err(error.context(format!("the transaction could not be aborted ({left})"))),
            },
        }
    }

    async fn publish(&self, letters: &[Waiting]) -> anyhow::Result<Vec<Mark>> {
        let marks = try_join_all(letters.iter().map(|letter| self.publish_one(letter))).await?;
        let marked = letters.iter().zip(&marks);
        try_join_all(marked.map(|(letter, mark)| self.mark(&letter.letter, mark))).await?;
        Ok(marks)
    }

    /// To the partition the record was in, whatever its producer chose it by.
    async fn publish_one(&self, waiting: &Waiting) -> anyhow::Result<Mark> {
        let LetterId { topic, partition, .. } = &waiting.letter;
        let mut record = FutureRecord::<[u8], [u8]>::to(topic)
            .partition(*partition)
            .headers(waiting.headers.clone());
        record.key = waiting.key.as_deref();
        record.payload = waiting.value.as_deref();
        let sent = self.producer.send(record, QUEUE).await;
        let delivery = sent.map_err(|(error, _)| self.told(&error).context(waiting.letter.to_string()))?;
        Ok(Mark {
            topic: topic.clone(),
            partition: delivery.partition,
            offset: delivery.offset,
            replay_time: Timestamp::now(),
        })
    }

    async fn mark(&self, letter: &LetterId, mark: &Mark) -> anyhow::Result<()> {
        let (key, value) = (letter.to_string(), serde_json::to_vec(mark)?);
        let record = FutureRecord::to(&self.marks).key(&key).payload(&value);
        let sent = self.producer.send(record, QUEUE).await;
        sent.map(drop).map_err(|(error, _)| {
            self.told(&error)
                .context(format!("marking {letter} in {}", self.marks))
        })
    }

    /// What stands behind an error: after a fatal one, every other only says that there was one.
    fn told(&self, error: &KafkaError) -> anyhow::Error {
        if self.is_replaced(error) {
            return anyhow!(
                "another `kaizen dlq replay` has taken over, or this one stood still for too long; what it did not commit, it \
                 did not replay"
            );
        }
        match self.producer.client().fatal_error() {
            Some((_, reason)) => anyhow!("Kafka: {reason}"),
            None => anyhow!("Kafka: {error}"),
        }
    }

    /// Whether the broker does not take anything from this one any more.
    fn is_replaced(&self, error: &KafkaError) -> bool {
        use RDKafkaErrorCode::{Fenced, InvalidProducerEpoch, ProducerFenced};
        let own = match error {
            KafkaError::Transaction(error) => Some(error.code()),
            error => error.rdkafka_error_code(),
        };
        let fatal = self.producer.client().fatal_error().map(|(code, _)| code);
        let codes = [own, fatal].into_iter().flatten();
        let mut replaced =
            codes.filter(|code| matches!(code, Fenced | InvalidProducerEpoch | ProducerFenced));
        replaced.next().is_some()
    }
}

/// Asks the coordinator again while it says that this may help.
fn again(mut ask: impl FnMut() -> Result<(), KafkaError>) -> Result<(), KafkaError> {
    for _ in 1..TRIES {
        match ask() {
            Err(KafkaError::Transaction(error)) if error.is_retriable() => {}
            answered => return answered,
        }
    }
    ask()
}
