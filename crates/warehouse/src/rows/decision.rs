//! A row of the table `decisions`.

use kaizen_decision::{DecisionRow, Level};

use super::binary::{bool, float64, int32, int64, length, nullable, string};

/// The table.
pub const TABLE: &str = "decisions";

/// The columns in the order of [`encode`].
pub const COLUMNS: &str = "_topic, _partition, _offset, _ingested_at, event_id, log_type, session_id, timestamp, \
    lead_name, company, industry, method_used, confidence_level, processing_time, success, quality_score, \
    success_indicator, improvement_potential, experiment, arm, allocation_probability, dims, measures, input, output, \
    extra";

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
