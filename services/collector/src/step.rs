//! What a record becomes: a row, a dead letter with a reason, or a repeat of a stored one. Depends on the record, the ones
//! stored before it and the configuration alone.

use kaizen_catalogue::Catalogue;
use kaizen_decision::{
    DecisionRow, LogType, Privacy, RawRecord, Rejection, Schema, TimePolicy, decode, extract, validate,
};
use kaizen_stream::{Batch, DeadLetter, Identity, Recent, Sealed, Step};
use kaizen_warehouse::rows;
use regex::Regex;

use crate::config::Topic;
use crate::instruments::Instruments;

/// How the timestamps of each topic are judged.
pub struct Policies {
    named: Vec<(String, TimePolicy)>,
    matching: Vec<(Regex, TimePolicy)>,
}

impl Policies {
    /// Of the configured topics.
    ///
    /// # Errors
    /// A name beginning with `^` is no regular expression.
    pub fn of(topics: &[Topic]) -> Result<Self, regex::Error> {
        let (patterns, names): (Vec<_>, Vec<_>) =
            topics.iter().partition(|topic| topic.name.starts_with('^'));
        Ok(Self {
            named: names
                .into_iter()
                .map(|topic| (topic.name.clone(), topic.policy.times()))
                .collect(),
            matching: (patterns.into_iter())
                .map(|topic| Ok((Regex::new(&topic.name)?, topic.policy.times())))
                .collect::<Result<_, regex::Error>>()?,
        })
    }

    /// Of one topic: by its name, else by the first expression that matches, else the strictest.
    pub fn policy(&self, topic: &str) -> &TimePolicy {
        let named = self
            .named
            .iter()
            .find(|(name, _)| name == topic)
            .map(|(_, policy)| policy);
        named
            .or_else(|| {
                self.matching
                    .iter()
                    .find(|(name, _)| name.is_match(topic))
                    .map(|(_, policy)| policy)
            })
            .unwrap_or(&TimePolicy::LIVE)
    }
}

/// Decodes, validates, drops repeats, extracts, pseudonymises and encodes.
pub struct DecisionStep {
    schema: Schema,
    policies: Policies,
    privacy: Privacy,
    instruments: Instruments,
    /// Working memory for records that are not JSON.
    transcoded: String,
}

impl DecisionStep {
    /// A step for what the catalogue declares.
    pub fn new(
        catalogue: &Catalogue,
        policies: Policies,
        privacy: Privacy,
        instruments: Instruments,
    ) -> Self {
        Self {
            schema: schema(catalogue),
            policies,
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
        let raw = decode(record, &mut self.transcoded)?;
        let decision = validate(raw, record, &self.schema, self.policies.policy(record.topic))?;
        let identity = Identity::of(&decision.event_id, decision.recorded, record.offset);
        if recent.knows(identity) {
            let encode = |bytes: &mut Vec<u8>| rows::rejection::encode_duplicate(record, bytes);
            batch.rejections.push(record, encode);
            return Ok(());
        }
        recent.remember(identity);
        let row = DecisionRow {
            record: *record,
            lead_name: self.privacy.lead_name(decision.lead.name.as_deref()),
            extracted: extract(&decision, &self.schema),
            decision: &decision,
        };
        batch
            .rows
            .push(record, |bytes| rows::decision::encode(&row, bytes));
        self.instruments.unknown_fields(decision.unknown_fields);
        Ok(())
    }
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

impl Step for DecisionStep {
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
