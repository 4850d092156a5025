//! What a record becomes: a row, a dead letter with a reason, or a repeat of a stored one. Depends on the record, the ones
//! stored before it and the configuration alone.

use std::sync::Arc;

use kaizen_catalogue::Catalogue;
use kaizen_decision::{
    DecisionRow, LogType, Privacy, RawRecord, Rejection, Schema, decode, extract, read_change, read_outcome,
    validate,
};
use kaizen_stream::{Batch, DeadLetter, Identity, Recent, Sealed, Step};
use kaizen_warehouse::rows;

use crate::config::Kind;
use crate::instruments::Instruments;
use crate::topics::{Rules, Topics};

/// Decodes, validates, drops repeats, extracts, pseudonymises and encodes.
pub struct EventStep {
    topics: Arc<Topics>,
    schema: Schema,
    privacy: Privacy,
    instruments: Instruments,
    /// Working memory for records that are not JSON.
    transcoded: String,
}

impl EventStep {
    /// A step for what the configuration and the catalogue declare.
    pub fn new(
        catalogue: &Catalogue,
        topics: Arc<Topics>,
        privacy: Privacy,
        instruments: Instruments,
    ) -> Self {
        Self {
            topics,
            schema: schema(catalogue),
            privacy,
            instruments,
            transcoded: String::new(),
        }
    }

    fn encode(
        &mut self,
        record: &RawRecord<'_>,
        recent: &mut Recent,
        batch: &mut Batch,
    ) -> Result<(), Rejection> {
        let Rules { kind, times } = self.topics.rules(record.topic);
        let unknown_fields = match kind {
            Kind::Decision => {
                let raw = decode(record, &mut self.transcoded)?;
                let decision = validate(raw, record, &self.schema, times)?;
                if is_repeat(&decision.event_id, decision.recorded, record, recent, batch) {
                    return Ok(());
                }
                let row = DecisionRow {
                    record: *record,
                    lead_name: self.privacy.lead_name(decision.lead.name.as_deref()),
                    extracted: extract(&decision, &self.schema),
                    decision: &decision,
                };
                let encode = |bytes: &mut Vec<u8>| rows::decision::encode(&row, bytes);
                batch.rows.push(record, encode);
                decision.unknown_fields
            }
            Kind::Outcome => {
                let outcome = read_outcome(record, times)?;
                if is_repeat(&outcome.event_id, outcome.recorded, record, recent, batch) {
                    return Ok(());
                }
                let encode = |bytes: &mut Vec<u8>| rows::outcome::encode(record, &outcome, bytes);
                batch.rows.push(record, encode);
                outcome.unknown_fields
            }
            Kind::Change => {
                let change = read_change(record, times)?;
                if is_repeat(&change.event_id, change.recorded, record, recent, batch) {
                    return Ok(());
                }
                let encode = |bytes: &mut Vec<u8>| rows::change::encode(record, &change, bytes);
                batch.rows.push(record, encode);
                change.unknown_fields
            }
        };
        self.instruments.unknown_fields(unknown_fields);
        Ok(())
    }
}

/// Whether the event repeats a recent one; it is noted as such then, and remembered otherwise.
fn is_repeat(
    event_id: &str,
    recorded: i64,
    record: &RawRecord<'_>,
    recent: &mut Recent,
    batch: &mut Batch,
) -> bool {
    let identity = Identity::of(event_id, recorded, record.offset);
    if recent.knows(identity) {
        let encode = |bytes: &mut Vec<u8>| rows::rejection::encode_duplicate(record, bytes);
        batch.rejections.push(record, encode);
        return true;
    }
    recent.remember(identity);
    false
}

/// What the catalogue declares, as decisions are judged by it.
pub fn schema(catalogue: &Catalogue) -> Schema {
    let pairs = |list: &[kaizen_catalogue::Extraction]| {
        list.iter()
            .map(|value| (value.name.clone(), value.pointer.clone()))
            .collect()
    };
    Schema::new(catalogue.components().iter().map(|component| LogType {
        name: component.log_type.clone(),
        dimensions: pairs(&component.dimensions),
        measures: pairs(&component.measures),
    }))
}

impl Step for EventStep {
    fn apply(&mut self, record: &RawRecord<'_>, recent: &mut Recent, batch: &mut Batch) {
        if let Some(letter) = record.replay.letter() {
            let encode = |bytes: &mut Vec<u8>| rows::replay::encode(record, &letter, bytes);
            batch.replays.push(record, encode);
        }
        if let Err(rejection) = self.encode(record, recent, batch) {
            let encode = |bytes: &mut Vec<u8>| rows::rejection::encode(record, rejection, bytes);
            batch.rejections.push(record, encode);
            batch.bury(DeadLetter::of(record, rejection));
        }
    }

    fn sealed(&mut self, batch: &Batch, why: Sealed) {
        self.instruments.sealed(batch, why);
    }
}
