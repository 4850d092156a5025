/// What a segment of a series is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A level.
    Level,
    /// A line of its own.
    Line,
}

/// A line fitted to a segment.
pub(crate) struct Line {
    middle: f64,
    mean: f64,
    slope: f64,
}

impl Line {
    /// Its value at a step.
    pub(crate) fn at(&self, step: usize) -> f64 {
        self.mean + self.slope * (step as f64 - self.middle)
    }
}

/// The squared distances of a series to one shape on any stretch of it, in constant time.
pub(crate) struct Cost {
    shape: Shape,
    /// Sums of y, y² and t·y up to each step.
    sums: Vec<[f64; 3]>,
}

impl Cost {
    /// `values` around zero: the sums cancel.
    pub(crate) fn new(values: &[f64], shape: Shape) -> Cost {
        let mut sum = [0.0; 3];
        let mut sums = vec![sum];
        for (step, value) in values.iter().enumerate() {
            sum[0] += value;
            sum[1] += value * value;
            sum[2] += value * step as f64;
            sums.push(sum);
        }
        Cost { shape, sums }
    }

    /// Squared distances on the steps `from..to`.
    pub(crate) fn of(&self, from: usize, to: usize) -> f64 {
        let n = (to - from) as f64;
        let (first, last) = (&self.sums[from], &self.sums[to]);
        let sum = last[0] - first[0];
        let around_mean = (last[1] - first[1] - sum * sum / n).max(0.0);
        if self.shape == Shape::Level || to - from < 3 {
            return around_mean;
        }
        let middle = (from + to - 1) as f64 / 2.0;
        let across = last[2] - first[2] - middle * sum;
        (around_mean - 12.0 * across * across / (n * (n * n - 1.0))).max(0.0)
    }

    /// The line through the steps `from..to`; flat for levels.
    pub(crate) fn fit(&self, from: usize, to: usize) -> Line {
        let n = (to - from) as f64;
        let (first, last) = (&self.sums[from], &self.sums[to]);
        let middle = (from + to - 1) as f64 / 2.0;
        let sum = last[0] - first[0];
        let across = last[2] - first[2] - middle * sum;
        let sloped = self.shape == Shape::Line && to - from >= 3;
        let slope = if sloped {
            12.0 * across / (n * (n * n - 1.0))
        } else {
            0.0
        };
        Line {
            middle,
            mean: sum / n,
            slope,
        }
    }

    /// What a segment is made of.
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// Number of steps.
    pub(crate) fn len(&self) -> usize {
        self.sums.len() - 1
    }
}

/// The most steps that are searched exactly.
const EXACT: usize = 4096;

/// Steps of a stretch of a longer series.
const CHUNK: usize = 512;

/// First steps of all segments but the first, such that the cost plus the `penalty` of each change is least; segments have
/// `shortest` steps or more. Up to 4,096 steps the least is exact. Beyond, stretches are searched on their own, and then
/// the changes found in them and an even net of steps together: the time is near linear even where nothing changes.
///
/// R. Killick, P. Fearnhead and I. A. Eckley, "Optimal Detection of Changepoints With a Linear Computational Cost", J. Am.
/// Statist. Ass. 107 (2012); S. O. Tickle et al., "Parallelization of a Common Changepoint Detection Method", J. Comput.
/// Graph. Statist. 29 (2020).
pub(crate) fn pelt(cost: &Cost, penalty: f64, shortest: usize) -> Vec<usize> {
    let n = cost.len();
    if n <= EXACT {
        return search(cost, &(0..=n).collect::<Vec<_>>(), penalty, shortest);
    }
    let mut steps: Vec<usize> = (0..=n).step_by(n.div_ceil(EXACT / 2)).collect();
    steps.push(n);
    for start in (0..n).step_by(CHUNK) {
        // Stretches overlap, so that a change at the border of one is inside of another.
        let end = (start + CHUNK + CHUNK / 8).min(n);
        steps.extend(search(
            cost,
            &(start..=end).collect::<Vec<_>>(),
            penalty,
            shortest,
        ));
    }
    steps.sort_unstable();
    steps.dedup();
    search(cost, &steps, penalty, shortest)
}

/// The search over the given steps, the first and the last included, as ends of segments.
fn search(cost: &Cost, steps: &[usize], penalty: f64, shortest: usize) -> Vec<usize> {
    let last = steps.len() - 1;
    let mut best = vec![f64::INFINITY; last + 1];
    let mut before = vec![0; last + 1];
    best[0] = -penalty;
    let mut candidates: Vec<usize> = vec![0];
    let mut totals = Vec::new();
    for end in 1..=last {
        totals.clear();
        for start in &candidates {
            let far_enough = steps[end] - steps[*start] >= shortest;
            totals.push(if far_enough {
                best[*start] + cost.of(steps[*start], steps[end])
            } else {
                f64::INFINITY
            });
        }
        for (start, total) in candidates.iter().zip(&totals) {
            if total + penalty < best[end] {
                best[end] = total + penalty;
                before[end] = *start;
            }
        }
        // A start that is worse now without its penalty stays worse; too near ones cannot be judged yet.
        let bound = best[end];
        let mut index = 0;
        candidates.retain(|_| {
            index += 1;
            totals[index - 1].is_infinite() || totals[index - 1] <= bound
        });
        candidates.push(end);
    }
    let mut changes = Vec::new();
    let mut end = last;
    while before[end] != 0 {
        end = before[end];
        changes.push(steps[end]);
    }
    changes.reverse();
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;
    use proptest::prelude::*;

    fn total(cost: &Cost, changes: &[usize], penalty: f64) -> f64 {
        let mut ends = changes.to_vec();
        ends.push(cost.len());
        let mut start = 0;
        let costs = ends
            .into_iter()
            .map(|end| cost.of(std::mem::replace(&mut start, end), end));
        costs.sum::<f64>() + penalty * changes.len() as f64
    }

    #[test]
    fn the_sums_are_those_of_the_distances() {
        let values = [0.0, 2.0, 1.0, 5.0, 4.0, 6.0];
        assert!((Cost::new(&values, Shape::Level).of(1, 4) - 26.0 / 3.0).abs() < 1e-12);
        let line: Vec<f64> = (0..50).map(|n| 3.0 - 0.7 * f64::from(n)).collect();
        assert!(Cost::new(&line, Shape::Line).of(7, 31) < 1e-9);
    }

    #[test]
    fn long_series_are_split_where_they_step() {
        let values: Vec<f64> = ar1(5, 30_000, 0.0)
            .iter()
            .enumerate()
            .map(|(n, value)| {
                value
                    + if n < 2040 {
                        0.0
                    } else if n < 15_000 {
                        3.0
                    } else {
                        -1.0
                    }
            })
            .collect();
        let found = pelt(&Cost::new(&values, Shape::Level), 3.0 * 30_000_f64.ln(), 1);
        assert_eq!(found.len(), 2);
        assert!(
            found[0].abs_diff(2040) < 5 && found[1].abs_diff(15_000) < 5,
            "{found:?}"
        );
    }

    proptest! {
        #[test]
        fn no_two_changes_are_better_than_the_ones_found(
            values in prop::collection::vec(-3.0..3.0_f64, 6..25), penalty in 0.5..10.0_f64,
        ) {
            let cost = Cost::new(&values, Shape::Level);
            let found = total(&cost, &pelt(&cost, penalty, 1), penalty);
            let n = values.len();
            prop_assert!(found <= total(&cost, &[], penalty) + 1e-9);
            for first in 1..n {
                prop_assert!(found <= total(&cost, &[first], penalty) + 1e-9);
                for second in first + 1..n {
                    prop_assert!(found <= total(&cost, &[first, second], penalty) + 1e-9);
                }
            }
        }
    }
}
