//! The period beside the one before, day by day.

use kaizen_stats::{PairedT, paired_t, paired_t_by_past};

use super::history::{History, Observed, Spans, counted};

/// Below so many pairs a p-value says little.
const FEWEST_PAIRS: usize = 5;
const DAY: i64 = 86_400;

/// Fewest earlier differences whose scatter tells more than that of the pairs.
const FEWEST_EARLIER: usize = 14;

/// Tests for no change between the periods, neighbouring days being alike by `phi`; `None` when there is too little to say.
///
/// A day of the period is paired with the same weekday of the period before, so that weekdays cancel out. How much such
/// differences scatter is told by those of a week in the days before the period, if there are enough.
pub(super) fn shift(history: &History, spans: Spans, phi: f64) -> Option<PairedT> {
    let of = |(start, end): (i64, i64)| {
        let within = move |day: &&Observed| day.start >= start && day.end <= end;
        history.days.iter().filter(within).collect::<Vec<_>>()
    };
    let (before, now) = (of(spans.before), of(spans.now));
    let (Some(first), Some(last)) = (now.first(), now.last()) else {
        return None;
    };
    let apart = (days(last.end - first.start) / 7 * 7).max(7);
    let pairs = pairs(&before, &now, apart, history.adds_up);
    // With less than half of the days, the period before is mostly one that nothing is known of.
    if pairs.len() < FEWEST_PAIRS || pairs.len() * 2 < now.len() {
        return None;
    }
    let earlier = of((i64::MIN, spans.now.0));
    let earlier = self::pairs(&earlier, &earlier, 7, history.adds_up);
    let usual = pairs.iter().map(|pair| pair.n).sum::<f64>() / pairs.len() as f64;
    let weight = |pair: &Pair| if history.adds_up { 1.0 } else { pair.weight(usual) };
    let weights: Vec<f64> = pairs.iter().map(weight).collect();
    let past: Vec<(f64, f64)> = (earlier.iter())
        .map(|pair| (pair.values.1 - pair.values.0, weight(pair)))
        .collect();
    let values: Vec<(f64, f64)> = pairs.iter().map(|pair| pair.values).collect();
    let by_past = if past.len() >= FEWEST_EARLIER {
        paired_t_by_past(&values, &weights, &past, phi)
    } else {
        None
    };
    by_past.or_else(|| paired_t(&values, &weights, phi))
}

/// Two days.
struct Pair {
    /// What they had.
    values: (f64, f64),
    /// The decisions that makes: their harmonic mean.
    n: f64,
}

impl Pair {
    /// Means and shares of few decisions scatter more. What days have in common with none of their decisions scatters on all
    /// alike: it is taken to be as much as chance is on a usual day.
    fn weight(&self, usual: f64) -> f64 {
        if self.n > 0.0 {
            self.n / (self.n + usual)
        } else {
            0.0
        }
    }
}

/// Days and those so many days before.
fn pairs(before: &[&Observed], now: &[&Observed], apart: i64, adds_up: bool) -> Vec<Pair> {
    let pair = |now: &&Observed| {
        let then = |before: &&&Observed| days(now.start - before.start) == apart;
        let before = before.iter().find(then)?;
        let values = (counted(before, adds_up), counted(now, adds_up));
        let n = 2.0 / (1.0 / before.n + 1.0 / now.n);
        (values.0.is_finite() && values.1.is_finite()).then_some(Pair { values, n })
    };
    now.iter().filter_map(pair).collect()
}

/// To the nearest: a day with a clock change has an hour more or less.
fn days(seconds: i64) -> i64 {
    (seconds + DAY / 2).div_euclid(DAY)
}
