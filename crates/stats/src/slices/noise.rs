use crate::slices::deviations::Measured;

/// How far cells deviate by chance: the variance of a cell of size `s` is `factor · s^power`. The power is 1 for counts, 2
/// where deviations are proportional; both are fitted to the bulk of the cells, so that the few that changed do not count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Noise {
    factor: f64,
    power: f64,
}

/// Cells are grouped by size into this many groups.
const GROUPS: usize = 12;
/// A group needs this many cells.
const LEAST_IN_GROUP: usize = 10;
/// Standard deviation of a normal distribution over its shortest half.
const PER_SHORTEST_HALF: f64 = 0.741_301_109_252_801;
/// Deviations below this share of a cell are never told from none.
const LEAST_DEVIATION: f64 = 0.005;

/// Half of what came and of what was expected.
fn size(cell: &Measured) -> f64 {
    (cell.actual.abs() + cell.expected.abs()) / 2.0
}

impl Noise {
    /// Of the scatter of these cells.
    pub(crate) fn of(cells: &[Measured]) -> Self {
        let mut sized: Vec<(f64, f64)> = cells
            .iter()
            .map(|cell| (size(cell), cell.actual - cell.expected))
            .filter(|(size, _)| *size > 0.0)
            .collect();
        sized.sort_by(|a, b| a.0.total_cmp(&b.0));
        let group = (sized.len() / GROUPS).max(LEAST_IN_GROUP);
        let points: Vec<(f64, f64)> = sized
            .chunks(group)
            .filter(|cells| cells.len() >= LEAST_IN_GROUP)
            .filter_map(|cells| {
                let middle = cells[cells.len() / 2].0;
                let deviation = spread(cells.iter().map(|cell| cell.1).collect());
                (deviation > 0.0).then(|| (middle.ln(), 2.0 * deviation.ln()))
            })
            .collect();
        let power = slope(&points).clamp(0.0, 2.0);
        let scaled = sized
            .iter()
            .map(|(size, deviation)| deviation / size.powf(power / 2.0))
            .collect();
        Self {
            factor: spread(scaled).powi(2),
            power,
        }
    }

    /// Weight of a cell, and that times its deviation: actual minus expected over its size.
    pub(crate) fn evidence(&self, cell: &Measured) -> [f64; 2] {
        let size = size(cell);
        if size <= 0.0 {
            return [0.0, 0.0];
        }
        let variance =
            self.factor * size.powf(self.power) / (size * size) + LEAST_DEVIATION * LEAST_DEVIATION;
        [1.0 / variance, (cell.actual - cell.expected) / size / variance]
    }
}

/// Standard deviation of the bulk, by the shortest interval that half of the values lie in: up to half of them may have
/// changed, all to one side (P. J. Rousseeuw and A. M. Leroy, "A Robust Scale Estimator Based on the Shortest Half", Stat.
/// Neerl. 42 (1988)).
fn spread(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    let shortest = values
        .iter()
        .zip(values.iter().skip(half))
        .map(|(low, high)| high - low)
        .min_by(f64::total_cmp);
    shortest
        .filter(|_| half > 0)
        .map_or(0.0, |shortest| shortest * PER_SHORTEST_HALF)
}

/// Slope of the median of pairs: H. Theil, "A Rank-Invariant Method of Linear and Polynomial Regression Analysis" (1950).
/// 2 where there are too few points for one.
fn slope(points: &[(f64, f64)]) -> f64 {
    let mut slopes: Vec<f64> = Vec::new();
    for (at, (x, y)) in points.iter().enumerate() {
        slopes.extend(
            points[at + 1..]
                .iter()
                .filter(|(other, _)| other > x)
                .map(|(other, value)| (value - y) / (other - x)),
        );
    }
    if points.len() < 3 || slopes.is_empty() {
        return 2.0;
    }
    slopes.sort_by(f64::total_cmp);
    slopes[slopes.len() / 2]
}
