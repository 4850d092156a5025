//! A measurement as the wire has it.

use std::collections::HashMap;

use kaizen_api::analysis::v1::{Condition, Interval, Window};
use kaizen_api::time::{to_wire, window_to_wire};
use kaizen_api::{convert, tracker::v1 as wire};
use kaizen_findings::{Costs, difference, told};
use kaizen_stats::{Impact, Method, Rung, SeriesFindings, Uncertain, Verdict};

use super::Asked;
use super::estimate::{estimate, sign_of};
use super::guardrails::Guarded;
use super::measure::Observed;
use super::returns::{Terms, of_effect, sign};

/// Puts together what was found.
pub fn put_together(
    asked: &Asked<'_>,
    costs: &Costs,
    observed: &Observed,
    measured: &Impact,
    guardrails: Vec<Guarded>,
    overlaps: Vec<wire::Overlap>,
) -> wire::Impact {
    let course = &observed.days.course;
    let better = if sign(asked) > 0.0 {
        measured.posterior.clone()
    } else {
        measured.posterior.turned()
    };
    let found = measured.series.as_ref();
    let mut impact = wire::Impact {
        ticket_id: asked.ticket.id(),
        metric: Some(convert::metric(asked.component, asked.metric)),
        slice: (asked.slice.iter().cloned())
            .map(|(dimension, value)| Condition { dimension, value })
            .collect(),
        change_time: Some(to_wire(asked.change.at)),
        measurement_period_days: asked.period,
        before: side(observed, 0..course.before),
        after: side(observed, course.before..course.days.len()),
        verdict: verdict(measured.verdict).into(),
        summary: summary(asked, measured),
        method: measured.method.as_str().to_owned(),
        rungs: measured.rungs.iter().map(rung).collect(),
        mean_before: measured.before,
        mean_after: measured.after,
        effect: Some(estimate(measured.effect, measured.interval)),
        interval_at_any_look: Some(convert::ends(measured.interval_at_any_look)),
        probability_better: if sign(asked) > 0.0 {
            measured.p_positive
        } else {
            1.0 - measured.p_positive
        },
        detectable: measured.detectable,
        confidence: Some(confidence(measured)),
        controls: controls(observed, found),
        shock: found.and_then(|it| it.shock),
        placebo: found.map(|it| wire::Placebo {
            tried: u32::try_from(it.placebo.tried).unwrap_or(u32::MAX),
            as_large: u32::try_from(it.placebo.as_large).unwrap_or(u32::MAX),
        }),
        novelty: found.and_then(|it| it.novelty).map(|it| wire::Novelty {
            first: it.first,
            last: it.last,
            p_value: it.p_value,
            fading: it.fading,
        }),
        metrics: Some(metrics(asked, measured, &guardrails)),
        guardrails: guardrails.into_iter().map(|it| it.guardrail).collect(),
        overlaps,
        days: days(observed),
        roi: None,
        roi_not_computed: String::new(),
        baseline: baseline(asked, observed, measured.method),
    };
    add_return(asked, costs, &Uncertain::Measured(better), &mut impact);
    impact
}

/// What the effect returns, or why that is not computed.
fn add_return(asked: &Asked<'_>, costs: &Costs, effect: &Uncertain, impact: &mut wire::Impact) {
    let a_day = decisions_a_day(impact);
    match of_effect(asked, costs, Terms::default(), effect, a_day) {
        Ok(roi) => {
            if let Some(metrics) = &mut impact.metrics {
                metrics.roi_calculation = roi.roi;
            }
            impact.roi = Some(roi);
        }
        Err(why) => impact.roi_not_computed = why,
    }
}

fn rung(it: &Rung) -> wire::Rung {
    wire::Rung {
        method: it.name.to_owned(),
        refused: it.refused.unwrap_or_default().to_owned(),
    }
}

/// A verdict as the wire has it.
pub const fn verdict(verdict: Verdict) -> wire::ImpactVerdict {
    match verdict {
        Verdict::Improved => wire::ImpactVerdict::Improved,
        Verdict::NoDetectableChange => wire::ImpactVerdict::NoDetectableChange,
        Verdict::Worse => wire::ImpactVerdict::Worse,
        Verdict::CannotTell => wire::ImpactVerdict::CannotTell,
    }
}

/// The span of some days; absent without any.
fn side(observed: &Observed, days: std::ops::Range<usize>) -> Option<Window> {
    let days = observed.days.course.days.get(days)?;
    Some(window_to_wire(days.first()?.start, days.last()?.end))
}

/// The spans of the days that the mean before the change is of.
fn baseline(asked: &Asked<'_>, observed: &Observed, method: Method) -> Vec<Window> {
    let (days, before) = (observed.days.course.days.len(), observed.days.course.before);
    let raised = &observed.days.excluded;
    let spans = match method {
        Method::Randomised | Method::RandomisedWithCovariate => [Some(before..days), None],
        _ if raised.is_empty() => [Some(0..before), None],
        _ if asked.restores() => [Some(raised.end..before), None],
        _ => [Some(0..raised.start), Some(raised.end..before)],
    };
    let told = spans.into_iter().flatten();
    told.filter_map(|days| side(observed, days)).collect()
}

/// Decisions a day after the change, of the days that are used.
pub fn decisions_a_day(impact: &wire::Impact) -> f64 {
    let start = |window: &Option<Window>| Some(window.as_ref()?.start_time?.seconds);
    let Some(change) = start(&impact.after) else {
        return 0.0;
    };
    let days = impact.days.iter().filter(|day| day.left_out.is_empty());
    let after = days.filter(|day| start(&day.window).is_some_and(|start| start >= change));
    let (sum, count) = after.fold((0.0, 0.0), |(sum, count), day| (sum + day.n as f64, count + 1.0));
    sum / f64::max(count, 1.0)
}

fn confidence(measured: &Impact) -> wire::MeasurementConfidence {
    let it = measured.confidence;
    wire::MeasurementConfidence {
        value: it.value,
        method: it.method,
        information: it.information,
        present: it.present,
        placebo: it.placebo,
    }
}

fn controls(observed: &Observed, found: Option<&SeriesFindings>) -> Vec<wire::Control> {
    let used = found.into_iter().flat_map(|it| &it.controls);
    let used = used.map(|it| wire::Control {
        name: it.name.clone(),
        weight: it.weight,
        refused: it.refused.unwrap_or_default().to_owned(),
        moved_alone: it.moved_alone,
    });
    let refused = observed.controls.refused.iter();
    let refused = refused.map(|(name, why)| wire::Control {
        name: name.clone(),
        refused: why.clone(),
        ..wire::Control::default()
    });
    used.chain(refused).collect()
}

fn days(observed: &Observed) -> Vec<wire::ImpactDay> {
    let (course, series) = (&observed.days.course, &observed.series);
    let excluded = &observed.days.excluded;
    let day = |(at, day): (usize, &std::ops::Range<jiff::Timestamp>)| {
        let left_out = if excluded.contains(&at) {
            "it belongs to the window that raised the recommendation"
        } else {
            series.left_out[at]
        };
        wire::ImpactDay {
            window: Some(window_to_wire(day.start, day.end)),
            value: series.days[at].value,
            n: series.days[at].n,
            left_out: left_out.to_owned(),
        }
    };
    course.days.iter().enumerate().map(day).collect()
}

/// The numbers as one record: a metric whose mean before is 0 has no improvement in percent.
fn metrics(asked: &Asked<'_>, measured: &Impact, guardrails: &[Guarded]) -> wire::ImpactMetrics {
    let mut record = wire::ImpactMetrics {
        recommendation_id: (asked.ticket.evidence.as_ref())
            .map(|it| it.recommendation_id.clone())
            .unwrap_or_default(),
        before_metrics: HashMap::new(),
        after_metrics: HashMap::new(),
        improvement_percentage: HashMap::new(),
        improvement_intervals: HashMap::new(),
        roi_calculation: None,
        measurement_confidence: measured.confidence.value,
        measurement_period_days: asked.period,
    };
    let own = asked.component.full_name(asked.metric);
    add(&mut record, own, measured, sign(asked));
    for it in guardrails {
        if let (Some(metric), Some(measured)) = (&it.guardrail.metric, &it.measured) {
            add(&mut record, metric.name.clone(), measured, sign_of(metric));
        }
    }
    record
}

fn add(record: &mut wire::ImpactMetrics, name: String, measured: &Impact, sign: f64) {
    record.before_metrics.insert(name.clone(), measured.before);
    record.after_metrics.insert(name.clone(), measured.after);
    let whole = measured.before.abs();
    if whole > 0.0 {
        let percent = |effect: f64| sign * effect / whole * 100.0;
        let (lower, upper) = measured.interval;
        let (one, other) = (percent(lower), percent(upper));
        let ends = Interval {
            lower: one.min(other),
            upper: one.max(other),
        };
        record
            .improvement_percentage
            .insert(name.clone(), percent(measured.effect));
        record.improvement_intervals.insert(name, ends);
    }
}

/// The verdict in a sentence, with the numbers.
fn summary(asked: &Asked<'_>, measured: &Impact) -> String {
    let unit = &asked.metric.unit;
    let (lower, upper) = measured.interval;
    let effect = format!(
        "{} (95 %: {} to {})",
        difference(measured.effect, unit),
        difference(lower, unit),
        difference(upper, unit)
    );
    let (before, after) = (told(measured.before, unit), told(measured.after, unit));
    let title = &asked.metric.title;
    match measured.verdict {
        Verdict::Improved => {
            format!("{title} improved by {effect}, from {before} to {after}.")
        }
        Verdict::Worse => format!("{title} got worse by {effect}, from {before} to {after}."),
        Verdict::NoDetectableChange => format!(
            "No change of {title} could be seen: {effect}. One of {} would probably have been.",
            told(measured.detectable, unit)
        ),
        Verdict::CannotTell => format!(
            "It cannot be told yet whether {title} changed: {effect}. So far one of {} would be seen.",
            told(measured.detectable, unit)
        ),
    }
}
