//! What a ticket changed, for machines: the whole message, its times in RFC 3339, intervals as pairs.

use std::collections::BTreeMap;

use kaizen_api::analysis::v1::{ChangeEntry, Condition, Estimate, Interval, Window};
use kaizen_api::tracker::v1::{
    Control, Guardrail, Impact, ImpactDay, ImpactMetrics, MeasurementConfidence, Overlap,
};
use serde_json::{Map, Value, json};

use super::words;
use crate::roi;
use crate::tickets::exact;

/// An impact.
pub fn impact(it: &Impact) -> Value {
    let rungs = it.rungs.iter();
    let rungs: Vec<_> = rungs
        .map(|it| json!({"method": it.method, "refused": some(&it.refused)}))
        .collect();
    json!({
        "ticket_id": it.ticket_id, "metric": it.metric.as_ref().map(|it| &it.name),
        "unit": it.metric.as_ref().map(|it| &it.unit), "slice": slice(&it.slice), "change_time": exact(it.change_time),
        "measurement_period_days": it.measurement_period_days, "before": window(it.before.as_ref()),
        "after": window(it.after.as_ref()), "verdict": words::name(it.verdict()), "summary": it.summary,
        "method": it.method, "rungs": rungs, "baseline": it.baseline.iter().map(|it| window(Some(it))).collect::<Vec<_>>(), "mean_before": it.mean_before,
        "mean_after": it.mean_after,
        "effect": estimate(it.effect.as_ref()), "interval_at_any_look": pair(it.interval_at_any_look.as_ref()),
        "probability_better": it.probability_better, "detectable": it.detectable,
        "confidence": it.confidence.as_ref().map(confidence),
        "controls": it.controls.iter().map(control).collect::<Vec<_>>(), "shock": it.shock,
        "placebo": it.placebo.map(|it| json!({"tried": it.tried, "as_large": it.as_large})),
        "novelty": it.novelty.map(|it| json!({
            "first": it.first, "last": it.last, "p_value": it.p_value, "fading": it.fading})),
        "guardrails": it.guardrails.iter().map(guardrail).collect::<Vec<_>>(),
        "overlaps": it.overlaps.iter().map(overlap).collect::<Vec<_>>(),
        "days": it.days.iter().map(day).collect::<Vec<_>>(), "metrics": it.metrics.as_ref().map(metrics),
        "roi": it.roi.as_ref().map(roi::as_json), "roi_not_computed": some(&it.roi_not_computed),
    })
}

/// An estimate; null where there is none.
pub fn estimate(of: Option<&Estimate>) -> Option<Value> {
    of.map(|it| json!({"value": it.value, "interval": pair(it.interval.as_ref())}))
}

/// A text; null where it is empty.
pub fn some(text: &str) -> Option<&str> {
    Some(text).filter(|it| !it.is_empty())
}

/// A slice as an object of its dimensions.
pub fn slice(conditions: &[Condition]) -> Map<String, Value> {
    let conditions = conditions.iter();
    conditions
        .map(|it| (it.dimension.clone(), json!(it.value)))
        .collect()
}

fn pair(interval: Option<&Interval>) -> Option<[f64; 2]> {
    interval.map(|it| [it.lower, it.upper])
}

fn window(window: Option<&Window>) -> Option<[Option<String>; 2]> {
    window.map(|it| [exact(it.start_time), exact(it.end_time)])
}

fn confidence(it: &MeasurementConfidence) -> Value {
    json!({"value": it.value, "method": it.method, "information": it.information, "present": it.present,
           "placebo": it.placebo})
}

fn control(it: &Control) -> Value {
    json!({"name": it.name, "weight": it.weight, "refused": some(&it.refused), "moved_alone": it.moved_alone})
}

fn guardrail(it: &Guardrail) -> Value {
    json!({"metric": it.metric.as_ref().map(|it| &it.name), "unit": it.metric.as_ref().map(|it| &it.unit),
           "verdict": words::name(it.verdict()), "effect": estimate(it.effect.as_ref()),
           "unmeasurable": some(&it.unmeasurable), "method": some(&it.method)})
}

fn overlap(it: &Overlap) -> Value {
    let change = |it: &ChangeEntry| {
        json!({"kind": it.kind, "component": it.component, "version": it.version, "time": exact(it.change_time),
               "link": some(&it.link)})
    };
    json!({"ticket_id": some(&it.ticket_id), "change": it.change.as_ref().map(change), "after": it.after})
}

fn day(it: &ImpactDay) -> Value {
    json!({"window": window(it.window.as_ref()), "value": it.value, "n": it.n, "left_out": some(&it.left_out)})
}

fn metrics(it: &ImpactMetrics) -> Value {
    let intervals = it.improvement_intervals.iter();
    json!({
        "recommendation_id": some(&it.recommendation_id),
        "before_metrics": it.before_metrics.iter().collect::<BTreeMap<_, _>>(),
        "after_metrics": it.after_metrics.iter().collect::<BTreeMap<_, _>>(),
        "improvement_percentage": it.improvement_percentage.iter().collect::<BTreeMap<_, _>>(),
        "improvement_intervals": intervals.map(|(name, it)| (name, [it.lower, it.upper])).collect::<BTreeMap<_, _>>(),
        "roi_calculation": it.roi_calculation, "measurement_confidence": it.measurement_confidence,
        "measurement_period_days": it.measurement_period_days,
    })
}
