//! What tells one content from another, and places in it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// So many bytes before a place are kept to know it again.
pub(super) const TAIL: usize = 512;

/// Bytes by their number and 128 bits of their SHA-256: nothing of what a log says stands in a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fingerprint {
    pub(super) length: usize,
    pub(super) digest: String,
}

impl Fingerprint {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self {
            length: bytes.len(),
            digest: digest([bytes]),
        }
    }
}

/// 32 hexadecimal digits.
pub(super) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A place between two lines of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mark {
    /// Bytes of content before it.
    pub(super) offset: u64,
    /// Lines before it.
    pub(super) line: u64,
    /// The last bytes before it.
    pub(super) tail: Fingerprint,
}

impl Mark {
    pub(super) fn beginning() -> Self {
        Self {
            offset: 0,
            line: 0,
            tail: Fingerprint::of(&[]),
        }
    }
}

/// The last bytes before a place that moves on.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail(Vec<u8>);

impl Tail {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut tail = Self::default();
        tail.push(bytes);
        tail
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let kept = &bytes[bytes.len().saturating_sub(TAIL)..];
        let excess = (self.0.len() + kept.len()).saturating_sub(TAIL);
        self.0.drain(..excess);
        self.0.extend_from_slice(kept);
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_the_last_bytes_however_they_came() {
        let bytes: Vec<u8> = (0..2_000_u32).map(|n| n as u8).collect();
        for step in [1, 7, 511, 512, 513, 2_000] {
            let mut tail = Tail::default();
            for part in bytes.chunks(step) {
                tail.push(part);
            }
            assert_eq!(
                tail.fingerprint(),
                Fingerprint::of(&bytes[2_000 - TAIL..]),
                "{step}"
            );
        }
    }
}
