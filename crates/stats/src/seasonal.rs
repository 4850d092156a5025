use stlrs::{Mstl, Stl};

use crate::robust;

/// A series and what repeats in it. Everything has the length of the series.
#[derive(Debug, Clone, PartialEq)]
pub struct Seasonal {
    /// Lengths of the seasons found, in steps, rising.
    pub periods: Vec<usize>,
    /// Sum of the seasons at each step, around zero.
    pub season: Vec<f64>,
    /// The series without its seasons. NaN where the series has no value.
    pub adjusted: Vec<f64>,
}

/// Of the scatter around a moving average, a season explains at least this share, in cycles it was not learnt from.
const WORTH: f64 = 0.1;

/// Takes out of a series the seasons that it has among `candidates` (lengths in steps, rising). NaN is missing: filled
/// between neighbours for the fit alone. A season counts as one when the mean cycle of every other cycle tells the cycles
/// between; then all are fitted together.
///
/// K. Bandara, R. J. Hyndman and C. Bergmeir, "MSTL: A Seasonal-Trend Decomposition Algorithm for Time Series with Multiple
/// Seasonal Patterns", arXiv:2107.13462 (2021); R. B. Cleveland et al., "STL", J. Official Statist. 6 (1990).
pub fn seasonal(values: &[f64], candidates: &[usize]) -> Seasonal {
    let mut rest = values.to_vec();
    let mut periods = Vec::new();
    for period in candidates
        .iter()
        .copied()
        .filter(|period| *period >= 2 && 3 * period <= values.len())
    {
        let swing = without_average(&rest, period);
        if explained(&swing, period) >= WORTH || is_season_of_parts(&swing, period) {
            let cycle = mean_cycle(&swing, period, |_| true);
            for (step, value) in rest.iter_mut().enumerate() {
                *value -= cycle[step % period];
            }
            periods.push(period);
        }
    }
    let season = if periods.is_empty() {
        None
    } else {
        fit(values, &periods)
    };
    let Some(season) = season else {
        return Seasonal {
            periods: Vec::new(),
            season: vec![0.0; values.len()],
            adjusted: values.to_vec(),
        };
    };
    let adjusted = values
        .iter()
        .zip(&season)
        .map(|(value, season)| value - season)
        .collect();
    Seasonal {
        periods,
        season,
        adjusted,
    }
}

/// Parts of a long cycle: half days and days of a week.
const PARTS: [usize; 2] = [14, 7];

/// Of the scatter of the parts' means, a season of so many cycles explains at least this share: few of them agree by chance.
fn worth_of_parts(cycles: usize) -> f64 {
    0.1 + 1.0 / cycles as f64
}

/// A long cycle has few values at each of its steps, and their noise hides what a season explains: it is told by the means of
/// its parts, too.
fn is_season_of_parts(swing: &[f64], period: usize) -> bool {
    let worth = worth_of_parts(swing.len() / period);
    let tell = |count: usize| explained(&parts(swing, period, count), count) >= worth;
    PARTS.into_iter().any(|count| period >= 4 * count && tell(count))
}

/// The mean of each of so many parts of each cycle; NaN where there is no value.
pub(crate) fn parts(values: &[f64], period: usize, count: usize) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); values.len().div_ceil(period) * count];
    for (step, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
        let part = step / period * count + step % period * count / period;
        sums[part].0 += value;
        sums[part].1 += 1.0;
    }
    sums.into_iter().map(|(sum, count)| sum / count).collect()
}

/// The most steps that a season is looked for in, and the longest one found, where the times tell none.
const LOOKED_AT: usize = 20_000;
const LONGEST: usize = 1_000;

/// Length of the season that a series without times may have: the lag at which its steps are most alike, if they are alike
/// at all. Whether it is one, [`seasonal`] judges.
pub fn likely_season(values: &[f64]) -> Option<usize> {
    let values = &values[..values.len().min(LOOKED_AT)];
    let steps: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let scale = robust::scale(&robust::present(&steps), 0.0);
    let steps: Vec<f64> = steps
        .iter()
        .map(|step| {
            if step.is_finite() {
                step.clamp(-5.0 * scale, 5.0 * scale)
            } else {
                0.0
            }
        })
        .collect();
    let alike = |lag: usize| steps.iter().zip(&steps[lag..]).map(|(a, b)| a * b).sum::<f64>();
    let longest = (values.len() / 4).min(LONGEST);
    let all = alike(0);
    let lags: Vec<f64> = (0..=longest + 1)
        .map(|lag| if lag < steps.len() { alike(lag) / all } else { 0.0 })
        .collect();
    // Multiples of a season are as alike; the shortest is meant.
    let peaks = (3..=longest)
        .filter(|lag| lags[*lag] > lags[lag - 1] && lags[*lag] > lags[lag + 1] && lags[*lag] > 0.2);
    let highest = peaks.clone().map(|lag| lags[lag]).fold(0.0, f64::max);
    let first = peaks.clone().find(|lag| lags[*lag] > 0.85 * highest)?;
    // Noise moves a broad peak by a step: the length that tells its own cycles best is the season.
    let away = (first / 10).max(1);
    let best = |lag: usize| explained(&without_average(values, lag), lag);
    (first.saturating_sub(away).max(3)..=first + away).max_by(|a, b| best(*a).total_cmp(&best(*b)))
}

/// The seasons together. Few cycles get one shape for all, many may change theirs slowly.
fn fit(values: &[f64], periods: &[usize]) -> Option<Vec<f64>> {
    let filled = without_spikes(&filled(values)?);
    let lengths: Vec<usize> = periods
        .iter()
        .map(|period| {
            let cycles = values.len() / period;
            if cycles < 12 {
                10 * values.len() + 1
            } else {
                (cycles / 2).max(15) | 1
            }
        })
        .collect();
    let mut stl = Stl::params();
    stl.seasonal_degree(0);
    // A smoother as wide as the series is a mean: it need not be taken at each cycle.
    let widest = lengths.iter().max().copied()?;
    if widest > values.len() {
        stl.seasonal_jump(values.len());
    }
    let result = Mstl::params()
        .seasonal_lengths(&lengths)
        .stl_params(stl)
        .fit(&filled, periods)
        .ok()?;
    Some(
        (0..values.len())
            .map(|step| result.seasonal().iter().map(|season| season[step]).sum())
            .collect(),
    )
}

/// Missing values drawn between their neighbours.
fn filled(values: &[f64]) -> Option<Vec<f64>> {
    let first = values.iter().position(|value| value.is_finite())?;
    let mut filled = values.to_vec();
    filled[..first].fill(values[first]);
    let mut before = first;
    for step in first + 1..=values.len() {
        if step == values.len() {
            let last = values[before];
            filled[before + 1..].fill(last);
        } else if values[step].is_finite() {
            let slope = (values[step] - values[before]) / (step - before) as f64;
            for (gap, value) in filled[before + 1..step].iter_mut().enumerate() {
                *value = values[before] + slope * (gap + 1) as f64;
            }
            before = step;
        }
    }
    Some(filled)
}

/// Single values far from all others pulled in: a season should not learn them.
fn without_spikes(values: &[f64]) -> Vec<f64> {
    let centre = robust::median(values);
    let scale = robust::scale(values, centre);
    let bulk = (robust::quantile(values, 0.99) - robust::quantile(values, 0.01)) / 2.0;
    let far = (8.0 * scale).max(2.0 * bulk);
    if far <= 0.0 {
        return values.to_vec();
    }
    values
        .iter()
        .map(|value| value.clamp(centre - far, centre + far))
        .collect()
}

/// The values less the mean of the cycle around them, which has no season and follows level and trend; around their median.
pub(crate) fn without_average(values: &[f64], period: usize) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0)];
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        if value.is_finite() {
            sum += value;
            count += 1.0;
        }
        sums.push((sum, count));
    }
    let swing: Vec<f64> = (0..values.len())
        .map(|step| {
            let start = step
                .saturating_sub(period / 2)
                .min(values.len().saturating_sub(period));
            let end = (start + period).min(values.len());
            values[step] - (sums[end].0 - sums[start].0) / (sums[end].1 - sums[start].1)
        })
        .collect();
    // Distances are smallest around the median: a skewed series would find a season in that alone.
    let centre = robust::median(&robust::present(&swing));
    swing.iter().map(|value| value - centre).collect()
}

/// Median value at each step of the cycle, over the cycles taken; 0 where there is none.
fn mean_cycle(values: &[f64], period: usize, taken: impl Fn(usize) -> bool) -> Vec<f64> {
    let mut steps = vec![Vec::new(); period];
    for (index, value) in values
        .iter()
        .enumerate()
        .filter(|(index, value)| taken(index / period) && value.is_finite())
    {
        steps[index % period].push(*value);
    }
    steps
        .iter()
        .map(|values| {
            if values.is_empty() {
                0.0
            } else {
                robust::median(values)
            }
        })
        .collect()
}

/// Share of the scatter of each half of the cycles that the other half's mean cycle takes away; robust: of mean distances.
fn explained(values: &[f64], period: usize) -> f64 {
    let (even, odd) = (
        mean_cycle(values, period, |cycle| cycle % 2 == 0),
        mean_cycle(values, period, |cycle| cycle % 2 == 1),
    );
    let (mut before, mut after) = (0.0, 0.0);
    for (index, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
        let told = if (index / period).is_multiple_of(2) {
            odd[index % period]
        } else {
            even[index % period]
        };
        before += value.abs();
        after += (value - told).abs();
    }
    if before > 0.0 {
        1.0 - (after / before).powi(2)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;

    fn wave(n: usize, period: usize, height: f64) -> Vec<f64> {
        let turn = std::f64::consts::TAU / period as f64;
        (0..n).map(|step| height * (turn * step as f64).sin()).collect()
    }

    #[test]
    fn seasons_are_found_and_taken_out_in_spite_of_gaps() {
        let (noise, day, week) = (ar1(1, 1344, 0.5), wave(1344, 24, 2.0), wave(1344, 168, 1.5));
        let mut values: Vec<f64> = (0..1344).map(|n| 10.0 + noise[n] + day[n] + week[n]).collect();
        values[100..130].fill(f64::NAN);
        let found = seasonal(&values, &[24, 168]);
        assert_eq!(found.periods, [24, 168]);
        let wrong = (0..1344)
            .map(|n| (found.season[n] - day[n] - week[n]).powi(2))
            .sum::<f64>()
            / 1344.0;
        assert!(wrong < 0.2, "{wrong}");
        assert!(found.adjusted[110].is_nan());
    }

    #[test]
    fn a_gentle_week_under_noise_is_found_nearly_always() {
        let found = |seed: &u64| {
            let week = wave(1344, 168, 1.0);
            let noise = ar1(*seed, 1344, 0.3);
            let values: Vec<f64> = noise
                .iter()
                .zip(&week)
                .map(|(noise, week)| noise + week)
                .collect();
            seasonal(&values, &[24, 168]).periods.contains(&168)
        };
        let found = (0..100).filter(found).count();
        assert!(found >= 98, "{found} of 100");
    }

    #[test]
    fn a_season_is_found_where_the_times_tell_none() {
        let (noise, wave) = (ar1(1, 400, 0.3), wave(400, 17, 3.0));
        let values: Vec<f64> = (0..400).map(|n| noise[n] + wave[n]).collect();
        assert_eq!(likely_season(&values), Some(17));
        assert_eq!(likely_season(&[1.0; 50]), None);
        assert_eq!(likely_season(&[]), None);
    }

    #[test]
    fn noise_has_no_season() {
        let found = (0..200)
            .filter(|seed| !seasonal(&ar1(*seed, 672, 0.8), &[24, 168]).periods.is_empty())
            .count();
        assert!(found <= 4, "{found} of 200");
        let found = (0..200)
            .filter(|seed| !seasonal(&ar1(*seed, 90, 0.6), &[7]).periods.is_empty())
            .count();
        assert!(found <= 4, "{found} of 200");
    }

    #[test]
    fn a_level_that_moves_is_not_taken_for_season() {
        let values: Vec<f64> = ar1(3, 672, 0.5)
            .iter()
            .enumerate()
            .map(|(n, v)| v + if n < 400 { 0.0 } else { 6.0 })
            .collect();
        assert!(seasonal(&values, &[24, 168]).periods.is_empty());
    }
}
