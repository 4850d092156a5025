//! Why metrics changed, as analyses found: written by `analysis`, read by `reporting`.

use clickhouse::Row;
use jiff::Timestamp;
use kaizen_findings::{Cause, CellSums, Change, Explanation};
use serde::{Deserialize, Serialize};

use super::analyses::{insert, results};
use super::{Analysis, QueryError};
use crate::client::{Client, WarehouseError};

/// Why a metric changed.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricExplanation {
    /// `COMPONENT.METRIC`.
    pub metric: String,
    /// What is explained, in words.
    pub explained: String,
    /// Unit of the means.
    pub unit: String,
    /// Why.
    pub explanation: Explanation,
}

#[derive(Row, Serialize, Deserialize)]
struct CulpritRow {
    analysis_id: String,
    created_at: i64,
    code_version: String,
    position: u32,
    rank: u32,
    metric: String,
    explained: String,
    unit: String,
    slice: Vec<(String, String)>,
    value: Option<f64>,
    n: u64,
    previous: Option<f64>,
    previous_n: u64,
    effect: f64,
    lower: f64,
    upper: f64,
    p_value: f64,
    mix: f64,
    rate: f64,
}

/// Columns in the order of the row's fields.
const CULPRIT: &str = "analysis_id, created_at, code_version, position, rank, metric, explained, unit, slice, value, n, \
    previous, previous_n, effect, lower, upper, p_value, mix, rate";

/// Records why metrics changed; a metric of which too little is known has no row. `now` as in [`super::put_results`].
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn put_explanations(
    client: &Client,
    analysis: &Analysis,
    explanations: &[MetricExplanation],
    now: Timestamp,
) -> Result<(), WarehouseError> {
    let mut rows = Vec::new();
    for (position, it) in explanations.iter().enumerate() {
        let Explanation {
            baseline,
            current,
            change: Some(change),
            causes,
        } = &it.explanation
        else {
            continue;
        };
        let whole = Cause {
            slice: Vec::new(),
            baseline: *baseline,
            current: *current,
            effect: change.difference,
            interval: change.interval,
            p_value: change.p_value,
            mix: change.mix,
            rate: change.rate,
        };
        for (rank, cause) in std::iter::once(&whole).chain(causes).enumerate() {
            rows.push(CulpritRow {
                analysis_id: analysis.analysis_id.clone(),
                created_at: now.as_millisecond(),
                code_version: analysis.code_version.clone(),
                position: u32::try_from(position).unwrap_or(u32::MAX),
                rank: u32::try_from(rank).unwrap_or(u32::MAX),
                metric: it.metric.clone(),
                explained: it.explained.clone(),
                unit: it.unit.clone(),
                slice: cause.slice.clone(),
                value: cause.current.mean(),
                n: cause.current.n as u64,
                previous: cause.baseline.mean(),
                previous_n: cause.baseline.n as u64,
                effect: cause.effect,
                lower: cause.interval.0,
                upper: cause.interval.1,
                p_value: cause.p_value,
                mix: cause.mix,
                rate: cause.rate,
            });
        }
    }
    insert(client, "culprits", rows).await
}

/// Why metrics changed by a run, in the order of the catalogue; nothing unless it succeeded.
///
/// # Errors
/// Any [`QueryError`].
pub async fn explanations(
    client: &Client,
    analysis: &Analysis,
) -> Result<Vec<MetricExplanation>, QueryError> {
    let rows: Vec<CulpritRow> = results(client, analysis, "culprits", CULPRIT, "position, rank").await?;
    let mut all: Vec<MetricExplanation> = Vec::new();
    for row in rows {
        let sums = |mean: Option<f64>, n: u64| CellSums {
            n: n as f64,
            sum: mean.unwrap_or_default() * n as f64,
            sum_squares: 0.0,
        };
        let (current, baseline) = (sums(row.value, row.n), sums(row.previous, row.previous_n));
        let interval = (row.lower, row.upper);
        match all.last_mut() {
            Some(last) if row.rank > 0 => last.explanation.causes.push(Cause {
                slice: row.slice,
                baseline,
                current,
                effect: row.effect,
                interval,
                p_value: row.p_value,
                mix: row.mix,
                rate: row.rate,
            }),
            _ => all.push(MetricExplanation {
                metric: row.metric,
                explained: row.explained,
                unit: row.unit,
                explanation: Explanation {
                    baseline,
                    current,
                    change: Some(Change {
                        difference: row.effect,
                        interval,
                        p_value: row.p_value,
                        mix: row.mix,
                        rate: row.rate,
                    }),
                    causes: Vec::new(),
                },
            }),
        }
    }
    Ok(all)
}
