//! One decision in full.

use clickhouse::Row;
use serde::Deserialize;

use super::QueryError;
use super::decisions::{DecisionSummary, SUMMARY};
use crate::client::Client;

/// A decision in full.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionDetail {
    /// The decision in short.
    pub summary: DecisionSummary,
    /// The rest of it.
    pub content: DecisionContent,
}

/// What a summary leaves out.
#[derive(Debug, Clone, PartialEq, Row, Deserialize)]
pub struct DecisionContent {
    /// What it was made from: a JSON object.
    pub input: String,
    /// What was decided: a JSON object.
    pub output: String,
    /// Fields the schema does not name: a JSON object.
    pub extra: String,
    /// Declared dimensions that were found.
    pub dims: Vec<(String, String)>,
    /// Declared measures that were found.
    pub measures: Vec<(String, f64)>,
    /// `high`, `medium`, `low` or empty.
    pub improvement_potential: String,
    /// Kafka's time of the record, milliseconds since 1970.
    pub _ingested_at: i64,
}

/// The decision of that event; the newest, should several records have carried it.
///
/// # Errors
/// Any [`QueryError`].
pub async fn decision(client: &Client, event_id: &str) -> Result<Option<DecisionDetail>, QueryError> {
    let sql = format!(
        "SELECT {SUMMARY} FROM decisions WHERE event_id = ? \
         ORDER BY timestamp DESC, _topic DESC, _partition DESC, _offset DESC LIMIT 1"
    );
    let summary: Option<DecisionSummary> = client.row(client.query(&sql).bind(event_id)).await?;
    let Some(summary) = summary else { return Ok(None) };
    let sql = "SELECT input, output, extra, dims, measures, improvement_potential, _ingested_at FROM decisions WHERE event_id = ? AND _topic = ? AND _partition = ? AND _offset = ? LIMIT 1";
    let place = client
        .query(sql)
        .bind(event_id)
        .bind(&summary._topic)
        .bind(summary._partition)
        .bind(summary._offset);
    let content: Option<DecisionContent> = client.row(place).await?;
    Ok(content.map(|content| DecisionDetail { summary, content }))
}
