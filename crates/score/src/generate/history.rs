//! Series as the past of a metric, as the services hand it to `kaizen_findings::judge`.

use kaizen_findings::{History, Observed, Quality, Spans};

/// Monday 5 January 2026, in seconds since 1970.
const START: i64 = 1_767_571_200;
const HOUR: i64 = 3_600;
/// Hours of a day.
const DAY: usize = 24;
/// Decisions that a value rests on: enough to count.
const DECISIONS: f64 = 1_000.0;

/// A metric of which higher is better, known by the day. NaN is missing.
pub fn daily(values: &[f64], spans: Spans) -> History {
    let days = observed(values, DAY as i64 * HOUR, |_| 1.0);
    of(Vec::new(), days, spans)
}

/// A metric of which higher is better, known by the hour; a day's value is the mean of its hours.
pub fn hourly(values: &[f64], spans: Spans) -> History {
    let there = |day: &[f64]| day.iter().filter(|value| value.is_finite()).count() as f64;
    let sum = |day: &[f64]| day.iter().filter(|value| value.is_finite()).sum::<f64>();
    let days: Vec<f64> = values.chunks(DAY).map(|day| sum(day) / there(day)).collect();
    let coverage = |day: usize| there(&values[day * DAY..values.len().min((day + 1) * DAY)]) / DAY as f64;
    of(
        observed(values, HOUR, |_| 1.0),
        observed(&days, DAY as i64 * HOUR, coverage),
        spans,
    )
}

/// The last days, and as many before, of a history of so many days.
pub fn last(days: usize, period: usize) -> Spans {
    let at = |day: usize| START + (day * DAY) as i64 * HOUR;
    Spans {
        before: (at(days - 2 * period), at(days - period)),
        now: (at(days - period), at(days)),
    }
}

/// The hour that an instant lies in, from the first one on.
pub fn hour_of(at: i64) -> usize {
    usize::try_from((at - START) / HOUR).unwrap_or(0)
}

fn observed(values: &[f64], step: i64, coverage: impl Fn(usize) -> f64) -> Vec<Observed> {
    let one = |(at, value): (usize, &f64)| {
        let there = value.is_finite();
        Observed {
            start: START + at as i64 * step,
            end: START + (at as i64 + 1) * step,
            value: there.then_some(*value),
            n: if there { DECISIONS } else { 0.0 },
            coverage: Some(if there { coverage(at) } else { 0.0 }),
            incomplete: false,
        }
    };
    values.iter().enumerate().map(one).collect()
}

fn of(hours: Vec<Observed>, days: Vec<Observed>, spans: Spans) -> History {
    let quality = |(start, end): (i64, i64)| {
        let within: Vec<&Observed> = (days.iter())
            .filter(|day| (start..end).contains(&day.start))
            .collect();
        let values: Vec<f64> = within.iter().filter_map(|day| day.value).collect();
        let coverage = within.iter().filter_map(|day| day.coverage).sum::<f64>() / within.len() as f64;
        Quality {
            value: (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64),
            n: DECISIONS * values.len() as f64,
            coverage: Some(coverage),
            thin: false,
        }
    };
    let (now, before) = (quality(spans.now), quality(spans.before));
    History {
        metric: "simulated.metric".to_owned(),
        higher_is_better: true,
        adds_up: false,
        is_share: false,
        least: 10.0,
        hours,
        days,
        now,
        before,
    }
}
