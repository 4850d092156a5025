//! Records that became no row, passed on unchanged to a topic of their own.

use std::time::Duration;

use kaizen_decision::letter::header;
use rdkafka::error::KafkaResult;
use tokio::time::Instant;

use crate::batch::{DeadLetter, Partition};
use crate::kafka::KafkaConfig;
use crate::publish::{Message, Publication, PublishError, Publisher};

/// How long Kafka may take to acknowledge a letter.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long a full queue of the producer is waited for before the letter counts as failed.
const QUEUE: Duration = Duration::from_secs(5);

/// The way to the topic of dead letters.
#[derive(Clone)]
pub struct DeadLetters {
    publisher: Publisher,
}

impl DeadLetters {
    /// The way to `topic`.
    ///
    /// # Errors
    /// librdkafka refuses the configuration.
    pub fn new(kafka: &KafkaConfig, topic: &str) -> KafkaResult<Self> {
        let publisher = Publisher::new(kafka, topic, TIMEOUT)?;
        Ok(Self { publisher })
    }

    /// Sends letters of a partition; returns when every replica has all of them.
    ///
    /// # Errors
    /// One was not taken. Some of the others may have been: they would be sent again.
    pub async fn send(&self, partition: &Partition, letters: &[&DeadLetter]) -> Result<(), PublishError> {
        let sent = self.send_all(partition, letters).await;
        if sent.is_err()
            && let Some(reason) = self.publisher.renew()?
        {
            tracing::error!(
                reason,
                "the producer of dead letters had failed for good and is replaced"
            );
        }
        sent
    }

    async fn send_all(&self, partition: &Partition, letters: &[&DeadLetter]) -> Result<(), PublishError> {
        let publication = Publication::default();
        let place = [partition.topic.clone(), partition.number.to_string()];
        for letter in letters {
            self.send_one(&place, letter, &publication).await?;
        }
        publication.acknowledged().await
    }

    async fn send_one(
        &self,
        [topic, partition]: &[String; 2],
        letter: &DeadLetter,
        publication: &Publication,
    ) -> Result<(), PublishError> {
        let (offset, time) = (letter.offset.to_string(), letter.time.unwrap_or(-1).to_string());
        let own = letter
            .headers
            .iter()
            .map(|(name, value)| (*name, Some(value.as_slice())));
        let told = [
            (header::REASON, letter.rejection.reason.as_str()),
            (header::FIELD, letter.rejection.field),
            (header::TOPIC, topic),
            (header::PARTITION, partition),
            (header::OFFSET, &offset),
            (header::TIME, &time),
        ];
        let told = told.map(|(name, value)| (name, Some(value.as_bytes())));
        let headers: Vec<_> = own.chain(told).collect();
        let message = Message {
            key: letter.key.as_deref(),
            value: letter.value.as_deref(),
            headers: &headers,
        };
        let deadline = Instant::now() + QUEUE;
        self.publisher.send_by(&message, publication, deadline).await
    }
}
