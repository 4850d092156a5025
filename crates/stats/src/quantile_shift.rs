use crate::normal::{two_sided, two_sided_quantile};

/// How a quantile moved from one period to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileShift {
    /// The quantile before, in the unit of the values.
    pub before: f64,
    /// The quantile now.
    pub now: f64,
    /// Now over before, less 1: .3 is 30 % more.
    pub change: f64,
    /// Interval of the change.
    pub interval: (f64, f64),
    /// Two-sided p-value of no movement of the quantile.
    pub p_value: f64,
}

/// Compares a quantile `p` (0–1) of two sketches: bins of positive values, ascending, as `(value, count)`, however a sketch
/// gives them (a DDSketch its bins, a t-digest its centroids). `dispersion` (1 or more) says how many times the variance of
/// counts is that of independent events; the interval covers the change with probability `level`. `None` for a period that
/// is empty, or values that are not positive.
///
/// The test compares how many values lie beyond the quantile of both periods together (A. M. Mood's median test,
/// "Introduction to the Theory of Statistics" (1950), at any quantile). The interval is made of one for each period, by the
/// ranks that its quantile may have (R. S. Woodruff, "Confidence Intervals for Medians and Other Position Measures", J. Am.
/// Stat. Assoc. 47 (1952)).
pub fn quantile_shift(
    before: &[(f64, f64)],
    now: &[(f64, f64)],
    p: f64,
    dispersion: f64,
    level: f64,
) -> Option<QuantileShift> {
    let dispersion = dispersion.max(1.0);
    let (n_0, n_1) = (total(before), total(now));
    let usable = |bins: &[(f64, f64)]| bins.iter().all(|(value, count)| *value > 0.0 && *count >= 0.0);
    if !(n_0 > 0.0 && n_1 > 0.0 && usable(before) && usable(now)) {
        return None;
    }
    let (first, second) = (quantile(before, n_0, p), quantile(now, n_1, p));
    let z = two_sided_quantile(1.0 - level);
    let bounds = |bins: &[(f64, f64)], n: f64| {
        let half = z * (p * (1.0 - p) * dispersion / n).sqrt();
        (
            quantile(bins, n, (p - half).max(0.0)).ln(),
            quantile(bins, n, (p + half).min(1.0)).ln(),
        )
    };
    let (low_0, high_0) = bounds(before, n_0);
    let (low_1, high_1) = bounds(now, n_1);
    let (log_0, log_1) = (first.ln(), second.ln());
    let moved = log_1 - log_0;
    Some(QuantileShift {
        before: first,
        now: second,
        change: moved.exp() - 1.0,
        interval: (
            (moved - (log_1 - low_1).hypot(high_0 - log_0)).exp() - 1.0,
            (moved + (high_1 - log_1).hypot(log_0 - low_0)).exp() - 1.0,
        ),
        p_value: two_sided(beyond(before, n_0, now, n_1, p) / dispersion.sqrt()),
    })
}

/// Whether slow ones became slower while the usual ones did not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TailShift {
    /// The median.
    pub body: QuantileShift,
    /// The quantile of the tail.
    pub tail: QuantileShift,
    /// p-value of nothing having moved in the tail: at its quantile or half way from there to the end.
    pub p_value: f64,
    /// The tail moved, and by so much more than the median that this is no shift of everything.
    pub tail_alone: bool,
}

/// The median may have moved by this share of what the tail did, and it still is the tail alone.
const BODY_OF_TAIL: f64 = 1.0 / 3.0;

/// Compares the tail, from quantile `p` (.99, say) on, of two sketches as [`quantile_shift`] takes them. `significance` is the
/// chance to call a tail moved that did not. `least_change` is the least movement that counts, .1 for 10 %.
pub fn tail_shift(
    before: &[(f64, f64)],
    now: &[(f64, f64)],
    p: f64,
    dispersion: f64,
    (significance, least_change): (f64, f64),
) -> Option<TailShift> {
    let shift = |p| quantile_shift(before, now, p, dispersion, 0.95);
    let (body, tail, beyond) = (shift(0.5)?, shift(p)?, shift(f64::midpoint(p, 1.0))?);
    let p_value = (2.0 * tail.p_value.min(beyond.p_value)).min(1.0);
    let moved = tail.change.ln_1p();
    let more = body.change.ln_1p().abs() <= BODY_OF_TAIL * moved.abs();
    Some(TailShift {
        body,
        tail,
        p_value,
        tail_alone: p_value <= significance && tail.change.abs() >= least_change && more,
    })
}

fn total(bins: &[(f64, f64)]) -> f64 {
    bins.iter().map(|(_, count)| count).sum()
}

/// The value below which a share `p` lies; between bins on the line of their logarithms.
fn quantile(bins: &[(f64, f64)], n: f64, p: f64) -> f64 {
    let rank = p * n;
    let mut below = 0.0;
    let mut last: Option<(f64, f64)> = None;
    for (value, count) in bins.iter().filter(|(_, count)| *count > 0.0) {
        // A bin stands for the middle of its ranks.
        let middle = below + count / 2.0;
        if middle >= rank {
            return last.map_or(*value, |(earlier, at)| {
                let share = (rank - at) / (middle - at);
                (earlier.ln() + share * (value.ln() - earlier.ln())).exp()
            });
        }
        last = Some((*value, middle));
        below += count;
    }
    last.map_or(f64::NAN, |(value, _)| value)
}

/// How many more standard errors now than before lie beyond the quantile of both together.
fn beyond(before: &[(f64, f64)], n_0: f64, now: &[(f64, f64)], n_1: f64, p: f64) -> f64 {
    let mut both: Vec<(f64, f64)> = before.iter().chain(now).copied().collect();
    both.sort_by(|a, b| a.0.total_cmp(&b.0));
    let threshold = quantile(&both, n_0 + n_1, p);
    let share = |bins: &[(f64, f64)], n: f64| {
        bins.iter()
            .filter(|(value, _)| *value > threshold)
            .map(|(_, count)| count)
            .sum::<f64>()
            / n
    };
    let (first, second) = (share(before, n_0), share(now, n_1));
    let pooled = (first * n_0 + second * n_1) / (n_0 + n_1);
    let variance = pooled * (1.0 - pooled) * (1.0 / n_0 + 1.0 / n_1);
    if variance > 0.0 {
        (second - first) / variance.sqrt()
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    /// A sketch of latencies with bins 2 % wide, of one day of this many events; `slow` is the factor of the slowest 3 %.
    fn sketch(seed: u64, events: usize, all: f64, slow: f64) -> Vec<(f64, f64)> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut bins = std::collections::BTreeMap::new();
        for _ in 0..events {
            let z: f64 = StandardNormal.sample(&mut random);
            let latency = (0.7 * z).exp() * all * if z > 1.881 { slow } else { 1.0 };
            *bins.entry((latency.ln() / 0.02).floor() as i32).or_insert(0.0) += 1.0;
        }
        bins.into_iter()
            .map(|(bin, count)| ((f64::from(bin) * 0.02 + 0.01).exp(), count))
            .collect()
    }

    #[test]
    fn a_tail_30_percent_slower_is_seen_within_two_days_and_no_tail_is_seen_where_none_moved() {
        let judge = (0.001, 0.1);
        let (mut seen, mut false_ones, mut whole) = (0, 0, 0);
        for seed in 0..40 {
            let before = sketch(seed, 100_000, 1.0, 1.0);
            let alone =
                |now: Vec<(f64, f64)>| tail_shift(&before, &now, 0.99, 1.5, judge).unwrap().tail_alone;
            seen += usize::from(alone(sketch(1_000 + seed, 40_000, 1.0, 1.3)));
            false_ones += usize::from(alone(sketch(2_000 + seed, 40_000, 1.0, 1.0)));
            whole += usize::from(alone(sketch(3_000 + seed, 40_000, 1.3, 1.0)));
        }
        assert!(
            seen >= 38 && false_ones == 0 && whole == 0,
            "{seen} {false_ones} {whole}"
        );
    }

    #[test]
    fn a_shift_of_everything_moves_every_quantile_by_as_much() {
        let (before, now) = (sketch(1, 50_000, 1.0, 1.0), sketch(2, 50_000, 1.2, 1.0));
        for p in [0.1, 0.5, 0.9, 0.99] {
            let found = quantile_shift(&before, &now, p, 1.0, 0.99).unwrap();
            assert!(found.interval.0 < 0.2 && 0.2 < found.interval.1, "{p} {found:?}");
            assert!(found.p_value < 1e-6);
        }
    }

    #[test]
    fn scale_changes_nothing_and_turning_the_periods_round_turns_the_change() {
        let (before, now) = (sketch(1, 5_000, 1.0, 1.0), sketch(2, 3_000, 1.1, 1.0));
        let scaled = |bins: &[(f64, f64)]| {
            bins.iter()
                .map(|(value, n)| (value * 1e3, *n))
                .collect::<Vec<_>>()
        };
        let there = quantile_shift(&before, &now, 0.9, 1.0, 0.95).unwrap();
        let larger = quantile_shift(&scaled(&before), &scaled(&now), 0.9, 1.0, 0.95).unwrap();
        let back = quantile_shift(&now, &before, 0.9, 1.0, 0.95).unwrap();
        assert!((there.change - larger.change).abs() < 1e-9 && (there.p_value - larger.p_value).abs() < 1e-9);
        assert!((there.change.ln_1p() + back.change.ln_1p()).abs() < 1e-9);
        assert!((there.p_value - back.p_value).abs() < 1e-9);
    }

    #[test]
    fn empty_sketches_and_values_that_are_not_positive_have_no_result() {
        assert_eq!(quantile_shift(&[], &[(1.0, 1.0)], 0.5, 1.0, 0.95), None);
        assert_eq!(quantile_shift(&[(0.0, 1.0)], &[(1.0, 1.0)], 0.5, 1.0, 0.95), None);
    }
}
