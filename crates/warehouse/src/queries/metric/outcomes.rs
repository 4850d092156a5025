//! Outcomes, by the decisions they are attributed to.
//!
//! An outcome belongs to the last decision of the component in its session at or before it, whatever the filters, so that
//! the groups of a split add up to the whole; of several decisions at one instant, to the one whose record stands last. It
//! counts at its decision's time. Decisions are looked up in their table, which keeps them for 400 days; the number of them
//! that a value rests on comes from the rollup.

use clickhouse::Row;
use jiff::{SignedDuration, Timestamp};
use kaizen_catalogue::{Expression, Outcome};
use serde::Deserialize;

use super::MetricQuery;
use super::sums::ByGroup;
use crate::queries::decisions::column;
use crate::queries::estimate::Sums;
use crate::queries::scope::{Scope, Split, bind_dimension};
use crate::queries::{QueryError, Window};

const HOUR: i64 = 3_600;

#[derive(Row, Deserialize)]
struct OutcomesRow {
    group: String,
    bucket: u32,
    outcomes: u64,
    /// Different decisions among theirs.
    decisions: u64,
    value: f64,
}

/// How long after a decision its outcomes may come, when that is limited.
pub(super) fn horizon(query: &MetricQuery<'_>) -> Option<SignedDuration> {
    let horizon = query.metric.expression.outcome()?.horizon?;
    Some(SignedDuration::from_hours(horizon.hours().into()))
}

/// The part of a window whose decisions have had the time that the metric gives their outcomes; `None` if there is none.
fn ripe(query: &MetricQuery<'_>, window: Window) -> Option<Window> {
    let Some(horizon) = horizon(query) else {
        return Some(window);
    };
    let last = query.now.checked_sub(horizon).ok()?.as_second();
    let whole_hour = Timestamp::from_second(last.div_euclid(HOUR) * HOUR).ok()?;
    let end = window.end().min(whole_hour);
    (window.start() < end).then(|| Window::unbounded(window.start(), end))
}

#[derive(Row, Deserialize)]
struct First {
    outcomes: u64,
}

/// The part of a window that the metric has sums of: its decisions have had their time, and outcomes are told; `None` if there
/// is none.
pub(super) async fn told(query: &MetricQuery<'_>, scope: &Scope<'_>) -> Result<Option<Window>, QueryError> {
    let Some(window) = ripe(query, scope.window) else {
        return Ok(None);
    };
    let are_told = are_told(query, &Scope { window, ..*scope }).await?;
    Ok(are_told.then_some(window))
}

/// Whether any outcome of the metric is known from before the window's decisions had theirs. If not, nobody tells them yet,
/// and none is not the same as no outcome.
async fn are_told(query: &MetricQuery<'_>, scope: &Scope<'_>) -> Result<bool, QueryError> {
    let Some(outcome) = query.metric.expression.outcome() else {
        return Ok(true);
    };
    let before = outcome.horizon.map_or(u32::MAX, |horizon| {
        let [_, end] = scope.window.bounds();
        end.saturating_add(horizon.hours() * 3_600)
    });
    let sql = "SELECT toUInt64(count()) AS outcomes FROM ( \
               SELECT 1 FROM outcomes WHERE outcome = ? AND timestamp < toDateTime(?, 'UTC') LIMIT 1)";
    let first: Option<First> = (scope.client)
        .row(scope.client.query(sql).bind(&outcome.name).bind(before))
        .await?;
    Ok(first.is_some_and(|first| first.outcomes > 0))
}

/// What is counted of outcomes in a group and bucket.
pub(super) struct Counted {
    pub(super) group: String,
    /// First instant of the bucket, in seconds since 1970.
    pub(super) bucket: u32,
    /// Outcomes; of a rate, decisions that have any.
    pub(super) hits: u64,
    /// Sum of their values.
    pub(super) sum: f64,
}

/// Adds to the sums of decisions what is counted of their outcomes. `starts` are the first instants of the buckets.
pub(super) async fn add(
    query: &MetricQuery<'_>,
    scope: &Scope<'_>,
    starts: &[u32],
    split: Split<'_>,
    sums: &mut ByGroup,
) -> Result<(), QueryError> {
    for counted in count(query, scope, starts, split).await? {
        let Ok(start) = Timestamp::from_second(counted.bucket.into()) else {
            continue;
        };
        let at: &mut Sums = sums.entry(counted.group).or_default().entry(start).or_default();
        (at.hits, at.sum) = (counted.hits, counted.sum);
    }
    Ok(())
}

/// Counts the outcomes of the metric by group and bucket; `starts` are the first instants of the buckets. Nothing for a metric of
/// none.
pub(super) async fn count(
    query: &MetricQuery<'_>,
    scope: &Scope<'_>,
    starts: &[u32],
    split: Split<'_>,
) -> Result<Vec<Counted>, QueryError> {
    let expression = &query.metric.expression;
    let Some(outcome) = expression.outcome() else {
        return Ok(Vec::new());
    };
    let told = Told::of(expression, outcome, scope.window);
    let bound = scope.client.query(&sql(scope, &told, split)).bind(starts);
    let mut bound = split.bind(told.bind(bound));
    for filter in scope.filters {
        bound = bind_dimension(bound, &filter.dimension).bind(&filter.values);
    }
    bound = told.bind(bound.bind(&scope.component.log_type));
    let rows: Vec<OutcomesRow> = scope.client.rows(bound).await?;
    let rate = matches!(expression, Expression::OutcomeRate(_));
    let counted = |row: OutcomesRow| Counted {
        group: row.group,
        bucket: row.bucket,
        hits: if rate { row.decisions } else { row.outcomes },
        sum: row.value,
    };
    Ok(rows.into_iter().map(counted).collect())
}

/// The outcomes that may belong to a decision of the window.
struct Told<'a> {
    name: &'a str,
    /// Only values in this currency; empty for those that name none.
    currency: Option<&'a str>,
    /// Bounds of their time, and of the time of decisions that may take them.
    within: String,
    horizon: Option<u32>,
}

impl<'a> Told<'a> {
    fn of(expression: &'a Expression, outcome: &'a Outcome, window: Window) -> Self {
        let [start, end] = window.bounds();
        let horizon = outcome.horizon.map(kaizen_catalogue::Horizon::hours);
        let mut within = format!("timestamp >= toDateTime({start}, 'UTC')");
        if let Some(hours) = horizon {
            let last = end.saturating_add(hours * 3_600);
            within += &format!(" AND timestamp < toDateTime({last}, 'UTC')");
        }
        let currency = match expression {
            Expression::OutcomeValue(_, currency) => Some(currency.as_deref().unwrap_or_default()),
            _ => None,
        };
        Self {
            name: &outcome.name,
            currency,
            within,
            horizon,
        }
    }

    fn condition(&self) -> String {
        let valued = self
            .currency
            .map_or("", |_| " AND currency = ? AND isNotNull(value)");
        format!("outcome = ? AND {}{valued}", self.within)
    }

    fn bind(&self, query: clickhouse::query::Query) -> clickhouse::query::Query {
        let query = query.bind(self.name);
        match self.currency {
            Some(currency) => query.bind(currency),
            None => query,
        }
    }
}

/// Decisions and outcomes in one stream by session and time, through which each outcome gets the last decision before it, and
/// is the first of that decision where the row before it is one. Values are summed as decimals of six places, so that the
/// order of rows does not matter. Of decisions at one instant the one whose record stands last counts; where no group and no
/// filter tells them apart, whichever.
fn sql(scope: &Scope<'_>, told: &Told<'_>, split: Split<'_>) -> String {
    let (group, kind) = (split.sql(column), split.kind());
    let kept: Vec<String> = (scope.filters.iter())
        .map(|filter| format!("{} IN ?", column(&filter.dimension)))
        .collect();
    let kept = if kept.is_empty() {
        "true".to_owned()
    } else {
        kept.join(" AND ")
    };
    let are_alike = matches!(split, Split::None) && scope.filters.is_empty();
    let (places, no_places, order) = if are_alike {
        ("", "", "")
    } else {
        (
            ", toString(_topic) AS topic, _partition AS place, _offset AS stands",
            ", '' AS topic, toInt32(0) AS place, toInt64(0) AS stands",
            ", topic, place, stands",
        )
    };
    let [_, end] = scope.window.bounds();
    let in_time = told.horizon.map_or(String::new(), |hours| {
        format!(" AND happened <= decided + toIntervalHour({hours})")
    });
    let amount = match told.currency {
        Some(_) => "toDecimal128(printf('%.6f', ifNull(value, 0.)), 6)",
        None => "toDecimal128(0, 6)",
    };
    let (condition, within) = (told.condition(), &told.within);
    format!(
        "SELECT toString(assumeNotNull(of_group)) AS group, toUInt32(roundDown(toUnixTimestamp(assumeNotNull(decided)), ?)) AS bucket, \
             count() AS outcomes, countIf(is_first) AS decisions, toFloat64(sum(amount)) AS value \
         FROM ( \
             SELECT is_outcome, happened, amount, anyLast(own_time) OVER so_far AS decided, \
                 anyLast(own_group) OVER so_far AS of_group, anyLast(own_kept) OVER so_far AS is_kept, \
                 NOT lagInFrame(is_outcome, 1, true) OVER so_far AS is_first \
             FROM ( \
                 SELECT session_id, timestamp AS happened, true AS is_outcome, {amount} AS amount, \
                     CAST(NULL, 'Nullable(DateTime64(3, \\'UTC\\'))') AS own_time, CAST(NULL, 'Nullable({kind})') AS own_group, \
                     CAST(NULL, 'Nullable(Bool)') AS own_kept{no_places} \
                 FROM outcomes WHERE {condition} \
                 UNION ALL \
                 SELECT session_id, timestamp AS happened, false AS is_outcome, toDecimal128(0, 6) AS amount, \
                     toNullable(timestamp) AS own_time, CAST({group}, 'Nullable({kind})') AS own_group, \
                     CAST({kept}, 'Nullable(Bool)') AS own_kept{places} \
                 FROM decisions \
                 WHERE log_type = ? AND {within} \
                     AND session_id IN (SELECT session_id FROM outcomes WHERE {condition})) \
             WINDOW so_far AS (PARTITION BY session_id ORDER BY happened, is_outcome{order} \
                 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) \
         WHERE is_outcome AND isNotNull(decided) AND is_kept AND decided < toDateTime({end}, 'UTC'){in_time} \
         GROUP BY group, bucket"
    )
}
