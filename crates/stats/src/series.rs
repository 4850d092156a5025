use crate::anomalies::{Anomaly, anomalies};
use crate::change_points::{ChangePoint, lasting_changes};
use crate::faint_season::without_faint_season;
use crate::grid::Grid;
use crate::online::{Online, online};
use crate::robust;
use crate::seasonal::{likely_season, seasonal};
use crate::trend::{Trend, trend};

/// When the values of a series were observed, in any order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Times<'a> {
    /// Seconds since any instant: seasons of hours, days, weeks and years are looked for.
    Seconds(&'a [f64]),
    /// Numbers that tell the order alone: a season is looked for in the values.
    Numbers(&'a [f64]),
}

/// What a series tells. Indices are those of the observations, in the order given.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// Changes of level, in the order of time.
    pub change_points: Vec<ChangePoint>,
    /// Values far from what was likely, in the order of time.
    pub anomalies: Vec<Anomaly>,
    /// Rise or fall over the whole series; `None` with fewer than 8 values.
    pub trend: Option<Trend>,
    /// The steps that the series is on.
    pub grid: Grid,
    /// Lengths in steps of the seasons found.
    pub periods: Vec<usize>,
}

/// Which way a series goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// It rises.
    Increasing,
    /// It falls.
    Decreasing,
    /// Neither can be told.
    Stable,
}

/// The p-value below which a trend is called one.
const CALLED: f64 = 0.05;

/// Less of the largest value is rounding.
const ROUNDING: f64 = 1e-9;

/// In a series with a season: one that changes must be called a trend in less than 2 % of series, and what is left of it
/// comes on top of chance.
const CALLED_WITH_SEASON: f64 = 0.01;

impl Analysis {
    /// Which way the series goes, if that is sure enough.
    pub fn direction(&self) -> Direction {
        let called = if self.periods.is_empty() {
            CALLED
        } else {
            CALLED_WITH_SEASON
        };
        match self.trend {
            Some(trend) if trend.p_value < called && trend.score > 0.0 => Direction::Increasing,
            Some(trend) if trend.p_value < called && trend.score < 0.0 => Direction::Decreasing,
            _ => Direction::Stable,
        }
    }
}

/// Where seasons tell a series wholly, rounding is left of it, in which there is nothing to find.
fn flatten_rounding(series: &[f64], adjusted: &mut [f64]) {
    let finite =
        |values: &[f64]| -> Vec<f64> { values.iter().copied().filter(|it| it.is_finite()).collect() };
    let largest = finite(series)
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    let level = robust::median(&finite(adjusted));
    let is_rounding = |value: &f64| !value.is_finite() || (value - level).abs() <= ROUNDING * largest;
    if adjusted.iter().all(is_rounding) {
        adjusted
            .iter_mut()
            .filter(|it| it.is_finite())
            .for_each(|value| *value = level);
    }
}

/// Everything that the methods for series find in one: onto even steps, seasons out, then trend, changes and anomalies.
/// NaN is missing; so is whatever is not finite. With `past_only`, changes and anomalies are found at each step from the
/// steps before alone and placed where they could be told first. There is nothing to set: the same for every series.
///
/// `values` has one value for each time; what is beyond the shorter of the two is left out.
pub fn analyse(times: Times<'_>, values: &[f64], past_only: bool) -> Analysis {
    let (grid, candidates) = match times {
        Times::Seconds(seconds) => {
            let grid = Grid::of(seconds);
            let candidates = grid.seasons();
            (grid, candidates)
        }
        Times::Numbers(numbers) => (Grid::of_numbers(numbers), Vec::new()),
    };
    let series = grid.values(values);
    let guessed = candidates.is_empty();
    let candidates = if guessed {
        likely_season(&series).into_iter().collect()
    } else {
        candidates
    };
    let mut found = seasonal(&series, &candidates);
    flatten_rounding(&series, &mut found.adjusted);
    let day = grid.a_day().max(FEWEST_APART);
    let Online {
        mut change_points,
        mut anomalies,
    } = if past_only {
        // A season guessed from the whole series would know the future.
        online(&series, if guessed { &[] } else { &candidates }, day)
    } else {
        let reach = day.clamp(24, 500).min(series.len() / 10).max(5);
        let week = 7 * grid.a_day();
        let is_faint = candidates.contains(&week) && !found.periods.contains(&week);
        let lasting = grid.a_day().min(LASTING);
        let mut level = found.adjusted.clone();
        if is_faint {
            level = without_faint_season(&level, week);
            flatten_rounding(&series, &mut level);
        }
        Online {
            change_points: lasting_changes(&level, lasting),
            anomalies: anomalies(&series, &found.adjusted, reach, day),
        }
    };
    let observations = first_observations(&grid, values);
    change_points
        .iter_mut()
        .for_each(|change| change.index = observations[change.index]);
    anomalies
        .iter_mut()
        .for_each(|anomaly| anomaly.index = observations[anomaly.index]);
    Analysis {
        change_points,
        anomalies,
        trend: trend(&found.adjusted),
        grid,
        periods: found.periods,
    }
}

/// A level that lasts for less than a day, or than so many steps of one, is an anomaly at most.
const LASTING: usize = 24;

/// Anomalies this near are one, where steps are as long as a day or longer.
const FEWEST_APART: usize = 3;

/// The first observation with a value on each step.
fn first_observations(grid: &Grid, values: &[f64]) -> Vec<usize> {
    let mut first = vec![0; grid.length];
    for (index, slot) in grid.slots.iter().enumerate().rev() {
        if values.get(index).is_some_and(|value| value.is_finite()) {
            first[*slot] = index;
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;
    use proptest::prelude::*;

    const HOUR: f64 = 3600.0;

    fn hours(n: usize) -> Vec<f64> {
        (0..n).map(|hour| hour as f64 * HOUR).collect()
    }

    /// Noise, a season of a day that multiplies, a step at 900, a spike at 400.
    fn known(seed: u64) -> Vec<f64> {
        let turn = std::f64::consts::TAU / 24.0;
        let mut values: Vec<f64> = ar1(seed, 1344, 0.4)
            .iter()
            .enumerate()
            .map(|(t, v)| {
                (50.0 + if t < 900 { 0.0 } else { 8.0 }) * (1.0 + 0.3 * (turn * t as f64).sin()) + 2.0 * v
            })
            .collect();
        values[400] += 40.0;
        values
    }

    #[test]
    fn what_was_planted_is_found() {
        let found = analyse(Times::Seconds(&hours(1344)), &known(1), false);
        assert_eq!(found.periods, [24]);
        assert_eq!(found.change_points.len(), 1, "{:?}", found.change_points);
        assert!(found.change_points[0].index.abs_diff(900) <= 24);
        assert_eq!(
            found
                .anomalies
                .iter()
                .map(|anomaly| anomaly.index)
                .collect::<Vec<_>>(),
            [400]
        );
    }

    #[test]
    fn a_season_that_changes_is_no_trend() {
        let called = |seed: &u64| {
            let mut values = ar1(*seed, 90, 0.6);
            for (t, value) in values.iter_mut().enumerate() {
                let height = if t < 45 { 2.0 } else { 0.6 };
                *value += height * (std::f64::consts::TAU * t as f64 / 7.0).sin();
            }
            let days: Vec<f64> = (0..90).map(|day| f64::from(day) * 24.0 * HOUR).collect();
            analyse(Times::Seconds(&days), &values, false).direction() != Direction::Stable
        };
        let called = (0..200).filter(called).count();
        // 2 % of 200, and chance.
        assert!(called <= 9, "{called} of 200");
    }

    #[test]
    fn nothing_is_found_in_a_series_that_its_seasons_tell_wholly() {
        // Of a call each 216 seconds 16 or 17 are in an hour, the same every third hour.
        let values: Vec<f64> = (0..1344).map(|hour| [17.0, 17.0, 16.0][hour % 3]).collect();
        let found = analyse(Times::Seconds(&hours(1344)), &values, false);
        assert_eq!((found.change_points.len(), found.anomalies.len()), (0, 0));
        assert_eq!(found.direction(), Direction::Stable);
    }

    #[test]
    fn order_and_repeats_change_nothing() {
        let (times, values) = (hours(1344), known(2));
        let there = analyse(Times::Seconds(&times), &values, false);
        let back = |values: &[f64]| -> Vec<f64> { values.iter().rev().copied().collect() };
        let turned = analyse(Times::Seconds(&back(&times)), &back(&values), false);
        assert_eq!(there.trend, turned.trend);
        let indices = |found: &Analysis| {
            found
                .change_points
                .iter()
                .map(|change| change.index)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            indices(&there),
            indices(&turned)
                .iter()
                .map(|index| 1343 - index)
                .collect::<Vec<_>>()
        );
        let twice =
            |values: &[f64]| -> Vec<f64> { values.iter().flat_map(|value| [*value, *value]).collect() };
        let doubled = analyse(Times::Seconds(&twice(&times)), &twice(&values), false);
        assert_eq!(
            indices(&doubled),
            indices(&there).iter().map(|index| 2 * index).collect::<Vec<_>>()
        );
        assert_eq!(doubled.trend, there.trend);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn no_series_breaks_it(
            values in prop::collection::vec(prop_oneof![
                4 => -1e3..1e3_f64, 1 => Just(f64::NAN), 1 => Just(0.0), 1 => -1e300..1e300_f64,
            ], 0..120),
            step in prop_oneof![Just(1.0), Just(60.0), Just(3600.0), Just(86_400.0), Just(31_556_952.0)],
            gaps in prop::collection::vec(0..4_u8, 120), past_only: bool,
        ) {
            let mut time = 0.0;
            let times: Vec<f64> = gaps.iter().take(values.len()).map(|gap| { time += f64::from(*gap) * step; time }).collect();
            let found = analyse(Times::Seconds(&times), &values, past_only);
            for index in found.change_points.iter().map(|c| c.index).chain(found.anomalies.iter().map(|a| a.index)) {
                prop_assert!(values[index].is_finite());
            }
            analyse(Times::Numbers(&times), &values, past_only);
        }
    }
}
