//! What rows' own methods find, in numbers that can be compared.

use kaizen_findings::{Judgement, judge};
use kaizen_stats::{Analysis, Impact, Times, analyse, trend};

use super::{HOUR, Step};
use crate::generate::change::{self, AFTER};
use crate::generate::history;
use crate::rows::impact;

/// What a row's own methods find in series, a column a metric; NaN is missing.
pub(super) type Found = Box<dyn Fn(&[Vec<f64>]) -> Vec<f64> + Send + Sync>;

/// As rows 1 and 2 have it.
pub(super) fn of_trend(values: &[f64]) -> Vec<f64> {
    let told = trend(values).map(|it| vec![it.p_value, it.score, it.slope, it.interval.0, it.interval.1]);
    told.unwrap_or_default()
}

/// As rows 3 to 6 have it: one run over the last days.
pub(super) fn judged(days: usize, period: usize, step: Step) -> Found {
    Box::new(move |columns| {
        let spans = history::last(days, period);
        let of = |values: &Vec<f64>| match step {
            Step::Hour => history::hourly(values, spans),
            Step::Day => history::daily(values, spans),
        };
        let histories: Vec<_> = columns.iter().map(of).collect();
        judge(&histories, spans).iter().flat_map(of_judgement).collect()
    })
}

/// Instants as hours.
fn of_judgement(it: &Judgement) -> Vec<f64> {
    let trend = &it.trend;
    let change = trend.change_interval.unwrap_or_default();
    let slope = trend.slope.map_or([0.0; 4], |it| {
        [it.per_day, it.interval.0, it.interval.1, it.p_value]
    });
    let mut numbers = vec![
        f64::from(trend.direction as u8),
        trend.p_value.unwrap_or(-1.0),
        change.0,
        change.1,
        trend.onset.map_or(-1.0, |at| history::hour_of(at) as f64),
    ];
    numbers.extend(slope);
    for it in &it.moves {
        numbers.extend([
            history::hour_of(it.at) as f64,
            it.effect,
            it.interval.0,
            it.interval.1,
        ]);
    }
    for it in &it.anomalies {
        numbers.extend([history::hour_of(it.at) as f64, it.value, it.score]);
    }
    numbers
}

/// As row 7 watches: knowing only the past.
pub(super) fn of_watch(columns: &[Vec<f64>]) -> Vec<f64> {
    let of = |values: &Vec<f64>| {
        let hours: Vec<f64> = (0..values.len()).map(|hour| hour as f64 * HOUR as f64).collect();
        of_analysis(&analyse(Times::Seconds(&hours), values, true))
    };
    columns.iter().flat_map(of).collect()
}

fn of_analysis(it: &Analysis) -> Vec<f64> {
    let steps = it.change_points.iter();
    let steps = steps.flat_map(|it| [it.index as f64, it.effect, it.interval.0, it.interval.1]);
    let far = it.anomalies.iter().flat_map(|it| [it.index as f64, it.score]);
    steps.chain(far).collect()
}

/// As rows 9 to 22 measure: a week after the change, and at the end.
pub(super) fn of_change(columns: &[Vec<f64>]) -> Vec<f64> {
    let Some((values, controls)) = columns.split_first() else {
        return Vec::new();
    };
    let sample = change::Sample {
        values: values.clone(),
        controls: controls.to_vec(),
        truth: 0.0,
    };
    let looks = [7, AFTER].map(|days| impact::measure(&sample, days, None));
    looks.iter().flat_map(|found| of_impact(found.as_ref())).collect()
}

pub(super) fn of_impact(found: Option<&Impact>) -> Vec<f64> {
    let numbers = found.map(|it| {
        vec![
            it.effect,
            it.interval.0,
            it.interval.1,
            it.interval_at_any_look.0,
            it.interval_at_any_look.1,
            it.p_positive,
            it.detectable,
            f64::from(it.verdict as u8),
            it.values.0 as f64,
            it.values.1 as f64,
        ]
    });
    numbers.unwrap_or_default()
}
