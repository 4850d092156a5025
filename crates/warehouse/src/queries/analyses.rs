//! What analyses found: written by `analysis`, read by `reporting`.

use clickhouse::{Row, RowOwned, RowRead, RowWrite};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::window::seconds;
use super::{Cancellation, Interval, QueryError, Value, Window};
use crate::client::{Client, WarehouseError, within_time};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnalysisState {
    /// Under way, or ended without a word.
    Running,
    /// Ended, results are complete.
    Succeeded,
    /// Ended without results.
    Failed,
    /// Somebody ended it; it has no results.
    Cancelled,
}

impl AnalysisState {
    const ALL: [Self; 4] = [Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One run of the analysis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis {
    /// Its identity.
    pub analysis_id: String,
    /// The caller's identity of the request.
    pub request_id: String,
    /// Period analysed.
    pub period: Window,
    /// Period before.
    pub previous: Window,
    /// IANA time zone of the period.
    pub time_zone: String,
    /// Where it stands.
    pub state: AnalysisState,
    /// When it was created, to the millisecond.
    pub created_at: Timestamp,
    /// Version of the code that ran.
    pub code_version: String,
    /// Why it failed.
    pub error: String,
    /// Decisions in the period.
    pub decisions: u64,
    /// Records rejected in the period, by their Kafka time.
    pub rejections: u64,
    /// Which attempt at it this is, from 1: another process goes on with what one could not end.
    pub attempt: u32,
    /// The first attempt since somebody last asked for it.
    pub first_attempt: u32,
    /// When the attempt began, to the millisecond, later than any attempt before: its results carry this time. `None` of runs
    /// recorded before attempts were counted.
    pub results_at: Option<Timestamp>,
    /// Who ended it, when it was cancelled.
    pub cancellation: Option<Cancellation>,
}

/// A metric in an analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricPoint {
    /// `COMPONENT.METRIC`.
    pub metric: String,
    /// Value of the split dimension; empty for the whole.
    pub group: String,
    /// Value over the period.
    pub value: Value,
    /// Value over the period before.
    pub previous: Value,
}

#[derive(Row, Serialize, Deserialize)]
struct AnalysisRow {
    analysis_id: String,
    request_id: String,
    period_start: u32,
    period_end: u32,
    previous_start: u32,
    previous_end: u32,
    time_zone: String,
    state: String,
    created_at: i64,
    updated_at: i64,
    code_version: String,
    error: String,
    decisions: u64,
    rejections: u64,
    attempt: u32,
    first_attempt: u32,
    results_at: i64,
    cancelled_at: i64,
    cancelled_by: String,
    cancel_reason: String,
}

#[derive(Row, Serialize, Deserialize)]
struct PointRow {
    analysis_id: String,
    created_at: i64,
    code_version: String,
    position: u32,
    metric: String,
    group: String,
    start: u32,
    end: u32,
    value: Option<f64>,
    n: u64,
    coverage: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    thin: bool,
}

/// Columns in the order of the rows' fields.
const ANALYSIS: &str = "analysis_id, request_id, period_start, period_end, previous_start, previous_end, time_zone, state, \
    created_at, updated_at, code_version, error, decisions, rejections, attempt, first_attempt, results_at, \
    cancelled_at, cancelled_by, cancel_reason";
const POINT: &str = "analysis_id, created_at, code_version, position, metric, group, start, end, value, n, coverage, lower, \
    upper, thin";

/// Records where a run stands; `now` orders records of the same run. Asks nobody: see [`super::put_attempt`].
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn put_analysis(
    client: &Client,
    analysis: &Analysis,
    now: Timestamp,
) -> Result<(), WarehouseError> {
    let row = AnalysisRow {
        analysis_id: analysis.analysis_id.clone(),
        request_id: analysis.request_id.clone(),
        period_start: seconds(analysis.period.start()),
        period_end: seconds(analysis.period.end()),
        previous_start: seconds(analysis.previous.start()),
        previous_end: seconds(analysis.previous.end()),
        time_zone: analysis.time_zone.clone(),
        state: analysis.state.as_str().to_owned(),
        created_at: analysis.created_at.as_millisecond(),
        updated_at: now.as_microsecond(),
        code_version: analysis.code_version.clone(),
        error: analysis.error.clone(),
        decisions: analysis.decisions,
        rejections: analysis.rejections,
        attempt: analysis.attempt,
        first_attempt: analysis.first_attempt,
        results_at: analysis.results_at.map_or(0, Timestamp::as_millisecond),
        cancelled_at: (analysis.cancellation.as_ref()).map_or(0, |it| it.at.as_millisecond()),
        cancelled_by: (analysis.cancellation.as_ref()).map_or_else(String::new, |it| it.actor.clone()),
        cancel_reason: (analysis.cancellation.as_ref()).map_or_else(String::new, |it| it.reason.clone()),
    };
    insert(client, "analyses", vec![row]).await
}

/// Records what a run found. `now`, to the millisecond, tells these results from those of an earlier attempt at the
/// same run: only those of [`Analysis::results_at`] are read.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn put_results(
    client: &Client,
    analysis: &Analysis,
    points: &[MetricPoint],
    now: Timestamp,
) -> Result<(), WarehouseError> {
    let created_at = now.as_millisecond();
    let point = |position: usize, point: &MetricPoint, window: Window, value: Value| PointRow {
        analysis_id: analysis.analysis_id.clone(),
        created_at,
        code_version: analysis.code_version.clone(),
        position: u32::try_from(position).unwrap_or(u32::MAX),
        metric: point.metric.clone(),
        group: point.group.clone(),
        start: seconds(window.start()),
        end: seconds(window.end()),
        value: value.value,
        n: value.n,
        coverage: value.coverage,
        lower: value.interval.map(|interval| interval.lower),
        upper: value.interval.map(|interval| interval.upper),
        thin: value.thin,
    };
    let rows = points.iter().enumerate().flat_map(|(position, it)| {
        [
            point(position, it, analysis.period, it.value),
            point(position, it, analysis.previous, it.previous),
        ]
    });
    insert(client, "metric_points", rows.collect()).await
}

pub(super) async fn insert<T>(client: &Client, table: &str, rows: Vec<T>) -> Result<(), WarehouseError>
where
    T: RowOwned + RowWrite,
{
    within_time(async {
        let mut insert = client.inner().insert::<T>(table).await?;
        for row in rows {
            insert.write(&row).await?;
        }
        insert.end().await
    })
    .await
}

/// One run; `None` when there is none with that id.
///
/// # Errors
/// Any [`QueryError`].
pub async fn analysis(client: &Client, analysis_id: &str) -> Result<Option<Analysis>, QueryError> {
    let sql = format!("SELECT {ANALYSIS} FROM analyses FINAL WHERE analysis_id = ?");
    let row: Option<AnalysisRow> = client.row(client.query(&sql).bind(analysis_id)).await?;
    row.map(read).transpose()
}

/// The latest run that succeeded, if any.
///
/// # Errors
/// Any [`QueryError`].
pub async fn latest_succeeded(client: &Client) -> Result<Option<Analysis>, QueryError> {
    let sql = format!(
        "SELECT {ANALYSIS} FROM analyses FINAL WHERE state = ? ORDER BY period_end DESC, created_at DESC, analysis_id LIMIT 1"
    );
    let query = client.query(&sql).bind(AnalysisState::Succeeded.as_str());
    let row: Option<AnalysisRow> = client.row(query).await?;
    row.map(read).transpose()
}

/// Runs that began and have no end on record, oldest first.
///
/// # Errors
/// Any [`QueryError`].
pub async fn unended(client: &Client) -> Result<Vec<Analysis>, QueryError> {
    let sql =
        format!("SELECT {ANALYSIS} FROM analyses FINAL WHERE state = ? ORDER BY created_at, analysis_id");
    let query = client.query(&sql).bind(AnalysisState::Running.as_str());
    let rows: Vec<AnalysisRow> = client.rows(query).await?;
    rows.into_iter().map(read).collect()
}

/// Where a page of [`analyses`] ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalysisCursor {
    /// When the last run of the page was created.
    pub created_at: Timestamp,
    /// Its identity.
    pub analysis_id: String,
}

/// Runs, newest first, at most `limit`, those after the cursor.
///
/// # Errors
/// Any [`QueryError`].
pub async fn analyses(
    client: &Client,
    limit: u32,
    after: Option<&AnalysisCursor>,
) -> Result<Vec<Analysis>, QueryError> {
    let sql = format!(
        "SELECT {ANALYSIS} FROM analyses FINAL \
         WHERE ? OR (created_at, analysis_id) < (fromUnixTimestamp64Milli(?, 'UTC'), ?) \
         ORDER BY created_at DESC, analysis_id DESC LIMIT ?"
    );
    let (created_at, id) = after.map_or((0, ""), |it| {
        (it.created_at.as_millisecond(), it.analysis_id.as_str())
    });
    let query = client
        .query(&sql)
        .bind(after.is_none())
        .bind(created_at)
        .bind(id)
        .bind(limit);
    let rows: Vec<AnalysisRow> = client.rows(query).await?;
    rows.into_iter().map(read).collect()
}

/// What a run found of each metric, in the order of the catalogue; nothing unless it succeeded.
///
/// # Errors
/// Any [`QueryError`].
pub async fn points(client: &Client, analysis: &Analysis) -> Result<Vec<MetricPoint>, QueryError> {
    let rows: Vec<PointRow> =
        results(client, analysis, "metric_points", POINT, "position, start DESC").await?;
    let mut points: Vec<MetricPoint> = Vec::with_capacity(rows.len() / 2);
    let mut last = None;
    for row in rows {
        let value = Value {
            value: row.value,
            n: row.n,
            coverage: row.coverage,
            interval: row
                .lower
                .zip(row.upper)
                .map(|(lower, upper)| Interval { lower, upper }),
            thin: row.thin,
        };
        // The period comes first, the one before it second.
        match points.last_mut() {
            Some(point) if last == Some(row.position) => point.previous = value,
            _ => points.push(MetricPoint {
                metric: row.metric,
                group: row.group,
                value,
                previous: Value::default(),
            }),
        }
        last = Some(row.position);
    }
    Ok(points)
}

/// Rows of the attempt at a run that succeeded. They were inserted as one block a table, so all of them are there; each
/// attempt has metric points, and not each has the others.
pub(super) async fn results<T: RowOwned + RowRead>(
    client: &Client,
    analysis: &Analysis,
    table: &str,
    columns: &str,
    order: &str,
) -> Result<Vec<T>, QueryError> {
    if analysis.state != AnalysisState::Succeeded {
        return Ok(Vec::new());
    }
    let at = match analysis.results_at {
        Some(_) => "fromUnixTimestamp64Milli(?, 'UTC')",
        None => "(SELECT max(created_at) FROM metric_points WHERE analysis_id = ?)",
    };
    let sql = format!(
        "SELECT {columns} FROM {table} FINAL WHERE analysis_id = ? AND created_at = {at} ORDER BY {order}"
    );
    let query = client.query(&sql).bind(&analysis.analysis_id);
    let query = match analysis.results_at {
        Some(at) => query.bind(at.as_millisecond()),
        None => query.bind(&analysis.analysis_id),
    };
    Ok(client.rows(query).await?)
}

fn read(row: AnalysisRow) -> Result<Analysis, QueryError> {
    let state = AnalysisState::ALL
        .into_iter()
        .find(|state| state.as_str() == row.state);
    let time = |second: u32| Timestamp::from_second(second.into());
    let window = |start, end| Some(Window::unbounded(time(start).ok()?, time(end).ok()?));
    let unreadable = || QueryError::Unreadable(format!("analysis {}", row.analysis_id));
    Ok(Analysis {
        period: window(row.period_start, row.period_end).ok_or_else(unreadable)?,
        previous: window(row.previous_start, row.previous_end).ok_or_else(unreadable)?,
        state: state.ok_or_else(unreadable)?,
        created_at: Timestamp::from_millisecond(row.created_at).map_err(|_| unreadable())?,
        results_at: stated(row.results_at).map_err(|_| unreadable())?,
        cancellation: stated(row.cancelled_at)
            .map_err(|_| unreadable())?
            .map(|at| Cancellation {
                at,
                actor: row.cancelled_by,
                reason: row.cancel_reason,
            }),
        attempt: row.attempt,
        first_attempt: row.first_attempt,
        analysis_id: row.analysis_id,
        request_id: row.request_id,
        time_zone: row.time_zone,
        code_version: row.code_version,
        error: row.error,
        decisions: row.decisions,
        rejections: row.rejections,
    })
}

/// A time that is 1970 where there is none.
fn stated(milliseconds: i64) -> Result<Option<Timestamp>, jiff::Error> {
    match milliseconds {
        0 => Ok(None),
        _ => Timestamp::from_millisecond(milliseconds).map(Some),
    }
}
