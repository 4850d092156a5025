use std::fmt;

/// Declares the closed list once: variant, word, meaning.
macro_rules! reasons {
    ($($(#[$doc:meta])+ $variant:ident = $word:literal,)+) => {
        /// Why a record is not the event that its topic holds. The word is the metric label, the header of the dead letter and the value in
        /// the table `rejections` alike.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[$doc])+ $variant,)+
        }

        impl Reason {
            /// Every reason there is.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The reason in one word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

reasons! {
    /// The record has no value.
    Tombstone = "tombstone",
    /// The record has no time to judge its timestamp by.
    NoRecordTime = "no_record_time",
    /// The header `content-type` names an encoding that is not accepted.
    UnknownContentType = "unknown_content_type",
    /// The value is not UTF-8, or a string holds half a surrogate pair.
    NotUtf8 = "not_utf8",
    /// The value is not one JSON text.
    NotJson = "not_json",
    /// The value is not the Protobuf message.
    NotProtobuf = "not_protobuf",
    /// A field the schema names stands twice in its object.
    DuplicateField = "duplicate_field",
    /// A required field is absent or null.
    MissingField = "missing_field",
    /// A field has another JSON type than the schema's.
    WrongType = "wrong_type",
    /// A number outside its range, or a string shorter or longer than allowed.
    OutOfRange = "out_of_range",
    /// A word that is none of the field's closed list, or not of its form.
    UnknownValue = "unknown_value",
    /// A `log_type` that neither the seed nor the catalogue names.
    UnknownLogType = "unknown_log_type",
    /// A string that is no timestamp.
    TimestampInvalid = "timestamp_invalid",
    /// The event is older than the topic's policy allows.
    TooLate = "too_late",
    /// The event is dated further ahead than the topic's policy allows.
    InFuture = "in_future",
    /// An object longer than 256 KiB.
    TooLarge = "too_large",
    /// An object deeper than 32 levels.
    TooDeep = "too_deep",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A record that is not the event that its topic holds. Says where, never what: values may be personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at `{field}`")]
pub struct Rejection {
    /// Why.
    pub reason: Reason,
    /// JSON pointer (RFC 6901) of the field at fault; empty when it is the record as a whole.
    pub field: &'static str,
}

impl Rejection {
    /// A rejection of the record as a whole.
    pub const fn whole(reason: Reason) -> Self {
        Self { reason, field: "" }
    }

    /// A rejection for the field at that pointer.
    pub const fn at(field: &'static str, reason: Reason) -> Self {
        Self { reason, field }
    }
}
