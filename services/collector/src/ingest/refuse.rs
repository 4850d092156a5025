//! Why a request as a whole is not taken, in the words of every transport.

use std::time::Duration;

use axum::http::StatusCode;

/// A request that is not taken: nothing of it counts as published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No token, or an unknown one.
    #[error("a bearer token is needed: `authorization: Bearer TOKEN`")]
    Unauthorized,
    /// The body is of a type that is not read here.
    #[error("the content-type must be one of {0}")]
    UnknownType(&'static str),
    /// The body is compressed in a way that is not read here.
    #[error("the content-encoding must be gzip, zstd or identity, and only one")]
    UnknownEncoding,
    /// The body, as sent or decompressed, is longer than allowed.
    #[error("the body is longer than {0} bytes, as sent or decompressed")]
    TooLarge(usize),
    /// The body holds more records than allowed.
    #[error("the body holds more than {0} records")]
    TooMany(usize),
    /// The body is not what its type and encoding say.
    #[error("the body {0}")]
    Unreadable(&'static str),
    /// The body did not arrive in time.
    #[error("the body did not arrive in time")]
    Slow,
    /// Too much is under way.
    #[error("too many {0} are under way; try again")]
    Busy(&'static str),
    /// Kafka did not acknowledge everything in time; some of it may lie in the topic.
    #[error("Kafka has not acknowledged every record; send all again, with the same event_id each")]
    Unacknowledged,
    /// The producer's queue stayed full.
    #[error("the queue to Kafka is full; send all again, with the same event_id each")]
    QueueFull,
}

impl Refusal {
    /// In one word: the metric's label and the last part of the problem's type.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::UnknownType(_) => "unknown_content_type",
            Self::UnknownEncoding => "unknown_content_encoding",
            Self::TooLarge(_) => "too_large",
            Self::TooMany(_) => "too_many_records",
            Self::Unreadable(_) => "unreadable",
            Self::Slow => "slow",
            Self::Busy(_) => "busy",
            Self::Unacknowledged => "unacknowledged",
            Self::QueueFull => "queue_full",
        }
    }

    /// As HTTP tells it.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::UnknownType(_) | Self::UnknownEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) | Self::TooMany(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unacknowledged | Self::QueueFull => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// When to try again, if that helps.
    pub const fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Busy(_) => Some(Duration::from_secs(1)),
            Self::Unacknowledged | Self::QueueFull => Some(Duration::from_secs(5)),
            _ => None,
        }
    }
}
