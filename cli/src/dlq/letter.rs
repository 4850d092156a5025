//! A dead letter, as its headers tell it.

use std::fmt;
use std::str::FromStr;

use anyhow::anyhow;
use kaizen_decision::LetterId;
use kaizen_decision::letter::header;
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};

/// All but the value and the headers of the record itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The rejected record.
    pub id: LetterId,
    /// Why, in one word.
    pub reason: String,
    /// JSON pointer of the field at fault; empty when it is the record as a whole.
    pub field: String,
    /// Length of the record's value.
    pub bytes: usize,
    /// The dead letter that the record replayed, in vain.
    pub replay_of: Option<LetterId>,
    /// Kafka's time when the record came for the first time.
    pub first_time: i64,
}

impl Head {
    /// Reads a record of the topic of dead letters; `None` when it is no dead letter.
    pub fn of(message: &BorrowedMessage<'_>) -> Option<Self> {
        let text = |name: &str| {
            let headers = message.headers()?.iter();
            let mut named = headers.filter(|header| header.key == name);
            std::str::from_utf8(named.next()?.value?).ok()
        };
        // A letter of an earlier version says nothing when its record has no time.
        let time = text(header::TIME)?.parse().unwrap_or(-1_i64).max(0);
        let place = [header::TOPIC, header::PARTITION, header::OFFSET].map(text);
        let [Some(topic), Some(partition), Some(offset)] = place else {
            return None;
        };
        let first_time = text(header::FIRST_TIME).and_then(|time| time.parse().ok());
        Some(Self {
            id: LetterId {
                topic: topic.to_owned(),
                partition: partition.parse().ok()?,
                offset: offset.parse().ok()?,
                time,
            },
            reason: text(header::REASON)?.to_owned(),
            field: text(header::FIELD)?.to_owned(),
            bytes: message.payload_len(),
            replay_of: text(header::REPLAY_OF).and_then(|id| id.parse().ok()),
            first_time: first_time.unwrap_or(time),
        })
    }
}

/// The headers of the record itself: how to read its value.
pub fn own_headers<'a>(message: &'a BorrowedMessage<'_>) -> Vec<(&'a str, Option<&'a [u8]>)> {
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    headers
        .filter(|header| !header.key.starts_with("kaizen-"))
        .map(|header| (header.key, header.value))
        .collect()
}

/// How a person names dead letters: by the place of the record, its time left out unless places repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    topic: String,
    partition: i32,
    offset: i64,
    time: Option<i64>,
}

impl Named {
    /// Whether that is the letter.
    pub fn is(&self, id: &LetterId) -> bool {
        let same_place = (&*self.topic, self.partition, self.offset) == (&*id.topic, id.partition, id.offset);
        same_place && self.time.is_none_or(|time| time == id.time)
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.partition, self.offset)?;
        self.time.map_or(Ok(()), |time| write!(f, "@{time}"))
    }
}

impl FromStr for Named {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let timed = text.contains('@');
        let whole = if timed {
            text.parse()
        } else {
            format!("{text}@0").parse()
        };
        let id: LetterId = whole.map_err(|_| {
            anyhow!(
                "must be TOPIC/PARTITION/OFFSET, or TOPIC/PARTITION/OFFSET@MILLISECONDS, as the list has them"
            )
        })?;
        Ok(Self {
            time: timed.then_some(id.time),
            topic: id.topic,
            partition: id.partition,
            offset: id.offset,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_time_means_every_letter_of_the_place() {
        let id = |time| LetterId {
            topic: "t".to_owned(),
            partition: 1,
            offset: 7,
            time,
        };
        let any: Named = "t/1/7".parse().unwrap();
        assert!(any.is(&id(1)) && any.is(&id(2)) && !any.is(&LetterId { offset: 8, ..id(1) }));
        let one: Named = "t/1/7@2".parse().unwrap();
        assert!(one.is(&id(2)) && !one.is(&id(1)));
        assert_eq!(
            (any.to_string(), one.to_string()),
            ("t/1/7".into(), "t/1/7@2".into())
        );
        for wrong in ["t", "t/1", "t/x/7", "t/1/7@", "t/1/-7", "a b/1/7"] {
            let error = wrong.parse::<Named>().unwrap_err().to_string();
            assert!(error.contains("TOPIC/PARTITION/OFFSET"), "{wrong}: {error}");
        }
    }
}
