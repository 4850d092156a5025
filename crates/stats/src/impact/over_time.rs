use std::ops::Range;

use super::{Arms, Control, Impact, Question, Unmeasurable, impact};
use crate::grid::Grid;
use crate::seasonal::{likely_season, seasonal};
use crate::series::Times;

/// What was observed around a change, at any times.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed<'a> {
    /// When, in any order.
    pub times: Times<'a>,
    /// A value for each time; NaN is missing.
    pub values: &'a [f64],
    /// How many decisions each value rests on, where that is known.
    pub samples: Option<&'a [f64]>,
    /// Comparable series that the change did not touch, a value for each time.
    pub controls: &'a [Control<'a>],
    /// When the change was made: what is observed at that time or later is after it.
    pub change: f64,
    /// Times before the change that are no baseline.
    pub excluded: &'a [Range<f64>],
    /// Whether a rise is an improvement.
    pub higher_is_better: bool,
    /// Where chance said which decisions the change applied to.
    pub arms: Option<&'a Arms>,
}

const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;
const WEEK: usize = 7;

/// Days after the change for which measurements are planned; steps, where steps are longer or no times.
const HORIZON: usize = 28;

/// Steps are put together to hours or days where there are so many of these before and after.
const BLOCKS_BEFORE: f64 = 28.0;
const BLOCKS_AFTER: f64 = 2.0;

/// More steps than this are put together: the effect of a change is not told better by them.
const MOST: usize = 2_000;

/// A block must have this share of its steps.
const PRESENT: f64 = 0.5;

/// Measures the effect of a change on what was observed: the step and the season are worked out, and steps shorter than a day
/// put together to days, counted from the change, with the course of the day taken out of days that are not whole.
///
/// # Errors
/// As [`impact`].
pub fn impact_over_time(observed: &Observed<'_>) -> Result<Impact, Unmeasurable> {
    let (Times::Seconds(times) | Times::Numbers(times)) = observed.times;
    let blocks = Blocks::of(observed);
    let whole = blocks.put_together(observed.values, observed.samples);
    let samples = observed.samples.map(|samples| blocks.sums(samples));
    let controls: Vec<(&str, Vec<f64>)> = observed
        .controls
        .iter()
        .map(|control| (control.name, blocks.put_together(control.values, None)))
        .collect();
    let controls: Vec<Control<'_>> = controls
        .iter()
        .map(|(name, values)| Control { name, values })
        .collect();
    let guessed: Vec<usize>;
    let seasons = match (blocks.length, &blocks.seasons) {
        (None, _) => {
            let before = &whole[..blocks.change];
            let likely: Vec<usize> = likely_season(before).into_iter().collect();
            // Of a season that is none, no steps are left over.
            guessed = seasonal(before, &likely).periods;
            &guessed
        }
        (Some(_), seasons) => seasons,
    };
    let excluded: Vec<Range<usize>> = observed
        .excluded
        .iter()
        .map(|range| blocks.range(times, range))
        .collect();
    impact(&Question {
        values: &whole,
        change: blocks.change,
        samples: samples.as_deref(),
        scales: None,
        controls: &controls,
        seasons,
        excluded: &excluded,
        higher_is_better: observed.higher_is_better,
        horizon: blocks.horizon,
        arms: observed.arms,
    })
}

/// Steps put together, counted from the change.
struct Blocks {
    grid: Grid,
    /// Block of each step of the grid.
    block: Vec<usize>,
    count: usize,
    /// First block after the change.
    change: usize,
    /// Length of a block in seconds, where that is known.
    length: Option<f64>,
    /// Seasons that the blocks may have.
    seasons: Vec<usize>,
    /// Season of a day, in steps, where blocks are days.
    day: Option<usize>,
    horizon: usize,
}

impl Blocks {
    fn of(observed: &Observed<'_>) -> Self {
        let (times, grid) = match observed.times {
            Times::Seconds(times) => (times, Grid::of(times)),
            Times::Numbers(times) => (times, Grid::of_numbers(times)),
        };
        let first = times.iter().copied().fold(f64::INFINITY, f64::min);
        let before: Vec<usize> = grid
            .slots
            .iter()
            .zip(times)
            .filter(|(_, time)| **time < observed.change)
            .map(|(slot, _)| *slot)
            .collect();
        // The first step after the change: the one after the last with an observation before it, gaps counted by time.
        let seen = before.iter().max().map_or(0, |last| last + 1);
        let change = match grid.step {
            Some(step) if seen > 0 => {
                let by_time = ((observed.change - first) / step - 1e-6).ceil().max(0.0) as usize;
                by_time.clamp(seen, grid.length)
            }
            _ => seen,
        };
        let size = block_size(&grid, change);
        let before = change.div_ceil(size);
        let block: Vec<usize> = (0..grid.length)
            .map(|slot| {
                if slot < change {
                    before - 1 - (change - 1 - slot) / size
                } else {
                    before + (slot - change) / size
                }
            })
            .collect();
        let length = grid.step.map(|step| step * size as f64);
        let count = block.last().map_or(0, |last| last + 1);
        let day = grid.a_day();
        let seasons = match length {
            Some(length) if (length - DAY).abs() < 1.0 => vec![WEEK],
            Some(_) if size == 1 => grid.seasons(),
            Some(length) if length < DAY => vec![(DAY / length).round() as usize],
            _ => Vec::new(),
        };
        Self {
            horizon: length.map_or(HORIZON, |length| {
                ((HORIZON as f64 * DAY / length).round() as usize).max(HORIZON)
            }),
            day: (size == day && day > 1).then_some(day),
            block,
            count,
            change: before,
            length,
            seasons,
            grid,
        }
    }

    /// The mean of what is there in each block that is half there, weighted by samples.
    fn put_together(&self, values: &[f64], samples: Option<&[f64]>) -> Vec<f64> {
        let mut steps = self.grid.values(values);
        if let Some(day) = self.day {
            steps = seasonal(&steps, &[day]).adjusted;
        }
        let weights = samples.map(|samples| self.grid.values(samples));
        let mut sums = vec![(0.0, 0.0, 0.0, 0.0); self.count];
        for (step, value) in steps.iter().enumerate() {
            let sum = &mut sums[self.block[step]];
            sum.3 += 1.0;
            let weight = weights.as_ref().map_or(1.0, |weights| weights[step]);
            if value.is_finite() && weight > 0.0 {
                sum.0 += weight * value;
                sum.1 += weight;
                sum.2 += 1.0;
            }
        }
        let whole = sums.iter().map(|sum| sum.3).fold(0.0, f64::max);
        sums.iter()
            .map(|(sum, weight, there, _)| {
                if *there >= PRESENT * whole {
                    sum / weight
                } else {
                    f64::NAN
                }
            })
            .collect()
    }

    fn sums(&self, samples: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.count];
        for (step, value) in self.grid.values(samples).iter().enumerate() {
            sums[self.block[step]] += if value.is_finite() { *value } else { 0.0 };
        }
        sums
    }

    /// The blocks from the first to the last observation in a range of times.
    fn range(&self, seen: &[f64], times: &Range<f64>) -> Range<usize> {
        let inside = seen.iter().zip(&self.grid.slots);
        let blocks = inside
            .filter(|(time, _)| times.contains(*time))
            .map(|(_, slot)| self.block[*slot]);
        blocks.fold(self.count..0, |range, block| {
            range.start.min(block)..range.end.max(block + 1)
        })
    }
}

/// How many steps a block has.
fn block_size(grid: &Grid, change: usize) -> usize {
    let enough = |size: f64| {
        let (before, after) = (change as f64 / size, (grid.length - change) as f64 / size);
        before >= BLOCKS_BEFORE && after >= BLOCKS_AFTER
    };
    let of_time = [DAY, HOUR].into_iter().find_map(|length| {
        let size = length / grid.step?;
        (size >= 2.0 && (size - size.round()).abs() < 0.01 && enough(size)).then_some(size.round() as usize)
    });
    let size = of_time.unwrap_or(1);
    size * grid.length.div_ceil(size).div_ceil(MOST).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;

    fn observed<'a>(times: Times<'a>, values: &'a [f64], change: f64) -> Observed<'a> {
        Observed {
            times,
            values,
            samples: None,
            controls: &[],
            change,
            excluded: &[],
            higher_is_better: true,
            arms: None,
        }
    }

    /// Fifty days of hours with the course of a day, higher by 1 from the noon after forty days.
    fn hours() -> (Vec<f64>, Vec<f64>) {
        let turn = std::f64::consts::TAU / 24.0;
        let values = ar1(3, 1200, 0.3).into_iter().enumerate().map(|(hour, noise)| {
            let effect = if hour < 972 { 0.0 } else { 1.0 };
            20.0 + 4.0 * (turn * hour as f64).sin() + 0.5 * noise + effect
        });
        (
            (0..1200).map(|hour| f64::from(hour) * HOUR).collect(),
            values.collect(),
        )
    }

    #[test]
    fn hours_become_days_counted_from_the_change_in_any_order() {
        let (times, values) = hours();
        let found = impact_over_time(&observed(Times::Seconds(&times), &values, 972.0 * HOUR)).unwrap();
        // Five whole weeks before it and one after.
        assert_eq!(found.values, (35, 7));
        assert!(found.interval.0 < 1.0 && 1.0 < found.interval.1, "{found:?}");
        assert!(
            found.interval.1 - found.interval.0 < 0.6 && found.verdict == super::super::Verdict::Improved
        );
        let back = |values: &[f64]| values.iter().rev().copied().collect::<Vec<_>>();
        let (times, values) = (back(&times), back(&values));
        let turned = impact_over_time(&observed(Times::Seconds(&times), &values, 972.0 * HOUR)).unwrap();
        assert_eq!(turned.interval, found.interval);
    }

    #[test]
    fn a_day_of_which_half_is_missing_has_no_value_and_one_hour_less_hardly_counts() {
        let (times, mut values) = hours();
        let whole = impact_over_time(&observed(Times::Seconds(&times), &values, 972.0 * HOUR)).unwrap();
        values[900..914].fill(f64::NAN);
        values[800..803].fill(f64::NAN);
        let found = impact_over_time(&observed(Times::Seconds(&times), &values, 972.0 * HOUR)).unwrap();
        assert_eq!(found.values, (34, 7));
        assert!(
            (found.effect - whole.effect).abs() < 0.1,
            "{} and {}",
            found.effect,
            whole.effect
        );
    }

    #[test]
    fn plain_numbers_are_steps_and_excluded_times_are_no_baseline() {
        let values: Vec<f64> = ar1(4, 88, 0.3)
            .iter()
            .enumerate()
            .map(|(step, noise)| noise + if step < 60 { 0.0 } else { 3.0 })
            .collect();
        let numbers: Vec<f64> = (0..88).map(|step| f64::from(step) + 100.0).collect();
        let found = impact_over_time(&observed(Times::Numbers(&numbers), &values, 160.0)).unwrap();
        assert_eq!(found.values, (60, 28));
        assert!(found.interval.0 < 3.0 && 3.0 < found.interval.1);
        let days: Vec<f64> = numbers.iter().map(|day| day * DAY).collect();
        let week = 153.0 * DAY..160.0 * DAY;
        let asked = Observed {
            excluded: std::slice::from_ref(&week),
            ..observed(Times::Seconds(&days), &values, 160.0 * DAY)
        };
        assert_eq!(impact_over_time(&asked).unwrap().values, (49, 28));
    }

    #[test]
    fn a_change_before_or_after_everything_is_refused() {
        let (times, values) = hours();
        let at = |change: f64| impact_over_time(&observed(Times::Seconds(&times), &values, change));
        assert_eq!(at(-1.0).unwrap_err(), Unmeasurable::Before(0));
        assert_eq!(at(1e9).unwrap_err(), Unmeasurable::After(0));
        assert!(impact_over_time(&observed(Times::Seconds(&[]), &[], 0.0)).is_err());
    }
}
