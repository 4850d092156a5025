//! Dead letters: which record one is of, and how a record tells that it replays one.

use std::fmt;
use std::str::FromStr;

use crate::timestamp::END_OF_HOURS;

/// Names of the headers that dead letters and replays carry.
pub mod header {
    /// Why the record was rejected.
    pub const REASON: &str = "kaizen-reason";
    /// JSON pointer of the field at fault.
    pub const FIELD: &str = "kaizen-field";
    /// Topic the record was read from.
    pub const TOPIC: &str = "kaizen-topic";
    /// Partition the record was read from.
    pub const PARTITION: &str = "kaizen-partition";
    /// Offset the record was read from.
    pub const OFFSET: &str = "kaizen-offset";
    /// Kafka's time of the record, milliseconds since 1970; -1 without.
    pub const TIME: &str = "kaizen-time";
    /// Which dead letter the record replays, as [`super::LetterId`] is written.
    pub const REPLAY_OF: &str = "kaizen-replay-of";
    /// Kafka's time when the record came for the first time, milliseconds since 1970.
    pub const FIRST_TIME: &str = "kaizen-first-time";
}

/// The record that a dead letter is of. A letter may lie in its topic more than once, and is one all the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LetterId {
    /// Topic the record was read from.
    pub topic: String,
    /// Partition of the topic.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// Kafka's time of the record, milliseconds since 1970; 0 without. Tells it from a record of the same offset of a topic
    /// that was created anew.
    pub time: i64,
}

impl fmt::Display for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            topic,
            partition,
            offset,
            time,
        } = self;
        write!(f, "{topic}/{partition}/{offset}@{time}")
    }
}

/// A text that names no dead letter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no dead letter: TOPIC/PARTITION/OFFSET@MILLISECONDS does")]
pub struct NoLetterId(String);

impl FromStr for LetterId {
    type Err = NoLetterId;

    fn from_str(text: &str) -> Result<Self, NoLetterId> {
        parse(text).ok_or_else(|| NoLetterId(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<LetterId> {
    let (place, time) = text.rsplit_once('@')?;
    let mut parts = place.split('/');
    let id = LetterId {
        topic: parts.next()?.to_owned(),
        partition: parts.next()?.parse().ok()?,
        offset: parts.next()?.parse().ok()?,
        time: time.parse().ok()?,
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let is_name = (1..=249).contains(&id.topic.len()) && id.topic.chars().all(legal);
    let sound = id.partition >= 0 && id.offset >= 0 && (0..END_OF_HOURS).contains(&id.time);
    (parts.next().is_none() && is_name && sound).then_some(id)
}

/// What a record says of the dead letter it replays, as its headers have it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replay<'a> {
    /// Header [`header::REPLAY_OF`].
    pub of: Option<&'a [u8]>,
    /// Header [`header::FIRST_TIME`].
    pub first_time: Option<&'a [u8]>,
}

impl Replay<'_> {
    /// The dead letter it replays; `None` when it replays none, or says so in another way.
    pub fn letter(&self) -> Option<LetterId> {
        read(self.of)
    }

    /// Kafka's time when the record came for the first time, of a replay alone.
    pub(crate) fn first_time(&self) -> Option<i64> {
        self.letter()?;
        read(self.first_time)
    }
}

fn read<T: FromStr>(header: Option<&[u8]>) -> Option<T> {
    std::str::from_utf8(header?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_identity_is_read_as_it_was_written(
            topic in "[a-zA-Z0-9._-]{1,40}", partition in 0..i32::MAX, offset in 0..i64::MAX, time in 0..END_OF_HOURS,
        ) {
            let id = LetterId { topic, partition, offset, time };
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}", near in "[a-z]{0,2}/?-?[0-9]{0,20}/-?[0-9]{0,20}@-?[0-9]{0,20}") {
            for text in [text, near] {
                if let Ok(id) = text.parse::<LetterId>() {
                    prop_assert!(!id.topic.is_empty() && id.partition >= 0 && id.offset >= 0 && id.time >= 0);
                    prop_assert_eq!(id.to_string().parse(), Ok(id));
                }
            }
        }
    }

    #[test]
    fn what_names_no_letter_is_refused_and_shown() {
        for text in [
            "",
            "t/0/1",
            "t/0@1",
            "/0/1@2",
            "t/0/1/2@3",
            "t/-1/0@1",
            "t/0/1@x",
            "a b/0/1@2",
            "t/0/1@9999999999999999",
        ] {
            let refused = text.parse::<LetterId>();
            assert_eq!(refused, Err(NoLetterId(text.to_owned())));
        }
    }
}
