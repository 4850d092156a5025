//! Which runs found what is recommended, period by period.

use std::collections::HashMap;

use clickhouse::Row;
use jiff::Timestamp;
use kaizen_findings::Estimate;
use serde::Deserialize;

use super::window::seconds;
use super::{Analysis, AnalysisState, QueryError};
use crate::client::Client;

/// Most periods that are looked back on: two years of weeks.
const MOST: u32 = 104;
/// By how much periods of one length may differ, in seconds: clocks are changed twice a year.
const CLOCK_CHANGE: u32 = 3_600;

/// What the runs over one period found.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// When the first of them was created.
    pub at: Timestamp,
    /// End of the period.
    pub end: Timestamp,
    /// The effects of those that were found, by their identity.
    pub found: HashMap<String, Estimate>,
}

#[derive(Row, Deserialize)]
struct RunRow {
    end: u32,
    at: i64,
    run: String,
}

#[derive(Row, Deserialize)]
struct FoundRow {
    analysis_id: String,
    recommendation_id: String,
    value: f64,
    lower: f64,
    upper: f64,
}

/// Which of these recommendations the runs found, period by period up to that of an analysis, the latest first: of periods of its
/// length and zone, at most 104. A period that was analysed more than once has what its last run found, that of the analysis
/// what the analysis found.
///
/// # Errors
/// Any [`QueryError`].
pub async fn sightings(
    client: &Client,
    analysis: &Analysis,
    ids: &[&str],
) -> Result<Vec<Sighting>, QueryError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let runs = runs(client, analysis).await?;
    let mut found = found(client, &runs, ids).await?;
    let unreadable = |_| QueryError::Unreadable("an analysis".to_owned());
    runs.into_iter()
        .map(|run| {
            Ok(Sighting {
                at: Timestamp::from_millisecond(run.at).map_err(unreadable)?,
                end: Timestamp::from_second(run.end.into()).map_err(unreadable)?,
                found: found.remove(&run.run).unwrap_or_default(),
            })
        })
        .collect()
}

async fn runs(client: &Client, analysis: &Analysis) -> Result<Vec<RunRow>, QueryError> {
    let sql = "SELECT period_end AS end, min(created_at) AS at, argMax(analysis_id, (analysis_id = ?, created_at)) AS run \
               FROM (SELECT analysis_id, period_start, period_end, created_at FROM analyses FINAL WHERE state = ? \
               AND time_zone = ? AND period_end <= toDateTime(?, 'UTC') \
               AND abs(toInt64(period_end) - toInt64(period_start) - ?) <= ?) \
               GROUP BY period_start, period_end ORDER BY period_end DESC, period_start DESC LIMIT ?";
    let [start, end] = [analysis.period.start(), analysis.period.end()].map(seconds);
    let query = client
        .query(sql)
        .bind(&analysis.analysis_id)
        .bind(AnalysisState::Succeeded.as_str())
        .bind(&analysis.time_zone)
        .bind(end)
        .bind(end - start)
        .bind(CLOCK_CHANGE)
        .bind(MOST);
    Ok(client.rows(query).await?)
}

async fn found(
    client: &Client,
    runs: &[RunRow],
    ids: &[&str],
) -> Result<HashMap<String, HashMap<String, Estimate>>, QueryError> {
    let analyses: Vec<&str> = runs.iter().map(|run| run.run.as_str()).collect();
    if analyses.is_empty() {
        return Ok(HashMap::new());
    }
    let of = |end: &str| format!("JSONExtractFloat(content, 'evidence', 'effect', '{end}') AS {end}");
    // Of each run the rows of its last attempt.
    let sql = format!(
        "SELECT analysis_id, recommendation_id, {}, {}, {} FROM recommendations FINAL WHERE analysis_id IN ? \
         AND recommendation_id IN ? AND (analysis_id, created_at) IN \
         (SELECT analysis_id, max(created_at) FROM metric_points WHERE analysis_id IN ? GROUP BY analysis_id)",
        of("value"),
        of("lower"),
        of("upper")
    );
    let query = client.query(&sql).bind(&analyses).bind(ids).bind(&analyses);
    let rows: Vec<FoundRow> = client.rows(query).await?;
    let mut found: HashMap<String, HashMap<String, Estimate>> = HashMap::new();
    for row in rows {
        let effect = Estimate::new(row.value, (row.lower, row.upper));
        found
            .entry(row.analysis_id)
            .or_default()
            .insert(row.recommendation_id, effect);
    }
    Ok(found)
}
