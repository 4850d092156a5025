use std::borrow::Cow;

use crate::extract::Extracted;
use crate::record::RawRecord;
use crate::validate::Decision;

/// What the table `decisions` holds of a decision.
#[derive(Debug)]
pub struct DecisionRow<'a> {
    /// The record it was read from: its topic, partition and offset identify the row.
    pub record: RawRecord<'a>,
    /// The decision itself. Its lead's name is not for the table.
    pub decision: &'a Decision<'a>,
    /// What is stored of the lead's name.
    pub lead_name: Cow<'a, str>,
    /// The dimensions and measures of its log type.
    pub extracted: Extracted<'a>,
}
