//! The sums a metric is computed from, per group and span, by one query over the rollup; and one over outcomes, for a
//! metric of those.

use std::collections::HashMap;

use clickhouse::Row;
use jiff::Timestamp;
use kaizen_catalogue::{Condition, Expression, Measure};
use serde::Deserialize;

use super::{Grouping, MetricQuery, OTHER, outcomes};
use crate::queries::QueryError;
use crate::queries::estimate::{Sums, Z95};
use crate::queries::hours::Hours;
use crate::queries::scope::{Listed, Scope, Split, bind_dimension, dimension_sql};
use crate::queries::window::seconds;

/// Sums by group and first instant of the span.
pub(super) type ByGroup = HashMap<String, HashMap<Timestamp, Sums>>;

#[derive(Row, Deserialize)]
struct SumsRow {
    group: String,
    bucket: u32,
    n: u64,
    hits: u64,
    sum: f64,
    sum_squares: f64,
    quantile: f64,
    lower: f64,
    upper: f64,
    has_interval: bool,
}

#[derive(Row, Deserialize)]
struct GroupRow {
    group: String,
}

#[derive(Row, Deserialize)]
struct ValueRow {
    place: u32,
    value: String,
}

/// SQL of each sum, and the strings its `?` stand for in their order.
pub(super) struct Columns {
    pub(super) n: &'static str,
    pub(super) hits: String,
    pub(super) sum: &'static str,
    pub(super) sum_squares: &'static str,
    /// Level of the quantile, if there is one.
    quantile: Option<f64>,
    pub(super) binds: Vec<String>,
    /// Whether they are the sums of the metric's own expression.
    are_own: bool,
}

impl Columns {
    pub(super) fn of(expression: &Expression) -> Self {
        let (n, hits) = match expression {
            Expression::Share(condition) => share(condition),
            Expression::Distinct(dimension) => {
                let value = dimension_sql(dimension);
                (
                    "sum(decisions)",
                    format!("uniqExactIf({value}, {value} != '' AND decisions > 0)"),
                )
            }
            Expression::Count
            | Expression::OutcomeCount(_)
            | Expression::OutcomeRate(_)
            | Expression::OutcomeValue(..) => ("sum(decisions)", "toUInt64(0)".to_owned()),
            Expression::Sum(m) | Expression::Mean(m) | Expression::Quantile(m, _) => {
                (count(m), "toUInt64(0)".to_owned())
            }
        };
        let (sum, sum_squares) = match expression {
            Expression::Sum(measure) | Expression::Mean(measure) => moments(measure),
            _ => ("toFloat64(0)", "toFloat64(0)"),
        };
        Self {
            n,
            hits,
            sum,
            sum_squares,
            quantile: match expression {
                Expression::Quantile(_, level) => Some(*level),
                _ => None,
            },
            binds: binds(expression),
            are_own: true,
        }
    }

    /// Decisions that have a processing time, and those of them that took longer than `seconds`.
    pub(super) fn slower_than(seconds: f64) -> Self {
        let nanoseconds = (seconds * 1e9).round() as u64;
        Self {
            n: "sum(processing_time_count)",
            hits: format!(
                "sum(arraySum(mapValues(mapFilter((time, n) -> time > {nanoseconds}, processing_times))))"
            ),
            sum: "toFloat64(0)",
            sum_squares: "toFloat64(0)",
            quantile: None,
            binds: Vec::new(),
            are_own: false,
        }
    }
}

fn count(measure: &Measure) -> &'static str {
    match measure {
        Measure::ProcessingTime => "sum(processing_time_count)",
        Measure::QualityScore => "sum(quality_count)",
        Measure::Declared(_) => "sum(measure_counts[?])",
    }
}

fn moments(measure: &Measure) -> (&'static str, &'static str) {
    match measure {
        Measure::ProcessingTime => (
            "toFloat64(sum(processing_time_sum))",
            "toFloat64(sum(processing_time_sum_squares))",
        ),
        Measure::QualityScore => (
            "toFloat64(sum(quality_sum))",
            "toFloat64(sum(quality_sum_squares))",
        ),
        Measure::Declared(_) => (
            "toFloat64(sum(measure_sums[?]))",
            "toFloat64(sum(measure_sum_squares[?]))",
        ),
    }
}

fn share(condition: &Condition) -> (&'static str, String) {
    match condition {
        Condition::Success => ("sum(decisions)", "sum(successes)".to_owned()),
        Condition::Failure => ("sum(decisions)", "sum(decisions - successes)".to_owned()),
        Condition::SuccessIndicator => ("sum(labelled)", "sum(positives)".to_owned()),
        Condition::Dimension { dimension, .. } => (
            "sum(decisions)",
            format!("sumIf(decisions, {} = ?)", dimension_sql(dimension)),
        ),
    }
}

/// The strings of [`Columns`], in the order of its fields.
fn binds(expression: &Expression) -> Vec<String> {
    match expression {
        Expression::Sum(Measure::Declared(name)) | Expression::Mean(Measure::Declared(name)) => {
            vec![name.clone(); 3]
        }
        Expression::Share(Condition::Dimension { dimension, value }) => {
            let name = dimension_sql(dimension).contains('?').then(|| dimension.clone());
            name.into_iter().chain([value.clone()]).collect()
        }
        Expression::Distinct(dimension) => {
            let places = dimension_sql(dimension).matches('?').count();
            vec![dimension.clone(); 2 * places]
        }
        _ => Vec::new(),
    }
}

/// The values of a dimension with the most decisions or, of shares of the whole, with the largest shares.
pub(super) async fn largest_groups(
    query: &MetricQuery<'_>,
    scope: &Scope<'_>,
    grouping: &Grouping,
) -> Result<Vec<String>, QueryError> {
    let columns = Columns::of(&query.metric.expression);
    let (size, binds) = if query.shares_the_whole() {
        (columns.hits, columns.binds)
    } else {
        ("sum(decisions)".to_owned(), Vec::new())
    };
    let sql = format!(
        "SELECT {} AS group, toUInt64({size}) AS size FROM rollup_hourly WHERE {} GROUP BY group \
         HAVING size > 0 AND group != ? ORDER BY size DESC, group LIMIT {}",
        dimension_sql(&grouping.dimension),
        scope.condition(),
        grouping.limit
    );
    let sql = format!("SELECT group FROM ({sql})");
    let mut bound = bind_dimension(scope.client.query(&sql), &grouping.dimension);
    for value in &binds {
        bound = bound.bind(value);
    }
    let rows: Vec<GroupRow> = scope.client.rows(scope.bind(bound).bind(OTHER)).await?;
    Ok(rows.into_iter().map(|row| row.group).collect())
}

/// Of each dimension the values with the most decisions, by one query.
pub(super) async fn frequent(
    scope: &Scope<'_>,
    dimensions: &[&str],
    limit: u32,
) -> Result<Vec<Vec<String>>, QueryError> {
    let mut frequent = vec![Vec::new(); dimensions.len()];
    if dimensions.is_empty() {
        return Ok(frequent);
    }
    let numbered = || dimensions.iter().enumerate();
    let values: Vec<String> = numbered()
        .map(|(at, it)| format!("{} AS value{at}", dimension_sql(it)))
        .collect();
    let sets: Vec<String> = numbered().map(|(at, _)| format!("(value{at})")).collect();
    // Of each set one value is of its dimension
    let place: Vec<String> = numbered()
        .map(|(at, _)| format!("(1 - grouping(value{at})) * {}", at + 1))
        .collect();
    let all: Vec<String> = numbered().map(|(at, _)| format!("value{at}")).collect();
    let sql = format!(
        "SELECT toUInt32({}) AS place, [{}][place] AS value FROM ( \
             SELECT {}, decisions FROM rollup_hourly WHERE {}) \
         GROUP BY GROUPING SETS ({}) HAVING toUInt64(sum(decisions)) > 0 AND value != ? \
         ORDER BY place, sum(decisions) DESC, value LIMIT {limit} BY place",
        place.join(" + "),
        all.join(", "),
        values.join(", "),
        scope.condition(),
        sets.join(", "),
    );
    let mut bound = scope.client.query(&sql);
    for dimension in dimensions {
        bound = bind_dimension(bound, dimension);
    }
    let rows: Vec<ValueRow> = scope.client.rows(scope.bind(bound).bind(OTHER)).await?;
    for row in rows {
        let values = frequent.get_mut((row.place as usize).saturating_sub(1));
        values
            .ok_or_else(|| QueryError::Unreadable("a dimension's value".to_owned()))?
            .push(row.value);
    }
    Ok(frequent)
}

/// Sums between each two `edges`, of each of `groups` and of the rest as [`OTHER`].
pub(super) async fn by_group(
    query: &MetricQuery<'_>,
    scope: &Scope<'_>,
    edges: &[Timestamp],
    groups: &[String],
) -> Result<ByGroup, QueryError> {
    let listed = query.group_by.as_ref().map(|grouping| Listed {
        dimension: &grouping.dimension,
        values: groups.to_vec(),
        other: OTHER,
    });
    let columns = &Columns::of(&query.metric.expression);
    let split = listed.as_ref().map_or(Split::None, Split::By);
    let mut sums = fetch(query, scope, edges, split, columns).await?;
    if query.shares_the_whole() {
        let whole = fetch(query, scope, edges, Split::None, columns).await?;
        let whole = whole.get("").cloned().unwrap_or_default();
        for group in groups.iter().map(String::as_str).chain([OTHER]) {
            let buckets = sums.entry(group.to_owned()).or_default();
            for (start, all) in &whole {
                buckets.entry(*start).or_default().n = all.n;
            }
        }
        // What has none of the named values is a rest only as far as it has hits
        if sums
            .get(OTHER)
            .is_some_and(|rest| rest.values().all(|sums| sums.hits == 0))
        {
            sums.remove(OTHER);
        }
    }
    Ok(sums)
}

/// Whether the whole of the expression's sums is that of their parts to the last bit: counts are. Sums of decimals have been
/// rounded, and quantiles and different values are no sums.
pub(super) const fn add_up(expression: &Expression) -> bool {
    matches!(
        expression,
        Expression::Count | Expression::Share(_) | Expression::OutcomeCount(_) | Expression::OutcomeRate(_)
    )
}

/// The whole of sums that [`add_up`], as one span that begins at `start`.
pub(super) fn total(points: &ByGroup, start: Timestamp) -> ByGroup {
    let whole = |spans: &HashMap<Timestamp, Sums>| {
        let add = |all: Sums, it: &Sums| Sums {
            n: all.n.wrapping_add(it.n),
            hits: all.hits.wrapping_add(it.hits),
            ..all
        };
        HashMap::from([(start, spans.values().fold(Sums::default(), add))])
    };
    let groups = points.iter();
    groups
        .map(|(group, spans)| (group.clone(), whole(spans)))
        .collect()
}

/// The sums that the columns say, between each two `edges`.
pub(super) async fn fetch(
    query: &MetricQuery<'_>,
    scope: &Scope<'_>,
    edges: &[Timestamp],
    split: Split<'_>,
    columns: &Columns,
) -> Result<ByGroup, QueryError> {
    let Some(window) = outcomes::told(query, scope).await? else {
        return Ok(ByGroup::new());
    };
    let scope = &Scope { window, ..*scope };
    let starts: Vec<u32> = edges
        .iter()
        .take(edges.len().saturating_sub(1))
        .copied()
        .map(seconds)
        .collect();
    let known = query.hours.filter(|hours| {
        matches!(split, Split::None)
            && scope.filters.is_empty()
            && columns.are_own
            && hours.hold(&query.metric.expression, scope.window)
    });
    let mut sums = match known {
        Some(hours) => hours_of(query, scope, edges, hours),
        None => ask(scope, &starts, split, columns).await?,
    };
    outcomes::add(query, scope, &starts, split, &mut sums).await?;
    Ok(sums)
}

fn hours_of(query: &MetricQuery<'_>, scope: &Scope<'_>, edges: &[Timestamp], hours: &Hours) -> ByGroup {
    let starts = edges.split_last().map_or(edges, |(_, starts)| starts);
    let sums = hours.sums(&query.metric.expression, scope.window, starts);
    ByGroup::from([(String::new(), sums.into_iter().collect())])
}

/// By one query over the rollup.
async fn ask(
    scope: &Scope<'_>,
    starts: &[u32],
    split: Split<'_>,
    columns: &Columns,
) -> Result<ByGroup, QueryError> {
    let hourly = starts.len() > 1 && starts.windows(2).all(|pair| pair[1] - pair[0] == HOUR);
    let sql = sums_sql(scope, split, columns, hourly);
    let mut bound = split.bind(scope.client.query(&sql));
    if !hourly {
        bound = bound.bind(starts);
    }
    for value in &columns.binds {
        bound = bound.bind(value);
    }
    let rows: Vec<SumsRow> = scope.client.rows(scope.bind(bound)).await?;
    let mut sums = ByGroup::new();
    for row in rows {
        let Ok(start) = Timestamp::from_second(row.bucket.into()) else {
            continue;
        };
        sums.entry(row.group.clone())
            .or_default()
            .insert(start, row.into());
    }
    Ok(sums)
}

/// Seconds of an hour, which the rollup counts by.
const HOUR: u32 = 3_600;

/// Points are found by rounding the hour down to the nearest of their first instants, which `jiff` computed: one
/// library knows the time zones. Of every hour they are the hours themselves.
fn sums_sql(scope: &Scope<'_>, split: Split<'_>, columns: &Columns, hourly: bool) -> String {
    let bucket = if hourly {
        "toUnixTimestamp(hour)"
    } else {
        "toUInt32(roundDown(toUnixTimestamp(hour), ?))"
    };
    let group = split.sql(dimension_sql);
    let quantile = columns.quantile.map_or(
        "toFloat64(0) AS quantile, toFloat64(0) AS lower, toFloat64(0) AS upper, false AS has_interval"
            .to_owned(),
        quantile_columns,
    );
    format!(
        "SELECT group, bucket, n, hits, sum, sum_squares, quantile, lower, upper, has_interval FROM ( \
         SELECT {group} AS group, {bucket} AS bucket, \
         toUInt64({}) AS n, toUInt64({}) AS hits, {} AS sum, {} AS sum_squares, {quantile} \
         FROM rollup_hourly WHERE {} GROUP BY group, bucket)",
        columns.n,
        columns.hits,
        columns.sum,
        columns.sum_squares,
        scope.condition()
    )
}

/// The value of rank ⌈nq⌉, and the ranks nq ± z√(nq(1−q)) rounded outwards, between which the quantile of the population
/// lies in 95 % of samples (W. J. Conover, Practical Nonparametric Statistics, 3rd ed., 1999, section 3.2).
fn quantile_columns(level: f64) -> String {
    let at =
        |rank: &str| format!("(times.1)[arrayFirstIndex(reached -> reached >= {rank}, cumulative)] / 1e9");
    let half = format!("{Z95} * sqrt(n * {level} * (1 - {level}))");
    format!(
        "arraySort(CAST(sumMap(processing_times), 'Array(Tuple(UInt64, UInt64))')) AS times, \
         arrayCumSum(times.2) AS cumulative, \
         floor(n * {level} - {half}) AS lower_rank, ceil(n * {level} + {half}) AS upper_rank, \
         {} AS quantile, {} AS lower, {} AS upper, lower_rank >= 1 AND upper_rank <= n AS has_interval",
        at(&format!("ceil(n * {level} - 1e-9)")),
        at("greatest(lower_rank, 1)"),
        at("least(upper_rank, toFloat64(n))"),
    )
}

impl From<SumsRow> for Sums {
    fn from(row: SumsRow) -> Self {
        Self {
            n: row.n,
            hits: row.hits,
            sum: row.sum,
            sum_squares: row.sum_squares,
            quantile: [row.quantile, row.lower, row.upper],
            quantile_has_interval: row.has_interval,
        }
    }
}
