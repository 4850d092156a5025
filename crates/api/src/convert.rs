//! What the warehouse answers, as the wire has it.

use kaizen_catalogue::{Catalogue, Component, Direction, Metric};
use kaizen_findings::{Cause, CellSums, ChangeEntry, Estimate};
use kaizen_warehouse::queries::{
    self, Interval, MetricExplanation, MetricPoint, Point, Series, StoredRecommendation, TrendRecord, Value,
    Window,
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
    }
}

/// A trend.
pub fn trend(found: TrendRecord) -> wire::Trend {
    let direction = match found.direction.as_str() {
        "improving" => wire::TrendDirection::Improving,
        "declining" => wire::TrendDirection::Declining,
        "stable" => wire::TrendDirection::Stable,
        "insufficient_data" => wire::TrendDirection::InsufficientData,
        _ => wire::TrendDirection::Unspecified,
    };
    wire::Trend {
        metric: found.metric,
        direction: direction.into(),
        change_percent: found.change_percent,
        p_value: found.p_value,
        significance: found.significance,
        method: found.method,
    }
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

/// A recommendation of an analysis.
pub fn recommendation(of: &queries::Analysis, found: StoredRecommendation) -> wire::Recommendation {
    let StoredRecommendation {
        recommendation_id,
        recommendation: it,
        decision,
    } = found;
    let state = match decision.as_ref().map(|it| it.decision.as_str()) {
        Some("accepted") => wire::RecommendationState::Accepted,
        Some("dismissed") => wire::RecommendationState::Dismissed,
        _ => wire::RecommendationState::Open,
    };
    let decision = decision.filter(|_| state != wire::RecommendationState::Open);
    let filter = |(dimension, value): &(String, String)| wire::Filter {
        dimension: dimension.clone(),
        values: vec![value.clone()],
    };
    let condition = |(dimension, value)| wire::Condition { dimension, value };
    wire::Recommendation {
        recommendation_id,
        rule: it.rule,
        category: it.category,
        component: it.component,
        metric: it.metric,
        priority: match it.priority {
            kaizen_findings::Priority::High => wire::Priority::High,
            kaizen_findings::Priority::Medium => wire::Priority::Medium,
            kaizen_findings::Priority::Low => wire::Priority::Low,
        }
        .into(),
        title: it.title,
        description: it.description,
        action_items: it.action_items,
        difficulty: match it.difficulty {
            kaizen_findings::Difficulty::Easy => wire::Difficulty::Easy,
            kaizen_findings::Difficulty::Medium => wire::Difficulty::Medium,
            kaizen_findings::Difficulty::Hard => wire::Difficulty::Hard,
        }
        .into(),
        effort_hours: it.effort_hours,
        evidence: Some(wire::Evidence {
            what: it.evidence.what,
            unit: it.evidence.unit,
            before: it.evidence.before,
            now: it.evidence.now,
            n: it.evidence.n as u64,
            effect: Some(estimate(it.evidence.effect)),
            p_value: it.evidence.p_value,
            window: Some(window(of.period)),
            filters: it.slice.iter().map(filter).collect(),
        }),
        estimated_impact: it.impact.map(|impact| wire::EstimatedImpact {
            per_week: Some(estimate(impact.per_week)),
            improvement: Some(estimate(impact.improvement)),
            improvement_percent: impact.improvement_percent,
        }),
        roi: it.roi.map(|roi| wire::RoiEstimate {
            currency: roi.currency,
            horizon_weeks: roi.horizon_weeks,
            benefit: Some(estimate(roi.benefit)),
            cost: roi.cost,
            roi: Some(estimate(roi.roi)),
            probability_above_zero: roi.probability_above_zero,
        }),
        certainty: it.certainty,
        would_change: it.would_change,
        candidates: it.candidates.into_iter().map(change).collect(),
        coverage: it.coverage,
        state: state.into(),
        state_reason: decision.as_ref().map(|it| it.reason.clone()).unwrap_or_default(),
        state_actor: decision.map(|it| it.actor).unwrap_or_default(),
        slice: it.slice.into_iter().map(condition).collect(),
    }
}

fn estimate(found: Estimate) -> wire::Estimate {
    wire::Estimate {
        value: found.value,
        interval: Some(ends((found.lower, found.upper))),
    }
}

fn change(entry: ChangeEntry) -> wire::ChangeEntry {
    let at = entry.at.parse().ok().map(to_wire);
    wire::ChangeEntry {
        kind: entry.kind,
        component: entry.component,
        version: entry.version,
        change_time: at,
        link: entry.link,
    }
}
