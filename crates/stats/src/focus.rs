/// Looks at one value after the other for a change of their mean, in a time that does not grow with their number: keeps
/// only the places that can be the most likely one of a change, as corners of the convex hull of the running sum. The mean
/// before is not known; the values have standard deviation 1 and are independent.
///
/// G. Romano, I. A. Eckley, P. Fearnhead and G. Rigaill, "Fast Online Changepoint Detection via Functional Pruning CUSUM
/// Statistics", J. Machine Learning Research 24 (2023).
#[derive(Debug, Clone)]
pub(crate) struct Focus {
    /// Corners from which the sum rose more, later than before; and the other way.
    rises: Vec<Corner>,
    falls: Vec<Corner>,
    now: Corner,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Corner {
    count: usize,
    sum: f64,
}

/// The most likely change so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Likely {
    /// Twice the logarithm of how much more likely the values are with the change than without.
    pub(crate) statistic: f64,
    /// Values before it.
    pub(crate) before: usize,
}

/// Fewest values before a change: with fewer the mean before is not known.
const BASE: usize = 24;

impl Focus {
    pub(crate) fn new() -> Focus {
        let now = Corner { count: 0, sum: 0.0 };
        Focus {
            rises: Vec::new(),
            falls: Vec::new(),
            now,
        }
    }

    /// Takes the next value; the most likely change of the mean up to here.
    pub(crate) fn take(&mut self, value: f64) -> Likely {
        if self.now.count >= BASE {
            corner(&mut self.rises, self.now, 1.0);
            corner(&mut self.falls, self.now, -1.0);
        }
        self.now = Corner {
            count: self.now.count + 1,
            sum: self.now.sum + value,
        };
        let mut likely = Likely {
            statistic: 0.0,
            before: self.now.count,
        };
        for place in self.rises.iter().chain(&self.falls) {
            let (before, after) = (place.count as f64, (self.now.count - place.count) as f64);
            let step = (self.now.sum - place.sum) / after - place.sum / before;
            let statistic = step * step * before * after / (before + after);
            if statistic > likely.statistic {
                likely = Likely {
                    statistic,
                    before: place.count,
                };
            }
        }
        likely
    }
}

/// Adds a corner to the lower hull (`sign` 1) or the upper one; corners that it covers can be the best no more.
fn corner(hull: &mut Vec<Corner>, new: Corner, sign: f64) {
    let slope = |a: Corner, b: Corner| sign * (b.sum - a.sum) / (b.count - a.count) as f64;
    while let [.., first, second] = hull[..] {
        if slope(first, second) < slope(second, new) {
            break;
        }
        hull.pop();
    }
    hull.push(new);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_most_likely_change_is_the_best_of_all_places(values in prop::collection::vec(-3.0..3.0_f64, 30..80)) {
            let mut focus = Focus::new();
            for (index, value) in values.iter().enumerate() {
                let found = focus.take(*value).statistic;
                let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
                let best = (BASE..=index).map(|place| {
                    let (before, after) = (&values[..place], &values[place..=index]);
                    let step = mean(after) - mean(before);
                    step * step * (before.len() * after.len()) as f64 / (index + 1) as f64
                });
                prop_assert!((found - best.fold(0.0, f64::max)).abs() < 1e-9);
            }
        }
    }
}
