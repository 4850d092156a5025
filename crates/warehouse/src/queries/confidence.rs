//! What was stated with which confidence, and what came of it.

use clickhouse::Row;
use kaizen_catalogue::{Component, StatedProbability};
use kaizen_findings::Stated;
use serde::Deserialize;

use super::{QueryError, Window};
use crate::client::Client;

#[derive(Row, Deserialize)]
struct LevelRow {
    stated: String,
    n: u64,
    successes: u64,
}

/// The levels of confidence, from the highest down, with the decisions carried out without failure. A level that none has is
/// left out.
///
/// # Errors
/// Any [`QueryError`].
pub async fn confidence_levels(
    client: &Client,
    component: &Component,
    window: Window,
) -> Result<Vec<Stated>, QueryError> {
    let [start, end] = window.bounds();
    let sql = "SELECT confidence_level AS stated, sum(decisions) AS n, sum(rollup_hourly.successes) AS successes FROM rollup_hourly \
               WHERE log_type = ? AND hour >= toDateTime(?, 'UTC') AND hour < toDateTime(?, 'UTC') \
               AND confidence_level IN ('high', 'medium', 'low') GROUP BY stated HAVING n > 0";
    let query = client.query(sql).bind(&component.log_type).bind(start).bind(end);
    let rows: Vec<LevelRow> = client.rows(query).await?;
    let of = |level: &str| rows.iter().find(|row| row.stated == level);
    let stated = ["high", "medium", "low"].into_iter().filter_map(of);
    Ok(stated
        .map(|row| Stated {
            stated: row.stated.clone(),
            n: row.n as f64,
            successes: row.successes as f64,
        })
        .collect())
}

#[derive(Row, Deserialize)]
struct ProbabilityRow {
    probability: f64,
    n: u64,
    successes: u64,
}

/// Probabilities that decisions stated, to a thousandth, each with how many stated it and how many of them came true. Read from
/// the decisions themselves. What is no probability is left out.
///
/// # Errors
/// Any [`QueryError`].
pub async fn stated_probabilities(
    client: &Client,
    component: &Component,
    stated: &StatedProbability,
    window: Window,
) -> Result<Vec<(f64, f64, f64)>, QueryError> {
    let [start, end] = window.bounds();
    let (judged, came_true) = match stated.of {
        kaizen_catalogue::StatedOf::Success => ("true", "success"),
        kaizen_catalogue::StatedOf::SuccessIndicator => {
            ("isNotNull(success_indicator)", "ifNull(success_indicator, false)")
        }
    };
    let sql = format!(
        "SELECT round(measures[?], 3) AS probability, count() AS n, countIf({came_true}) AS successes FROM decisions \
         WHERE log_type = ? AND timestamp >= toDateTime(?, 'UTC') AND timestamp < toDateTime(?, 'UTC') \
         AND mapContains(measures, ?) AND measures[?] BETWEEN 0 AND 1 AND {judged} GROUP BY probability ORDER BY probability"
    );
    let measure = &stated.measure;
    let query = client.query(&sql).bind(measure).bind(&component.log_type);
    let query = query.bind(start).bind(end).bind(measure).bind(measure);
    let rows: Vec<ProbabilityRow> = client.rows(query).await?;
    let row = |row: ProbabilityRow| (row.probability, row.n as f64, row.successes as f64);
    Ok(rows.into_iter().map(row).collect())
}
