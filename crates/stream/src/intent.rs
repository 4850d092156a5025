//! What the metadata of a committed offset says: which batch is being stored from that offset on. Whoever reads the
//! partition next rebuilds exactly that batch and stores it again under the same token, so that it counts once whether
//! or not the owner before got to the end. The idea is eBay's Block Aggregator's (Z. Wang et al., "Block Aggregator:
//! Real-time Data Ingestion from Kafka to ClickHouse with Deterministic Retries", 2021).

use std::fmt;
use std::str::FromStr;

/// Begins the metadata; another one was written by something else, or by a later version.
const VERSION: &str = "v1";

/// A batch that was about to be stored when it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intent {
    /// Offset of its first record; also the committed offset.
    pub first: i64,
    /// Offset of its last record.
    pub last: i64,
    /// Kafka's time of its first record, milliseconds since 1970; -1 without. Tells it from a batch of the same offsets
    /// of a topic that was created anew.
    pub first_time: i64,
    /// Digest of everything that goes to the warehouse.
    pub digest: u128,
    /// Where the warehouse stood; see [`crate::Store::position`].
    pub position: u64,
}

impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            first,
            last,
            first_time,
            digest,
            position,
        } = self;
        write!(
            f,
            "{VERSION};{first}-{last};{first_time};{digest:032x};{position}"
        )
    }
}

/// Metadata that is not an intent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not what this version writes: v1;FIRST-LAST;TIME;DIGEST;POSITION")]
pub struct ForeignMetadata(String);

impl FromStr for Intent {
    type Err = ForeignMetadata;

    fn from_str(text: &str) -> Result<Self, ForeignMetadata> {
        parse(text).ok_or_else(|| ForeignMetadata(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Intent> {
    let mut parts = text.split(';');
    if parts.next()? != VERSION {
        return None;
    }
    let (first, last) = parts.next()?.split_once('-')?;
    let intent = Intent {
        first: first.parse().ok()?,
        last: last.parse().ok()?,
        first_time: parts.next()?.parse().ok()?,
        digest: u128::from_str_radix(parts.next()?, 16).ok()?,
        position: parts.next()?.parse().ok()?,
    };
    let sound = parts.next().is_none() && intent.first >= 0 && intent.first <= intent.last;
    sound.then_some(intent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_again_and_fits_the_brokers_limit(
            first in 0..i64::MAX, length in 0..1_000_000_i64, first_time: i64, digest: u128, position: u64,
        ) {
            let intent = Intent { first, last: first.saturating_add(length), first_time, digest, position };
            prop_assert_eq!(intent.to_string().parse(), Ok(intent));
            prop_assert!(intent.to_string().len() < 4096);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}", tail in "v1;[0-9;a-f-]{0,60}") {
            for text in [text, tail] {
                if let Ok(intent) = text.parse::<Intent>() {
                    prop_assert!(intent.first <= intent.last);
                }
            }
        }
    }

    #[test]
    fn metadata_of_others_is_refused_and_shown() {
        for text in [
            "",
            "v2;1-2;3;4;5",
            "v1;2-1;3;4;5",
            "v1;1-2;3;4",
            "v1;1-2;3;4;5;6",
            "v1;-1-2;3;4;5",
        ] {
            let refused = text.parse::<Intent>();
            assert_eq!(refused, Err(ForeignMetadata(text.to_owned())));
        }
    }
}
