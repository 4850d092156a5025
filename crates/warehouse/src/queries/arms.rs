//! The decisions of an experiment, by the arm that chance dealt them, day by day.

use clickhouse::Row;
use clickhouse::query::Query;
use kaizen_catalogue::{BUILT_IN_DIMENSIONS, Component, Condition, Expression, Measure, Metric};
use serde::Deserialize;

use super::decisions::column;
use super::scope::check_filters;
use super::{Filter, QueryError, Window};
use crate::client::Client;

/// What is asked of an experiment.
#[derive(Debug, Clone)]
pub struct ArmsQuery<'a> {
    /// Component of the decisions.
    pub component: &'a Component,
    /// What is compared: a share or mean of decisions.
    pub metric: &'a Metric,
    /// Timestamps of the decisions.
    pub window: Window,
    /// Filters, all of which must hold.
    pub filters: Vec<Filter>,
    /// `allocation.experiment` of the decisions.
    pub experiment: &'a str,
    /// `allocation.arm` that has the change.
    pub arm: &'a str,
}

/// The values of one arm on one day.
#[derive(Debug, Clone, Copy, PartialEq, Row, Deserialize)]
pub struct ArmDay {
    /// First second of the day in UTC.
    pub day: u32,
    /// Whether the arm has the change.
    pub has_change: bool,
    /// How many values.
    pub n: u64,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub sum_squares: f64,
    /// Of how many the metric's covariate is known; none where it has no covariate.
    pub known: u64,
    /// The sum of the covariate.
    pub known_sum: f64,
    /// The sum of its squares.
    pub known_sum_squares: f64,
    /// The sum of its products with the values.
    pub known_products: f64,
    /// The sum of the values that it is known of.
    pub known_values: f64,
}

/// The values of an experiment's decisions by day and whether they have the change, beside the metric's covariate if it has one,
/// read from the decisions themselves.
/// `None` for a metric that is no mean or share of single decisions.
///
/// # Errors
/// [`QueryError::Invalid`] for a wrong filter; otherwise ClickHouse's.
pub async fn arms(client: &Client, query: &ArmsQuery<'_>) -> Result<Option<Vec<ArmDay>>, QueryError> {
    check_filters(Some(query.component), &query.filters)?;
    let Some((value, is_there, binds)) = value(&query.metric.expression) else {
        return Ok(None);
    };
    let (covariate, is_known) = match query.metric.covariate {
        Some(_) => ("measures[?]", "mapContains(measures, ?)"),
        None => ("0", "false"),
    };
    let mut sql = format!(
        "SELECT toUnixTimestamp(toStartOfDay(timestamp, 'UTC')) AS day, toBool(arm = ?) AS has_change, count() AS n, \
         sum(value) AS sum, sum(value * value) AS sum_squares, countIf(is_known) AS known, \
         sumIf(covariate, is_known) AS known_sum, sumIf(covariate * covariate, is_known) AS known_sum_squares, \
         sumIf(covariate * value, is_known) AS known_products, sumIf(value, is_known) AS known_values \
         FROM (SELECT timestamp, toString(arm) AS arm, toFloat64({value}) AS value, toFloat64({covariate}) AS covariate, \
         {is_known} AS is_known FROM decisions WHERE log_type = ? AND experiment = ? AND arm != '' \
         AND timestamp >= toDateTime(?, 'UTC') AND timestamp < toDateTime(?, 'UTC') AND {is_there}"
    );
    for filter in &query.filters {
        sql += &format!(" AND {} IN ?", column(&filter.dimension));
    }
    sql += ") GROUP BY day, has_change ORDER BY day, has_change";
    Ok(Some(client.rows(bind(client.query(&sql), query, &binds)).await?))
}

fn bind(sql: Query, query: &ArmsQuery<'_>, (value, is_there): &(Vec<String>, Vec<String>)) -> Query {
    let [start, end] = query.window.bounds();
    let mut sql = sql.bind(query.arm);
    for text in value {
        sql = sql.bind(text);
    }
    if let Some(covariate) = &query.metric.covariate {
        sql = sql.bind(covariate).bind(covariate);
    }
    sql = sql
        .bind(&query.component.log_type)
        .bind(query.experiment)
        .bind(start)
        .bind(end);
    for text in is_there {
        sql = sql.bind(text);
    }
    for filter in &query.filters {
        if !BUILT_IN_DIMENSIONS.contains(&filter.dimension.as_str()) {
            sql = sql.bind(&filter.dimension);
        }
        sql = sql.bind(&filter.values);
    }
    sql
}

pub(super) type Binds = (Vec<String>, Vec<String>);

/// SQL of a decision's value and of whether it has one, and the strings that their `?` stand for.
pub(super) fn value(expression: &Expression) -> Option<(String, String, Binds)> {
    let plain = |value: &str, is_there: &str| Some((value.to_owned(), is_there.to_owned(), Binds::default()));
    match expression {
        Expression::Share(Condition::Success) => plain("success", "true"),
        Expression::Share(Condition::Failure) => plain("NOT success", "true"),
        Expression::Share(Condition::SuccessIndicator) => {
            plain("ifNull(success_indicator, false)", "isNotNull(success_indicator)")
        }
        Expression::Share(Condition::Dimension { dimension, value }) => {
            let column = column(dimension);
            let name = column.contains('?').then(|| dimension.clone());
            let binds = name.into_iter().chain([value.clone()]).collect();
            Some((format!("{column} = ?"), "true".to_owned(), (binds, Vec::new())))
        }
        Expression::Mean(Measure::ProcessingTime) => {
            plain("ifNull(processing_time, 0)", "isNotNull(processing_time)")
        }
        Expression::Mean(Measure::QualityScore) => {
            plain("ifNull(quality_score, 0)", "isNotNull(quality_score)")
        }
        Expression::Mean(Measure::Declared(name)) => Some((
            "measures[?]".to_owned(),
            "mapContains(measures, ?)".to_owned(),
            (vec![name.clone()], vec![name.clone()]),
        )),
        Expression::Count
        | Expression::Sum(_)
        | Expression::Quantile(..)
        | Expression::Distinct(_)
        | Expression::OutcomeCount(_)
        | Expression::OutcomeRate(_)
        | Expression::OutcomeValue(..) => None,
    }
}
