//! What an analysis found, as the wire has it.

use kaizen_findings::{
    Detail, Finding, GroupStanding, LabelOrder, LatencyTail, Level, Miscalibration, Missing,
};

use kaizen_warehouse::queries::Window;

use super::selection::of_finding;
use super::{ends, instant};
use crate::analysis::v1 as wire;
use crate::analysis::v1::finding::Detail as WireDetail;

/// A finding of an analysis of `period`.
pub fn finding(period: Window, found: Finding) -> wire::Finding {
    wire::Finding {
        decisions: Some(of_finding(period, &found)),
        component: found.component,
        metric: found.metric,
        text: found.text,
        is_worse: found.is_worse.unwrap_or_default(),
        detail: Some(detail(found.detail)),
    }
}

fn detail(detail: Detail) -> WireDetail {
    match detail {
        Detail::LevelChange(it) => WireDetail::LevelChange(wire::LevelChange {
            time: instant(it.at),
            step_seconds: seconds(it.step),
            effect: Some(estimate(it.effect, it.interval)),
        }),
        Detail::Anomaly(it) => WireDetail::Anomaly(wire::Anomaly {
            time: instant(it.at),
            step_seconds: seconds(it.step),
            value: it.value,
            score: it.score,
            is_high: it.is_high,
        }),
        Detail::Standing(it) => WireDetail::Standing(standing(it)),
        Detail::LatencyTail(it) => WireDetail::LatencyTail(tail(&it)),
        Detail::Miscalibration(it) => WireDetail::Miscalibration(miscalibration(it)),
        Detail::LabelOrder(it) => WireDetail::LabelOrder(label_order(it)),
        Detail::MissingData(it) => WireDetail::MissingData(missing(&it)),
    }
}

fn standing(it: GroupStanding) -> wire::GroupStanding {
    wire::GroupStanding {
        group: Some(wire::Condition {
            dimension: it.dimension,
            value: it.group,
        }),
        value: it.value,
        n: it.n as u64,
        lift: Some(estimate(it.lift, it.interval)),
        expected_lift: it.expected_lift,
        p_value: it.p_value,
    }
}

fn tail(it: &LatencyTail) -> wire::LatencyTail {
    wire::LatencyTail {
        previous_median_seconds: it.median.0,
        median_seconds: it.median.1,
        previous_tail_seconds: it.tail.0,
        tail_seconds: it.tail.1,
        change: Some(estimate(it.change, it.interval)),
        p_value: it.p_value,
        n: it.n as u64,
    }
}

fn level(it: Level) -> wire::ConfidenceLevel {
    wire::ConfidenceLevel {
        stated: it.stated,
        observed: it.observed,
        n: it.n as u64,
    }
}

fn label_order(it: LabelOrder) -> wire::LabelOrder {
    wire::LabelOrder {
        label: it.label,
        of: it.of,
        shape: it.shape.as_str().to_owned(),
        auc: Some(estimate(it.auc, it.interval)),
        p_value: it.p_value,
        levels: it.levels.into_iter().map(level).collect(),
    }
}

fn miscalibration(it: Miscalibration) -> wire::Miscalibration {
    wire::Miscalibration {
        stated_by: it.stated_by,
        slope: it.slope,
        expected_calibration_error: it.error,
        bias: it.bias,
        p_value: it.p_value,
        levels: it.levels.into_iter().map(level).collect(),
    }
}

fn missing(it: &Missing) -> wire::MissingData {
    wire::MissingData {
        window: Some(wire::Window {
            start_time: instant(it.start),
            end_time: instant(it.end),
        }),
        expected: it.expected,
        present: it.present,
        reason: it.reason.as_str().to_owned(),
    }
}

fn estimate(value: f64, interval: (f64, f64)) -> wire::Estimate {
    wire::Estimate {
        value,
        interval: Some(ends(interval)),
    }
}

/// Of a step, which is a day at most, or 25 hours.
fn seconds(step: i64) -> u32 {
    u32::try_from(step).unwrap_or_default()
}
