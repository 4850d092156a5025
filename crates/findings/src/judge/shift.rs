//! The period beside the one before, day by day.

use kaizen_stats::{PairedT, paired_t};

use super::history::{History, Observed, Spans, counted};

/// Below so many pairs a p-value says little.
const FEWEST_PAIRS: usize = 5;
const DAY: i64 = 86_400;

/// Tests for no change between the periods, neighbouring days being alike by `phi`; `None` when there is too little to say.
///
/// A day of the period is paired with the same weekday of the period before, so that weekdays cancel out.
pub(super) fn shift(history: &History, spans: Spans, phi: f64) -> Option<PairedT> {
    let of = |(start, end): (i64, i64)| {
        let within = move |day: &&Observed| day.start >= start && day.end <= end;
        history.days.iter().filter(within).collect::<Vec<_>>()
    };
    let (before, now) = (of(spans.before), of(spans.now));
    let (pairs, weights) = pairs(&before, &now, history.adds_up);
    // With less than half of the days, the period before is mostly one that nothing is known of.
    if pairs.len() < FEWEST_PAIRS || pairs.len() * 2 < now.len() {
        return None;
    }
    paired_t(&pairs, &weights, phi)
}

/// Days before and now, as many whole weeks apart as the period has, at least one; and what each pair weighs.
fn pairs(before: &[&Observed], now: &[&Observed], adds_up: bool) -> (Vec<(f64, f64)>, Vec<f64>) {
    let (Some(first), Some(last)) = (now.first(), now.last()) else {
        return (Vec::new(), Vec::new());
    };
    let apart = (days(last.end - first.start) / 7 * 7).max(7);
    let pair = |now: &&Observed| {
        let then = |before: &&&Observed| days(now.start - before.start) == apart;
        let before = before.iter().find(then)?;
        let values = (counted(before, adds_up), counted(now, adds_up));
        (values.0.is_finite() && values.1.is_finite()).then(|| (values, 2.0 / (1.0 / before.n + 1.0 / now.n)))
    };
    let (pairs, decisions): (Vec<_>, Vec<f64>) = now.iter().filter_map(pair).unzip();
    let weights = if adds_up {
        vec![1.0; pairs.len()]
    } else {
        weights(&decisions)
    };
    (pairs, weights)
}

/// Means and shares of few decisions scatter more. What days have in common with none of their decisions scatters on all
/// alike: it is taken to be as much as chance is on a usual day.
fn weights(decisions: &[f64]) -> Vec<f64> {
    let usual = decisions.iter().sum::<f64>() / decisions.len() as f64;
    let weight = |n: &f64| if *n > 0.0 { n / (n + usual) } else { 0.0 };
    decisions.iter().map(weight).collect()
}

/// To the nearest: a day with a clock change has an hour more or less.
fn days(seconds: i64) -> i64 {
    (seconds + DAY / 2).div_euclid(DAY)
}
