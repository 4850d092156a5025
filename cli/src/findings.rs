//! Findings in lines and as JSON.

use kaizen_api::analysis::v1::finding::Detail;
use kaizen_api::analysis::v1::{Condition, ConfidenceLevel, Estimate, Finding, MissingData};
use kaizen_api::time::from_wire;
use serde_json::{Value, json};

/// Kinds of findings in the order of reading, with their headings.
const SECTIONS: [(&str, &str); 7] = [
    ("missing_data", "Missing data"),
    ("level_change", "Changed level"),
    ("anomaly", "Unusual for a time"),
    ("latency_tail", "Slowest decisions"),
    ("miscalibration", "Confidence that does not mean what it says"),
    ("label_order", "Labels that do not tell good decisions from bad"),
    ("standing", "Better and worse than the rest"),
];

/// All findings by their kind, each in a line with its time.
pub fn sections(findings: &[Finding]) -> String {
    let section = |(kind, heading): (&str, &str)| {
        let lines: String = findings
            .iter()
            .filter(|it| kind_of(it) == kind)
            .map(line)
            .collect();
        (!lines.is_empty()).then(|| format!("\n{heading}:\n{lines}"))
    };
    SECTIONS.into_iter().filter_map(section).collect()
}

fn line(found: &Finding) -> String {
    match time_of(found) {
        Some(time) => format!("  {time}  {}\n", found.text),
        None => format!("  {}\n", found.text),
    }
}

/// A time as people write it, to the minute, in UTC.
pub fn instant(time: Option<prost_types::Timestamp>) -> Option<String> {
    let time = from_wire("time", time).ok()?;
    Some(time.strftime("%Y-%m-%d %H:%MZ").to_string())
}

fn time_of(found: &Finding) -> Option<String> {
    match found.detail.as_ref()? {
        Detail::LevelChange(it) => instant(it.time),
        Detail::Anomaly(it) => instant(it.time),
        Detail::MissingData(MissingData { window, .. }) => instant(window.as_ref()?.start_time),
        Detail::Standing(_) | Detail::LatencyTail(_) | Detail::Miscalibration(_) | Detail::LabelOrder(_) => {
            None
        }
    }
}

const fn kind_of(found: &Finding) -> &'static str {
    match &found.detail {
        Some(Detail::LevelChange(_)) => "level_change",
        Some(Detail::Anomaly(_)) => "anomaly",
        Some(Detail::Standing(_)) => "standing",
        Some(Detail::LatencyTail(_)) => "latency_tail",
        Some(Detail::Miscalibration(_)) => "miscalibration",
        Some(Detail::LabelOrder(_)) => "label_order",
        Some(Detail::MissingData(_)) => "missing_data",
        None => "",
    }
}

/// A finding as JSON.
pub fn as_json(found: &Finding) -> Value {
    json!({"kind": kind_of(found), "component": found.component, "metric": found.metric, "text": found.text,
           "is_worse": found.is_worse, "time": time_of(found), "detail": found.detail.as_ref().map(detail),
           "dashboard_path": found.decisions.as_ref().map(|it| &it.dashboard_path)})
}

fn detail(detail: &Detail) -> Value {
    match detail {
        Detail::LevelChange(it) => {
            json!({"step_seconds": it.step_seconds, "effect": estimate(it.effect.as_ref())})
        }
        Detail::Anomaly(it) => {
            json!({"step_seconds": it.step_seconds, "value": it.value, "score": it.score, "is_high": it.is_high})
        }
        Detail::Standing(it) => {
            let Condition { dimension, value } = it.group.clone().unwrap_or_default();
            json!({"dimension": dimension, "group": value, "value": it.value, "n": it.n,
                   "lift": estimate(it.lift.as_ref()), "expected_lift": it.expected_lift, "p_value": it.p_value})
        }
        Detail::LatencyTail(it) => json!({
            "previous_median_seconds": it.previous_median_seconds, "median_seconds": it.median_seconds,
            "previous_tail_seconds": it.previous_tail_seconds, "tail_seconds": it.tail_seconds,
            "change": estimate(it.change.as_ref()), "p_value": it.p_value, "n": it.n}),
        Detail::Miscalibration(it) => {
            json!({"stated_by": it.stated_by, "slope": it.slope, "p_value": it.p_value, "bias": it.bias,
                   "expected_calibration_error": it.expected_calibration_error, "levels": levels(&it.levels)})
        }
        Detail::LabelOrder(it) => json!({
            "label": it.label, "of": it.of, "shape": it.shape, "auc": estimate(it.auc.as_ref()), "p_value": it.p_value,
            "levels": levels(&it.levels)}),
        Detail::MissingData(it) => json!({
            "end": it.window.as_ref().and_then(|window| instant(window.end_time)), "expected": it.expected,
            "present": it.present, "reason": it.reason}),
    }
}

fn levels(all: &[ConfidenceLevel]) -> Vec<Value> {
    let level = |it: &ConfidenceLevel| json!({"stated": it.stated, "observed": it.observed, "n": it.n});
    all.iter().map(level).collect()
}

fn estimate(of: Option<&Estimate>) -> Value {
    let of = of.copied().unwrap_or_default();
    let interval = of.interval.unwrap_or_default();
    json!({"value": of.value, "interval": [interval.lower, interval.upper]})
}
