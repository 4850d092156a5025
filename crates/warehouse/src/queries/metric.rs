//! One metric over a window: whole, per step, per group, and beside another window.

mod cube;
mod outcomes;
mod spans;
mod sums;

pub use cube::{Compared, compare, cube, explained, explaining, is_explained};
pub use spans::{Spans, Split, spans};

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kaizen_catalogue::{Component, Metric, SplitDenominator};
use kaizen_findings::Coverage;

use super::coverage::{Volume, volume};
use super::estimate::{self, Sums, Value};
use super::hours::Hours;
use super::scope::{Filter, Scope, check_dimension, check_filters};
use super::window::is_whole;
use super::{QueryError, Step, Window};
use crate::client::Client;

/// Name of the group that sums up the values beyond the limit.
pub const OTHER: &str = "__other__";

/// A question about one metric.
#[derive(Debug, Clone)]
pub struct MetricQuery<'a> {
    /// Component of the metric.
    pub component: &'a Component,
    /// The metric.
    pub metric: &'a Metric,
    /// Window to compute over.
    pub window: Window,
    /// Length of one point; `None` for the whole window only.
    pub step: Option<Step>,
    /// Zone of days, weeks and months.
    pub zone: TimeZone,
    /// Filters, all of which must hold; at most [`super::MAX_FILTERS`].
    pub filters: Vec<Filter>,
    /// Dimension to split by.
    pub group_by: Option<Grouping>,
    /// What to compare with.
    pub compare_to: Option<Comparison>,
    /// The time it is: what ends later is incomplete, and not expected yet.
    pub now: Timestamp,
    /// What coverage is computed from, where it is known already; asked for where it is not, or does not hold the windows.
    pub volume: Option<&'a Volume>,
    /// The component's sums by the hour, where they are known already; asked for where they are not, or do not tell the metric.
    pub hours: Option<&'a Hours>,
}

/// A split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// Name of a dimension of the component.
    pub dimension: String,
    /// Values to return, largest first, 1 to 100; the rest is summed up as [`OTHER`].
    pub limit: u32,
}

/// What a window is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The window before, see [`Window::previous`].
    Previous,
    /// A window of the caller's choice.
    Window(Window),
}

/// A metric's values.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricAnswer {
    /// The window it is compared with, when one was asked for.
    pub comparison_window: Option<Window>,
    /// One series a group, largest first; exactly one, with an empty group, without a split.
    pub series: Vec<Series>,
}

/// One group's values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// Value of the dimension; empty without a split and for decisions that have none, [`OTHER`] for the rest.
    pub group: String,
    /// Value over the whole window, computed from its sums and never from the points.
    pub total: Value,
    /// Points in time order, gaps included; empty without a step.
    pub points: Vec<Point>,
    /// Value over the comparison window.
    pub previous_total: Option<Value>,
    /// Points of the comparison window.
    pub previous_points: Vec<Point>,
}

impl Series {
    /// `total − previous_total`; `None` when either is absent.
    pub fn change(&self) -> Option<f64> {
        Some(self.total.value? - self.previous_total?.value?)
    }

    /// `change ÷ previous_total`; `None` when there is no change or it divides by zero.
    pub fn relative_change(&self) -> Option<f64> {
        let previous = self.previous_total?.value?;
        if previous == 0.0 {
            None
        } else {
            Some(self.change()? / previous)
        }
    }
}

/// A value over one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// First instant.
    pub start: Timestamp,
    /// First instant after, cut at the end of the window.
    pub end: Timestamp,
    /// Value over the span.
    pub value: Value,
    /// Whether the span is cut by the window, had not ended by now, or has decisions whose outcomes may still come.
    pub incomplete: bool,
}

/// Computes a metric.
///
/// # Errors
/// [`QueryError::Invalid`] for a wrong filter, dimension, limit, zone or too many points; otherwise ClickHouse's.
pub async fn metric(client: &Client, query: &MetricQuery<'_>) -> Result<MetricAnswer, QueryError> {
    check(query)?;
    let groups = match &query.group_by {
        None => vec![String::new()],
        Some(grouping) => sums::largest_groups(query, &query.scope(client, query.window), grouping).await?,
    };
    let comparison_window = match query.compare_to {
        None => None,
        Some(Comparison::Previous) => Some(query.window.previous(query.step, &query.zone)?),
        Some(Comparison::Window(window)) => Some(window),
    };
    let all = comparison_window.map_or(query.window, |other| query.window.with(other));
    let volume = query.volume_of(client, all).await?;
    let current = values(client, query, query.window, &groups, &volume).await?;
    let mut series: Vec<Series> = current
        .into_iter()
        .map(|(group, total, points)| Series {
            group,
            total,
            points,
            ..Series::default()
        })
        .collect();
    if let Some(window) = comparison_window {
        let previous = values(client, query, window, &groups, &volume).await?;
        for (series, (_, total, points)) in series.iter_mut().zip(previous) {
            (series.previous_total, series.previous_points) = (Some(total), points);
        }
    }
    // The rest is a group only where there is one
    series.retain(|series| {
        series.group != OTHER || series.total.n > 0 || series.previous_total.is_some_and(|total| total.n > 0)
    });
    Ok(MetricAnswer {
        comparison_window,
        series,
    })
}

impl<'a> MetricQuery<'a> {
    fn scope(&'a self, client: &'a Client, window: Window) -> Scope<'a> {
        Scope {
            client,
            component: self.component,
            window,
            filters: &self.filters,
        }
    }

    /// What coverage in `window` is computed from.
    async fn volume_of(&self, client: &Client, window: Window) -> Result<Cow<'a, Volume>, QueryError> {
        match self.volume {
            Some(known) if known.holds(window) => Ok(Cow::Borrowed(known)),
            _ => volume(client, self.component, window).await.map(Cow::Owned),
        }
    }

    /// Whether groups are shares of the whole rather than of themselves.
    fn shares_the_whole(&self) -> bool {
        self.metric.split_denominator == SplitDenominator::All
            && self.group_by.as_ref().map(|grouping| &grouping.dimension) == self.metric.split_by.as_ref()
    }
}

fn check(query: &MetricQuery<'_>) -> Result<(), QueryError> {
    check_filters(Some(query.component), &query.filters)?;
    if let Some(grouping) = &query.group_by {
        let known: Vec<&str> = query.component.dimension_names().collect();
        check_dimension("group_by", &grouping.dimension, &known)?;
        if !(1..=100).contains(&grouping.limit) {
            return Err(QueryError::invalid(
                "group_limit",
                format!("is {}, must be 1 to 100", grouping.limit),
            ));
        }
    }
    Ok(())
}

type GroupValues = (String, Value, Vec<Point>);

/// Total and points of each group in one window, in the order of `groups`, the rest last.
async fn values(
    client: &Client,
    query: &MetricQuery<'_>,
    window: Window,
    groups: &[String],
    volume: &Volume,
) -> Result<Vec<GroupValues>, QueryError> {
    let scope = query.scope(client, window);
    let coverage = volume.coverage(window, query.now);
    let whole = [window.start(), window.end()];
    let (edges, points) = match query.step {
        None => (Vec::new(), None),
        Some(step) => {
            let edges = window.edges(step, &query.zone)?;
            let points = sums::by_group(query, &scope, &edges, groups).await?;
            (edges, Some(points))
        }
    };
    let totals = match &points {
        Some(points) if sums::add_up(&query.metric.expression) => sums::total(points, window.start()),
        _ => sums::by_group(query, &scope, &whole, groups).await?,
    };
    let points = points.unwrap_or_default();
    let mut names = groups.to_vec();
    if query.group_by.is_some() {
        names.push(OTHER.to_owned());
    }
    let value_at = |sums: &sums::ByGroup, group: &str, start: Timestamp, end: Timestamp| {
        let sums = sums
            .get(group)
            .and_then(|buckets| buckets.get(&start))
            .copied()
            .unwrap_or_default();
        with_coverage(query, sums, &coverage, start, end)
    };
    // What ends before has had its time: for a metric of outcomes, until their horizon has passed.
    let over =
        outcomes::horizon(query).map_or(Some(query.now), |horizon| query.now.checked_sub(horizon).ok());
    let all = names.into_iter().map(|group| {
        let total = value_at(&totals, &group, window.start(), window.end());
        let points = edges
            .windows(2)
            .map(|edge| {
                let (start, end) = (edge[0], edge[1]);
                Ok(Point {
                    start,
                    end,
                    value: value_at(&points, &group, start, end),
                    incomplete: over.is_none_or(|over| end > over)
                        || !is_whole(start, end, query.step.unwrap_or(Step::Hour), &query.zone)?,
                })
            })
            .collect::<Result<_, QueryError>>()?;
        Ok((group, total, points))
    });
    all.collect()
}

fn with_coverage(
    query: &MetricQuery<'_>,
    sums: Sums,
    coverage: &Coverage,
    start: Timestamp,
    end: Timestamp,
) -> Value {
    let value = estimate::value(&query.metric.expression, query.metric.minimum_sample, sums);
    Value {
        coverage: coverage.between(start, end),
        ..value
    }
}
