//! A row of the table `decisions`.

use anyhow::{Context, Result};
use chrono::DateTime;
use serde::Serialize;

use crate::event::{Document, Event, Input, Output};

/// The columns, in the order of the row's fields; those not named have their defaults.
pub const COLUMNS: [&str; 21] = [
    "_topic",
    "_partition",
    "_offset",
    "_ingested_at",
    "event_id",
    "log_type",
    "session_id",
    "timestamp",
    "company",
    "industry",
    "method_used",
    "confidence_level",
    "processing_time",
    "success",
    "quality_score",
    "success_indicator",
    "improvement_potential",
    "dims",
    "measures",
    "input",
    "output",
];

/// The event with its place in Kafka; times are milliseconds since 1970.
#[derive(Debug, Clone, Serialize, clickhouse::Row)]
pub struct Row {
    _topic: String,
    _partition: i32,
    _offset: i64,
    _ingested_at: i64,
    event_id: String,
    log_type: String,
    session_id: String,
    timestamp: i64,
    company: String,
    industry: String,
    method_used: String,
    confidence_level: String,
    processing_time: Option<f64>,
    success: bool,
    quality_score: Option<f64>,
    success_indicator: Option<bool>,
    improvement_potential: String,
    dims: Vec<(&'static str, String)>,
    measures: Vec<(&'static str, f64)>,
    input: String,
    output: String,
}

impl Row {
    /// The event's row; `place` is its topic, partition, offset and Kafka time.
    ///
    /// # Errors
    /// A time or a dimension is not what the schema says.
    pub fn new<D: Document>(event: Event<D>, place: (&str, i32, i64, i64)) -> Result<Self> {
        let timestamp = DateTime::parse_from_rfc3339(&event.timestamp)
            .with_context(|| format!("timestamp of offset {} of partition {}", place.2, place.1))?;
        let Input {
            template,
            model,
            prompt_version,
        } = event.input_data.read()?;
        let Output { tokens, cost_usd } = event.output_data.read()?;
        let dims = [
            ("template", template),
            ("model", model),
            ("prompt_version", prompt_version),
        ];
        let measures = [("tokens", tokens), ("cost_usd", cost_usd)];
        Ok(Self {
            _topic: place.0.to_owned(),
            _partition: place.1,
            _offset: place.2,
            _ingested_at: place.3,
            event_id: event.event_id,
            log_type: event.log_type,
            session_id: event.session_id,
            timestamp: timestamp.timestamp_millis(),
            company: event.lead_identifier.company.unwrap_or_default(),
            industry: event.lead_identifier.industry.unwrap_or_default(),
            method_used: event.decision_reasoning.method_used,
            confidence_level: event.decision_reasoning.confidence_level.unwrap_or_default(),
            processing_time: event.decision_reasoning.processing_time,
            success: event.decision_reasoning.success,
            quality_score: event.training_labels.quality_score,
            success_indicator: event.training_labels.success_indicator,
            improvement_potential: event.training_labels.improvement_potential.unwrap_or_default(),
            dims: present(dims),
            measures: present(measures),
            input: event.input_data.into_text()?,
            output: event.output_data.into_text()?,
        })
    }
}

fn present<T, const N: usize>(pairs: [(&'static str, Option<T>); N]) -> Vec<(&'static str, T)> {
    pairs
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}
