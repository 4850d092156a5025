//! A row of the table `decisions`.

use kaizen_decision::{DecisionRow, Level};

use super::binary::{bool, float64, int32, int64, length, nullable, string};
use super::column::{
    BOOL, Column, INT32, INT64, Kind, LABELS, NUMBERS, OPTIONAL_BOOL, OPTIONAL_FLOAT64, TIME, column,
};

/// The table.
pub const TABLE: &str = "decisions";

/// The columns in the order of [`encode`].
pub const COLUMNS: &[Column] = &[
    column("_topic", Kind::Dictionary),
    column("_partition", INT32),
    column("_offset", INT64),
    column("_ingested_at", TIME),
    column("event_id", Kind::String),
    column("log_type", Kind::Dictionary),
    column("session_id", Kind::String),
    column("timestamp", TIME),
    column("lead_name", Kind::String),
    column("company", Kind::String),
    column("industry", Kind::Dictionary),
    column("method_used", Kind::Dictionary),
    column("confidence_level", Kind::Dictionary),
    column("processing_time", OPTIONAL_FLOAT64),
    column("success", BOOL),
    column("quality_score", OPTIONAL_FLOAT64),
    column("success_indicator", OPTIONAL_BOOL),
    column("improvement_potential", Kind::Dictionary),
    column("experiment", Kind::Dictionary),
    column("arm", Kind::Dictionary),
    column("allocation_probability", OPTIONAL_FLOAT64),
    column("dims", LABELS),
    column("measures", NUMBERS),
    column("input", Kind::Text),
    column("output", Kind::Text),
    column("extra", Kind::Text),
];

/// Appends a row.
pub fn encode(row: &DecisionRow<'_>, rows: &mut Vec<u8>) {
    let (record, decision) = (&row.record, row.decision);
    let text = |text: &Option<std::borrow::Cow<'_, str>>, rows: &mut Vec<u8>| {
        string(rows, text.as_deref().unwrap_or_default());
    };
    let level = |level: Option<Level>, rows: &mut Vec<u8>| string(rows, level.map_or("", Level::as_str));

    string(rows, record.topic);
    int32(rows, record.partition);
    int64(rows, record.offset);
    int64(rows, decision.recorded);
    string(rows, &decision.event_id);
    string(rows, &decision.log_type);
    string(rows, &decision.session_id);
    int64(rows, decision.timestamp.as_millisecond());
    string(rows, &row.lead_name);
    text(&decision.lead.company, rows);
    text(&decision.lead.industry, rows);
    string(rows, &decision.reasoning.method_used);
    level(decision.reasoning.confidence_level, rows);
    nullable(rows, decision.reasoning.processing_time, float64);
    bool(rows, decision.reasoning.success);
    nullable(rows, decision.labels.quality_score, float64);
    nullable(rows, decision.labels.success_indicator, bool);
    level(decision.labels.improvement_potential, rows);
    text(&decision.allocation.experiment, rows);
    text(&decision.allocation.arm, rows);
    nullable(rows, decision.allocation.probability, float64);
    length(rows, row.extracted.dimensions.len());
    for (name, value) in &row.extracted.dimensions {
        string(rows, name);
        string(rows, value);
    }
    length(rows, row.extracted.measures.len());
    for (name, value) in &row.extracted.measures {
        string(rows, name);
        float64(rows, *value);
    }
    string(rows, &decision.input);
    string(rows, &decision.output);
    string(rows, &decision.extra);
}
