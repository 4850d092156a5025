//! Measurements that the ledger keeps: encoded as the protocol has them, whose fields never change their numbers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kaizen_api::time::to_wire;
use kaizen_api::tracker::v1 as wire;
use kaizen_ledger::Measurement;
use prost::Message;

/// What was found, to be kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    /// An impact.
    Measured(Box<wire::Impact>),
    /// Why there is none.
    Unmeasurable(String),
}

impl Kept {
    /// In a sentence.
    pub fn summary(&self) -> String {
        match self {
            Self::Measured(impact) => impact.summary.clone(),
            Self::Unmeasurable(why) => format!("Nothing could be measured: {why}."),
        }
    }

    /// As the ledger keeps it.
    pub fn content(self) -> String {
        let found = match self {
            Self::Measured(impact) => wire::Measurement {
                impact: Some(*impact),
                ..wire::Measurement::default()
            },
            Self::Unmeasurable(unmeasurable) => wire::Measurement {
                unmeasurable,
                ..wire::Measurement::default()
            },
        };
        STANDARD.encode(found.encode_to_vec())
    }
}

/// What begins the names of verdicts on the wire.
const VERDICT: &str = "IMPACT_VERDICT_";

/// A verdict in a word, as those of the ledger's audit and of messages; empty for none.
pub fn word_of(verdict: wire::ImpactVerdict) -> String {
    match verdict {
        wire::ImpactVerdict::Unspecified => String::new(),
        verdict => verdict.as_str_name().trim_start_matches(VERDICT).to_lowercase(),
    }
}

/// The verdict of a word of [`word_of`]; unspecified for any other.
pub fn verdict_of(word: &str) -> wire::ImpactVerdict {
    let name = format!("{VERDICT}{}", word.to_uppercase());
    wire::ImpactVerdict::from_str_name(&name).unwrap_or_default()
}

/// Why a kept measurement cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is no base64.
    #[error("a kept measurement is no base64")]
    Base64(#[from] base64::DecodeError),
    /// It is no message.
    #[error("a kept measurement is no message")]
    Message(#[from] prost::DecodeError),
}

/// A kept measurement as the wire has it.
///
/// # Errors
/// [`Unreadable`].
pub fn kept(it: &Measurement) -> Result<wire::Measurement, Unreadable> {
    let bytes = STANDARD.decode(&it.content)?;
    let found = wire::Measurement::decode(bytes.as_slice())?;
    Ok(wire::Measurement {
        measurement_id: it.revision.to_string(),
        day: it.day,
        measure_time: Some(to_wire(it.measured_at)),
        ..found
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_verdict_is_read_back_from_its_word() {
        use wire::ImpactVerdict as Verdict;
        let known = [
            Verdict::Improved,
            Verdict::NoDetectableChange,
            Verdict::Worse,
            Verdict::CannotTell,
        ];
        assert_eq!(
            known.map(word_of),
            ["improved", "no_detectable_change", "worse", "cannot_tell"]
        );
        for verdict in known.into_iter().chain([Verdict::Unspecified]) {
            assert_eq!(verdict_of(&word_of(verdict)), verdict);
        }
        assert_eq!(verdict_of("better"), Verdict::Unspecified);
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let impact = wire::Impact {
            ticket_id: "T-3".to_owned(),
            mean_before: 0.7,
            ..wire::Impact::default()
        };
        let it = Measurement {
            revision: 12,
            number: 3,
            implemented_at: Timestamp::UNIX_EPOCH,
            day: 14,
            measured_at: Timestamp::UNIX_EPOCH,
            content: Kept::Measured(Box::new(impact.clone())).content(),
        };
        let found = kept(&it).unwrap();
        assert_eq!(
            (found.impact, found.day, found.measurement_id.as_str()),
            (Some(impact), 14, "12")
        );
        let broken = Measurement {
            content: "no base64!".to_owned(),
            ..it
        };
        assert!(matches!(kept(&broken), Err(Unreadable::Base64(_))));
    }
}
