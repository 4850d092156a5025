//! What becomes of the lead's name, the one field that is personal data by its nature.

use std::borrow::Cow;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::identify::hexadecimal;

/// Shortest key, in bytes: 128 bits.
const MINIMUM_KEY: usize = 16;

/// What becomes of the lead's name.
#[derive(Clone)]
pub enum Privacy {
    /// It is not stored.
    Drop,
    /// It is stored as it is.
    Keep,
    /// The first 16 bytes, in hexadecimal, of its HMAC-SHA-256 are stored: the same name is recognised again, and
    /// nobody without the key can find out which it is.
    Pseudonymise(Box<Hmac<Sha256>>),
}

/// A key too short to protect anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key must have at least {MINIMUM_KEY} bytes, it has {length}")]
pub struct WeakKey {
    /// Bytes it has.
    pub length: usize,
}

impl Privacy {
    /// Pseudonyms under `key`.
    ///
    /// # Errors
    /// The key is shorter than 16 bytes.
    pub fn pseudonymise(key: &[u8]) -> Result<Self, WeakKey> {
        let weak = WeakKey { length: key.len() };
        if key.len() < MINIMUM_KEY {
            return Err(weak);
        }
        Hmac::new_from_slice(key)
            .map(|mac| Self::Pseudonymise(Box::new(mac)))
            .map_err(|_| weak)
    }

    /// What is stored for `name`; empty for nothing.
    pub fn lead_name<'a>(&self, name: Option<&'a str>) -> Cow<'a, str> {
        match (self, name.unwrap_or_default()) {
            (Self::Drop, _) | (_, "") => Cow::Borrowed(""),
            (Self::Keep, name) => Cow::Borrowed(name),
            (Self::Pseudonymise(mac), name) => {
                let mut mac = mac.as_ref().clone();
                mac.update(name.as_bytes());
                Cow::Owned(hexadecimal(&mac.finalize().into_bytes()))
            }
        }
    }
}

impl fmt::Debug for Privacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Drop => "Drop",
            Self::Keep => "Keep",
            Self::Pseudonymise(_) => "Pseudonymise(***)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_the_first_half_of_the_hmac() {
        // RFC 4231, test case 1
        let privacy = Privacy::pseudonymise(&[0x0b; 20]).unwrap();
        assert_eq!(
            privacy.lead_name(Some("Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b"
        );
        assert_eq!(privacy.lead_name(None), "");
        assert_eq!(format!("{privacy:?}"), "Pseudonymise(***)");
    }

    #[test]
    fn names_are_dropped_or_kept_as_told() {
        assert_eq!(Privacy::Drop.lead_name(Some("Ada")), "");
        assert_eq!(Privacy::Keep.lead_name(Some("Ada")), "Ada");
        assert_eq!(
            Privacy::pseudonymise(b"short").unwrap_err(),
            WeakKey { length: 5 }
        );
    }
}
