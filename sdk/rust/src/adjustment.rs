//! What had to be changed of an event so that the collector accepts it.

use std::fmt;

/// A part of an event that broke a rule of the contract, and was cut or left out so that the rest arrives. Says where and
/// why, never what: values may be personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Adjustment {
    /// JSON pointer (RFC 6901) of the field in the event; `traceparent` for the header.
    pub field: &'static str,
    /// The rule.
    pub reason: Reason,
}

impl fmt::Display for Adjustment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at `{}`", self.reason, self.field)
    }
}

/// The rule that a value broke, by the word that the collector would have rejected the event with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A required string is empty.
    MissingField,
    /// `input` or `output` is no JSON object; it stands in one under the name `value`.
    WrongType,
    /// A string is too long, a number outside its range or not finite, or a time outside 1970–2106.
    OutOfRange,
    /// `input` or `output` is longer than 256 KiB of JSON.
    TooLarge,
    /// `input` or `output` is deeper than 32 levels.
    TooDeep,
    /// `input` or `output` cannot be written as JSON, or its `Serialize` panicked.
    NotJson,
    /// The text is no W3C `traceparent`.
    TraceparentInvalid,
}

impl Reason {
    /// The reason in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingField => "missing_field",
            Self::WrongType => "wrong_type",
            Self::OutOfRange => "out_of_range",
            Self::TooLarge => "too_large",
            Self::TooDeep => "too_deep",
            Self::NotJson => "not_json",
            Self::TraceparentInvalid => "traceparent_invalid",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
