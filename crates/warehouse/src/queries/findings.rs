//! What else analyses found: written by `analysis`, read by `reporting`.

use clickhouse::Row;
use jiff::Timestamp;
use kaizen_findings::Finding;
use serde::{Deserialize, Serialize};

use super::analyses::{insert, results};
use super::{Analysis, QueryError};
use crate::client::Client;

#[derive(Row, Serialize, Deserialize)]
struct FindingRow {
    analysis_id: String,
    created_at: i64,
    code_version: String,
    position: u32,
    kind: String,
    component: String,
    metric: String,
    at: Option<u32>,
    content: String,
}

/// Columns in the order of the row's fields.
const FINDING: &str = "analysis_id, created_at, code_version, position, kind, component, metric, at, content";

/// Records what a run found. `now` as in [`super::put_results`].
///
/// # Errors
/// Any [`QueryError`].
pub async fn put_findings(
    client: &Client,
    analysis: &Analysis,
    findings: &[Finding],
    now: Timestamp,
) -> Result<(), QueryError> {
    let row = |(position, it): (usize, &Finding)| {
        let content = serde_json::to_string(it);
        Ok(FindingRow {
            analysis_id: analysis.analysis_id.clone(),
            created_at: now.as_millisecond(),
            code_version: analysis.code_version.clone(),
            position: u32::try_from(position).unwrap_or(u32::MAX),
            kind: it.detail.kind().to_owned(),
            component: it.component.clone(),
            metric: it.metric.clone(),
            at: it.detail.at().and_then(|at| u32::try_from(at).ok()),
            content: content.map_err(|_| QueryError::Unreadable(format!("finding {position}")))?,
        })
    };
    let rows: Result<Vec<_>, QueryError> = findings.iter().enumerate().map(row).collect();
    Ok(insert(client, "findings", rows?).await?)
}

/// What a run found, in the order of the catalogue; nothing unless it succeeded.
///
/// # Errors
/// Any [`QueryError`].
pub async fn findings(client: &Client, analysis: &Analysis) -> Result<Vec<Finding>, QueryError> {
    let rows: Vec<FindingRow> = results(client, analysis, "findings", FINDING, "position").await?;
    let read = |row: FindingRow| {
        let unreadable = |_| QueryError::Unreadable(format!("finding {}", row.position));
        serde_json::from_str(&row.content).map_err(unreadable)
    };
    rows.into_iter().map(read).collect()
}
