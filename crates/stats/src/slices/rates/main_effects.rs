use crate::slices::grid::Grid;
use crate::slices::rates::TwoPeriods;
use crate::slices::rates::shift::{LEAST_SHARE, are_proportions, log_odds};

/// The mean of each cell by the main effects of its values before: those on the log-odds of proportions, those on other means.
pub(super) fn main_effects(grid: &Grid<9>, cells: &[TwoPeriods]) -> Vec<f64> {
    if are_proportions(cells) {
        main_effects_of_proportions(grid, cells)
    } else {
        main_effects_of_means(grid, cells)
    }
}

fn total(cells: &[TwoPeriods]) -> [f64; 2] {
    cells.iter().fold([0.0; 2], |[count, sum], cell| {
        [count + cell.baseline.count, sum + cell.baseline.sum]
    })
}

/// By least squares in rounds (A. Buja, T. Hastie and R. Tibshirani, "Linear Smoothers and Additive Models", Ann. Stat. 17 (1989)).
fn main_effects_of_means(grid: &Grid<9>, cells: &[TwoPeriods]) -> Vec<f64> {
    const ROUNDS: usize = 4;
    let [count, sum] = total(cells);
    let mut means = vec![if count > 0.0 { sum / count } else { 0.0 }; cells.len()];
    // The shifts of a dimension are added while what is left of the next one is summed
    let mut last: Option<(usize, Vec<f64>)> = None;
    for _ in 0..ROUNDS {
        for (dimension, cardinality) in grid.cardinalities.iter().enumerate() {
            let mut left = vec![[0.0; 2]; *cardinality];
            for ((codes, TwoPeriods { baseline, .. }), mean) in grid.rows().zip(cells).zip(&mut means) {
                if let Some((other, shifts)) = &last {
                    *mean += shifts[codes[*other] as usize];
                }
                let value = &mut left[codes[dimension] as usize];
                value[0] += baseline.count;
                value[1] += baseline.sum - baseline.count * *mean;
            }
            let shifts = left.iter();
            let shifts = shifts.map(|[count, sum]| if *count > 0.0 { sum / count } else { 0.0 });
            last = Some((dimension, shifts.collect()));
        }
    }
    if let Some((dimension, shifts)) = last {
        for (codes, mean) in grid.rows().zip(&mut means) {
            *mean += shifts[codes[dimension] as usize];
        }
    }
    means
}

/// By likelihood: each step is one of Newton's for the effects of one dimension (local scoring: T. Hastie and R. Tibshirani,
/// "Generalized Additive Models", Stat. Sci. 1 (1986)).
fn main_effects_of_proportions(grid: &Grid<9>, cells: &[TwoPeriods]) -> Vec<f64> {
    const ROUNDS: usize = 4;
    const LARGEST_STEP: f64 = 1.0;
    let [count, sum] = total(cells);
    let share = if count > 0.0 { sum / count } else { 0.5 };
    let mut odds = vec![log_odds(share.clamp(LEAST_SHARE, 1.0 - LEAST_SHARE)); cells.len()];
    let probability = |odds: f64| 1.0 / (1.0 + (-odds).exp());
    for _ in 0..ROUNDS {
        for (dimension, cardinality) in grid.cardinalities.iter().enumerate() {
            let mut left = vec![[0.0; 2]; *cardinality];
            for ((codes, TwoPeriods { baseline, .. }), odds) in grid.rows().zip(cells).zip(&odds) {
                let expected = probability(*odds);
                let value = &mut left[codes[dimension] as usize];
                value[0] += baseline.sum - baseline.count * expected;
                value[1] += baseline.count * expected * (1.0 - expected);
            }
            let steps: Vec<f64> = left
                .iter()
                .map(|[left, slope]| {
                    if *slope > 0.0 {
                        (left / slope).clamp(-LARGEST_STEP, LARGEST_STEP)
                    } else {
                        0.0
                    }
                })
                .collect();
            for (codes, odds) in grid.rows().zip(&mut odds) {
                *odds += steps[codes[dimension] as usize];
            }
        }
    }
    odds.into_iter().map(probability).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slices::cube::Cube;
    use crate::welch::Moments;

    /// Means before of 3 models in 3 regions, as fitted and as they are; `squares` of a value of that mean.
    fn fitted(mean: impl Fn(usize, usize) -> f64, squares: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        let mut cube = Cube::new(["model", "region"]);
        let of = |count: f64, mean: f64| Moments {
            count,
            sum: count * mean,
            sum_of_squares: count * squares(mean),
        };
        for at in 0..9 {
            let (model, region) = (at / 3, at % 3);
            let cell = TwoPeriods {
                baseline: of(10.0 + (model * region) as f64, mean(model, region)),
                current: of(20.0, 0.1),
            };
            cube.add(&[format!("m{model}"), format!("r{region}")], cell)
                .unwrap();
        }
        let (grid, _) = cube.grid(Vec::new());
        let found = main_effects(&grid, cube.cells()).into_iter().enumerate();
        found.map(|(at, found)| (found, mean(at / 3, at % 3))).collect()
    }

    #[test]
    fn effects_are_those_of_values_where_cells_have_nothing_of_their_own() {
        let added = |model: usize, region: usize| 0.5 + 0.1 * model as f64 - 0.05 * region as f64;
        for (found, wanted) in fitted(added, |_| 1.0) {
            assert!((found - wanted).abs() < 1e-3, "{found} {wanted}");
        }
        let by_odds = |model: usize, region: usize| {
            1.0 / (1.0 + (-2.5 + 0.8 * model as f64 - 0.5 * region as f64).exp())
        };
        for (found, wanted) in fitted(by_odds, |mean| mean) {
            assert!((found - wanted).abs() < 1e-3, "{found} {wanted}");
        }
    }
}
