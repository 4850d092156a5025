//! Asks what topics a cluster has, and why it does not answer.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use thiserror::Error;

/// After so long without an answer it is looked why there is none.
const TURN: Duration = Duration::from_secs(2);
/// How long a reason is waited for, which comes by itself.
const REASON: Duration = Duration::from_millis(200);

/// What librdkafka said last of its connections. A call that fails says no more than that there is none; that a password was
/// refused, or a certificate is nobody's, is told beside it.
#[derive(Debug, Default)]
pub struct Reasons(Mutex<Option<Reason>>);

#[derive(Debug, Clone)]
struct Reason {
    /// It will be the same next time.
    is_refusal: bool,
    text: String,
}

impl Reasons {
    fn last(&self) -> Option<Reason> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Reasons {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
        use RDKafkaErrorCode::{AllBrokersDown, Authentication, PartitionEOF, SSL};
        let code = error.rdkafka_error_code();
        // Neither of the two tells why
        if !matches!(code, Some(AllBrokersDown | PartitionEOF)) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Reason {
                is_refusal: matches!(code, Some(Authentication | SSL)),
                text: reason.to_owned(),
            });
        }
    }
}

impl ConsumerContext for Reasons {}

/// Kafka did not answer.
#[derive(Debug, Error)]
#[error("{error}{}", reason.as_ref().map(|it| format!(" ({it})")).unwrap_or_default())]
pub struct Unanswered {
    error: KafkaError,
    /// What librdkafka said of its connections.
    reason: Option<String>,
}

impl From<KafkaError> for Unanswered {
    fn from(error: KafkaError) -> Self {
        Self { error, reason: None }
    }
}

/// What the cluster has, of one topic or of all. The consumer has no partitions. Blocks for at most about `timeout`, and not so
/// long where the broker refuses the client's certificate or password, or the client the broker's.
///
/// # Errors
/// No broker answers in time, with the reason if there is one.
pub fn metadata(
    consumer: &BaseConsumer<Reasons>,
    topic: Option<&str>,
    timeout: Duration,
) -> Result<Metadata, Unanswered> {
    let began = Instant::now();
    loop {
        let left = timeout.saturating_sub(began.elapsed());
        let error = match consumer.fetch_metadata(topic, left.min(TURN)) {
            Ok(metadata) => return Ok(metadata),
            Err(error) => error,
        };
        // The context is told while somebody polls; what it is told comes back as an error too
        let asked = Instant::now();
        while asked.elapsed() < REASON && consumer.poll(REASON).is_some() {}
        let reason = consumer.context().last();
        let is_refused = reason.as_ref().is_some_and(|it| it.is_refusal);
        if is_refused || began.elapsed() >= timeout {
            let reason = reason.map(|it| it.text);
            return Err(Unanswered { error, reason });
        }
    }
}
