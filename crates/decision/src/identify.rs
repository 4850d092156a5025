//! The identity of an event that brings none.

use std::fmt::Write as _;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::validate::Decision;

/// The first 16 bytes, in hexadecimal, of the SHA-256 over what the decision says: every field in the order of the
/// schema, each as its length (8 bytes, little endian; all ones when absent) and its bytes; strings decoded, the
/// timestamp in nanoseconds since 1970, numbers as IEEE 754 bits, objects as canonical JSON, unknown fields included.
///
/// So spacing, escapes, the order of the schema's fields, the encoding (JSON or Protobuf), the record's key, headers and
/// place do not matter. The lead's name is left out: otherwise the id would let anyone who knows the rest of a stored
/// decision test guesses of a name that was dropped.
pub(crate) fn identify(decision: &Decision<'_>) -> String {
    let mut content = Content::default();
    content.text(Some(&decision.log_type));
    content.text(Some(&decision.session_id));
    content.time(decision.timestamp);
    content.text(decision.lead.company.as_deref());
    content.text(decision.lead.industry.as_deref());
    content.text(Some(&decision.input));
    content.text(Some(&decision.output));
    content.text(Some(&decision.reasoning.method_used));
    content.text(decision.reasoning.confidence_level.map(|level| level.as_str()));
    content.number(decision.reasoning.processing_time);
    content.part(Some(&[u8::from(decision.reasoning.success)]));
    content.number(decision.labels.quality_score);
    content.part(
        decision
            .labels
            .success_indicator
            .map(|met| [u8::from(met)])
            .as_ref()
            .map(<[u8; 1]>::as_slice),
    );
    content.text(decision.labels.improvement_potential.map(|level| level.as_str()));
    content.text(decision.allocation.experiment.as_deref());
    content.text(decision.allocation.arm.as_deref());
    content.number(decision.allocation.probability);
    content.text(Some(&decision.extra));
    content.identity()
}

/// The first 16 bytes in hexadecimal.
pub(crate) fn hexadecimal(digest: &[u8]) -> String {
    digest
        .iter()
        .take(16)
        .fold(String::with_capacity(32), |mut text, byte| {
            let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
            text
        })
}

/// What an event says, field by field, as [`identify`] describes it.
#[derive(Default)]
pub(crate) struct Content(Sha256);

impl Content {
    /// The identity of what was given.
    pub(crate) fn identity(self) -> String {
        hexadecimal(&self.0.finalize())
    }

    pub(crate) fn time(&mut self, time: Timestamp) {
        self.part(Some(&time.as_nanosecond().to_le_bytes()));
    }

    fn part(&mut self, bytes: Option<&[u8]>) {
        let length = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
        self.0.update(length.to_le_bytes());
        self.0.update(bytes.unwrap_or_default());
    }

    pub(crate) fn text(&mut self, text: Option<&str>) {
        self.part(text.map(str::as_bytes));
    }

    pub(crate) fn number(&mut self, number: Option<f64>) {
        self.part(number.map(f64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }
}
