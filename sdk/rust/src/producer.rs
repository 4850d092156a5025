//! The way into Kafka.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{
    BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext, PurgeConfig,
};
use rdkafka::{ClientConfig, ClientContext};

use crate::event::{CONTENT_TYPE, EVENT_ID, Event, TRACEPARENT};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("events are numbered through pointers of 64 bits");

/// Where an event came from, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// The buffer; memory alone has it.
    Live(usize),
    /// The spill folder, which still has it.
    Spilled(usize),
}

impl Token {
    const fn to_number(self) -> usize {
        match self {
            Self::Live(number) => number << 1,
            Self::Spilled(number) => (number << 1) | 1,
        }
    }

    const fn of(number: usize) -> Self {
        if number & 1 == 0 {
            Self::Live(number >> 1)
        } else {
            Self::Spilled(number >> 1)
        }
    }
}

/// What Kafka made of an event.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It has it.
    Delivered,
    /// It refuses it for good.
    Refused,
    /// It did not take it in time, or may not have. The event, if it came from memory.
    Failed(Option<Event>),
}

/// Why an event cannot be handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotSent {
    /// The queue is full.
    Full,
    /// Kafka's client refuses it for good.
    Refused,
    /// It cannot take any event now.
    Broken,
}

#[derive(Default)]
struct Deliveries {
    outcomes: Mutex<Vec<(Token, Outcome)>>,
    /// Set when the last connection is lost.
    unreachable: AtomicBool,
    /// Set when the client cannot go on.
    fatal: AtomicBool,
}

impl ClientContext for Deliveries {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        // What it warns of is counted and reported as drops and spills; it repeats itself while a broker is away.
        tracing::debug!(target: "kaizen_logger::kafka", facility, "{message}");
    }

    fn error(&self, error: KafkaError, _: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AllBrokersDown) => self.unreachable.store(true, Ordering::Relaxed),
            Some(RDKafkaErrorCode::Fatal) => self.fatal.store(true, Ordering::Relaxed),
            _ => {}
        }
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let token = Token::of(number);
        let outcome = match result {
            Ok(_) => Outcome::Delivered,
            Err((error, _)) if is_final(error) => Outcome::Refused,
            Err((_, message)) => Outcome::Failed(matches!(token, Token::Live(_)).then(|| event_of(message))),
        };
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.push((token, outcome));
    }
}

/// Whether trying again cannot help.
fn is_final(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::MessageSizeTooLarge
                | RDKafkaErrorCode::MessageBatchTooLarge
                | RDKafkaErrorCode::InvalidMessage
                | RDKafkaErrorCode::InvalidRecord
        )
    )
}

/// The event that a record was made of.
fn event_of(message: &impl Message) -> Event {
    let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let header = |name: &str| {
        let headers = message.headers()?;
        let found = headers.iter().find(|header| header.key == name)?;
        text(found.value)
    };
    Event {
        key: text(message.key()).unwrap_or_default(),
        event_id: header(EVENT_ID).unwrap_or_default(),
        traceparent: header(TRACEPARENT),
        value: message.payload().unwrap_or_default().to_vec(),
    }
}

/// An idempotent producer whose callbacks run in the thread that polls it.
pub(crate) struct Producer {
    config: ClientConfig,
    client: BaseProducer<Deliveries>,
}

impl Producer {
    pub(crate) fn create(config: ClientConfig) -> KafkaResult<Self> {
        let client = config.create_with_context(Deliveries::default())?;
        Ok(Self { config, client })
    }

    /// Hands an event over; never waits.
    pub(crate) fn send(&self, topic: &str, event: &Event, token: Token) -> Result<(), NotSent> {
        let mut headers = OwnedHeaders::new_with_capacity(3);
        let named = [
            (EVENT_ID, Some(event.event_id.as_str())),
            (CONTENT_TYPE.0, Some(CONTENT_TYPE.1)),
            (TRACEPARENT, event.traceparent.as_deref()),
        ];
        for (key, value) in named.into_iter().filter(|(_, value)| value.is_some()) {
            headers = headers.insert(Header { key, value });
        }
        let record = BaseRecord::with_opaque_to(topic, token.to_number())
            .key(event.key.as_str())
            .payload(event.value.as_slice())
            .headers(headers);
        self.client.send(record).map_err(|(error, _)| match error {
            KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => NotSent::Full,
            error if is_final(&error) => NotSent::Refused,
            _ => NotSent::Broken,
        })
    }

    /// Waits for `time`, and returns what Kafka made of events meanwhile, in the order it did.
    pub(crate) fn poll(&self, time: Duration) -> Vec<(Token, Outcome)> {
        self.client.poll(time);
        let outcomes = &self.client.context().outcomes;
        std::mem::take(&mut *outcomes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Fails every event that is not acknowledged; [`Producer::poll`] returns them.
    pub(crate) fn give_up(&self) {
        self.client.purge(PurgeConfig::default().queue().inflight());
    }

    /// Whether the last connection was lost since it was last asked.
    pub(crate) fn lost_brokers(&self) -> bool {
        self.client.context().unreachable.swap(false, Ordering::Relaxed)
    }

    /// Whether the client has come to an error it cannot go on from.
    pub(crate) fn is_broken(&self) -> bool {
        self.client.context().fatal.load(Ordering::Relaxed)
    }

    /// A new client in place of one that is broken, once no event is with it any more.
    pub(crate) fn renew(&mut self) {
        // Should it not succeed, the old one stays and this is tried again.
        if let Ok(client) = self.config.create_with_context(Deliveries::default()) {
            self.client = client;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn a_token_comes_back_as_it_was_given() {
        for token in [
            Token::Live(0),
            Token::Spilled(0),
            Token::Live(7),
            Token::Spilled(1 << 40),
        ] {
            assert_eq!(Token::of(token.to_number()), token);
        }
    }
}
