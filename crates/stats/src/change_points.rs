use crate::autocorrelation::{MOST, effective_n};
use crate::noise::Noise;
use crate::pelt::{Cost, Shape, pelt};
use crate::robust;

/// A step of a series where its level changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// First step of the new level.
    pub index: usize,
    /// New level minus old one; where the series runs along lines, the height of the step between them.
    pub effect: f64,
    /// 95 % interval of the effect, given the place; neighbours' likeness counted.
    pub interval: (f64, f64),
}

/// What a change must be worth, in variances of the noise: twice the logarithm of how much likelier the series is with it.
/// The constant holds false alarms of a week of hours, the logarithm those of long series.
fn penalty(n: usize) -> f64 {
    (2.0 * (n as f64 / 4.0).ln()).max(12.0)
}

/// Of a change of line, which has a slope more, as a multiple.
const OF_LINES: f64 = 1.5;

/// Least height of a change of level, in standard deviations of the noise: in a long series less is certain and does not
/// matter.
const MATTERS: f64 = 0.25;

/// Fewest values that a change is looked for in.
const FEWEST: usize = 10;

/// Steps at which a series without season changes its level, or, if that tells it better, the line it runs along. NaN is
/// missing. The penalty of a change is 2 ln(n/4), 12 at least, times the long-run variance, which is estimated so that changes do not count
/// as noise; single outliers are pulled in first; a change must also stand out from the scatter on its own two sides, and make an
/// autoregression of them likelier by as much.
///
/// R. Killick, P. Fearnhead and I. A. Eckley, J. Am. Statist. Ass. 107 (2012); penalty for autoregressive noise: M.
/// Lavielle and E. Moulines, "Least-squares Estimation of an Unknown Number of Shifts in a Time Series", J. Time Ser. Anal.
/// 21 (2000).
pub fn change_points(values: &[f64]) -> Vec<ChangePoint> {
    lasting_changes(values, 1)
}

/// Those whose levels last for so many steps at least, or for a twentieth of the series if that is less: what comes back sooner is no
/// change of level. In many weeks of hours noise alone has a few hours that look like one.
pub(crate) fn lasting_changes(values: &[f64], steps: usize) -> Vec<ChangePoint> {
    let places: Vec<usize> = (0..values.len())
        .filter(|step| values[*step].is_finite())
        .collect();
    if places.len() < FEWEST {
        return Vec::new();
    }
    let raw: Vec<f64> = places.iter().map(|step| values[*step]).collect();
    let Some((series, unit)) = standardised(&raw) else {
        return Vec::new();
    };
    let shortest = shortest(series.len()).max(steps.min(series.len() / 20));
    let (cost, cuts, noise) = segmented(&series, shortest);
    let cuts = kept(&series, &cost, cuts, &noise);
    described(&series, &cost, &cuts, &noise)
        .into_iter()
        .map(|change| ChangePoint {
            index: places[change.index],
            effect: change.effect * unit,
            interval: (change.interval.0 * unit, change.interval.1 * unit),
        })
        .collect()
}

/// The series around 0 in units of its scatter, outliers pulled in to their neighbours; and the unit. `None` if constant.
fn standardised(values: &[f64]) -> Option<(Vec<f64>, f64)> {
    let reach = if values.len() < 100 { 2 } else { 5 };
    let local = robust::running_median(values, reach);
    let away: Vec<f64> = values
        .iter()
        .zip(&local)
        .map(|(value, local)| value - local)
        .collect();
    // Half of the values may be equal; then the rest tells the scatter.
    let moved: Vec<f64> = away.iter().copied().filter(|away| *away != 0.0).collect();
    let scatter = robust::scale(&moved, 0.0);
    let centre = robust::median(values);
    let unit = if scatter > 0.0 {
        scatter
    } else {
        robust::scale(values, centre).max(spread(values))
    };
    if unit <= 0.0 || !unit.is_finite() {
        return None;
    }
    let far = if scatter > 0.0 {
        5.0 * scatter
    } else {
        f64::INFINITY
    };
    let pulled = |(value, local): (&f64, &f64)| ((value.clamp(local - far, local + far)) - centre) / unit;
    Some((values.iter().zip(&local).map(pulled).collect(), unit))
}

fn spread(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

/// Fewest steps between changes.
fn shortest(n: usize) -> usize {
    if n < 50 { 3 } else { 5 }
}

/// The cuts, by levels or by lines, whichever tells the series with less.
fn segmented(series: &[f64], shortest: usize) -> (Cost, Vec<usize>, Noise) {
    let n = series.len();
    let worth = penalty(n);
    let levels = Cost::new(series, Shape::Level);
    let mut noise = Noise::of_differences(series);
    // No more exact than a thousandth of the unit: a series of few values may repeat for long.
    noise.variance = noise.variance.max(1e-6);
    let mut cuts = pelt(&levels, worth * noise.long_run(), shortest);
    for _ in 0..3 {
        if cuts.is_empty() {
            break;
        }
        let seen = Noise::of_residuals(&residuals(series, &levels, &cuts), cuts.len() + 1);
        if seen.inflation <= noise.inflation * 1.05 {
            break;
        }
        noise.inflation = seen.inflation;
        noise.phi = noise.phi.max(seen.phi);
        cuts = pelt(&levels, worth * noise.long_run(), shortest);
    }
    if cuts.is_empty() {
        return (levels, cuts, noise);
    }
    let lines = Cost::new(series, Shape::Line);
    let along = pelt(&lines, OF_LINES * worth * noise.long_run(), shortest.max(4));
    let total = |cost: &Cost, cuts: &[usize], penalty: f64| {
        segments(cuts, n).map(|(from, to)| cost.of(from, to)).sum::<f64>() + penalty * cuts.len() as f64
    };
    // What is left beside the levels tells the noise closer than differences do, now that there are levels.
    let left = Noise::of_residuals(&residuals(series, &levels, &cuts), cuts.len() + 1).long_run();
    let unit = worth * left.min(noise.long_run());
    // One slope more is in the lines even without a cut.
    if total(&lines, &along, OF_LINES * unit) + unit / 2.0 < total(&levels, &cuts, unit) {
        (lines, along, noise)
    } else {
        (levels, cuts, noise)
    }
}

/// First and last but one step of each segment.
fn segments(cuts: &[usize], n: usize) -> impl Iterator<Item = (usize, usize)> {
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    starts.zip(cuts.iter().copied().chain(std::iter::once(n)))
}

fn residuals(series: &[f64], cost: &Cost, cuts: &[usize]) -> Vec<f64> {
    let mut rest = Vec::with_capacity(series.len());
    for (from, to) in segments(cuts, series.len()) {
        let line = cost.fit(from, to);
        rest.extend((from..to).map(|step| series[step] - line.at(step)));
    }
    rest
}

/// The cuts that also stand out from the scatter on their two sides, the least sure one dropped first.
fn kept(series: &[f64], cost: &Cost, mut cuts: Vec<usize>, noise: &Noise) -> Vec<usize> {
    let n = cost.len();
    let needed = penalty(n)
        * if cost.shape() == Shape::Level {
            1.0
        } else {
            OF_LINES
        };
    let sure = |cuts: &[usize], index: usize| {
        let from = if index == 0 { 0 } else { cuts[index - 1] };
        let to = cuts.get(index + 1).copied().unwrap_or(n);
        let bounds = (from, cuts[index], to);
        let height = cost.fit(bounds.1, to).at(bounds.1) - cost.fit(from, bounds.1).at(bounds.1);
        if cost.shape() == Shape::Level && height.powi(2) < MATTERS * MATTERS * noise.variance {
            return 0.0;
        }
        sureness(cost, bounds, noise).min(likelier(series, cost, bounds))
    };
    let mut scores: Vec<f64> = (0..cuts.len()).map(|index| sure(&cuts, index)).collect();
    while let Some((index, score)) = scores
        .iter()
        .copied()
        .enumerate()
        .min_by(|a, b| a.1.total_cmp(&b.1))
    {
        if score >= needed {
            break;
        }
        cuts.remove(index);
        scores.remove(index);
        for (near, score) in scores
            .iter_mut()
            .enumerate()
            .take(index + 1)
            .skip(index.saturating_sub(1))
        {
            *score = sure(&cuts, near);
        }
    }
    cuts
}

/// What the cut takes away of the squared distances, over the long-run variance on its two sides. The variance of a short
/// side is told by the whole series too, with the weight of twenty values.
fn sureness(cost: &Cost, (from, cut, to): (usize, usize, usize), noise: &Noise) -> f64 {
    let side = |from: usize, to: usize| {
        let n = (to - from) as f64;
        let own = cost.of(from, to) / n;
        // A side plainly calmer or wilder than the whole is judged by itself.
        let weight = if (0.5..2.0).contains(&(own / noise.variance)) {
            20.0
        } else {
            3.0
        };
        let variance = (own * n + weight * noise.variance) / (n + weight);
        (n, variance.max(noise.variance * 0.25) * noise.inflation)
    };
    let ((before, left), (after, right)) = (side(from, cut), side(cut, to));
    let gain = cost.of(from, to) - cost.of(from, cut) - cost.of(cut, to);
    // As Welch: the variance that the difference of two means has, against the one it would have if both sides were alike.
    let mixed = (left / before + right / after) / (1.0 / before + 1.0 / after);
    gain / mixed
}

/// Twice the logarithm of how much likelier an autoregression of order one around two fits is than one around a single fit:
/// what looks like a change may be a slow swing of the noise, which only the two together tell.
fn likelier(series: &[f64], cost: &Cost, (from, cut, to): (usize, usize, usize)) -> f64 {
    let innovations = |cuts: &[usize]| {
        let (mut own, mut cross, mut last) = (0.0, 0.0, 0.0);
        let mut before = None;
        for (start, end) in segments(cuts, to - from) {
            let fit = cost.fit(from + start, from + end);
            for (step, value) in series.iter().enumerate().take(from + end).skip(from + start) {
                let rest = value - fit.at(step);
                if let Some(before) = before.replace(rest) {
                    own += rest * rest;
                    cross += rest * before;
                    last += before * before;
                }
            }
        }
        let phi = if last > 0.0 {
            (cross / last).clamp(0.0, MOST)
        } else {
            0.0
        };
        own - 2.0 * phi * cross + phi * phi * last
    };
    let (two, one) = (innovations(&[cut - from]), innovations(&[]));
    if two <= 0.0 {
        f64::INFINITY
    } else {
        (to - from) as f64 * (one / two).ln()
    }
}

/// The noise of a series without season, steps told from it. NaN is missing.
pub(crate) fn noise(values: &[f64]) -> Noise {
    let raw = robust::present(values);
    let plain = Noise::of_differences(values);
    let Some((series, unit)) = standardised(&raw).filter(|_| raw.len() >= FEWEST) else {
        return plain;
    };
    let (cost, cuts, rough) = segmented(&series, shortest(series.len()));
    let cuts = kept(&series, &cost, cuts, &rough);
    let seen = Noise::of_residuals(&residuals(&series, &cost, &cuts), cuts.len() + 1);
    Noise {
        variance: seen.variance * unit * unit,
        ..seen
    }
}

/// Places made exact, effects with their intervals.
fn described(series: &[f64], cost: &Cost, cuts: &[usize], noise: &Noise) -> Vec<ChangePoint> {
    let n = series.len();
    let mut cuts = cuts.to_vec();
    if cost.shape() == Shape::Level {
        for index in 0..cuts.len() {
            let from = if index == 0 { 0 } else { cuts[index - 1] };
            let to = cuts.get(index + 1).copied().unwrap_or(n);
            cuts[index] = placed(series, (from, cuts[index], to), noise.phi);
        }
    }
    let bounds: Vec<(usize, usize)> = segments(&cuts, n).collect();
    let changes = bounds.windows(2).map(|sides| {
        let ((from, cut), (_, to)) = (sides[0], sides[1]);
        let effect = cost.fit(cut, to).at(cut) - cost.fit(from, cut).at(cut);
        // The end of a line is four times less certain than its middle.
        let uncertain = if cost.shape() == Shape::Level { 1.0 } else { 4.0 };
        let variance = |from: usize, to: usize| {
            let count = to - from;
            let own = (cost.of(from, to) + 20.0 * noise.variance) / (count as f64 + 20.0);
            uncertain * own / effective_n(count, noise.phi)
        };
        let reach = 1.96 * (variance(from, cut) + variance(cut, to)).sqrt();
        ChangePoint {
            index: cut,
            effect,
            interval: (effect - reach, effect + reach),
        }
    });
    changes.collect()
}

/// The place of a cut by the likelihood of an autoregression, which sees the jump between neighbours and not the levels
/// alone.
fn placed(series: &[f64], (from, cut, to): (usize, usize, usize), phi: f64) -> usize {
    let mean = |from: usize, to: usize| series[from..to].iter().sum::<f64>() / (to - from) as f64;
    let (before, after) = (mean(from, cut), mean(cut, to));
    let lowest = (from + 2).max(cut.saturating_sub(1000));
    let highest = (to - 2).min(cut + 1000);
    if lowest >= highest {
        return cut;
    }
    let rest =
        |step: usize, own: f64, previous: f64| series[step] - own - phi * (series[step - 1] - previous);
    // From one place to the next, one step goes from the new level to the old one.
    let (mut total, mut least, mut best) = (0.0, f64::INFINITY, cut);
    for place in lowest..=highest {
        if place > lowest {
            let last = place - 1;
            total += rest(last, before, before).powi(2) - rest(last, after, before).powi(2);
            total -= rest(place, after, after).powi(2);
            total += rest(place, after, before).powi(2);
        }
        if total < least {
            (least, best) = (total, place);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;
    use proptest::prelude::*;

    fn stepped(seed: u64, n: usize, phi: f64, at: usize, height: f64) -> Vec<f64> {
        ar1(seed, n, phi)
            .iter()
            .enumerate()
            .map(|(t, v)| v + if t < at { 0.0 } else { height })
            .collect()
    }

    #[test]
    fn a_step_is_placed_with_its_height() {
        let found = change_points(&stepped(3, 1000, 0.5, 600, 2.0));
        assert_eq!(found.len(), 1);
        assert!(found[0].index.abs_diff(600) <= 24, "{found:?}");
        assert!(
            found[0].interval.0 < 2.0 && 2.0 < found[0].interval.1,
            "{found:?}"
        );
    }

    #[test]
    fn steps_of_an_hourly_series_are_located_within_a_day() {
        for (height, least) in [(1.0, 0.8), (2.0, 0.95)] {
            let located = (0..100).filter(|seed| {
                change_points(&stepped(*seed, 1344, 0.5, 900, height))
                    .iter()
                    .any(|c| c.index.abs_diff(900) <= 24)
            });
            let located = located.count() as f64 / 100.0;
            assert!(located >= least, "{located} at {height}");
        }
    }

    #[test]
    fn series_without_a_change_have_none() {
        for phi in [0.0, 0.5, 0.8] {
            let found: usize = (0..100)
                .map(|seed| change_points(&ar1(seed, 1344, phi)).len())
                .sum();
            assert!(found <= 10, "{found} at {phi}");
        }
    }

    #[test]
    fn outliers_ramps_and_calm_and_wild_times_are_no_changes() {
        let mut spikes = ar1(1, 500, 0.3);
        for place in [100, 101, 250, 400] {
            spikes[place] += 40.0;
        }
        assert_eq!(change_points(&spikes), []);
        let ramp: Vec<f64> = ar1(2, 500, 0.3)
            .iter()
            .enumerate()
            .map(|(t, v)| v + 0.05 * t as f64)
            .collect();
        assert_eq!(change_points(&ramp), []);
        let wild: Vec<f64> = ar1(4, 500, 0.0)
            .iter()
            .enumerate()
            .map(|(t, v)| if t < 300 { *v } else { 6.0 * v })
            .collect();
        assert_eq!(change_points(&wild), []);
    }

    #[test]
    fn too_short_or_constant_series_have_no_change() {
        assert_eq!(change_points(&[1.0, 1.0, 9.0, 9.0]), []);
        assert_eq!(change_points(&[4.0; 60]), []);
        assert_eq!(change_points(&[f64::NAN; 60]), []);
        let switched: Vec<f64> = (0..60).map(|t| f64::from(u8::from(t >= 40))).collect();
        assert_eq!(
            change_points(&switched)
                .iter()
                .map(|change| change.index)
                .collect::<Vec<_>>(),
            [40]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn changes_follow_scale_shift_and_sign(seed in 0..100_u64, scale in 0.1..50.0_f64, shift in -100.0..100.0_f64) {
            let values = stepped(seed, 300, 0.4, 180, 3.0);
            let there = change_points(&values);
            let back = change_points(&values.iter().map(|value| shift - scale * value).collect::<Vec<_>>());
            prop_assert_eq!(there.len(), back.len());
            for (a, b) in there.iter().zip(&back) {
                prop_assert_eq!(a.index, b.index);
                prop_assert!((a.effect * scale + b.effect).abs() < 1e-6 * scale);
            }
        }
    }
}
