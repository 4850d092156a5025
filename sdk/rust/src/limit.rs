//! The limits of the contract, kept by cutting or leaving out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::Serialize;

use crate::adjustment::Reason;

/// Longest `input_data` or `output_data`, in bytes of JSON.
pub(crate) const MAX_OBJECT_BYTES: usize = 256 * 1024;
/// Deepest `input_data` or `output_data`; the object itself is the first level.
const MAX_DEPTH: usize = 32;
/// From this many seconds on a processing time is refused.
const END_OF_PROCESSING_TIME: f64 = 1e10;
/// The first second that the warehouse's hours cannot name: 2106-02-07T06:00:00Z.
const END_OF_HOURS: i64 = 4_294_965_600;

/// Cuts `text` after so many characters; whether there was more.
pub(crate) fn cut(text: &mut String, characters: usize) -> Option<Reason> {
    // A string has at least as many bytes as characters, so most need no counting.
    if text.len() <= characters {
        return None;
    }
    let (end, _) = text.char_indices().nth(characters)?;
    text.truncate(end);
    Some(Reason::OutOfRange)
}

/// A number within the range.
pub(crate) fn within(number: f64, range: std::ops::RangeInclusive<f64>) -> Result<f64, Reason> {
    // NaN is in no range.
    range
        .contains(&number)
        .then_some(number + 0.0)
        .ok_or(Reason::OutOfRange)
}

/// Seconds that a decision may have taken.
pub(crate) fn seconds(time: Duration) -> Result<f64, Reason> {
    let seconds = time.as_secs_f64();
    (seconds < END_OF_PROCESSING_TIME)
        .then_some(seconds)
        .ok_or(Reason::OutOfRange)
}

/// The point in time, moved into the range of years that the contract has.
pub(crate) fn timestamp(time: SystemTime) -> (Timestamp, Option<Reason>) {
    let last = Timestamp::from_second(END_OF_HOURS - 1).unwrap_or(Timestamp::MAX);
    let Ok(timestamp) = Timestamp::try_from(time) else {
        let before = time < SystemTime::UNIX_EPOCH;
        let nearest = if before { Timestamp::UNIX_EPOCH } else { last };
        return (nearest, Some(Reason::OutOfRange));
    };
    if timestamp < Timestamp::UNIX_EPOCH {
        (Timestamp::UNIX_EPOCH, Some(Reason::OutOfRange))
    } else if timestamp.as_second() >= END_OF_HOURS {
        (last, Some(Reason::OutOfRange))
    } else {
        (timestamp, None)
    }
}

/// The JSON object that `value` is written as. No object and a reason: it was left out.
pub(crate) fn object(value: &(impl Serialize + ?Sized)) -> (Option<Vec<u8>>, Option<Reason>) {
    // A `Serialize` of the caller's that panics must not end the caller's work for the sake of a log.
    let written = catch_unwind(AssertUnwindSafe(|| {
        let mut text = Vec::with_capacity(1024);
        serde_json::to_writer(&mut text, value).map(|()| text)
    }));
    let Ok(Ok(mut text)) = written else {
        return (None, Some(Reason::NotJson));
    };
    let mut reason = None;
    if text == b"null" {
        return (None, None);
    }
    if text.first() != Some(&b'{') {
        text.splice(0..0, *b"{\"value\":");
        text.push(b'}');
        reason = Some(Reason::WrongType);
    }
    if text.len() > MAX_OBJECT_BYTES {
        (None, Some(Reason::TooLarge))
    } else if depth(&text) > MAX_DEPTH {
        (None, Some(Reason::TooDeep))
    } else {
        (Some(text), reason)
    }
}

/// Levels of nesting of a valid JSON text.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_is_cut_between_characters() {
        for (text, kept, reason) in [
            ("äöü", "äöü", None),
            ("äöüx", "äöü", Some(Reason::OutOfRange)),
            ("🦀🦀🦀🦀", "🦀🦀🦀", Some(Reason::OutOfRange)),
            ("", "", None),
        ] {
            let mut cut_text = text.to_owned();
            assert_eq!(cut(&mut cut_text, 3), reason, "{text}");
            assert_eq!(cut_text, kept);
        }
    }

    #[test]
    fn brackets_within_strings_are_no_levels() {
        assert_eq!(depth(br#"{"a":"[[[\"{{","b":[{}]}"#), 3);
        assert_eq!(depth(b"7"), 0);
    }

    #[test]
    fn what_is_no_object_stands_in_one() {
        let (text, reason) = object(&json!([1, 2]));
        assert_eq!(text.unwrap(), br#"{"value":[1,2]}"#);
        assert_eq!(reason, Some(Reason::WrongType));
        assert_eq!(object(&()), (None, None));
        assert_eq!(object(&None::<u8>), (None, None));
    }

    #[test]
    fn what_breaks_a_limit_is_left_out_with_the_reason() {
        let long = json!({"text": "x".repeat(MAX_OBJECT_BYTES)});
        assert_eq!(object(&long), (None, Some(Reason::TooLarge)));
        let deep = (0..32).fold(json!({}), |inner, _| json!({"in": inner}));
        assert_eq!(object(&deep), (None, Some(Reason::TooDeep)));
        let keys = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert_eq!(object(&keys), (None, Some(Reason::NotJson)));
    }

    #[test]
    fn a_serialize_that_panics_costs_its_value_only() {
        struct Panics;
        impl Serialize for Panics {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                panic!("as the test wants")
            }
        }
        assert_eq!(object(&Panics), (None, Some(Reason::NotJson)));
    }

    #[test]
    fn times_beyond_the_warehouse_are_moved_to_its_ends() {
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert_eq!(timestamp(far).1, Some(Reason::OutOfRange));
        assert_eq!(timestamp(far).0.as_second(), END_OF_HOURS - 1);
        let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 40);
        assert_eq!(
            timestamp(early),
            (Timestamp::UNIX_EPOCH, Some(Reason::OutOfRange))
        );
    }
}
