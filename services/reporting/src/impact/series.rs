//! A metric on the days around a change.

use std::ops::Range;

use jiff::tz::TimeZone;
use kaizen_catalogue::{Component, Expression, Metric};
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{Filter, MetricQuery, QueryError, Split, Value, spans};

use super::measure::Days;

/// With a smaller share of the expected decisions, a day tells nothing of a mean or share.
const PRESENT: f64 = 0.5;
/// The same of a number, which is as much too low as decisions are missing.
const PRESENT_OF_COUNT: f64 = 0.9;

/// A metric day by day.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The group it is of; empty without a split.
    pub group: String,
    /// The days' values as they are.
    pub days: Vec<Value>,
    /// The values that are used; not a number where a day is left out.
    pub values: Vec<f64>,
    /// Why a day is left out; empty where it is not.
    pub left_out: Vec<&'static str>,
}

/// What is asked for.
pub struct Wanted<'a> {
    /// Component of the metric.
    pub component: &'a Component,
    /// The metric.
    pub metric: &'a Metric,
    /// The decisions it is of.
    pub filters: Vec<Filter>,
    /// How it is split.
    pub split: Split,
    /// The time it is.
    pub now: jiff::Timestamp,
}

/// Fetches the series of a metric: one, or one a group.
///
/// # Errors
/// Any [`QueryError`].
pub async fn fetch(client: &Client, wanted: &Wanted<'_>, days: &Days) -> Result<Vec<Series>, QueryError> {
    let Some(window) = days.course.window()? else {
        return Ok(Vec::new());
    };
    let query = MetricQuery {
        component: wanted.component,
        metric: wanted.metric,
        window,
        step: None,
        zone: TimeZone::UTC,
        filters: wanted.filters.clone(),
        group_by: None,
        compare_to: None,
        now: wanted.now,
        volume: days.volume.as_ref(),
        hours: None,
    };
    let (edges, places) = days.course.edges();
    let found = spans(client, &query, &edges, &wanted.split).await?;
    let least = if is_number(&wanted.metric.expression) {
        PRESENT_OF_COUNT
    } else {
        PRESENT
    };
    let series = found.into_iter().map(|spans| {
        let days: Vec<Value> = places.iter().map(|place| spans.values[*place]).collect();
        let left_out: Vec<&str> = days.iter().map(|day| why_left_out(day, least)).collect();
        let used = |(day, left_out): (&Value, &&str)| match day.value {
            Some(value) if left_out.is_empty() => value,
            _ => f64::NAN,
        };
        Series {
            group: spans.group,
            values: days.iter().zip(&left_out).map(used).collect(),
            days,
            left_out,
        }
    });
    Ok(series.collect())
}

fn why_left_out(day: &Value, least: f64) -> &'static str {
    if day.coverage.is_some_and(|coverage| coverage < least) {
        "too many of the expected decisions are missing"
    } else if day.value.is_none() {
        "no decision has a value"
    } else {
        ""
    }
}

impl Series {
    /// How much each day scatters for want of decisions in relation to the others, from the intervals of the days: a share of
    /// a half more than one near 1, for as many decisions. One number for each of the `sides`, which lie side by side and
    /// hold all days. `None` where days have no interval.
    pub fn scales(&self, sides: &[Range<usize>]) -> Option<Vec<f64>> {
        let mut scales = Vec::with_capacity(self.days.len());
        for side in sides.iter().filter(|side| !side.is_empty()) {
            let days = self
                .days
                .get(side.clone())?
                .iter()
                .zip(&self.left_out[side.clone()]);
            // Variance of one decision, from that of the day's mean
            let known = days.filter(|(_, why)| why.is_empty()).filter_map(|(day, _)| {
                let width = day.interval?.upper - day.interval?.lower;
                let n = day.n as f64;
                Some((n, n * width * width))
            });
            let (decisions, variance) = known.fold((0.0, 0.0), |(all, sum), (n, variance)| {
                (all + n, sum + n * variance)
            });
            let scale = (variance / decisions).sqrt();
            let usable = if scale > 0.0 && scale.is_finite() {
                scale
            } else {
                return None;
            };
            scales.extend(std::iter::repeat_n(usable, side.len()));
        }
        Some(scales)
    }

    /// Decisions that each day's value rests on.
    pub fn samples(&self) -> Vec<f64> {
        self.days.iter().map(|day| day.n as f64).collect()
    }
}

/// Whether a metric is a number or sum of the day rather than a mean over its decisions.
pub fn is_number(expression: &Expression) -> bool {
    match expression {
        Expression::Count
        | Expression::Sum(_)
        | Expression::Distinct(_)
        | Expression::OutcomeCount(_)
        | Expression::OutcomeValue(..) => true,
        Expression::Mean(_)
        | Expression::Quantile(..)
        | Expression::Share(_)
        | Expression::OutcomeRate(_) => false,
    }
}
