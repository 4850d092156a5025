use kaizen_stats::{QuantileShift, proportion_dispersion, quantile_shift, tail_shift};
use serde::{Deserialize, Serialize};

use super::{About, Detail, Finding};
use crate::words::told;

/// Times in seconds, each with the decisions that took as long, by day.
pub type Days = [Vec<(f64, f64)>];

/// The 99th percentile moved while the median did not.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LatencyTail {
    /// Median before and now, in seconds.
    pub median: (f64, f64),
    /// 99th percentile before and now.
    pub tail: (f64, f64),
    /// Change of the 99th percentile: .3 is 30 % more.
    pub change: f64,
    /// 95 % interval of the change.
    pub interval: (f64, f64),
    /// p-value of a tail that did not move.
    pub p_value: f64,
    /// Decisions with a time in the period.
    pub n: f64,
}

const TAIL: f64 = 0.99;
/// Least change of the tail that matters.
const MATTERS: f64 = 0.1;
/// Fewest decisions in each period: with fewer, ten or less make the tail.
const FEWEST: f64 = 1_000.0;

/// Compares the tail of processing times with that of the period before; `significance` is the chance to call a tail moved
/// that was not. Days scatter by more than chance: by as much as the share of slow decisions does.
pub fn latency_tail(about: About<'_>, before: &Days, now: &Days, significance: f64) -> Option<Finding> {
    let (all_before, all_now) = (merged(before), merged(now));
    let n = count(&all_now);
    if n < FEWEST || count(&all_before) < FEWEST {
        return None;
    }
    let slow = quantile_shift(&all_before, &all_now, TAIL, 1.0, 0.95)?.before;
    let scatter = |days: &Days| {
        let shares: Vec<(f64, f64)> = days.iter().map(|day| (above(day, slow), count(day))).collect();
        proportion_dispersion(&shares)
    };
    let dispersion = scatter(before).max(scatter(now));
    let found = tail_shift(&all_before, &all_now, TAIL, dispersion, (significance, MATTERS))?;
    if !found.tail_alone {
        return None;
    }
    let QuantileShift {
        before,
        now,
        change,
        interval,
        ..
    } = found.tail;
    let detail = LatencyTail {
        median: (found.body.before, found.body.now),
        tail: (before, now),
        change,
        interval,
        p_value: found.p_value,
        n,
    };
    let text = format!(
        "{}: the slowest 1 % of decisions took {} or longer, {} before ({:+.0} %, 95 % interval {:+.0} to {:+.0} %), while the median \
         stayed at {}",
        about.title,
        told(now, "seconds"),
        told(before, "seconds"),
        100.0 * change,
        100.0 * interval.0,
        100.0 * interval.1,
        told(detail.median.1, "seconds"),
    );
    Some(about.finding(text, Some(change > 0.0), Detail::LatencyTail(detail)))
}

fn merged(days: &Days) -> Vec<(f64, f64)> {
    let mut all: Vec<(f64, f64)> = days.iter().flatten().copied().collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.dedup_by(|next, kept| {
        let is_same = next.0 == kept.0;
        if is_same {
            kept.1 += next.1;
        }
        is_same
    });
    all
}

fn count(times: &[(f64, f64)]) -> f64 {
    times.iter().map(|(_, n)| n).sum()
}

fn above(times: &[(f64, f64)], seconds: f64) -> f64 {
    times
        .iter()
        .filter(|(time, _)| *time > seconds)
        .map(|(_, n)| n)
        .sum()
}
