/// A day, in seconds.
const DAY: f64 = 86_400.0;
/// A year of the calendar on average, in seconds.
const YEAR: f64 = 365.2425 * DAY;

/// Steps that people sample at, in seconds.
const USUAL: [f64; 31] = [
    1.0,
    2.0,
    5.0,
    10.0,
    15.0,
    20.0,
    30.0,
    60.0,
    120.0,
    180.0,
    300.0,
    600.0,
    900.0,
    1_200.0,
    1_800.0,
    3_600.0,
    7_200.0,
    10_800.0,
    14_400.0,
    21_600.0,
    28_800.0,
    43_200.0,
    DAY,
    2.0 * DAY,
    7.0 * DAY,
    14.0 * DAY,
    YEAR / 12.0,
    YEAR / 6.0,
    YEAR / 4.0,
    YEAR / 2.0,
    YEAR,
];

/// Spans after which things tend to repeat, in seconds.
const SEASONS: [f64; 4] = [3_600.0, DAY, 7.0 * DAY, YEAR];

/// Even steps worked out from the times of observations, in any order, with gaps, repeats and jitter. Calendar steps
/// (months, quarters, years) are steps of their average length.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Length of a step in seconds; none where the times show none, and the steps are the order of the observations.
    pub step: Option<f64>,
    /// Step that each observation falls on, in the order given; the first is 0.
    pub slots: Vec<usize>,
    /// Number of steps, those without an observation included.
    pub length: usize,
}

impl Grid {
    /// The grid of observations made at these times, in seconds. Times that fall on no even steps, or on steps that are
    /// nearly all empty, are taken in their order.
    pub fn of(seconds: &[f64]) -> Grid {
        let mut sorted = seconds.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let differences: Vec<f64> = sorted
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .filter(|gap| *gap > 0.0)
            .collect();
        let Some(step) = step(&differences) else {
            return Grid::in_order(seconds);
        };
        let start = sorted[0];
        let slots: Vec<usize> = seconds
            .iter()
            .map(|time| ((time - start) / step).round() as usize)
            .collect();
        let length = slots.iter().max().map_or(0, |last| last + 1);
        // More empty steps than that are pauses between bursts.
        if length > 20 * seconds.len() + 100 {
            return Grid::in_order(seconds);
        }
        Grid {
            step: Some(step),
            slots,
            length,
        }
    }

    /// The grid of observations known by a number that means no time.
    pub fn of_numbers(numbers: &[f64]) -> Grid {
        Grid {
            step: None,
            ..Grid::of(numbers)
        }
    }

    fn in_order(seconds: &[f64]) -> Grid {
        let mut order: Vec<usize> = (0..seconds.len()).collect();
        order.sort_by(|a, b| seconds[*a].total_cmp(&seconds[*b]));
        let mut slots = vec![0; seconds.len()];
        for (slot, index) in order.into_iter().enumerate() {
            slots[index] = slot;
        }
        Grid {
            step: None,
            slots,
            length: seconds.len(),
        }
    }

    /// The values on the steps: the mean where several observations share one, NaN where there is none.
    pub fn values(&self, observed: &[f64]) -> Vec<f64> {
        let mut sums = vec![(0.0, 0.0); self.length];
        for (slot, value) in self
            .slots
            .iter()
            .zip(observed)
            .filter(|(_, value)| value.is_finite())
        {
            sums[*slot].0 += value;
            sums[*slot].1 += 1.0;
        }
        sums.into_iter().map(|(sum, count)| sum / count).collect()
    }

    /// Lengths in steps, rising, of the seasons that a series on this grid may have: an hour, a day, a week, a year, of at
    /// least four steps and seen three times.
    pub fn seasons(&self) -> Vec<usize> {
        let Some(step) = self.step else { return Vec::new() };
        let lengths = SEASONS.iter().map(|season| season / step);
        let whole = lengths
            .filter(|steps| (steps - steps.round()).abs() / steps < 0.01)
            .map(|steps| steps.round() as usize);
        whole
            .filter(|steps| *steps >= 4 && 3 * steps <= self.length)
            .collect()
    }

    /// Steps that a day has, at least one.
    pub fn a_day(&self) -> usize {
        self.step.map_or(1, |step| (DAY / step).round().max(1.0) as usize)
    }
}

/// The step of sorted observations with these gaps between them.
fn step(differences: &[f64]) -> Option<f64> {
    if differences.is_empty() {
        return None;
    }
    let mut sorted = differences.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (mut common, mut times) = (sorted[0], 0);
    for group in sorted.chunk_by(|a, b| a == b) {
        if group.len() > times {
            (common, times) = (group[0], group.len());
        }
    }
    // With jitter no gap is common; most are still near the step, and its errors cancel over many.
    let step = if 2 * times >= sorted.len() {
        common
    } else {
        mean_step(differences, sorted[sorted.len() / 2])
    };
    let usual = USUAL
        .iter()
        .find(|usual| (*usual / step - 1.0).abs() < 0.02 || calendar(**usual, step));
    let step = usual.copied().unwrap_or(step);
    let even = |gap: &&f64| {
        let steps = (*gap / step).round();
        steps >= 1.0 && (*gap / step - steps).abs() < 0.25
    };
    let on_steps = differences.iter().filter(even).count();
    (5 * on_steps >= 4 * differences.len()).then_some(step)
}

/// The step that gaps of about one to three steps have on average.
fn mean_step(differences: &[f64], about: f64) -> f64 {
    let counted = differences
        .iter()
        .map(|gap| (*gap, (gap / about).round()))
        .filter(|(_, steps)| (1.0..4.0).contains(steps));
    let (length, steps) = counted.fold((0.0, 0.0), |sum, (gap, steps)| (sum.0 + gap, sum.1 + steps));
    length / steps
}

/// Months have 28 to 31 days.
fn calendar(usual: f64, step: f64) -> bool {
    usual > 27.0 * DAY && (usual - step).abs() < 3.0 * DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(times: &[f64], step: Option<f64>, length: usize) {
        let grid = Grid::of(times);
        assert_eq!((grid.step, grid.length), (step, length));
    }

    #[test]
    fn the_step_is_found_in_spite_of_gaps_repeats_order_and_jitter() {
        let hourly: Vec<f64> = (0..100)
            .filter(|hour| !(20..45).contains(hour))
            .map(|hour| f64::from(hour) * 3600.0)
            .collect();
        check(&hourly, Some(3600.0), 100);
        let mut reversed: Vec<f64> = hourly.iter().rev().copied().collect();
        reversed.push(0.0);
        check(&reversed, Some(3600.0), 100);
        let jitter: Vec<f64> = (0..1000)
            .map(|n| f64::from(n) * 60.0 + f64::from(n * n * 31 % 13))
            .collect();
        check(&jitter, Some(60.0), 1000);
    }

    #[test]
    fn months_and_years_are_even_steps() {
        let mut day = 0.0;
        let months: Vec<f64> = (0..48)
            .map(|month: usize| {
                let now = day * DAY;
                day += [
                    31.0, 28.0, 31.0, 30.0, 31.0, 30.0, 31.0, 31.0, 30.0, 31.0, 30.0, 31.0,
                ][month % 12];
                now
            })
            .collect();
        check(&months, Some(YEAR / 12.0), 48);
        assert_eq!(Grid::of(&months).seasons(), [12]);
        let years: Vec<f64> = (0..100)
            .map(|year| f64::from(year * 365 + (year + 3) / 4) * DAY)
            .collect();
        check(&years, Some(YEAR), 100);
        assert!(Grid::of(&years).seasons().is_empty());
    }

    #[test]
    fn times_without_a_step_are_taken_in_their_order() {
        let grid = Grid::of(&[5.0, 0.0, 90.0, 1.7, 1e9]);
        assert_eq!(
            grid,
            Grid {
                step: None,
                slots: vec![2, 0, 3, 1, 4],
                length: 5
            }
        );
        check(&[], None, 0);
        check(&[7.0], None, 1);
    }

    #[test]
    fn repeats_are_averaged_and_gaps_are_missing() {
        let grid = Grid::of(&[0.0, 1.0, 1.0, 2.0, 4.0]);
        let values = grid.values(&[1.0, 2.0, 4.0, f64::NAN, 5.0]);
        assert_eq!(values[..2], [1.0, 3.0]);
        assert!(values[2].is_nan() && values[3].is_nan() && values[4] == 5.0);
    }
}
