use crate::slices::bulk::variance_beyond;
use crate::slices::grid::Grid;
use crate::slices::rates::sums::{Period, Sums};

/// How much the mean of a cell varies from period to period beyond what its values explain and what moved with one of them,
/// by moments; cells weigh by how well they tell (R. C. Paule and J. Mandel, "Consensus Values and Weighting Factors", J.
/// Res. Natl. Bur. Stand. 87 (1982)). Its error is added, as too little names too many; 0 unless it exceeds that twice. Never
/// more than the bulk of the larger cells vary: what a culprit does to its cells is no such variation.
pub(super) fn variance_between_cells(grid: &Grid<9>, left: &[Sums], pooled: f64) -> f64 {
    const ROUNDS: usize = 4;
    let rises = rises_beyond_values(grid, left, pooled);
    let (mut between, mut error) = (0.0_f64, 0.0);
    for _ in 0..ROUNDS {
        let weights = rises.iter().map(|(_, variance)| 1.0 / (variance + 2.0 * between));
        let (weight, sum) = weights
            .clone()
            .zip(&rises)
            .fold((0.0, 0.0), |(all, sum), (weight, (rise, _))| {
                (all + weight, sum + weight * rise)
            });
        let shared = sum / weight;
        let (squares, excess) =
            weights
                .zip(&rises)
                .fold((0.0, 0.0), |(all, sum), (weight, (rise, variance))| {
                    let weight = weight * weight;
                    (all + weight, sum + weight * ((rise - shared).powi(2) - variance))
                });
        if squares <= 0.0 {
            return 0.0;
        }
        between = (excess / squares / 2.0).max(0.0);
        error = (1.0 / (2.0 * squares)).sqrt();
    }
    if between <= SEEN * error {
        return 0.0;
    }
    let large: Vec<(f64, f64)> = rises
        .into_iter()
        .filter(|(_, variance)| *variance <= 2.0 * pooled / LARGE_CELL)
        .collect();
    // Half of it in each period.
    let bulk = variance_beyond(&large, FEWEST_CELLS).map_or(f64::INFINITY, |both| both / 2.0);
    (between + error).min(bulk)
}

/// How much the mean of each cell rose beyond what moved with one of its values, and the variance of that; as wide as if no
/// effects of values had been fitted. Those are medians (J. W. Tukey, "Exploratory Data Analysis" (1977), ch. 11), so that a
/// culprit of a few cells stays in these. Empty where there are too few cells to fit them: they do not show how they vary,
/// and a culprit would be taken for their variation. Of many cells every so-manieth is looked at.
fn rises_beyond_values(grid: &Grid<9>, left: &[Sums], pooled: f64) -> Vec<(f64, f64)> {
    const ROUNDS: usize = 3;
    let known = |sums: &Sums| sums[0] > 0.0 && sums[4] > 0.0 && pooled > 0.0;
    let cells: Vec<_> = grid.rows().zip(left).filter(|(_, sums)| known(sums)).collect();
    let step = cells.len().div_ceil(MOST_CELLS).max(1);
    let cells: Vec<(&[u32], &Sums)> = cells.into_iter().step_by(step).collect();
    let rise = |sums: &Sums| {
        let (before, now) = Period::both(sums);
        now.mean() - before.mean()
    };
    let mut left: Vec<f64> = cells.iter().map(|(_, sums)| rise(sums)).collect();
    let mut fitted = 1;
    for round in 0..ROUNDS {
        for (dimension, cardinality) in grid.cardinalities.iter().enumerate() {
            let mut of_value: Vec<Vec<f64>> = vec![Vec::new(); *cardinality];
            for ((codes, _), left) in cells.iter().zip(&left) {
                of_value[codes[dimension] as usize].push(*left);
            }
            let values = of_value.iter().filter(|it| !it.is_empty()).count();
            fitted += if round == 0 { values.saturating_sub(1) } else { 0 };
            let moved: Vec<f64> = of_value.iter_mut().map(|it| median(it)).collect();
            for ((codes, _), left) in cells.iter().zip(&mut left) {
                *left -= moved[codes[dimension] as usize];
            }
        }
    }
    let free = cells.len().saturating_sub(fitted);
    if cells.len() < FEWEST_CELLS || free < 2 {
        return Vec::new();
    }
    let widened = (cells.len() as f64 / free as f64).sqrt();
    let variance = |sums: &Sums| {
        let (before, now) = Period::both(sums);
        pooled * (1.0 / before.count + 1.0 / now.count)
    };
    let rises = cells.iter().zip(left);
    rises
        .map(|((_, sums), left)| (left * widened, variance(sums)))
        .collect()
}

/// 0 of nothing.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Errors that a variance must exceed to be one: half of what varies by chance alone is above 0, one in six above one of them.
const SEEN: f64 = 2.0;
/// More cells say hardly more of how they vary.
const MOST_CELLS: usize = 4_000;
/// Fewer cells do not show how they vary.
const FEWEST_CELLS: usize = 5;
/// A cell of this many values in each period is large.
const LARGE_CELL: f64 = 10.0;
