//! Which way metrics go, as analyses found: written by `analysis`, read by `reporting`.

use clickhouse::Row;
use jiff::Timestamp;
use kaizen_findings::{Direction, Significance, Slope, Trend};
use serde::{Deserialize, Serialize};

use super::analyses::{insert, results};
use super::{Analysis, QueryError};
use crate::client::{Client, WarehouseError};

/// A trend in an analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricTrend {
    /// `COMPONENT.METRIC`.
    pub metric: String,
    /// Which way it goes.
    pub trend: Trend,
}

#[derive(Row, Serialize, Deserialize)]
struct TrendRow {
    analysis_id: String,
    created_at: i64,
    code_version: String,
    position: u32,
    metric: String,
    direction: String,
    change_percent: Option<f64>,
    p_value: Option<f64>,
    significance: String,
    method: String,
    change_lower: Option<f64>,
    change_upper: Option<f64>,
    slope_per_day: Option<f64>,
    slope_lower: Option<f64>,
    slope_upper: Option<f64>,
    slope_p_value: Option<f64>,
    since: Option<u32>,
    days: u32,
    onset: Option<u32>,
    n: u64,
    coverage: Option<f64>,
}

/// Columns in the order of the row's fields.
const TREND: &str = "analysis_id, created_at, code_version, position, metric, direction, change_percent, p_value, \
    significance, method, change_lower, change_upper, slope_per_day, slope_lower, slope_upper, slope_p_value, since, days, onset, \
    n, coverage";

/// Records which way metrics go. `now` as in [`super::put_results`].
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn put_trends(
    client: &Client,
    analysis: &Analysis,
    trends: &[MetricTrend],
    now: Timestamp,
) -> Result<(), WarehouseError> {
    let row = |(position, it): (usize, &MetricTrend)| trend_row(analysis, now.as_millisecond(), position, it);
    insert(client, "trends", trends.iter().enumerate().map(row).collect()).await
}

/// The trends a run found, in the order of the catalogue; nothing unless it succeeded.
///
/// # Errors
/// Any [`QueryError`].
pub async fn trends(client: &Client, analysis: &Analysis) -> Result<Vec<MetricTrend>, QueryError> {
    let rows: Vec<TrendRow> = results(client, analysis, "trends", TREND, "position").await?;
    rows.into_iter().map(read_trend).collect()
}

fn trend_row(analysis: &Analysis, created_at: i64, position: usize, it: &MetricTrend) -> TrendRow {
    let trend = &it.trend;
    let second = |at: i64| u32::try_from(at).ok();
    TrendRow {
        analysis_id: analysis.analysis_id.clone(),
        created_at,
        code_version: analysis.code_version.clone(),
        position: u32::try_from(position).unwrap_or(u32::MAX),
        metric: it.metric.clone(),
        direction: trend.direction.as_str().to_owned(),
        change_percent: trend.change_percent,
        p_value: trend.p_value,
        significance: trend.significance.map_or("", Significance::as_str).to_owned(),
        method: trend.method.clone(),
        change_lower: trend.change_interval.map(|it| it.0),
        change_upper: trend.change_interval.map(|it| it.1),
        slope_per_day: trend.slope.map(|it| it.per_day),
        slope_lower: trend.slope.map(|it| it.interval.0),
        slope_upper: trend.slope.map(|it| it.interval.1),
        slope_p_value: trend.slope.map(|it| it.p_value),
        since: trend.slope.and_then(|it| second(it.since)),
        days: trend
            .slope
            .map_or(0, |it| u32::try_from(it.days).unwrap_or(u32::MAX)),
        onset: trend.onset.and_then(second),
        n: trend.n as u64,
        coverage: trend.coverage,
    }
}

fn read_trend(row: TrendRow) -> Result<MetricTrend, QueryError> {
    let unreadable = |what: &str| QueryError::Unreadable(format!("{what} of the trend of {}", row.metric));
    let direction = Direction::parse(&row.direction).ok_or_else(|| unreadable("the direction"))?;
    let slope = row.slope_per_day.zip(row.slope_lower.zip(row.slope_upper));
    let slope = slope.zip(row.slope_p_value.zip(row.since));
    Ok(MetricTrend {
        trend: Trend {
            direction,
            change_percent: row.change_percent,
            change_interval: row.change_lower.zip(row.change_upper),
            p_value: row.p_value,
            significance: Significance::parse(&row.significance),
            method: row.method,
            slope: slope.map(|((per_day, interval), (p_value, since))| Slope {
                per_day,
                interval,
                p_value,
                since: since.into(),
                days: row.days as usize,
            }),
            onset: row.onset.map(i64::from),
            n: row.n as f64,
            coverage: row.coverage,
        },
        metric: row.metric,
    })
}
