//! What the warehouse answers, as the wire has it.

mod finding;
mod recommendation;
mod selection;

pub use finding::finding;
pub use recommendation::recommendation;

use jiff::Timestamp;
use kaizen_catalogue::{Catalogue, Component, Direction, Metric};
use kaizen_findings::{Cause, CellSums, Direction as Goes, Significance};
use kaizen_warehouse::queries::{
    self, Interval, MetricExplanation, MetricPoint, MetricTrend, Point, Series, Value, Window,
};

use crate::analysis::v1 as wire;
use crate::time::{to_wire, window_to_wire};

/// A metric of the catalogue.
pub fn metric(component: &Component, metric: &Metric) -> wire::Metric {
    wire::Metric {
        name: format!("{}.{}", component.name, metric.name),
        component: component.name.clone(),
        component_title: component.title.clone(),
        title: metric.title.clone(),
        description: metric.description.clone(),
        unit: metric.unit.clone(),
        direction: match metric.direction {
            Direction::HigherIsBetter => wire::Direction::HigherIsBetter,
            Direction::LowerIsBetter => wire::Direction::LowerIsBetter,
        }
        .into(),
        minimum_sample: metric.minimum_sample,
        split_by: metric.split_by.clone().unwrap_or_default(),
        dimensions: component.dimension_names().map(str::to_owned).collect(),
    }
}

/// A window.
pub fn window(window: Window) -> wire::Window {
    window_to_wire(window.start(), window.end())
}

/// A value.
pub fn value(value: Value) -> wire::Value {
    let interval = |Interval { lower, upper }| wire::Interval { lower, upper };
    wire::Value {
        value: value.value,
        n: value.n,
        coverage: value.coverage,
        interval: value.interval.map(interval),
        thin: value.thin,
    }
}

/// One group's values.
pub fn series(series: Series) -> wire::Series {
    let (change, relative_change) = (series.change(), series.relative_change());
    wire::Series {
        group: series.group,
        total: Some(value(series.total)),
        points: series.points.into_iter().map(point).collect(),
        previous_total: series.previous_total.map(value),
        previous_points: series.previous_points.into_iter().map(point).collect(),
        change,
        relative_change,
    }
}

fn point(point: Point) -> wire::Point {
    wire::Point {
        start_time: Some(to_wire(point.start)),
        end_time: Some(to_wire(point.end)),
        value: Some(value(point.value)),
        incomplete: point.incomplete,
    }
}

/// A metric's result; `None` of a metric that is no longer in the catalogue.
pub fn result(catalogue: &Catalogue, point: MetricPoint) -> Option<wire::MetricResult> {
    let (component, of) = catalogue.metric(&point.metric)?;
    let change = point
        .value
        .value
        .zip(point.previous.value)
        .map(|(now, before)| now - before);
    let before = point.previous.value.filter(|before| *before != 0.0);
    Some(wire::MetricResult {
        metric: Some(metric(component, of)),
        group: point.group,
        value: Some(value(point.value)),
        previous: Some(value(point.previous)),
        change,
        relative_change: change.zip(before).map(|(change, before)| change / before),
    })
}

/// One run of the analysis.
pub fn analysis(found: queries::Analysis) -> wire::Analysis {
    let state = match found.state {
        queries::AnalysisState::Running => wire::AnalysisState::Running,
        queries::AnalysisState::Succeeded => wire::AnalysisState::Succeeded,
        queries::AnalysisState::Failed => wire::AnalysisState::Failed,
        queries::AnalysisState::Cancelled => wire::AnalysisState::Cancelled,
    };
    let cancellation = |it: queries::Cancellation| wire::Cancellation {
        actor: it.actor,
        reason: it.reason,
        cancel_time: Some(to_wire(it.at)),
    };
    wire::Analysis {
        analysis_id: found.analysis_id,
        period: Some(window(found.period)),
        previous_period: Some(window(found.previous)),
        state: state.into(),
        create_time: Some(to_wire(found.created_at)),
        code_version: found.code_version,
        error: found.error,
        decisions: found.decisions,
        rejections: found.rejections,
        time_zone: found.time_zone,
        request_id: found.request_id,
        attempt: found.attempt,
        cancellation: found.cancellation.map(cancellation),
    }
}

/// A trend.
pub fn trend(found: MetricTrend) -> wire::Trend {
    let MetricTrend { metric, trend } = found;
    let direction = match trend.direction {
        Goes::Improving => wire::TrendDirection::Improving,
        Goes::Declining => wire::TrendDirection::Declining,
        Goes::Stable => wire::TrendDirection::Stable,
        Goes::InsufficientData => wire::TrendDirection::InsufficientData,
    };
    wire::Trend {
        metric,
        direction: direction.into(),
        change_percent: trend.change_percent,
        change_percent_interval: trend.change_interval.map(ends),
        p_value: trend.p_value,
        significance: trend.significance.map_or("", Significance::as_str).to_owned(),
        method: trend.method,
        slope: trend.slope.map(|slope| wire::Slope {
            per_day: slope.per_day,
            interval: Some(ends(slope.interval)),
            p_value: slope.p_value,
            start_time: instant(slope.since),
            days: u32::try_from(slope.days).unwrap_or(u32::MAX),
        }),
        onset_time: trend.onset.and_then(instant),
        n: trend.n as u64,
        coverage: trend.coverage,
    }
}

/// Seconds since 1970; `None` beyond what the calendar has.
fn instant(second: i64) -> Option<prost_types::Timestamp> {
    Timestamp::from_second(second).ok().map(to_wire)
}

/// Why a metric changed, as an analysis found.
pub fn explanation(found: MetricExplanation) -> wire::MetricExplanation {
    let change = found.explanation.change;
    wire::MetricExplanation {
        metric: found.metric,
        explained: found.explained,
        effect_unit: found.unit,
        change: change.map(|it| it.difference),
        change_interval: change.map(|it| ends(it.interval)),
        p_value: change.map(|it| it.p_value),
        mix: change.map(|it| it.mix),
        rate: change.map(|it| it.rate),
        culprits: found.explanation.causes.into_iter().map(cause).collect(),
    }
}

/// A slice that changed otherwise than the rest.
pub fn cause(cause: Cause) -> wire::Culprit {
    let condition = |(dimension, value)| wire::Condition { dimension, value };
    wire::Culprit {
        value: Some(mean(&cause.current)),
        previous: Some(mean(&cause.baseline)),
        effect: cause.effect,
        interval: Some(ends(cause.interval)),
        p_value: cause.p_value,
        mix: cause.mix,
        rate: cause.rate,
        slice: cause.slice.into_iter().map(condition).collect(),
    }
}

/// Lower and upper end.
pub fn ends((lower, upper): (f64, f64)) -> wire::Interval {
    wire::Interval { lower, upper }
}

fn mean(sums: &CellSums) -> wire::Value {
    wire::Value {
        value: sums.mean(),
        n: sums.n as u64,
        ..wire::Value::default()
    }
}
