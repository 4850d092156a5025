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
    let pairs = pairs(&before, &now, history.adds_up);
    // With less than half of the days, the period before is mostly one that nothing is known of.
    if pairs.len() < FEWEST_PAIRS || pairs.len() * 2 < now.len() {
        return None;
    }
    paired_t(&pairs, phi)
}

/// Days before and now, as many whole weeks apart as the period has, at least one.
fn pairs(before: &[&Observed], now: &[&Observed], adds_up: bool) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (now.first(), now.last()) else {
        return Vec::new();
    };
    let apart = (days(last.end - first.start) / 7 * 7).max(7);
    let pair = |now: &&Observed| {
        let then = |before: &&&Observed| days(now.start - before.start) == apart;
        let before = before.iter().find(then)?;
        let (before, now) = (counted(before, adds_up), counted(now, adds_up));
        (before.is_finite() && now.is_finite()).then_some((before, now))
    };
    now.iter().filter_map(pair).collect()
}

/// To the nearest: a day with a clock change has an hour more or less.
fn days(seconds: i64) -> i64 {
    (seconds + DAY / 2).div_euclid(DAY)
}
