//! Events in a file, so that any damage costs the events it touches and no other, and never yields one that was not
//! written.
//!
//! A frame is the magic, the length of the body and the CRC-32 of length and body (4 bytes each, little endian), and the
//! body: topic, key, event id, traceparent and value, separated by the byte FE. All of them are UTF-8, in which neither FE
//! nor FF occurs; so the magic, which begins with FF, is in no body, and a reader that lost its place finds the next frame.

use crate::event::Event;

const MAGIC: [u8; 4] = [0xFF, b'K', b'Z', 1];
const HEADER: usize = 12;
const SEPARATOR: u8 = 0xFE;

/// An event with the topic it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spilled {
    pub topic: String,
    pub event: Event,
}

/// Appends the frame of an event; bytes that are no UTF-8 text are the caller's mistake, and never come back.
pub(crate) fn write(out: &mut Vec<u8>, topic: &str, event: &Event) {
    let start = out.len();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[0; HEADER - MAGIC.len()]);
    let traceparent = event.traceparent.as_deref().unwrap_or_default();
    for text in [topic, &event.key, &event.event_id, traceparent] {
        out.extend_from_slice(text.as_bytes());
        out.push(SEPARATOR);
    }
    out.extend_from_slice(&event.value);
    let frame = &mut out[start..];
    // An event is at most about half a MiB.
    let length = u32::try_from(frame.len() - HEADER)
        .unwrap_or(u32::MAX)
        .to_le_bytes();
    frame[4..8].copy_from_slice(&length);
    let checksum = checksum(length, &frame[HEADER..]).to_le_bytes();
    frame[8..12].copy_from_slice(&checksum);
}

fn checksum(length: [u8; 4], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(body);
    hasher.finalize()
}

/// The events in `bytes`, and how many damaged places were skipped; a frame that is cut short is one.
pub(crate) fn read(bytes: &[u8]) -> (Vec<Spilled>, u64) {
    let (mut events, mut torn, mut at, mut lost) = (Vec::new(), 0, 0, false);
    while at < bytes.len() {
        if let Some((event, length)) = frame(&bytes[at..]) {
            events.push(event);
            at += length;
            lost = false;
            continue;
        }
        torn += u64::from(!std::mem::replace(&mut lost, true));
        at = next_magic(bytes, at + 1);
    }
    (events, torn)
}

/// Where the next frame may begin.
fn next_magic(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.windows(MAGIC.len())
        .position(|window| window == MAGIC)
        .map_or(bytes.len(), |position| from + position)
}

/// The frame at the beginning of `bytes`, and its length.
fn frame(bytes: &[u8]) -> Option<(Spilled, usize)> {
    let header = bytes.get(..HEADER)?;
    let length: [u8; 4] = header.get(4..8)?.try_into().ok()?;
    let sum: [u8; 4] = header.get(8..12)?.try_into().ok()?;
    let end = HEADER.checked_add(usize::try_from(u32::from_le_bytes(length)).ok()?)?;
    let body = bytes.get(HEADER..end)?;
    let sound = header.starts_with(&MAGIC) && checksum(length, body) == u32::from_le_bytes(sum);
    let mut parts = body.splitn(5, |byte| *byte == SEPARATOR);
    let mut text = || {
        parts
            .next()
            .and_then(|part| String::from_utf8(part.to_vec()).ok())
    };
    let (topic, key, event_id, traceparent) = if sound {
        (text()?, text()?, text()?, text()?)
    } else {
        return None;
    };
    let event = Event {
        key,
        event_id,
        traceparent: Some(traceparent).filter(|text| !text.is_empty()),
        value: parts.next()?.to_vec(),
    };
    Some((Spilled { topic, event }, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spilled() -> impl Strategy<Value = Spilled> {
        let traceparent = prop::option::of("[0-9a-f-]{1,55}");
        (
            "[a-z.]{1,9}",
            any::<String>(),
            any::<String>(),
            traceparent,
            any::<String>(),
        )
            .prop_map(|(topic, key, event_id, traceparent, value)| Spilled {
                topic,
                event: Event {
                    key,
                    event_id,
                    traceparent,
                    value: value.into_bytes(),
                },
            })
    }

    fn file(events: &[Spilled]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for spilled in events {
            write(&mut bytes, &spilled.topic, &spilled.event);
        }
        bytes
    }

    /// Whether `part` is `whole` with some left out.
    fn is_subsequence(part: &[Spilled], whole: &[Spilled]) -> bool {
        let mut whole = whole.iter();
        part.iter().all(|event| whole.any(|other| other == event))
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(events in prop::collection::vec(spilled(), 0..6)) {
            prop_assert_eq!(read(&file(&events)), (events, 0));
        }

        #[test]
        fn a_file_cut_anywhere_gives_every_event_before_the_cut_and_counts_the_torn_one(
            events in prop::collection::vec(spilled(), 1..6), cut in any::<prop::sample::Index>(),
        ) {
            let bytes = file(&events);
            let cut = cut.index(bytes.len());
            let whole = (0..events.len()).rev().find(|count| file(&events[..*count]).len() <= cut).unwrap();
            let torn = u64::from(file(&events[..whole]).len() < cut);
            prop_assert_eq!(read(&bytes[..cut]), (events[..whole].to_vec(), torn));
        }

        #[test]
        fn damage_anywhere_costs_events_and_never_makes_one(
            events in prop::collection::vec(spilled(), 1..6),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut bytes = file(&events);
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let (read, torn) = read(&bytes);
            prop_assert!(is_subsequence(&read, &events));
            prop_assert!(torn > 0 || read.len() == events.len());
        }

        #[test]
        fn one_damaged_byte_costs_one_event(
            events in prop::collection::vec(spilled(), 1..6), at in any::<prop::sample::Index>(), flip in 1_u8..,
        ) {
            let mut bytes = file(&events);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            let (read, torn) = read(&bytes);
            prop_assert_eq!((read.len(), torn), (events.len() - 1, 1));
            prop_assert!(is_subsequence(&read, &events));
        }

        #[test]
        fn no_bytes_make_it_panic_or_see_an_event(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(read(&bytes).0, vec![]);
        }

        #[test]
        fn bytes_lost_from_the_middle_cost_what_they_touch(
            events in prop::collection::vec(spilled(), 2..6), from in any::<prop::sample::Index>(), length in 1_usize..40,
        ) {
            let mut bytes = file(&events);
            let from = from.index(bytes.len());
            let to = (from + length).min(bytes.len());
            bytes.drain(from..to);
            let (read, _) = read(&bytes);
            prop_assert!(is_subsequence(&read, &events));
        }
    }
}
