//! Records that became no row, passed on unchanged to a topic of their own.

use std::time::Duration;

use futures::future::try_join_all;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};

use crate::batch::{DeadLetter, Partition};
use crate::kafka::KafkaConfig;

/// How long a full queue of the producer is waited for before the letter counts as failed.
const QUEUE: Duration = Duration::from_secs(5);

/// The way to the topic of dead letters.
#[derive(Clone)]
pub struct DeadLetters {
    producer: FutureProducer,
    topic: String,
}

impl DeadLetters {
    /// The way to `topic`.
    ///
    /// # Errors
    /// librdkafka refuses the configuration.
    pub fn new(kafka: &KafkaConfig, topic: &str) -> KafkaResult<Self> {
        Ok(Self {
            producer: kafka.producer().create()?,
            topic: topic.to_owned(),
        })
    }

    /// Sends letters of a partition; returns when every replica has all of them.
    ///
    /// # Errors
    /// One was not taken. Some of the others may have been: they would be sent again.
    pub async fn send(&self, partition: &Partition, letters: &[&DeadLetter]) -> Result<(), KafkaError> {
        try_join_all(letters.iter().map(|letter| self.send_one(partition, letter)))
            .await
            .map(drop)
    }

    async fn send_one(&self, partition: &Partition, letter: &DeadLetter) -> Result<(), KafkaError> {
        let headers = [
            ("kaizen-reason", letter.rejection.reason.as_str().to_owned()),
            ("kaizen-field", letter.rejection.field.to_owned()),
            ("kaizen-topic", partition.topic.clone()),
            ("kaizen-partition", partition.number.to_string()),
            ("kaizen-offset", letter.offset.to_string()),
            (
                "kaizen-time",
                letter.time.map_or_else(String::new, |time| time.to_string()),
            ),
        ];
        let own = letter
            .headers
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| {
                headers.insert(Header {
                    key,
                    value: Some(value),
                })
            });
        let headers = headers.iter().fold(own, |headers, (key, value)| {
            headers.insert(Header {
                key,
                value: Some(value),
            })
        });
        let mut record = FutureRecord::<Vec<u8>, Vec<u8>>::to(&self.topic).headers(headers);
        record.key = letter.key.as_ref();
        record.payload = letter.value.as_ref();
        self.producer
            .send(record, QUEUE)
            .await
            .map(drop)
            .map_err(|(error, _)| error)
    }
}
