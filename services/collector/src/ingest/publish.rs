//! Records judged as the pipeline will judge them, and the good ones published. Returns when Kafka has acknowledged
//! every one of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kaizen_decision::{
    RawRecord, Reason, Rejection, Replay, Schema, TimePolicy, decode, read_change, read_outcome, validate,
};
use kaizen_stream::{Message, Publication, PublishError, Publisher};
use tokio::time::{Instant, timeout_at};

use super::refuse::Refusal;
use crate::config::Kind;
use crate::instruments::IngestInstruments;

/// After so many records other requests get their turn on the thread.
const TURN: usize = 256;

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is what was to be published, and Kafka has it.
    Accepted {
        /// The identity it is stored under: the producer's, or derived from its content.
        event_id: String,
    },
    /// It is not, and was not published.
    Rejected(Rejection),
}

impl Outcome {
    /// Whether it was accepted.
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted { .. })
    }
}

/// The records of a request.
#[derive(Debug, Clone, Copy)]
pub struct Records<'a> {
    /// Their values, in the request's order.
    pub values: &'a [&'a [u8]],
    /// The `content-type` of each.
    pub content_type: &'a str,
    /// W3C trace context of the request.
    pub traceparent: Option<&'a str>,
    /// The way they came, for the metrics.
    pub transport: &'static str,
}

/// How records are judged and where they go.
pub struct Intake {
    /// What they are.
    pub kind: Kind,
    /// The log types that are known.
    pub schema: Schema,
    /// How timestamps are judged, against the clock.
    pub policy: TimePolicy,
    /// Milliseconds since 1970.
    pub clock: fn() -> i64,
    /// Longest record, in bytes.
    pub max_record_bytes: usize,
    /// The way into the topic.
    pub publisher: Publisher,
    /// Longest time until all is acknowledged.
    pub publish_timeout: Duration,
    /// Counts.
    pub instruments: IngestInstruments,
    /// Whether Kafka was away when it was last needed: told when it changes, not each time.
    pub away: AtomicBool,
}

impl Intake {
    /// Publishes what is an event of its kind. Every record has one outcome, in their order.
    ///
    /// # Errors
    /// Kafka has not acknowledged all of it in time. Some may be published: all is to be sent again, and whoever stores
    /// it removes what came before by its `event_id`.
    pub async fn take(&self, records: Records<'_>) -> Result<Vec<Outcome>, Refusal> {
        let began = Instant::now();
        let deadline = began + self.publish_timeout;
        let taken = self.publish(records, deadline).await;
        match &taken {
            Ok(outcomes) => {
                self.count(records.transport, outcomes);
                self.instruments.published(began.elapsed());
            }
            Err(refusal) => {
                let (transport, count) = (records.transport, records.values.len() as u64);
                self.instruments
                    .records(transport, "unacknowledged", refusal.as_str(), count);
            }
        }
        taken
    }

    async fn publish(&self, records: Records<'_>, deadline: Instant) -> Result<Vec<Outcome>, Refusal> {
        let publication = Publication::default();
        let mut outcomes = Vec::with_capacity(records.values.len());
        let mut transcoded = String::new();
        for (index, value) in records.values.iter().enumerate() {
            let record = self.record(value, records.content_type);
            let outcome = match self.judge(&record, &mut transcoded) {
                Ok(judged) => {
                    let message = Message {
                        key: Some(judged.key.as_bytes()),
                        value: record.value,
                        headers: &judged.headers(&records),
                    };
                    self.send(&message, &publication, deadline).await?;
                    Outcome::Accepted {
                        event_id: judged.event_id,
                    }
                }
                Err(rejection) => Outcome::Rejected(rejection),
            };
            outcomes.push(outcome);
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
        let answered = timeout_at(deadline, publication.acknowledged()).await;
        match answered {
            Ok(Ok(())) => self.is_back(),
            Ok(Err(error)) => return Err(self.is_away(&error)),
            Err(late) => return Err(self.is_away(&late)),
        }
        Ok(outcomes)
    }

    fn record<'a>(&self, value: &'a [u8], content_type: &'a str) -> RawRecord<'a> {
        RawRecord {
            topic: "",
            partition: 0,
            offset: 0,
            time: Some((self.clock)()),
            key: None,
            value: Some(value),
            content_type: Some(content_type.as_bytes()),
            event_id: None,
            replay: Replay::default(),
        }
    }

    fn judge(&self, record: &RawRecord<'_>, transcoded: &mut String) -> Result<Judged, Rejection> {
        if record
            .value
            .is_some_and(|value| value.len() > self.max_record_bytes)
        {
            return Err(Rejection::whole(Reason::TooLarge));
        }
        Ok(match self.kind {
            Kind::Decision => {
                let raw = decode(record, transcoded)?;
                let named = raw.has_event_id();
                let decision = validate(raw, record, &self.schema, &self.policy)?;
                Judged {
                    event_id: decision.event_id.into_owned(),
                    key: decision.session_id.into_owned(),
                    named,
                }
            }
            Kind::Outcome => {
                let outcome = read_outcome(record, &self.policy)?;
                Judged {
                    event_id: outcome.event_id.into_owned(),
                    key: outcome.session_id.into_owned(),
                    named: outcome.named,
                }
            }
            Kind::Change => {
                let change = read_change(record, &self.policy)?;
                Judged {
                    event_id: change.event_id.into_owned(),
                    key: change.component.into_owned(),
                    named: change.named,
                }
            }
        })
    }

    /// Hands a record to the producer; a full queue is waited for until the deadline.
    async fn send(
        &self,
        message: &Message<'_>,
        publication: &Publication,
        deadline: Instant,
    ) -> Result<(), Refusal> {
        match self.publisher.send_by(message, publication, deadline).await {
            Err(PublishError::Full) => Err(Refusal::QueueFull),
            sent => sent.map_err(|error| self.is_away(&error)),
        }
    }

    fn is_back(&self) {
        if self.away.swap(false, Ordering::Relaxed) {
            tracing::info!("Kafka takes what is sent here again");
        }
    }

    fn is_away(&self, error: &dyn std::fmt::Display) -> Refusal {
        if !self.away.swap(true, Ordering::Relaxed) {
            tracing::warn!(%error, "Kafka does not acknowledge what is sent here; who sends it is told to come back");
        }
        match self.publisher.renew() {
            Ok(None) => {}
            Ok(Some(reason)) => tracing::error!(reason, "the producer had failed for good and is replaced"),
            Err(error) => tracing::error!(%error, "the producer has failed for good and cannot be replaced"),
        }
        Refusal::Unacknowledged
    }

    fn count(&self, transport: &'static str, outcomes: &[Outcome]) {
        let mut accepted = 0;
        for outcome in outcomes {
            match outcome {
                Outcome::Accepted { .. } => accepted += 1,
                Outcome::Rejected(rejection) => {
                    self.instruments
                        .records(transport, "rejected", rejection.reason.as_str(), 1);
                }
            }
        }
        self.instruments.records(transport, "accepted", "", accepted);
    }
}

/// What is needed of a valid event.
struct Judged {
    event_id: String,
    /// The record's.
    key: String,
    /// Whether the producer gave the identity.
    named: bool,
}

impl Judged {
    fn headers<'a>(&'a self, records: &Records<'a>) -> [(&'a str, Option<&'a [u8]>); 3] {
        let event_id = self.named.then_some(self.event_id.as_bytes());
        [
            ("content-type", Some(records.content_type.as_bytes())),
            ("event-id", event_id),
            ("traceparent", records.traceparent.map(str::as_bytes)),
        ]
    }
}
